"""Derives stored cases again under today's declarations, by the same difference engine, as runs with their own revisions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, select, update

from dashboard.cases import Case, Codes, Outcome, Sighting, kept_end
from dashboard.clock import epoch
from dashboard.derive import Deriver
from dashboard.store.changes import announce
from dashboard.store.dialect import upsert
from dashboard.store.engine import writing
from dashboard.store.read import PAGE, Read
from dashboard.store.tables import case, meta, run

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
        after = 0
        while True:
            cases, after = _next(engine, source.id, read.state.generation, after, since, deriver)
            if not cases:
                break
            read.page(cases)
        with writing(engine).begin() as connection:
            connection.execute(update(run).where(run.c.id == read.run_id).values(
                ended_at=now.timestamp(), outcome=Outcome.OK.value, **read.counts
            ))
        last = read.run_id
    with writing(engine).begin() as connection:
        upsert(connection, meta, ("key",), {"key": "derived_under", "value": regency.hash})
        upsert(connection, meta, ("key",), {"key": "derived_at", "value": str(epoch(now))})
        announce(connection, "", {"declarations"})
    return last


def _next(
    engine: Engine, source: str, generation: int, after: int, since: int | None, deriver: Deriver
) -> tuple[list[Case], int]:
    statement = select(case).where(
        case.c.source == source, case.c.generation == generation, case.c.id > after, case.c.deleted_at.is_(None)
    ).order_by(case.c.id).limit(PAGE)
    if since is not None:
        statement = statement.where(case.c.submitted_at >= since)
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    return [deriver.derive(_sighting(row)) for row in rows], rows[-1].id if rows else after


def _sighting(row: Any) -> Sighting:
    ended = row.ended_at if row.ended_at is not None else kept_end(row.codes)
    return Sighting(
        bytes(row.key), row.submitted_at, row.accepted_at, row.first_response_at, ended, Codes.loads(row.codes)
    )
