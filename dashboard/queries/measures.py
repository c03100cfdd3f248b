"""The measures behind the metrics, one function per way of counting: values by (period, group)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from config.declarations import Regency
from dashboard.clock import DAY, day_end, day_start, local_day
from dashboard.metrics import Adds, Metric
from dashboard.queries.answers import State
from dashboard.queries.periods import Period
from dashboard.store.backlog import backlog_at
from dashboard.store.durations import Distribution, durations
from dashboard.store.tables import COUNTS, GRAINS, case, cell, dimension, reading

Group = tuple[str, ...]
Key = tuple[int, Group]
"""(number of the period, group)."""


@dataclass(frozen=True)
class Value:
    """One measured value, its unit when it is not the metric's own, the base count behind it, its state if special."""

    value: float | None
    cases: int = 0
    unit: str | None = None
    state: State | None = None


Values = dict[Key, Value]


@dataclass
class Asked:
    """What is asked: over which periods, by which columns, under which conditions; and what was read for it already."""

    connection: Connection
    regency: Regency
    periods: Sequence[Period]
    by: tuple[str, ...]
    where: tuple[Any, ...]
    now: int
    time: str
    read: dict[Any, Any] = field(default_factory=dict)

    def number_of(self, at: int) -> int | None:
        """The number of the period that holds an instant."""
        if "starts" not in self.read:
            self.read["starts"] = [period.start for period in self.periods]
        number = bisect_right(self.read["starts"], at) - 1
        return number if number >= 0 and at < self.periods[number].end else None

    def past_days(self) -> dict[int, list[int]]:
        """Midnights of the local days that lie whole inside each period and are over, by the period's number."""
        found: dict[int, list[int]] = {}
        zone = self.regency.zone
        for number, period in enumerate(self.periods):
            day = local_day(period.start, zone)
            while day_end(day, zone) <= min(period.end, self.now):
                if day_start(day, zone) >= period.start:
                    found.setdefault(number, []).append(day_start(day, zone))
                day += timedelta(days=1)
        return found

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Something read once for several metrics."""
        if key not in self.read:
            self.read[key] = make()
        return self.read[key]

    @property
    def groups(self) -> list[Any]:
        """The columns of the dimension to group by."""
        return [dimension.c[name] for name in self.by]


def cells(asked: Asked, kind: str | None = None) -> dict[Key, dict[str, int]]:
    """Sums of all counts by (period, group), from the coarsest cells that fit the periods' edges."""

    def read() -> dict[Key, dict[str, int]]:
        zone = asked.regency.zone
        edges = {edge for period in asked.periods for edge in (period.start, period.end)}
        on_months = all(day_start(local_day(edge, zone).replace(day=1), zone) == edge for edge in edges)
        on_days = all(day_start(local_day(edge, zone), zone) == edge for edge in edges)
        grain = GRAINS["month" if on_months else "day" if on_days else "hour"]
        sums = [func.sum(cell.c[name]) for name in COUNTS]
        statement = (
            select(cell.c.period, *asked.groups, *sums).join(dimension, dimension.c.id == cell.c.dim)
            .where(cell.c.grain == grain, cell.c.period >= asked.periods[0].start, cell.c.period < asked.periods[-1].end,
                   *asked.where, *([dimension.c.kind == kind] if kind else []))
            .group_by(cell.c.period, *asked.groups)
        )
        found: dict[Key, dict[str, int]] = {}
        for row in asked.connection.execute(statement):
            number = asked.number_of(row[0])
            if number is None:
                continue
            counts = found.setdefault((number, tuple(row[1 : 1 + len(asked.by)])), dict.fromkeys(COUNTS, 0))
            for name, value in zip(COUNTS, row[1 + len(asked.by) :], strict=True):
                counts[name] += int(value or 0)
        return found

    return asked.once(("cells", kind), read)  # type: ignore[no-any-return]


def counted(asked: Asked, name: str, kind: str | None = None) -> Values:
    """A plain count."""
    return {key: Value(float(counts[name]), counts[name]) for key, counts in cells(asked, kind).items()}


def rated(asked: Asked, part: str, whole: str) -> Values:
    """A share in percent of two counts; too few cases say so."""
    return {key: rate(asked, counts[part], counts[whole]) for key, counts in cells(asked).items() if counts[whole]}


def rate(asked: Asked, part: int, whole: int) -> Value:
    """A percentage, or "too few"."""
    if whole < asked.regency.thresholds.least_cases:
        return Value(None, whole, state=State.TOO_FEW)
    return Value(100 * part / whole, whole)


def backlog(asked: Asked) -> Values:
    """The backlog at the end of each period: what stood before the first one, and opened − left since.

    For the running period: now.
    """
    before = backlog_at(asked.connection, asked.periods[0].start - 1, asked.regency.zone, by=asked.by, where=asked.where)
    steps = cells(asked)
    groups = {group for _, group in steps} | set(before)
    found: Values = {}
    for group in groups:
        standing = before.get(group, 0)
        for number, period in enumerate(asked.periods):
            if period.start > asked.now:
                break
            counts = steps.get((number, group))
            if counts:
                standing += counts["opened"] - counts["left"]
            if standing:  # whether nothing standing is a true zero, coverage tells
                found[number, group] = Value(float(standing), standing)
    return found


