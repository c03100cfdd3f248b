"""Databases of agencies: one SELECT, read only, bounded; types as the drivers give them, zero dates, the bound since."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.sql import SqlOptions
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable
from tests.collectors import labs
from tests.collectors.conftest import Readings
from tests.servers import mariadb, postgres

SINCE = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC).timestamp()  # 10.00 WITA


@pytest.mark.parametrize("query", [
    "UPDATE t SET a = 1", "SELECT 1; DROP TABLE t", "DELETE FROM t", "SELECT a FROM t INTO OUTFILE '/tmp/x'",
    "select a from t into dumpfile 'x'", "SELECT a FROM t FOR UPDATE", "SELECT load_file('/etc/passwd')", "EXPLAIN SELECT 1",
    "COPY t TO PROGRAM 'x'", "", "SELECT 1 -- ;\n; SELECT 2", "SELECT load_extension('x')", "PRAGMA writable_schema=1",
])
def test_a_query_that_is_not_one_select_is_refused_at_check(query: str) -> None:  # E5
    with pytest.raises(ValidationError):
        SqlOptions(url="sqlite:///a", query=query)


@pytest.mark.parametrize("query", [
    "SELECT 1;", "  select ';' as a", "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT 1 -- a; comment", "SELECT updated FROM t",
    "SELECT 'into outfile' AS a",
])
def test_one_select_is_accepted(query: str) -> None:
    assert SqlOptions(url="sqlite:///a", query=query).query


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "oracle://u@h/d", "http://h"])
def test_an_address_with_a_password_or_of_an_unknown_kind_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        SqlOptions(url=url, query="SELECT 1")


@pytest.fixture
def file(reading: Readings) -> Path:
    """A SQLite database of an agency, in WAL mode with its writer at work."""
    path = reading.drop / "a.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (id INTEGER, masuk TEXT, ubah TEXT)")
        database.executemany("INSERT INTO t VALUES (?, '2026-11-24', ?)", [(n, f"2026-11-24 {n:02d}:00:00") for n in range(24)])
        database.commit()
    return path


def test_since_is_bound_as_local_time_and_1970_on_a_full_read(file: Path, reading: Readings) -> None:
    options = {"url": "sqlite:///a.sqlite", "query": "SELECT id FROM t WHERE ubah >= :since AND ':since' <> '' ORDER BY id"}
    assert [row["id"] for row in reading.rows("sql", options, {"id"}, since=SINCE)] == list(range(10, 24))
    assert len(reading.rows("sql", options, {"id"})) == 24


@pytest.mark.parametrize("query", [
    "SELECT id FROM t, pragma_database_list", "SELECT id, (SELECT 1 FROM pragma_user_version) AS masuk FROM t",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT 1, 2, 3", "WITH x AS (SELECT 1) DELETE FROM t",
])
def test_the_authorizer_lets_reads_through_and_nothing_else(file: Path, reading: Readings, query: str) -> None:  # E11
    with pytest.raises(CollectError):
        reading.rows("sql", {"url": f"sqlite:///{file}", "query": query}, {"id"})
    with contextlib.closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM t").fetchone() == (24,)


def test_a_file_that_is_locked_is_tried_again_later(file: Path, reading: Readings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.sql.LOCK_WAIT_SECONDS", 0.2)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceUnavailable, match="locked"):
            reading.rows("sql", {"url": f"sqlite:///{file}", "query": "SELECT id FROM t"}, {"id"})


def test_a_file_in_wal_mode_is_read_while_its_agency_writes(file: Path, reading: Readings) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO t VALUES (99, '', '')")
        assert len(reading.rows("sql", {"url": f"sqlite:///{file}", "query": "SELECT id FROM t"}, {"id"})) == 24
        database.execute("COMMIT")
        assert len(reading.rows("sql", {"url": f"sqlite:///{file}", "query": "SELECT id FROM t"}, {"id"})) == 25


def test_a_file_that_is_no_database_is_a_change(reading: Readings) -> None:
    (reading.drop / "a.sqlite").write_text("bukan basis data " * 100)
    with pytest.raises(SourceChanged):
        reading.rows("sql", {"url": "sqlite:///a.sqlite", "query": "SELECT id FROM t"}, {"id"})


@pytest.fixture(scope="module")
def maria() -> Iterator[labs.Maria]:
    with mariadb() as server:
        lab = labs.Maria(server)
        lab.prepare()
        yield lab


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Postgres]:
    with postgres() as url:
        lab = labs.Postgres(int(url.rpartition(":")[2].partition("/")[0]))
        lab.prepare(tmp_path_factory.mktemp("pg"))
        yield lab


def test_mariadb_gives_zero_dates_times_and_decimals_as_they_are(maria: labs.Maria, reading: Readings) -> None:  # D7
    query = (
        "SELECT CAST('0000-00-00' AS DATE) AS nol, CAST('2026-11-24 10:53:00' AS DATETIME) AS masuk, CAST('10:53' AS TIME) AS jam, "
        "CAST(1.5 AS DECIMAL(5,2)) AS n, '100%' AS id, '%s' AS tanda"
    )
    row = reading.rows("sql", maria.options(query), {"nol", "masuk", "jam", "n", "id", "tanda"})[0]
    assert str(row["nol"]) == "0000-00-00"
    assert (row["masuk"], row["jam"]) == (dt.datetime(2026, 11, 24, 10, 53), dt.timedelta(hours=10, minutes=53))  # noqa: DTZ001
    assert (str(row["n"]), row["id"], row["tanda"]) == ("1.50", "100%", "%s")


@pytest.mark.parametrize("name", ["maria", "postgresql"])
def test_since_is_bound_on_a_server(name: str, request: pytest.FixtureRequest, reading: Readings) -> None:
    lab = request.getfixturevalue(name)
    lab.good(5)
    query = "SELECT id, '9%' AS masuk FROM permohonan WHERE masuk >= :since ORDER BY id"
    assert reading.rows("sql", lab.options(query), {"id", "masuk"}, since=SINCE) == []
    assert len(reading.rows("sql", lab.options(query), {"id"}, since=SINCE - 5 * 3600)) == 5
    assert len(reading.rows("sql", lab.options(query), {"id"})) == 5


@pytest.mark.parametrize(("name", "query"), [
    ("maria", "SELECT nextval(urutan) AS id"), ("postgresql", "SELECT nextval('urutan') AS id"),
    ("postgresql", "WITH x AS (INSERT INTO permohonan VALUES ('a', 'b', 'c') RETURNING id) SELECT id FROM x"),
])
def test_a_select_that_writes_is_refused_by_the_server(
    name: str, query: str, request: pytest.FixtureRequest, reading: Readings
) -> None:  # E5: even for an account with too many rights
    lab = request.getfixturevalue(name)
    _too_many_rights(lab)
    with pytest.raises(CollectError):
        reading.rows("sql", lab.options(query), {"id"})


def _too_many_rights(lab: Any) -> None:
    grants = {
        labs.Maria: ["CREATE SEQUENCE IF NOT EXISTS agency.urutan", "GRANT ALL ON agency.* TO reader@'127.0.0.1'"],
        labs.Postgres: ["CREATE SEQUENCE IF NOT EXISTS urutan", "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO reader",
                        "GRANT ALL ON permohonan TO reader"],
    }
    connection = lab.server.connect(autocommit=True) if isinstance(lab, labs.Maria) else lab.admin("agency")
    with connection, connection.cursor() as cursor:
        for statement in grants[type(lab)]:
            cursor.execute(statement)


def test_a_locked_table_is_given_up_after_seconds(
    maria: labs.Maria, reading: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:  # E2
    monkeypatch.setattr("collectors.sql.LOCK_WAIT_SECONDS", 1)
    maria.good(3)
    with maria.server.connect() as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLES agency.permohonan WRITE")
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match="1205"):
            reading.rows("sql", maria.options(), {"id"})
        assert time.monotonic() - began < 6
        cursor.execute("UNLOCK TABLES")


def test_a_server_that_stands_still_is_left_at_the_deadline(postgresql: labs.Postgres, reading: Readings) -> None:  # E1
    postgresql.good(3)
    query = "SELECT id FROM permohonan, pg_sleep(0.4), generate_series(1, 1000000)"
    with postgresql.admin("agency") as admin:

        def freeze() -> None:
            row = admin.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'reader'").fetchone()
            if row is not None:
                os.kill(row[0], signal.SIGSTOP)
                frozen.append(row[0])

        frozen: list[int] = []
        timer = threading.Timer(0.3, freeze)
        timer.start()
        began = time.monotonic()
        try:
            with pytest.raises(SourceUnavailable):
                reading.pages("sql", postgresql.options(query), {"id"}, deadline=time.monotonic() + 1.5)
            assert time.monotonic() - began < 6
        finally:
            timer.join()
            for number in frozen:
                os.kill(number, signal.SIGCONT)


def test_a_wrong_password_is_rejected(maria: labs.Maria, postgresql: labs.Postgres, reading: Readings) -> None:  # A22
    reading.secrets["token"] = "salah-canary"
    for lab in (maria, postgresql):
        with pytest.raises(SourceRejected) as caught:
            reading.rows("sql", lab.options(), {"id"})
        assert "canary" not in caught.value.en
