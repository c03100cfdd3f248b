"""Nobody called while people wait: at the counters of an agency's visits, inside service hours."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, select

from dashboard.clock import day_start, epoch, local_day
from dashboard.queries.answers import Alarm, Context, Level, SourceAge, State
from dashboard.queries.calls import uncalled_since
from dashboard.queries.freshness import OUT, soonest
from dashboard.store.tables import case, dimension
from dashboard.worktime import calendar_of

MINUTE = 60
Waiting = dict[tuple[str, str, str], list[int]]
"""(source, agency, service) → when each of those waiting came."""


def uncalled(context: Context, known: dict[str, SourceAge]) -> tuple[list[Alarm], int | None]:
    """Alarms for services where people wait and nobody was called for longer than declared, and the next instant at which
    the clock alone says something else.

    The clock runs from the last call, from the first of those waiting, or from opening time, whichever came last. A source
    that is stale tells how it stood when it last spoke: its alarm stays, marked, and none is raised in its silence. A source
    that does not tell of calls (no ``accepted_at``) is not judged.
    """
    now, zone = epoch(context.now), context.regency.zone
    start = day_start(local_day(now, zone), zone)
    limit = context.regency.thresholds.nobody_called_minutes * MINUTE
    telling = [key for key, source in context.regency.sources.items() if "accepted_at" in source.fields]
    waiting, last = _today(context, telling, start, now)
    found: list[Alarm] = []
    changes: int | None = None
    for (source, agency, service), came in sorted(waiting.items()):
        age = known[source]
        silent = age.state in OUT
        at = min(now, age.data_until or start) if silent else now
        calendar = calendar_of(context.regency, agency, service)
        if not silent:
            changes = soonest(changes, calendar.next_change(now))
        since = uncalled_since(calendar, at, min(came), last.get((source, agency, service), 0))
        if since is None:
            continue
        raised = since + limit
        if at < raised:
            changes = changes if silent else soonest(changes, raised)
            continue
        minutes = (now - raised + limit) // MINUTE
        changes = soonest(changes, raised - limit + (minutes + 1) * MINUTE)
        declared = context.regency.agencies.get(agency)
        named = declared.services[service].name if declared and service in declared.services else None
        found.append(Alarm(
            key=f"uncalled:{agency}:{service}", rule="uncalled", level=Level.CRITICAL,
            subject=declared.short_name if declared else agency, since=raised,
            params={"service": named or service, "waiting": len(came), "minutes": minutes}, value=float(minutes),
            source_state=age.state if silent else State.NORMAL,
        ))
    return found, changes


def _today(
    context: Context, sources: list[str], start: int, now: int
) -> tuple[Waiting, dict[tuple[str, str, str], int]]:
    """Who waits since when, and the last call, by (source, agency, service), of today."""
    names = (dimension.c.source, dimension.c.agency, dimension.c.service)
    waiting = (
        select(*names, case.c.submitted_at).join(dimension, dimension.c.id == case.c.dim)
        .where(case.c.ended_as.is_(None), case.c.deleted_at.is_(None), case.c.accepted_at.is_(None), dimension.c.kind == "visit",
               case.c.submitted_at >= start, case.c.submitted_at <= now, dimension.c.source.in_(sources))
    )
    called = (
        select(*names, func.max(case.c.accepted_at)).join(dimension, dimension.c.id == case.c.dim)
        .where(case.c.accepted_at >= start, case.c.accepted_at <= now, case.c.deleted_at.is_(None), dimension.c.kind == "visit")
        .group_by(*names)
    )
    came: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    with context.engine.connect() as connection:
        for source, agency, service, at in connection.execute(waiting):
            came[source, agency, service].append(at)
        last = {(row[0], row[1], row[2]): row[3] for row in connection.execute(called)} if came else {}
    return came, last
