"""The headline figures of today: requests received, completed, on time, overdue. Visits and complaints are counted elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from dashboard.clock import DAY, day_end, day_start, epoch, local_day
from dashboard.queries.answers import Band, Context, Level, SourceAge, Tile, question
from dashboard.queries.freshness import ages, soonest
from dashboard.queries.gauges import between, gauges_at
from dashboard.queries.open_cases import next_due, open_by_part
from dashboard.queries.totals import Known, figure, known_of, too_few
from dashboard.queries.volumes import (
    MARK,
    Lines,
    Versions,
    at_minute,
    band_of,
    comparable_days,
    covered_days,
    day_lines,
    feeding,
    kept,
    next_mark,
    quartiles,
    recent_days,
    settles_at,
    versions_of,
)

KIND = "request"
MINUTE = 60
"""What is typical by now (``Day.by``) is so by this minute: a band that moved with each second would be drawn anew each time."""
END = 2.0 * DAY
"""A time of day after every day's end."""


class Day:
    """Today's running sums, those of comparable days, and who counts: shared by the questions of one refresh."""

    def __init__(self, context: Context, version: Versions, kinds: tuple[str, ...] = (KIND,), *, by_agency: bool = False) -> None:
        self.context, self.version, self.kinds, self.by_agency = context, version, kinds, by_agency
        self.now = epoch(context.now)
        zone = context.regency.zone
        self.today = local_day(self.now, zone)
        self.seconds = self.now - day_start(self.today, zone)
        self.by = self.seconds // MINUTE * MINUTE
        self.sums = self._lines(self.today)
        self.days = comparable_days(context)
        self.past = [self._lines(day) for day in self.days]
        self.parts = feeding(context)
        feeds = {part[0] for part in self.parts if part[2] in kinds}
        everything = ages(context)
        self.ages: list[SourceAge] = [
            everything[key] for key, source in context.regency.sources.items()
            if source.feeds == "cases" and (source.kind in kinds or key in feeds)
        ]
        self._covered = covered_days(context, [age.source for age in self.ages], self.days, version)
        self.typical = self._typical()
        self.known: Known = known_of(self.ages, {source: sum(parts.values()) for source, parts in self.typical.items()})
        self.changes_at = soonest(
            next_mark(self.now), day_end(self.today, zone), settles_at(context, version), *(age.changes_at for age in self.ages)
        )

    def _lines(self, day: date) -> Lines:
        return day_lines(self.context, day, self.version, self.kinds, by_agency=self.by_agency)

    def _typical(self) -> dict[str, dict[str, float]]:
        """Typical volume received up to now, by source and agency: the median over the comparable days that it covers.

        Without enough of them, its mean over the covered working days so far.
        """
        found: dict[str, dict[str, float]] = {}
        for age in self.ages:
            lines = [sums for number, sums in enumerate(self.past) if self.covers(age.source, number)]
            enough = len(lines) >= self.context.regency.thresholds.comparable_days_needed
            if not enough:
                lines = [self._lines(day) for day in self._recent_covered(age.source)] or lines
            if lines:
                agencies = {agency for sums in lines for source, agency in sums if source == age.source}
                median = enough and not self.by_agency  # one agency's cases from a shared source are few: a median says nothing
                found[age.source] = {agency: self._middle(lines, age.source, agency, median=median) for agency in agencies}
        return found

    def _middle(self, lines: Sequence[Lines], source: str, agency: str, *, median: bool) -> float:
        values = [at_minute(sums[source, agency]["received"], self.by) if (source, agency) in sums else 0.0 for sums in lines]
        return quartiles(values)[1] if median else sum(values) / len(values)

    def _recent_covered(self, source: str) -> list[date]:
        days = recent_days(self.context)
        covered = covered_days(self.context, [age.source for age in self.ages], days, self.version)
        return [day for day in days if day in covered[source]]

    def covers(self, source: str, day_number: int) -> bool:
        """Whether a source covers a comparable day completely."""
        return self.days[day_number] in self._covered[source]

    def total(self, sums: Lines, sources: Sequence[str], count: str, seconds: float, agency: str = "") -> float:
        """A count of some sources up to a time of day. Today's last ten minutes are under way: all of them count."""
        if sums is self.sums and seconds > self.seconds // MARK * MARK:
            seconds = self.seconds // MARK * MARK + MARK
        return sum(at_minute(sums[source, agency][count], seconds) for source in sources if (source, agency) in sums)

    def so_far(self, count: str, agency: str = "") -> Callable[[tuple[str, ...]], float]:
        """A function from sources to the whole of today's count."""
        return lambda sources: self.total(self.sums, sources, count, END, agency)

    def band(self, value: Callable[[Lines, tuple[str, ...]], float | None]) -> Callable[[tuple[str, ...]], Band | None]:
        """A function from sources to the band of a value over the comparable days that all of them cover."""

        def made(sources: tuple[str, ...]) -> Band | None:
            found = [
                value(sums, sources) for number, sums in enumerate(self.past)
                if all(self.covers(source, number) for source in sources)
            ]
            return band_of([one for one in found if one is not None], self.context.regency.thresholds.comparable_days_needed)

        return made

    def tile(self, metric: str) -> Tile:
        """A plain count of today against its typical band."""
        one = figure(
            self.context, metric, self.known, self.so_far(metric),
            self.band(lambda sums, sources: self.total(sums, sources, metric, self.by)),
        )
        return Tile(self.now, one, self.changes_at, one.limits)


