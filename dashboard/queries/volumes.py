"""Counts of today and of comparable days by source and agency, from ten-minute cells: read once, shared by all panels.

Past days are kept in process until a change touches an earlier day (``history``); today until the next change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, select

from dashboard.clock import DAY, day_end, day_start, epoch, local_day
from dashboard.queries.answers import Band, Context
from dashboard.store.changes import versions
from dashboard.store.tables import GRAINS, cell, covered, dimension
from dashboard.worktime import calendars

MARK = 600
COUNTED = ("received", "completed", "completed_on_time", "completed_judged")
Part = tuple[str, str, str]
"""source, agency, kind."""
Cumulated = dict[Part, dict[str, list[int]]]
"""Per part and count: running sums at the ends of the day's ten-minute steps, beginning with 0."""

_lock = threading.Lock()
_kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
_MOST_KEPT = 256


def kept(key: tuple[Any, ...], make: Any) -> Any:
    """A value kept in process under a key that names the versions it was made of; the oldest of 256 go."""
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    value = make()
    with _lock:
        _kept[key] = value
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return value


class Versions(NamedTuple):
    """What a cached answer depends on: the engine, the last change, the last change to earlier days."""

    engine: int
    seq: int
    history: int


def versions_of(engine: Engine) -> Versions:
    """The store's versions now."""
    with engine.connect() as connection:
        return Versions(id(engine), *versions(connection))


def day_sums(context: Context, day: date, version: Versions) -> Cumulated:
    """Running sums of one local day, kept while nothing touches it."""
    today = local_day(epoch(context.now), context.regency.zone)
    number = version.seq if day >= today else version.history
    return kept(("day", version.engine, day, context.regency.timezone, number), lambda: _read_day(context, day))  # type: ignore[no-any-return]


def _read_day(context: Context, day: date) -> Cumulated:
    zone = context.regency.zone
    start, end = day_start(day, zone), day_end(day, zone)
    steps = (end - start) // MARK
    sums = [func.sum(cell.c[name]) for name in COUNTED]
    statement = (
        select(dimension.c.source, dimension.c.agency, dimension.c.kind, cell.c.period, *sums)
        .join(dimension, dimension.c.id == cell.c.dim)
        .where(cell.c.grain == GRAINS["ten"], cell.c.period >= start, cell.c.period < end)
        .group_by(dimension.c.source, dimension.c.agency, dimension.c.kind, cell.c.period)
    )
    raw: dict[Part, dict[str, list[int]]] = {}
    with context.engine.connect() as connection:
        for source, agency, kind, period, *counts in connection.execute(statement):
            part = raw.setdefault((source, agency, kind), {name: [0] * (steps + 1) for name in COUNTED})
            for name, count in zip(COUNTED, counts, strict=True):
                part[name][(period - start) // MARK + 1] += int(count)
    for part in raw.values():
        for line in part.values():
            for number in range(1, len(line)):
                line[number] += line[number - 1]
    return raw


def at_minute(line: list[int], seconds: float) -> float:
    """A running sum at a time of day, linear between ten-minute marks."""
    place = min(max(seconds / MARK, 0.0), len(line) - 1)
    low = int(place)
    return line[low] if low == len(line) - 1 else line[low] + (line[low + 1] - line[low]) * (place - low)


def comparable_days(context: Context) -> list[date]:
    """The last eight days of the same weekday that are open, or closed, as today is by the office calendar."""
    regency = context.regency
    today = local_day(epoch(context.now), regency.zone)
    office = calendars(regency)["office"]
    like = office.is_working_day(today)
    weeks = [today - timedelta(days=7 * number) for number in range(1, 14)]
    return [day for day in weeks if office.is_working_day(day) == like][: regency.thresholds.comparable_weeks]


def covered_days(context: Context, version: Versions) -> dict[str, set[int]]:
    """Per source: starts of the days that it covers completely, of the last 14 weeks."""
    oldest = epoch(context.now) - 15 * 7 * DAY

    def read() -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        with context.engine.connect() as connection:
            for source, day in connection.execute(
                select(covered.c.source, covered.c.day).where(covered.c.complete, covered.c.day >= oldest)
            ):
                found.setdefault(source, set()).add(day)
        return found

    today = local_day(epoch(context.now), context.regency.zone)
    return kept(("covered", version.engine, version.history, today, _last_cover(context)), read)  # type: ignore[no-any-return]


def _last_cover(context: Context) -> int:
    with context.engine.connect() as connection:
        return int(connection.execute(
            select(func.count()).select_from(covered).where(covered.c.complete)
        ).scalar() or 0)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile (linear interpolation)."""
    ordered = sorted(values)

    def at(share: float) -> float:
        place = (len(ordered) - 1) * share
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return at(0.25), at(0.5), at(0.75)


def band_of(values: list[float], needed: int) -> Band | None:
    """The typical band of comparable days' values; ``None`` with fewer than needed."""
    if len(values) < needed:
        return None
    low, middle, high = quartiles(values)
    return Band(low, middle, high, len(values))


def next_mark(now: int) -> int:
    """The next ten-minute mark."""
    return now // MARK * MARK + MARK


def dimension_parts(connection: Connection) -> set[Part]:
    """Every (source, agency, kind) that ever had a case."""
    statement = select(dimension.c.source, dimension.c.agency, dimension.c.kind).distinct()
    return {(row.source, row.agency, row.kind) for row in connection.execute(statement)}
