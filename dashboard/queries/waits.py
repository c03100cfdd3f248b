"""Waits of visits: kept in process by stretches of 24 hours until the stamps of one of them change.

Reading 30 days of waits takes a tenth of a second at 5 million cases; comparing 30 sums from the index of waits a tenth of that.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from dashboard.clock import DAY
from dashboard.queries.answers import Context
from dashboard.queries.day_facts import Served
from dashboard.queries.volumes import kept
from dashboard.store.durations import durations
from dashboard.store.tables import case, dimension

Waits = dict[Served, NDArray[np.float64]]
"""(agency, service, kind) → minutes from submission until the call, of the visits called in a span."""


def waits_in(context: Context, start: int, end: int) -> Waits:
    """The waits of the visits called in [start, end), epoch seconds."""
    marks = _fingerprints(context, start, end)
    parts: defaultdict[Served, list[NDArray[np.float64]]] = defaultdict(list)
    for at, mark in marks.items():
        def read(at: int = at) -> Waits:
            return _read(context, at, min(at + DAY, end))

        for served, minutes in kept(context, ("waits", at, end - at < DAY), mark, read).items():
            parts[served].append(minutes)
    return {served: np.concatenate(minutes) for served, minutes in parts.items()}


def _fingerprints(context: Context, start: int, end: int) -> dict[int, tuple[int, ...]]:
    """Start of each stretch → sums over its visits that differ when anything about their waits does."""
    number = (case.c.accepted_at - start) // DAY
    told = case.c.accepted_at, case.c.submitted_at, case.c.dim, case.c.dim * case.c.submitted_at % 1_000_003
    sums = [func.sum(column) for column in told]
    statement = select(number, func.count(), *sums).where(
        case.c.accepted_at >= start, case.c.accepted_at < end, case.c.deleted_at.is_(None)
    ).group_by(number)
    with context.engine.connect() as connection:
        return {start + int(row[0]) * DAY: tuple(int(count) for count in row[1:]) for row in connection.execute(statement)}


def _read(context: Context, start: int, end: int) -> Waits:
    with context.engine.connect() as connection:
        found = durations(
            connection, context.regency, measure="wait", start=start, end=end, by=("agency", "service", "kind"),
            where=(dimension.c.kind == "visit",),
        )
    return {(key[0], key[1], key[2]): np.array(one.values) for key, one in found.items() if one.values}
