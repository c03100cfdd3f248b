"""Mapped cases of a read that must be looked at whole before any of it is stored: a temporary file, never memory.

It holds what the store would hold (pseudonyms, stamps, codes), no personal data, and is gone when the read ends.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from collectors.events import EventRow, merge_events
from collectors.mapping import Mapping
from dashboard.cases import Codes, Sighting


class Spool:
    """A file of sightings in order, or of event rows merged by case. Use it as a context."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(prefix="read-", dir=folder)
        self._file = sqlite3.connect(Path(self._folder.name) / "spool.sqlite", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF",
            "CREATE TABLE kept (n INTEGER PRIMARY KEY, text TEXT)", "CREATE TABLE event (key BLOB PRIMARY KEY, text TEXT)", "BEGIN",
        ):
            self._file.execute(statement)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()
        self._folder.cleanup()

    def keep(self, sightings: Sequence[Sighting]) -> None:
        """Append sightings."""
        self._file.executemany(
            "INSERT INTO kept (text) VALUES (?)", [(json.dumps([item.key.hex(), *item[1:]]),) for item in sightings]
        )

    def sightings(self, size: int) -> Iterator[list[Sighting]]:
        """The kept sightings again, in pages."""
        cursor = self._file.execute("SELECT text FROM kept ORDER BY n")
        while rows := cursor.fetchmany(size):
            yield [self._sighting(json.loads(text)) for (text,) in rows]

    @staticmethod
    def _sighting(parts: list[object]) -> Sighting:
        key, submitted, accepted, response, ended, codes, published, updated = parts
        return Sighting(
            bytes.fromhex(str(key)), submitted, accepted, response, ended, Codes(*codes), published, updated,  # type: ignore
        )

    def merge(self, mapping: Mapping, rows: Sequence[EventRow]) -> None:
        """Merge rows of an event log into their cases."""
        cases: dict[bytes, EventRow] = {}
        for row in rows:
            before = cases.get(row.key) or self._event(row.key)
            cases[row.key] = merge_events(mapping, before, row)
        self._file.executemany(
            "INSERT INTO event VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET text = excluded.text",
            [(case.key, json.dumps([case.stamps, case.codes])) for case in cases.values()],
        )

    def _event(self, key: bytes) -> EventRow | None:
        row = self._file.execute("SELECT text FROM event WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        stamps, codes = json.loads(row[0])
        return EventRow(key, stamps, Codes(*codes))

    def events(self) -> Iterator[EventRow]:
        """The merged cases of an event log."""
        for key, text in self._file.execute("SELECT key, text FROM event ORDER BY rowid"):
            stamps, codes = json.loads(text)
            yield EventRow(bytes(key), stamps, Codes(*codes))
