"""Wall screens as devices: added for a place or approved by the code that they show, cut off by revoking.

A link code lasts 10 minutes and has 50 bits; a token has 256. Only their SHA-256 is stored. A device's session is long (a
wall has nobody to log in) and offset by being read-only, of one screen and one zone, bound to networks where declared,
rotated (:mod:`dashboard.access.tokens`), and revocable within seconds.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network

from sqlalchemy import ColumnElement, Connection, Engine, insert, or_, select, update

from dashboard.access import tokens
from dashboard.access.tokens import OVERLAP_SECONDS, SESSION_LASTS_SECONDS, hashed
from dashboard.clock import MINUTE, epoch
from dashboard.errors import ProductError
from dashboard.store.audit import append
from dashboard.store.engine import writing
from dashboard.store.tables import device, device_session, link_code

CODE_LASTS_SECONDS = 10 * MINUTE
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_CODE_LETTERS = 10
_SPOKEN = str.maketrans("ILO", "110", " -")
TRIES_PER_MINUTE = 10
LONGEST_PLACE = 40


class AccessRefused(ProductError):
    """A code or token is not good. The message never says why: unknown, used and expired look alike."""


class TooManyTries(ProductError):
    """Codes were tried too often from one address; ``retry_after_seconds`` says when to come back."""

    retry_after_seconds = 60


@dataclass(frozen=True)
class Principal:
    """Who a request is: ``role`` "device" (accounts come later), its device, the screens it may show, its zone.

    ``session`` is the hash of its token, ``issued_at`` when that was made (epoch seconds); ``networks``: where it may come from
    (empty: anywhere).
    """

    role: str
    device: str
    screens: tuple[str, ...]
    zone: str
    session: bytes = b""
    issued_at: int = 0
    networks: tuple[str, ...] = ()

    def may_come_from(self, address: str) -> bool:
        """Whether a peer's address lies in the device's networks."""
        if not self.networks:
            return True
        try:
            given = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        given = getattr(given, "ipv4_mapped", None) or given
        return any(given in ip_network(network) for network in self.networks)


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
    networks: tuple[str, ...] = ()
    copied_at: int | None = None

    def __str__(self) -> str:
        cut = "copied, revoked" if self.copied_at else "revoked" if self.revoked_at else ""
        state = cut or ("seen" if self.last_seen_at else "never seen")
        at = self.revoked_at or self.last_seen_at
        when = f" {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}" if at else ""
        only = f"  only from {', '.join(self.networks)}" if self.networks else ""
        return f"{self.id}  {self.zone}/{self.screen}  {self.place}  {state}{when}{only}"


def letters(count: int) -> str:
    """So many random letters that nobody mistakes for another: 5 bits each."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _new_code(connection: Connection, identity: str, now: datetime) -> str:
    code = letters(_CODE_LETTERS)
    connection.execute(insert(link_code).values(
        code_hash=hashed(code), device=identity, issued_at=epoch(now), expires_at=epoch(now) + CODE_LASTS_SECONDS
    ))
    return f"{code[:5]}-{code[5:]}"


def checked_networks(networks: Sequence[str]) -> str:
    """Networks as stored. Raises ``ProductError`` for one that is none."""
    found = []
    for network in networks:
        try:
            found.append(str(ip_network(network)))
        except ValueError as err:
            raise ProductError(
                f"--network {network}: not a network ({err}); give one like 10.20.4.0/24 or 10.20.4.7/32",
                f"--network {network}: bukan jaringan ({err}); beri yang seperti 10.20.4.0/24 atau 10.20.4.7/32",
            ) from err
    return " ".join(found)


def insert_device(
    connection: Connection, *, place: str, screen: str, zone: str, networks: Sequence[str] = (), now: datetime
) -> str:
    """A new device in the caller's transaction, audited; its id. Raises ``ProductError`` for a place without a name."""
    identity = f"{zone}-{secrets.token_hex(4)}"
    connection.execute(insert(device).values(
        id=identity, place=_named(place), zone=zone, screen=screen, added_at=epoch(now), network=checked_networks(networks),
    ))
    detail = {"device": identity, "place": place, "screen": screen, "networks": list(networks)}
    append(connection, "command line", "device added", detail, now)
    return identity


def _named(place: str) -> str:
    named = " ".join(place.split())
    if not named or len(named) > LONGEST_PLACE or not named.isprintable():
        raise ProductError(
            f"--place: give a name of 1 to {LONGEST_PLACE} letters, like 'Dinding Barat'",
            f"--place: beri nama 1 sampai {LONGEST_PLACE} huruf, misalnya 'Dinding Barat'",
        )
    return named


def add_device(
    engine: Engine, *, place: str, screen: str, zone: str, networks: Sequence[str] = (), now: datetime
) -> tuple[str, str]:
    """A new device and its first link code: (device id, code). Raises ``ProductError`` for a bad name or network."""
    with writing(engine).begin() as connection:
        identity = insert_device(connection, place=place, screen=screen, zone=zone, networks=networks, now=now)
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


def normal(code: str) -> str:
    """A code as typed by people: capitals, no spaces and dashes, I and L are 1, O is 0."""
    return code.upper().translate(_SPOKEN)[:64]


