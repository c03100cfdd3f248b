"""The service mall (MPP) now: counters, people waiting, called, served and gone, their waits against the standard.

What is measured per tenant follows the practice of Permen PANRB 92/2021 (MPP). A visit's standard is its wait until it is
called. The queue, its source and its tenants are declared in ``mall.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import NamedTuple

from sqlalchemy import select

from config.declarations import Mall, Regency
from dashboard.clock import day_start, epoch, local_day
from dashboard.queries.answers import Band, Context, Figure, Level, Limits, SourceAge, State, question
from dashboard.queries.calls import uncalled_since
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.queries.gauges import between, gauges_at
from dashboard.queries.mall_counters import Counters, counters_of
from dashboard.queries.mall_online import Online, online_of
from dashboard.queries.today import Day, day_of
from dashboard.queries.totals import Known, figure, known_of
from dashboard.queries.volumes import band_of, feeding, versions_of
from dashboard.store.tables import case, dimension
from dashboard.store.tickets import tickets_of
from dashboard.worktime import WEEKDAYS, Calendar, calendar_of

KIND = "visit"
MINUTE = 60
ANSWERS_EVERY_SECONDS = 5.0


class Visit(NamedTuple):
    """One visit of today: epoch seconds; ``ended_as`` as stored."""

    key: bytes
    submitted_at: int
    accepted_at: int | None
    ended_as: str | None
    due_at: int | None


@dataclass(frozen=True)
class Tenant:
    """One tenant today. Waits in minutes; ``standard`` of the service with the most visits, ``None`` without one.

    ``waits``: of those called today (median); ``longest``: of those waiting now. ``uncalled``: minutes without a call while
    people wait, once they are more than declared. ``open`` counters ``None``: nobody tells. ``opens_on``: the weekdays on
    which it opens, where it does not open today. ``level``: warning past 1.5 times the standard or uncalled, attention past it.
    """

    agency: str
    short_name: str
    integrated: bool
    planned: int
    open: int | None
    is_open: bool
    waiting: int = 0
    called: int = 0
    served: int = 0
    gone: int = 0
    waits: float | None = None
    longest: float | None = None
    standard: float | None = None
    last_call_at: int | None = None
    ticket: str = ""
    uncalled: int | None = None
    opens_on: tuple[str, ...] = ()
    level: Level = Level.NORMAL


@dataclass(frozen=True)
class MallNow:
    """The mall. ``waiting``, ``served``: figures with their bands; ``wait``: the median wait of today in minutes (its
    ``cases`` are the calls); ``standard``: the promise that most tenants give, minutes. ``tenants``: all, in declared order.
    """

    as_of: int
    waiting: Figure
    wait: Figure
    served: Figure
    counters: Counters
    online: Online
    called: int = 0
    gone: int = 0
    standard: float | None = None
    tenants: tuple[Tenant, ...] = ()
    age: SourceAge | None = None
    limit_minutes: int = 0
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


def _visits(context: Context, source: str, start: int, end: int) -> dict[str, dict[str, list[Visit]]]:
    """Agency → service → the visits that came in [start, end), by the index on (source, submitted_at)."""
    statement = select(
        dimension.c.agency, dimension.c.service, case.c.key, case.c.submitted_at, case.c.accepted_at, case.c.ended_as,
        case.c.due_at,
    ).join(dimension, dimension.c.id == case.c.dim).where(
        case.c.source == source, case.c.submitted_at >= start, case.c.submitted_at < end, case.c.deleted_at.is_(None),
        dimension.c.kind == KIND,
    )
    found: dict[str, dict[str, list[Visit]]] = {}
    with context.engine.connect() as connection:
        for agency, service, key, *stamps in connection.execute(statement):
            found.setdefault(agency, {}).setdefault(service, []).append(Visit(bytes(key), *stamps))
    return found


def _standard(regency: Regency, agency: str, service: str, at: int) -> float | None:
    """The wait that a service promises, minutes."""
    declared = regency.agencies.get(agency)
    known = declared.services.get(service) if declared else None
    standard = known.standard_on(local_day(at, regency.zone)) if known else None
    factors = {"minutes": 1, "working minutes": 1, "hours": 60, "working hours": 60}
    return standard.amount * factors[standard.unit.value] if standard and standard.unit.value in factors else None


def _service_of(regency: Regency, agency: str, visits: Mapping[str, Sequence[Visit]]) -> str:
    """The service that speaks for a tenant: the one with the most visits today, else its first declared one of visits."""
    if visits:
        return max(sorted(visits), key=lambda service: len(visits[service]))
    declared = regency.agencies.get(agency)
    services = declared.services.items() if declared else ()
    return next((name for name, one in services if one.kind == KIND), "")


def _opens_on(calendar: Calendar) -> tuple[str, ...]:
    """The weekdays on which a calendar has hours."""
    rules = calendar.rules
    return WEEKDAYS if rules.always else tuple(day for day in WEEKDAYS if rules.hours.get(day))  # type: ignore[call-overload]


class _Floor:
    """What the tenants share: the instant, the visits, the tickets."""

    def __init__(self, context: Context, mall: Mall, at: int) -> None:
        self.context, self.regency, self.mall, self.at = context, context.regency, mall, at
        zone = self.regency.zone
        self.midnight = day_start(local_day(at, zone), zone)
        self.visits = _visits(context, mall.queue, self.midnight, at + 1)
        self.integrated = {agency for source, agency, _ in feeding(context) if source == mall.queue}
        with context.engine.connect() as connection:
            self.tickets = tickets_of(connection, mall.queue, at)
        self.limit = self.regency.thresholds.nobody_called_minutes * MINUTE

    def tenant(self, agency: str, planned: int, opened: int | None) -> Tenant:
        """One tenant's row."""
        services = self.visits.get(agency, {})
        visits = [visit for found in services.values() for visit in found]
        service = _service_of(self.regency, agency, services)
        calendar = calendar_of(self.regency, agency, service)
        waiting = [one for one in visits if one.ended_as is None and (one.accepted_at is None or one.accepted_at > self.at)]
        called = [one for one in visits if one.accepted_at is not None and one.accepted_at <= self.at]
        last = max(called, key=lambda one: one.accepted_at or 0, default=None)
        last_at = last.accepted_at if last is not None else None
        standard = _standard(self.regency, agency, service, self.at)
        first = min((one.submitted_at for one in waiting), default=self.at)
        longest = (self.at - first) / MINUTE if waiting else None
        since = uncalled_since(calendar, self.at, first, last_at or 0) if waiting else None
        uncalled = (self.at - since) // MINUTE if since is not None and self.at - since >= self.limit else None
        declared = self.regency.agencies.get(agency)
        day = local_day(self.at, self.regency.zone)
        return Tenant(
            agency=agency, short_name=declared.short_name if declared else agency, integrated=agency in self.integrated,
            planned=planned, open=opened, is_open=calendar.is_open(self.at), waiting=len(waiting), called=len(called),
            served=sum(one.ended_as == "completed" for one in visits),
            gone=sum(one.ended_as == "cancelled" for one in visits),
            waits=median((one.accepted_at or 0) - one.submitted_at for one in called) / MINUTE if called else None,
            longest=longest, standard=standard, last_call_at=last_at,
            ticket=self.tickets.get(last.key, "") if last is not None else "", uncalled=uncalled,
            opens_on=() if calendar.is_working_day(day) else _opens_on(calendar), level=_level(longest, standard, uncalled),
        )

    def next_step(self, tenants: Sequence[Tenant]) -> int | None:
        """Waits grow by the minute; without anybody waiting, the next opening or closing."""
        if any(one.waiting for one in tenants):
            return (self.at // MINUTE + 1) * MINUTE
        return soonest(*(
            calendar_of(self.regency, one.agency, _service_of(self.regency, one.agency, self.visits.get(one.agency, {})))
            .next_change(self.at) for one in tenants
        ))


def _level(longest: float | None, standard: float | None, uncalled: int | None) -> Level:
    if uncalled is not None or (longest is not None and standard is not None and longest > 1.5 * standard):
        return Level.WARNING
    return Level.ATTENTION if longest is not None and standard is not None and longest > standard else Level.NORMAL


@question(reads={"cases", "history", "state", "gauges", "readings"}, at_most_every=ANSWERS_EVERY_SECONDS)
def mall_now(context: Context) -> MallNow:
    """How does the service mall do: who waits how long, which counters are open, how many were served?"""
    now, mall = epoch(context.now), context.regency.mall
    if mall is None or mall.queue not in context.regency.sources:
        nothing = Figure("waiting_now", None, State.NONE)
        return MallNow(now, nothing, nothing, nothing, Counters(), Online())
    age = ages(context)[mall.queue]
    known = known_of([age], None)
    day = day_of(context, (KIND,))
    at = min(now, age.data_until or now) if age.state in OUT else now
    floor = _Floor(context, mall, at)
    counters = counters_of(context, mall, at)
    tenants = tuple(
        floor.tenant(agency, one.counters, counters.by_tenant.get(agency)) for agency, one in mall.tenants.items()
    )
    waiting = _waiting(context, known, day, sum(one.waiting for one in tenants))
    served = figure(
        context, "completed", known, lambda sources: float(sum(one.served for one in tenants)),
        day.band(lambda sums, sources: day.total(sums, sources, "completed", day.by)),
    )
    waits = _waits(floor)
    wait = figure(context, "waiting_time_median", known, lambda sources: waits[0], lambda sources: None)
    standards = [one.standard for one in tenants if one.standard is not None]
    standard = max(sorted(set(standards)), key=standards.count) if standards else None
    late = wait.value is not None and standard is not None and wait.value > standard and wait.state not in OUT
    if wait.value is None and wait.state not in (*OUT, State.NONE, State.LOADING):
        wait = replace(wait, state=State.NOT_APPLICABLE)
    online = online_of(context, mall)
    return MallNow(
        as_of=now, waiting=waiting, served=served, counters=counters.planned_of(tenants), online=online,
        wait=replace(wait, cases=waits[1], level=Level.ATTENTION if late else Level.NORMAL),
        called=sum(one.called for one in tenants), gone=sum(one.gone for one in tenants), standard=standard, tenants=tenants,
        age=age, limit_minutes=context.regency.thresholds.nobody_called_minutes,
        changes_at=soonest(
            floor.next_step(tenants) if age.state not in OUT else None, age.changes_at, day.changes_at, counters.changes_at,
            online.changes_at,
        ),
        limits=served.limits,
    )


def _waits(floor: _Floor) -> tuple[float | None, int]:
    """The median wait of all who were called today, in minutes, and how many they are."""
    waits = [
        one.accepted_at - one.submitted_at for services in floor.visits.values() for visits in services.values()
        for one in visits if one.accepted_at is not None and one.submitted_at <= one.accepted_at <= floor.at
    ]
    return (median(waits) / MINUTE if waits else None), len(waits)


def _waiting(context: Context, known: Known, day: Day, count: int) -> Figure:
    """How many wait, against the gauges at the same time of comparable days."""
    version, zone = versions_of(context), context.regency.zone
    past = gauges_at(context, "waiting", [day_start(one, zone) + day.by for one in day.days], version)

    def band(sources: tuple[str, ...]) -> Band | None:
        values = [
            between(*marks, sources) for number, marks in enumerate(past)
            if all(day.covers(source, number) for source in sources)
        ]
        return band_of([value for value in values if value is not None], context.regency.thresholds.comparable_days_needed)

    return figure(context, "waiting_now", known, lambda sources: float(count), band)
