"""The last 30 whole days by agency: time of the headline service against its standard, and the share on time.

Whole local days, so that it only changes at midnight or when a past day does; kept for a minute besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from dashboard.clock import day_start, epoch, local_day
from dashboard.queries.answers import Context
from dashboard.queries.volumes import Versions, kept
from dashboard.store.durations import Distribution, durations, promise
from dashboard.store.tables import GRAINS, cell, dimension

DAYS = 30
KEPT_SECONDS = 60


@dataclass(frozen=True)
class AgencyTimes:
    """Median and 90th percentile of an agency in ``unit``, and as shares of the standard (``amount``)."""

    service: str | None = None
    median: float | None = None
    p90: float | None = None
    unit: str = "hours"
    amount: float | None = None
    share: float | None = None
    p90_share: float | None = None
    cases: int = 0
    enough: bool = False


@dataclass(frozen=True)
class Judged:
    """Completed with a standard, and on time among them."""

    judged: int
    on_time: int


def window(context: Context) -> tuple[int, int]:
    """The last 30 whole local days, [start, end)."""
    zone = context.regency.zone
    today = local_day(epoch(context.now), zone)
    return day_start(today - timedelta(days=DAYS), zone), day_start(today, zone)


def _version(context: Context, version: Versions) -> tuple[int, int, int]:
    """Kept until a past day changes, and then for the rest of the minute."""
    return version.engine, window(context)[0], epoch(context.now) // KEPT_SECONDS


def times_by_agency(context: Context, version: Versions) -> dict[str, AgencyTimes]:
    """Times by agency."""
    return kept(("times", id(context.regency), *_version(context, version)), lambda: _times(context))  # type: ignore[no-any-return]


def _times(context: Context) -> dict[str, AgencyTimes]:
    start, end = window(context)
    regency = context.regency
    with context.engine.connect() as connection:
        by = {"measure": "standard", "start": start, "end": end}
        standard = durations(connection, regency, **by, by=("agency", "service", "kind"))  # type: ignore[arg-type]
        waits = durations(connection, regency, measure="wait", start=start, end=end, by=("agency", "service", "kind"))
    found: dict[str, AgencyTimes] = {}
    for agency in {key[0] for key in (*standard, *waits)}:
        declared = regency.agencies.get(agency)
        headline = declared.headline if declared else None
        candidates = [
            (key, waits[key] if key[2] == "visit" and key in waits else one)
            for key, one in {**waits, **standard}.items() if key[0] == agency and key[2] != "complaint"
        ]
        if headline:
            candidates = [item for item in candidates if item[0][1] == headline] or candidates
        if candidates:
            key, one = max(candidates, key=lambda item: item[1].n)
            found[agency] = _told(context, key, one)
    return found


def _told(context: Context, key: tuple[str, ...], one: Distribution) -> AgencyTimes:
    agency, service, _ = key
    declared = context.regency.agencies.get(agency)
    known = declared.services.get(service) if declared else None
    standard = known.standard_on(local_day(epoch(context.now), context.regency.zone)) if known else None
    median, p90 = one.quantile(0.5), one.quantile(0.9)
    unit = next(iter(one.units)) if len(one.units) == 1 else "hours"
    amount = standard.amount if standard and promise(standard.promise).unit.value == unit else None
    return AgencyTimes(
        service=service, median=median, p90=p90, unit=unit, amount=amount,
        share=median / amount if median is not None and amount else None,
        p90_share=p90 / amount if p90 is not None and amount else None, cases=one.n,
        enough=one.n >= context.regency.thresholds.least_cases,
    )


def judged_by_agency(context: Context, version: Versions) -> dict[str, Judged]:
    """Completed and on time by agency."""

    def read() -> dict[str, Judged]:
        start, end = window(context)
        statement = (
            select(dimension.c.agency, func.sum(cell.c.completed_judged), func.sum(cell.c.completed_on_time))
            .join(dimension, dimension.c.id == cell.c.dim)
            .where(cell.c.grain == GRAINS["day"], cell.c.period >= start, cell.c.period < end).group_by(dimension.c.agency)
        )
        with context.engine.connect() as connection:
            return {row[0]: Judged(int(row[1]), int(row[2])) for row in connection.execute(statement)}

    return kept(("judged", *_version(context, version)), read)  # type: ignore[no-any-return]
