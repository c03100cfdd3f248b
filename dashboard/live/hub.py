"""The fan-out: the same bytes to every screen that shows a panel, as server-sent events, on one event loop.

A stream that waits is handed the bytes, joined once for all screens alike. One that is still sending has a mailbox: the set
of what is due for it, never a queue, so that a slow screen skips states and holds nobody up. One ``send`` for each wake.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog

from dashboard.live.frames import encode
from dashboard.live.scenes import Planned, pinned, pinned_at, shown_at
from dashboard.live.snapshot import Said, event
from dashboard.timetable import ROOM, Modes, Now

log = structlog.get_logger("hub")


Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
TICK, SCENE, BYE, WIPE = "\0tick", "\0scene", "\0bye", "\0wipe"
_BEFORE = {SCENE: 0, TICK: 2, BYE: 3}
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True)
class Pace:
    """A heartbeat each ``tick_seconds``; principals looked at each ``check_seconds``; a client that has not read for
    ``slow_seconds`` is dropped; pages of an older build reload after up to ``reload_jitter_ms``, at random, when a scene
    ends; walls tell what they painted each ``receipt_seconds``."""

    tick_seconds: float = 2.0
    check_seconds: float = 5.0
    slow_seconds: float = 15.0
    reload_jitter_ms: int = 60_000
    receipt_seconds: float = 30.0


@dataclass(frozen=True)
class ScreenPlan:
    """What a screen shows to an audience: a name, its instances in order, its scenes, the hash of its layout.

    ``modes``: its scenes in those modes in which they are others. ``everything``: all scenes that are on its page.
    """

    name: str
    instances: tuple[str, ...]
    scenes: tuple[Planned, ...]
    layout: str
    screen: str = ""
    audience: str = ROOM
    modes: Mapping[str, tuple[Planned, ...]] = field(default_factory=dict)
    everything: tuple[Planned, ...] = ()

    def in_mode(self, mode: str) -> tuple[Planned, ...]:
        """Its scenes in a mode."""
        return self.modes.get(mode, self.scenes)


def plan_name(screen: str, audience: str) -> str:
    """The name of a screen's plan for an audience: the screen's own for the room."""
    return screen if audience == ROOM else f"{screen}@{audience}"


class Stream:
    """One open connection. ``session`` identifies whose it is; the hub asks regularly whether that still holds."""

    __slots__ = ("closed", "due", "plan", "sending_since", "session", "task", "waiter", "wiped")

    def __init__(self, plan: ScreenPlan, session: bytes) -> None:
        self.plan, self.session = plan, session
        self.due: set[str] = set()
        self.waiter: asyncio.Future[bytes] | None = None
        self.sending_since = 0.0
        self.closed = False
        self.wiped = False
        self.task: asyncio.Task[Any] | None = None

    def offer(self, what: Iterable[str], body: bytes) -> None:
        """Hand the bytes of ``what`` to a stream that waits; to one that is sending they become due. One that was wiped gets
        nothing more."""
        if self.wiped:
            return
        waiter = self.waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(body)
        else:
            self.due.update(what)

    def wipe(self, body: bytes) -> None:
        """Let the page go blank: the last that is sent, and nothing that was due before goes out any more."""
        self.due = {WIPE}
        self.offer((WIPE,), body)
        self.wiped = True

    def end(self) -> None:
        """Let the stream end at its next turn."""
        self.closed = True
        self.offer((), b"")


class Hub:
    """All open streams. Everything but :meth:`publish_soon` runs on the event loop.

    ``living(sessions)`` tells, in a thread, which of them still are somebody's; ``now_ms`` is the server's clock. While
    ``speaks()`` is false nobody asks the panels: there is no heartbeat then, and the screens say that they lost the server.
    """

    def __init__(
        self, plans: Mapping[str, ScreenPlan], *, build: str, living: Callable[[set[bytes]], set[bytes]],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000, pace: Pace | None = None, modes: Modes | None = None,
        speaks: Callable[[], bool] = lambda: True,
    ) -> None:
        self.modes = modes
        self.plans, self.build, self.living, self.now_ms, self.speaks = dict(plans), build, living, now_ms, speaks
        self.pace = pace or Pace()
        self.states: dict[str, Said] = {}
        self.seq = 0
        self.sent_frames = self.sent_bytes = self.dropped = 0
        self._streams: set[Stream] = set()
        self._of_screen: dict[str, set[Stream]] = {}
        self._shared: dict[str, bytes] = {TICK: b"", BYE: event("bye", b"{}"), WIPE: event("wipe", b"{}")}
        self._scenes: dict[str, bytes] = {}
        self._scene_until: dict[str, int] = {}
        self._pinned: dict[str, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._check_now = asyncio.Event()

    @property
    def connected(self) -> int:
        """Open streams."""
        return len(self._streams)

    def start(self) -> None:
        """Begin ticking and checking; on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.ensure_future(work()) for work in (self._tick, self._turn_scenes, self._check)]

    async def stop(self) -> None:
        """End all streams and the hub's own work."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stream in self._streams:
            stream.end()
        await asyncio.sleep(0)

    # ---- what is new ------------------------------------------------------------------------------------------------

    def publish_soon(self, new: Sequence[Said]) -> None:
        """Hand over what the snapshot's worker found; safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.publish, new)

    def publish(self, new: Sequence[Said]) -> None:
        """Make states due for every stream that shows them."""
        self.states = {**self.states, **{said.panel: said for said in new}}
        self.seq = max([self.seq, *(said.seq for said in new)])
        self.turn()  # nobody is told what is not for those who are here now; and an alarm may pin, or let go
        for plan in self.plans.values():
            streams = self._of_screen.get(plan.name)
            shown = [said for said in new if said.panel in plan.instances] if streams else []
            if not streams or not shown:
                continue
            names, body = [said.panel for said in shown], b"".join([said.frame for said in shown])
            self.sent_frames += len(shown) * len(streams)
            for stream in streams:
                stream.offer(names, body)

    def knows(self, plan: ScreenPlan) -> bool:
        """Whether a screen that joins now would be told all of what it shows, as it is now."""
        return self.speaks() and all(name in self.states for name in plan.instances)

    def check_soon(self) -> None:
        """Look at the streams' principals now; safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._check_now.set)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.pace.tick_seconds)
            if self.speaks():
                self._shared[TICK] = event("tick", encode({"now": self.now_ms(), "seq": self.seq}))
                for stream in self._streams:
                    stream.offer((TICK,), self._shared[TICK])
            self._drop_slow()

    def _drop_slow(self) -> None:
        """End streams whose client has not read for too long: what waits for them is bounded anyway (V21)."""
        limit = time.monotonic() - self.pace.slow_seconds
        for stream in self._streams:
            if stream.sending_since and stream.sending_since < limit and stream.task is not None and not stream.closed:
                stream.closed = True
                self.dropped += 1
                stream.task.cancel()

    # ---- scenes and modes -------------------------------------------------------------------------------------------

    def _mode(self, plan: ScreenPlan, now: int) -> Now:
        return self.modes.of(plan.screen, now) if self.modes is not None else Now()

    def showing(self, screen: str) -> ScreenPlan | None:
        """The plan of a screen for the audience of its mode now; ``None`` for a screen that there is not."""
        now = self.modes.of(screen, self.now_ms()) if self.modes is not None else Now()
        return self.plans.get(plan_name(screen, now.audience))

    def modes_changed(self) -> None:
        """Somebody switched a mode: every wall of the group follows now; safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self.turn(again=True))

    def turn(self, *, again: bool = False) -> None:
        """Tell every screen the scene that it shows now if that is new; end the streams of pages for another audience."""
        now = self.now_ms()
        for plan in self.plans.values():
            streams = self._of_screen.get(plan.name, ())
            if streams and self.modes is not None and self.showing(plan.screen) is not plan:
                for stream in streams:
                    stream.wipe(self._shared[WIPE])
                continue
            due = again or self._scene_until.get(plan.name, 0) <= now or self._pinned.get(plan.name, "") != self._rule(plan)
            if due and self._turn(plan, now):
                for stream in streams:
                    stream.offer((SCENE,), self._scenes[plan.name])

    def _rule(self, plan: ScreenPlan) -> str:
        """The rule of the worst alarm when it is critical."""
        return next((said.pins for name in plan.instances if (said := self.states.get(name)) is not None and said.pins), "")

    async def _turn_scenes(self) -> None:
        while True:
            self.turn()
            now = self.now_ms()
            pending = [until for until in self._scene_until.values() if until > now]
            await asyncio.sleep(min(1.0, (min(pending) - now) / 1000) if pending else 1.0)

    def _turn(self, plan: ScreenPlan, now: int) -> bool:
        """Work out what a screen shows now; whether that is new."""
        pages = {name: said.pages for name, said in self.states.items()}
        mode, rule = self._mode(plan, now), self._rule(plan)
        scenes = plan.in_mode(mode.mode)
        held = pinned(scenes, plan.everything or plan.scenes, rule) if rule else None
        shown = shown_at(scenes, pages, now, self._mates(plan, mode)) if held is None else pinned_at(held, pages, now)
        self._pinned[plan.name] = rule
        self._scene_until[plan.name] = min(shown.until or now + 1000, mode.until or now + 60_000)
        body = event("scene", encode({
            **asdict(shown), "mode": mode.mode, "mode_until": mode.until, "overridden": mode.overridden,
            "wipe_at": mode.audience_until, "pinned": held is not None, "dim": 1.0 if rule else mode.dim,
        }))
        if self._scenes.get(plan.name) == body:
            return False
        self._scenes[plan.name] = body
        return True

    def _mates(self, plan: ScreenPlan, mode: Now) -> list[tuple[Planned, ...]]:
        """The scenes of the other screens of its group."""
        group = self.modes.group_of(plan.screen) if self.modes is not None else ""
        if not group or self.modes is None:
            return []
        return [
            other.in_mode(mode.mode) for other in self.plans.values()
            if other is not plan and other.audience == plan.audience and self.modes.group_of(other.screen) == group
        ]

    async def _check(self) -> None:
        """Every few seconds: one question for all open streams; those that are nobody's any more get ``bye``."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._check_now.wait(), self.pace.check_seconds)
            self._check_now.clear()
            sessions = {stream.session for stream in self._streams}
            if not sessions:
                continue
            try:
                living = await asyncio.to_thread(self.living, sessions)
            except Exception as err:  # noqa: BLE001  (asked again at the next check; the guard asks on its own)
                log.warning("principals cannot be checked", error=f"{type(err).__name__}: {err}")
                continue
            for stream in self._streams:
                if stream.session not in living:
                    stream.offer((BYE,), self._shared[BYE])

    # ---- a stream ---------------------------------------------------------------------------------------------------

    def _hello(self, plan: ScreenPlan, known: Collection[str]) -> bytes:
        now = self.now_ms()
        if self._scene_until.get(plan.name, 0) <= now:
            self._turn(plan, now)
        states = [self.states[name] for name in plan.instances if name in self.states]
        frames = [said.frame for said in states if said.said not in known]
        hello = {
            "now": now, "build": self.build, "layout": plan.layout, "screen": plan.screen or plan.name, "seq": self.seq,
            "frames": len(frames), "audience": plan.audience, "tick_seconds": self.pace.tick_seconds,
            "reload_jitter_ms": self.pace.reload_jitter_ms, "receipt_seconds": self.pace.receipt_seconds,
        }
        self.sent_frames += len(frames)
        return b"".join([event("hello", encode(hello)), self._scenes[plan.name], *frames])

    def _due(self, stream: Stream) -> bytes:
        """What became due while it was sending, joined: the scene first, then states, then the tick."""
        due, stream.due = stream.due, set()
        return b"".join([self._bytes_of(what, stream) for what in sorted(due, key=lambda what: _BEFORE.get(what, 1))])

    def _bytes_of(self, what: str, stream: Stream) -> bytes:
        if what == SCENE:
            return self._scenes[stream.plan.name]
        shared = self._shared.get(what)
        if shared is not None:
            return shared
        return self.states[what].frame

    async def stream(
        self, plan: ScreenPlan, session: bytes, receive: Receive, send: Send, known: Collection[str] = frozenset()
    ) -> None:
        """Serve one connection until it ends: the current state at once, then whatever becomes due.

        ``known``: the contents (``Said.said``) that the page already shows; those are not sent again.
        """
        stream = Stream(plan, session)
        loop = asyncio.get_running_loop()
        stream.task = asyncio.current_task()
        gone = asyncio.ensure_future(_until_gone(receive, stream))
        self._streams.add(stream)
        self._of_screen.setdefault(plan.name, set()).add(stream)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            body = self._shared[WIPE] if stream.wiped else self._hello(plan, known)
            last = stream.wiped
            while not stream.closed:
                self.sent_bytes += len(body)
                stream.sending_since = time.monotonic()
                await send({"type": "http.response.body", "body": body, "more_body": True})
                stream.sending_since = 0.0
                if last:
                    break
                if stream.due:
                    last = BYE in stream.due or WIPE in stream.due
                    body = self._due(stream)
                else:
                    stream.waiter = loop.create_future()
                    body = await stream.waiter
                    last = body is self._shared[BYE] or body is self._shared[WIPE]
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if not stream.closed:  # cancelled by the server's own end, not by _drop_slow
                raise
        except OSError:
            pass  # the client went away while being sent to
        finally:
            gone.cancel()
            self._streams.discard(stream)
            self._of_screen[plan.name].discard(stream)


async def _until_gone(receive: Receive, stream: Stream) -> None:
    """Wait for the client to hang up; then end the stream."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()
