"""The emergency line 112 today: valid calls first, for most of what rings there is abandoned or a ghost.

Published by the call centre already summed up, as readings by the hour or by the day (``calls_offered``, ``calls_valid``,
``calls_ghost`` with pranks, ``calls_abandoned``; ``tickets_opened``, ``tickets_followed`` by agency). Of Kendari's 1,989 calls of
October 2025 1,063 were valid, 627 ghosts or pranks and 299 unanswered; in Batu nine of ten were abandoned: "calls" says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from config.declarations import Regency
from dashboard.clock import HOUR, day_end, day_start, epoch, local_day
from dashboard.queries.answers import Band, Context, Figure, Limits, SourceAge, State, question
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.queries.totals import figure, known_of
from dashboard.queries.volumes import band_of, comparable_days, kept, next_mark
from dashboard.store.tables import reading

OFFERED, VALID, GHOST, ABANDONED = "calls_offered", "calls_valid", "calls_ghost", "calls_abandoned"
OPENED, FOLLOWED = "tickets_opened", "tickets_followed"
CALLS, TICKETS = (OFFERED, VALID, GHOST, ABANDONED), (OPENED, FOLLOWED)
HOURS = 24
ANSWERS_EVERY_SECONDS = 5.0

Hours = dict[str, dict[str, dict[int, float]]]
"""Source → metric → hour of the local day → calls; hour -1 holds the value of a whole day."""


@dataclass(frozen=True)
class Tickets:
    """Tickets that an agency got today, and how many of these were followed up."""

    agency: str
    short_name: str
    opened: int
    followed: int


@dataclass(frozen=True)
class Emergency:
    """The line today. ``offered``, ``ghost``, ``abandoned``: calls, ``None`` where nobody tells; ``other``: those of neither
    kind nor valid (information). ``ghost_share`` in percent of those offered, ``ghost_state`` says too few. ``hours``: valid
    calls by hour of the day, ``None`` for hours not told yet. ``agencies``: who got tickets, most first.
    """

    as_of: int
    valid: Figure
    offered: int | None = None
    abandoned: int | None = None
    ghost: int | None = None
    other: int | None = None
    ghost_share: float | None = None
    ghost_state: State = State.NONE
    needed: int = 0
    hours: tuple[int | None, ...] = ()
    tickets: Tickets | None = None
    agencies: tuple[Tickets, ...] = ()
    sources: tuple[SourceAge, ...] = ()
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


def tells(regency: Regency, source: str, metrics: Iterable[str]) -> bool:
    """Whether a source publishes some of these metrics, by its declaration."""
    declared = regency.sources[source]
    told = declared.fields.get("metric")
    named = {told.value, *(told.map or {}).values()} if told else set()
    return declared.feeds == "readings" and bool(named & set(metrics))


def _day(context: Context, sources: Iterable[str], day: date) -> Hours:
    """Readings of the calls of one local day. A published hour stands above the whole day's value."""
    start, end = day_start(day, context.regency.zone), day_end(day, context.regency.zone)
    statement = select(reading.c.source, reading.c.metric, reading.c.grain, reading.c.period, reading.c.value).where(
        reading.c.source.in_(list(sources)), reading.c.metric.in_(CALLS), reading.c.grain.in_(("hour", "day")),
        reading.c.period >= start, reading.c.period < end, reading.c.value.is_not(None), reading.c.scope == "",
    )
    found: Hours = {}
    with context.engine.connect() as connection:
        for source, metric, grain, period, value in connection.execute(statement):
            hours = found.setdefault(source, {}).setdefault(metric, {})
            hour = (period - start) // HOUR if grain == "hour" else -1
            hours[hour] = hours.get(hour, 0.0) + value
    return found


def _total(hours: Hours, sources: Iterable[str], metric: str, until: float = HOURS) -> float | None:
    """A metric of some sources up to an hour of the day (a part of an hour counts in proportion); ``None``: nobody tells."""
    values = []
    for source in sources:
        told = hours.get(source, {}).get(metric, {})
        by_hour = {hour: value for hour, value in told.items() if hour >= 0}
        if by_hour:
            values.append(sum(value * min(max(until - hour, 0.0), 1.0) for hour, value in by_hour.items()))
        elif told:
            values.append(told[-1])
    return sum(values) if values else None


