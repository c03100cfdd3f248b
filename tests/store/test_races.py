"""Several at once: what one writes, another must neither lose nor half see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from config.declarations import Regency
from dashboard.cases import Case
from dashboard.errors import StoreError
from dashboard.store import audit, dialect
from dashboard.store.engine import migrate, open_engine, writing
from dashboard.store.lease import Lease
from dashboard.store.recompute import recompute
from dashboard.store.tables import audit as audit_rows
from dashboard.store.tables import case, cell, meta
from dashboard.store.trouble import whole
from dashboard.store.verify import verify
from tests.conftest import NOW
from tests.store.cases import SOURCE, at, made
from tests.store.reading import REGENCY, begin, collect, end, total


def at_once(work: Callable[[int], object], count: int = 6) -> list[Exception]:
    """Do ``work`` in threads that start together; the errors that came of it."""
    start, errors = threading.Barrier(count), list[Exception]()

    def one(number: int) -> None:
        start.wait()
        try:
            work(number)
        except Exception as err:
            errors.append(err)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


def test_audit_rows_of_several_writers_make_one_chain(people: Engine) -> None:
    def write(number: int) -> None:
        for turn in range(5):
            with writing(people).begin() as connection:
                audit.append(connection, f"writer {number}", "turn", {"turn": turn}, NOW)

    assert at_once(write) == []
    with people.connect() as connection:
        assert connection.execute(select(func.count()).select_from(audit_rows)).scalar() == 30
        assert audit.broken_at(connection) is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_audit_rows_can_be_neither_changed_nor_deleted(people: Engine, statement: str) -> None:
    with writing(people).begin() as connection:
        audit.append(connection, "me", "look", {}, NOW)
    with pytest.raises(DBAPIError, match="append-only"), writing(people).begin() as connection:
        connection.execute(text(statement))


def test_audit_cannot_be_truncated_either(postgres_url: str) -> None:
    store = open_engine(postgres_url, "people")
    migrate(store, "people")
    with pytest.raises(DBAPIError, match="append-only"), writing(store).begin() as connection:
        connection.execute(text("TRUNCATE audit"))
    store.dispose()


def test_a_row_slipped_into_the_audit_is_found(people: Engine) -> None:
    with writing(people).begin() as connection:
        audit.append(connection, "me", "look", {}, NOW)
        connection.execute(audit_rows.insert().values(
            at=1, who="nobody", what="x", detail="{}", previous=bytes(32), hash=bytes(32)
        ))
    with people.connect() as connection:
        assert audit.broken_at(connection) == 2


def test_of_several_that_come_at_once_one_gets_the_first_lease(engine: Engine) -> None:
    leases = [Lease(engine, f"host-{number}@elsewhere:{number}") for number in range(6)]
    assert at_once(lambda number: leases[number].acquire(NOW)) == []
    assert sorted(lease.token or 0 for lease in leases) == [0, 0, 0, 0, 0, 1]


def test_one_answer_sees_one_state_while_a_run_commits(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00"))])
    with engine.connect() as connection:
        cases = connection.execute(select(func.count()).select_from(case)).scalar()
        collect(engine, [made(2, at("2026-11-20T02:00"))])
        received = connection.execute(select(func.sum(cell.c.received)).where(cell.c.grain == 2)).scalar()
    assert (cases, received) == (1, 1)


def test_verify_finds_nothing_while_runs_commit(engine: Engine) -> None:
    stop, found = threading.Event(), []

    def check() -> None:
        while not stop.is_set():
            found.extend(verify(engine, REGENCY))

    checking = threading.Thread(target=check)
    checking.start()
    for number in range(12):
        collect(engine, [made(n, at("2026-11-20T01:00") + 60 * n) for n in range(number, number + 20)])
    stop.set()
    checking.join(30)
    assert found == []


def test_recompute_does_not_undo_what_a_run_changes_meanwhile(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run corrects the case between recompute's reading and writing of it, if anything can come between."""
    regency = Regency(name="Uji", timezone="Asia/Makassar", sources={SOURCE.id: SOURCE})
    collect(engine, [made(1, at("2026-11-20T01:00"))])
    runs: list[threading.Thread] = []
    real = dialect.by_keys

    def slow(connection: Connection, *arguments: object) -> object:
        monkeypatch.setattr(dialect, "by_keys", real)
        thread = threading.Thread(target=lambda: collect(engine, [made(1, at("2026-11-20T01:00"), at("2026-11-21T01:00"))]))
        thread.start()
        thread.join(1)
        runs.append(thread)
        return real(connection, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(dialect, "by_keys", slow)
    recompute(engine, regency, now=NOW)
    runs[0].join(30)
    with engine.connect() as connection:
        assert connection.execute(select(case.c.ended_at)).scalar() == at("2026-11-21T01:00")
    assert verify(engine, REGENCY) == []


def test_a_case_that_an_incremental_run_sees_is_missed_anew(engine: Engine) -> None:
    one, two = made(1, at("2026-11-20T01:00")), made(2, at("2026-11-20T02:00"))
    collect(engine, [one, two], whole=True)
    collect(engine, [one], whole=True)
    collect(engine, [two])
    collect(engine, [one], whole=True)
    assert total(engine, "received") == 2
    collect(engine, [one], whole=True)
    assert total(engine, "received") == 1


def test_a_page_that_fails_at_its_end_is_not_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[Case] = [made(1, at("2026-11-20T01:00"))]
    read = begin(engine)

    def fails(*_: object) -> int:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr("dashboard.store.read.announce", fails)
        with pytest.raises(OSError, match="disk full"):
            read.page(cases)
    read.page(cases)
    assert (read.counts["rows_read"], read.counts["rows_new"], read.counts["pages"]) == (1, 1, 1)
    assert total(engine, "received") == 1
    assert verify(engine, REGENCY) == []  # nor are numbers remembered that were given in it


def test_a_lease_can_be_taken_over_only_when_it_has_run_out(engine: Engine) -> None:
    first, second = Lease(engine, "one@elsewhere:1", ttl_seconds=15), Lease(engine, "two@elsewhere:2", ttl_seconds=15)
    later: list[datetime] = [NOW + timedelta(seconds=seconds) for seconds in (10, 24, 26)]
    assert first.acquire(NOW) == 1
    assert first.renew(later[0])
    assert second.acquire(later[1]) is None
    assert second.acquire(later[2]) == 2
    assert not first.renew(later[2])


def test_a_deadlock_between_two_writers_costs_neither_its_transaction_f21(engine: Engine) -> None:
    """F21: each takes what the other wants next; PostgreSQL ends one (40P01), which does its whole transaction again."""
    with writing(engine).begin() as connection:
        dialect.insert_many(connection, meta, ("key", "value"), [("one", "0"), ("two", "0")])
    meeting = threading.Barrier(2)
    tries = list[int]()

    @whole
    def raise_both(store: Engine, number: int) -> None:
        tries.append(number)
        with writing(store).begin() as connection:
            for turn, key in enumerate(("one", "two")[:: 1 if number else -1]):
                connection.execute(text("UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE key = :key"), {"key": key})
                with suppress(threading.BrokenBarrierError):
                    meeting.wait(2 if turn == 0 else 0.01)

    assert at_once(lambda number: raise_both(engine, number), 2) == []
    with engine.connect() as connection:
        found = connection.execute(select(meta.c.value).where(meta.c.key.in_(("one", "two")))).scalars().all()
    assert found == ["2", "2"]
    assert len(tries) == {"sqlite": 2, "postgresql": 3}[engine.dialect.name]


def test_a_pool_without_a_connection_left_is_waited_for_and_said_f21(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """F21: a write waits until a connection is back; one that never comes is said in clear words, and nothing is half written."""
    monkeypatch.setattr(engine.pool, "_timeout", 0.2)
    read = begin(engine)
    with ExitStack() as taken:
        for _ in range(80):
            taken.enter_context(engine.connect())
        release = threading.Timer(1.5, taken.close)
        release.start()
        read.page([made(n, at("2026-11-20T01:00") + n) for n in range(10)])
        release.join()
    end(read)
    assert total(engine, "received") == 10
    monkeypatch.setattr("dashboard.store.trouble.RETRY_SECONDS", 0.5)
    late = begin(engine)
    with ExitStack() as taken:
        for _ in range(80):
            taken.enter_context(engine.connect())
        with pytest.raises(StoreError, match=r"lock|connection left"):
            late.page([made(99, at("2026-11-20T01:00"))])
    assert total(engine, "received") == 10


def test_a_reader_that_forgets_its_transaction_is_ended_by_the_server_f9(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9: on PostgreSQL a read left open would keep every dead row; on SQLite the log's size is watched instead."""
    monkeypatch.setattr("dashboard.store.engine.READER_IDLE_SECONDS", 1)
    store = open_engine(postgres_url)
    with store.connect() as forgotten:
        forgotten.execute(select(func.count()).select_from(text("pg_class")))
        time.sleep(1.5)
        with pytest.raises(DBAPIError, match=r"idle-in-transaction|terminating connection|closed"):
            forgotten.execute(text("SELECT 1"))
        forgotten.invalidate()
    with store.connect() as next_one:
        assert next_one.execute(text("SELECT 1")).scalar() == 1
    store.dispose()
