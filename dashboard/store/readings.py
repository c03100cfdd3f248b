"""Stores readings by their key: source, metric, scope, grain, period."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from dashboard.cases import Rejected
from dashboard.clock import epoch
from dashboard.store import dialect
from dashboard.store.changes import announce
from dashboard.store.engine import writing
from dashboard.store.lease import fence
from dashboard.store.read import Read
from dashboard.store.tables import reading, rejected
from dashboard.store.trouble import whole

ReadingKey = tuple[str, str, str, int]
"""Metric, scope, grain, period."""


class ReadingRow(NamedTuple):
    """One published value. ``period``: epoch seconds of its start; ``value`` ``None``: published as missing."""

    metric: str
    scope: str
    grain: str
    period: int
    agency: str
    value: float | None
    published_at: int | None

    @property
    def key(self) -> ReadingKey:
        """What makes it the same reading as another."""
        return self.metric, self.scope, self.grain, self.period


def known_readings(connection: Connection, source: str) -> dict[ReadingKey, tuple[str, float | None]]:
    """The stored readings of a source: key → (agency, value)."""
    rows = connection.execute(select(reading).where(reading.c.source == source))
    return {(row.metric, row.scope, row.grain, row.period): (row.agency, row.value) for row in rows}


@whole
def store_readings(read: Read, rows: Sequence[ReadingRow], rejects: Sequence[Rejected]) -> None:
    """Store one page in one transaction; counts new and changed ones in the run."""
    latest = {row.key: row for row in rows}
    with writing(read.engine).begin() as connection:
        fence(connection, read.token)
        known = known_readings(connection, read.source.id)
        new = [row for key, row in latest.items() if key not in known]
        changed = [row for key, row in latest.items() if key in known and known[key] != (row.agency, row.value)]
        columns = ("source", "metric", "scope", "grain", "period", "agency", "value", "published_at", "run")
        sets = ", ".join(f'"{name}" = excluded."{name}"' for name in columns[5:])
        dialect.insert_many(
            connection, reading, columns, [(read.source.id, *row, read.run_id) for row in (*new, *changed)],
            f'ON CONFLICT ("source", "metric", "scope", "grain", "period") DO UPDATE SET {sets}',
        )
        dialect.insert_many(
            connection, rejected, ("source", "run", "at", "reason", "field", "page", "line", "key", "raw"),
            [(read.source.id, read.run_id, epoch(read.started), row.reason, row.field, row.page, row.line, None,
              json.dumps(row.raw)) for row in rejects],
        )
        if new or changed:
            announce(connection, read.source.id, {"readings"})
    for name, count in (("rows_read", len(rows) + len(rejects)), ("rows_new", len(new)),
                        ("rows_changed", len(changed)), ("rows_rejected", len(rejects)), ("pages", 1)):
        read.counts[name] += count
