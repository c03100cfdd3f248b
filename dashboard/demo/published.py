"""Figures that the simulated regency publishes already added up: budget, property tax by kecamatan, indices by edition.

A pure function of the clock: what would have been published by now. One kecamatan hands in nothing for its last month.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from dashboard.demo.hours import DAY, day_of, day_start, local
from dashboard.demo.places import DISTRICTS

TARGET_RUPIAH = 21_400_000_000
"""Property tax (PBB-P2) due in the year, invented."""
INDICES = {"spbe": {2022: 2.61, 2023: 2.94, 2024: 3.21, 2025: 3.37}, "ikm": {2022: 81.9, 2023: 83.4, 2024: 84.1, 2025: 85.6}}
DAYS_TOLD = 45
LATE_PLACE = "Rampi"


def _row(measure: str, place: str, period: date, grain: str, value: float | None, published: int) -> dict[str, object]:
    return {
        "ukuran": measure, "wilayah": place, "periode": period.isoformat(), "rentang": grain,
        "nilai": "" if value is None else value, "terbit": local(published).isoformat(),
    }


def _months(today: date) -> Iterator[tuple[date, date]]:
    """First days of the months of this year and the last, each with the first day of the month after."""
    month = date(today.year - 1, 1, 1)
    while month <= today:
        after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        yield month, after
        month = after


def rows(now: float, seed: int) -> list[dict[str, object]]:
    """All rows that are published at ``now``, the oldest first."""
    today = day_of(now)
    found: list[dict[str, object]] = []
    for month, after in _months(today):
        draw = Random(f"{seed}{month}")
        share = 100 * (month.month / 12) ** 1.15 * (0.93 + 0.05 * draw.random())
        found.append(_row("belanja", "", month, "month", round(share, 1), day_start(after + timedelta(days=5))))
        whole = sum(one.weight for one in DISTRICTS)
        for place in DISTRICTS:
            paid = TARGET_RUPIAH * place.weight / whole * (month.month / 12) ** 1.3 * (0.8 + 0.25 * draw.random())
            missing = place.name == LATE_PLACE and after + timedelta(days=40) > today
            told = None if missing else float(int(paid))
            found.append(_row("pbb", place.name, month, "month", told, day_start(after + timedelta(days=2))))
    for number in range(DAYS_TOLD, 0, -1):
        day = today - timedelta(days=number)
        paid = TARGET_RUPIAH * (day.timetuple().tm_yday / 366) ** 1.3 * 0.92
        found.append(_row("pbb", "", day, "day", float(int(paid)), day_start(day) + DAY + 6 * 3600))
    found.append(_row("pbb_sasaran", "", date(today.year, 1, 1), "year", float(TARGET_RUPIAH), day_start(date(today.year, 1, 1))))
    for measure, editions in INDICES.items():
        found += [
            _row(measure, "", date(year, 1, 1), "year", value, day_start(date(year + 1, 3, 10))) for year, value in editions.items()
        ]
    return [row for row in found if str(row["terbit"]) <= local(now).isoformat()]
