"""Instants, days and periods. The store counts UTC epoch seconds; screens speak the regency's own zone.

Nothing here reads the clock by itself but ``now``; everything else is told the time, so tests are fixed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = 60
HOUR = 3600
DAY = 86400


class Grain(StrEnum):
    """Lengths of a cell's period. ``TEN`` cells have no channel and no district."""

    TEN = "ten"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def now() -> datetime:
    """The present instant, aware, UTC."""
    return datetime.now(UTC)


def epoch(moment: datetime) -> int:
    """Whole UTC epoch seconds of an aware moment. Raises ``ValueError`` for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return int(moment.timestamp() // 1)


def utc(seconds: float) -> datetime:
    """The aware UTC moment of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def local_day(seconds: float, zone: ZoneInfo) -> date:
    """The calendar day, in ``zone``, of an instant."""
    return datetime.fromtimestamp(seconds, zone).date()


@lru_cache(maxsize=65536)
def day_start(day: date, zone: ZoneInfo) -> int:
    """Epoch seconds of local midnight at which ``day`` begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def day_end(day: date, zone: ZoneInfo) -> int:
    """Epoch seconds of local midnight at which ``day`` ends (half-open)."""
    return day_start(day + timedelta(days=1), zone)


def next_month(day: date) -> date:
    """The first day of the month after ``day``'s."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@lru_cache(maxsize=1 << 17)
def _hour_of(slot: int, zone: ZoneInfo) -> tuple[int, int, int]:
    """(hour start, day start, month start) for the quarter of an hour ``slot`` (all offsets in use are quarters)."""
    moment = datetime.fromtimestamp(slot * 900, zone)
    hour = slot * 900 - moment.minute * MINUTE - moment.second
    day = moment.date()
    return hour, day_start(day, zone), day_start(day.replace(day=1), zone)


def floors(seconds: int, zone: ZoneInfo) -> tuple[int, int, int, int]:
    """Starts of the periods that hold an instant: (ten minutes, hour, day, month), epoch seconds."""
    hour, day, month = _hour_of(seconds // 900, zone)
    return hour + (seconds - hour) // 600 * 600, hour, day, month
