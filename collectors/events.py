"""Event logs: several rows per case (task ids of a hospital queue, histories of permits) merged into one sighting each.

A field takes the first or the last of its rows, where need be only rows in which other columns have given values. Stamps are
first or last by their time, codes by the rows' order; without ``take`` a stamp is the first, a code the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Table
from typing import NamedTuple

from collectors.connector import Page, Row
from collectors.mapping import CODED, BadRow, Mapping, broken, flattened, holds, line_of
from collectors.stamps import BadStamp
from config.declarations import STAMPS
from dashboard.cases import Codes, Rejected, Sighting

AT_ONCE = 1_000


class EventRow(NamedTuple):
    """Rows of an event log so far: the case's key, its stamps by field, and its codes."""

    key: bytes
    stamps: dict[str, int | None]
    codes: Codes


def event_rows(mapping: Mapping, page: Page, number: int) -> tuple[list[EventRow], list[Rejected]]:
    """The rows of a page, half mapped. A field with ``where`` counts only in rows where those columns have those values."""
    found: list[EventRow] = []
    rejected = broken(page, number)
    for index, raw in enumerate(page.rows):
        row = flattened(raw, mapping.dotted) if mapping.dotted else raw
        if not holds(row, mapping.only):
            continue
        try:
            found.append(_event(mapping, row))
        except (BadRow, BadStamp) as err:
            rejected.append(mapping.reject(row, str(err), number, line_of(page, index)))
    return found, rejected


def _event(mapping: Mapping, row: Row) -> EventRow:
    stamps: dict[str, int | None] = {}
    for name, read in mapping.stamps:
        if _applies(mapping, name, row):
            at = stamps[name] = read(row, stamps)
            if at is not None and at > mapping.limit:
                raise BadRow(f"{name}: lies in the future")
    codes = mapping.coded(row)
    if mapping.wheres:
        codes = Codes(*(code if _applies(mapping, CODED[place], row) else None for place, code in enumerate(codes)))
    key = mapping.pseudonym(row)
    if mapping.ticket_column is not None:
        mapping.note_ticket(key, row, max((at for at in stamps.values() if at is not None), default=0))
    return EventRow(key, stamps, codes)


def _applies(mapping: Mapping, name: str, row: Row) -> bool:
    return holds(row, mapping.wheres.get(name, ()))


def merge_events(mapping: Mapping, before: EventRow | None, row: EventRow) -> EventRow:
    """A case's rows together: each stamp the first or the last, each code likewise by order."""
    if before is None:
        return row
    stamps = dict(before.stamps)
    for name, at in row.stamps.items():
        old = stamps.get(name)
        if at is not None:
            stamps[name] = at if old is None else (max if _takes(mapping, name, "first") == "last" else min)(old, at)
    codes = []
    for place, (old_code, new_code) in enumerate(zip(before.codes, row.codes, strict=True)):
        first = _takes(mapping, CODED[place], "last") == "first"
        codes.append(old_code if new_code is None or (first and old_code is not None) else new_code)
    return EventRow(row.key, stamps, Codes(*codes))


def _takes(mapping: Mapping, name: str, otherwise: str) -> str:
    field = mapping.source.fields.get(name)
    return field.take if field is not None and "take" in field.model_fields_set else otherwise


def of_sighting(seen: Sighting) -> EventRow:
    """A stored case as what its rows said so far."""
    values = (seen.submitted_at, seen.accepted_at, seen.first_response_at, seen.ended_at, seen.updated_at, seen.published_at)
    return EventRow(seen.key, dict(zip(STAMPS, values, strict=True)), seen.codes)


def sightings_of(
    mapping: Mapping, events: Iterable[EventRow], *, whole_from: float | None,
    stored: Callable[[Sequence[bytes]], Table[bytes, Sighting]],
) -> Iterator[Sighting | Rejected]:
    """Cases from merged rows. One submitted before ``whole_from`` is known only in part here: it is merged with what is stored.

    ``whole_from`` ``None``: every case is whole in this read. A case without a submission anywhere is put aside.
    """
    part: list[EventRow] = []
    for event in events:
        part.append(event)
        if len(part) >= AT_ONCE:
            yield from _finished(mapping, part, whole_from, stored)
            part = []
    yield from _finished(mapping, part, whole_from, stored)


def _finished(
    mapping: Mapping, part: Sequence[EventRow], whole_from: float | None,
    stored: Callable[[Sequence[bytes]], Table[bytes, Sighting]],
) -> Iterator[Sighting | Rejected]:
    known = stored([event.key for event in part if _is_part(event, whole_from)])
    for event in part:
        before = known.get(event.key)
        whole = event if before is None else merge_events(mapping, of_sighting(before), event)
        get = whole.stamps.get
        submitted = get("submitted_at")
        if submitted is None:
            yield Rejected("no row of its submission", "submitted_at", 0, 0, event.key, {})
        else:
            yield Sighting(
                event.key, submitted, get("accepted_at"), get("first_response_at"), get("ended_at"), whole.codes,
                get("published_at"), get("updated_at"),
            )


def _is_part(event: EventRow, whole_from: float | None) -> bool:
    submitted = event.stamps.get("submitted_at")
    return submitted is None or (whole_from is not None and submitted < whole_from)
