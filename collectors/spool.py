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

MOST_TEXTS = 50_000


class Spool:
    """A file of sightings in order, or of event rows merged by case. Use it as a context."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        place = tempfile.TemporaryDirectory(prefix="read-", dir=folder)
        self._file = sqlite3.connect(Path(place.name) / "spool.sqlite", isolation_level=None)
        self._texts: dict[Codes, str] = {}
        for statement in (
            "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF",
            f"CREATE TABLE kept ({', '.join(Sighting._fields)})", "CREATE TABLE event (key BLOB PRIMARY KEY, text TEXT)", "BEGIN",
        ):
            self._file.execute(statement)
        place.cleanup()  # the open file has no name any more, so a killed read leaves nothing behind

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def keep(self, sightings: Sequence[Sighting]) -> None:
        """Append sightings."""
        texts = self._texts
        if len(texts) > MOST_TEXTS:
            texts.clear()
        rows = []
        for item in sightings:
            text = texts.get(item.codes)
            if text is None:
                text = texts[item.codes] = item.codes.dumps()
            rows.append((*item[:5], text, *item[6:]))
        self._file.executemany("INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def sightings(self, size: int) -> Iterator[list[Sighting]]:
        """The kept sightings again, in pages."""
        known: dict[str, Codes] = {}
        cursor = self._file.execute("SELECT * FROM kept ORDER BY rowid")
        while rows := cursor.fetchmany(size):
            page = []
            for key, submitted, accepted, response, ended, text, published, updated in rows:
                codes = known.get(text)
                if codes is None:
                    if len(known) > MOST_TEXTS:
                        known.clear()
                    codes = known[text] = Codes.loads(text)
                page.append(Sighting(key, submitted, accepted, response, ended, codes, published, updated))
            yield page

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
