"""The simulated regency's clock (WITA, UTC+8, no summer time), its working days and its office hours.

37 h 30 min a week: Monday-Thursday 07.30-16.00 with a break of an hour, Friday 07.30-16.30 with a break of an hour and
a half (Perpres 21/2023). Holidays and cuti bersama come from the library ``holidays``. All instants are epoch seconds
UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import holidays

OFFSET = 8 * 3600
MINUTE = 60
DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()
_WEEK = ((450, 720), (780, 960))
_FRIDAY = ((450, 690), (780, 990))
WORKING_DAY_MINUTES = 450


def day_start(day: date) -> int:
    """Epoch seconds of the midnight (WITA) at which ``day`` begins."""
    return (day.toordinal() - _EPOCH) * DAY - OFFSET


def day_of(at: float) -> date:
    """The WITA day of an instant."""
    return date.fromordinal(int(at + OFFSET) // DAY + _EPOCH)


def minute_of(at: float) -> int:
    """Minutes since WITA midnight."""
    return int(at + OFFSET) % DAY // MINUTE


def local(at: float) -> datetime:
    """The naive WITA clock time of an instant, whole seconds."""
    return datetime.fromtimestamp(int(at) + OFFSET, UTC).replace(tzinfo=None)


@lru_cache(maxsize=8)
def _free_days(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("ID", years=year, categories=("public", "government")))


@lru_cache(maxsize=4096)
def is_holiday(day: date) -> bool:
    """A national holiday or cuti bersama."""
    return day in _free_days(day.year)


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Whether offices work on ``day``."""
    return day.weekday() < 5 and not is_holiday(day)


@lru_cache(maxsize=4096)
def spans(day: date) -> tuple[tuple[int, int], ...]:
    """The office hours of ``day`` as (opens, closes); none on a free day."""
    if not is_working_day(day):
        return ()
    start = day_start(day)
    return tuple((start + a * MINUTE, start + b * MINUTE) for a, b in (_FRIDAY if day.weekday() == 4 else _WEEK))


def add_worked(at: int, minutes: float) -> int:
    """The instant at which ``minutes`` of office hours have passed since ``at``."""
    left = minutes * MINUTE
    day = day_of(at)
    while True:
        for opens, closes in spans(day):
            begin = max(opens, at)
            if begin < closes:
                if left <= closes - begin:
                    return int(begin + left)
                left -= closes - begin
        day += timedelta(days=1)
