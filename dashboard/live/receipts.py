"""Render receipts: what each wall really painted, as it tells every half minute, judged against what the server said.

A receipt is judged when it comes (only here is known what each panel says now, and since when), kept in memory and written with
those of the other walls, in one short commit every few seconds. The people store holds the last receipt of each device and
two days of hours; :mod:`dashboard.queries.walls` reads them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection, Engine, delete, insert, select, update

from dashboard.access.devices import Principal
from dashboard.access.tokens import changed
from dashboard.clock import DAY, HOUR, epoch
from dashboard.live.hub import Hub
from dashboard.live.snapshot import Said
from dashboard.queries.walls import Health
from dashboard.store.dialect import upsert
from dashboard.store.engine import writing
from dashboard.store.tables import people_changed, wall, wall_hour

log = structlog.get_logger("receipts")

BEHIND_SECONDS = 10
"""A state that the server gave up longer ago than this must not be in sight."""
FROZEN_SECONDS = 5.0
"""Without an animation frame for so long the browser draws nothing (hidden, throttled, a dead GPU)."""
CLOCK_OFF_SECONDS = 60.0
SHOWN_OFF_SECONDS = 5.0
"""The clock of the wall's computer is nobody's time, but certificates need it; the one that it shows is read by all."""
SIZE_SHARE = 0.02
WRITTEN_EVERY_SECONDS = 2.0
STREAM_NOTED_SECONDS = 20
KEPT_HOURS_SECONDS = 2 * DAY
KEPT_CHANGES_SECONDS = 7 * DAY
FORGOTTEN_SECONDS = HOUR
STATES_REMEMBERED = 60
LONGEST_BODY = 16_384

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Millis = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]


class Receipt(BaseModel):
    """What a wall says (``assets/receipts.js``): nothing else is taken.

    ``painted``: panel → name of the content in sight; ``seq``: the newest of them; ``torn``: texts in the page that are not
    what was set; ``age_seconds``: of the oldest data in sight; ``frame_ms``: since the last animation frame; ``clock_ms``:
    of the wall's computer, ``shown_ms``: the one that the page shows, both epoch.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    screen: Name
    build: Name
    layout: Name
    seq: int = Field(ge=0, le=1 << 53)
    painted: dict[Name, Name] = Field(max_length=200)
    torn: int = Field(ge=0, le=10_000)
    age_seconds: Annotated[float, Field(ge=-1e10, le=1e10, allow_inf_nan=False)] | None
    frame_ms: Millis
    heap_bytes: int | None = Field(ge=0, le=1 << 50)
    clock_ms: Millis
    shown_ms: Millis
    width: int = Field(ge=0, le=100_000)
    height: int = Field(ge=0, le=100_000)
    ratio: float = Field(gt=0, le=100, allow_inf_nan=False)


@dataclass
class Heard:
    """The last receipt of a device: when it came (epoch seconds), what is stored of it, what is wrong."""

    at: int
    told: dict[str, Any]
    faults: frozenset[str]


@dataclass
class _Hour:
    receipts: int = 0
    troubled: int = 0
    behind: int = 0
    heap: int = 0

    def add(self, heard: Heard) -> None:
        self.receipts += 1
        self.troubled += bool(heard.faults)
        self.behind = max(self.behind, heard.told["behind_seconds"])
        self.heap = max(self.heap, heard.told["heap_bytes"] or 0)


@dataclass
class _Waiting:
    """What is to be written: the last receipts, the hours' sums, whose stream opened or closed."""

    heard: dict[str, Heard] = field(default_factory=dict)
    hours: dict[tuple[str, int], _Hour] = field(default_factory=dict)
    streams: set[str] = field(default_factory=set)