def percentile(asked: Asked, measure: str, share: float) -> Values:
    """A percentile of durations of each period, in the unit of the standard or as said; two units: elapsed hours."""
    wanted = "elapsed" if measure == "standard" and asked.time == "elapsed" else measure

    def read(kind: str) -> dict[Key, Distribution]:
        found: dict[Key, Distribution] = {}
        for number, period in enumerate(asked.periods):
            for group, one in durations(
                asked.connection, asked.regency, measure=kind, start=period.start, end=period.end, by=asked.by, where=asked.where
            ).items():
                found[number, group] = one
        return found

    by_key = asked.once(("durations", wanted), lambda: read(wanted))
    mixed = {key for key, one in by_key.items() if len(one.units) > 1}
    elapsed = asked.once(("durations", "elapsed"), lambda: read("elapsed")) if mixed else {}
    values: Values = {}
    for key, one in by_key.items():
        told = elapsed.get(key, one) if key in mixed else one
        unit = "hours" if key in mixed else next(iter(one.units), "hours")
        values[key] = Value(told.quantile(share), told.n, unit)
    return values


def standing(asked: Asked, condition: Callable[[int], Any]) -> Values:
    """Cases open at the end of each period (now, for the running one) that meet a condition at that instant."""
    found: Values = {}
    for number, period in enumerate(asked.periods):
        if period.start > asked.now:
            break
        at = min(period.end, asked.now)
        statement = (
            select(*asked.groups, func.count()).join(dimension, dimension.c.id == case.c.dim).where(
                case.c.deleted_at.is_(None), case.c.submitted_at < at, condition(at),
                or_(case.c.ended_as.is_(None), case.c.ended_at >= at), *asked.where,
            ).group_by(*asked.groups)
        )
        for row in asked.connection.execute(statement):
            if row[-1]:
                found[number, tuple(row[:-1])] = Value(float(row[-1]), int(row[-1]))
    return found


def in_period(asked: Asked, stamp: Any, *conditions: Any) -> dict[Key, int]:
    """Cases whose stamp lies in each period and that meet the conditions."""
    found: defaultdict[Key, int] = defaultdict(int)
    statement = select(*asked.groups, stamp).join(dimension, dimension.c.id == case.c.dim).where(
        case.c.deleted_at.is_(None), stamp >= asked.periods[0].start, stamp < asked.periods[-1].end, *conditions, *asked.where
    )
    for *group, at in asked.connection.execute(statement):
        number = asked.number_of(at)
        if number is not None:
            found[number, tuple(group)] += 1
    return found


def kept(asked: Asked, *conditions: Any) -> Values:
    """Of the cases due in the period, the share done by then (a visit: called by then), in percent; not those not due yet."""
    due = case.c.due_at
    judged = (due <= asked.now, or_(case.c.ended_as.is_(None), case.c.ended_as != "cancelled"), *conditions)
    whole = in_period(asked, due, *judged)
    done = in_period(asked, due, *judged, case.c.on_time.is_(True))
    return {key: rate(asked, done.get(key, 0), count) for key, count in whole.items()}


def published(asked: Asked, metric: Metric) -> Values:
    """Readings of a metric: those whose period begins in each period, the last one by agency; summed only where it adds up."""
    found: Values = {}
    if set(asked.by) - {"agency"}:
        return found
    if metric.adds in (Adds.SUM, Adds.LAST):
        return published_sums(asked, metric)
    rows = asked.connection.execute(
        select(reading).where(
            reading.c.metric == metric.key, reading.c.scope == "", reading.c.period >= asked.periods[0].start,
            reading.c.period < asked.periods[-1].end,
        ).order_by(reading.c.period)
    )
    found_rows = rows.all()
    agencies = {row.agency for row in found_rows}
    for row in found_rows:
        number = asked.number_of(row.period)
        if number is not None and (asked.by or len(agencies) == 1):
            found[number, (row.agency,) if asked.by else ()] = Value(row.value, 1)
    return found


GRAIN_SECONDS = {"instant": 0, "hour": 3600, "day": DAY, "week": 7 * DAY, "month": 28 * DAY, "quarter": 90 * DAY, "year": 365 * DAY}
"""At least so long is a reading of a grain: it is counted in periods that are no shorter."""


def published_sums(asked: Asked, metric: Metric) -> Values:
    """Readings that add up over agencies, summed (or the last one, as the metric adds up) over time.

    Of each source and agency those of the longest grain that fits the period; its parts (scopes) only where it tells no whole.
    """
    told: defaultdict[tuple[Key, str, str], dict[tuple[float, bool], dict[str, float]]] = defaultdict(dict)
    rows = asked.connection.execute(select(reading).where(
        reading.c.metric == metric.key, reading.c.period >= asked.periods[0].start,
        reading.c.period < asked.periods[-1].end, reading.c.value.is_not(None),
    ).order_by(reading.c.period))
    for row in rows:
        number = asked.number_of(row.period)
        seconds = GRAIN_SECONDS.get(row.grain)
        if number is None or seconds is None or (metric.adds is Adds.SUM and not seconds):
            continue
        if seconds <= asked.periods[number].end - asked.periods[number].start:
            key: Key = (number, (row.agency,) if asked.by else ())
            by_scope = told[key, row.source, row.agency].setdefault((seconds, row.scope == ""), {})
            by_scope[row.scope] = row.value + (by_scope.get(row.scope, 0.0) if metric.adds is Adds.SUM else 0.0)
    sums: defaultdict[Key, list[float]] = defaultdict(list)
    for (key, _, _), by_kind in told.items():
        sums[key] += by_kind[max(by_kind)].values()
    return {key: Value(sum(values), len(values)) for key, values in sums.items()}


def overdue(at: int) -> Any:
    """Past its due time at an instant."""
    return case.c.due_at < at


def due_soon(at: int) -> Any:
    """80 % of the standard used, not yet past it."""
    return and_(case.c.due_at >= at, (at - case.c.submitted_at) * 10 >= (case.c.due_at - case.c.submitted_at) * 8)




