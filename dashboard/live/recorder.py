"""The black box: what each panel said and what each screen showed, from when to when. Bodies are kept once per hash, packed.

One serve process records, by a lease. A screen is recorded as a panel is: its shape is the page around its panels, its
props are the scene and page that were on. A *span* says when a recorder was running, and up to which instant all that was
shown is written: beyond it, and between two of them, nothing is known, and replay says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, insert, select, update

from dashboard.errors import LeaseLost
from dashboard.live.bodies import Writer
from dashboard.live.frames import digest, encode
from dashboard.live.snapshot import Said
from dashboard.store.engine import writing
from dashboard.store.lease import Lease
from dashboard.store.tables_recordings import STILL, recorded, recorder_lease, recording, span

log = structlog.get_logger("recorder")

COMMIT_SECONDS = 1.0
LEASE_SECONDS = 15.0
MARK_SECONDS = 5.0
"""How often a span is said to go on while nothing changes."""
MOST_WAITING = 5000
"""States that may wait while the store cannot be written; with more of them the recording breaks off, and says so."""
SCREEN = "screen:"
"""Before a screen's name: what it showed is recorded as a panel of this name."""


@dataclass(frozen=True)
class Surroundings:
    """What is recorded beside the panels: this build, its style sheets as one text, and each screen's page (its JSON).

    ``pages``: plan → ``{"page", "layout", "instances", "pixels", "language"}``, encoded.
    """

    build: str = ""
    style: bytes = b""
    pages: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """A state as it is written. ``skeleton`` is made when its shape is new."""

    panel: str
    said: str
    shape: str
    skeleton: Callable[[], bytes]
    props: bytes
    as_of: int | None
    limits: str


def _of_panel(said: Said) -> _Kept:
    after = ["" if limit is None else str(limit - said.as_of) for limit in (said.late, said.stale)]
    limits = ",".join(after) + ("!" if said.failed else "")
    return _Kept(said.panel, said.said, said.drawn.shape, lambda: encode(said.drawn.skeleton), said.props, said.as_of, limits)


