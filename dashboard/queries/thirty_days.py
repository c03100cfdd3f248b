"""The last 30 whole days by agency: time of the headline service against its standard, and the share on time.

Whole local days, so that it only changes at midnight or when a past day does, and then at most once a minute.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.clock import day_start, epoch, local_day
from dashboard.queries.answers import Context
from dashboard.queries.day_facts import DayFacts, Seconds, Served, facts_of, in_unit
from dashboard.queries.volumes import Versions, kept
from dashboard.queries.waits import waits_in
from dashboard.store.durations import promise
from dashboard.worktime import Calendar, calendar_of

Service = tuple[str, str]
"""agency, service."""
Spent = dict[str | None, Seconds]
"""Standard → rows of (elapsed seconds, worked seconds)."""
DAYS = 30
KEPT_SECONDS = 60


@dataclass(frozen=True)
class AgencyTimes:
    """Median and 90th percentile of an agency's headline service in ``unit``, and as shares of the standard (``amount``).

    Without a declared headline: its service with the most cases. ``over_since``: the midnight from which on the 90th
    percentile of the 30 days before has been over the standard without a break (looked for up to 30 days back; not for waits).
    """

    service: str | None = None
    kind: str = ""
    median: float | None = None
    p90: float | None = None
    unit: str = "hours"
    amount: float | None = None
    share: float | None = None
    p90_share: float | None = None
    cases: int = 0
    enough: bool = False
    over_since: int | None = None


@dataclass(frozen=True)
class Judged:
    """Completed with a standard, and on time among them."""

    judged: int
    on_time: int


@dataclass(frozen=True)
class ThirtyDays:
    """Both, by agency."""

    times: dict[str, AgencyTimes]
    judged: dict[str, Judged]


def window(context: Context) -> tuple[int, int]:
    """The last 30 whole local days, [start, end)."""
    zone = context.regency.zone
    today = local_day(epoch(context.now), zone)
    return day_start(today - timedelta(days=DAYS), zone), day_start(today, zone)


class _Slow:
    """One answer over 30 days: which change of earlier days it knows, and in which minute it was made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.history = self.minute = -1
        self.answer: Any = None


def thirty_days(context: Context, version: Versions) -> ThirtyDays:
    """The answer for this window of days; made anew only when earlier days changed, and at most once a minute."""
    minute = epoch(context.now) // KEPT_SECONDS
    slow = kept(context, "thirty days", window(context), _Slow)
    with slow.lock:
        if slow.history < 0 or (slow.history != version.history and slow.minute != minute):
            slow.answer = _read(context)
            slow.history, slow.minute = version.history, minute
        found: ThirtyDays = slow.answer
        return found


