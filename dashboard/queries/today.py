"""The headline figures of today: requests received, completed, on time, overdue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import func, select

from dashboard.clock import day_end, day_start, epoch, local_day
from dashboard.queries.answers import Band, Context, Level, SourceAge, Tile, question
from dashboard.queries.freshness import ages, soonest
from dashboard.queries.gauges import gauge_values
from dashboard.queries.totals import Known, figure, known_of, too_few
from dashboard.queries.volumes import (
    MARK,
    Cumulated,
    Versions,
    at_minute,
    band_of,
    comparable_days,
    covered_days,
    day_sums,
    next_mark,
    versions_of,
)
from dashboard.store.tables import case, dimension

KIND = "request"


class Day:
    """Today's running sums, those of comparable days, and who counts: shared by the tiles of one refresh."""

    def __init__(self, context: Context, kinds: tuple[str, ...] = (KIND,)) -> None:
        self.context, self.kinds = context, kinds
        self.now = epoch(context.now)
        zone = context.regency.zone
        self.today = local_day(self.now, zone)
        self.seconds = self.now - day_start(self.today, zone)
        self.version: Versions = versions_of(context.engine)
        self.sums = day_sums(context, self.today, self.version)
        self.days = comparable_days(context)
        self.covered = covered_days(context, self.version)
        everything = ages(context)
        self.ages: list[SourceAge] = [
            everything[key] for key, source in context.regency.sources.items()
            if source.feeds == "cases" and (source.kind in kinds or self._has(key))
        ]
        self.known: Known = known_of(self.ages, self._weights())
        self.changes_at = soonest(next_mark(self.now), day_end(self.today, zone), *(age.changes_at for age in self.ages))

    def _has(self, source: str) -> bool:
        return any(part[0] == source and part[2] in self.kinds for part in self.sums)

    def _past(self, day_number: int) -> Cumulated:
        return day_sums(self.context, self.days[day_number], self.version)

    def _weights(self) -> dict[str, float]:
        """Typical volume up to now by source: the median over comparable days that the source covers.

        Without typical, its mean over the covered working days so far.
        """
        weights: dict[str, float] = {}
        for age in self.ages:
            values = [
                self.total(self._past(number), (age.source,), "received", self.seconds)
                for number, day in enumerate(self.days) if self.covers(age.source, number)
            ]
            if len(values) >= self.context.regency.thresholds.comparable_days_needed:
                weights[age.source] = sorted(values)[len(values) // 2]
            elif values:
                weights[age.source] = sum(values) / len(values)
        return weights

    def covers(self, source: str, day_number: int) -> bool:
        """Whether a source covers a comparable day completely."""
        start = day_start(self.days[day_number], self.context.regency.zone)
        return start in self.covered.get(source, ())

    def total(self, sums: Cumulated, sources: tuple[str, ...], count: str, seconds: float) -> float:
        """A count of some sources up to a time of day. Today's last ten minutes are under way: all of them count."""
        if sums is self.sums and seconds > self.seconds // MARK * MARK:
            seconds = self.seconds // MARK * MARK + MARK
        return sum(
            at_minute(part[count], seconds) for (source, _, kind), part in sums.items() if source in sources and kind in self.kinds
        )

    def so_far(self, count: str) -> Callable[[tuple[str, ...]], float]:
        """A function from sources to today's count up to the end of what is known (whole, not interpolated)."""
        return lambda sources: sum(
            part[count][-1] for (source, _, kind), part in self.sums.items() if source in sources and kind in self.kinds
        )

    def band(self, value: Callable[[Cumulated, tuple[str, ...]], float | None]) -> Callable[[tuple[str, ...]], Band | None]:
        """A function from sources to the band of a value over the comparable days that all of them cover."""

        def made(sources: tuple[str, ...]) -> Band | None:
            found = [
                value(self._past(number), sources) for number in range(len(self.days))
                if all(self.covers(source, number) for source in sources)
            ]
            return band_of([one for one in found if one is not None], self.context.regency.thresholds.comparable_days_needed)

        return made

    def tile(self, metric: str) -> Tile:
        """A plain count of today against its typical band."""
        one = figure(
            self.context, metric, self.known, self.so_far(metric),
            self.band(lambda sums, sources: self.total(sums, sources, metric, self.seconds)),
        )
        return Tile(self.now, one, self.changes_at, one.limits)


@question(reads={"cases", "history", "state"})
def received_today(context: Context) -> Tile:
    """How many requests were received today?"""
    return Day(context).tile("received")


@question(reads={"cases", "history", "state"})
def completed_today(context: Context) -> Tile:
    """How many requests were completed today?"""
    return Day(context).tile("completed")


@question(reads={"cases", "history", "state"})
def on_time_today(context: Context) -> Tile:
    """Which share (percent) of those completed today was on time?"""
    day = Day(context)

    def rate(sums: Cumulated, sources: tuple[str, ...], seconds: float) -> float | None:
        judged = day.total(sums, sources, "completed_judged", seconds)
        return 100 * day.total(sums, sources, "completed_on_time", seconds) / judged if judged else None

    one = figure(
        context, "on_time_rate", day.known, lambda sources: rate(day.sums, sources, 86_400 * 2),
        day.band(lambda sums, sources: rate(sums, sources, day.seconds)),
    )
    over = day.known.counted or day.known.everyone
    judged = int(day.so_far("completed_judged")(over))
    one = too_few(one, judged, context.regency.thresholds.least_cases)
    return Tile(day.now, one, day.changes_at, one.limits)


@question(reads={"cases", "history", "state", "gauges"})
def overdue_now(context: Context) -> Tile:
    """How many open requests are past their due time?"""
    day = Day(context)
    counts, next_due = overdue_by(context, "source")
    marks = [day_start(one, context.regency.zone) + day.seconds for one in day.days]
    past = gauge_values(context, "overdue", marks, day.version)

    def band(sources: tuple[str, ...]) -> Band | None:
        values = [
            sum(past[number].get((source, ""), 0.0) for source in sources) for number in range(len(day.days))
            if all(day.covers(source, number) for source in sources)
        ]
        return band_of(values, context.regency.thresholds.comparable_days_needed)

    one = figure(
        context, "overdue", day.known, lambda sources: float(sum(counts.get((source,), 0) for source in sources)), band
    )
    if one.band is not None and one.value is not None and one.value > one.band.high:
        one = replace(one, level=Level.WARNING)
    return Tile(day.now, one, soonest(day.changes_at, next_due), one.limits)


def overdue_by(context: Context, *columns: str) -> tuple[dict[tuple[str, ...], int], int | None]:
    """Open requests past due, by columns of the dimension, and the next instant at which one more falls due."""
    now = epoch(context.now)
    groups = [dimension.c[name] for name in columns]
    still_open = (case.c.ended_as.is_(None), case.c.deleted_at.is_(None), dimension.c.kind == KIND)
    counted = (
        select(*groups, func.count()).join(dimension, dimension.c.id == case.c.dim)
        .where(*still_open, case.c.due_at < now).group_by(*groups)
    )
    following = (
        select(case.c.due_at).join(dimension, dimension.c.id == case.c.dim).where(*still_open, case.c.due_at >= now)
        .order_by(case.c.due_at).limit(1)
    )
    with context.engine.connect() as connection:
        found = {tuple(row[:-1]): int(row[-1]) for row in connection.execute(counted)}
        due = connection.execute(following).scalar()
    return found, None if due is None else int(due) + 1


