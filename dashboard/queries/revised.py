"""Which past figures were corrected since: in which periods did cases change after the period had ended (faults C10)?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select

from dashboard.clock import epoch, local_day
from dashboard.queries.answers import Context
from dashboard.queries.periods import periods
from dashboard.store.tables import case, dimension, revision

STAMPS = ("submitted_at", "ended_at")
FIELDS = (*STAMPS, "ended_as", "dim", "deleted_at")
"""What counts are made of. A first end of an open case corrects nothing that was known."""


def revised(
    context: Context, *, grain: str, since: date | None = None, until: date | None = None, agency: str | None = None,
    service: str | None = None,
) -> dict[str, int]:
    """Cases by period (its label in ISO form) whose submission, end, outcome or codes were corrected, or that were deleted, after
    the period had ended. The days are those of ``figures``: inclusive, by default the last 30.
    """
    last = until or local_day(epoch(context.now), context.regency.zone)
    spans = periods(since or last - timedelta(days=29), last, grain, context.regency.zone)
    told = (revision.c.case, revision.c.at, revision.c.field, revision.c.before, revision.c.after)
    statement = (
        select(*told, case.c.submitted_at, case.c.ended_at)
        .join_from(revision, case, case.c.id == revision.c.case).join(dimension, dimension.c.id == case.c.dim)
        .where(revision.c.at >= spans[0].end, revision.c.field.in_(FIELDS))
        .where(or_(revision.c.before.is_not(None), revision.c.field == "deleted_at"))
    )
    for column, wanted in ((dimension.c.agency, agency), (dimension.c.service, service)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    found: dict[str, set[int]] = {}
    starts = [span.start for span in spans]
    with context.engine.connect() as connection:
        for number, at, field, before, after, submitted, ended in connection.execute(statement):
            touched: Sequence[int | None] = (submitted, ended)
            if field in STAMPS:
                touched = [int(value) if value else None for value in (before, after)]
            elif field == "ended_as":
                touched = (ended,)
            for stamp in touched:
                span = spans[bisect_right(starts, stamp) - 1] if stamp is not None and stamp >= starts[0] else None
                if span is not None and stamp is not None and stamp < span.end <= at:
                    found.setdefault(span.label, set()).add(number)
    return {label: len(cases) for label, cases in sorted(found.items())}
