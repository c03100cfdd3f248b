"""The four built-in rules, until the alarm desk comes: which abnormal states ask for an action now?

A source's silence never clears a process alarm and never raises one: the process rules are judged only for agencies whose
sources are known; the freshness rule speaks for the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from dashboard.alarms.calls import uncalled
from dashboard.clock import day_start, epoch
from dashboard.queries.answers import Alarm, Alarms, Context, Level, SourceAge, State, question
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.queries.gauges import gauge_values
from dashboard.queries.thirty_days import times_by_agency, window
from dashboard.queries.today import overdue_by
from dashboard.queries.volumes import MARK, band_of, comparable_days, covered_days, versions_of
from dashboard.store.tables import dimension, gauge

ORDER = {Level.CRITICAL: 0, Level.WARNING: 1, Level.ATTENTION: 2}
LEAST_OVERDUE = 3
"""Fewer overdue cases of an agency than this are for its desk, not for the regent's wall."""


def freshness_alarms(context: Context, known: dict[str, SourceAge]) -> Iterator[Alarm]:
    """A stale source asks for attention, an offline one is a warning."""
    now = epoch(context.now)
    for age in known.values():
        if age.state in OUT:
            offline = age.state is State.OFFLINE
            since = age.since or now
            yield Alarm(
                key=f"source:{age.source}", rule="offline" if offline else "silent" if age.why == "silent" else "stale",
                level=Level.WARNING if offline else Level.ATTENTION, subject=age.short_name, since=since,
                params={"source": age.source, "data_until": age.data_until, "limit_seconds": age.limit_seconds},
                value=float(now - (age.data_until or since)) // 60, source_state=age.state,
            )


def overdue_alarms(context: Context, known: dict[str, SourceAge]) -> Iterator[Alarm]:
    """More overdue requests at an agency than is typical for this hour."""
    now, zone = epoch(context.now), context.regency.zone
    counts, _ = overdue_by(context, "agency", "source")
    version = versions_of(context.engine)
    days = comparable_days(context)
    seconds = now - day_start(days[0], zone) if days else 0
    seconds %= 86_400
    past = gauge_values(context, "overdue", [day_start(day, zone) + seconds for day in days], version)
    covered = covered_days(context, version)
    for agency in sorted({key[0] for key in counts}):
        sources = [source for who, source in counts if who == agency]
        if any(source not in known or known[source].state in OUT for source in sources):
            continue
        value = sum(counts[agency, source] for source in sources)
        values = [
            sum(past[number].get((source, agency), 0.0) for source in sources) for number, day in enumerate(days)
            if all(day_start(day, zone) in covered.get(source, ()) for source in sources)
        ]
        band = band_of(values, context.regency.thresholds.comparable_days_needed)
        if band is None or value < LEAST_OVERDUE or value <= band.high:
            continue
        yield Alarm(
            key=f"overdue:{agency}", rule="overdue", level=Level.WARNING, subject=_short(context, agency),
            since=_since_above(context, agency, band.high, now), params={"count": value, "typical": band.median},
            value=float(value),
        )


def _since_above(context: Context, agency: str, high: float, now: int) -> int:
    """Since which mark of the last day an agency's overdue count has been above a value."""
    statement = (
        select(gauge.c.at, func.sum(gauge.c.value)).where(
            gauge.c.at > now - 86_400, gauge.c.at <= now, gauge.c.metric == "overdue", gauge.c.agency == agency
        ).group_by(gauge.c.at).order_by(gauge.c.at.desc())
    )
    since = now // MARK * MARK
    with context.engine.connect() as connection:
        for at, value in connection.execute(statement):
            if value <= high or at < since - MARK:
                break
            since = at
    return since


def standard_alarms(context: Context, known: dict[str, SourceAge]) -> Iterator[Alarm]:
    """The 90th percentile of the last 30 days over the standard, judged with enough cases; since the last midnight."""
    feeding = _feeding(context)
    for agency, times in sorted(times_by_agency(context, versions_of(context.engine)).items()):
        sources = feeding.get(agency, set())
        if any(source not in known or known[source].state in OUT for source in sources):
            continue
        if times.enough and times.p90_share is not None and times.p90_share > 1:
            yield Alarm(
                key=f"standard:{agency}:{times.service}", rule="standard", level=Level.WARNING, subject=_short(context, agency),
                since=window(context)[1], params={
                    "service": times.service, "p90": times.p90, "unit": times.unit, "standard": times.amount, "cases": times.cases,
                }, value=times.p90,
            )


def _feeding(context: Context) -> dict[str, set[str]]:
    with context.engine.connect() as connection:
        found: dict[str, set[str]] = {}
        for source, agency in connection.execute(select(dimension.c.source, dimension.c.agency).distinct()):
            if source in context.regency.sources:
                found.setdefault(agency, set()).add(source)
        return found


def _short(context: Context, agency: str) -> str:
    declared = context.regency.agencies.get(agency)
    return declared.short_name if declared else agency


@question(reads={"cases", "history", "state", "gauges"})
def open_alarms(context: Context) -> Alarms:
    """What is abnormal now, worst first, and how does the whole regency stand?"""
    known = ages(context)
    calls, next_call = uncalled(context, known)
    found = [
        *freshness_alarms(context, known), *overdue_alarms(context, known), *standard_alarms(context, known), *calls,
    ]
    found.sort(key=lambda alarm: (ORDER[alarm.level], alarm.since, alarm.key))
    _, next_due = overdue_by(context, "agency")
    now = epoch(context.now)
    watched = {source.owner for source in context.regency.sources.values()} | set(_feeding(context))
    return Alarms(
        as_of=now, alarms=tuple(found), overall=found[0].level if found else Level.NORMAL, agencies_watched=len(watched),
        changes_at=soonest(now // MARK * MARK + MARK, next_due, next_call, *(age.changes_at for age in known.values())),
    )