def _tickets(context: Context, sources: Iterable[str], start: int, end: int) -> tuple[Tickets, ...]:
    """Tickets of a day by agency, most first: published hours are summed, a published day stands where there are none; the
    parts of an agency (scopes) are summed where it has no whole."""
    columns = reading.c.source, reading.c.agency, reading.c.metric, reading.c.grain, reading.c.scope, reading.c.value
    statement = select(*columns).where(
        reading.c.source.in_(list(sources)), reading.c.metric.in_(TICKETS), reading.c.grain.in_(("hour", "day")),
        reading.c.period >= start, reading.c.period < end, reading.c.value.is_not(None),
    )
    told: defaultdict[tuple[str, str, str], dict[tuple[str, bool], float]] = defaultdict(dict)
    with context.engine.connect() as connection:
        for source, agency, metric, grain, scope, value in connection.execute(statement):
            sums_of = told[source, agency, metric]
            sums_of[grain, scope == ""] = sums_of.get((grain, scope == ""), 0.0) + value
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(TICKETS, 0))
    for (_, agency, metric), sums_of in told.items():
        order = [("hour", True), ("hour", False), ("day", True), ("day", False)]
        sums[agency][metric] += int(next(sums_of[key] for key in order if key in sums_of))
    agencies = context.regency.agencies
    found = [
        Tickets(agency, agencies[agency].short_name if agency in agencies else agency, counts[OPENED], counts[FOLLOWED])
        for agency, counts in sums.items() if counts[OPENED]
    ]
    return tuple(sorted(found, key=lambda one: (-one.opened, one.agency)))


def _band(context: Context, sources: tuple[str, ...], seconds: int) -> Band | None:
    """Valid calls by this hour on comparable days of which every hour was published."""
    values = []
    for day in comparable_days(context):
        hours = kept(
            context, ("calls", sources, day), epoch(context.now) // 600, lambda day=day: _day(context, sources, day)  # type: ignore[misc]
        )
        if all(len({hour for hour in hours.get(source, {}).get(VALID, {}) if hour >= 0}) == HOURS for source in sources):
            values.append(_total(hours, sources, VALID, seconds / HOUR) or 0.0)
    return band_of(values, context.regency.thresholds.comparable_days_needed)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


@question(reads={"readings", "state"}, at_most_every=ANSWERS_EVERY_SECONDS)
def emergency(context: Context) -> Emergency:
    """How many valid calls did 112 get today, how many were abandoned, which share were ghosts, and who got tickets?"""
    now, zone = epoch(context.now), context.regency.zone
    today = local_day(now, zone)
    start, end = day_start(today, zone), day_end(today, zone)
    everything = ages(context)
    found = [age for key, age in everything.items() if tells(context.regency, key, CALLS)]
    known = known_of(found, None)
    hours = _day(context, [age.source for age in found], today)
    valid = figure(
        context, VALID, known, lambda sources: _total(hours, sources, VALID), lambda sources: _band(context, sources, now - start)
    )
    over = known.everyone if valid.state in OUT else known.counted
    totals: Mapping[str, int | None] = {metric: _whole(_total(hours, over, metric)) for metric in CALLS}
    offered, ghost = totals[OFFERED], totals[GHOST]
    needed = context.regency.thresholds.least_cases
    enough = offered is not None and ghost is not None and offered >= needed
    sources = [age for key, age in everything.items() if age in found or tells(context.regency, key, TICKETS)]
    tickets = _tickets(context, [age.source for age in sources], start, end)
    return Emergency(
        as_of=now, valid=valid, offered=offered, abandoned=totals[ABANDONED], ghost=ghost, other=_other(totals),
        ghost_share=100 * (ghost or 0) / offered if enough and offered else None,
        ghost_state=valid.state if enough else State.TOO_FEW if offered is not None and ghost is not None else State.NONE,
        needed=needed, hours=_by_hour(hours, over, now - start, valid), agencies=tickets, sources=tuple(sources),
        tickets=Tickets("", "", sum(one.opened for one in tickets), sum(one.followed for one in tickets))
        if any(age.data_until is not None and tells(context.regency, age.source, TICKETS) for age in sources) else None,
        changes_at=soonest(next_mark(now), end, *(age.changes_at for age in sources)), limits=valid.limits,
    )


def _other(totals: Mapping[str, int | None]) -> int | None:
    """Calls that are neither valid nor ghosts nor abandoned; ``None`` where a part is not told."""
    values = [totals[metric] for metric in CALLS]
    if any(value is None for value in values):
        return None
    offered, *parts = (value or 0 for value in values)
    return max(0, offered - sum(parts))


def _by_hour(hours: Hours, sources: Iterable[str], seconds: int, valid: Figure) -> tuple[int | None, ...]:
    """Valid calls of each hour of the day; an hour that was not told, or is yet to come, is not there."""
    if valid.value is None:
        return ()
    told = [hours.get(source, {}).get(VALID, {}) for source in sources]
    return tuple(
        int(sum(one.get(hour, 0.0) for one in told)) if hour * HOUR <= seconds and any(hour in one for one in told) else None
        for hour in range(HOURS)
    )
