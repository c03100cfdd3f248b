"""The list of changes: one row per transaction that changed something, numbered in the order of commits."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, text

from dashboard.store.dialect import notify, upsert
from dashboard.store.tables import changed, meta

KEPT_CHANGES = 20_000


@dataclass(frozen=True)
class Change:
    """``what``: of cases, history, state, gauges, readings, declarations. ``at_ms``: epoch milliseconds, just before commit."""

    seq: int
    at_ms: int
    source: str
    what: frozenset[str]


def announce(connection: Connection, source: str, what: Iterable[str]) -> int:
    """Number this transaction's change, last in it: the lock on the counter makes the numbers' order that of commits."""
    words = frozenset(what)
    seq = int(connection.execute(
        text("UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE key = 'seq' RETURNING value")
    ).scalar_one())
    connection.execute(insert(changed).values(
        seq=seq, at=time.time_ns() // 1_000_000, source=source, what=" ".join(sorted(words))
    ))
    if "history" in words:
        upsert(connection, meta, ("key",), {"key": "history", "value": str(seq)})
    if seq % 1000 == 0:
        connection.execute(changed.delete().where(changed.c.seq <= seq - KEPT_CHANGES))
    notify(connection, "figures")
    return seq


def last_seq(connection: Connection) -> int:
    """The number of the last committed change."""
    return int(connection.execute(text("SELECT value FROM meta WHERE key = 'seq'")).scalar_one())


def versions(connection: Connection) -> tuple[int, int]:
    """(number of the last change, number of the last change to earlier days), for caches."""
    found = {key: int(value) for key, value in connection.execute(
        select(meta.c.key, meta.c.value).where(meta.c.key.in_(("seq", "history")))
    )}
    return found.get("seq", 0), found.get("history", 0)


def changes_after(connection: Connection, seq: int) -> list[Change]:
    """Changes numbered above ``seq``, in order."""
    rows = connection.execute(select(changed).where(changed.c.seq > seq).order_by(changed.c.seq))
    return [Change(row.seq, row.at, row.source, frozenset(row.what.split())) for row in rows]
