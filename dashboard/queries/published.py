"""Rows of published values as they are stored: the newest of a metric and scope, and until when a value of a period holds."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from config.declarations import Source
from dashboard.clock import day_start, epoch, local_day
from dashboard.derive import DISCOVER, Districts
from dashboard.metrics import metrics_of
from dashboard.queries.answers import Context
from dashboard.queries.freshness import ages
from dashboard.queries.periods import first_of, following
from dashboard.store.tables import reading

LATE_PERIODS, STALE_PERIODS = 1, 2
"""A value is late when, after the end of the next period, one more has passed without it; stale after two. Unless declared."""
MOST_READ = 400
SPANS = ("day", "week", "month", "quarter", "year")
"""Grains that have an end; an instant's or an hour's age is that of its source."""


class Row(NamedTuple):
    """One stored reading, as it is asked for."""

    source: str
    scope: str
    grain: str
    period: int
    value: float | None
    published_at: int | None


class Published:
    """What is asked: the context with the ages of sources, and the rules that the scene declares."""

    def __init__(self, context: Context, over: str, late_after: timedelta | None, stale_after: timedelta | None) -> None:
        self.context, self.over = context, over
        self.late_after, self.stale_after = late_after, stale_after
        self.now, self.zone = epoch(context.now), context.regency.zone
        self.ages = ages(context)
        self.metrics = metrics_of(context.regency)
        self.districts = Districts(context.regency)

    def sources(self, metric: str) -> list[Source]:
        """The sources that are declared for a metric."""
        return [one for one in self.context.regency.sources.values() if one.feeds == "readings" and may_tell(one, metric)]

    def rows(self, metric: str, scope: str) -> list[Row]:
        """The newest rows of a metric and scope, the newest first; none of a period that has not begun."""
        statement = (
            select(*(reading.c[name] for name in Row._fields))
            .where(reading.c.source.in_([one.id for one in self.sources(metric)]), reading.c.metric == metric,
                   reading.c.scope == scope, reading.c.period <= self.now)
            .order_by(reading.c.period.desc(), reading.c.published_at.desc()).limit(MOST_READ)
        )
        with self.context.engine.connect() as connection:
            return [Row(*row) for row in connection.execute(statement)]

    def newest_by_scope(self, metric: str) -> dict[str, list[Row]]:
        """The newest row of each scope of a metric; the whole (scope "") is not among them."""
        sources = [one.id for one in self.sources(metric)]
        same = (reading.c.source.in_(sources), reading.c.metric == metric, reading.c.scope != "", reading.c.period <= self.now)
        latest = func.max(reading.c.period).label("newest")
        newest = select(reading.c.scope, latest).where(*same).group_by(reading.c.scope).subquery()
        statement = select(*(reading.c[name] for name in Row._fields)).where(*same).join(
            newest, (newest.c.scope == reading.c.scope) & (newest.c.newest == reading.c.period)
        ).order_by(reading.c.scope)
        found: dict[str, list[Row]] = {}
        with self.context.engine.connect() as connection:
            for row in connection.execute(statement):
                found.setdefault(row.scope, []).append(Row(*row))
        return found

    def name(self, scope: str) -> str:
        """A scope by its declared name: a district, an agency; else as delivered."""
        regency = self.context.regency
        code = self.districts.find(scope) if scope else ""
        if code in regency.districts:
            return regency.districts[code].name
        return regency.agencies[scope].short_name if scope in regency.agencies else scope

    def end(self, period: int, grain: str, periods: int = 1) -> int:
        """When so many periods of a grain from this one's start have passed."""
        day = first_of(local_day(period, self.zone), grain)
        for _ in range(periods):
            day = following(day, grain)
        return day_start(day, self.zone)

    def due(self, row: Row) -> tuple[int | None, int | None, int | None]:
        """(when the next value is due, from when it is late, from when what is shown is stale)."""
        if row.grain not in SPANS:
            return None, None, None
        due = self.end(row.period, row.grain, 2)
        late, stale = (
            due + int(declared.total_seconds()) if declared else self.end(row.period, row.grain, 2 + periods)
            for declared, periods in ((self.late_after, LATE_PERIODS), (self.stale_after, STALE_PERIODS))
        )
        return due, late, max(late, stale)


def may_tell(source: Source, metric: str) -> bool:
    """Whether a source's declared metric field can become this metric."""
    told = source.fields.get("metric")
    if told is None:
        return False
    named = {told.value, told.otherwise, *(told.map or {}).values()}
    return metric in named or (told.value is None and (told.map is None or told.otherwise == DISCOVER))
