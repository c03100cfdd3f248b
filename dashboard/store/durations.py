"""Distributions of durations in a window: exact from the cases up to 31 days, longer ones from whole months' histograms.

The measures are those of ``dashboard.store.samples``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, Connection, select
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from dashboard.clock import DAY, day_start, local_day, next_month
from dashboard.store import histograms
from dashboard.store.samples import promise, samples
from dashboard.store.tables import dimension, dirty, histogram

if TYPE_CHECKING:
    from config.declarations import Regency

__all__ = ["Distribution", "durations", "promise"]

EXACT_UP_TO_SECONDS = 31 * DAY
Key = tuple[str, ...]
_MONTHLY = {dimension.c.agency: histogram.c.agency, dimension.c.service: histogram.c.service}


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


def durations(
    connection: Connection, regency: Regency, *, measure: str, start: int, end: int, by: Sequence[str] = (),
    where: Sequence[Any] = (),
) -> dict[Key, Distribution]:
    """Distributions of a window [start, end), grouped by columns of the dimension (agency, service, district, …).

    Longer than 31 days, grouped by at most agency, service and district and with conditions on agency and service only: whole
    months come from histograms; months that a run touched since (dirty) and the ragged ends come from the cases.
    """
    found: dict[Key, Distribution] = {}
    conditions = _monthly(where)
    whole: list[int] = []
    if end - start > EXACT_UP_TO_SECONDS and conditions is not None and set(by) <= {"agency", "service", "district"}:
        whole = _whole_months(start, end, regency)
    if not whole:
        _exact(found, connection, regency, measure, start, end, by, where)
        return found
    after = _close(whole[-1], regency)
    waiting: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in connection.execute(select(dirty).where(dirty.c.month.in_(whole))):
        waiting[row.month].add((row.agency, row.service))
    _exact(found, connection, regency, measure, start, whole[0], by, where)
    _exact(found, connection, regency, measure, after, end, by, where)
    for month, services in waiting.items():
        _exact(found, connection, regency, measure, month, _close(month, regency), by, where, only=services)
    slices = histogram.c.slice != "" if "district" in by else histogram.c.slice == ""
    statement = select(histogram).where(
        histogram.c.month.in_(whole), histogram.c.measure == measure, slices, *(conditions or ())
    )
    for row in connection.execute(statement):
        if (row.agency, row.service) not in waiting[row.month]:
            named = {"agency": row.agency, "service": row.service, "district": row.slice.removeprefix("=")}
            one = found.setdefault(tuple(named[name] for name in by), Distribution())
            histograms.add(one.counts, histograms.unpack(row.counts))
            one.units.add(row.unit)
    return found


def _close(month: int, regency: Regency) -> int:
    return day_start(next_month(local_day(month, regency.zone)), regency.zone)


def _whole_months(start: int, end: int, regency: Regency) -> list[int]:
    """Starts of the months that lie wholly in [start, end)."""
    zone = regency.zone
    first = local_day(start, zone).replace(day=1)
    month = first if day_start(first, zone) >= start else next_month(first)
    whole: list[int] = []
    while day_start(next_month(month), zone) <= end:
        whole.append(day_start(month, zone))
        month = next_month(month)
    return whole


def _monthly(where: Sequence[Any]) -> list[Any] | None:
    """The conditions said of histograms instead of dimensions; ``None`` where one asks for more than agency and service."""
    columns = {part for condition in where for part in iterate(condition) if isinstance(part, Column)}
    if not columns <= _MONTHLY.keys():
        return None

    def monthly(part: Any, **_: Any) -> Any:
        return _MONTHLY.get(part) if isinstance(part, Column) else None

    said_of: Any = replacement_traverse
    return [said_of(condition, {}, monthly) for condition in where]


def _exact(
    found: dict[Key, Distribution], connection: Connection, regency: Regency, measure: str, start: int, end: int,
    by: Sequence[str], where: Sequence[Any], only: set[tuple[str, str]] | None = None,
) -> None:
    """Add the cases' own durations; ``only`` those of some (agency, service)."""
    for sample in samples(connection, regency, (measure,), start, end, by=("agency", "service", *by), where=where):
        if only is None or sample.group[:2] in only:
            one = found.setdefault(sample.group[2:], Distribution())
            one.values += sample.values.tolist()
            one.units.add(sample.unit)
