"""Following a store: its changes as they are committed, its version, the progress of a read, requests to the leader."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, insert, text

from dashboard.clock import epoch
from dashboard.errors import StoreError
from dashboard.store import requests, tables, tables_recordings
from dashboard.store.dialect import notify
from dashboard.store.engine import STORES, migrate, open_engine, writing
from dashboard.store.lease import Lease
from dashboard.store.state import states
from dashboard.store.watch import Watcher
from tests.conftest import NOW
from tests.store.cases import SOURCE, at, made
from tests.store.reading import begin, collect, end

SOON = 5.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be: a SQLite file, or PostgreSQL."""
    return f"sqlite:///{tmp_path / 'store.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, url: str) -> Iterator[tuple[Engine, str]]:
    """Each store, brought up to this version, and its name."""
    made_engine = open_engine(url, request.param)
    migrate(made_engine, request.param)
    yield made_engine, request.param
    made_engine.dispose()


def test_migrations_make_the_tables_that_the_code_knows(store: tuple[Engine, str]) -> None:
    made_engine, name = store
    known: MetaData = getattr(tables_recordings if name == "recordings" else tables, name)
    with made_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={
            "include_object": lambda _, found, kind, *__: not (kind == "table" and found == "alembic_version")
        })
        assert compare_metadata(context, known) == []


def test_migrating_again_changes_nothing_and_a_newer_store_is_refused(store: tuple[Engine, str]) -> None:
    made_engine, name = store
    migrate(made_engine, name)
    with writing(made_engine).begin() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
    with pytest.raises(StoreError, match="newer version"):
        migrate(made_engine, name)
    with writing(made_engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": before})


def test_a_watcher_sees_a_commit_at_once_and_each_change_once(engine: Engine) -> None:
    with closing(Watcher(engine)) as watcher:
        assert watcher.wait(0.1) == []
        writer = threading.Timer(0.2, lambda: begin(engine).page([made(1, at("2026-11-20T01:00"))]))
        writer.start()
        started = time.monotonic()
        found = watcher.wait(SOON)
        assert time.monotonic() - started < 2
        writer.join()
        assert [change.what for change in found] == [{"cases", "history"}]
        assert watcher.wait(0.1) == []


def test_a_watcher_sees_what_was_committed_while_it_was_busy(engine: Engine) -> None:
    with closing(Watcher(engine)) as watcher:
        collect(engine, [made(1, at("2026-11-20T01:00"))])
        collect(engine, [made(2, at("2026-11-20T01:00"))])
        found = watcher.wait(SOON)
        assert [change.seq for change in found] == sorted(change.seq for change in found)
        assert len(found) == 4


def test_a_watcher_sees_changes_of_peoples_work(url: str) -> None:
    people = open_engine(url, "people")
    migrate(people, "people")
    with closing(Watcher(people, "people")) as watcher:
        with writing(people).begin() as connection:
            connection.execute(insert(tables.people_changed).values(at=epoch(NOW) * 1000, what="devices"))
            notify(connection, "people")
        assert [change.what for change in watcher.wait(SOON)] == [{"devices"}]
    people.dispose()


@pytest.mark.parametrize(("ordered", "expected"), [(True, at("2026-11-20T01:00")), (False, None)])
def test_only_an_ordered_source_is_known_until_its_last_page(engine: Engine, ordered: bool, expected: int | None) -> None:
    source = SOURCE.model_copy(update={"ordered": ordered})
    read = begin(engine, source=source)
    read.page([made(1, at("2026-11-20T01:00"))], position={"page": 3}, data_until=at("2026-11-20T01:00"))
    read.page([made(2, at("2026-11-19T01:00"))], data_until=at("2026-11-19T01:00"))
    with engine.connect() as connection:
        state = states(connection)["uji"]
    assert (state.data_until, state.position, state.outcome, state.loaded_at) == (expected, {"page": 3}, None, None)
    end(read, data_until=at("2026-11-18T00:00"))
    with engine.connect() as connection:
        state = states(connection)["uji"]
    assert (state.data_until, state.position) == (expected or at("2026-11-18T00:00"), None)


def test_a_request_is_taken_once_and_answered(engine: Engine) -> None:
    number = requests.ask(engine, "collect", {"source": "uji"}, NOW)
    taken = requests.take(engine, NOW)
    assert taken == requests.Asked(number, "collect", {"source": "uji"})
    assert requests.take(engine, NOW) is None
    assert requests.answer(engine, number) is None
    assert not requests.withdraw(engine, number, NOW)
    requests.done(engine, number, {"rows": 3}, NOW)
    assert requests.answer(engine, number) == {"rows": 3}


def test_a_request_that_nobody_took_can_be_withdrawn(engine: Engine) -> None:
    number = requests.ask(engine, "collect", {}, NOW)
    assert requests.withdraw(engine, number, NOW)
    assert requests.take(engine, NOW) is None


def test_waiting_for_a_leader_that_is_there_gives_its_answer(engine: Engine) -> None:
    Lease(engine, "leader@elsewhere:1").acquire(NOW)
    number = requests.ask(engine, "collect", {}, NOW)

    def lead() -> None:
        taken = requests.take(engine, NOW)
        assert taken is not None
        requests.done(engine, taken.id, {"rows": 3}, NOW)

    leading = threading.Timer(0.3, lead)
    leading.start()
    assert requests.wait(engine, number, timeout_seconds=10, now=lambda: NOW) == {"rows": 3}
    leading.join()


def test_nobody_waits_for_a_leader_whose_lease_ran_out(engine: Engine) -> None:
    Lease(engine, "leader@elsewhere:1", ttl_seconds=15).acquire(NOW)
    number = requests.ask(engine, "collect", {}, NOW)
    assert requests.wait(engine, number, timeout_seconds=10, now=lambda: NOW + timedelta(seconds=16)) is None
    assert requests.take(engine, NOW) is None  # withdrawn: a later leader does not do it a second time


def test_nobody_waits_for_a_leader_that_took_the_request_and_was_followed_by_another(engine: Engine) -> None:
    Lease(engine, "one@elsewhere:1", ttl_seconds=15).acquire(NOW)
    number = requests.ask(engine, "collect", {}, NOW)
    requests.take(engine, NOW)
    second = Lease(engine, "two@elsewhere:2", ttl_seconds=15)
    following = threading.Timer(0.5, lambda: second.acquire(NOW + timedelta(seconds=16)))
    following.start()
    started = time.monotonic()
    assert requests.wait(engine, number, timeout_seconds=30, now=lambda: NOW) is None
    assert time.monotonic() - started < 10
    following.join()


@pytest.mark.parametrize("name", ["{host}:{pid}", "schedule@{host}:{pid}"])
def test_the_lease_of_a_killed_process_of_this_host_is_free_at_once(engine: Engine, name: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    killed = Lease(engine, name.format(host=socket.gethostname(), pid=process.pid))
    assert killed.acquire(NOW) == 1
    other = Lease(engine, f"other@{socket.gethostname()}:{os.getpid()}")
    assert other.acquire(NOW) is None
    process.kill()
    process.communicate()
    assert other.acquire(NOW) == 2
