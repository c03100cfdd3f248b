"""What whole past days held by district: sums of day and month cells by (source, agency, kind, district), never of cases.

Read at most once a minute, and only when an earlier day changed (see ``volumes.settled``): whoever asks in between shares it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select

from dashboard.clock import day_start, next_month
from dashboard.queries.answers import Context
from dashboard.queries.volumes import Versions, kept, settled
from dashboard.store.tables import GRAINS, cell, dimension

Place = tuple[str, str, str, str]
"""source, agency, kind, district (a code, "" for not provided, "?" for unknown, "outside")."""
SUMMED = ("received", "completed", "completed_judged", "completed_on_time")


class Counts(NamedTuple):
    """Cases of some days. ``judged``: completed with a standard; ``on_time``: of these."""

    received: int = 0
    completed: int = 0
    judged: int = 0
    on_time: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


def spans(first: date, until: date) -> Iterator[tuple[str, date, date]]:
    """(grain, first day, day after) that make up the days first … until (not included): whole months, and the days around."""
    whole = first if first.day == 1 else next_month(first)
    months_end = until.replace(day=1)
    if whole >= months_end:
        yield "day", first, until
        return
    if first < whole:
        yield "day", first, whole
    yield "month", whole, months_end
    if months_end < until:
        yield "day", months_end, until


def sums_by_district(context: Context, version: Versions, first: date, until: date) -> dict[Place, Counts]:
    """Counts of the days first … until (not included), in the regency's zone."""
    return kept(
        context, ("sums by district", first, until), settled(context, version), lambda: _read(context, first, until)
    )


def _read(context: Context, first: date, until: date) -> dict[Place, Counts]:
    zone = context.regency.zone
    found: dict[Place, list[int]] = {}
    with context.engine.connect() as connection:
        names = _names(context, connection)
        for grain, start, end in spans(first, until):
            statement = (
                select(cell.c.dim, *(func.sum(cell.c[name]) for name in SUMMED))
                .where(cell.c.grain == GRAINS[grain], cell.c.period >= day_start(start, zone), cell.c.period < day_start(end, zone))
                .group_by(cell.c.dim)
            )
            for dim, received, completed, judged, on_time in connection.execute(statement):
                sums = found.setdefault(names[dim], [0, 0, 0, 0])
                sums[0] += int(received)
                sums[1] += int(completed)
                sums[2] += int(judged)
                sums[3] += int(on_time)
    return {place: Counts(*sums) for place, sums in found.items()}


def _names(context: Context, connection: Any) -> dict[int, Place]:
    newest = connection.execute(select(func.max(dimension.c.id))).scalar()  # dimensions only ever come
    statement = select(dimension.c.id, dimension.c.source, dimension.c.agency, dimension.c.kind, dimension.c.district)
    return kept(context, "places", newest, lambda: {
        row.id: (row.source, row.agency, row.kind, row.district) for row in connection.execute(statement)
    })


def days_of(first: date, until: date) -> list[date]:
    """The days first … until (not included)."""
    return [first + timedelta(days=number) for number in range((until - first).days)]
