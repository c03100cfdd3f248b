"""From raw rows to sightings: the declared fields and nothing else. Personal data ends here, before any disk write."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from collectors.connector import Page, Row
from collectors.keys import PSEUDONYM_BYTES
from collectors.stamps import BadStamp, stamp
from collectors.texts import CUT, LONGEST, clean, plain, unwanted, without_persons
from config.declarations import STAMPS, FieldMap, Where
from dashboard.cases import Codes, Rejected, Sighting
from dashboard.clock import day_end, day_start, local_day
from dashboard.derive import REJECT

if TYPE_CHECKING:
    from config.declarations import Source

CODED = ("agency", "service", "status", "channel", "district", "class", "closed_by")
FUTURE_TOLERANCE_SECONDS = 12 * 3600
"""A stamp farther in the future puts its row aside; less may be a zone declared wrong, which is said (D2)."""
LONGEST_ID = 10_000
_INTERNED = 50_000
_PLAIN = (str, int, float, bool, type(None))


class BadRow(ValueError):
    """A row that cannot become a case; the text is "field: reason"."""


class Mapped(NamedTuple):
    """What became of a page: sightings in the rows' order, and the rows put aside."""

    sightings: list[Sighting]
    rejected: list[Rejected]


def columns_of(field: FieldMap) -> set[str]:
    """The raw columns that one field reads."""
    named = {field.from_} if isinstance(field.from_, str) else set(field.from_ or ())
    return {column for column in (*named, *field.fallback, *field.where, field.minutes, field.time) if column}


def wanted_columns(source: Source) -> frozenset[str]:
    """All raw columns that a source's mapping reads."""
    return frozenset(column for field in source.fields.values() for column in columns_of(field)) | frozenset(source.where)


Conditions = tuple[tuple[str, frozenset[str]], ...]
"""Columns and the values that each may have."""


def conditions(where: Where) -> Conditions:
    """A declared ``where``, compiled."""
    return tuple((column, frozenset(values)) for column, values in where.items())


def holds(row: Row, where: Conditions) -> bool:
    """Whether a row holds the values of a ``where``; an absent one is blank."""
    return all((clean(row.get(column)) or "") in values for column, values in where)


def nested(row: Row, path: str) -> Any:
    """A value by its name, or by a dotted path into nested objects; ``None`` when it is not there."""
    value: Any = row.get(path)
    if value is not None or "." not in path:
        return value
    value = row
    for part in path.split("."):
        value = value.get(part) if hasattr(value, "get") else None
    return value


def flattened(row: Row, dotted: tuple[str, ...]) -> Row:
    """The row with the wanted nested values at their dotted names."""
    return {**row, **{path: nested(row, path) for path in dotted}} if dotted else row


