"""Tokens of devices: 256 bits, only their SHA-256 stored, replaced silently every 30 days.

A successor goes to the browser with an ordinary answer. The token before it stays good until the successor was used once (an
answer can get lost) and 24 hours longer (other requests are under way, a browser writes its cookies late). Whoever shows it
after that copied a cookie: the device is cut off, and that is an alarm (faults.md 3.2).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, or_, select, update

from dashboard.clock import DAY, MINUTE, epoch
from dashboard.store.audit import append
from dashboard.store.dialect import notify
from dashboard.store.engine import writing
from dashboard.store.tables import device, device_session, link_code, people_changed

SESSION_LASTS_SECONDS = 400 * DAY
"""As long as a browser keeps a cookie; renewed when the page is loaded."""
ROTATED_EVERY_SECONDS = 30 * DAY
OVERLAP_SECONDS = DAY
ANSWER_UNDER_WAY_SECONDS = MINUTE
"""No second successor within this time: requests that ran beside the first one still carry the old token."""


def hashed(secret: str) -> bytes:
    """What is stored of a code or token."""
    return hashlib.sha256(secret.encode()).digest()


def changed(connection: Connection, now: datetime, what: str = "devices") -> None:
    """Tell all processes that something in the people store is another now."""
    connection.execute(insert(people_changed).values(at=int(now.timestamp() * 1000), what=what))
    notify(connection, "people")


def begin(connection: Connection, identity: str, now: datetime, follows: bytes | None = None) -> str:
    """A new session of a device in the caller's transaction; its token, which is told once."""
    token, at = secrets.token_urlsafe(32), epoch(now)
    connection.execute(insert(device_session).values(
        token_hash=hashed(token), device=identity, issued_at=at, expires_at=at + SESSION_LASTS_SECONDS, follows=follows,
    ))
    return token


def rotate(engine: Engine, session: bytes, *, now: datetime) -> str | None:
    """A successor for a session that is due, or ``None`` when none is due or one is just on its way."""
    at = epoch(now)
    with writing(engine).begin() as connection:
        found = connection.execute(select(device_session).where(
            device_session.c.token_hash == session, device_session.c.revoked_at.is_(None),
            device_session.c.issued_at <= at - ROTATED_EVERY_SECONDS,
        )).first()
        if found is None:
            return None
        under_way = connection.execute(select(device_session.c.token_hash).where(
            device_session.c.follows == session, device_session.c.issued_at > at - ANSWER_UNDER_WAY_SECONDS,
        )).first()
        if under_way is not None:
            return None
        append(connection, f"device {found.device}", "device token rotated", {}, now)
        return begin(connection, found.device, now, follows=session)


def first_used(engine: Engine, session: bytes, *, now: datetime) -> None:
    """A successor came back from its browser: those before it, and those beside it that got lost, last 24 hours more."""
    at = epoch(now)
    with writing(engine).begin() as connection:
        follows = connection.execute(
            select(device_session.c.follows).where(device_session.c.token_hash == session)
        ).scalar_one()
        connection.execute(update(device_session).where(device_session.c.token_hash == session).values(used_at=at))
        connection.execute(
            update(device_session).where(
                or_(device_session.c.token_hash == follows, device_session.c.follows == follows),
                device_session.c.token_hash != session, device_session.c.replaced_at.is_(None),
            ).values(replaced_at=at)
        )


def used_again(engine: Engine, identity: str, *, now: datetime) -> None:
    """A token was shown that its browser gave up long ago: the cookie was copied. The device is cut off, and that is said."""
    with writing(engine).begin() as connection:
        noted = connection.execute(
            update(device).where(device.c.id == identity, device.c.revoked_at.is_(None)).values(copied_at=epoch(now))
        ).rowcount
        if noted:
            append(connection, f"device {identity}", "rotated token used again", {"device": identity}, now)
            cut_off(connection, identity, now, "guard")


def cut_off(connection: Connection, identity: str, now: datetime, who: str = "command line") -> None:
    """Void a device, its sessions and its codes, in the caller's transaction."""
    at = epoch(now)
    connection.execute(update(device).where(device.c.id == identity).values(revoked_at=at))
    connection.execute(
        update(device_session).where(device_session.c.device == identity, device_session.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    connection.execute(
        update(link_code).where(link_code.c.device == identity, link_code.c.used_at.is_(None)).values(used_at=at)
    )
    append(connection, who, "device revoked", {"device": identity}, now)
    changed(connection, now)
