"""An unknown wall asks to be paired: it shows a code, an administrator approves it, the wall fetches its token.

The code (8 letters, 40 bits, 10 minutes) is for people: whoever reads it from the wall can do nothing with it, for the page
proves itself by a secret of 256 bits that it never shows. Both are stored as SHA-256 only.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select, update

from dashboard.access.devices import AccessRefused, TooManyTries, insert_device, letters, normal, paired
from dashboard.access.tokens import hashed
from dashboard.clock import DAY, MINUTE, epoch
from dashboard.errors import ProductError
from dashboard.store.audit import append
from dashboard.store.engine import writing
from dashboard.store.tables import device, pairing

LASTS_SECONDS = 10 * MINUTE
LETTERS = 8
MOST_OPEN = 500
"""So many codes may wait at a time, whoever asked for them; old rows are deleted after a day."""
ASKS_PER_MINUTE = 6
CLAIMS_PER_MINUTE = 120
"""From one address (ten times that from all): a wall asks each three seconds whether it was approved."""


@dataclass(frozen=True)
class Asked:
    """``code`` to show, ``secret`` to keep; good for ``seconds``."""

    code: str
    secret: str
    seconds: int = LASTS_SECONDS


def ask(engine: Engine, *, zone: str, now: datetime) -> Asked:
    """A new code for an unknown wall. Raises ``TooManyTries`` while too many wait."""
    at, code, secret = epoch(now), letters(LETTERS), secrets.token_urlsafe(32)
    with writing(engine).begin() as connection:
        connection.execute(delete(pairing).where(pairing.c.expires_at < at - DAY))
        waiting = connection.execute(select(func.count()).select_from(pairing).where(
            pairing.c.expires_at > at, pairing.c.claimed_at.is_(None)
        )).scalar_one()
        if waiting >= MOST_OPEN:
            raise TooManyTries("too many walls wait to be paired", "terlalu banyak layar menunggu dipasangkan")
        connection.execute(insert(pairing).values(
            code_hash=hashed(code), claim_hash=hashed(secret), zone=zone, asked_at=at, expires_at=at + LASTS_SECONDS,
        ))
    return Asked(f"{code[:4]}-{code[4:]}", secret)


def approve(
    engine: Engine, code: str, *, place: str, screen: str, zone: str, networks: Sequence[str] = (), now: datetime
) -> str:
    """Accept the wall that shows a code, as a new device; its id. The wall comes by itself within seconds.

    Raises ``ProductError`` for a code that no wall of the zone shows now (unknown, used, expired), a bad name or network.
    """
    name = hashed(normal(code))
    with writing(engine).begin() as connection:
        identity = insert_device(connection, place=place, screen=screen, zone=zone, networks=networks, now=now)
        taken = connection.execute(update(pairing).where(
            pairing.c.code_hash == name, pairing.c.zone == zone, pairing.c.device.is_(None), pairing.c.expires_at > epoch(now),
        ).values(device=identity)).rowcount
        if not taken:
            raise ProductError(  # the transaction takes the device back
                "no wall shows this code now: codes last 10 minutes and work once. Give the one that the wall shows at present",
                "tidak ada layar yang menampilkan kode ini sekarang: kode berlaku 10 menit dan sekali pakai. "
                "Beri kode yang sedang tampil di layar",
            )
        append(connection, "command line", "device approved", {"device": identity}, now)
    return identity


def claim(engine: Engine, secret: str, *, zone: str, now: datetime) -> str | None:
    """The token of a wall whose code was approved, once; ``None`` while it waits.

    Raises ``AccessRefused`` when its code has expired, was fetched already, or its device is revoked.
    """
    at, name = epoch(now), hashed(secret)
    with engine.connect() as connection:
        row = connection.execute(select(pairing).where(
            pairing.c.claim_hash == name, pairing.c.zone == zone, pairing.c.expires_at > at, pairing.c.claimed_at.is_(None)
        )).first()
    if row is None:
        raise AccessRefused("the code is not good", "kode tidak berlaku")
    if row.device is None:
        return None
    with writing(engine).begin() as connection:
        taken = connection.execute(update(pairing).where(
            pairing.c.claim_hash == name, pairing.c.claimed_at.is_(None),
            pairing.c.device.in_(select(device.c.id).where(device.c.revoked_at.is_(None))),
        ).values(claimed_at=at)).rowcount
        token = paired(connection, row.device, now) if taken else ""
    if not token:
        raise AccessRefused("the code is not good", "kode tidak berlaku")
    return token
