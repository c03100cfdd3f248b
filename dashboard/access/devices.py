"""Wall screens as devices: added for a place, paired by a single-use code, cut off by revoking.

A code lasts 10 minutes and has 50 bits; a token has 256. Only their SHA-256 is stored. A device's session is long (a
wall has nobody to log in) and offset by being read-only, of one screen and one zone, and revocable within seconds.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from dashboard.clock import DAY, MINUTE, epoch
from dashboard.errors import ProductError
from dashboard.store.audit import append
from dashboard.store.dialect import notify
from dashboard.store.engine import writing
from dashboard.store.tables import device, device_session, link_code, people_changed

CODE_LASTS_SECONDS = 10 * MINUTE
SESSION_LASTS_SECONDS = 400 * DAY
"""As long as a browser keeps a cookie; renewed when the page is loaded."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_CODE_LETTERS = 10
_SPOKEN = str.maketrans("ILO", "110", " -")
TRIES_PER_MINUTE = 10


class AccessRefused(ProductError):
    """A code or token is not good. The message never says why: unknown, used and expired look alike."""


class TooManyTries(ProductError):
    """Codes were tried too often from one address; ``retry_after_seconds`` says when to come back."""

    retry_after_seconds = 60


@dataclass(frozen=True)
class Principal:
    """Who a request is: ``role`` "device" (accounts come later), its device, the screens it may show, its zone.

    ``session`` is the hash of its token.
    """

    role: str
    device: str
    screens: tuple[str, ...]
    zone: str
    session: bytes = b""


@dataclass(frozen=True)
class Device:
    """A device for people. Stamps are epoch seconds."""

    id: str
    place: str
    zone: str
    screen: str
    added_at: int
    revoked_at: int | None
    last_seen_at: int | None

    def __str__(self) -> str:
        state = "revoked" if self.revoked_at else "seen" if self.last_seen_at else "never seen"
        at = self.revoked_at or self.last_seen_at
        when = f" {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}" if at else ""
        return f"{self.id}  {self.zone}/{self.screen}  {self.place}  {state}{when}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _changed(connection: Connection, now: datetime) -> None:
    connection.execute(insert(people_changed).values(at=int(now.timestamp() * 1000), what="devices"))
    notify(connection, "people")


def _new_code(connection: Connection, identity: str, now: datetime) -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LETTERS))
    connection.execute(insert(link_code).values(
        code_hash=_hash(letters), device=identity, issued_at=epoch(now), expires_at=epoch(now) + CODE_LASTS_SECONDS
    ))
    return f"{letters[:5]}-{letters[5:]}"


def add_device(engine: Engine, *, place: str, screen: str, zone: str, now: datetime) -> tuple[str, str]:
    """A new device and its first link code: (device id, code)."""
    identity = f"{zone}-{secrets.token_hex(4)}"
    with writing(engine).begin() as connection:
        connection.execute(insert(device).values(
            id=identity, place=place, zone=zone, screen=screen, added_at=epoch(now)
        ))
        append(connection, "command line", "device added", {"device": identity, "place": place, "screen": screen}, now)
        code = _new_code(connection, identity, now)
    return identity, code


def _known(connection: Connection, identity: str) -> None:
    found = connection.execute(select(device.c.revoked_at).where(device.c.id == identity)).first()
    if found is None:
        raise ProductError(
            f"no device {identity!r}; see command-center device list",
            f"tidak ada perangkat {identity!r}; lihat command-center device list",
        )
    if found.revoked_at is not None:
        raise ProductError(
            f"device {identity!r} is revoked; add it anew with command-center device add",
            f"perangkat {identity!r} sudah dicabut; tambahkan lagi dengan command-center device add",
        )


def new_code(engine: Engine, identity: str, *, now: datetime) -> str:
    """A fresh link code for a device. Raises ``ProductError`` when there is no such living device."""
    with writing(engine).begin() as connection:
        _known(connection, identity)
        append(connection, "command line", "device code issued", {"device": identity}, now)
        return _new_code(connection, identity, now)


def _normal(code: str) -> str:
    """A code as typed by people: capitals, no spaces and dashes, I and L are 1, O is 0."""
    return code.upper().translate(_SPOKEN)[:64]


def code_is_open(engine: Engine, code: str, *, now: datetime) -> bool:
    """Whether a code can still be redeemed."""
    with engine.connect() as connection:
        row = connection.execute(
            select(link_code.c.used_at, link_code.c.expires_at).where(link_code.c.code_hash == _hash(_normal(code)))
        ).first()
    return row is not None and row.used_at is None and row.expires_at > epoch(now)


