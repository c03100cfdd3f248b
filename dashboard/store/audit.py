"""The audit: append-only (a trigger refuses anything else), each row hashed together with the one before."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from dashboard.clock import epoch
from dashboard.store.dialect import one_at_a_time
from dashboard.store.tables import audit

GENESIS = bytes(32)


def _hash(previous: bytes, at: int, who: str, what: str, detail: str) -> bytes:
    return hashlib.sha256(previous + json.dumps([at, who, what, detail], ensure_ascii=False).encode()).digest()


def append(connection: Connection, who: str, what: str, detail: dict[str, Any], now: datetime) -> None:
    """Add a row in the caller's transaction (a writing one), alone until it ends: rows chain one after the other."""
    one_at_a_time(connection, "audit")
    previous = connection.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)).scalar() or GENESIS
    at, text = epoch(now), json.dumps(detail, sort_keys=True, ensure_ascii=False)
    connection.execute(insert(audit).values(
        at=at, who=who, what=what, detail=text, previous=bytes(previous), hash=_hash(bytes(previous), at, who, what, text)
    ))


def broken_at(connection: Connection) -> int | None:
    """The number of the first row that does not fit its chain; ``None`` when the chain is whole."""
    previous = GENESIS
    for row in connection.execute(select(audit).order_by(audit.c.id)):
        if bytes(row.previous) != previous or bytes(row.hash) != _hash(previous, row.at, row.who, row.what, row.detail):
            return int(row.id)
        previous = bytes(row.hash)
    return None
