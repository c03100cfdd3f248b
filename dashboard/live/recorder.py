"""The black box: what each panel said, from when to when. Bodies are kept once per hash, packed; rows name them.

One serve process records, by a lease. A body of props is packed against the first body of the same shape, so that a
second state of a tile costs some tens of bytes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
import zstandard
from sqlalchemy import Connection, Engine, insert, select, update

from dashboard.errors import LeaseLost
from dashboard.live.frames import assemble, digest, encode
from dashboard.live.snapshot import Said
from dashboard.store.engine import writing
from dashboard.store.lease import Lease
from dashboard.store.tables import body, recorder_lease, recording

log = structlog.get_logger("recorder")

COMMIT_SECONDS = 1.0
LEASE_SECONDS = 15.0
PLAIN, AGAINST = b"\x00", b"\x01"
_LEVEL = 9


def pack(content: bytes, *, against: tuple[bytes, bytes] | None = None) -> bytes:
    """A body as stored. ``against``: (hash, content) of a stored body that it is likely to resemble."""
    if against is None:
        return PLAIN + zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    dictionary = zstandard.ZstdCompressionDict(against[1], dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return AGAINST + against[0] + zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary).compress(content)


def unpack(connection: Connection, name: bytes) -> bytes:
    """A stored body by its hash (16 bytes). Raises ``KeyError`` when there is none."""
    stored = connection.execute(select(body.c.zstd).where(body.c.hash == name)).scalar()
    if stored is None:
        raise KeyError(name.hex())
    kept = bytes(stored)
    if kept[:1] == PLAIN:
        return zstandard.ZstdDecompressor().decompress(kept[1:])
    dictionary = zstandard.ZstdCompressionDict(unpack(connection, kept[1:17]), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(kept[17:])


def replayed(connection: Connection, panel: str, at_ms: int) -> Any:
    """The tree that an instance showed at an instant (epoch milliseconds); ``None`` when nothing was recorded then."""
    row = connection.execute(
        select(recording).where(
            recording.c.panel == panel, recording.c.from_at <= at_ms,
            recording.c.to_at.is_(None) | (recording.c.to_at > at_ms),
        ).order_by(recording.c.from_at.desc()).limit(1)
    ).first()
    if row is None:
        return None
    skeleton, props = (json.loads(unpack(connection, bytes(name))) for name in (row.shape, row.props))
    return assemble(skeleton, props)


class Recorder:
    """Writes what the snapshot says, at most one commit a second, in a thread of its own, while the lease is ours."""

    def __init__(self, engine: Engine, holder: str, *, now: Callable[[], datetime]) -> None:
        self.engine, self.now = engine, now
        self.lease = Lease(engine, holder, ttl_seconds=LEASE_SECONDS, name="recorder", table=recorder_lease)
        self.commits = 0
        self._latest: dict[str, tuple[int, Said]] = {}
        self._waiting: list[tuple[int, Said]] = []
        self._open: dict[str, tuple[int, str]] = {}
        self._first_of_shape: dict[str, tuple[bytes, bytes]] = {}
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
        at = int(self.now().timestamp() * 1000)
        with self._lock:
            for said in new:
                self._latest[said.panel] = (at, said)
                if self.lease.token is not None:
                    self._waiting.append((at, said))

    def _work(self) -> None:
        renewed = 0.0
        failing = False
        while not self._stop.is_set():
            try:
                at = self.now().timestamp()
                if self.lease.token is None:
                    self._take_over()
                elif at - renewed > LEASE_SECONDS / 3 and not self.lease.renew(self.now()):
                    self._lose()
                if self.lease.token is not None:
                    renewed = at if at - renewed > LEASE_SECONDS / 3 else renewed
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

    def _lose(self) -> None:
        self.lease.token = None
        with self._lock:
            self._waiting.clear()
        self._open.clear()

    def _take_over(self) -> None:
        """Get the lease if it is free; rows that a dead recorder left open end when it was last alive."""
        table = recorder_lease
        with self.engine.connect() as connection:
            before = connection.execute(select(table.c.expires_at).where(table.c.name == "recorder")).scalar()
        if self.lease.acquire(self.now()) is None:
            return
        last_alive = int(((before or 0) - LEASE_SECONDS) * 1000)
        with writing(self.engine).begin() as connection:
            left = select(recording.c.id, recording.c.from_at).where(recording.c.to_at.is_(None))
            for row in connection.execute(left).all():
                connection.execute(
                    update(recording).where(recording.c.id == row.id).values(to_at=max(row.from_at, last_alive))
                )
        at = int(self.now().timestamp() * 1000)
        with self._lock:
            self._waiting = [(at, said) for _, said in self._latest.values()]

    def _write(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        opened = dict(self._open)
        try:
            with writing(self.engine).begin() as connection:
                self._fence(connection)
                for at, said in waiting:
                    self._one(connection, at, said, opened)
        except LeaseLost:
            raise
        except Exception:
            with self._lock:
                self._waiting = waiting + self._waiting
            raise
        self._open = opened
        self.commits += 1

    def _fence(self, connection: Connection) -> None:
        held = connection.execute(
            select(recorder_lease.c.token).where(recorder_lease.c.name == "recorder").with_for_update()
        ).scalar()
        if held != self.lease.token:
            raise LeaseLost(
                "another process records now; this one stops recording", "proses lain kini merekam; yang ini berhenti merekam"
            )

    def _one(self, connection: Connection, at: int, said: Said, opened: dict[str, tuple[int, str]]) -> None:
        before = opened.get(said.panel)
        if before is not None:
            if before[1] == said.said:
                return
            connection.execute(update(recording).where(recording.c.id == before[0]).values(to_at=at))
        shape, props = bytes.fromhex(said.drawn.shape), bytes.fromhex(digest(said.props))
        self._body(connection, shape, encode(said.drawn.skeleton), None)
        self._body(connection, props, said.props, said.drawn.shape)
        limits = {"late": said.late, "stale": said.stale, **({"failed": True} if said.failed else {})}
        done = connection.execute(insert(recording).values(
            panel=said.panel, shape=shape, props=props, as_of=said.as_of, limits=encode(limits).decode(), from_at=at
        ))
        number = done.inserted_primary_key
        assert number is not None  # a single row was inserted
        opened[said.panel] = (int(number[0]), said.said)

    def _body(self, connection: Connection, name: bytes, content: bytes, shape: str | None) -> None:
        """Keep a body unless it is there; ``shape``: pack it against the first body of that shape."""
        if connection.execute(select(body.c.hash).where(body.c.hash == name)).first() is not None:
            return
        first = self._first_of_shape.get(shape) if shape else None
        connection.execute(insert(body).values(hash=name, zstd=pack(content, against=first)))
        if shape and first is None:
            if len(self._first_of_shape) >= 500:
                self._first_of_shape.clear()
            self._first_of_shape[shape] = (name, content)

    def _finish(self) -> None:
        """At the end: nothing is shown from here any more."""
        if self.lease.token is None:
            return
        try:
            self._write()
            at = int(self.now().timestamp() * 1000)
            with writing(self.engine).begin() as connection:
                self._fence(connection)
                for number, _ in self._open.values():
                    connection.execute(update(recording).where(recording.c.id == number).values(to_at=at))
            self.lease.release()
        except Exception as err:  # noqa: BLE001  (the process ends anyway; the next recorder closes the rows)
            log.warning("cannot finish the recording", error=f"{type(err).__name__}: {err}")
