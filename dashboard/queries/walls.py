"""How is every wall: does it paint what the server says, and are its clock, its size and its build right?

What a wall really painted it tells itself, by a render receipt every half minute (:mod:`dashboard.live.receipts`). What the
receipts cannot tell is told by their absence: a wall whose stream is open and that says nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, select

from dashboard.clock import DAY, HOUR, MINUTE, epoch
from dashboard.queries.answers import Context, Level, Limits, question
from dashboard.queries.freshness import soonest
from dashboard.store.tables import device, wall, wall_hour

HOURS = 24
SILENT_SECONDS = 100
"""Three receipts missed: a wall whose stream is open and that does not say what it painted."""
STREAM_SEEN_SECONDS = 60
"""A stream counts as open for so long after a serve process saw it: a killed process closes nothing."""
OUTDATED_SECONDS = 10 * MINUTE
"""So long may a page keep an older build: it reloads at a scene's end, two minutes at most, and never thrice in an hour."""
COPIED_SHOWN_SECONDS = DAY


class Health(StrEnum):
    """What is wrong with a wall; words under ``panels.walls.health.<name>``. The worst first."""

    COPIED = "copied"  # a rotated token was used again: the device is cut off
    OLD = "old"  # shows other figures than the server says
    FROZEN = "frozen"  # its browser draws no frames
    SILENT = "silent"  # its stream is open, it tells nothing
    CLOCK = "clock"  # its clock, or the one that it shows, is wrong
    SIZE = "size"  # not the pixels of its screen
    BUILD = "build"  # a page of an older build or layout
    OFF = "off"  # no stream: switched off, or cut from the network
    WELL = "well"


LEVELS = {
    Health.COPIED: Level.WARNING, Health.OLD: Level.WARNING, Health.FROZEN: Level.WARNING, Health.SILENT: Level.WARNING,
    Health.CLOCK: Level.ATTENTION, Health.SIZE: Level.ATTENTION, Health.BUILD: Level.ATTENTION,
}
"""What asks for an action. A wall that is off says so itself, by being dark; it is shown and no alarm."""
ORDER = list(Health)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a wall, and since when (epoch seconds)."""

    health: Health
    since: int


@dataclass(frozen=True)
class WallHour:
    """What the receipts of one clock hour said: how many there were, and how many of them told of a fault."""

    receipts: int = 0
    troubled: int = 0


@dataclass(frozen=True)
class Wall:
    """One device. ``faults``: the worst first. ``receipt_at``: when it spoke last (epoch seconds).

    The rest is its last receipt: number of the newest state painted and of the server's then, seconds behind the server,
    age of the oldest data in sight (seconds), memory (bytes), the clock of its computer and the one that it shows against
    the server's (seconds, + is ahead), size (css pixels × ``ratio`` are those of the panel) and the declared pixels.
    ``hours``: the last 24, the running one last.
    """

    device: str
    place: str
    screen: str
    faults: tuple[Fault, ...] = ()
    off_since: int | None = None
    receipt_at: int | None = None
    seq: int = 0
    server_seq: int = 0
    behind_seconds: int = 0
    data_age_seconds: int | None = None
    heap_bytes: int | None = None
    skew_seconds: float = 0.0
    shown_seconds: float = 0.0
    width: int = 0
    height: int = 0
    ratio: float = 1.0
    wanted: tuple[int, int] = (0, 0)
    hours: tuple[WallHour, ...] = ()

    @property
    def health(self) -> Health:
        """The worst of its faults."""
        if self.faults:
            return self.faults[0].health
        return Health.WELL if self.off_since is None else Health.OFF

    @property
    def level(self) -> Level:
        """The priority of its worst fault."""
        return LEVELS.get(self.health, Level.NORMAL)

    @property
    def pixels(self) -> tuple[int, int]:
        """The panel's pixels that the page covers."""
        return round(self.width * self.ratio), round(self.height * self.ratio)


@dataclass(frozen=True)
class Walls:
    """All paired devices in the order in which they were added: a wall keeps its place. ``first_hour``: of all lines."""

    as_of: int
    walls: tuple[Wall, ...]
    first_hour: int
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


def _json(text: str | None) -> dict[str, Any]:
    return dict(json.loads(text)) if text else {}


