"""What was completed on one past day, by service: kept in process until the day's own cells change.

Reading 30 days of cases takes a second at 5 million; comparing 30 fingerprints of cells takes some milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from dashboard.clock import day_end, day_start
from dashboard.queries.answers import Context
from dashboard.queries.volumes import kept
from dashboard.store.durations import promise
from dashboard.store.tables import GRAINS, case, cell, dimension
from dashboard.worktime import Calendar

Served = tuple[str, str, str]
"""agency, service, kind."""
Seconds = NDArray[np.int64]
_UNIT_SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400, "working minutes": 60, "working hours": 3600}


@dataclass(frozen=True)
class DayFacts:
    """Of one day: ``spent``: (served, standard) → rows of (elapsed seconds, worked seconds); ``judged``: agency → (with a
    standard, on time among them)."""

    spent: dict[tuple[Served, str | None], Seconds]
    judged: dict[str, tuple[int, int]]


NOTHING = DayFacts({}, {})


def facts_of(context: Context, days: Sequence[date]) -> list[DayFacts]:
    """The facts of each day."""
    zone = context.regency.zone
    starts = {day: day_start(day, zone) for day in days}
    marks = _fingerprints(context, min(starts.values()), max(starts.values()))
    return [
        kept(context, ("day facts", day), marks[start], lambda day=day: _read(context, day))  # type: ignore[misc]
        if start in marks else NOTHING for day, start in starts.items()
    ]


def _fingerprints(context: Context, first: int, last: int) -> dict[int, tuple[int, ...]]:
    """Per day: sums over its cells that differ when anything about those who left on it does."""
    weighed = [func.sum(cell.c.dim * cell.c[name]) for name in ("completed", "worked_seconds", "completed_judged")]
    statement = (
        select(cell.c.period, func.sum(cell.c.completed), func.sum(cell.c.completed_on_time), *weighed)
        .where(cell.c.grain == GRAINS["day"], cell.c.period >= first, cell.c.period <= last).group_by(cell.c.period)
    )
    with context.engine.connect() as connection:
        return {row[0]: tuple(int(count or 0) for count in row[1:]) for row in connection.execute(statement)}


def _read(context: Context, day: date) -> DayFacts:
    start, end = day_start(day, context.regency.zone), day_end(day, context.regency.zone)
    statement = select(case.c.dim, case.c.standard, case.c.elapsed_seconds, case.c.worked_seconds, case.c.on_time).where(
        case.c.ended_at >= start, case.c.ended_at < end, case.c.ended_as == "completed", case.c.deleted_at.is_(None)
    )
    spent: defaultdict[tuple[Served, str | None], list[tuple[int, int]]] = defaultdict(list)
    judged: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    with context.engine.connect() as connection:
        names = _names(context, connection)
        for dim, standard, elapsed, worked, on_time in connection.execute(statement):
            served = names[dim]
            if elapsed is not None:
                spent[served, standard].append((elapsed, worked or 0))
            if on_time is not None:
                judged[served[0]][0] += 1
                judged[served[0]][1] += on_time
    return DayFacts(
        {key: np.array(rows, dtype=np.int64) for key, rows in spent.items()},
        {agency: (counts[0], counts[1]) for agency, counts in judged.items()},
    )


def _names(context: Context, connection: Any) -> dict[int, Served]:
    newest = connection.execute(select(func.max(dimension.c.id))).scalar()  # dimensions only ever come
    statement = select(dimension.c.id, dimension.c.agency, dimension.c.service, dimension.c.kind)
    return kept(context, "names", newest, lambda: {
        row.id: (row.agency, row.service, row.kind) for row in connection.execute(statement)
    })


def in_unit(spent: dict[str | None, Seconds], calendar: Calendar) -> tuple[NDArray[np.float64], str]:
    """Durations in the unit of the standards they were promised under, and that unit; several units: elapsed hours."""
    units = {None if standard is None else promise(standard).unit.value for standard in spent}
    unit = next(iter(units)) if len(units) == 1 else None
    if unit is None:
        return np.concatenate([rows[:, 0] for rows in spent.values()]) / 3600, "hours"
    rows = np.concatenate(list(spent.values()))
    if unit == "working days":
        return rows[:, 1] / calendar.working_day_seconds, unit
    return rows[:, int(unit.startswith("working"))] / _UNIT_SECONDS[unit], unit
