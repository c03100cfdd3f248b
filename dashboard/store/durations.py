"""Durations of cases in a window: exact from the cases up to 31 days, longer ones from whole months' histograms.

Measures: ``elapsed`` (hours), ``standard`` (in the unit of each case's standard), ``share`` (of the standard), ``wait``
(accepted − submitted, minutes), ``response`` (first response − submitted, hours). Negative durations are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, Select, select

from config.declarations import Standard
from dashboard.clock import DAY, day_start, local_day, next_month
from dashboard.derive import standard_value
from dashboard.store import histograms
from dashboard.store.tables import case, dimension, dirty, histogram
from dashboard.worktime import calendar_of

if TYPE_CHECKING:
    from config.declarations import Regency

EXACT_UP_TO_SECONDS = 31 * DAY
MEASURES = ("elapsed", "standard", "share", "wait", "response")
Key = tuple[str, ...]


@dataclass
class Distribution:
    """Values of one group: exact ones, or counts of histogram bins (then both may be there). ``units`` of the values."""

    values: list[float] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)

    @property
    def n(self) -> int:
        """How many values."""
        return len(self.values) + sum(self.counts.values())

    def quantile(self, share: float) -> float | None:
        """The quantile (numpy's ``linear``); ``None`` without values."""
        if self.counts:
            return histograms.quantile(histograms.merge([self.counts, histograms.count(self.values)]), share)
        return float(np.quantile(self.values, share)) if self.values else None


@lru_cache(maxsize=1024)
def promise(text: str) -> Standard:
    """The standard behind a stored promise ("1 working day")."""
    return Standard.model_validate({"from": date(2000, 1, 1), "promise": text, "basis": ""})


def valuer(regency: Regency, measure: str) -> Callable[[Any], tuple[float, str] | None]:
    """A function from a row (agency, service, standard, start, stop, elapsed, worked) to (value, unit), or ``None``."""

    def of_standard(row: Any) -> tuple[float, str] | None:
        if row.elapsed_seconds is None:
            return None
        if row.standard is None:
            return None if measure == "share" else (row.elapsed_seconds / 3600, "hours")
        standard = promise(row.standard)
        calendar = calendar_of(regency, row.agency, row.service)
        value = standard_value(standard.unit, row.elapsed_seconds, row.worked_seconds or 0, calendar)
        return (value / standard.amount, "share") if measure == "share" else (value, standard.unit.value)

    def elapsed(row: Any) -> tuple[float, str] | None:
        return None if row.elapsed_seconds is None else (row.elapsed_seconds / 3600, "hours")

    def between(row: Any) -> tuple[float, str] | None:
        seconds = row.stop - row.submitted_at
        return None if seconds < 0 else (seconds / 60, "minutes") if measure == "wait" else (seconds / 3600, "hours")

    return {"elapsed": elapsed, "standard": of_standard, "share": of_standard}.get(measure, between)


def rows_of(measure: str, start: int, end: int) -> Select[Any]:
    """The cases whose duration belongs to [start, end): completed, called or first answered in it."""
    names = (dimension.c.source, dimension.c.agency, dimension.c.service, dimension.c.channel, dimension.c.district,
             dimension.c.kind)
    if measure in ("wait", "response"):
        stop = case.c.accepted_at if measure == "wait" else case.c.first_response_at
        statement = select(*names, case.c.submitted_at, stop.label("stop"))
    else:
        stop = case.c.ended_at
        statement = select(
            *names, case.c.ended_at.label("stop"), case.c.elapsed_seconds, case.c.worked_seconds, case.c.standard
        ).where(case.c.ended_as == "completed")
    return statement.join(dimension, dimension.c.id == case.c.dim).where(
        stop >= start, stop < end, case.c.deleted_at.is_(None)
    )


def durations(
    connection: Connection, regency: Regency, *, measure: str, start: int, end: int, by: Sequence[str] = (),
    where: Sequence[Any] = (),
) -> dict[Key, Distribution]:
    """Distributions of a window [start, end), grouped by columns of the dimension (agency, service, district, …).

    Longer than 31 days, grouped by at most agency, service and district and without conditions: whole months come from
    histograms; months that a run touched since (dirty) and the ragged ends come from the cases.
    """
    if end - start <= EXACT_UP_TO_SECONDS or where or not set(by) <= {"agency", "service", "district"}:
        return _exact(connection, regency, measure, start, end, by, where)
    zone = regency.zone
    first = local_day(start, zone)
    month = first.replace(day=1) if day_start(first.replace(day=1), zone) >= start else next_month(first)
    whole: list[int] = []
    while day_start(next_month(month), zone) <= end:
        whole.append(day_start(month, zone))
        month = next_month(month)
    if not whole:
        return _exact(connection, regency, measure, start, end, by, where)
    found = _exact(connection, regency, measure, start, whole[0], by, where)
    _merge(found, _exact(connection, regency, measure, day_start(month, zone), end, by, where))
    _merge(found, _from_histograms(connection, measure, whole, by))
    for row in connection.execute(select(dirty).where(dirty.c.month.in_(whole))):
        close = day_start(next_month(local_day(row.month, zone)), zone)
        condition = (dimension.c.agency == row.agency, dimension.c.service == row.service)
        _merge(found, _exact(connection, regency, measure, row.month, close, by, condition))
    return found


def _exact(
    connection: Connection, regency: Regency, measure: str, start: int, end: int, by: Sequence[str], where: Sequence[Any]
) -> dict[Key, Distribution]:
    found: defaultdict[Key, Distribution] = defaultdict(Distribution)
    if start >= end:
        return found
    value_of = valuer(regency, measure)
    for row in connection.execute(rows_of(measure, start, end).where(*where)):
        valued = value_of(row)
        if valued is not None:
            one = found[tuple(getattr(row, name) for name in by)]
            one.values.append(valued[0])
            one.units.add(valued[1])
    return found


def _from_histograms(connection: Connection, measure: str, months: list[int], by: Sequence[str]) -> dict[Key, Distribution]:
    found: defaultdict[Key, Distribution] = defaultdict(Distribution)
    skip = {(row.month, row.agency, row.service) for row in connection.execute(select(dirty).where(dirty.c.month.in_(months)))}
    slices = histogram.c.slice != "" if "district" in by else histogram.c.slice == ""
    statement = select(histogram).where(histogram.c.month.in_(months), histogram.c.measure == measure, slices)
    for row in connection.execute(statement):
        if (row.month, row.agency, row.service) in skip:
            continue
        named = {"agency": row.agency, "service": row.service, "district": row.slice.removeprefix("=")}
        one = found[tuple(named[name] for name in by)]
        one.counts = histograms.merge([one.counts, histograms.unpack(row.counts)])
        one.units.add(row.unit)
    return found


def _merge(into: dict[Key, Distribution], other: dict[Key, Distribution]) -> None:
    for key, part in other.items():
        one = into.setdefault(key, Distribution())
        one.values += part.values
        one.counts = histograms.merge([one.counts, part.counts])
        one.units |= part.units
