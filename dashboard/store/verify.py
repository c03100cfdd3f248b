"""Recomputes everything stored from the cases, by other code than wrote it, and lists what differs."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Engine, func, select

from dashboard.clock import day_start
from dashboard.store.derived import histogram_rows
from dashboard.store.dimensions import ANY
from dashboard.store.read import TEN_KEPT_SECONDS
from dashboard.store.tables import COUNTS, GRAINS, case, cell, dimension, dirty, histogram, run

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.declarations import Regency


class Difference(NamedTuple):
    """One stored number that the cases do not bear out. ``key``: grain, period and names, or a histogram's."""

    what: str
    key: tuple[str, ...]
    stored: float
    expected: float

    def __str__(self) -> str:
        return f"{self.what} {' '.join(self.key)}: stored {self.stored}, from the cases {self.expected}"


def verify(engine: Engine, regency: Regency) -> list[Difference]:
    """All differences between the store and its cases; none is right. Streams the cases once."""
    return [*_cells(engine, regency.zone), *_histograms(engine, regency)]


def _start(grain: str, at: int, zone: ZoneInfo) -> int:
    moment = datetime.fromtimestamp(at, zone)
    if grain == "month":
        return day_start(moment.date().replace(day=1), zone)
    if grain == "day":
        return day_start(moment.date(), zone)
    if grain == "hour":
        return at - moment.minute * 60 - moment.second
    return at - moment.minute % 10 * 60 - moment.second


def _named(row: Any) -> tuple[str, ...]:
    return ("?",) if row is None else tuple(str(part) for part in tuple(row)[1:])


def _cells(engine: Engine, zone: ZoneInfo) -> list[Difference]:
    expected: Counter[tuple[str, int, int, str]] = Counter()
    with engine.connect() as connection:
        dims = {row.id: row for row in connection.execute(select(dimension))}
        by_names = {tuple(row)[1:]: row.id for row in dims.values()}
        tens = {
            row.id: by_names.get((row.source, row.agency, row.service, ANY, ANY, row.kind), -1) for row in dims.values()
        }
        # Every run keeps ten-minute cells for 14 weeks before its own start: what the newest one keeps, all of them kept.
        newest = connection.execute(select(func.max(run.c.started_at))).scalar()
        oldest_ten = None if newest is None else int(newest) - TEN_KEPT_SECONDS + 600
        columns = (case.c.dim, case.c.submitted_at, case.c.ended_at, case.c.ended_as, case.c.on_time, case.c.worked_seconds)
        rows = connection.execution_options(yield_per=5000).execute(select(*columns).where(case.c.deleted_at.is_(None)))
        for dim, submitted, ended, ended_as, on_time, worked in rows:
            events = [("received", submitted, 1)]
            if ended is not None or ended_as is None:
                events.append(("opened", submitted, 1))
            if ended is not None:
                events.append(("left", max(submitted, ended), 1))
                events.append((ended_as, ended, 1))
                if ended_as == "completed" and on_time is not None:
                    events += [("completed_judged", ended, 1), ("completed_on_time", ended, int(on_time))]
                if ended_as == "completed" and worked is not None and ended >= submitted:
                    events.append(("worked_seconds", ended, worked))
            for name, at, amount in events:
                for grain in ("hour", "day", "month"):
                    expected[grain, _start(grain, at, zone), dim, name] += amount
                if oldest_ten is not None and _start("ten", at, zone) >= oldest_ten:
                    expected["ten", _start("ten", at, zone), tens[dim], name] += amount
        grains = {number: name for name, number in GRAINS.items()}
        stored: Counter[tuple[str, int, int, str]] = Counter()
        for row in connection.execute(select(cell)):
            if row.grain == GRAINS["ten"] and (oldest_ten is None or row.period < oldest_ten):
                continue
            for name in COUNTS:
                if value := getattr(row, name):
                    stored[grains[row.grain], row.period, row.dim, name] = value
    return [
        Difference(f"cell {name}", (grain, str(period), *_named(dims.get(dim))),
                   stored[grain, period, dim, name], expected[grain, period, dim, name])
        for grain, period, dim, name in sorted(set(stored) | set(expected))
        if stored[grain, period, dim, name] != expected[grain, period, dim, name]
    ]


def _histograms(engine: Engine, regency: Regency) -> list[Difference]:
    found: list[Difference] = []
    with engine.connect() as connection:
        waiting = {(row.month, row.agency, row.service) for row in connection.execute(select(dirty))}
        keys = connection.execute(
            select(histogram.c.month, histogram.c.agency, histogram.c.service).distinct()
        ).all()
        for month, agency, service in keys:
            if (month, agency, service) in waiting:
                continue
            expected = {row[:6]: row[6:] for row in histogram_rows(connection, regency, month, agency, service)}
            stored = {
                tuple(row)[:6]: (bytes(row.counts), row.n) for row in connection.execute(select(histogram).where(
                    histogram.c.month == month, histogram.c.agency == agency, histogram.c.service == service))
            }
            found += [
                Difference(
                    "histogram", tuple(str(part) for part in key), stored.get(key, (b"", 0))[1], expected.get(key, (b"", 0))[1]
                ) for key in sorted(set(stored) | set(expected)) if stored.get(key) != expected.get(key)
            ]
    return found
