"""Derives stored cases again under today's declarations, by the same difference engine, as runs with their own revisions.

Each page is read and written in one transaction, so that it cannot overwrite what a collection changed meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, select, update

from dashboard.cases import Case, Codes, Outcome, Sighting, kept_end
from dashboard.clock import epoch
from dashboard.derive import Deriver
from dashboard.store.changes import announce
from dashboard.store.dialect import upsert
from dashboard.store.engine import writing
from dashboard.store.generations import generations
from dashboard.store.read import Read, touch
from dashboard.store.staging import PAGE
from dashboard.store.standing import note_derived
from dashboard.store.tables import case, histogram, meta, run

if TYPE_CHECKING:
    from config.declarations import Regency


def recompute(
    engine: Engine, regency: Regency, *, since: int | None = None, token: int | None = None, now: datetime
) -> int:
    """Re-derive the cases (submitted since an epoch second, or all) of every declared source; the last run's number.

    Cases of a source that is no longer declared stay as they are. 0 when there is nothing to derive.
    """
    last = 0
    for source in regency.sources.values():
        if source.feeds != "cases":
            continue
        read = Read.begin(
            engine, source, mode="recompute", token=token, now=now, declarations=regency.hash, zone=regency.zone, what="recompute"
        )
        deriver = Deriver(regency, source)
        with engine.connect() as connection:
            numbers = generations(connection, source.id)
        for generation in numbers:
            pages = _Pages(source.id, generation, since, deriver)
            read.state = replace(read.state, generation=generation)
            while read.page_of(pages.next):
                pass
        with writing(engine).begin() as connection:
            connection.execute(update(run).where(run.c.id == read.run_id).values(
                ended_at=now.timestamp(), outcome=Outcome.OK.value, **read.counts
            ))
        last = read.run_id
    with writing(engine).begin() as connection:
        if since is None:  # otherwise older cases still stand as they were derived before
            upsert(connection, meta, ("key",), {"key": "derived_under", "value": regency.hash})
            note_derived(connection, regency)
            upsert(connection, meta, ("key",), {"key": "derived_at", "value": str(epoch(now))})
        # A calendar changes what a working day is worth even where no case changed: every histogram is derived anew.
        months = select(histogram.c.month, histogram.c.agency, histogram.c.service).distinct()
        touch(connection, [tuple(row) for row in connection.execute(months)])
        announce(connection, "", {"declarations"})
    return last


class _Pages:
    """Stored cases of one source in the order of their numbers, derived again, a page at a time."""

    def __init__(self, source: str, generation: int, since: int | None, deriver: Deriver) -> None:
        self.statement = select(case).where(
            case.c.source == source, case.c.generation == generation, case.c.deleted_at.is_(None)
        ).order_by(case.c.id).limit(PAGE)
        if since is not None:
            self.statement = self.statement.where(case.c.submitted_at >= since)
        self.deriver, self.after = deriver, 0

    def next(self, connection: Connection) -> list[Case]:
        """The next page; none at the end."""
        rows = connection.execute(self.statement.where(case.c.id > self.after)).all()
        self.after = rows[-1].id if rows else self.after
        return [self.deriver.derive(_sighting(row)) for row in rows]


def _sighting(row: Any) -> Sighting:
    ended = row.ended_at if row.ended_at is not None else kept_end(row.codes)
    return Sighting(
        bytes(row.key), row.submitted_at, row.accepted_at, row.first_response_at, ended, Codes.loads(row.codes)
    )