def thirty_days_change_at(context: Context, version: Versions) -> int | None:
    """When an answer that lags behind the store is due again; ``None`` while it is up to date."""
    behind = kept(context, "thirty days", window(context), _Slow).history != version.history
    return (epoch(context.now) // KEPT_SECONDS + 1) * KEPT_SECONDS if behind else None


def _read(context: Context) -> ThirtyDays:
    today = local_day(epoch(context.now), context.regency.zone)
    days = [today - timedelta(days=number) for number in range(DAYS, 0, -1)]
    facts = facts_of(context, days)
    judged: dict[str, Judged] = {}
    for one in facts:
        for agency, (base, on_time) in one.judged.items():
            sums = judged.get(agency, Judged(0, 0))
            judged[agency] = Judged(sums.judged + base, sums.on_time + on_time)
    times = {
        agency: _told(context, served, values, unit) for agency, (served, values, unit) in _headlines(context, facts).items()
    }
    over = [
        agency for agency, told in times.items()
        if told.kind == "request" and told.enough and told.p90_share is not None and told.p90_share > 1
    ]
    before = facts_of(context, [day - timedelta(days=DAYS) for day in days]) if over else []
    spent = _by_service([*before, *facts], {(agency, times[agency].service or "") for agency in over})
    for service, of_days in spent.items():
        told = times[service[0]]
        times[service[0]] = replace(told, over_since=_over_since(context, service, told, of_days, days[0]))
    return ThirtyDays(times, judged)


def _merged(facts: Sequence[DayFacts]) -> dict[Served, dict[str | None, Seconds]]:
    """All durations of some days by service, and by the standard they were promised under."""
    parts: defaultdict[Served, defaultdict[str | None, list[Seconds]]] = defaultdict(lambda: defaultdict(list))
    for one in facts:
        for (served, standard), rows in one.spent.items():
            parts[served][standard].append(rows)
    return {
        served: {standard: np.concatenate(rows) for standard, rows in by_standard.items()} for served, by_standard in parts.items()
    }


def _headlines(context: Context, facts: Sequence[DayFacts]) -> dict[str, tuple[Served, NDArray[np.float64], str]]:
    """Per agency: the service that speaks for it, its durations and their unit. A visit's time is its wait."""
    found: dict[str, list[tuple[Served, NDArray[np.float64], str]]] = {}
    for served, spent in _merged(facts).items():
        agency, service, kind = served
        if kind == "request":
            found.setdefault(agency, []).append((served, *in_unit(spent, calendar_of(context.regency, agency, service))))
    for served, waits in waits_in(context, *window(context)).items():
        found.setdefault(served[0], []).append((served, waits, "minutes"))
    chosen = {}
    for agency, candidates in found.items():
        declared = context.regency.agencies.get(agency)
        headline = [one for one in candidates if declared and one[0][1] == declared.headline]
        chosen[agency] = max(headline or candidates, key=lambda one: len(one[1]))
    return chosen


def _told(context: Context, served: Served, values: NDArray[np.float64], unit: str) -> AgencyTimes:
    agency, service, kind = served
    median, p90 = float(np.quantile(values, 0.5)), float(np.quantile(values, 0.9))
    amount = _amount(context, agency, service, unit)
    return AgencyTimes(
        service=service, kind=kind, median=median, p90=p90, unit=unit, amount=amount, share=median / amount if amount else None,
        p90_share=p90 / amount if amount else None, cases=len(values),
        enough=len(values) >= context.regency.thresholds.least_cases,
    )


def _amount(context: Context, agency: str, service: str, unit: str) -> float | None:
    """How much the standard in force today promises, when it is in this unit."""
    declared = context.regency.agencies.get(agency)
    known = declared.services.get(service) if declared else None
    standard = known.standard_on(local_day(epoch(context.now), context.regency.zone)) if known else None
    return standard.amount if standard and promise(standard.promise).unit.value == unit else None


def _by_service(facts: Sequence[DayFacts], wanted: set[Service]) -> dict[Service, list[Spent]]:
    """What some services spent, a mapping for each day."""
    found: dict[Service, list[Spent]] = {service: [{} for _ in facts] for service in wanted}
    for number, day in enumerate(facts):
        for (served, standard), rows in day.spent.items():
            if served[:2] in found:
                found[served[:2]][number][standard] = rows
    return found


def _over_since(context: Context, service: Service, one: AgencyTimes, spent: Sequence[Spent], first: date) -> int:
    """Walk back day by day while the 30 days before that midnight were over the standard too. ``spent``: of 60 days;
    ``first``: the first day of the window that ends with today's midnight.

    Whether a 90th percentile lies above the standard is told by how many values do; only at the edge is it computed.
    """
    amount, least = one.amount or 0.0, context.regency.thresholds.least_cases
    calendar = calendar_of(context.regency, *service)
    days = [_in(one.unit, each, calendar) for each in spent]
    count = np.cumsum([0, *(0 if values is None else len(values) for values in days)])
    under = np.cumsum([0, *(0 if values is None else np.count_nonzero(values <= amount) for values in days)])
    since = first + timedelta(days=DAYS)
    for back in range(1, DAYS + 1):
        low, high = DAYS - back, 2 * DAYS - back
        known, below = int(count[high] - count[low]), int(under[high] - under[low])
        if known < max(1, least) or any(values is None for values in days[low:high]):
            break
        place = int((known - 1) * 0.9)
        if below > place + 1:
            break
        if below == place + 1 and np.quantile(np.concatenate([v for v in days[low:high] if v is not None]), 0.9) <= amount:
            break
        since -= timedelta(days=1)
    return day_start(since, context.regency.zone)


def _in(unit: str, spent: Spent, calendar: Calendar) -> NDArray[np.float64] | None:
    """Durations of one day in ``unit``; ``None`` when they were promised in another one."""
    values, told = in_unit(spent, calendar) if spent else (np.empty(0), unit)
    return values if told == unit else None
