"""Looks at recordings: a right of its own, of one screen, read-only, with an end; opened once by a link.

A wall's cookie opens none of it and a look opens no wall: the zones' cookies, tables and principals are apart.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from dashboard.access.devices import CODE_LASTS_SECONDS, AccessRefused, Principal
from dashboard.access.links import hashed, letters, normal
from dashboard.clock import epoch
from dashboard.errors import ProductError
from dashboard.store.audit import append
from dashboard.store.dialect import notify
from dashboard.store.engine import writing
from dashboard.store.tables import people_changed, viewing

ZONE = ROLE = "replay"
LONGEST_SECONDS = 12 * 3600
"""No look lasts longer (faults.md S6: an absolute end of 12 hours)."""


@dataclass(frozen=True)
class Viewing:
    """A look that was opened: which screen, the moment it opened with (epoch milliseconds), when it ends (epoch seconds)."""

    id: str
    screen: str
    at: int
    ends_at: int


def grant(engine: Engine, *, screen: str, at: int, who: str, lasts_seconds: int, now: datetime) -> tuple[str, str]:
    """A new look and its single-use code: (id, code), good for 10 minutes; it ends ``lasts_seconds`` after it was opened.

    Raises ``ProductError`` for one that would last longer than 12 hours, or not at all.
    """
    if not 0 < lasts_seconds <= LONGEST_SECONDS:
        raise ProductError(
            "a look at recordings lasts from a minute to 12 hours; give --for within that",
            "melihat rekaman berlangsung dari satu menit sampai 12 jam; beri --for dalam rentang itu",
        )
    identity, code = f"replay-{secrets.token_hex(4)}", letters()
    with writing(engine).begin() as connection:
        connection.execute(insert(viewing).values(
            id=identity, who=who, screen=screen, at=at, issued_at=epoch(now), lasts_seconds=lasts_seconds,
            code_hash=hashed(normal(code)), code_until=epoch(now) + CODE_LASTS_SECONDS,
        ))
        append(connection, who, "replay granted", {"viewing": identity, "screen": screen, "at": at}, now)
    return identity, code


def enter(engine: Engine, code: str, *, now: datetime) -> tuple[str, int]:
    """Exchange a code for (token, seconds that it lasts), once. Raises ``AccessRefused`` for one unknown, used or expired."""
    at, token, name = epoch(now), secrets.token_urlsafe(32), hashed(normal(code))
    with writing(engine).begin() as connection:
        row = connection.execute(select(viewing).where(viewing.c.code_hash == name)).first()
        lasts = 0 if row is None else row.lasts_seconds
        taken = connection.execute(
            update(viewing).where(
                viewing.c.code_hash == name, viewing.c.used_at.is_(None), viewing.c.code_until > at,
                viewing.c.revoked_at.is_(None),
            ).values(used_at=at, token_hash=hashed(token), ends_at=at + lasts)
        ).rowcount
        detail = {} if row is None else {"viewing": row.id}
        append(connection, "unknown" if row is None else row.who, "replay opened" if taken else "replay refused", detail, now)
    if not taken:
        raise AccessRefused("the code is not good", "kode tidak berlaku")
    return token, lasts


def principal(engine: Engine, token: str, *, now: datetime) -> Principal | None:
    """Who a token is; ``None`` for one unknown, past its end or revoked."""
    with engine.connect() as connection:
        row = connection.execute(select(viewing).where(
            viewing.c.token_hash == hashed(token), viewing.c.ends_at > epoch(now), viewing.c.revoked_at.is_(None)
        )).first()
    return None if row is None else Principal(ROLE, row.id, (row.screen,), ZONE, bytes(row.token_hash))


def opened(engine: Engine, identity: str) -> Viewing | None:
    """A look that was opened, by its id."""
    with engine.connect() as connection:
        row = connection.execute(select(viewing).where(viewing.c.id == identity, viewing.c.ends_at.is_not(None))).first()
    return None if row is None else Viewing(row.id, row.screen, row.at, row.ends_at)


def end(engine: Engine, identity: str, *, who: str, now: datetime) -> None:
    """End a look now: its page wipes itself at its next question. Raises ``ProductError`` when there is no such look."""
    with writing(engine).begin() as connection:
        done = connection.execute(
            update(viewing).where(viewing.c.id == identity, viewing.c.revoked_at.is_(None)).values(revoked_at=epoch(now))
        ).rowcount
        if not done:
            raise ProductError(
                f"no look {identity!r} that could be ended; check the id that command-center replay printed",
                f"tidak ada sesi rekaman {identity!r} yang dapat diakhiri; periksa id yang dicetak command-center replay",
            )
        append(connection, who, "replay ended", {"viewing": identity}, now)
        connection.execute(insert(people_changed).values(at=int(now.timestamp() * 1000), what="viewings"))
        notify(connection, "people")
