"""On PostgreSQL: backups by pg_dump of one snapshot, drill and restore; and a server that restarts (F21, F22)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from config.settings import Settings
from dashboard.alarms.rules import open_alarms
from dashboard.backup.manifest import verify as verify_backup
from dashboard.backup.taking import take
from dashboard.live.snapshot import Instance, Snapshot
from dashboard.queries.answers import Context
from dashboard.store.engine import migrate, open_engine
from dashboard.store.verify import verify
from tests.backup.house import house, until
from tests.backup.test_backups import REGENCY
from tests.conftest import NOW
from tests.servers import Postgres, postgres_server
from tests.store.cases import at, made
from tests.store.reading import REGENCY as UJI
from tests.store.reading import begin, collect, end, total

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL of this file's own: it is killed here."""
    with postgres_server() as found:
        yield found


@pytest.fixture
def url(server: Postgres) -> str:
    """Its address, with no store in it."""
    engine = create_engine(server.url)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(figures|people|recordings)'"))
        for name in found.scalars().all():
            connection.execute(text(f'DROP SCHEMA "{name}" CASCADE'))
    engine.dispose()
    return server.url


@pytest.mark.long
def test_a_backup_is_drilled_and_restored_and_loses_nothing_f22(tmp_path: Path, url: str) -> None:
    """F22 on PostgreSQL: the same commands; what happened after the backup comes back from the source."""
    with house(tmp_path, DATABASE_URL=url) as home:
        home.product.run("collect")
        home.product.run("device", "add", "--place", "Uji")
        assert "figures" in home.product.run("backup")
        home.live()
        home.product.run("collect")
        assert "drill passed" in home.product.run("restore", "--drill")
        said = home.product.run("restore", "--newest")
        assert "schemas ending in _aside_" in said
        assert "ledger: rebuilt 2" in said
        assert home.is_true()
        assert "Uji" in home.product.run("device", "list")
        home.live()
        home.product.run("collect")
        assert home.is_true()


@pytest.mark.long
def test_a_living_leader_restores_on_postgresql_too(tmp_path: Path, url: str) -> None:
    with house(tmp_path, DATABASE_URL=url) as home:
        home.product.run("collect")
        home.product.run("backup")
        with home.product.running("schedule"):
            until(lambda: "leading" in home.product.output())
            home.live()
            time.sleep(2.5)
            assert "the leader restored it" in home.product.run("restore", "--newest")
            home.live()
            until(lambda: home.told() == dict(home.ledger.counts()), 90)
        assert home.is_true()


def test_a_dump_taken_under_load_is_of_one_instant_f22(tmp_path: Path, url: str) -> None:
    """F22: the counts in the manifest are those of the very snapshot that was dumped."""
    engine, stop = open_engine(url), threading.Event()
    migrate(engine)

    def work() -> None:
        number = 0
        while not stop.is_set():
            collect(engine, [made(n, at("2026-11-01T01:00") + 60 * n) for n in range(number, number + 50)])
            number += 50

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.5)
    folder, manifest = take(Settings(data=tmp_path, database_url=url, DATABASE_URL=url), REGENCY, now=lambda: NOW)
    stop.set()
    thread.join()
    engine.dispose()
    assert verify_backup(folder) == manifest
    assert manifest.stores["figures"].rows["case"] % 50 == 0


def test_a_read_goes_on_over_a_restart_of_the_server_f21(server: Postgres, url: str) -> None:
    """F21: stopped as by a crash between and during pages: the whole transaction is done again, nothing twice."""
    engine = open_engine(url)
    migrate(engine)
    read = begin(engine)
    read.page([made(n, at("2026-11-20T01:00") + n) for n in range(500)])
    server.stop()
    again = threading.Timer(3, server.start)
    again.start()
    read.page([made(n, at("2026-11-20T01:00") + n) for n in range(500, 1000)])
    again.join()
    end(read)
    assert total(engine, "received") == 1000
    assert verify(engine, UJI) == []
    engine.dispose()


def test_panels_keep_what_they_said_marked_stale_while_the_server_is_gone_f21(server: Postgres, url: str) -> None:
    """F21: no panel goes blank, and each is back when the server is."""
    engine = open_engine(url)
    migrate(engine)
    instance = Instance(
        "alarms", ask=open_alarms, draw=lambda answer: {"type": "Div", "props": {"id": "x", "children": str(answer.overall)}},
        failed=lambda: {"type": "Div", "props": {"id": "x", "children": "failed"}}, reads=frozenset({"state"}),
    )
    snapshot = Snapshot([instance])
    good = snapshot.refresh(Context(engine, UJI, NOW), {"state"})[0]
    server.stop()
    bad = snapshot.refresh(Context(engine, UJI, NOW), {"state"})[0]
    assert (bad.failed, bad.stale, bad.drawn) == (True, int(NOW.timestamp()), good.drawn)
    server.start()
    back = snapshot.refresh(Context(engine, UJI, NOW), {"state"})[0]
    assert (back.failed, back.drawn) == (False, good.drawn)
    engine.dispose()


def test_a_running_schedule_survives_a_restart_of_the_server_f21(tmp_path: Path, server: Postgres, url: str) -> None:
    """F21: no restart of ours, one line that collecting stops, and everything the source had (I1, I7)."""
    with house(tmp_path, DATABASE_URL=url) as home:
        home.product.run("collect")
        with home.product.running("schedule") as process:
            until(lambda: "leading" in home.product.output())
            server.stop()
            home.live()
            time.sleep(6)
            server.start()
            until(lambda: home.told() == dict(home.ledger.counts()), 120)
            assert process.poll() is None
        assert "Traceback" not in home.product.output()
        assert home.is_true()
