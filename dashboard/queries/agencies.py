"""Every agency in one row: received today, its time against its standard, on time, complaints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import case as sql_case
from sqlalchemy import func, select

from dashboard.clock import DAY, day_start, epoch
from dashboard.queries.answers import (
    Agencies,
    AgencyRow,
    Context,
    Figure,
    Level,
    Limits,
    SourceAge,
    State,
    question,
)
from dashboard.queries.freshness import OUT, soonest
from dashboard.queries.thirty_days import AgencyTimes, Judged, judged_by_agency, times_by_agency
from dashboard.queries.today import Day
from dashboard.queries.totals import figure, known_of, too_few
from dashboard.queries.volumes import Cumulated, at_minute
from dashboard.store.tables import GRAINS, case, cell, dimension

ALL_KINDS = ("request", "complaint", "visit")
RANK = {State.OFFLINE: 0, State.STALE: 1, State.LOADING: 2, State.LATE: 3, State.NORMAL: 4, State.NONE: 5}
FIRST_HOUR = 7
HOURS = 10


@dataclass(frozen=True)
class Complaints:
    """Open complaints of one agency: how many, how many past their clock."""

    open: int
    late: int


class Board:
    """What the rows share: read once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.day = Day(context, ALL_KINDS)
        self.ages = {age.source: age for age in self.day.ages}
        with context.engine.connect() as connection:
            feeds = connection.execute(select(dimension.c.source, dimension.c.agency).distinct()).all()
            self.hours = self._hours(connection)
            self.complaints, self.next_due = self._complaints(connection)
        self.sources: dict[str, set[str]] = {}
        for source, agency in feeds:
            if source in self.ages:
                self.sources.setdefault(agency, set()).add(source)
        for key, source in context.regency.sources.items():
            if source.feeds == "cases" and "agency" not in source.fields:
                self.sources.setdefault(source.owner, set()).add(key)
        self.times = times_by_agency(context, self.day.version)
        self.judged = judged_by_agency(context, self.day.version)

    def _hours(self, connection: Any) -> dict[str, dict[int, int]]:
        start = day_start(self.day.today, self.context.regency.zone)
        rows = connection.execute(
            select(dimension.c.agency, cell.c.period, func.sum(cell.c.received))
            .join(dimension, dimension.c.id == cell.c.dim)
            .where(cell.c.grain == GRAINS["hour"], cell.c.period >= start, cell.c.period < start + DAY, cell.c.received != 0)
            .group_by(dimension.c.agency, cell.c.period)
        )
        found: dict[str, dict[int, int]] = {}
        for agency, period, count in rows:
            found.setdefault(agency, {})[(period - start) // 3600] = int(count)
        return found

    def _complaints(self, connection: Any) -> tuple[dict[str, Complaints], int | None]:
        now = epoch(self.context.now)
        late = func.sum(sql_case((case.c.due_at < now, 1), else_=0))
        following = func.min(sql_case((case.c.due_at >= now, case.c.due_at), else_=None))
        rows = connection.execute(
            select(dimension.c.agency, func.count(), late, following).join(dimension, dimension.c.id == case.c.dim)
            .where(case.c.ended_as.is_(None), case.c.deleted_at.is_(None), dimension.c.kind == "complaint")
            .group_by(dimension.c.agency)
        ).all()
        return {row[0]: Complaints(int(row[1]), int(row[2])) for row in rows}, soonest(*(row[3] for row in rows))

    def worst(self, agency: str) -> SourceAge:
        """The age that speaks for an agency: its worst source."""
        found = [self.ages[key] for key in self.sources.get(agency, ()) if key in self.ages]
        return min(found, key=lambda age: (RANK.get(age.state, 9), age.data_until or 0))

    def row(self, agency: str) -> AgencyRow:
        """One agency's row."""
        regency, day = self.context.regency, self.day
        declared = regency.agencies.get(agency)
        known = known_of([self.ages[key] for key in sorted(self.sources[agency])], None)

        def received(sums: Cumulated, sources: tuple[str, ...], seconds: float) -> float:
            return sum(
                at_minute(part["received"], seconds) for (source, who, _), part in sums.items()
                if source in sources and who == agency
            )

        one = figure(
            self.context, "received", known, lambda sources: received(day.sums, sources, 2 * DAY),
            day.band(lambda sums, sources: received(sums, sources, day.seconds)),
        )
        complaints = self.complaints.get(agency, Complaints(0, 0))
        times = self.times.get(agency, AgencyTimes())
        return AgencyRow(
            agency=agency, short_name=declared.short_name if declared else agency, subtitle=times.service or "",
            age=self.worst(agency), received=one, hours=self._bars(agency, one), first_hour=FIRST_HOUR,
            time_value=times.median, time_p90=times.p90, time_unit=times.unit, time_service=times.service or "",
            standard_amount=times.amount, time_share=times.share, p90_share=times.p90_share, time_level=_level(times),
            on_time=self._on_time(agency, known_state=one), complaints_open=complaints.open, complaints_late=complaints.late,
            complaints_level=Level.ATTENTION if complaints.late else Level.NORMAL, declared=declared is not None,
        )

    def _bars(self, agency: str, one: Figure) -> tuple[int | None, ...]:
        """Received per hour; hours to come, and hours after what a stale source told, are not there."""
        zone_start = day_start(self.day.today, self.context.regency.zone)
        until = one.data_until if one.state in OUT and one.data_until else self.day.now
        counts = self.hours.get(agency, {})
        return tuple(
            counts.get(hour, 0) if zone_start + hour * 3600 <= until else None for hour in range(FIRST_HOUR, FIRST_HOUR + HOURS)
        )

    def _on_time(self, agency: str, known_state: Figure) -> Figure:
        judged = self.judged.get(agency, Judged(0, 0))
        value = 100 * judged.on_time / judged.judged if judged.judged else None
        one = Figure("on_time_rate", value, State.NORMAL if judged.judged else State.NOT_APPLICABLE, worst=known_state.worst)
        if not judged.judged:
            return one
        one = too_few(one, judged.judged, self.context.regency.thresholds.least_cases)
        return replace(one, state=known_state.state) if known_state.state in OUT and one.value is not None else one


def _level(times: AgencyTimes) -> Level:
    """Warning when the median is past the standard, attention when the 90th percentile is."""
    if times.share is None or not times.enough:
        return Level.NORMAL
    if times.share > 1:
        return Level.WARNING
    return Level.ATTENTION if times.p90_share is not None and times.p90_share > 1 else Level.NORMAL


@question(reads={"cases", "history", "state"})
def agency_rows(context: Context) -> Agencies:
    """How does each agency do: volume today, time against its standard, on time, complaints?"""
    board = Board(context)
    order = [*context.regency.agencies, *sorted(set(board.sources) - set(context.regency.agencies))]
    connected = [
        agency for agency in order if agency in board.sources and board.worst(agency).state is not State.NONE
    ]
    rows = tuple(board.row(agency) for agency in connected)
    absent = tuple(
        context.regency.agencies[agency].short_name for agency, declared in context.regency.agencies.items()
        if agency not in connected and declared.serves
    )
    return Agencies(
        as_of=board.day.now, rows=rows, not_connected=absent,
        changes_at=soonest(board.day.changes_at, board.next_due), limits=Limits(),
    )
