"""Real servers on loopback, private to a test: PostgreSQL, MariaDB, Datasette. Skipped, with the reason, where missing."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

STARTS_WITHIN_SECONDS = 60


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], Any], process: subprocess.Popen[bytes], what: str) -> None:
    """Wait until ``ready`` does not raise; fail when the process ends first."""
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            ready()
        except Exception as err:
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{what} did not start: {err}") from err
            time.sleep(0.05)
        else:
            return


@contextmanager
def _account(folder: Path, user: str) -> Iterator[dict[str, Any]]:
    """Servers refuse to run as root: give them the folder and the user's own account."""
    if os.geteuid() != 0:
        yield {}
        return
    shutil.chown(folder, user, user)
    folder.chmod(0o700)
    yield {"user": user, "group": user, "extra_groups": []}


@dataclass
class Postgres:
    """A running PostgreSQL: its address and its process; it can be stopped hard and started again on the same data."""

    url: str
    words: list[str]
    account: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.process = subprocess.Popen(
            self.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self.account
        )
        address = self.url.replace("postgresql+psycopg", "postgresql")
        wait_until(lambda: psycopg.connect(address).close(), self.process, "PostgreSQL")

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop: SIGQUIT is "immediate", as a crash."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(30)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A fresh PostgreSQL on loopback."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
    binaries = found[-1].parent
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    port = free_port()
    with _account(home, "postgres") as account:
        data = home / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **account,
        )
        server = Postgres(f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres", [
            str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c",
            f"unix_socket_directories={home}", "-c", "max_connections=200", "-c", "fsync=off",  # only a power cut would tell
        ], account)
        try:
            server.start()
            yield server
        finally:
            if server.process is not None and server.process.poll() is None:
                server.stop()  # at once: a gentle end waits for connections and, after a killed backend, for the recovery
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh PostgreSQL; gives its SQLAlchemy address."""
    with postgres_server() as server:
        yield server.url


@dataclass
class MariaDB:
    """A running MariaDB: its port, its process, and connections as root."""

    port: int
    socket: Path
    process: subprocess.Popen[bytes]

    def connect(self, **more: Any) -> Any:
        """A connection as root."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", charset="utf8mb4", **more)


def _answers(path: Path) -> None:
    """Try the socket first: a refused PyMySQL connection leaves its socket unclosed."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))


@contextmanager
def mariadb() -> Iterator[MariaDB]:
    """A fresh MariaDB on loopback."""
    if not Path("/usr/sbin/mariadbd").exists():
        pytest.skip("MariaDB is not installed (Debian package mariadb-server)")
    home = Path(tempfile.mkdtemp(prefix="maria-"))
    port = free_port()
    with _account(home, "mysql") as account:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={home / 'data'}", "--auth-root-authentication-method=normal",
             "--skip-test-db"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **account,
        )
        process = subprocess.Popen(
            ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={home / 'data'}", f"--socket={home / 'sock'}", f"--port={port}",
             "--bind-address=127.0.0.1", f"--pid-file={home / 'pid'}", "--sql-mode=", "--innodb-flush-log-at-trx-commit=0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **account,
        )
        server = MariaDB(port, home / "sock", process)
        try:
            wait_until(lambda: _answers(server.socket), process, "MariaDB")
            yield server
        finally:
            process.terminate()
            process.wait(30)
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def datasette(table: Path, folder: Path) -> Iterator[str]:
    """A Datasette that serves a CSV file as a table; gives the address of its JSON."""
    file = folder / "data.sqlite"
    with table.open(encoding="utf-8", newline="") as source, contextlib.closing(sqlite3.connect(file)) as database:
        rows = csv.reader(source)
        columns = next(rows)
        names = ", ".join(f'"{name}" TEXT' for name in columns)
        database.execute(f"CREATE TABLE rows ({names})")
        database.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(columns))})", rows)
        database.commit()
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "datasette", "serve", str(file), "--host", "127.0.0.1", "--port", str(port), "--setting",
         "max_returned_rows", "2000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/data/rows.json"
    try:
        wait_until(lambda: urllib.request.urlopen(f"{url}?_size=1").close(), process, "Datasette")
        yield url
    finally:
        process.terminate()
        process.wait(30)
