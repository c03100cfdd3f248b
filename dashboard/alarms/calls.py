"""Nobody called while people wait: at the counters of an agency's visits, inside service hours."""

from __future__ import annotations

from sqlalchemy import func, select

from dashboard.clock import day_start, epoch, local_day
from dashboard.queries.answers import Alarm, Context, Level, SourceAge
from dashboard.queries.freshness import OUT, soonest
from dashboard.store.tables import case, dimension
from dashboard.worktime import calendar_of


def uncalled(context: Context, known: dict[str, SourceAge]) -> tuple[list[Alarm], int | None]:
    """Alarms for services where people wait and nobody was called for longer than declared, and the next instant at
    which one would be raised.

    The clock runs from the last call, from the first of those waiting, or from opening time, whichever came last. A
    source that is stale cannot tell, so it is not judged.
    """
    now, zone = epoch(context.now), context.regency.zone
    start = day_start(local_day(now, zone), zone)
    limit = context.regency.thresholds.nobody_called_minutes * 60
    waiting = (
        select(dimension.c.agency, dimension.c.service, dimension.c.source, func.count(), func.min(case.c.submitted_at))
        .join(dimension, dimension.c.id == case.c.dim)
        .where(case.c.ended_as.is_(None), case.c.deleted_at.is_(None), case.c.accepted_at.is_(None), dimension.c.kind == "visit",
               case.c.submitted_at >= start, case.c.submitted_at <= now)
        .group_by(dimension.c.agency, dimension.c.service, dimension.c.source)
    )
    called = (
        select(dimension.c.agency, dimension.c.service, func.max(case.c.accepted_at))
        .join(dimension, dimension.c.id == case.c.dim)
        .where(case.c.accepted_at >= start, case.c.accepted_at <= now, case.c.deleted_at.is_(None), dimension.c.kind == "visit")
        .group_by(dimension.c.agency, dimension.c.service)
    )
    with context.engine.connect() as connection:
        rows = connection.execute(waiting).all()
        last = {(row[0], row[1]): row[2] for row in connection.execute(called)} if rows else {}
    found: list[Alarm] = []
    upcoming: int | None = None
    for agency, service, source, count, first in rows:
        age = known.get(source)
        calendar = calendar_of(context.regency, agency, service)
        if age is None or age.state in OUT or not calendar.is_open(now):
            continue
        opened = next((opens for opens, closes in calendar.spans(local_day(now, zone)) if opens <= now < closes), start)
        raised = max(opened, first, last.get((agency, service), 0)) + limit
        if now < raised:
            upcoming = soonest(upcoming, raised)
            continue
        declared = context.regency.agencies.get(agency)
        named = declared.services[service].name if declared and service in declared.services else None
        found.append(Alarm(
            key=f"uncalled:{agency}:{service}", rule="uncalled", level=Level.CRITICAL,
            subject=declared.short_name if declared else agency, since=raised,
            params={"service": named or service, "waiting": int(count), "minutes": (now - raised + limit) // 60},
            value=float((now - raised + limit) // 60),
        ))
    return found, upcoming
