"""Counts of today and of comparable days by source and agency, from ten-minute cells: read once, shared by all panels.

Past days are kept in process until a change touches an earlier day (``history``); today until the next change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from dashboard.clock import day_end, day_start, epoch, local_day
from dashboard.queries.answers import Band, Context
from dashboard.store.changes import versions
from dashboard.store.tables import GRAINS, cell, covered, dimension
from dashboard.worktime import calendars

MARK = 600
COUNTED = ("received", "completed", "completed_on_time", "completed_judged")
Part = tuple[str, str, str]
"""source, agency, kind."""
Line = list[int]
"""Running sums at the ends of the day's ten-minute steps, beginning with 0."""
Cumulated = tuple[list[Part], NDArray[np.int64]]
"""The parts of a day and their running sums: parts x steps x ``COUNTED``."""
Lines = dict[tuple[str, str], dict[str, Line]]
"""The same by (source, agency), or by (source, "") for all agencies, over some kinds."""

Made = TypeVar("Made")
_lock = threading.Lock()
_kept: OrderedDict[Any, tuple[Any, Context, Any]] = OrderedDict()
_MOST_KEPT = 1024


class Versions(NamedTuple):
    """What a cached answer depends on: the last change, the last change to earlier days."""

    seq: int
    history: int


def versions_of(context: Context) -> Versions:
    """The store's versions now, or those that the refresh goes by."""
    if context.seen is not None:
        return Versions(*context.seen)
    with context.engine.connect() as connection:
        return Versions(*versions(connection))


def pinned(context: Context) -> Context:
    """The same context for all questions of one refresh: the store's versions are read once. A store that cannot be read leaves
    it to each question to say so."""
    try:
        return context._replace(seen=versions_of(context))
    except SQLAlchemyError:
        return context


def kept(context: Context, key: Any, version: Any, make: Callable[[], Made]) -> Made:
    """What ``make`` made under this key for this version of the store; another version replaces it, the oldest of 1,024 go.

    The entry holds its engine and declarations, so that no other ones can come to have the same identity meanwhile.
    """
    whole = (id(context.engine), id(context.regency), key)
    with _lock:
        found = _kept.get(whole)
        if found is not None and found[0] == version:
            _kept.move_to_end(whole)
            return found[2]  # type: ignore[no-any-return]
    value = make()
    with _lock:
        _kept[whole] = (version, context, value)
        _kept.move_to_end(whole)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return value


def settled(context: Context, version: Versions) -> int:
    """The version under which earlier days are read: what changed of them counts from the next minute on.

    A band over eight weeks may be a minute old; reading eight days anew with every late row would cost more than all else.
    """
    return kept(context, "settled", epoch(context.now) // 60, lambda: version.history)


def settles_at(context: Context, version: Versions) -> int | None:
    """When changes of earlier days that do not count yet will; ``None`` when all do."""
    now = epoch(context.now)
    return None if settled(context, version) == version.history else (now // 60 + 1) * 60


def day_lines(
    context: Context, day: date, version: Versions, kinds: Collection[str], *, by_agency: bool = False
) -> Lines:
    """Running sums of one local day over some kinds, by source (agency "") or by source and agency."""
    today = local_day(epoch(context.now), context.regency.zone)
    number = version.seq if day >= today else settled(context, version)

    def read() -> Lines:
        parts, sums = kept(context, ("day", day), number, lambda: _read_day(context, day))
        members: dict[tuple[str, str], list[int]] = {}
        for place, (source, agency, kind) in enumerate(parts):
            if kind in kinds:
                members.setdefault((source, agency if by_agency else ""), []).append(place)
        return {
            part: dict(zip(COUNTED, sums[places].sum(axis=0).T.tolist(), strict=True)) for part, places in members.items()
        }

    return kept(context, ("lines", day, tuple(kinds), by_agency), number, read)


def _read_day(context: Context, day: date) -> Cumulated:
    zone = context.regency.zone
    start, end = day_start(day, zone), day_end(day, zone)
    statement = (
        select(dimension.c.source, dimension.c.agency, dimension.c.kind, cell.c.period, *(cell.c[name] for name in COUNTED))
        .join(dimension, dimension.c.id == cell.c.dim)
        .where(cell.c.grain == GRAINS["ten"], cell.c.period >= start, cell.c.period < end)
    )
    with context.engine.connect() as connection:
        rows = connection.execute(statement).all()
    parts: dict[Part, int] = {}
    places = [(parts.setdefault((row[0], row[1], row[2]), len(parts)), (row[3] - start) // MARK + 1) for row in rows]
    sums = np.zeros((len(parts), (end - start) // MARK + 1, len(COUNTED)), dtype=np.int64)
    if rows:
        at = np.array(places)
        np.add.at(sums, (at[:, 0], at[:, 1]), np.array([row[4:] for row in rows], dtype=np.int64))
    return list(parts), sums.cumsum(axis=1)


def at_minute(line: Line, seconds: float) -> float:
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


def recent_days(context: Context, count: int = 10) -> list[date]:
    """The last working days before today, by the office calendar."""
    today = local_day(epoch(context.now), context.regency.zone)
    office = calendars(context.regency)["office"]
    days = [today - timedelta(days=number) for number in range(1, 3 * count)]
    return [day for day in days if office.is_working_day(day)][:count]


def covered_days(context: Context, sources: Collection[str], days: Sequence[date], version: Versions) -> dict[str, set[date]]:
    """Per source: those of the days that it covers completely."""
    starts = {day_start(day, context.regency.zone): day for day in days}

    def read() -> dict[str, set[date]]:
        found: dict[str, set[date]] = {source: set() for source in sources}
        with context.engine.connect() as connection:
            rows = connection.execute(select(covered.c.source, covered.c.day).where(
                covered.c.source.in_(sources), covered.c.day.in_(starts), covered.c.complete
            ))
            for source, start in rows:
                found[source].add(starts[start])
        return found

    return kept(context, ("covered", tuple(sorted(sources)), tuple(days)), version.seq, read)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile (linear interpolation)."""
    ordered = sorted(values)

    def at(share: float) -> float:
        place = (len(ordered) - 1) * share
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return at(0.25), at(0.5), at(0.75)


def band_of(values: Sequence[float], needed: int) -> Band | None:
    """The typical band of comparable days' values; ``None`` with fewer than needed."""
    if len(values) < needed:
        return None
    low, middle, high = quartiles(values)
    return Band(low, middle, high, len(values))


def next_mark(now: int) -> int:
    """The next ten-minute mark."""
    return now // MARK * MARK + MARK


def feeding(context: Context) -> set[Part]:
    """Every (source, agency, kind) that ever had a case, of the declared sources."""

    def last() -> int | None:
        with context.engine.connect() as connection:
            found: int | None = connection.execute(select(func.max(dimension.c.id))).scalar()  # dimensions only ever come
        return found

    newest = last() if context.seen is None else kept(context, "newest", context.seen, last)

    def read() -> set[Part]:
        statement = select(dimension.c.source, dimension.c.agency, dimension.c.kind).distinct()
        with context.engine.connect() as connection:
            found = {(row.source, row.agency, row.kind) for row in connection.execute(statement)}
        return {part for part in found if part[0] in context.regency.sources}

    return kept(context, "feeding", newest, read)
