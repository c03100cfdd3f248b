"""What operators look through: held reads, rows put aside, what later runs changed. Frames with documented columns.

Never raw values of rows put aside; a case is named by the first eight characters of its keyed hash.
"""

from __future__ import annotations

import base64
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import func, select

from dashboard.clock import day_start, utc
from dashboard.queries.answers import Context
from dashboard.store.holds import holds as all_holds
from dashboard.store.tables import case, rejected, revision

CASE_LETTERS = 8
HELD = ("source", "guard", "since", "counts", "decision", "who", "why", "reason")
PUT_ASIDE = ("source", "field", "reason", "rows", "replayable", "first", "last")
REVISED = ("at", "source", "case", "field", "before", "after", "run")


def held(context: Context, language: str = "id") -> pd.DataFrame:
    """Held sources, the longest held first. Columns: ``HELD``; ``since`` in the regency's zone; ``decision`` "" while it waits."""
    with context.engine.connect() as connection:
        found = all_holds(connection)
    return pd.DataFrame([
        (one.source, one.guard, _shown(context, one.since), ", ".join(f"{name} {count}" for name, count in one.counts.items()),
         one.decision or "", one.who or "", one.why or "", one.message_id if language == "id" else one.message_en)
        for one in found
    ], columns=list(HELD))


def put_aside(context: Context, source: str | None = None) -> pd.DataFrame:
    """Rows put aside by source, field and reason, most first. Columns: ``PUT_ASIDE``; ``rows`` (int64), ``replayable``: those
    that carry their case's key; ``first`` and ``last`` when they were put aside, in the regency's zone.
    """
    table = rejected.c
    statement = select(
        table.source, table.field, table.reason, func.count(), func.count(table.key), func.min(table.at), func.max(table.at)
    ).group_by(table.source, table.field, table.reason).order_by(func.count().desc(), table.source, table.field, table.reason)
    if source is not None:
        statement = statement.where(table.source == source)
    with context.engine.connect() as connection:
        rows = connection.execute(statement).all()
    return pd.DataFrame([
        (*row[:5], _shown(context, row[5]), _shown(context, row[6])) for row in rows
    ], columns=list(PUT_ASIDE)).astype({"rows": "int64", "replayable": "int64"})


def revisions(
    context: Context, *, source: str | None = None, since: date | None = None, until: date | None = None, most: int = 1000
) -> pd.DataFrame:
    """What later runs changed in cases, the newest first. Columns: ``REVISED``; ``at``: when we learnt it, in the regency's zone.

    ``until`` is inclusive. Stamps among the values are epoch seconds, as stored; a tombstone is a ``deleted_at``.
    """
    zone = context.regency.zone
    statement = select(
        revision.c.at, case.c.source, case.c.key, revision.c.field, revision.c.before, revision.c.after, revision.c.run
    ).join_from(revision, case, case.c.id == revision.c.case).order_by(revision.c.id.desc()).limit(most)
    if source is not None:
        statement = statement.where(case.c.source == source)
    if since is not None:
        statement = statement.where(revision.c.at >= day_start(since, zone))
    if until is not None:
        statement = statement.where(revision.c.at < day_start(until + timedelta(days=1), zone))
    with context.engine.connect() as connection:
        rows = connection.execute(statement).all()
    return pd.DataFrame([
        (_shown(context, at), of, base64.b32encode(bytes(key)).decode()[:CASE_LETTERS], field, before or "", after or "", run)
        for at, of, key, field, before, after, run in rows
    ], columns=list(REVISED)).astype({"run": "int64"})


def _shown(context: Context, at: int) -> str:
    return utc(at).astimezone(context.regency.zone).strftime("%Y-%m-%d %H:%M:%S")
