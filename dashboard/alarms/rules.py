"""The four built-in rules, until the alarm desk comes: which abnormal states ask for an action now? (Those of the Command
Center's own stores are in ``dashboard/alarms/stores.py``.)

A source's silence never clears a process alarm and never raises one: where a source is stale its agency is judged as it stood
when the source last spoke, and an alarm that held then stays, marked with the source's state.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from dashboard.alarms.calls import uncalled
from dashboard.alarms.ended import last_ended
from dashboard.alarms.stores import store_alarms
from dashboard.alarms.walls import wall_alarms
from dashboard.clock import DAY, day_start, epoch, local_day, utc
from dashboard.queries.answers import Alarm, Alarms, Context, Level, SourceAge, State, question
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.queries.gauges import between, gauges_at
from dashboard.queries.open_cases import next_due, open_by_part
from dashboard.queries.thirty_days import thirty_days, thirty_days_change_at, window
from dashboard.queries.today import KIND
from dashboard.queries.volumes import (
    MARK,
    Versions,
    band_of,
    comparable_days,
    covered_days,
    feeding,
    kept,
    next_mark,
    versions_of,
)
from dashboard.store.tables import gauge

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
                params={
                    "source": age.source, "data_until": age.data_until, "limit_seconds": age.limit_seconds,
                    "from": age.data_until or since,
                },
                value=float((now - (age.data_until or since)) // 60), source_state=age.state,
            )


def overdue_alarms(context: Context, known: dict[str, SourceAge], version: Versions) -> Iterator[Alarm]:
    """More overdue requests at an agency than is typical for this hour; no agency is judged while a source is loading."""
    fed: dict[str, set[str]] = {}
    for source, agency, kind in feeding(context):
        if kind == KIND:
            fed.setdefault(agency, set()).add(source)
    fresh: dict[str, tuple[str, ...]] = {}
    for agency, sources in sorted(fed.items()):
        out = [known[source] for source in sources if known[source].state in OUT]
        if any(known[source].data_until is None for source in sources):
            continue
        if out:
            at = min(age.data_until or 0 for age in out)
            yield from _overdue(context, {agency: tuple(sorted(sources))}, at, out[0].state, version)
        else:
            fresh[agency] = tuple(sorted(sources))
    yield from _overdue(context, fresh, epoch(context.now), State.NORMAL, version)


def _overdue(
    context: Context, agencies: dict[str, tuple[str, ...]], at: int, state: State, version: Versions
) -> Iterator[Alarm]:
    """Alarms of agencies as they stand at an instant, from these sources of theirs."""
    zone, needed = context.regency.zone, context.regency.thresholds.comparable_days_needed
    sources = sorted({source for found in agencies.values() for source in found})
    if not sources:
        return
    now = epoch(context.now)
    parts = open_by_part(context, version, None if at == now else at)
    counts = {(source, agency): one.overdue for (source, agency, kind), one in parts.items() if kind == KIND}
    judged = {who: keys for who, keys in agencies.items() if sum(counts.get((key, who), 0) for key in keys) >= LEAST_OVERDUE}
    if not judged:
        return
    then = context._replace(now=utc(at))
    days = comparable_days(then)
    seconds = at - day_start(local_day(at, zone), zone)
    past = gauges_at(context, "overdue", [day_start(day, zone) + seconds for day in days], version)
    covered = covered_days(context, sources, days, version)
    marks = _last_day(context, at)
    for agency, keys in judged.items():
        value = sum(counts.get((key, agency), 0) for key in keys)
        values = [
            between(*then_marks, keys, agency) for day, then_marks in zip(days, past, strict=True)
            if all(day in covered[key] for key in keys)
        ]
        band = band_of([one for one in values if one is not None], needed)
        if band is None or value <= band.high:
            continue
        yield Alarm(
            key=f"overdue:{agency}", rule="overdue", level=Level.WARNING, subject=_short(context, agency),
            since=_since_above(marks.get(agency, {}), band.high, at),
            params={"count": value, "typical": band.median}, value=float(value), source_state=state,
        )


def _last_day(context: Context, at: int) -> dict[str, dict[int, float]]:
    """Overdue by agency at each ten-minute mark of the day before an instant; the leader writes a mark within its minute."""

    def read() -> dict[str, dict[int, float]]:
        statement = (
            select(gauge.c.agency, gauge.c.at, func.sum(gauge.c.value)).where(
                gauge.c.at > at - DAY, gauge.c.at <= at, gauge.c.metric == "overdue"
            ).group_by(gauge.c.agency, gauge.c.at)
        )
        found: dict[str, dict[int, float]] = {}
        with context.engine.connect() as connection:
            for agency, mark, value in connection.execute(statement):
                found.setdefault(agency, {})[mark] = float(value)
        return found

    return kept(context, ("overdue marks", at // MARK), epoch(context.now) // 60, read)


def _since_above(marks: dict[int, float], high: float, at: int) -> int:
    """Since which mark before an instant a count has been above a value without a break; the instant itself when it rose
    after the last mark."""
    last = at // MARK * MARK
    if last not in marks:  # not written yet
        last -= MARK
    if marks.get(last, 0.0) <= high:
        return at
    while marks.get(last - MARK, 0.0) > high:
        last -= MARK
    return last


def standard_alarms(context: Context, known: dict[str, SourceAge], version: Versions) -> Iterator[Alarm]:
    """The 90th percentile of the last 30 days over the standard, judged with enough cases."""
    parts = feeding(context)
    for agency, times in sorted(thirty_days(context, version).times.items()):
        sources = {source for source, who, _ in parts if who == agency}
        states = sorted({known[source].state for source in sources if known[source].state in OUT})
        if times.enough and times.p90_share is not None and times.p90_share > 1:
            yield Alarm(
                key=f"standard:{agency}:{times.service}", rule="standard", level=Level.WARNING, subject=_short(context, agency),
                since=times.over_since or window(context)[1], params={
                    "service": times.service, "p90": times.p90, "unit": times.unit, "standard": times.amount, "cases": times.cases,
                }, value=times.p90, source_state=states[0] if states else State.NORMAL,
            )


def _short(context: Context, agency: str) -> str:
    declared = context.regency.agencies.get(agency)
    return declared.short_name if declared else agency


@question(reads={"cases", "history", "state", "gauges", "walls", "devices"})
def open_alarms(context: Context) -> Alarms:
    """What is abnormal now, worst first, and how does the whole regency stand?"""
    now, version = epoch(context.now), versions_of(context)
    known = ages(context)
    calls, next_call = uncalled(context, known)
    silent = list(freshness_alarms(context, known))
    due = next_due(open_by_part(context, version), (KIND,))
    own, look_again = store_alarms(context)
    screens, next_wall = wall_alarms(context)
    found = [*own, *screens, *silent, *overdue_alarms(context, known, version), *standard_alarms(context, known, version), *calls]
    found.sort(key=lambda alarm: (ORDER[alarm.level], alarm.since, alarm.key))
    watched = {source.owner for source in context.regency.sources.values()} | {part[1] for part in feeding(context)}
    next_minute = soonest(*(  # a freshness alarm counts the minutes of its age
        alarm.params["from"] + (int(alarm.value or 0) + 1) * 60 for alarm in silent
    ))
    ended, ended_at = last_ended(context, found)
    return Alarms(
        as_of=now, alarms=tuple(found), overall=found[0].level if found else Level.NORMAL, agencies_watched=len(watched),
        last_ended=ended, last_ended_at=ended_at,
        changes_at=soonest(
            next_mark(now), due, next_call, next_minute, look_again, next_wall, thirty_days_change_at(context, version),
            *(age.changes_at for age in known.values()),
        ),
    )
