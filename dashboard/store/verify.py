"""Recomputes everything stored from the cases, by other code than wrote it, and lists what differs.

Month by month, so that memory does not grow with the history, and all in one transaction that only reads: a collection that
goes on meanwhile is not seen. Histograms are compared under the declarations given: after a change of calendars ``recompute``
comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, func, select

from dashboard.clock import day_start, local_day, next_month
from dashboard.store.derived import TEN_FROM, histogram_rows
from dashboard.store.dimensions import ANY
from dashboard.store.read import TEN_KEPT_SECONDS
from dashboard.store.tables import COUNTS, GRAINS, case, cell, dimension, dirty, histogram, meta, run

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.declarations import Regency

Key = tuple[str, int, int]
"""grain, period, dimension."""
_PLACE = {name: place for place, name in enumerate(COUNTS)}
_NOTHING = [0] * len(COUNTS)
_FETCHED = 20_000


class Difference(NamedTuple):
    """One stored number that the cases do not bear out. ``key``: grain, period and names, or a histogram's."""

    what: str
    key: tuple[str, ...]
    stored: float
    expected: float

    def __str__(self) -> str:
        return f"{self.what} {' '.join(self.key)}: stored {self.stored}, from the cases {self.expected}"


def verify(engine: Engine, regency: Regency) -> list[Difference]:
    """All differences between the store and its cases; none is right."""
    found: list[Difference] = []
    with engine.connect() as connection:
        orphans = select(case.c.dim, func.count()).where(case.c.dim.not_in(select(dimension.c.id))).group_by(case.c.dim)
        for dim, count in connection.execute(orphans):
            found.append(Difference("cases without a dimension", (str(dim),), count, 0))
        cells = _Cells(connection, regency.zone)
        for month, close in _months(connection, regency.zone):
            found += cells.differences(month, close)
            found += _histograms(connection, regency, month)
    return found


