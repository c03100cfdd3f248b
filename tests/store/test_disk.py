"""The disk and those who share it: full, limited, read-only, locked by another, a log that grows (F5-F9). Real disks."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from config.loading import load
from config.settings import Settings
from dashboard.access import devices
from dashboard.alarms.stores import store_alarms
from dashboard.backup import care
from dashboard.backup.care import Care
from dashboard.clock import now
from dashboard.errors import StoreUnwritable
from dashboard.queries.answers import Context, Level
from dashboard.store import files, trouble
from dashboard.store.engine import migrate, open_engine
from dashboard.store.verify import verify
from dashboard.words import Say
from layouts.components.alarm_words import text
from tests.backup.house import House, house, until
from tests.conftest import NOW
from tests.disks import fill, remount, small_disk
from tests.product import ROOT
from tests.store.cases import at, made
from tests.store.reading import REGENCY, begin, collect, total


def alarms(home: House) -> dict[str, str]:
    """The stores' own alarms as a screen would say them: rule → Indonesian text."""
    regency = load(home.product.config)
    engine = open_engine(f"sqlite:///{home.figures}")
    found, _ = store_alarms(Context(engine, regency, now()))
    engine.dispose()
    return {alarm.rule: text(alarm, Say(regency, "id")) for alarm in found}


def test_a_full_disk_stops_collecting_with_the_megabytes_and_nothing_else_f5(tmp_path: Path) -> None:
    """F5: reads, figures and people's work go on, the text says what is free, and room alone makes it well again."""
    with small_disk(tmp_path / "var", 24) as disk, house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("device", "add", "--place", "Uji")
        before = home.told()
        ballast = fill(disk, leave=300_000)
        home.live()
        refused = home.product.refused("collect")
        assert re.search(r"the disk is full: 0\.[0-4] MB free of 24 MB", refused)
        assert re.search(r"disk penuh: 0,[0-4] MB bebas dari 24 MB", refused)
        assert home.told() == before
        assert "Uji" in home.product.run("device", "list")
        assert home.product.run("device", "add", "--place", "Dua")  # the reserve is there for people
        assert "Pengumpulan berhenti" in alarms(home)["disk_full"]
        ballast.unlink()
        home.product.run("collect")
        assert home.is_true()


def test_a_disk_that_fills_up_in_mid_run_loses_nothing_f5(tmp_path: Path) -> None:
    """F5: the very page that finds no room is rolled back; the run says so."""
    with small_disk(tmp_path / "disk", 8) as disk:
        engine = open_engine(f"sqlite:///{disk / 'figures.sqlite'}")
        migrate(engine)
        collect(engine, [made(n, at("2026-11-20T01:00") + n) for n in range(100)])
        read = begin(engine)
        read.page([made(n, at("2026-11-20T02:00") + n) for n in range(100, 200)])
        ballast = fill(disk)
        with pytest.raises(StoreUnwritable, match="disk is full") as refused:
            read.page([made(n, at("2026-11-20T03:00") + n) for n in range(200, 5000)])
        assert "disk penuh" in refused.value.id
        assert total(engine, "received") == 200
        ballast.unlink()
        collect(engine, [made(n, at("2026-11-20T03:00") + n) for n in range(5000)])
        assert total(engine, "received") == 5000
        assert verify(engine, REGENCY) == []
        engine.dispose()


@pytest.mark.long
def test_a_running_schedule_stops_and_goes_on_by_itself_f5(tmp_path: Path) -> None:
    """F5: one line when it stops, one when it is back, none between, and no restart."""
    with small_disk(tmp_path / "var", 24) as disk, house(tmp_path) as home:
        home.product.run("collect")
        with home.product.running("schedule") as process:
            until(lambda: "leading" in home.product.output())
            ballast = fill(disk)
            home.live()
            until(lambda: "collecting stops" in home.product.output())
            asked = home.ledger.requests
            time.sleep(8)
            assert home.ledger.requests <= asked + 2  # the agencies are left alone meanwhile
            ballast.unlink()
            until(lambda: "collecting goes on" in home.product.output(), 90)
            until(lambda: home.told() == dict(home.ledger.counts()), 90)
            assert process.poll() is None
        assert home.product.output().count("collecting stops") == 1
        assert "Traceback" not in home.product.output()
        assert home.is_true()


