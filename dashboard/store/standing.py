"""Under which declarations the stored figures stand: what changed since asks for ``recompute``, or for reading again.

Codes are stored raw, so that another ``map``, standard or calendar is derived anew from them (``recompute``); another column,
``where``, ``missing``, format or zone only shows in rows that are read again (``collect --reconcile``).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from dashboard.store.dialect import upsert
from dashboard.store.tables import meta

if TYPE_CHECKING:
    from config.declarations import Regency, Source

DERIVING = frozenset(("map", "otherwise", "value", "level"))
"""The keys of a field that only mean something to what is stored already."""
_KEY = "standing:"


class Standing(NamedTuple):
    """Two short hashes of a source's declarations: of what is derived from stored codes, and of what is read from rows."""

    derived: str
    read: str


class Changed(NamedTuple):
    """A source whose stored cases stand under other declarations than today's: ``derived`` or ``read`` under others."""

    source: str
    derived: bool
    read: bool


def standing_of(regency: Regency, source: Source) -> Standing:
    """A source's standing under these declarations. Names, rhythms and addresses are not in it."""
    fields = {name: field.model_dump(mode="json", by_alias=True) for name, field in source.fields.items()}
    deriving: dict[str, Any] = {
        "zone": regency.timezone, "code": regency.code, "owner": source.owner, "kind": source.kind, "outcome": source.outcome,
        "calendars": {key: value.model_dump(mode="json") for key, value in regency.calendars.items()},
        "districts": {key: value.model_dump(mode="json") for key, value in regency.districts.items()},
        "agencies": {
            key: (agency.calendar, {
                slug: (one.kind, one.calendar, one.class_, sorted((str(s.from_), s.promise) for s in one.standards))
                for slug, one in agency.services.items()
            }) for key, agency in regency.agencies.items() if _may_mean(source, key)
        },
        "fields": {name: {key: value for key, value in field.items() if key in DERIVING} for name, field in fields.items()},
    }
    reading: dict[str, Any] = {
        "zone": source.timezone, "where": getattr(source, "where", None) or None,
        "fields": {name: {key: value for key, value in field.items() if key not in DERIVING} for name, field in fields.items()},
    }
    return Standing(_hash(deriving), _hash(reading))


def _may_mean(source: Source, agency: str) -> bool:
    """Whether cases of a source can be this agency's."""
    field = source.fields.get("agency")
    if field is None:
        return agency == source.owner
    return field.otherwise is not None or field.map is None or agency in field.map.values() or agency == field.value


def _hash(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def note_standing(connection: Connection, source: str, standing: Standing) -> None:
    """All stored cases of a source stand under this, in the caller's transaction: after a whole read."""
    upsert(connection, meta, ("key",), {"key": _KEY + source, "value": json.dumps(standing)})


def note_derived(connection: Connection, regency: Regency) -> None:
    """All stored cases were derived under these declarations: after a whole ``recompute``."""
    for source, before in _stored(connection).items():
        if source in regency.sources:
            note_standing(connection, source, before._replace(derived=standing_of(regency, regency.sources[source]).derived))


def changed_since(connection: Connection, regency: Regency) -> list[Changed]:
    """The sources whose stored cases stand under other declarations, in declared order."""
    stored = _stored(connection)
    found = []
    for key, source in regency.sources.items():
        now, before = standing_of(regency, source), stored.get(key)
        if before is not None and before != now:
            found.append(Changed(key, before.derived != now.derived, before.read != now.read))
    return found


def _stored(connection: Connection) -> dict[str, Standing]:
    rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key.startswith(_KEY, autoescape=True)))
    return {key.removeprefix(_KEY): Standing(*json.loads(value)) for key, value in rows}