class Mapping:
    """The compiled mapping of one source. ``key``: its pseudonym key; ``now``: for stamps in the future.

    ``blotted``: how many distinct codes looked like a person's (NIK, telephone, e-mail) and were blotted out; ``cut``: how
    many were too long; ``stripped``: how many held characters that mean nothing (zero, control, bidi). ``tickets``: of today's
    cases, by key; they go no farther than the end of the day (``tomorrow``, epoch seconds).
    """

    def __init__(self, source: Source, key: bytes, now: Callable[[], datetime]) -> None:
        self.source, self.key = source, key
        self.limit = int(now().timestamp()) + FUTURE_TOLERANCE_SECONDS
        self.blotted = self.cut = self.stripped = 0
        fields = source.fields
        self.wanted = wanted_columns(source)
        self.dotted = tuple(sorted(column for column in self.wanted if "." in column))
        self.id_columns = _columns(fields["case_id"])
        order = _in_order({name: fields[name] for name in STAMPS if name in fields})
        self.stamps = [(name, stamp(name, fields[name], source.zone)) for name in order]
        self.codes = tuple(_columns(fields[name])[:1] and _columns(fields[name])[0] if name in fields else None for name in CODED)
        self.joined = {place: _columns(fields[name]) for place, name in enumerate(CODED)
                       if name in fields and len(_columns(fields[name])) > 1}
        self.missing = [frozenset(fields[name].missing) if name in fields else frozenset() for name in CODED]
        self.strict = {
            place: (name, frozenset(fields[name].map or ())) for place, name in enumerate(CODED)
            if name in fields and fields[name].otherwise == REJECT and not fields[name].where
        }
        self.only = conditions(source.where)
        self.wheres = {name: conditions(field.where) for name, field in fields.items() if field.where}
        self.events = bool(self.wheres) or any(field.take == "last" for field in fields.values())
        self._interned: dict[tuple[Any, ...], Codes] = {}
        started = now()
        self.today, self.tomorrow = (
            day(local_day(started.timestamp(), source.zone), source.zone) for day in (day_start, day_end)
        )
        self.ticket_column = next(iter(_columns(fields["ticket"])), None) if "ticket" in fields else None
        self.tickets: dict[bytes, str] = {}

    def page(self, page: Page, number: int) -> Mapped:
        """Map one page of a source with one row per case."""
        sightings: list[Sighting] = []
        rejected = broken(page, number)
        sighting, dotted, only = self.sighting, self.dotted, self.only
        for index, raw in enumerate(page.rows):
            row = flattened(raw, dotted) if dotted else raw
            if only and not holds(row, only):
                continue
            try:
                sightings.append(sighting(row))
            except (BadRow, BadStamp) as err:
                rejected.append(self.reject(row, str(err), number, line_of(page, index)))
        return Mapped(sightings, rejected)

    def pseudonym(self, row: Row) -> bytes:
        """The keyed hash of a row's own id as text, so that "007" is not 7. Raises ``BadRow`` when there is none."""
        if len(self.id_columns) == 1:
            value = row.get(self.id_columns[0])
            identity = plain(value) if type(value) in _PLAIN else plain(value) if not isinstance(value, list | dict) else None
        else:
            identity = "\x1f".join(plain(row.get(column)) or "" for column in self.id_columns).strip("\x1f")
        if not identity:
            raise BadRow("case_id: is missing")
        if len(identity) > LONGEST_ID:
            raise BadRow("case_id: is too long")
        return hmac.digest(self.key, identity.encode(), "sha256")[:PSEUDONYM_BYTES]

    def sighting(self, row: Row) -> Sighting:
        """One row as a case. Raises ``BadRow`` or ``BadStamp`` with "field: reason"."""
        stamps: dict[str, int | None] = {}
        limit = self.limit
        for name, read in self.stamps:
            at = stamps[name] = read(row, stamps)
            if at is not None and at > limit:
                raise BadRow(f"{name}: lies in the future")
        submitted = stamps["submitted_at"]
        if submitted is None:
            raise BadRow("submitted_at: is missing")
        get, key = stamps.get, self.pseudonym(row)
        if self.ticket_column is not None:
            self.note_ticket(key, row, submitted)
        return Sighting(
            key, submitted, get("accepted_at"), get("first_response_at"), get("ended_at"), self.coded(row),
            get("published_at"), get("updated_at"),
        )

    def note_ticket(self, key: bytes, row: Row, at: int) -> None:
        """Keep the ticket of a case that something happened to today."""
        text = clean(row.get(self.ticket_column or ""))
        if text and self.today <= at < self.tomorrow:
            self.tickets[key] = without_persons(text)

    def coded(self, row: Row) -> Codes:
        """The raw codes of a row as clean text, without persons, interned. ``None``: not mapped or not there."""
        raw = tuple(map(row.get, self.codes))  # type: ignore[arg-type]
        if self.joined:
            values: list[Any] = list(raw)
            for place, columns in self.joined.items():
                values[place] = " ".join(filter(None, (plain(row.get(column)) for column in columns)))
            raw = tuple(values)
        try:
            found = self._interned.get(raw)
        except TypeError:
            raise BadRow("codes: not a plain value") from None
        return found if found is not None else self._intern(raw)

    def _intern(self, raw: tuple[Any, ...]) -> Codes:
        made: list[str | None] = []
        for value, missing in zip(raw, self.missing, strict=True):
            text = clean(value)
            if type(value) is str and text is not None:
                self.cut += len(value) > LONGEST and text.endswith(CUT)
                self.stripped += unwanted(value)
            if text is not None and text in missing:
                text = ""
            if text:
                safe = without_persons(text)
                self.blotted += safe != text
                text = safe
            made.append(text)
        for place, (name, known) in self.strict.items():
            if (made[place] or "") not in known:
                raise BadRow(f"{name}: {'not in the declared map' if made[place] else 'is missing'}")
        if len(self._interned) > _INTERNED:
            self._interned.clear()
        found = self._interned[raw] = Codes(*made)
        return found

    def met(self) -> Iterable[Codes]:
        """The distinct codes of this run (of its last 50,000, where there are more)."""
        return self._interned.values()

    def reject(self, row: Row, reason: str, page: int, line: int) -> Rejected:
        """A row put aside: the mapped columns only, without the id, and blotted where they look like a person's."""
        field, _, why = reason.partition(": ")
        try:
            key = self.pseudonym(row)
        except BadRow:
            key = None
        kept = sorted(self.wanted - {*self.id_columns, self.ticket_column or ""})
        raw = {
            column: without_persons(clean(row[column]) or "") for column in kept
            if row.get(column) is not None
        }
        return Rejected(why or field, field, page, line, key, raw)


def _columns(field: FieldMap) -> tuple[str, ...]:
    return (field.from_,) if isinstance(field.from_, str) else tuple(field.from_ or ())


def _in_order(fields: dict[str, FieldMap]) -> list[str]:
    """Stamps so that each comes after the one it is derived from."""
    done: list[str] = []
    while len(done) < len(fields):
        ready = [name for name, field in fields.items() if name not in done and (field.after is None or field.after in done)]
        done += ready or [name for name in fields if name not in done]  # a circle: those read nothing
    return done


def broken(page: Page, number: int) -> list[Rejected]:
    """The rows that the connector itself could not read."""
    return [Rejected(reason, "", number, line, None, {}) for line, reason in page.broken]


def line_of(page: Page, index: int) -> int:
    """The number of a page's row, for messages."""
    return page.lines[index] if page.lines else index + 1
