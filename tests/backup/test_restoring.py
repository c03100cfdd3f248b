"""A restore brings a backup back, reads on from its cursors, and says which span it rebuilt; a drill changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from dashboard.access import devices
from dashboard.backup import restoring
from dashboard.clock import now
from dashboard.store.changes import last_seq
from dashboard.store.engine import open_engine
from dashboard.store.lease import Lease
from dashboard.store.tables import case
from dashboard.store.tables import lease as leases
from dashboard.store.watch import Watcher
from tests.backup.house import House, house, until
from tests.backup.test_backups import REGENCY, stores
from tests.conftest import NOW
from tests.store.cases import at, made
from tests.store.reading import collect


def settings_of(home: House):  # type: ignore[no-untyped-def]
    """The settings that the house's product runs with."""
    from config.settings import Settings

    return Settings(data=home.data, database_url="")


def test_a_restore_loses_nothing_and_says_the_span_f22(tmp_path: Path) -> None:
    """F22: what happened after the backup comes back from the source, once (I1, I2)."""
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        home.live()
        home.product.run("collect")
        home.live()
        said = home.product.run("restore", "--newest")
        assert "verified, taken" in said
        assert "ledger: rebuilt 2" in said
        assert " → 2" in said
        assert home.is_true()
        assert list((home.data / "aside").glob("*/figures.sqlite"))


def test_a_drill_verifies_everything_and_changes_nothing_f22(tmp_path: Path) -> None:
    """F22: hashes, integrity, rows, this version's tables, and counts recomputed from the cases."""
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        home.live()
        home.product.run("collect")
        before = {path: path.read_bytes() for path in home.data.rglob("*") if path.is_file() and "figures" in path.name}
        assert "drill passed" in home.product.run("restore", "--drill")
        assert {path: path.read_bytes() for path in before} == before
        assert list(home.data.glob(".restoring*")) == []


def test_a_drill_finds_a_count_that_is_not_that_of_the_cases(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        with closing(sqlite3.connect(home.figures)) as connection:
            connection.execute("UPDATE cell SET received = received + 1 WHERE grain = 3")
            connection.commit()
        home.product.run("backup")
        assert "stored counts are not those of the cases" in home.product.refused("restore", "--drill")


def test_a_damaged_backup_is_passed_over_for_the_one_before_f22(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        time.sleep(1)
        home.product.run("backup")
        (home.backups[1] / "figures.sqlite").write_bytes(b"SQLite format 3\0" + os.urandom(50_000))
        assert home.backups[0].name in home.product.run("restore", "--newest")
        refused = home.product.refused("restore", str(home.backups[1]))
        assert "damaged after the backup" in refused
        assert "rusak setelah pencadangan" in refused


def test_a_restore_without_the_keys_is_refused_because_no_case_would_be_known(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        shutil.rmtree(home.data / "keys")
        refused = home.product.refused("restore", "--newest")
        assert "the keys of ledger are missing" in refused
        assert "kunci ledger tidak ada" in refused


@pytest.mark.long
def test_a_living_leader_restores_when_a_command_asks_and_goes_on(tmp_path: Path) -> None:
    """The command hands the request over; the leader leads again on the restored store and loses nothing."""
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        with home.product.running("schedule"):
            until(lambda: "leading" in home.product.output())
            home.live()
            time.sleep(2.5)
            said = home.product.run("restore", "--newest")
            assert "the leader restored it" in said
            assert "ledger: rebuilt 2" in said
            home.live()
            until(lambda: home.told() == dict(home.ledger.counts()))
        assert home.is_true()


def test_open_connections_notice_that_another_file_is_in_place(tmp_path: Path) -> None:
    """What a serve process has open: its pool asks the new file, its watcher says so and is made anew."""
    settings = stores(tmp_path, cases=5)
    engine = open_engine(settings.url_of("figures"))
    watcher = Watcher(engine)
    with engine.connect() as connection:
        before = last_seq(connection)
    folder, manifest = restoring.choose(settings, taken(settings))
    collect(engine, [made(n, at("2026-11-21T01:00") + n) for n in range(5, 20)])
    with restoring.prepared(settings, folder, manifest, now=now()) as ready:
        restoring.put_in_place(settings, ready, now=now())
    with engine.connect() as connection:
        assert len(connection.execute(select(case.c.id)).all()) == 5
        assert last_seq(connection) > before + 1000
    with pytest.raises(Exception, match="put in place anew"):
        watcher.wait(1)
    watcher.close()
    engine.dispose()


def taken(settings):  # type: ignore[no-untyped-def]
    """A fresh backup's folder."""
    from dashboard.backup.taking import take

    return take(settings, REGENCY, now=lambda: NOW)[0]


def test_a_leader_from_before_the_restore_cannot_write_any_more(tmp_path: Path) -> None:
    """The restored lease's token is ahead of all that were given: a paused leader stays fenced off."""
    settings = stores(tmp_path)
    engine = open_engine(settings.url_of("figures"))
    old = Lease(engine, "old@elsewhere:1")
    folder = taken(settings)
    token = old.acquire(now())
    manifest = restoring.choose(settings, folder)[1]
    with restoring.prepared(settings, folder, manifest, now=now()) as ready:
        restoring.put_in_place(settings, ready, now=now())
    assert not old.renew(now())
    new = Lease(engine, "new@elsewhere:2").acquire(now())
    assert (new or 0) > (token or 0) + 1000
    with engine.connect() as connection:
        assert connection.execute(select(leases.c.token)).scalar() == new
    engine.dispose()


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_restore_that_a_crash_interrupted_is_ended_at_the_next_start(tmp_path: Path, done: int) -> None:
    """After each of its steps: the next command finds whole stores, all of the backup."""
    settings = stores(tmp_path)
    folder, manifest = restoring.choose(settings, taken(settings))
    engine = open_engine(settings.url_of("figures"))
    collect(engine, [made(n, at("2026-11-21T01:00") + n) for n in range(100, 130)])
    engine.dispose()
    home = tmp_path / "var"
    with restoring.prepared(settings, folder, manifest, now=now()) as ready:
        kept = {store: path.read_bytes() for store, path in ready.items()}
    (home / "aside" / "x").mkdir(parents=True)
    steps = []
    for number, (store, content) in enumerate(kept.items()):
        new = home / f"ready-{store}"
        new.write_bytes(content)
        steps.append({"from": str(new), "to": str(home / f"{store}.sqlite")})
        if number < done:  # what the killed one had already moved
            os.replace(new, home / f"{store}.sqlite")
    (home / ".restoring.json").write_text(json.dumps({"aside": str(home / "aside" / "x"), "steps": steps}), encoding="utf-8")
    assert restoring.finish_interrupted(settings)
    assert not restoring.finish_interrupted(settings)
    engine = open_engine(settings.url_of("figures"))
    with engine.connect() as connection:
        assert len(connection.execute(select(case.c.id)).all()) == 50
    engine.dispose()


def test_the_audit_says_that_the_people_store_was_restored(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("device", "add", "--place", "Uji")
        home.product.run("backup")
        home.product.run("restore", "--newest")
        engine = open_engine(settings_of(home).url_of("people"), "people")
        assert [device.place for device in devices.list_devices(engine)] == ["Uji"]
        with engine.connect() as connection:
            said = connection.exec_driver_sql("SELECT what FROM audit ORDER BY id DESC LIMIT 1").scalar()
        assert said == "store restored"
        engine.dispose()