def code_is_open(engine: Engine, code: str, *, now: datetime) -> bool:
    """Whether a code can still be redeemed."""
    with engine.connect() as connection:
        row = connection.execute(
            select(link_code.c.used_at, link_code.c.expires_at).where(link_code.c.code_hash == hashed(normal(code)))
        ).first()
    return row is not None and row.used_at is None and row.expires_at > epoch(now)


def redeem(engine: Engine, code: str, *, zone: str, now: datetime) -> str:
    """Exchange a code for a token, once. Raises ``AccessRefused`` for one unknown, used, expired or of another zone."""
    at, token = epoch(now), ""
    name = hashed(normal(code))
    with writing(engine).begin() as connection:
        taken = connection.execute(
            update(link_code).where(
                link_code.c.code_hash == name, link_code.c.used_at.is_(None), link_code.c.expires_at > at,
                link_code.c.device.in_(select(device.c.id).where(device.c.zone == zone, device.c.revoked_at.is_(None))),
            ).values(used_at=at)
        ).rowcount
        identity = connection.execute(select(link_code.c.device).where(link_code.c.code_hash == name)).scalar()
        if taken and identity is not None:
            token = paired(connection, identity, now)
        else:
            who = f"device {identity}" if identity else "unknown"
            append(connection, who, "device code refused", {"zone": zone}, now)
    if not taken:
        raise AccessRefused("the code is not good", "kode tidak berlaku")
    return token


def paired(connection: Connection, identity: str, now: datetime) -> str:
    """A device's browser is here: its first token, in the caller's transaction, audited."""
    token = tokens.begin(connection, identity, now)
    connection.execute(update(device).where(device.c.id == identity).values(last_seen_at=epoch(now)))
    append(connection, f"device {identity}", "device paired", {}, now)
    tokens.changed(connection, now)
    return token


def _alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions of a session that still is somebody's; a replaced one for a day more."""
    at = epoch(now)
    return (
        device_session.c.revoked_at.is_(None), device_session.c.expires_at > at, device.c.revoked_at.is_(None),
        or_(device_session.c.replaced_at.is_(None), device_session.c.replaced_at > at - OVERLAP_SECONDS),
    )


def principal(engine: Engine, token: str, *, zone: str, now: datetime) -> Principal | None:
    """Who a token is, in a zone; ``None`` for an unknown, expired or revoked one, or one of another zone.

    A successor's first use is noted. A replaced token that is shown after its overlap was copied: its device is cut off.
    """
    at = epoch(now)
    with engine.connect() as connection:
        row = connection.execute(
            select(device_session, device.c.screen, device.c.network)
            .join(device, device.c.id == device_session.c.device)
            .where(
                device_session.c.token_hash == hashed(token), device_session.c.revoked_at.is_(None),
                device_session.c.expires_at > at, device.c.zone == zone, device.c.revoked_at.is_(None),
            )
        ).first()
    if row is None:
        return None
    if row.replaced_at is not None and row.replaced_at <= at - OVERLAP_SECONDS:
        tokens.used_again(engine, row.device, now=now)
        return None
    session = bytes(row.token_hash)
    if row.follows is not None and row.used_at is None:
        tokens.first_used(engine, session, now=now)
    return Principal("device", row.device, (row.screen,), zone, session, row.issued_at, tuple(row.network.split()))


def living(engine: Engine, sessions: set[bytes], *, now: datetime) -> set[bytes]:
    """Which of these sessions still are somebody's: one question, however many streams are open."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(device_session.c.token_hash).join(device, device.c.id == device_session.c.device).where(
                device_session.c.token_hash.in_(sessions), *_alive(now)
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


def refused(engine: Engine, who: Principal, address: str, *, now: datetime) -> None:
    """Put into the audit that a device's token came from outside its networks."""
    with writing(engine).begin() as connection:
        append(connection, f"device {who.device}", "device outside its network", {"address": address[:60]}, now)


def revoke(engine: Engine, identity: str, *, now: datetime) -> None:
    """Cut a device off: its sessions and codes are void at once; open pages wipe themselves within 10 seconds."""
    with writing(engine).begin() as connection:
        _known(connection, identity)
        tokens.cut_off(connection, identity, now)


def rename(engine: Engine, identity: str, place: str, *, now: datetime) -> None:
    """Give a device another place. Raises ``ProductError`` when there is no such living device, or for a bad name."""
    with writing(engine).begin() as connection:
        _known(connection, identity)
        connection.execute(update(device).where(device.c.id == identity).values(place=_named(place)))
        append(connection, "command line", "device renamed", {"device": identity, "place": place}, now)
        tokens.changed(connection, now)


def list_devices(engine: Engine) -> list[Device]:
    """All devices, the newest last."""
    with engine.connect() as connection:
        rows = connection.execute(select(device).order_by(device.c.added_at, device.c.id)).all()
    return [
        Device(
            row.id, row.place, row.zone, row.screen, row.added_at, row.revoked_at, row.last_seen_at, tuple(row.network.split()),
            row.copied_at,
        ) for row in rows
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
