"""Which known cases a read saw, and how a staged read compares with them before any of it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select

from dashboard.cases import Codes, Sighting
from dashboard.store import dialect
from dashboard.store.tables import case

PAGE = 5_000
Span = tuple[int | None, int | None]
"""Submissions from, until (half-open); ``None``: without end."""


class Verdict(NamedTuple):
    """What a staged read saw of the known cases inside its span: ``known``, of them ``missing``; ``new`` and ``seen`` ids.

    Of the known cases that it saw, wherever they lie: ``moved``, with another submission than before; of them ``reused``, with
    another service too, or open again after an end: an id that another case got.
    """

    known: int
    missing: int
    new: int
    seen: int
    moved: int = 0
    reused: int = 0


class Sighted:
    """The cases of one generation of a source that are known before a read: one bit each, set when the read saw it.

    ``highest``: the highest number of a case before the read; what is above came with it.
    """

    def __init__(self, engine: Engine, source: str, generation: int, highest: int) -> None:
        self.engine, self.source, self.generation, self.highest = engine, source, generation, highest
        self._bits = bytearray(highest // 8 + 1)
        self._new = self._moved = self._reused = 0

    def mark(self, identity: int) -> None:
        """The read saw this case."""
        if identity <= self.highest:
            self._bits[identity >> 3] |= 1 << (identity & 7)

    def saw(self, identity: int) -> bool:
        """Whether it did."""
        return bool(self._bits[identity >> 3] & (1 << (identity & 7)))

    def known_in(self, connection: Connection, span: Span) -> Iterator[int]:
        """The known cases inside a span of submissions, streamed: a source may have millions."""
        statement = select(case.c.id).where(
            case.c.source == self.source, case.c.generation == self.generation, case.c.deleted_at.is_(None),
            case.c.id <= self.highest,
        )
        if span[0] is not None:
            statement = statement.where(case.c.submitted_at >= span[0])
        if span[1] is not None:
            statement = statement.where(case.c.submitted_at < span[1])
        return iter(connection.execute(statement, execution_options={"yield_per": PAGE}).scalars())

    def stage(self, sightings: Sequence[Sighting], keys: Sequence[bytes] = ()) -> None:
        """Note which known cases a staged page holds, and which of them are others than before. Writes nothing.

        ``keys``: of rows put aside, which are there all the same.
        """
        items: dict[bytes, Sighting | None] = {**dict.fromkeys(keys), **{item.key: item for item in sightings}}
        listed = list(items)
        columns = ("id", "key", "submitted_at", "ended_at", "codes")
        with self.engine.connect() as connection:
            for start in range(0, len(listed), PAGE):
                part = listed[start : start + PAGE]
                found = dialect.by_keys(connection, case, columns, self.source, self.generation, part)
                for identity, key, submitted, ended, codes in found:
                    self.mark(identity)
                    item = items[bytes(key)]
                    if item is not None and item.submitted_at != submitted:
                        self._moved += 1
                        self._reused += item.codes.service != Codes.loads(codes).service or (
                            ended is not None and item.ended_at is None)
                self._new += len(part) - len(found)

    def verdict(self, span: Span | None) -> Verdict:
        """How the staged read compares with what is known inside its span of submissions (none: nothing may be missing)."""
        known = missing = 0
        with self.engine.connect() as connection:
            for identity in self.known_in(connection, span) if span is not None else ():
                known += 1
                missing += not self.saw(identity)
        seen = sum(byte.bit_count() for byte in self._bits) + self._new
        return Verdict(known, missing, self._new, seen, self._moved, self._reused)
