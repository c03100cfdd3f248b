"""Stored cases as their source said them: what an event log's later rows are merged into."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from dashboard.cases import Codes, Sighting, kept_end
from dashboard.store import dialect
from dashboard.store.tables import case

_COLUMNS = ("key", "submitted_at", "accepted_at", "first_response_at", "ended_at", "codes")


def stored_sightings(connection: Connection, source: str, generation: int, keys: Sequence[bytes]) -> dict[bytes, Sighting]:
    """Those of a source's cases that are known, by key; an end that the status did not let count is there again."""
    if not keys:
        return {}
    found = {}
    for key, submitted, accepted, response, ended, codes in dialect.by_keys(connection, case, _COLUMNS, source, generation, keys):
        end = ended if ended is not None else kept_end(codes)
        found[bytes(key)] = Sighting(bytes(key), submitted, accepted, response, end, Codes.loads(codes))
    return found