def redeem(engine: Engine, code: str, *, zone: str, now: datetime) -> str:
    """Exchange a code for a token, once. Raises ``AccessRefused`` for one unknown, used, expired or of another zone."""
    at, token = epoch(now), secrets.token_urlsafe(32)
    name = _hash(_normal(code))
    with writing(engine).begin() as connection:
        taken = connection.execute(
            update(link_code).where(
                link_code.c.code_hash == name, link_code.c.used_at.is_(None), link_code.c.expires_at > at,
                link_code.c.device.in_(select(device.c.id).where(device.c.zone == zone, device.c.revoked_at.is_(None))),
            ).values(used_at=at)
        ).rowcount
        identity = connection.execute(select(link_code.c.device).where(link_code.c.code_hash == name)).scalar()
        if taken:
            connection.execute(insert(device_session).values(
                token_hash=_hash(token), device=identity, issued_at=at, expires_at=at + SESSION_LASTS_SECONDS
            ))
            connection.execute(update(device).where(device.c.id == identity).values(last_seen_at=at))
        what = "device paired" if taken else "device code refused"
        append(connection, f"device {identity}" if identity else "unknown", what, {"zone": zone}, now)
        if taken:
            _changed(connection, now)
    if not taken:
        raise AccessRefused("the code is not good", "kode tidak berlaku")
    return token


def principal(engine: Engine, token: str, *, zone: str, now: datetime) -> Principal | None:
    """Who a token is, in a zone; ``None`` for an unknown, expired or revoked one, or one of another zone."""
    with engine.connect() as connection:
        row = connection.execute(
            select(device.c.id, device.c.screen, device_session.c.token_hash)
            .join(device, device.c.id == device_session.c.device)
            .where(
                device_session.c.token_hash == _hash(token), device_session.c.revoked_at.is_(None),
                device_session.c.expires_at > epoch(now), device.c.zone == zone, device.c.revoked_at.is_(None),
            )
        ).first()
    return None if row is None else Principal("device", row.id, (row.screen,), zone, bytes(row.token_hash))


def living(engine: Engine, sessions: set[bytes], *, now: datetime) -> set[bytes]:
    """Which of these sessions still are somebody's: one question, however many streams are open."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(device_session.c.token_hash).join(device, device.c.id == device_session.c.device).where(
                device_session.c.token_hash.in_(sessions), device_session.c.revoked_at.is_(None),
                device_session.c.expires_at > epoch(now), device.c.revoked_at.is_(None),
            )
        )
        return {bytes(row.token_hash) for row in rows}


def seen(engine: Engine, who: Principal, *, now: datetime) -> None:
    """A device loaded its page: it was seen now, and its session lasts anew."""
    with writing(engine).begin() as connection:
        connection.execute(update(device).where(device.c.id == who.device).values(last_seen_at=epoch(now)))
        connection.execute(
            update(device_session).where(device_session.c.token_hash == who.session)
            .values(expires_at=epoch(now) + SESSION_LASTS_SECONDS)
        )


def revoke(engine: Engine, identity: str, *, now: datetime) -> None:
    """Cut a device off: its sessions and codes are void at once; open pages wipe themselves within 10 seconds."""
    at = epoch(now)
    with writing(engine).begin() as connection:
        _known(connection, identity)
        connection.execute(update(device).where(device.c.id == identity).values(revoked_at=at))
        connection.execute(
            update(device_session).where(device_session.c.device == identity, device_session.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        connection.execute(
            update(link_code).where(link_code.c.device == identity, link_code.c.used_at.is_(None)).values(used_at=at)
        )
        append(connection, "command line", "device revoked", {"device": identity}, now)
        _changed(connection, now)


def list_devices(engine: Engine) -> list[Device]:
    """All devices, the newest last."""
    with engine.connect() as connection:
        rows = connection.execute(select(device).order_by(device.c.added_at, device.c.id)).all()
    return [
        Device(row.id, row.place, row.zone, row.screen, row.added_at, row.revoked_at, row.last_seen_at) for row in rows
    ]


class Tries:
    """How often codes may be tried: so many a minute from one address, ten times that from all; in this process."""

    def __init__(self, per_minute: int = TRIES_PER_MINUTE) -> None:
        self.per_minute = per_minute
        self._tries: dict[str, deque[float]] = {}

    def count(self, address: str) -> None:
        """Note a try. Raises ``TooManyTries``."""
        at = time.monotonic()
        for name in [name for name, tries in self._tries.items() if tries[-1] < at - MINUTE]:
            del self._tries[name]
        for name, most in ((address, self.per_minute), ("", self.per_minute * 10)):
            tries = self._tries.setdefault(name, deque(maxlen=self.per_minute * 10))
            while tries and tries[0] < at - MINUTE:
                tries.popleft()
            if len(tries) >= most:
                raise TooManyTries("too many tries, wait a minute", "terlalu banyak percobaan, tunggu satu menit")
            tries.append(at)