def test_below_a_tenth_free_there_is_a_warning_f5(tmp_path: Path) -> None:
    with small_disk(tmp_path / "var", 24) as disk, house(tmp_path) as home:
        home.product.run("collect")
        assert alarms(home) == {}
        fill(disk, leave=2_000_000)
        assert alarms(home)["disk_low"] == "Command Center: disk hampir penuh, 1 MB (7%) bebas"


LIMITED = """
import resource, signal, sys
from pathlib import Path
from dashboard.store.engine import migrate, open_engine
from dashboard.errors import StoreUnwritable
from tests.store.cases import at, made
from tests.store.reading import begin, collect, total
engine = open_engine("sqlite:///" + sys.argv[1])
migrate(engine)
collect(engine, [made(n, at("2026-11-20T01:00") + n) for n in range(100)])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
read = begin(engine)
try:
    read.page([made(n, at("2026-11-20T03:00") + n) for n in range(100, 9000)])
except StoreUnwritable as err:
    print(err.en, err.id, sep="\\n")
print(total(engine, "received"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
collect(engine, [made(n, at("2026-11-20T03:00") + n) for n in range(100, 9000)])
print(total(engine, "received"))
"""


def test_a_limit_of_the_size_of_files_is_named_f6(tmp_path: Path) -> None:
    """F6: ``ulimit -f``: the run ends with the limit in its text, reads go on, and without the limit all is stored."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "figures.sqlite")], text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert "may not write files larger than 1 MB (ulimit -f)" in said[0]
    assert "tidak boleh menulis berkas lebih dari 1 MB" in said[1]
    assert said[2:] == ["100", "9000"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_read_only_disk_refuses_the_start_with_path_and_owner_f7(tmp_path: Path) -> None:
    with small_disk(tmp_path / "var", 24) as disk, house(tmp_path) as home:
        home.product.run("collect")
        remount(disk, "ro")
        refused = home.product.refused("schedule")
        assert f"{home.figures}: cannot be written (owner root, mode 06" in refused
        assert "tidak dapat ditulis (pemilik root" in refused
        assert home.told()["received"] == 1000  # what is there can still be asked
        assert "Pengumpulan berhenti" in alarms(home)["disk_read_only"]
        remount(disk, "rw")
        home.product.run("collect")
        assert home.is_true()


def test_a_disk_that_becomes_read_only_while_running_is_a_full_disk_f7(tmp_path: Path) -> None:
    """F7: what was read stays readable, the wall says that collecting has stopped, and it comes back by itself."""
    with small_disk(tmp_path / "disk", 8) as disk:
        engine = open_engine(f"sqlite:///{disk / 'figures.sqlite'}")
        migrate(engine)
        collect(engine, [made(n, at("2026-11-20T01:00") + n) for n in range(100)])
        watching = Care(Settings(data=disk, database_url=""), REGENCY, engine, None)
        engine.dispose()  # mount refuses while a file is open for writing; a failing disk does not ask
        remount(disk, "ro")
        with pytest.raises(StoreUnwritable, match="cannot be written") as refused:
            collect(engine, [made(200, at("2026-11-20T01:00"))])
        assert watching.note(refused.value)
        assert total(engine, "received") == 100
        alarm = store_alarms(Context(engine, REGENCY, NOW))[0][0]
        assert (alarm.rule, alarm.level) == ("disk_read_only", Level.CRITICAL)
        watching.look()
        assert watching.shut is not None
        engine.dispose()
        remount(disk, "rw")
        watching.look()
        assert watching.shut is None
        collect(engine, [made(200, at("2026-11-20T01:00"))])
        assert total(engine, "received") == 101
        engine.dispose()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run as another user")
def test_a_folder_of_another_owner_is_said_with_both_names_f7(tmp_path: Path) -> None:
    """F7: wrong owner: the text names the owner, the mode and who we are."""
    place = Path("/tmp") / f"cc-f7-{os.getpid()}"  # pytest's own folders are closed to other users
    place.mkdir(mode=0o755)
    try:
        engine = open_engine(f"sqlite:///{place / 'figures.sqlite'}")
        migrate(engine)
        engine.dispose()
        done = subprocess.run(
            [sys.executable, "-c", "import os, sys; from dashboard.store.engine import *; from dashboard.errors import StoreError\n"
             "os.setgid(65534); os.setuid(65534)\n"
             "try: migrate(open_engine('sqlite:///' + sys.argv[1]))\nexcept StoreError as err: print(err.en); print(err.id)",
             str(place / "figures.sqlite")], text=True, capture_output=True, check=False, cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert "cannot be written (owner root, mode 0644; this process is nobody)" in done.stdout
        assert "tidak dapat ditulis (pemilik root" in done.stdout
    finally:
        shutil.rmtree(place)


def test_a_lock_held_by_another_program_is_waited_for_and_the_whole_transaction_done_again_f8(tmp_path: Path) -> None:
    """F8: locked for longer than the busy timeout of 10 s: no row is lost, none doubled."""
    file = tmp_path / "figures.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    read = begin(engine)
    program = subprocess.Popen(
        [sys.executable, "-c", "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
         "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(13); c.rollback()", str(file)],
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == b"locked\n"
    began = time.monotonic()
    read.page([made(n, at("2026-11-20T01:00") + n) for n in range(100)])
    assert time.monotonic() - began > 10  # the first try timed out
    program.wait()
    program.stdout.close()
    assert total(engine, "received") == 100
    assert verify(engine, REGENCY) == []
    engine.dispose()


def test_a_lock_that_stays_is_said_in_clear_words_f8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "RETRY_SECONDS", 0.5)
    file = tmp_path / "figures.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    read = begin(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 100")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnwritable, match="another program has held the store locked") as refused:
            read.page([made(1, at("2026-11-20T01:00"))])
        other.rollback()
    assert "program lain mengunci penyimpanan" in refused.value.id
    read.page([made(1, at("2026-11-20T01:00"))])
    assert total(engine, "received") == 1
    engine.dispose()


def test_a_log_that_a_reader_makes_grow_is_said_and_shortened_when_the_reader_is_gone_f9(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9: an idle read keeps the log from being shortened; the wall says so; without it the leader shortens it."""
    monkeypatch.setattr(files, "WAL_ALARM_BYTES", 2_000_000)
    settings = Settings(data=tmp_path, database_url="")
    engine = open_engine(settings.url_of("figures"))
    migrate(engine)
    watching, file = Care(settings, REGENCY, engine, None), tmp_path / "figures.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM meta").fetchone()
        collect(engine, [made(n, at("2026-11-20T01:00") + n) for n in range(5000)])
        collect(engine, [made(n, at("2026-11-20T01:00") + n, at("2026-11-21T01:00") + n) for n in range(5000)])
        assert files.wal_bytes(file) > files.WAL_ALARM_BYTES
        watching.look()
        alarm = store_alarms(Context(engine, REGENCY, NOW))[0][0]
        assert alarm.rule == "store_log"
        assert not care.shorten(file)
        reader.rollback()
    watching.look()
    assert files.wal_bytes(file) < files.WAL_ALARM_BYTES
    assert store_alarms(Context(engine, REGENCY, NOW))[0] == []
    engine.dispose()


def test_a_device_keeps_its_screen_while_the_disk_is_full_f5(tmp_path: Path) -> None:
    """F5: who a screen is, is read; that it was seen cannot be noted, and that is all."""
    with small_disk(tmp_path / "disk", 8) as disk:
        engine = open_engine(f"sqlite:///{disk / 'people.sqlite'}", "people")
        migrate(engine, "people")
        _, code = devices.add_device(engine, place="Uji", screen="west", zone="wall", now=NOW)
        token = devices.redeem(engine, code, zone="wall", now=NOW)
        fill(disk)
        answers = []
        threads = [
            threading.Thread(target=lambda: answers.append(devices.principal(engine, token, zone="wall", now=NOW)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [who.screens for who in answers if who] == [("west",)] * 4
        engine.dispose()
