"""Periods of a question: days, weeks from Monday, months, quarters, years in the regency's zone, cut to the days asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.clock import HOUR, day_start, next_month
from dashboard.errors import ConfigError

GRAINS = ("hour", "day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Period:
    """[start, end) in epoch seconds; ``label`` is its first day (or hour) in ISO form."""

    label: str
    start: int
    end: int


def first_of(day: date, grain: str) -> date:
    """The first day of the period that holds ``day``."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain == "month":
        return day.replace(day=1)
    if grain == "quarter":
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(day.year, 1, 1) if grain == "year" else day


def following(day: date, grain: str) -> date:
    """The first day of the next period."""
    if grain in ("hour", "day"):
        return day + timedelta(days=1)
    if grain == "week":
        return day + timedelta(days=7)
    for _ in range({"month": 1, "quarter": 3, "year": 12}[grain]):
        day = next_month(day)
    return day


def periods(since: date, until: date, grain: str, zone: ZoneInfo) -> list[Period]:
    """All periods that touch the days ``since`` … ``until`` (inclusive), cut to them. Raises ``ConfigError``."""
    if grain not in GRAINS:
        known = ", ".join(GRAINS)
        raise ConfigError(f"no grain {grain!r}; known: {known}", f"tidak ada rentang {grain!r}; yang ada: {known}")
    low, high = day_start(since, zone), day_start(until + timedelta(days=1), zone)
    found: list[Period] = []
    day = first_of(since, grain)
    while day <= until:
        after = following(day, grain)
        start, end = day_start(day, zone), day_start(after, zone)
        if grain == "hour":
            found += [
                Period(datetime.fromtimestamp(at, zone).strftime("%Y-%m-%dT%H:00"), at, at + HOUR) for at in range(start, end, HOUR)
            ]
        else:
            found.append(Period(day.isoformat(), max(start, low), min(end, high)))
        day = after
    return found
