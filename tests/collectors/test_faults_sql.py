"""Faults of SQL sources (group E of the catalogue): whole runs against real MariaDB and PostgreSQL, by id."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dashboard.cases import Outcome
from dashboard.store.verify import verify
from tests.collectors import labs
from tests.collectors.conftest import Readings, Site
from tests.collectors.test_faults_content import secret
from tests.collectors.test_faults_network import survives
from tests.servers import mariadb, postgres

pytestmark = pytest.mark.servers
Sites = Callable[..., Site]
FIELDS: dict[str, Any] = {"case_id": "id", "submitted_at": {"from": "masuk", "format": "iso"}}
BOTH = pytest.mark.parametrize("name", ["maria", "postgresql"])


@contextmanager
def fresh(name: str, folder: Path) -> Iterator[Any]:
    """A server of one's own, to be killed."""
    if name == "maria":
        with mariadb() as server:
            lab: Any = labs.Maria(server)
            lab.prepare()
            yield lab
        return
    with postgres() as url:
        lab = labs.Postgres(int(url.rpartition(":")[2].partition("/")[0]))
        lab.prepare(folder)
        yield lab


@pytest.fixture(scope="module")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with fresh("maria", tmp_path_factory.mktemp("maria")) as lab:
        yield lab


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with fresh("postgresql", tmp_path_factory.mktemp("pg")) as lab:
        yield lab


@pytest.fixture
def lab(request: pytest.FixtureRequest, name: str) -> Any:
    """One of the two servers."""
    return request.getfixturevalue(name)


@contextmanager
def admin(lab: Any) -> Iterator[Any]:
    """A cursor of the server's owner, each statement for itself."""
    connection = lab.server.connect(autocommit=True, database="agency") if isinstance(lab, labs.Maria) else lab.admin("agency")
    with closing(connection), connection.cursor() as cursor:
        yield cursor


def collecting(site: Sites, lab: Any, query: str = "SELECT id, masuk FROM permohonan", **more: Any) -> Site:
    """A source that reads the lab's table."""
    here = site(**{"connector": "sql", "mode": "snapshot", "fields": FIELDS, "options": lab.options(query), **more})
    secret(here)
    return here


def loaded(site: Sites, lab: Any, **more: Any) -> Site:
    """The same with thirty cases collected."""
    lab.good(30)
    here = collecting(site, lab, **more)
    result = here.run()
    assert (result.outcome, result.rows_new) == (Outcome.OK, 30), result.en
    return here


@BOTH
def test_e1_a_server_killed_in_mid_fetch_leaves_nothing_half_and_is_read_again(name: str, site: Sites, tmp_path: Path) -> None:
    with fresh(name, tmp_path) as mortal:
        mortal.good(60_000)
        slow = "SELECT id, masuk, pg_sleep(0.0005) FROM permohonan" if name == "postgresql" else "SELECT id, masuk, SLEEP(0.0005) FROM permohonan"
        here = collecting(site, mortal, slow)
        numbers = victims(mortal)
        timer = threading.Timer(1.5, lambda: [os.kill(number, signal.SIGKILL) for number in numbers()])
        timer.start()
        result = here.run()
        timer.join()
        assert result.outcome is Outcome.UNAVAILABLE, result.en
        assert here.state.cursor is None
        assert here.state.loaded_at is None
        assert here.cases == here.received, "what was committed of it is whole"
        assert verify(here.engine, here.regency) == []