def _months(connection: Connection, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """[start, end) of every month that has a case's stamp, a cell or a histogram."""
    columns = (case.c.submitted_at, case.c.ended_at, case.c.accepted_at, case.c.first_response_at, cell.c.period, histogram.c.month)
    edges = [connection.execute(select(edge(column))).scalar() for column in columns for edge in (func.min, func.max)]
    known = [edge for edge in edges if edge is not None]
    if not known:
        return
    day, last = local_day(min(known), zone).replace(day=1), local_day(max(known), zone)
    while day <= last:
        yield day_start(day, zone), day_start(next_month(day), zone)
        day = next_month(day)


@lru_cache(maxsize=65536)
def _starts(minute: int, zone: ZoneInfo) -> dict[str, int]:
    """The starts of the periods that hold a minute (of the epoch)."""
    at = minute * 60
    moment = datetime.fromtimestamp(at, zone)
    return {
        "ten": at - moment.minute % 10 * 60, "hour": at - moment.minute * 60, "day": day_start(moment.date(), zone),
        "month": day_start(moment.date().replace(day=1), zone),
    }


class _Cells:
    """The cells that the cases ask for, month by month of what happened."""

    def __init__(self, connection: Connection, zone: ZoneInfo) -> None:
        self.connection, self.zone = connection, zone
        self.dims = {row.id: tuple(row)[1:] for row in connection.execute(select(dimension))}
        by_names = {names: number for number, names in self.dims.items()}
        place = [column.name for column in dimension.c][1:]
        self.tens = {
            number: by_names.get(tuple(ANY if place[i] in ("channel", "district") else name for i, name in enumerate(names)), -1)
            for number, names in self.dims.items()
        }
        # Every run keeps ten-minute cells for 14 weeks before its own start: what the newest one keeps, all of them kept;
        # and what the leader dropped since is gone by right.
        newest = connection.execute(select(func.max(run.c.started_at))).scalar()
        dropped = connection.execute(select(meta.c.value).where(meta.c.key == TEN_FROM)).scalar()
        self.ten_from = max(int(newest or 0) - TEN_KEPT_SECONDS + 600, int(dropped or 0))
        self.sources = select(dimension.c.source).distinct()

    def differences(self, month: int, close: int) -> list[Difference]:
        """Of the cells of one month."""
        expected: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
        for dim, at, counts in self._events(month, close):
            starts = _starts(at // 60, self.zone)
            keys = [(grain, starts[grain], dim) for grain in ("hour", "day", "month")]
            if starts["ten"] >= self.ten_from:
                keys.append(("ten", starts["ten"], self.tens.get(dim, -1)))
            for key in keys:
                sums = expected[key]
                for place, amount in counts:
                    sums[place] += amount
        found = []
        for key, stored in self._stored(month, close):
            told = expected.pop(key, _NOTHING)
            if stored != told:
                found += self._told(key, stored, told)
        for key, told in expected.items():
            found += self._told(key, _NOTHING, told)
        return sorted(found)

    def _stored(self, month: int, close: int) -> Iterator[tuple[Key, list[int]]]:
        columns = (cell.c.period, cell.c.dim, *(cell.c[name] for name in COUNTS))
        for grain, number in GRAINS.items():
            for period, dim, *counts in self._rows(
                select(*columns).where(cell.c.grain == number, cell.c.period >= month, cell.c.period < close)
            ):
                if grain != "ten" or period >= self.ten_from:
                    yield (grain, period, dim), counts

    def _told(self, key: Key, stored: list[int], told: list[int]) -> list[Difference]:
        grain, period, dim = key
        names = (grain, str(period), *self.dims.get(dim, ("?",)))
        return [
            Difference(f"cell {name}", names, one, other)
            for name, one, other in zip(COUNTS, stored, told, strict=True) if one != other
        ]

    def _events(self, month: int, close: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
        """(dimension, instant, amounts by place in COUNTS) of all that happened in a month."""
        alive = case.c.deleted_at.is_(None)
        submitted = select(case.c.dim, case.c.submitted_at, case.c.ended_at, case.c.ended_as).where(
            alive, case.c.source.in_(self.sources), case.c.submitted_at >= month, case.c.submitted_at < close)
        for dim, at, ended, ended_as in self._rows(submitted):
            counts = [(_PLACE["received"], 1)]
            if ended is not None or ended_as is None:
                counts.append((_PLACE["opened"], 1))
            if ended is not None and ended < at:
                counts.append((_PLACE["left"], 1))
            yield dim, at, counts
        columns = (case.c.dim, case.c.submitted_at, case.c.ended_at, case.c.ended_as, case.c.on_time, case.c.worked_seconds)
        ended_in = select(*columns).where(
            alive, case.c.ended_at.is_not(None), case.c.ended_at >= month, case.c.ended_at < close)
        for dim, at, ended, ended_as, on_time, worked in self._rows(ended_in):
            counts = [(_PLACE[ended_as], 1)]
            if ended >= at:
                counts.append((_PLACE["left"], 1))
            if ended_as == "completed" and on_time is not None:
                counts += [(_PLACE["completed_judged"], 1), (_PLACE["completed_on_time"], int(on_time))]
            if ended_as == "completed" and worked is not None and ended >= at:
                counts.append((_PLACE["worked_seconds"], worked))
            yield dim, ended, counts

    def _rows(self, statement: Select[Any]) -> Iterator[Any]:
        return iter(self.connection.execute(statement, execution_options={"yield_per": _FETCHED}))


def _histograms(connection: Connection, regency: Regency, month: int) -> list[Difference]:
    """Of one month's histograms, those left out that wait to be derived."""
    waiting = {tuple(row) for row in connection.execute(select(dirty.c.agency, dirty.c.service).where(dirty.c.month == month))}
    expected = {row[:6]: row[6:] for row in histogram_rows(connection, regency, month) if row[1:3] not in waiting}
    stored = {
        tuple(row)[:6]: (bytes(row.counts), row.n)
        for row in connection.execute(select(histogram).where(histogram.c.month == month)) if tuple(row)[1:3] not in waiting
    }
    return [
        Difference("histogram", tuple(str(part) for part in key), stored.get(key, (b"", 0))[1], expected.get(key, (b"", 0))[1])
        for key in sorted(stored.keys() | expected.keys()) if stored.get(key) != expected.get(key)
    ]