def day_of(context: Context, kinds: tuple[str, ...] = (KIND,), *, by_agency: bool = False) -> Day:
    """The day as it stands at this instant, read once for all that ask in the same refresh."""
    version = versions_of(context)
    return kept(
        context, ("today", kinds, by_agency), (version, epoch(context.now)),
        lambda: Day(context, version, kinds, by_agency=by_agency),
    )


@question(reads={"cases", "history", "state"})
def received_today(context: Context) -> Tile:
    """How many requests were received today?"""
    return day_of(context).tile("received")


@question(reads={"cases", "history", "state"})
def completed_today(context: Context) -> Tile:
    """How many requests were completed today?"""
    return day_of(context).tile("completed")


@question(reads={"cases", "history", "state"})
def on_time_today(context: Context) -> Tile:
    """Which share (percent) of those completed today was on time?"""
    day = day_of(context)

    def rate(sums: Lines, sources: tuple[str, ...], seconds: float) -> float | None:
        judged = day.total(sums, sources, "completed_judged", seconds)
        return 100 * day.total(sums, sources, "completed_on_time", seconds) / judged if judged else None

    one = figure(
        context, "on_time_rate", day.known, lambda sources: rate(day.sums, sources, END),
        day.band(lambda sums, sources: rate(sums, sources, day.by)),
    )
    over = day.known.counted or day.known.everyone
    one = too_few(one, int(day.so_far("completed_judged")(over)), context.regency.thresholds.least_cases)
    return Tile(day.now, one, day.changes_at, one.limits)


@question(reads={"cases", "history", "state", "gauges"})
def overdue_now(context: Context) -> Tile:
    """How many open requests are past their due time?"""
    day = day_of(context)
    parts = open_by_part(context, day.version)
    zone, needed = context.regency.zone, context.regency.thresholds.comparable_days_needed
    past = gauges_at(context, "overdue", [day_start(one, zone) + day.by for one in day.days], day.version)

    def band(sources: tuple[str, ...]) -> Band | None:
        values = [
            between(*marks, sources) for number, marks in enumerate(past)
            if all(day.covers(source, number) for source in sources)
        ]
        return band_of([value for value in values if value is not None], needed)

    def value(sources: tuple[str, ...]) -> float:
        return float(sum(one.overdue for (source, _, kind), one in parts.items() if kind == KIND and source in sources))

    one = figure(context, "overdue", day.known, value, band)
    if one.band is not None and one.value is not None and one.value > one.band.high:
        one = replace(one, level=Level.WARNING)
    return Tile(day.now, one, soonest(day.changes_at, next_due(parts, day.kinds)), one.limits)