def victims(lab: Any) -> Callable[[], list[int]]:
    """Who is to be killed: MariaDB, or the backend of PostgreSQL that serves the reader."""
    if isinstance(lab, labs.Maria):
        return lambda: [lab.server.process.pid]

    def backends() -> list[int]:
        with admin(lab) as cursor:
            return [row[0] for row in cursor.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'reader'").fetchall()]

    return backends


def test_e1_postgresql_is_there_again_after_a_killed_backend_and_nothing_is_lost(site: Sites, tmp_path: Path) -> None:
    with fresh("postgresql", tmp_path) as mortal:
        mortal.good(12_000)
        here = collecting(site, mortal, "SELECT id, masuk, pg_sleep(0.0002) FROM permohonan")
        numbers = victims(mortal)
        timer = threading.Timer(0.5, lambda: [os.kill(number, signal.SIGKILL) for number in numbers()])
        timer.start()
        assert here.run().outcome is Outcome.UNAVAILABLE
        timer.join()
        here.declare(options=mortal.options("SELECT id, masuk FROM permohonan"))
        healed(here, 12_000)


def healed(here: Site, count: int) -> None:
    """The next runs are good within a few seconds, and there are so many cases, once."""
    until = time.monotonic() + 20
    while not here.run().outcome.good and time.monotonic() < until:
        time.sleep(0.3)
    assert here.cases == here.received == count
    assert verify(here.engine, here.regency) == []


def test_e2_a_locked_table_is_given_up_in_seconds_and_read_later(
    postgresql: Any, site: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.sql.LOCK_WAIT_SECONDS", 1)
    here = loaded(site, postgresql)
    with postgresql.admin("agency") as other, other.transaction():
        other.execute("LOCK TABLE permohonan IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        survives(here, Outcome.UNAVAILABLE, "55P03")
        assert time.monotonic() - began < 6
    assert here.run().outcome is Outcome.OK


@BOTH
def test_e3_a_query_without_end_is_ended_on_the_server_too(name: str, lab: Any, site: Sites) -> None:
    here = loaded(site, lab)
    here.declare(options=lab.options(lab.sleep), deadline="2 seconds")
    began = time.monotonic()
    survives(here, Outcome.UNAVAILABLE, "")
    assert time.monotonic() - began < 8
    until = time.monotonic() + 10
    while running(lab) and time.monotonic() < until:
        time.sleep(0.2)
    assert running(lab) == 0


def running(lab: Any) -> int:
    """Queries of the reader that the server is still busy with."""
    question = (
        "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader' AND command = 'Query'" if isinstance(lab, labs.Maria)
        else "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'"
    )
    with admin(lab) as cursor:
        cursor.execute(question)
        return int(cursor.fetchone()[0])


MANY = {
    "maria": "SELECT seq AS id, '2026-11-20' AS masuk FROM seq_1_to_50000000",
    "postgresql": "SELECT n AS id, '2026-11-20' AS masuk FROM generate_series(1, 50000000) AS n",
}


@BOTH
@pytest.mark.short("maria")
def test_e4_fifty_million_rows_are_capped_in_bounded_memory(
    name: str, lab: Any, reading: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.errors import SourceChanged

    monkeypatch.setattr("collectors.sql.MOST_ROWS", 300_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceChanged, match="more than 300000 rows"):
        reading.rows("sql", lab.options(MANY[name]), set(), deadline=time.monotonic() + 120)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


FORBIDDEN = {
    "maria": ["SELECT LOAD_FILE('/etc/hostname') AS id, 'x' AS masuk", "SELECT id, masuk FROM permohonan INTO @a, @b",
              "SELECT authentication_string AS id, User AS masuk FROM mysql.global_priv"],
    "postgresql": ["SELECT pg_read_file('/etc/hostname') AS id, 'x' AS masuk", "SELECT lo_import('/etc/hostname') AS id, 'x' AS masuk",
                   "SELECT rolpassword AS id, rolname AS masuk FROM pg_authid"],
}


@pytest.mark.parametrize(("name", "query"), [(name, query) for name, queries in FORBIDDEN.items() for query in queries])
def test_e5_what_reads_files_passwords_or_writes_is_refused(name: str, query: str, lab: Any, site: Sites) -> None:
    lab.good(3)
    result = collecting(site, lab, query).run()
    assert not result.outcome.good
    assert result.rows_new == 0


def test_e5_a_function_that_writes_in_a_read_only_transaction_is_rolled_back(postgresql: Any, site: Sites) -> None:
    postgresql.good(3)
    here = collecting(site, postgresql, "SELECT lo_create(0)::text AS id, '2026-11-20 09:00:00' AS masuk")
    here.run()
    with admin(postgresql) as cursor:
        assert cursor.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()[0] == 0


@BOTH
def test_e6_an_account_that_may_do_more_than_read_is_said_until_it_is_mended(name: str, lab: Any, site: Sites) -> None:
    here = loaded(site, lab)
    assert here.state.message_en == ""
    grant, revoke = {
        "maria": ("GRANT INSERT, DELETE ON agency.* TO reader@'127.0.0.1'", "REVOKE INSERT, DELETE ON agency.* FROM reader@'127.0.0.1'"),
        "postgresql": ("GRANT INSERT, DELETE ON permohonan TO reader", "REVOKE INSERT, DELETE ON permohonan FROM reader"),
    }[name]
    with admin(lab) as cursor:
        cursor.execute(grant)
    try:
        result = here.run()
        assert result.outcome is Outcome.OK
        assert "may do more than read (DELETE, INSERT)" in result.en
        assert "SELECT saja" in here.state.message_id
    finally:
        with admin(lab) as cursor:
            cursor.execute(revoke)
    assert here.run().en == ""


@BOTH
def test_e7_a_renamed_column_a_changed_type_and_a_dropped_view_are_named(name: str, lab: Any, site: Sites) -> None:
    lab.good(30)
    with admin(lab) as cursor:
        cursor.execute("DROP VIEW IF EXISTS tampak")
        cursor.execute("CREATE VIEW tampak AS SELECT id, masuk FROM permohonan")
        grant = "GRANT SELECT ON tampak TO reader" + ("@'127.0.0.1'" if name == "maria" else "")
        cursor.execute(grant)
    here = collecting(site, lab, "SELECT id, masuk FROM tampak")
    assert here.run().rows_new == 30
    for statement, said in (
        ("CREATE VIEW tampak AS SELECT id, masuk AS masuk_baru FROM permohonan", "masuk"),
        ("CREATE VIEW tampak AS SELECT id, 'dua puluh November' AS masuk FROM permohonan", "submitted_at"),
        ("SELECT 1", "tampak"),
    ):
        with admin(lab) as cursor:
            cursor.execute("DROP VIEW tampak")
            cursor.execute(statement)
            if said != "tampak":
                cursor.execute(grant)
        assert said in survives(here, Outcome.CHANGED, said)


def test_e8_a_replica_that_stands_still_is_not_fresh_because_the_query_worked(maria: Any, site: Sites) -> None:
    maria.good(30)
    fields = {**FIELDS, "published_at": {"from": "sampai", "format": "iso"}}
    query = "SELECT id, masuk, (SELECT MAX(masuk) FROM permohonan) AS sampai FROM permohonan"
    here = collecting(site, maria, query, fields=fields)
    for _ in range(3):
        here.now += timedelta(hours=1)
        assert here.run().outcome is Outcome.OK
        assert here.state.data_until == int(datetime(2026, 11, 24, 0, 0, tzinfo=UTC).timestamp()), "the newest row, not the run"


@BOTH
def test_e9_a_server_that_takes_no_more_connections_is_tried_again(name: str, lab: Any, site: Sites) -> None:
    here = loaded(site, lab)
    limit, free = {
        "maria": ("ALTER USER reader@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1", "ALTER USER reader@'127.0.0.1' WITH MAX_USER_CONNECTIONS 0"),
        "postgresql": ("ALTER USER reader CONNECTION LIMIT 1", "ALTER USER reader CONNECTION LIMIT -1"),
    }[name]
    with admin(lab) as cursor:
        cursor.execute(limit)
    try:
        assert here.run().outcome is Outcome.OK, "a source uses one connection"
        with held(lab):
            survives(here, Outcome.UNAVAILABLE, "1226" if name == "maria" else "53300")
        assert here.run().outcome is Outcome.OK
    finally:
        with admin(lab) as cursor:
            cursor.execute(free)


@contextmanager
def held(lab: Any) -> Iterator[None]:
    """The reader's only connection, in other hands."""
    import pymysql

    made: Any = pymysql.connect(host="127.0.0.1", port=lab.port, user="reader", password=labs.SECRET) if isinstance(lab, labs.Maria) else (
        psycopg.connect(host="127.0.0.1", port=lab.port, user="reader", password=labs.SECRET, dbname="agency"))
    with closing(made):
        yield
    time.sleep(0.3)


def test_e9_max_connections_of_the_whole_server(maria: Any, site: Sites) -> None:
    here = loaded(site, maria)
    with admin(maria) as cursor:
        cursor.execute("SET GLOBAL max_connections = 10")
    others = [maria.server.connect() for _ in range(10)]
    try:
        survives(here, Outcome.UNAVAILABLE, "1040")
    finally:
        for other in others:
            other.close()
        until = time.monotonic() + 10
        while not here.run().outcome.good and time.monotonic() < until:
            time.sleep(0.2)
        with admin(maria) as cursor:
            cursor.execute("SET GLOBAL max_connections = 151")
    assert here.state.outcome == "ok"


def packet(number: int, data: bytes) -> bytes:
    """A packet of the MySQL protocol."""
    return struct.pack("<I", len(data))[:3] + bytes([number]) + data


@contextmanager
def rogue(asked: list[bytes], wanted: bytes = b"/etc/passwd") -> Iterator[int]:
    """A MySQL server that answers the first SELECT with "send me this file" and keeps what it is sent."""
    hello = b"\x0a5.7.0\0" + struct.pack("<I", 1) + b"12345678\0" + struct.pack("<HBHH", 0xF7FF, 33, 2, 0x81FF) + bytes([21]) + (
        b"\0" * 10 + b"123456789012\0mysql_native_password\0")

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.sendall(packet(0, hello))
            connection.recv(4096)
            connection.sendall(packet(2, b"\0\0\0\2\0\0\0"))
            while command := connection.recv(4096):
                if b"permohonan" in command:
                    connection.sendall(packet(1, b"\xfb" + wanted))
                    asked.append(connection.recv(65536))
                    return
                connection.sendall(packet(1, b"\0\0\0\2\0\0\0"))

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            try:
                serve(listening.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join(5)


def test_e10_a_rogue_server_that_asks_for_a_local_file_is_given_none(site: Sites, maria: Any) -> None:
    asked: list[bytes] = []
    with rogue(asked) as port:
        here = site(connector="sql", mode="snapshot", fields=FIELDS, options={
            "url": f"mysql://reader@127.0.0.1:{port}/agency", "secret": "token", "query": "SELECT id, masuk FROM permohonan"})
        secret(here)
        result = here.run()
    assert result.outcome is Outcome.CHANGED
    assert "asked for a local file" in result.en
    assert not any(b"root:" in data for data in asked)


def file_of(site: Sites, count: int = 30) -> tuple[Site, Path]:
    """A source that reads a SQLite file of its agency."""
    here = site(connector="sql", mode="snapshot", fields=FIELDS, options={
        "url": "sqlite:///a.sqlite", "query": "SELECT id, masuk FROM permohonan"})
    file = here.settings.drop / "a.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE permohonan (id TEXT, masuk TEXT)")
        database.executemany("INSERT INTO permohonan VALUES (?, '2026-11-20 09:00:00')", [(f"R{n}",) for n in range(count)])
        database.commit()
    assert here.run().rows_new == count
    return here, file


def test_e11_a_locked_file_is_tried_again(site: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.sql.LOCK_WAIT_SECONDS", 0.2)
    here, file = file_of(site)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        survives(here, Outcome.UNAVAILABLE, "locked")
    assert here.run().outcome is Outcome.OK


def test_e11_a_file_with_a_hot_journal_is_not_touched_and_said(site: Sites) -> None:
    here, file = file_of(site, 2000)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE permohonan SET masuk = 'rusak'")
        torn, journal = file.read_bytes(), Path(f"{file}-journal").read_bytes()
        database.execute("ROLLBACK")
    file.write_bytes(torn)
    Path(f"{file}-journal").write_bytes(journal)
    before = file.read_bytes()
    result = here.run()
    assert not result.outcome.good, "half of a transaction is not read as if it were data"
    assert here.cases == here.received == 2000
    assert file.read_bytes() == before
    assert result.id != result.en


@pytest.mark.parametrize("query", [
    "SELECT id, masuk FROM permohonan; ATTACH DATABASE 'x.sqlite' AS x", "ATTACH DATABASE 'x.sqlite' AS x",
    "SELECT id, masuk FROM permohonan, pragma_database_list",
])
def test_e11_a_query_that_attaches_another_file_reaches_nothing(site: Sites, query: str) -> None:
    here, file = file_of(site)
    here.declare(options={"url": "sqlite:///a.sqlite", "query": query})
    assert not here.run().outcome.good
    assert sorted(path.name for path in file.parent.iterdir()) == ["a.sqlite"]


def test_e2_a_reading_of_ours_takes_no_row_lock_so_that_no_deadlock_can_be_ours(maria: Any, site: Sites) -> None:
    """A query that locks is refused by us; one that hides its lock in a function, by the server: the transaction only reads."""
    with admin(maria) as cursor:
        cursor.execute("CREATE OR REPLACE TABLE agency.terkunci (id VARCHAR(9) PRIMARY KEY, masuk TEXT) ENGINE=InnoDB")
        cursor.execute("INSERT INTO agency.terkunci VALUES ('k1', '2026-11-20T08:00')")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION agency.mengunci(n TEXT) RETURNS TEXT SQL SECURITY DEFINER READS SQL DATA "
            "RETURN (SELECT masuk FROM agency.terkunci WHERE id = n FOR UPDATE)")
        cursor.execute("GRANT EXECUTE ON FUNCTION agency.mengunci TO reader@'127.0.0.1'")
    locking = collecting(site, maria, "SELECT id, masuk FROM terkunci LOCK IN SHARE MODE").run()
    assert (locking.outcome, "must not write, lock" in locking.en) == (Outcome.FAILED, True), locking.en
    hidden = collecting(site, maria, "SELECT id, mengunci(id) AS masuk FROM terkunci").run()
    assert (hidden.outcome, "1792" in hidden.en) == (Outcome.UNAVAILABLE, True), hidden.en
    plain = collecting(site, maria, "SELECT id, masuk FROM terkunci").run()
    assert (plain.outcome, plain.rows_new) == (Outcome.OK, 1), plain.en


def test_e2_every_error_of_the_server_that_passes_is_tried_again(maria: Any, reading: Readings) -> None:
    import pymysql

    from collectors.sql import _mysql_error
    from dashboard.errors import SourceUnavailable

    for code in (1205, 1213, 1040, 2006, 2013):
        found = _mysql_error("mysql://reader@127.0.0.1/agency", pymysql.err.OperationalError(code, "row 7322010101900001"))
        assert isinstance(found, SourceUnavailable)
        assert str(code) in found.en
        assert "7322" not in found.en + found.id