class Receipts:
    """Takes receipts and notes open streams, on the event loop; writes both in a thread.

    ``pixels``: screen → (width, height) as declared; ``now`` is the server's clock.
    """

    def __init__(
        self, people: Engine, hub: Hub, pixels: Mapping[str, tuple[int, int]], *, now: Callable[[], datetime]
    ) -> None:
        self.people, self.hub, self.pixels, self.now = people, hub, dict(pixels), now
        self.last: dict[str, Heard] = {}
        self._said: dict[str, tuple[tuple[str, float], ...]] = {}
        self._came: dict[str, float] = {}
        self._open: Counter[str] = Counter()
        self._since: dict[str, int] = {}
        self._noted: dict[str, float] = {}
        self._waiting = _Waiting()
        self._tidied = 0.0
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin writing; on the running loop."""
        self._task = asyncio.ensure_future(self._write())

    async def stop(self) -> None:
        """Write what waits, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._flush()

    # ---- what is told -----------------------------------------------------------------------------------------------

    def published(self, new: Sequence[Said]) -> None:
        """Note since when panels say what they say now; called in the thread that asks them, so nothing is changed in place."""
        at = self.now().timestamp()
        for said in new:
            self._said[said.panel] = (*self._said.get(said.panel, ()), (said.said, at))[-STATES_REMEMBERED:]

    def too_soon(self, who: Principal) -> bool:
        """Whether a device told something a moment ago (S29)."""
        at = time.monotonic()
        before = self._came.get(who.device)
        if before is not None and at - before < self.hub.pace.receipt_seconds / 4:
            return True
        self._came[who.device] = at
        return False

    def take(self, who: Principal, body: bytes) -> Heard:
        """Judge a receipt and keep it. Raises ``ValueError`` for one that is none."""
        if len(body) > LONGEST_BODY:
            raise ValueError("too long")
        receipt, now = Receipt.model_validate_json(body), self.now()
        behind = self._behind(who, receipt, now.timestamp())
        told = {
            "seq": receipt.seq, "server_seq": self.hub.seq, "behind_seconds": int(behind),
            "data_age_seconds": None if receipt.age_seconds is None else int(receipt.age_seconds),
            "frame_seconds": round(receipt.frame_ms / 1000, 1), "heap_bytes": receipt.heap_bytes,
            "skew_seconds": round(receipt.clock_ms / 1000 - now.timestamp(), 1),
            "shown_seconds": round(receipt.shown_ms / 1000 - now.timestamp(), 1),
            "width": receipt.width, "height": receipt.height, "ratio": receipt.ratio,
            "build": receipt.build, "layout": receipt.layout,
        }
        heard = Heard(epoch(now), told, self._faults(who, receipt, told))
        self.last[who.device] = self._waiting.heard[who.device] = heard
        self._waiting.hours.setdefault((who.device, heard.at // HOUR * HOUR), _Hour()).add(heard)
        return heard

    def _behind(self, who: Principal, receipt: Receipt, at: float) -> float:
        """Seconds since the server gave up the oldest content that is in sight; 0 when all of it is what it says now."""
        plan = self.hub.plans.get(who.screens[0])
        behind = 0.0
        for panel in plan.instances if plan is not None else ():
            known = self._said.get(panel, ())
            names = [said for said, _ in known]
            painted = receipt.painted.get(panel)
            if not known or painted == names[-1]:
                continue
            ended = known[len(names) - names[::-1].index(painted)][1] if painted in names else known[0][1]
            behind = max(behind, at - ended)
        return behind

    def _faults(self, who: Principal, receipt: Receipt, told: Mapping[str, Any]) -> frozenset[str]:
        screen = who.screens[0]
        plan = self.hub.plans.get(screen)
        wanted, ratio = self.pixels.get(screen), receipt.ratio
        sizes = (
            [(receipt.width * ratio, wanted[0]), (receipt.height * ratio, wanted[1])] if wanted is not None else []
        )
        wrong = {
            Health.OLD: told["behind_seconds"] > BEHIND_SECONDS or receipt.torn > 0,
            Health.FROZEN: told["frame_seconds"] > FROZEN_SECONDS,
            Health.CLOCK: abs(told["skew_seconds"]) > CLOCK_OFF_SECONDS or abs(told["shown_seconds"]) > SHOWN_OFF_SECONDS,
            Health.SIZE: any(abs(found - pixels) > SIZE_SHARE * pixels for found, pixels in sizes),
            Health.BUILD: plan is None or (receipt.build, receipt.layout, receipt.screen) != (self.hub.build, plan.layout, screen),
        }
        return frozenset(health.value for health, is_wrong in wrong.items() if is_wrong)

    @contextmanager
    def streaming(self, identity: str) -> Iterator[None]:
        """While a device's live stream is open."""
        self._open[identity] += 1
        self._since.setdefault(identity, epoch(self.now()))
        self._waiting.streams.add(identity)
        try:
            yield
        finally:
            self._open[identity] -= 1
            if not self._open[identity]:
                del self._open[identity], self._since[identity]
                self._waiting.streams.add(identity)

    # ---- what is written --------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(WRITTEN_EVERY_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        at = time.monotonic()
        due = {one for one in self._open if at - self._noted.get(one, 0.0) > STREAM_NOTED_SECONDS} | self._waiting.streams
        tidy = at - self._tidied > HOUR
        if not (self._waiting.heard or due or tidy):
            return
        waiting, self._waiting = self._waiting, _Waiting()
        now = self.now()
        streams = {one: self._since.get(one) for one in due}
        try:
            await asyncio.to_thread(self._commit, waiting, streams, now, tidy)
        except Exception as err:  # noqa: BLE001  (told again with the next receipts; walls never wait for the store)
            if not self._failing:
                log.warning("receipts cannot be written", error=f"{type(err).__name__}: {err}")
            self._failing = True
            self._waiting.streams |= due
            return
        self._failing = False
        self._noted = {one: seen for one, seen in self._noted.items() if one in self._open} | dict.fromkeys(due, at)
        if tidy:
            self._tidied = at
            old = epoch(now) - FORGOTTEN_SECONDS
            self.last = {one: heard for one, heard in self.last.items() if heard.at >= old}
            self._came = {one: came for one, came in self._came.items() if one in self.last}

    def _commit(self, waiting: _Waiting, streams: Mapping[str, int | None], now: datetime, tidy: bool) -> None:
        at = epoch(now)
        with writing(self.people).begin() as connection:
            names = sorted({*waiting.heard, *streams})
            known = {row.device: row for row in connection.execute(select(wall).where(wall.c.device.in_(names)))}
            news = False
            for name in names:
                before = known.get(name)
                row, is_news = _row(name, before, waiting.heard.get(name), streams, at)
                upsert(connection, wall, ("device",), row)
                news = news or is_news
            for (name, hour), sums in waiting.hours.items():
                _add_hour(connection, name, hour, sums)
            if tidy:
                connection.execute(delete(wall_hour).where(wall_hour.c.hour < at - KEPT_HOURS_SECONDS))
                connection.execute(delete(people_changed).where(people_changed.c.at < (at - KEPT_CHANGES_SECONDS) * 1000))
            if news:
                changed(connection, now, "walls")


def _row(
    name: str, before: Any, heard: Heard | None, streams: Mapping[str, int | None], at: int
) -> tuple[dict[str, Any], bool]:
    """(what is written of a device, whether it is something that screens and alarms must know at once)."""
    row: dict[str, Any] = {"device": name}
    news = before is None
    if heard is not None:
        old = json.loads(before.faults) if before is not None else {}
        faults = {fault: old.get(fault, heard.at) for fault in sorted(heard.faults)}
        row |= {"at": heard.at, "receipt": json.dumps(heard.told), "faults": json.dumps(faults)}
        news = news or set(faults) != set(old) or before.at is None or heard.at - before.at > 2 * STREAM_NOTED_SECONDS
    if name in streams:
        since = streams[name]
        row |= {"stream_since": since, "stream_at": at}
        news = news or (since is None) != (before.stream_since is None)
    return row, news


def _add_hour(connection: Connection, name: str, hour: int, sums: _Hour) -> None:
    where = (wall_hour.c.device == name, wall_hour.c.hour == hour)
    found = connection.execute(select(wall_hour).where(*where)).first()
    if found is None:
        connection.execute(insert(wall_hour).values(
            device=name, hour=hour, receipts=sums.receipts, troubled=sums.troubled, behind_seconds=sums.behind,
            heap_bytes=sums.heap,
        ))
        return
    connection.execute(update(wall_hour).where(*where).values(
        receipts=found.receipts + sums.receipts, troubled=found.troubled + sums.troubled,
        behind_seconds=max(found.behind_seconds, sums.behind), heap_bytes=max(found.heap_bytes, sums.heap),
    ))