class Recorder:
    """Writes what the snapshot says, at most one commit a second, in a thread of its own, while the lease is ours."""

    def __init__(
        self, engine: Engine, holder: str, *, now: Callable[[], datetime], around: Surroundings | None = None
    ) -> None:
        self.engine, self.now = engine, now
        self.around = around or Surroundings()
        self.lease = Lease(engine, holder, ttl_seconds=LEASE_SECONDS, name="recorder", table=recorder_lease)
        self.commits = 0
        self._latest: dict[str, tuple[int, _Kept]] = {}
        self._waiting: list[tuple[int, _Kept]] = []
        self._open: dict[str, tuple[int, str]] = {}
        self._bodies = Writer()
        self._span: int | None = None
        self._from = self._marked = self._round = 0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)

    def start(self) -> None:
        """Start recording, or waiting for the lease."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, end the open rows, give the lease back."""
        self._stop.set()
        self._thread.join(5)

    def keep(self, new: list[Said]) -> None:
        """Take note of what was just said; cheap, from the snapshot's worker."""
        self._note([_of_panel(said) for said in new])

    def show(self, screen: str, plan: str, shown: Mapping[str, Any]) -> None:
        """Take note of what a screen shows now, by which plan: scene, page and whatever else it was told (without an end)."""
        page = self.around.pages.get(plan)
        if page is None:
            return
        props = encode({key: value for key, value in shown.items() if key != "until"})
        shape = digest(page)
        self._note([_Kept(SCREEN + screen, digest(shape.encode() + props), shape, lambda: page, props, None, ",")])

    def _note(self, new: list[_Kept]) -> None:
        at = self._at()
        with self._lock:
            for kept in new:
                self._latest[kept.panel] = (at, kept)
                if self.lease.token is not None:
                    self._waiting.append((at, kept))

    def _at(self) -> int:
        return int(self.now().timestamp() * 1000)

    def _work(self) -> None:
        renewed = 0.0
        failing = False
        self._round = self._at()
        while not self._stop.is_set():
            try:
                at = self.now().timestamp()
                if not self._went_on() and self.lease.token is not None:
                    self.lease.release()  # stopped for a while, or the clock was set: what was shown meanwhile is not known
                    self._lose()
                if self.lease.token is None:
                    self._take_over()
                    renewed = at
                elif at - renewed > LEASE_SECONDS / 3:
                    if self.lease.renew(self.now()):
                        renewed = at
                    else:
                        self._lose()
                if self.lease.token is not None:
                    self._write()
                failing = False
            except LeaseLost:
                self._lose()
            except Exception as err:  # noqa: BLE001  (recording must never end the screens)
                if not failing:
                    log.warning("cannot record", error=f"{type(err).__name__}: {err}")
                failing = True
            self._stop.wait(COMMIT_SECONDS)
        self._finish()

    def _went_on(self) -> bool:
        """Whether this thread ran all the time since its last round, and what waits to be written is all there."""
        before, self._round = self._round, self._at()
        return -1000 <= self._round - before <= LEASE_SECONDS * 1000 and len(self._waiting) <= MOST_WAITING

    def _lose(self) -> None:
        self.lease.token = None
        self._span = None
        with self._lock:
            self._waiting.clear()
        self._open.clear()

    def _take_over(self) -> None:
        """Get the lease if it is free; rows that a dead recorder left open end where its span ends."""
        table = recorder_lease
        with self.engine.connect() as connection:
            before = connection.execute(select(table.c.expires_at).where(table.c.name == "recorder")).scalar()
        if self.lease.acquire(self.now()) is None:
            return
        with writing(self.engine).begin() as connection:
            last = connection.execute(select(span).order_by(span.c.id.desc()).limit(1)).first()
            alive = last.to_at if last is not None else int(((before or 0) - LEASE_SECONDS) * 1000)
            left = select(recording.c.id, recording.c.from_at).where(recording.c.to_at == STILL)
            for row in connection.execute(left).all():
                connection.execute(update(recording).where(recording.c.id == row.id).values(to_at=max(row.from_at, alive)))
            if last is not None and last.ended is None:
                connection.execute(update(span).where(span.c.id == last.id).values(ended="lost"))
        self._from = at = self._at()
        with self._lock:
            self._waiting = [(at, kept) for _, kept in self._latest.values()]

    def _begin(self, connection: Connection) -> int:
        """Open this recorder's span: its number."""
        style = bytes.fromhex(digest(self.around.style))
        self._bodies.keep(connection, style, self.around.style)
        done = connection.execute(insert(span).values(
            from_at=self._from, to_at=self._from, build=self.around.build, style=style
        ))
        number = done.inserted_primary_key
        assert number is not None  # a single row was inserted
        return int(number[0])

    def _write(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            upto = self._at()
        if not waiting and self._span is not None and upto - self._marked < MARK_SECONDS * 1000:
            return
        opened = dict(self._open)
        try:
            with writing(self.engine).begin() as connection:
                self._fence(connection)
                number = self._begin(connection) if self._span is None else self._span
                for at, kept in waiting:
                    self._one(connection, at, kept, opened)
                connection.execute(update(span).where(span.c.id == number).values(to_at=upto))
        except LeaseLost:
            raise
        except Exception:
            with self._lock:
                self._waiting = waiting + self._waiting
            raise
        self._open, self._marked, self._span = opened, upto, number
        self.commits += bool(waiting)

    def _fence(self, connection: Connection) -> None:
        held = connection.execute(
            select(recorder_lease.c.token).where(recorder_lease.c.name == "recorder").with_for_update()
        ).scalar()
        if held != self.lease.token:
            raise LeaseLost(
                "another process records now; this one stops recording", "proses lain kini merekam; yang ini berhenti merekam"
            )

    def _one(self, connection: Connection, at: int, kept: _Kept, opened: dict[str, tuple[int, str]]) -> None:
        before = opened.get(kept.panel)
        if before is not None:
            if before[1] == kept.said:
                return
            connection.execute(update(recording).where(recording.c.id == before[0]).values(to_at=at))
        shape, props = bytes.fromhex(kept.shape), bytes.fromhex(digest(kept.props))
        self._bodies.keep(connection, shape, kept.skeleton())
        self._bodies.keep(connection, props, kept.props, shape=kept.shape, at=at)
        done = connection.execute(insert(recording).values(
            panel=self._number(connection, kept.panel), shape=shape, props=props, as_of=kept.as_of, limits=kept.limits, from_at=at,
            to_at=STILL,
        ))
        number = done.inserted_primary_key
        assert number is not None  # a single row was inserted
        opened[kept.panel] = (int(number[0]), kept.said)

    def _number(self, connection: Connection, name: str) -> int:
        """The number of a panel's name; a new one is written."""
        known = connection.execute(select(recorded.c.id).where(recorded.c.name == name)).scalar()
        if known is None:
            done = connection.execute(insert(recorded).values(name=name)).inserted_primary_key
            assert done is not None  # a single row was inserted
            known = done[0]
        return int(known)

    def _finish(self) -> None:
        """At the end: nothing is shown from here any more."""
        if self.lease.token is None:
            return
        try:
            self._write()
            at = self._at()
            with writing(self.engine).begin() as connection:
                self._fence(connection)
                for number, _ in self._open.values():
                    connection.execute(update(recording).where(recording.c.id == number).values(to_at=at))
                connection.execute(update(span).where(span.c.id == self._span).values(to_at=at, ended="stopped"))
            self.lease.release()
        except Exception as err:  # noqa: BLE001  (the process ends anyway; the next recorder closes the rows)
            log.warning("cannot finish the recording", error=f"{type(err).__name__}: {err}")
