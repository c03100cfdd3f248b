"""How much disk the stores need, from what a case, a run, a month and a recorded day weigh.

Bytes were measured with SQLite's ``dbstat`` on filled stores (24 November 2026; tests/installing/test_sizing.py measures those of
a case again). PostgreSQL needs about half as much again.
"""

from __future__ import annotations

from dataclasses import dataclass

CASE_BYTES = 330
"""A case with its entries in all indexes."""
REVISION_BYTES = 410
"""What is kept of a case that was open when it was first read and ended later: seven fields, before and after."""
CELL_BYTES = 130
"""Its share of the cells of hours, days and months."""
RUN_BYTES = 110
"""One run in the trail; runs are kept."""
RUNS_A_DAY = 288
"""Of a source with the default rhythm of 5 minutes."""
HISTOGRAM_BYTES = 65_000
"""Of a source and month: services, measures and districts."""
GAUGE_BYTES = 2_100_000
"""Of a source: ten-minute values of 14 weeks, which do not grow."""
RECORDED_BYTES = 2_500_000
"""Of a panel and day, at most: the budget of 100 MB a day at 40 panels and 7 commits a minute."""
PANELS = 30
"""Of a screen with all scenes."""
BACKUPS = 25
"""Kept by the shipped rule: 14 days, 8 weeks, 3 months."""
SPARE = 1.25
"""So that the warning below 10 % free does not come before the years are over."""
GIGABYTE = 1e9


@dataclass(frozen=True)
class Load:
    """What comes in: ``sources``, ``cases_per_day`` of all of them, for so many ``years``; ``screens`` that differ, recorded whole
    for ``recorded_days``."""

    sources: int
    cases_per_day: int
    years: float
    screens: int = 2
    recorded_days: int = 90

    @property
    def days(self) -> float:
        """Of all the years."""
        return self.years * 365.25


def figures_bytes(load: Load) -> float:
    """The figures store after all the years."""
    cases = load.cases_per_day * load.days * (CASE_BYTES + REVISION_BYTES + CELL_BYTES)
    trail = load.sources * load.days * RUNS_A_DAY * RUN_BYTES
    return cases + trail + load.sources * (GAUGE_BYTES + HISTOGRAM_BYTES * load.years * 12)


def recordings_bytes(load: Load) -> float:
    """The recordings store, when whole days are kept for so long."""
    return load.screens * PANELS * RECORDED_BYTES * min(load.recorded_days, load.days)


def table(load: Load) -> list[str]:
    """Lines for the administrator: each part, the disk for the stores, the disk for the backups; GB of 10⁹ bytes."""
    figures, recordings = figures_bytes(load), recordings_bytes(load)
    stores = figures + recordings
    parts = [
        (f"figures, {load.cases_per_day * load.days:,.0f} cases", figures),
        (f"recordings, at most, {min(load.recorded_days, load.days):,.0f} days whole", recordings),
        ("people: devices, audit", 0.1 * GIGABYTE),
        ("room beside it for a restore or an upgrade", stores),
        ("disk for COMMAND_CENTER_DATA, with a fifth free", (2 * stores + 0.1 * GIGABYTE) * SPARE),
        (f"disk for COMMAND_CENTER_BACKUPS, {BACKUPS} whole copies", (stores * BACKUPS) * SPARE),
    ]
    return [f"{size / GIGABYTE:>9,.1f} GB  {name}" for name, size in parts]
