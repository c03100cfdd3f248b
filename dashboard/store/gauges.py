"""Gauges at ten-minute marks, swept from the cases: each case adds one to a metric from an instant until another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, null, select

from dashboard.clock import day_start, local_day
from dashboard.store.tables import case, dimension

MARK = 600
GAUGES = ("backlog", "overdue", "due_soon", "waiting")
SOON_SHARE = 0.8
"""A case is due soon once this share of its standard is used."""


class Standing(NamedTuple):
    """A case that stood in a backlog."""

    source: str
    agency: str
    kind: str
    submitted_at: int
    accepted_at: int | None
    ended_at: int | None
    due_at: int | None


def standing_since(connection: Connection, since: int, sources: Iterable[str] | None = None) -> Iterator[Standing]:
    """Cases that stood at some instant after ``since``: open now (from their own small index), or ended later."""
    chosen = select(dimension)
    if sources is not None:
        chosen = chosen.where(dimension.c.source.in_(list(sources)))
    dims = {row.id: (row.source, row.agency, row.kind) for row in connection.execute(chosen)}
    stamps = case.c.dim, case.c.submitted_at, case.c.accepted_at
    alive = case.c.deleted_at.is_(None)
    for statement in (
        select(*stamps, null().label("ended_at"), case.c.due_at).where(alive, case.c.ended_as.is_(None)),
        select(*stamps, case.c.ended_at, case.c.due_at).where(alive, case.c.ended_at.is_not(None), case.c.ended_at > since),
    ):
        for dim, *others in connection.execute(statement, execution_options={"yield_per": 20_000}):
            named = dims.get(dim)
            if named is not None:
                yield Standing(*named, *others)


@lru_cache(maxsize=4096)
def _day_close(slot: int, zone: ZoneInfo) -> int:
    """The end of the local day that holds a quarter of an hour."""
    return day_start(local_day(slot * 900, zone) + timedelta(days=1), zone)


def _spans(one: Standing, far: int, zone: ZoneInfo) -> Iterator[tuple[str, int, int]]:
    """(metric, from, until) of one case, half-open."""
    submitted, left = one.submitted_at, far if one.ended_at is None else max(one.submitted_at, one.ended_at)
    yield "backlog", submitted, left
    if one.kind == "visit":  # waits until it is called, at the most until its day ends
        called = one.accepted_at if one.accepted_at is not None else left
        yield "waiting", submitted, min(called, left, _day_close(submitted // 900, zone))
    elif one.due_at is not None:  # on time up to and including due_at
        yield "overdue", max(one.due_at + 1, submitted), left
        yield "due_soon", submitted + int((one.due_at - submitted) * SOON_SHARE), min(left, one.due_at + 1)


Line = NDArray[np.int64]


def lines(cases: Iterable[Standing], start: int, count: int, zone: ZoneInfo) -> dict[tuple[str, str, str], Line]:
    """(source, agency, metric) → its value at each of ``count`` marks from ``start`` on."""
    changes: dict[tuple[str, str, str], list[int]] = {}
    far = start + count * MARK
    for one in cases:
        for metric, begins, ends in _spans(one, far, zone):
            first = min(max(0, -(-(begins - start) // MARK)), count)  # the first mark at or after the instant
            last = min(max(0, -(-(ends - start) // MARK)), count)
            if last > first:
                line = changes.get((one.source, one.agency, metric))
                if line is None:
                    line = changes[one.source, one.agency, metric] = [0] * (count + 1)
                line[first] += 1
                line[last] -= 1
    return {key: np.cumsum(np.array(line[:-1], dtype=np.int64)) for key, line in changes.items()}


def rows(found: dict[tuple[str, str, str], Line], start: int, *, derived: bool) -> Iterator[tuple[Any, ...]]:
    """Rows of the gauge table: values that are not zero, and the zero after them; a mark without a row is zero."""
    for (source, agency, metric), line in found.items():
        before = np.r_[0, line[:-1]]
        for number in np.flatnonzero((line != 0) | (before != 0)).tolist():
            yield start + number * MARK, source, agency, metric, float(line[number]), derived
