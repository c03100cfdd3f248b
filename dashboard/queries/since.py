"""What the store says today of a past instant: figures that a screen showed then, and what was learnt of that day since.

A screen's panels count all of today and judge sources by their present state; a past instant is asked of the cases
themselves: those submitted, ended and open by then, as they are known now. All sources count, whatever they were then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, not_, or_, select
from sqlalchemy import case as sql_case

from dashboard.clock import day_start, epoch, local_day
from dashboard.metrics import METRICS, Unit
from dashboard.queries.answers import Context
from dashboard.store.tables import case, dimension, revision, run

KIND = "request"
FIGURES: Mapping[str, tuple[str, str]] = {
    "received_today": ("figure", "received"), "completed_today": ("figure", "completed"),
    "on_time_today": ("figure", "on_time_rate"), "overdue_now": ("figure", "overdue"),
}
"""Panel → (the id in it that holds the figure, its metric). Other panels are not compared, and replay says so."""


@dataclass(frozen=True)
class Known:
    """A figure of an instant as known now. ``value`` in the metric's unit; ``None``: nothing to judge. ``cases``: behind a rate."""

    metric: str
    value: float | None
    cases: int | None = None

    @property
    def decimals(self) -> int:
        """As many as a screen shows."""
        return 1 if METRICS[self.metric].unit is Unit.PERCENT else 0


@dataclass(frozen=True)
class Learnt:
    """What runs after an instant changed of the cases of its day up to it, by source: how many were new, revised, deleted."""

    source: str
    new: int
    revised: int
    deleted: int


def figures_at(context: Context) -> dict[str, Known]:
    """The compared figures (by metric) of the instant ``context.now``, of the day of it in the regency's zone."""
    at = epoch(context.now)
    start = day_start(local_day(at, context.regency.zone), context.regency.zone)
    there = and_(case.c.deleted_at.is_(None), dimension.c.kind == KIND)
    ended = and_(case.c.ended_at >= start, case.c.ended_at <= at, case.c.ended_as != "cancelled", there)
    with context.engine.connect() as connection:
        received = _count(connection, there, case.c.submitted_at >= start, case.c.submitted_at <= at)
        completed = _count(connection, ended)
        judged = _count(connection, ended, case.c.on_time.is_not(None))
        on_time = _count(connection, ended, case.c.on_time.is_(True))
        left = sql_case((case.c.ended_at > case.c.submitted_at, case.c.ended_at), else_=case.c.submitted_at)
        is_open = or_(case.c.ended_as.is_(None), and_(case.c.ended_at.is_not(None), left > at))
        overdue = _count(connection, there, case.c.due_at < at, case.c.submitted_at <= at, is_open)
    return {
        "received": Known("received", received), "completed": Known("completed", completed),
        "on_time_rate": Known("on_time_rate", 100 * on_time / judged if judged else None, judged),
        "overdue": Known("overdue", overdue),
    }


def _count(connection: Connection, *where: object) -> int:
    statement = select(func.count()).select_from(case.join(dimension, dimension.c.id == case.c.dim)).where(*where)  # type: ignore[arg-type]
    return int(connection.execute(statement).scalar_one())


def learnt_since(context: Context) -> list[Learnt]:
    """By source, those with most first: what was learnt after ``context.now`` of the cases of its day up to it."""
    at = epoch(context.now)
    start = day_start(local_day(at, context.regency.zone), context.regency.zone)
    day = and_(case.c.submitted_at >= start, case.c.submitted_at <= at)
    late = run.c.started_at > at
    new = select(case.c.source, func.count()).join(run, run.c.id == case.c.first_run).where(day, late, case.c.deleted_at.is_(None))
    changed = (
        select(case.c.source, func.count(case.c.id.distinct())).join(revision, revision.c.case == case.c.id)
        .join(run, run.c.id == case.c.first_run).where(day, revision.c.at > at, not_(late), case.c.deleted_at.is_(None))
    )
    deleted = select(case.c.source, func.count()).where(day, case.c.deleted_at > at)
    with context.engine.connect() as connection:
        counts = [
            {source: int(count) for source, count in connection.execute(statement.group_by(case.c.source))}
            for statement in (new, changed, deleted)
        ]
    found = [
        Learnt(source, *(each.get(source, 0) for each in counts)) for source in sorted({name for each in counts for name in each})
    ]
    return sorted(found, key=lambda one: -(one.new + one.revised + one.deleted))
