"""What a command asks of the living leader: a row in a table, taken, done, answered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, insert, select, update

from dashboard import clock
from dashboard.clock import epoch
from dashboard.store.engine import writing
from dashboard.store.lease import leader
from dashboard.store.tables import request

POLL_SECONDS = 0.1


class Asked(NamedTuple):
    """One request: what (collect, recompute) with which arguments."""

    id: int
    what: str
    arguments: dict[str, Any]


def ask(engine: Engine, what: str, arguments: dict[str, Any], now: datetime) -> int:
    """Leave a request; returns its number."""
    with writing(engine).begin() as connection:
        return int(connection.execute(
            insert(request).values(what=what, arguments=json.dumps(arguments), asked_at=epoch(now)).returning(request.c.id)
        ).scalar_one())


def take(engine: Engine, now: datetime) -> Asked | None:
    """The oldest request that nobody took, now taken; ``None`` when there is none."""
    with engine.connect() as connection:  # most of the time there is none: do not take the write lock for that
        if connection.execute(select(request.c.id).where(request.c.taken_at.is_(None)).limit(1)).first() is None:
            return None
    with writing(engine).begin() as connection:
        row = connection.execute(
            select(request).where(request.c.taken_at.is_(None)).order_by(request.c.id).limit(1).with_for_update()
        ).first()
        if row is None:
            return None
        connection.execute(update(request).where(request.c.id == row.id).values(taken_at=epoch(now)))
        return Asked(row.id, row.what, json.loads(row.arguments))


def done(engine: Engine, identity: int, result: dict[str, Any], now: datetime) -> None:
    """Answer a request."""
    with writing(engine).begin() as connection:
        connection.execute(
            update(request).where(request.c.id == identity).values(done_at=epoch(now), result=json.dumps(result))
        )


def answer(engine: Engine, identity: int) -> dict[str, Any] | None:
    """The answer to a request; ``None`` while there is none."""
    with engine.connect() as connection:
        text = connection.execute(select(request.c.result).where(request.c.id == identity)).scalar()
        return json.loads(text) if text else None


def wait(
    engine: Engine, identity: int, *, timeout_seconds: float, now: Callable[[], datetime] = clock.now
) -> dict[str, Any] | None:
    """The leader's answer, as soon as it is there. ``None`` after ``timeout_seconds``, or when the leader is gone: no leader
    lives to take the request, or the one that took it is not the leader any more. A request that nobody took is withdrawn then.
    """
    until = time.monotonic() + timeout_seconds
    with engine.connect() as connection:
        asked_of = leader(connection, now())
    while True:
        found = answer(engine, identity)
        if found is not None:
            return found
        with engine.connect() as connection:
            leads = leader(connection, now())
            taken = connection.execute(select(request.c.taken_at).where(request.c.id == identity)).scalar()
        if leads is None or (taken is not None and leads != asked_of) or time.monotonic() >= until:
            withdraw(engine, identity, now())
            return answer(engine, identity) or None
        time.sleep(POLL_SECONDS)


def withdraw(engine: Engine, identity: int, now: datetime) -> bool:
    """Take a request back that nobody took yet; whether that was possible."""
    with writing(engine).begin() as connection:
        back = connection.execute(
            update(request).where(request.c.id == identity, request.c.taken_at.is_(None))
            .values(taken_at=epoch(now), done_at=epoch(now), result="{}")
        )
        return back.rowcount == 1
