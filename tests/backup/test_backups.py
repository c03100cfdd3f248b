"""A backup is taken while everything goes on, holds what it says, and is never half there (F22)."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.declarations import BackupRules, Regency
from config.settings import Settings
from dashboard.backup import manifest as manifests
from dashboard.backup.manifest import BackupError
from dashboard.backup.retention import NEWEST_KEPT, kept, last_due
from dashboard.backup.taking import take
from dashboard.store.engine import migrate, open_engine
from dashboard.store.tables import audit as audit_rows
from tests.backup.house import House, house, manifest_of, until
from tests.conftest import NOW
from tests.disks import fill, small_disk
from tests.store.cases import at, made
from tests.store.reading import collect

ZONE = ZoneInfo("Asia/Makassar")
REGENCY = Regency(name="Uji", timezone="Asia/Makassar")


def stores(folder: Path, cases: int = 50) -> Settings:
    """Settings with a figures and a people store in them."""
    settings = Settings(data=folder / "var", database_url="")
    for store in ("figures", "people"):
        engine = open_engine(settings.url_of(store), store)
        migrate(engine, store)
        if store == "figures":
            collect(engine, [made(n, at("2026-11-20T01:00") + n) for n in range(cases)])
        engine.dispose()
    return settings


def test_a_backup_holds_all_rows_of_all_stores_and_verifies(tmp_path: Path) -> None:
    folder, manifest = take(stores(tmp_path), REGENCY, now=lambda: NOW)
    assert folder.name == "cc-20261124T025300Z"
    assert manifests.verify(folder) == manifest
    assert manifest.stores["figures"].rows["case"] == 50
    assert set(manifest.stores) == {"figures", "people"}
    assert manifest.sources["uji"].data_until == int(NOW.timestamp())


@pytest.mark.parametrize("what", ["noise", "shorter", "gone"])
def test_a_backup_that_was_damaged_later_does_not_count(tmp_path: Path, what: str) -> None:
    folder, _ = take(stores(tmp_path), REGENCY)
    file = folder / "figures.sqlite"
    harm = {
        "noise": lambda: file.write_bytes(file.read_bytes()[:-4096] + os.urandom(4096)),
        "shorter": lambda: os.truncate(file, 8192), "gone": file.unlink,
    }
    harm[what]()
    with pytest.raises(BackupError, match=r"figures\.sqlite"):
        manifests.verify(folder)
    assert list(manifests.verified(folder.parent)) == []


def test_a_manifest_that_was_changed_does_not_count(tmp_path: Path) -> None:
    folder, _ = take(stores(tmp_path), REGENCY)
    path = folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"regency": "Uji"', '"regency": "Lain"'), encoding="utf-8")
    with pytest.raises(BackupError, match="changed after the backup"):
        manifests.read(folder)


def test_a_store_whose_audit_was_tampered_with_is_not_a_good_backup(tmp_path: Path) -> None:
    settings = stores(tmp_path)
    engine = open_engine(settings.url_of("people"), "people")
    with engine.connect() as connection:
        connection.execute(audit_rows.insert().values(
            at=1, who="nobody", what="x", detail="{}", previous=bytes(32), hash=bytes(32)
        ))
        connection.commit()
    engine.dispose()
    with pytest.raises(BackupError, match="audit's chain is broken at row 1"):
        take(settings, REGENCY)
    assert list((tmp_path / "var" / "backups").glob("*cc-*")) == []


def test_neither_keys_nor_secrets_are_in_a_backup(tmp_path: Path) -> None:
    settings = stores(tmp_path)
    key = os.urandom(32)
    for path, content in ((settings.data / "keys" / "uji", key), (tmp_path / "secrets" / "token", b"kenari-rahasia-7")):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    folder, manifest = take(settings, REGENCY)
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert key not in held
    assert key.hex().encode() not in held
    assert b"kenari-rahasia-7" not in held
    assert list(manifest.keys) == ["uji"]


def test_a_backup_under_load_is_of_one_instant_and_holds_up_nobody_f22(tmp_path: Path) -> None:
    """F22: while a run commits page after page, the copied cells are those of the copied cases."""
    settings = stores(tmp_path, cases=0)
    stop, slowest = threading.Event(), [0.0]

    def work() -> None:
        engine, number = open_engine(settings.url_of("figures")), 0
        while not stop.is_set():
            begun = time.monotonic()
            collect(engine, [made(n, at("2026-11-01T01:00") + 60 * n) for n in range(number, number + 200)])
            slowest[0] = max(slowest[0], time.monotonic() - begun)
            number += 200
        engine.dispose()

    thread = threading.Thread(target=work)
    thread.start()
    made_at = [NOW + timedelta(seconds=n) for n in range(8)]
    found = [take(settings, REGENCY, now=lambda moment=moment: moment)[0] for moment in made_at]  # type: ignore[misc]
    stop.set()
    thread.join()
    sizes = []
    for folder in found:
        with closing(sqlite3.connect(f"file:{folder / 'figures.sqlite'}?mode=ro&immutable=1", uri=True)) as copy:
            cases = copy.execute('SELECT count(*) FROM "case"').fetchone()[0]
            received = copy.execute("SELECT coalesce(sum(received), 0) FROM cell WHERE grain = 3").fetchone()[0]
            assert received == cases
            sizes.append(cases)
    assert sizes == sorted(sizes)
    assert slowest[0] < 10  # the busy timeout: nobody was refused


def test_a_backup_killed_at_any_moment_leaves_none_that_is_half_f22(tmp_path: Path) -> None:
    """F22: what a killed backup leaves is not listed, and the next one clears it away."""
    with house(tmp_path) as home:
        home.product.run("collect")
        for pause in (0.7, 0.9, 1.1, 1.3):
            process = home.product.start("backup")
            time.sleep(pause)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(1)  # names are by the second
        home.product.run("backup")
        assert all(manifests.verify(folder) for folder in home.backups)
        assert list((home.data / "backups").glob(".partial-*")) == []


def test_a_full_backup_disk_is_said_and_older_backups_stay_f22(tmp_path: Path) -> None:
    """F22: the target has no room: a clear text with the MB, nothing half written, the older backup untouched."""
    with house(tmp_path) as home, small_disk(tmp_path / "disk", 4) as disk:
        home.product.run("collect")
        home.product.run("backup", "--to", str(disk))
        fill(disk, leave=200_000)
        time.sleep(1)
        refused = home.product.refused("backup", "--to", str(disk))
        assert "MB are free" in refused
        assert "MB; cadangan lama dibiarkan" in refused
        assert [manifests.verify(folder).regency for folder in manifests.folders(disk)] == ["Uji"]
        assert list(disk.glob(".partial-*")) == []


def test_a_disk_that_fills_up_while_the_copy_is_written_leaves_nothing_half_f22(tmp_path: Path) -> None:
    """F22: the room was there when the backup began, and is gone before it ends."""
    with small_disk(tmp_path / "disk", 3) as disk:
        settings = stores(tmp_path, cases=3000)

        def eat(*_: object) -> None:
            fill(disk)

        fill(disk, leave=1_600_000).rename(disk / "other")
        with pytest.raises(BackupError, match="MB free"):
            take(settings, REGENCY, to=disk, progress=eat)
        assert list(disk.glob("*cc-*")) == []


def test_the_leader_takes_a_backup_that_is_due_by_itself_f22(tmp_path: Path) -> None:
    """F22: the running schedule takes it without being asked."""
    with house(tmp_path) as home, home.product.running("schedule"):
        until(lambda: home.backups, 90)
        assert manifests.verify(home.backups[0]).stores["figures"].rows["case"] > 0


@pytest.mark.long
def test_only_the_newest_so_many_are_kept_when_asked(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        for _ in range(3):
            home.product.run("backup", "--keep", "2")
            time.sleep(1)
        assert len(home.backups) == 2
        assert home.product.run("backup", "list").count("figures") == 2
        (home.backups[0] / "figures.sqlite").unlink()
        assert "DAMAGED: figures.sqlite" in home.product.run("backup", "list")


def test_what_is_kept_is_the_newest_of_days_weeks_and_months() -> None:
    rules = BackupRules(days=3, weeks=2, months=2, longest=timedelta(days=90))
    taken = [datetime(2026, 11, 24, 18, 30, tzinfo=UTC) - timedelta(days=n) for n in range(100)]
    found = sorted((at.astimezone(ZONE).date().isoformat() for at in kept(taken, rules, ZONE, taken[0])), reverse=True)
    assert found == ["2026-11-25", "2026-11-24", "2026-11-23", "2026-11-22", "2026-10-31"]


@given(
    st.sets(st.integers(0, 400 * 24), min_size=1), st.integers(1, 20), st.integers(0, 10), st.integers(0, 12),
    st.integers(1, 200),
)
def test_the_newest_is_always_kept_and_nothing_older_than_the_longest_age(
    hours: set[int], days: int, weeks: int, months: int, longest: int
) -> None:
    taken = {NOW - timedelta(hours=n) for n in hours}
    rules = BackupRules(days=days, weeks=weeks, months=months, longest=timedelta(days=longest))
    found = kept(taken, rules, ZONE, NOW)
    assert max(taken) in found
    assert len(found) <= days + weeks + months + NEWEST_KEPT
    assert all(NOW - at <= rules.longest for at in found - {max(taken)})


@pytest.mark.parametrize(("now", "every", "due"), [
    ("2026-11-24T02:29", timedelta(days=1), "2026-11-23T02:30"), ("2026-11-24T02:31", timedelta(days=1), "2026-11-24T02:30"),
    ("2026-11-24T09:00", timedelta(hours=6), "2026-11-24T08:30"),
])
def test_a_backup_is_due_at_its_local_time_and_rhythm(now: str, every: timedelta, due: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=ZONE)
    assert last_due(BackupRules(every=every), ZONE, moment) == datetime.fromisoformat(due).replace(tzinfo=ZONE)


def test_the_manifest_names_the_sources_cursor(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        mark = manifest_of(home.backups[0])["sources"]["ledger"]
        assert mark["cursor"] == pytest.approx(mark["data_until"], abs=60)


def described(home: House) -> str:
    """What ``backup list`` prints."""
    return home.product.run("backup", "list")


def test_where_there_is_no_backup_the_list_says_so(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        assert "no backups" in described(home)
