"""From raw rows to sightings: the declared fields and nothing else. Personal data ends here, before any disk write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from collectors.connector import Page, Row
from collectors.keys import pseudonym
from collectors.stamps import BadStamp, stamp
from collectors.texts import clean, without_persons
from config.declarations import STAMPS, FieldMap
from dashboard.cases import Codes, Rejected, Sighting

if TYPE_CHECKING:
    from config.declarations import Source

CODED = ("agency", "service", "status", "channel", "district", "class", "closed_by")
FUTURE_TOLERANCE_SECONDS = 86_400


class Mapped(NamedTuple):
    """What became of a page: sightings in the rows' order, and the rows put aside."""

    sightings: list[Sighting]
    rejected: list[Rejected]


def columns_of(field: FieldMap) -> set[str]:
    """The raw columns that one field reads."""
    named = {field.from_} if isinstance(field.from_, str) else set(field.from_ or ())
    return {column for column in (*named, *field.where, field.minutes, field.time) if column}


def wanted_columns(source: Source) -> frozenset[str]:
    """All raw columns that a source's mapping reads."""
    return frozenset(column for field in source.fields.values() for column in columns_of(field))


def _getter(path: str) -> Callable[[Row], Any]:
    """A raw value by name, or by a dotted path into nested objects."""
    if "." not in path:
        return lambda row: row.get(path)
    parts = path.split(".")

    def nested(row: Row) -> Any:
        value: Any = row.get(path)
        if value is not None:
            return value
        value = row
        for part in parts:
            value = value.get(part) if hasattr(value, "get") else None
        return value

    return nested


def flattened(row: Row, dotted: tuple[str, ...]) -> Row:
    """The row with the wanted nested values at their dotted names."""
    return {**row, **{path: _getter(path)(row) for path in dotted}} if dotted else row


class Mapping:
    """The compiled mapping of one source. ``key``: its pseudonym key; ``now``: for stamps in the future."""

    def __init__(self, source: Source, key: bytes, now: Callable[[], datetime]) -> None:
        self.source, self.key = source, key
        self.limit = int(now().timestamp()) + FUTURE_TOLERANCE_SECONDS
        fields = source.fields
        self.dotted = tuple(sorted(column for column in wanted_columns(source) if "." in column))
        self.id_columns = self._columns(fields["case_id"])
        order = sorted((name for name in STAMPS if name in fields), key=lambda name: fields[name].after is not None)
        self.stamps = [(name, stamp(name, fields[name], source.zone)) for name in order]
        self.codes = [
            (fields[name].from_ if isinstance(fields[name].from_, str) else None) if name in fields else None for name in CODED
        ]
        self.two_columns = {
            number: self._columns(fields[name]) for number, name in enumerate(CODED)
            if name in fields and isinstance(fields[name].from_, tuple)
        }
        self.events = {name: field for name, field in fields.items() if field.where}
        self._interned: dict[tuple[Any, ...], Codes] = {}

    @staticmethod
    def _columns(field: FieldMap) -> tuple[str, ...]:
        return (field.from_,) if isinstance(field.from_, str) else tuple(field.from_ or ())

    def page(self, page: Page, number: int) -> Mapped:
        """Map one page of a source with one row per case."""
        sightings: list[Sighting] = []
        rejected = [Rejected(reason, "", number, line, None, {}) for line, reason in page.broken]
        for index, raw in enumerate(page.rows):
            row = flattened(raw, self.dotted) if self.dotted else raw
            line = page.lines[index] if page.lines else index + 1
            try:
                sightings.append(self.sighting(row))
            except (BadRow, BadStamp) as err:
                rejected.append(self.reject(row, str(err), number, line))
        return Mapped(sightings, rejected)

    def identity(self, row: Row) -> str:
        """The source's own id of a row's case, as text. Raises ``BadRow`` when there is none."""
        if len(self.id_columns) == 1:
            identity = clean(row.get(self.id_columns[0]))
        else:
            identity = "\x1f".join(clean(row.get(column)) or "" for column in self.id_columns).strip("\x1f")
        if not identity:
            raise BadRow("case_id: is missing")
        return identity

    def sighting(self, row: Row) -> Sighting:
        """One row as a case. Raises ``BadRow`` or ``BadStamp`` with "field: reason"."""
        stamps: dict[str, int | None] = {}
        for name, read in self.stamps:
            stamps[name] = read(row, stamps)
        submitted = stamps["submitted_at"]
        if submitted is None:
            raise BadRow("submitted_at: is missing")
        ended = stamps.get("ended_at")
        if submitted > self.limit or (ended is not None and ended > self.limit):
            raise BadRow(f"{'submitted_at' if submitted > self.limit else 'ended_at'}: lies in the future")
        return Sighting(
            pseudonym(self.key, self.identity(row)), submitted, stamps.get("accepted_at"), stamps.get("first_response_at"),
            ended, self.coded(row), stamps.get("published_at"), stamps.get("updated_at"),
        )

    def coded(self, row: Row) -> Codes:
        """The raw codes of a row, interned."""
        raw: Any = tuple([None if column is None else row.get(column) for column in self.codes])
        if self.two_columns:
            values = list(raw)
            for number, columns in self.two_columns.items():
                values[number] = " ".join(filter(None, (clean(row.get(column)) for column in columns)))
            raw = tuple(values)
        try:
            found = self._interned.get(raw)
        except TypeError:  # a list or an object where a code should be
            raise BadRow("codes: not a plain value") from None
        if found is None:
            if len(self._interned) > 50_000:
                self._interned.clear()
            found = self._interned[raw] = Codes(*(clean(value) for value in raw))
        return found

    def reject(self, row: Row, reason: str, page: int, line: int) -> Rejected:
        """A row put aside: the mapped columns only, and those blotted where they look like a person's."""
        field, _, why = reason.partition(": ")
        try:
            key = pseudonym(self.key, self.identity(row))
        except BadRow:
            key = None
        identifying = set(self.id_columns)
        raw = {
            column: without_persons(clean(row.get(column)) or "") for column in sorted(wanted_columns(self.source) - identifying)
            if row.get(column) is not None
        }
        return Rejected(why or field, field, page, line, key, raw)


