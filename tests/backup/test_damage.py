"""A damaged or vanished store is moved aside and rebuilt from the newest verified backup, never started empty (F10)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from dashboard.alarms.rules import open_alarms
from dashboard.backup.opening import damage, heal, open_store
from dashboard.clock import utc
from dashboard.errors import StoreCorrupt
from dashboard.queries.answers import Context, Level
from dashboard.store import files
from dashboard.words import Say
from layouts.components.alarm_words import text
from tests.backup.house import House, house, noise, quiet, until
from tests.backup.test_backups import stores
from tests.backup.test_restoring import settings_of, taken


def harmed(home: House, how: str) -> None:
    """Damage the figures store while nobody has it open."""
    quiet(home.figures)
    size = home.figures.stat().st_size
    harm = {
        "noise at the head": lambda: noise(home.figures),
        "noise in the middle": lambda: noise(home.figures, at=size // 2 // 4096 * 4096),
        "truncated": lambda: os.truncate(home.figures, size // 3),
        "empty": lambda: os.truncate(home.figures, 0),
        "gone": home.figures.unlink,
    }
    harm[how]()


HARMS = ["noise at the head", "noise in the middle", "truncated", "empty", "gone"]


@pytest.mark.parametrize("how", HARMS)
@pytest.mark.short("truncated")
def test_a_damaged_store_is_rebuilt_at_the_start_and_loses_nothing_f10(tmp_path: Path, how: str) -> None:
    """F10: moved aside, restored, read again from its cursor (I1, I2), said in the log."""
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        home.live()
        home.product.run("collect")
        harmed(home, how)
        with home.product.running("schedule"):
            until(lambda: "leading" in home.product.output())
            until(lambda: home.told() == dict(home.ledger.counts()))
        assert "store was rebuilt from a backup" in home.product.output()
        assert home.is_true()


@pytest.mark.parametrize("how", HARMS)
@pytest.mark.short("empty")
def test_without_a_backup_the_start_is_refused_with_what_to_do_f10(tmp_path: Path, how: str) -> None:
    """F10: nothing is started empty, nothing is changed."""
    with house(tmp_path) as home:
        home.product.run("collect")
        harmed(home, how)
        before = home.figures.read_bytes() if home.figures.exists() else None
        refused = home.product.refused("schedule")
        assert "begin with an empty store" in refused
        assert "mulai dari kosong" in refused
        assert "no verified backup" in refused
        assert (home.figures.read_bytes() if home.figures.exists() else None) == before


@pytest.mark.parametrize("words", [("figures", "--metric", "received"), ("collect",), ("verify",)])
@pytest.mark.short("words0")
def test_no_command_starts_a_lost_store_empty_f10(tmp_path: Path, words: tuple[str, ...]) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        home.figures.unlink()
        refused = home.product.refused(*words)
        assert "there was a store and it is gone" in refused
        assert "dulu ada penyimpanan" in refused
        assert not home.figures.exists()


def test_a_removed_log_takes_the_store_back_and_the_source_brings_it_forward_f10(tmp_path: Path) -> None:
    """F10, -wal removed: the store is as of its last checkpoint, its cursor with it; nothing is lost for good."""
    with house(tmp_path) as home:
        home.product.run("collect")
        process = home.product.start("schedule")
        until(lambda: "leading" in home.product.output())
        home.live()
        time.sleep(3)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        log = home.figures.with_name("figures.sqlite-wal")
        assert log.stat().st_size > 0
        log.unlink()
        home.figures.with_name("figures.sqlite-shm").unlink()
        home.live()
        home.product.run("collect")
        assert home.is_true()


def test_damage_met_while_running_is_mended_by_the_leader_f10(tmp_path: Path) -> None:
    """F10: noise in the open file: the leader meets it, opens the stores anew, and goes on by itself."""
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        with home.product.running("schedule"):
            until(lambda: "leading" in home.product.output())
            for page in range(4, home.figures.stat().st_size // 4096, 3):
                noise(home.figures, at=page * 4096, size=4096)
            home.live()
            until(lambda: "store was rebuilt from a backup" in home.product.output(), 90)
            until(lambda: home.told() == dict(home.ledger.counts()))
        assert home.is_true()


def test_the_people_store_is_rebuilt_as_well_f10(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("device", "add", "--place", "Uji")
        home.product.run("backup")
        people = home.data / "people.sqlite"
        quiet(people)
        noise(people, size=8192)
        with home.product.running("schedule"):
            until(lambda: "leading" in home.product.output())
        assert "Uji" in home.product.run("device", "list")


def test_the_wall_says_that_it_was_rebuilt_until_every_source_was_read_again_f10(tmp_path: Path) -> None:
    """F10: a banner in both languages: first with the sources that are still to be read, then for a day."""
    with house(tmp_path) as home:
        home.product.run("collect")
        home.product.run("backup")
        harmed(home, "noise at the head")
        from config.loading import load

        settings, regency = settings_of(home), load(home.product.config)
        engine = open_store(settings, "figures", check=True)
        moment = files.suspect_marker(home.figures).parent.stat().st_mtime
        alarm = open_alarms(Context(engine, regency, utc(moment + 5))).alarms[0]
        assert (alarm.rule, alarm.level) == ("rebuilt_waiting", Level.WARNING)
        assert text(alarm, Say(regency, "en")).startswith("Command Center: rebuilt from the backup of ")
        assert "dibangun ulang dari cadangan" in text(alarm, Say(regency, "id"))
        assert "1 sumber belum dibaca ulang" in text(alarm, Say(regency, "id"))
        home.product.run("collect")
        found = {alarm.rule: alarm for alarm in open_alarms(Context(engine, regency, utc(moment + 60))).alarms}
        assert found["rebuilt"].level is Level.ATTENTION
        later = open_alarms(Context(engine, regency, utc(moment + 90_000))).alarms
        assert "rebuilt" not in {alarm.rule for alarm in later}
        engine.dispose()


def test_a_good_store_that_was_suspected_stays_as_it_is(tmp_path: Path) -> None:
    settings = stores(tmp_path)
    taken(settings)
    file = tmp_path / "var" / "figures.sqlite"
    files.mark_suspect(file)
    inode = file.stat().st_ino
    assert heal(settings, "figures") is None
    assert file.stat().st_ino == inode
    assert not files.suspect_marker(file).exists()


def test_of_two_that_find_the_damage_one_mends_it(tmp_path: Path) -> None:
    settings = stores(tmp_path)
    taken(settings)
    file = tmp_path / "var" / "figures.sqlite"
    noise(file)
    assert damage(file)
    assert heal(settings, "figures") is not None
    assert heal(settings, "figures") is None


def test_a_backup_that_is_damaged_too_does_not_help(tmp_path: Path) -> None:
    settings = stores(tmp_path)
    noise(taken(settings) / "figures.sqlite", at=8192)
    noise(tmp_path / "var" / "figures.sqlite")
    with pytest.raises(StoreCorrupt, match="cannot be restored by itself") as refused:
        open_store(settings, "figures", check=True)
    assert "tidak dapat dipulihkan sendiri" in refused.value.id