def _faults(row: Any, now: int) -> tuple[tuple[Fault, ...], int | None]:
    """(what is wrong with a wall now, since when it is off)."""
    if row.copied_at is not None:
        return (Fault(Health.COPIED, row.copied_at),), None
    streams = row.stream_since is not None and row.stream_at is not None and now - row.stream_at < STREAM_SEEN_SECONDS
    speaks = row.at is not None and now - row.at < SILENT_SECONDS
    if not speaks:
        last = max((stamp for stamp in (row.at, row.stream_since) if stamp is not None), default=now)
        if streams and now - last >= SILENT_SECONDS:
            return (Fault(Health.SILENT, last),), None
        if not streams:
            return (), max((at for at in (row.at, row.stream_at, row.last_seen_at) if at is not None), default=now)
        return (), None
    told = (Fault(Health(name), since) for name, since in _json(row.faults).items())
    meant = [fault for fault in told if fault.health is not Health.BUILD or now - fault.since >= OUTDATED_SECONDS]
    return tuple(sorted(meant, key=lambda fault: ORDER.index(fault.health))), None


def _next(row: Any, now: int) -> int | None:
    """When the clock alone would say something else of a wall."""
    marks = (
        row.at and row.at + SILENT_SECONDS, row.stream_at and row.stream_at + STREAM_SEEN_SECONDS,
        row.stream_since and row.stream_since + SILENT_SECONDS, row.copied_at and row.copied_at + COPIED_SHOWN_SECONDS,
        (since := _json(row.faults).get(Health.BUILD.value)) and since + OUTDATED_SECONDS,
    )
    return soonest(*(mark for mark in marks if mark and mark > now))


def _hours(engine: Engine, first: int) -> dict[str, dict[int, WallHour]]:
    found: dict[str, dict[int, WallHour]] = {}
    statement = select(wall_hour.c.device, wall_hour.c.hour, wall_hour.c.receipts, wall_hour.c.troubled)
    with engine.connect() as connection:
        for identity, hour, receipts, troubled in connection.execute(statement.where(wall_hour.c.hour >= first)):
            found.setdefault(identity, {})[hour] = WallHour(receipts, troubled)
    return found


def _rows(engine: Engine, now: int) -> list[Any]:
    statement = (
        select(
            device.c.id, device.c.place, device.c.screen, device.c.last_seen_at, device.c.copied_at, wall.c.at, wall.c.receipt,
            wall.c.faults, wall.c.stream_since, wall.c.stream_at,
        ).select_from(device.outerjoin(wall, wall.c.device == device.c.id))
        .where(
            device.c.zone == "wall", device.c.last_seen_at.is_not(None),
            device.c.revoked_at.is_(None) | (device.c.copied_at > now - COPIED_SHOWN_SECONDS),
        ).order_by(device.c.added_at, device.c.id)
    )
    with engine.connect() as connection:
        return list(connection.execute(statement))


@question(reads={"walls", "devices"}, at_most_every=2.0)
def walls(context: Context) -> Walls:
    """Every wall that was ever paired and is not revoked; none without a people store."""
    now = epoch(context.now)
    first = now // HOUR * HOUR - (HOURS - 1) * HOUR
    if context.people is None:
        return Walls(as_of=now, walls=(), first_hour=first)
    rows, hours = _rows(context.people, now), _hours(context.people, first)
    found = []
    for row in rows:
        faults, off_since = _faults(row, now)
        told = _json(row.receipt)
        screen = context.regency.screens.get(row.screen)
        found.append(Wall(
            device=row.id, place=row.place, screen=row.screen, faults=faults, off_since=off_since, receipt_at=row.at,
            **{name: told[name] for name in _TOLD if name in told},
            wanted=screen.pixels if screen else (0, 0),
            hours=tuple(hours.get(row.id, {}).get(first + number * HOUR, WallHour()) for number in range(HOURS)),
        ))
    return Walls(
        as_of=now, walls=tuple(found), first_hour=first,
        changes_at=soonest(*(_next(row, now) for row in rows), first + HOURS * HOUR),
    )


_TOLD = (
    "seq", "server_seq", "behind_seconds", "data_age_seconds", "heap_bytes", "skew_seconds", "shown_seconds", "width", "height",
    "ratio",
)
