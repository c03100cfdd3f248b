"""What the size of the disk is reckoned from, measured again on a real store."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from dashboard.installing import sizing
from dashboard.installing.sizing import Load, figures_bytes, table
from dashboard.store.engine import migrate, open_engine
from tests.small import Told, World, wita

CASES = 4000
OF_A_CASE = ("case", "case_ended", "case_due", "case_accepted", "case_submitted", "sqlite_autoindex_case_1")
OF_A_REVISION = ("revision", "revision_by_case")


def weighed(folder: Path) -> dict[str, float]:
    """Bytes per case of each table and index, after every case was read open and again when it had ended."""
    file = folder / "figures.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    world, start = World(engine), wita("2026-11-02 08:00")
    opened = [Told(str(n), start + timedelta(minutes=n), accepted=start + timedelta(minutes=n + 5)) for n in range(CASES)]
    world.deliver("capil-source", opened, at=start + timedelta(days=4))
    ended = [Told(one.id, one.submitted, one.submitted + timedelta(hours=3), accepted=one.accepted) for one in opened]
    world.deliver("capil-source", ended, at=start + timedelta(days=5))
    engine.dispose()
    with contextlib.closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            rows = store.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY 1").fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no dbstat")
    return {name: size / CASES for name, size in rows}


def test_the_bytes_of_a_case_are_those_of_a_real_store_within_a_quarter(tmp_path: Path) -> None:
    bytes_of = weighed(tmp_path)
    assert sum(bytes_of[name] for name in OF_A_CASE) == pytest.approx(sizing.CASE_BYTES, rel=0.25)
    assert sum(bytes_of[name] for name in OF_A_REVISION) == pytest.approx(sizing.REVISION_BYTES, rel=0.25)


def test_twice_the_cases_or_the_years_need_about_twice_the_room() -> None:
    base = figures_bytes(Load(40, 5000, 5))
    assert 1.7 < figures_bytes(Load(40, 10000, 5)) / base < 2.0
    assert 1.9 < figures_bytes(Load(40, 5000, 10)) / base <= 2.0
    assert figures_bytes(Load(80, 5000, 5)) > base


def test_the_table_names_both_disks() -> None:
    said = "\n".join(table(Load(40, 5000, 5)))
    assert "COMMAND_CENTER_DATA" in said
    assert "COMMAND_CENTER_BACKUPS" in said
