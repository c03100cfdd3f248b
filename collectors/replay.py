"""Maps the rows that were put aside again, after the mapping was mended.

They were kept as the declared fields' raw strings without the id, whose keyed hash they carry. A row without an id, or without a
column that the mended mapping wants, stays aside; so does one whose case a later run changed: it knows better.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Engine, select

from collectors.connector import Page, Row
from collectors.events import event_rows, merge_events, sightings_of
from collectors.keys import key_of
from collectors.mapping import BadRow, Mapping
from dashboard import clock
from dashboard.cases import Rejected, Sighting
from dashboard.derive import Deriver
from dashboard.errors import ProductError
from dashboard.store import dialect
from dashboard.store.read import Read
from dashboard.store.sightings import stored_sightings
from dashboard.store.staging import PAGE
from dashboard.store.tables import case, rejected

if TYPE_CHECKING:
    from config.declarations import Regency, Source
    from config.settings import Settings
    from dashboard.store.state import SourceState

_KEY = "\0key"


class Replayed(NamedTuple):
    """What became of the rows put aside: mapped now, still bad, older than what is stored, without an id."""

    mapped: int
    still_bad: int
    superseded: int
    without_id: int


class _Keyed(Mapping):
    """The mapping of a source for rows that carry their key instead of their id."""

    def pseudonym(self, row: Row) -> bytes:
        """The key itself."""
        found = row[_KEY]
        if not isinstance(found, bytes):
            raise BadRow("case_id: is missing")
        return found


def replay(
    engine: Engine, regency: Regency, source: Source, *, settings: Settings, token: int | None = None,
    now: Callable[[], datetime] = clock.now,
) -> Replayed:
    """Map a source's rejected rows again and store what can be mapped now, as a run with its own revisions.

    Raises ``ProductError`` for a source of readings, whose rows come again with the next read anyway.
    """
    if source.feeds != "cases":
        raise ProductError(
            f"{source.id}: readings are not replayed, they come again with the next read; use collect --source {source.id}",
            f"{source.id}: bacaan tidak diputar ulang, ia datang lagi; pakai collect --source {source.id}",
        )
    read = Read.begin(
        engine, source, mode="replay", token=token, now=now(), declarations=regency.hash, zone=regency.zone, what="replay"
    )
    mapping, deriver = _Keyed(source, key_of(settings.data, source.id), now), Deriver(regency, source)
    made = 0
    with engine.connect() as connection:
        rows = connection.execute(select(rejected).where(rejected.c.source == source.id).order_by(rejected.c.id)).all()
        newest = {bytes(row.key): row for row in rows if row.key is not None}  # of a case put aside twice the last row holds
        later = set() if mapping.events else _changed_later(connection, source.id, read.state.generation, newest)
    bad: set[bytes] = set()
    groups = _by_case(rows, mapping.events, later, newest)
    superseded = sum(1 for row in rows if row.key is not None and bytes(row.key) in later)
    for start in range(0, len(groups), PAGE):
        part = groups[start : start + PAGE]
        sightings, failed = _mapped(engine, mapping, source.id, read.state, part)
        bad |= failed
        page = [item for item in sightings if item.key not in failed]
        read.page([deriver.derive(item) for item in page])
        made += len(page)
    read.close([row.id for row in rows if row.key is not None and bytes(row.key) not in bad], now())
    return Replayed(made, len(bad), superseded, sum(row.key is None for row in rows))


def _changed_later(connection: Connection, source: str, generation: int, newest: dict[bytes, Any]) -> set[bytes]:
    listed, found = list(newest), set()
    for start in range(0, len(listed), PAGE):
        for key, last in dialect.by_keys(
            connection, case, ("key", "last_run"), source, generation, listed[start : start + PAGE]
        ):
            if last > newest[bytes(key)].run:
                found.add(bytes(key))
    return found


def _by_case(rows: Iterable[Any], events: bool, later: set[bytes], newest: dict[bytes, Any]) -> list[list[Any]]:
    """The rows to map, case by case: all rows of an event log's case, else the last one."""
    groups: dict[bytes, list[Any]] = {}
    for row in rows:
        key = None if row.key is None else bytes(row.key)
        if key is not None and key not in later and (events or newest[key] is row):
            groups.setdefault(key, []).append(row)
    return list(groups.values())


def _mapped(
    engine: Engine, mapping: _Keyed, source: str, state: SourceState, groups: Sequence[Sequence[Any]]
) -> tuple[list[Sighting], set[bytes]]:
    """Sightings of cases, and the keys of those that cannot be mapped yet."""
    raws: list[Row] = [{**json.loads(row.raw), _KEY: bytes(row.key)} for group in groups for row in group]
    page = Page(rows=raws)
    if not mapping.events:
        mapped = mapping.page(page, 1)
        return mapped.sightings, _keys(mapped.rejected)
    found, put_aside = event_rows(mapping, page, 1)
    merged: dict[bytes, Any] = {}
    for event in found:
        merged[event.key] = merge_events(mapping, merged.get(event.key), event)

    def stored(keys: Sequence[bytes]) -> dict[bytes, Sighting]:
        with engine.connect() as connection:
            return stored_sightings(connection, source, state.generation, keys)

    cases = list(sightings_of(mapping, merged.values(), whole_from=float("inf"), stored=stored))
    unplaced = [item for item in cases if isinstance(item, Rejected)]
    return [item for item in cases if isinstance(item, Sighting)], _keys([*put_aside, *unplaced])


def _keys(found: Iterable[Rejected]) -> set[bytes]:
    return {item.key for item in found if item.key is not None}
