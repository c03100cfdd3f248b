"""The runs of every source in the last 24 hours, hour by hour: what went well and what did not.

Runs of hours gone by do not change, so only those that are new since the last question are read.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from dashboard.cases import Outcome
from dashboard.clock import HOUR, epoch, floors
from dashboard.queries.answers import Context
from dashboard.queries.volumes import kept
from dashboard.store.tables import run, source_state

HOURS = 24
COLLECTING = ("collect", "reconcile")
WORST_FIRST = (Outcome.FAILED, Outcome.REJECTED, Outcome.CHANGED, Outcome.HELD, Outcome.UNAVAILABLE)
BEST_LAST = (Outcome.PARTIAL, Outcome.OK, Outcome.EMPTY)
GIVEN_UP_SECONDS = HOUR
"""A run that has no end after an hour was killed: no deadline is as long."""


class Hour(NamedTuple):
    """One clock hour of a source: ``good`` is partial, ok, empty or "" (none), ``bad`` the worst other outcome or ""."""

    good: str = ""
    bad: str = ""


class Last(NamedTuple):
    """How a source's last finished run ended: its outcome, the step it failed in, the rows that were put aside.

    ``again_at``: until when it is left alone (epoch seconds), when it asked for a pause or refused our credentials.
    """

    outcome: str
    step: str
    rejected: int
    again_at: int | None = None


class _Counted:
    """Outcomes by source and hour up to a run; the lock keeps two questions at once apart."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.upto = 0
        self.hours: dict[tuple[str, int], Counter[str]] = {}

    def forget(self, first: int) -> None:
        """Drop what is older than the first hour (epoch seconds)."""
        for key in [key for key in self.hours if key[1] < first]:
            del self.hours[key]


def _first_run(connection: Connection, since: int) -> int:
    """The id of the first run that began at or after ``since`` (runs are numbered as they begin), by halving."""
    low, high = 0, int(connection.execute(select(func.coalesce(func.max(run.c.id), 0))).scalar_one()) + 1
    while low + 1 < high:
        middle = (low + high) // 2
        began = connection.execute(select(run.c.started_at).where(run.c.id >= middle).order_by(run.c.id).limit(1)).scalar()
        low, high = (low, middle) if began is None or began >= since else (middle, high)
    return high


def hours_of_runs(context: Context) -> tuple[int, dict[str, tuple[Hour, ...]]]:
    """(start of the first hour, source → its 24 clock hours, the running one last). A source that never ran has no entry."""
    now = epoch(context.now)
    first = floors(now, context.regency.zone)[1] - (HOURS - 1) * HOUR
    counted = kept(context, "runs", None, _Counted)
    with counted.lock, context.engine.connect() as connection:
        found = _count(connection, context, counted, first, now)
    hours: dict[str, list[Hour]] = {}
    for (source, hour), outcomes in found.items():
        at = (hour - first) // HOUR
        if 0 <= at < HOURS:
            hours.setdefault(source, [Hour()] * HOURS)[at] = _said(outcomes)
    return first, {source: tuple(line) for source, line in hours.items()}


def _count(
    connection: Connection, context: Context, counted: _Counted, first: int, now: int
) -> dict[tuple[str, int], Counter[str]]:
    """Outcomes by source and hour. What comes after a run that is still under way is read again next time."""
    newest = connection.execute(select(func.coalesce(func.max(run.c.id), 0))).scalar_one()
    if newest < counted.upto:  # another store came in its place
        counted.upto = 0
        counted.hours.clear()
    if not counted.upto:
        counted.upto = _first_run(connection, first) - 1
    counted.forget(first)
    found = counted.hours
    rows = connection.execute(
        select(run.c.id, run.c.source, run.c.started_at, run.c.outcome, run.c.what)
        .where(run.c.id > counted.upto).order_by(run.c.id)
    )
    settled = True
    for identity, source, started, outcome, what in rows:
        if settled and outcome is None and started > now - GIVEN_UP_SECONDS:
            settled, found = False, {key: Counter(counts) for key, counts in found.items()}
        if outcome is not None and what in COLLECTING:
            hour = floors(int(started), context.regency.zone)[1]
            found.setdefault((source, hour), Counter())[outcome] += 1
        if settled:
            counted.upto = identity
    return found


def _said(outcomes: Collection[str]) -> Hour:
    good = next((one.value for one in BEST_LAST if one.value in outcomes), "")
    return Hour(good, next((one.value for one in WORST_FIRST if one.value in outcomes), ""))


def last_runs(context: Context, sources: Collection[str]) -> dict[str, Last]:
    """How the last finished run of each of these sources ended."""
    found: dict[str, Last] = {}
    with context.engine.connect() as connection:
        for source in sources:
            row = connection.execute(
                select(run.c.outcome, run.c.step, run.c.rows_rejected)
                .where(run.c.source == source, run.c.outcome.is_not(None), run.c.what.in_(COLLECTING))
                .order_by(run.c.id.desc()).limit(1)
            ).first()
            if row is not None:
                again = connection.execute(select(source_state.c.next_run_at).where(source_state.c.source == source)).scalar()
                found[source] = Last(
                    row.outcome, row.step or "", row.rows_rejected, again if again and again > epoch(context.now) else None,
                )
    return found
