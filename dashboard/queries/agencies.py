"""Every agency in one row: received today, its time against its standard, on time, complaints."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboard.clock import HOUR
from dashboard.queries.answers import (
    Agencies,
    AgencyRow,
    Context,
    Figure,
    Level,
    SourceAge,
    State,
    question,
)
from dashboard.queries.freshness import OUT, soonest
from dashboard.queries.open_cases import next_due, open_by_part
from dashboard.queries.thirty_days import AgencyTimes, Judged, thirty_days, thirty_days_change_at
from dashboard.queries.today import day_of
from dashboard.queries.totals import figure, known_of, too_few

ALL_KINDS = ("request", "complaint", "visit")
RANK = {State.OFFLINE: 0, State.STALE: 1, State.LOADING: 2, State.LATE: 3, State.NORMAL: 4, State.NONE: 5}
FIRST_HOUR = 7
HOURS = 10


@dataclass(frozen=True)
class Complaints:
    """Open complaints of one agency: how many, how many past their clock. ``None`` while no source tells of complaints."""

    open: int | None = None
    late: int | None = None


class Board:
    """What the rows share: read once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.day = day_of(context, ALL_KINDS, by_agency=True)
        self.ages = {age.source: age for age in self.day.ages}
        self.hours = self._hours()
        self.open = open_by_part(context, self.day.version)
        self.sources: dict[str, set[str]] = {}
        for feeder, agency, _ in self.day.parts:
            if feeder in self.ages:
                self.sources.setdefault(agency, set()).add(feeder)
        for key, source in context.regency.sources.items():
            if source.feeds == "cases":  # whose system it is feeds data, even where all cases are others'
                self.sources.setdefault(source.owner, set()).add(key)
        month = thirty_days(context, self.day.version)
        self.times, self.judged = month.times, month.judged

    def _hours(self) -> dict[str, list[int]]:
        """Received per hour of today by agency, from today's running sums."""
        found: dict[str, list[int]] = {}
        for (_, agency), lines in self.day.sums.items():
            line = lines["received"]
            counts = found.setdefault(agency, [0] * 24)
            for hour in range(24):
                counts[hour] += line[min(6 * hour + 6, len(line) - 1)] - line[min(6 * hour, len(line) - 1)]
        return found

    def complaints_of(self, agency: str) -> Complaints:
        """An agency's open complaints: zero only where a loaded source of complaints speaks for it, or for all agencies."""
        found = [one for (_, who, kind), one in self.open.items() if who == agency and kind == "complaint"]
        if found:
            return Complaints(sum(one.count for one in found), sum(one.overdue for one in found))
        sources = self.context.regency.sources
        telling = [
            key for key, age in self.ages.items() if age.data_until is not None and sources[key].kind == "complaint"
            and ("agency" in sources[key].fields or sources[key].owner == agency)
        ]
        return Complaints(0, 0) if telling else Complaints()

    def worst(self, agency: str) -> SourceAge:
        """The age that speaks for an agency: its worst source."""
        found = [self.ages[key] for key in self.sources.get(agency, ()) if key in self.ages]
        return min(found, key=lambda age: (RANK.get(age.state, 9), age.data_until or 0))

    def row(self, agency: str) -> AgencyRow:
        """One agency's row."""
        regency, day = self.context.regency, self.day
        declared = regency.agencies.get(agency)
        known = known_of(
            [self.ages[key] for key in sorted(self.sources[agency])],
            {source: parts.get(agency, 0.0) for source, parts in day.typical.items()},
        )
        one = figure(
            self.context, "received", known, day.so_far("received", agency),
            day.band(lambda sums, sources: day.total(sums, sources, "received", day.by, agency)),
        )
        complaints = self.complaints_of(agency)
        times = self.times.get(agency, AgencyTimes())
        return AgencyRow(
            agency=agency, short_name=declared.short_name if declared else agency, subtitle=times.service or "",
            age=self.worst(agency), received=one, hours=self._bars(agency, one), first_hour=FIRST_HOUR,
            time_value=times.median, time_p90=times.p90, time_unit=times.unit, time_service=times.service or "",
            standard_amount=times.amount, time_share=times.share, p90_share=times.p90_share, time_level=_level(times),
            on_time=self._on_time(agency, known_state=one), complaints_open=complaints.open, complaints_late=complaints.late,
            complaints_level=Level.ATTENTION if complaints.late else Level.NORMAL, declared=declared is not None,
            time_enough=times.enough,
        )

    def _bars(self, agency: str, one: Figure) -> tuple[int | None, ...]:
        """Received per hour; hours to come, and hours after what a stale source told, are not there."""
        midnight = self.day.now - self.day.seconds
        until = one.data_until if one.state in OUT and one.data_until else self.day.now
        counts = self.hours.get(agency, [0] * 24)
        return tuple(
            counts[hour] if midnight + hour * HOUR <= until else None for hour in range(FIRST_HOUR, FIRST_HOUR + HOURS)
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
    declared_agencies = context.regency.agencies
    order = [key for key, one in declared_agencies.items() if not one.outside]
    order += sorted(set(board.sources) - set(declared_agencies))
    connected = [
        agency for agency in order if agency in board.sources and board.worst(agency).state is not State.NONE
    ]
    rows = tuple(board.row(agency) for agency in connected)
    absent = tuple(
        declared.short_name for agency, declared in declared_agencies.items()
        if agency not in connected and declared.serves and not declared.outside
    )
    return Agencies(
        as_of=board.day.now, rows=rows, not_connected=absent,
        changes_at=soonest(
            board.day.changes_at, next_due(board.open, ("complaint",)), thirty_days_change_at(context, board.day.version)
        ),
    )
