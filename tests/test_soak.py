"""Seven simulated days with twenty sources and 5 % faults: nothing grows, nothing leaks, nothing is lost (I1, I2, I8, A21, F14)."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.ledger import Ledger
from tests.product import ROOT
from tests.soaking import BEGINS, SOURCES

FAULTS_SHARE = 0.05
HISTORY = 1_000
FAULTS = ("503", "429", "401", "404", "cut", "html", "garbage", "silence", "empty")


class Crowd:
    """The agencies behind one server: a ledger each, and a share of answers that are none."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ledgers = {f"s{number:02d}": Ledger(seed + number) for number in range(SOURCES)}
        self.faults: Counter[str] = Counter()
        self.quiet = False
        for ledger in self.ledgers.values():  # a history, so that the store's caches are as full as they get
            ledger.add(HISTORY, now=BEGINS)
            ledger.change(HISTORY // 2, now=BEGINS)

    def tick(self, seconds: float, quiet: bool) -> None:
        """Everybody lives on to an instant."""
        now, self.quiet = datetime.fromtimestamp(seconds, UTC), quiet
        for ledger in self.ledgers.values():
            ledger.add(self.chance.choice((0, 0, 1, 2)), now=now)
            ledger.change(self.chance.choice((0, 1, 2)), now=now)

    def fault(self) -> str | None:
        """What goes wrong with this answer, if anything."""
        if self.quiet or self.chance.random() >= FAULTS_SHARE:
            return None
        found = self.chance.choice(FAULTS)
        self.faults[found] += 1
        return found


@contextmanager
def serving(crowd: Crowd) -> Iterator[int]:
    """The crowd's server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            if parts.path == "/tick":
                crowd.tick(float(query["now"][0]), query["quiet"][0] == "1")
                self.answer(200, b"{}")
                return
            good = json.dumps(crowd.ledgers[parts.path.strip("/")].page(query)).encode()
            fault = crowd.fault()
            if fault is None:
                self.answer(200, good)
            elif fault.isdigit():
                self.answer(int(fault), b"{}")
            elif fault == "silence":
                time.sleep(1.5)
                self.close_connection = True
            elif fault == "cut":
                self.answer(200, good[: len(good) // 2], len(good) + 100)
                self.close_connection = True
            else:
                body = {"html": b"<html><title>Masuk</title></html>", "garbage": b"\xff\xfe\x00{", "empty": b""}[fault]
                self.answer(200, body)

        def answer(self, status: int, body: bytes, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Clients that cut their connection are no news."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def soaked(folder: Path, days: float) -> tuple[dict[str, Any], Crowd]:
    """What the process told after so many simulated days."""
    crowd, result = Crowd(7), folder / "result.json"
    with serving(crowd) as port:
        done = subprocess.run(
            [sys.executable, "-m", "tests.soaking", str(port), str(folder), str(days), str(result)], cwd=ROOT, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=1800, check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(result.read_text()), crowd


def lost_nothing(folder: Path, told: dict[str, Any], crowd: Crowd, kinds: int) -> None:
    """Every source's cells say what its ledger says; runs ended in so many ways at least."""
    assert told["good"]
    assert told["differences"] == []
    expected = {name: (len(ledger.cases), ledger.counts()["completed"]) for name, ledger in crowd.ledgers.items()}
    with closing(sqlite3.connect(folder / "var" / "figures.sqlite")) as store:
        found = store.execute("SELECT source, count(*), sum(ended_as = 'completed') FROM \"case\" WHERE deleted_at IS NULL GROUP BY source")
        assert {name: (cases, completed) for name, cases, completed in found} == expected
    assert sum(crowd.faults.values()) > 0
    assert len(told["outcomes"]) >= kinds


def test_three_simulated_hours_with_faults_lose_and_leak_nothing(tmp_path: Path) -> None:
    told, crowd = soaked(tmp_path, 0.125)
    lost_nothing(tmp_path, told, crowd, 2)
    assert max(note["descriptors"] for note in told["notes"]) <= told["notes"][1]["descriptors"] + 3
    assert max(note["threads"] for note in told["notes"]) <= told["notes"][1]["threads"] + 3


@pytest.mark.long
def test_seven_simulated_days_with_faults_grow_by_less_than_five_percent(tmp_path: Path) -> None:
    told, crowd = soaked(tmp_path, 7)
    lost_nothing(tmp_path, told, crowd, 3)
    notes = told["notes"]
    after_two_hours, end = notes[1], notes[-1]
    print(f"after two hours {after_two_hours}, at the end {end}, faults {dict(crowd.faults)}, outcomes {told['outcomes']}")
    assert end["memory"] < 1.05 * after_two_hours["memory"]
    assert end["descriptors"] <= after_two_hours["descriptors"] + 3
    assert end["threads"] <= after_two_hours["threads"] + 3