class BadRow(ValueError):
    """A row that cannot become a case; the text is "field: reason"."""


class EventRow(NamedTuple):
    """One row of an event log, half mapped: the case's key, its stamps by field, and its codes."""

    key: bytes
    stamps: dict[str, int | None]
    codes: Codes


def event_rows(mapping: Mapping, page: Page, number: int) -> tuple[list[EventRow], list[Rejected]]:
    """The rows of an event log page. A field with ``where`` counts only in rows where those columns have those values."""
    found: list[EventRow] = []
    rejected = [Rejected(reason, "", number, line, None, {}) for line, reason in page.broken]
    for index, raw in enumerate(page.rows):
        row = flattened(raw, mapping.dotted) if mapping.dotted else raw
        try:
            stamps: dict[str, int | None] = {}
            for name, read in mapping.stamps:
                if _applies(mapping, name, row):
                    stamps[name] = read(row, stamps)
            codes = Codes(*(
                value if _applies(mapping, CODED[place], row) else None for place, value in enumerate(mapping.coded(row))
            ))
            found.append(EventRow(pseudonym(mapping.key, mapping.identity(row)), stamps, codes))
        except (BadRow, BadStamp) as err:
            rejected.append(mapping.reject(row, str(err), number, page.lines[index] if page.lines else index + 1))
    return found, rejected


def _applies(mapping: Mapping, name: str, row: Row) -> bool:
    field = mapping.events.get(name)
    return field is None or all(clean(row.get(column)) == value for column, value in field.where.items())


def merge_events(mapping: Mapping, before: EventRow | None, row: EventRow) -> EventRow:
    """A case's rows together: each stamp takes the first or the last, a code the last that is there."""
    if before is None:
        return row
    stamps = dict(before.stamps)
    for name, at in row.stamps.items():
        old = stamps.get(name)
        if at is None:
            continue
        last = mapping.source.fields[name].take == "last"
        stamps[name] = at if old is None else (max(old, at) if last else min(old, at))
    codes = Codes(*(new if new is not None else old for old, new in zip(before.codes, row.codes, strict=True)))
    return EventRow(row.key, stamps, codes)


def sightings_of(events: Iterable[EventRow], limit: int) -> Iterator[Sighting]:
    """Cases from merged event rows; one without a submission (its first row lies outside the read) is left out."""
    for event in events:
        submitted = event.stamps.get("submitted_at")
        if submitted is not None and submitted <= limit:
            yield Sighting(
                event.key, submitted, event.stamps.get("accepted_at"), event.stamps.get("first_response_at"),
                event.stamps.get("ended_at"), event.codes, event.stamps.get("published_at"), event.stamps.get("updated_at"),
            )
