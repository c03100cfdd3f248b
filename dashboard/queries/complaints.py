"""The clocks of open complaints: at which stage is each, how much of its limit is used, who is late?

Limits (SP4N-LAPOR; Permen PANRB 62/2018): 3 working days until a report is verified and forwarded, 5 working days from then
until the first statement of follow-up, and to the end what its class promises (14, 60 working days …), declared per service.
Until the class is known only the 3-day clock runs. The first two count the office calendar, as their metrics do; the last one
ends at the case's own due time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select

from config.declarations import Regency, Standard
from dashboard.clock import epoch
from dashboard.queries.answers import Context, Figure, Level, Limits, SourceAge, question
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.queries.totals import Known, figure, known_of
from dashboard.queries.volumes import MARK, feeding, kept, next_mark
from dashboard.store.tables import case, changed, dimension
from dashboard.worktime import Calendar, calendar_of, calendars

KIND = "complaint"
VERIFY_DAYS, ANSWER_DAYS = 3, 5
SOON_SHARE = 0.8
ANSWERS_EVERY_SECONDS = 5.0
VERIFY, ANSWER, OTHER = "verify", "answer", "other"
ROW_OF_CLASS = {
    "information": "information", "aspiration": "information", "not-supervised": "ordinary", "supervised": "supervised",
}
"""Class of a service → the row of its last clock; any other class has the row ``other``."""
LAST_ROWS = ("information", "ordinary", "supervised", OTHER)


class Mark(NamedTuple):
    """One open complaint: the share of its limit that is used, in working time, and its state: running, soon or past."""

    share: float
    state: str


@dataclass(frozen=True)
class Clock:
    """One row: the stage, its limit in working days (from … to, where services differ), and its complaints by age.

    ``soon``: 80 % of the limit or more is used; ``past``: it is over. Neither is in the other.
    """

    row: str
    days: tuple[int, int]
    marks: tuple[Mark, ...] = ()
    soon: int = 0
    past: int = 0


@dataclass(frozen=True)
class Late:
    """Who has to act on complaints past their limit: how many, and by how many working days the oldest is."""

    agency: str
    short_name: str
    count: int
    oldest_days: float


@dataclass(frozen=True)
class Complaints:
    """All clocks, in the order of the stages. Each open complaint stands once: at its stage, or, where its last limit is
    over, there. ``figure``: open ones, with all that keeps it honest. ``unclocked``: open ones for which no clock runs.
    """

    as_of: int
    figure: Figure
    clocks: tuple[Clock, ...]
    late: tuple[Late, ...]
    unclocked: int
    sources: tuple[SourceAge, ...]
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


class Run(NamedTuple):
    """One clock of a complaint: its row, who must act, from when, until when, when 80 % are used, on which calendar."""

    row: str
    agency: str
    start: int
    due: int
    soon_at: int
    seconds: int
    calendar: Calendar


class Standing(NamedTuple):
    """An open complaint: its source, the clock of its stage and its last one (the same once it was answered)."""

    source: str
    stage: Run | None
    last: Run | None


def limit_of(days: int) -> Standard:
    """A limit in working days as a standard."""
    return Standard.model_validate({"from": date(2000, 1, 1), "promise": f"{days} working days", "basis": "SP4N-LAPOR"})


VERIFICATION, FIRST_ANSWER = limit_of(VERIFY_DAYS), limit_of(ANSWER_DAYS)


def rows_of(regency: Regency) -> dict[str, tuple[int, int]]:
    """The rows that this regency has, in order, with the least and the most working days that are promised there; the row of
    other classes is shown only while a complaint stands there."""
    found: defaultdict[str, list[int]] = defaultdict(list, {OTHER: []})
    for agency in regency.agencies.values():
        for service in agency.services.values():
            if service.kind == KIND:
                row = ROW_OF_CLASS.get(service.class_ or "", OTHER)
                found[row] += [int(one.amount) for one in service.standards if one.unit.value == "working days"] or [0]
    rows = {VERIFY: (VERIFY_DAYS, VERIFY_DAYS), ANSWER: (ANSWER_DAYS, ANSWER_DAYS)}
    return rows | {row: (min(found[row], default=0), max(found[row], default=0)) for row in LAST_ROWS if row in found}


class Open(NamedTuple):
    """Every open complaint with its clocks, and all instants at which one of these turns, in order."""

    version: int
    standing: tuple[Standing, ...]
    turns: tuple[int, ...]


def open_complaints(context: Context, sources: Sequence[str]) -> Open:
    """From the index of open cases; read again only when one of these sources changed: at 5 million cases that takes 50 ms."""
    with context.engine.connect() as connection:
        version = connection.execute(
            select(changed.c.seq).where(changed.c.source.in_([*sources, ""]), changed.c.what.contains("cases"))
            .order_by(changed.c.seq.desc()).limit(1)
        ).scalar() or 0

    def read() -> Open:
        standing = tuple(_read(context))
        runs = {run for one in standing for run in (one.stage, one.last) if run is not None}
        return Open(version, standing, tuple(sorted({at for run in runs for at in (run.soon_at, run.due + 1)})))

    return kept(context, ("open complaints", tuple(sources)), version, read)


def _read(context: Context) -> Iterable[Standing]:
    regency, office = context.regency, calendars(context.regency)["office"]
    verify, answer = office.promise(VERIFICATION), office.promise(FIRST_ANSWER)
    statement = select(
        case.c.dim, case.c.due_at, case.c.submitted_at, case.c.accepted_at, case.c.first_response_at
    ).where(
        case.c.ended_as.is_(None), case.c.deleted_at.is_(None),
        case.c.dim.in_(select(dimension.c.id).where(dimension.c.kind == KIND)),
    )
    with context.engine.connect() as connection:
        names = _names(context)
        rows = connection.execute(statement).all()
    for dim, due, submitted, accepted, answered in rows:
        source, agency, service = names[dim]
        declared = regency.sources.get(source)
        if declared is None:
            continue
        verified = "accepted_at" in declared.fields
        last = None
        if due is not None:
            own = regency.agencies.get(agency)
            class_ = own.services[service].class_ if own and service in own.services else None
            calendar = calendar_of(regency, agency, service)
            last = _run(ROW_OF_CLASS.get(class_ or "", OTHER), agency, submitted, due, calendar)
        stage = last
        if verified and accepted is None:
            stage = _run(VERIFY, declared.owner, submitted, verify(submitted), office)
        elif "first_response_at" in declared.fields and answered is None:
            start = accepted if verified and accepted is not None else submitted
            stage = _run(ANSWER, agency, start, answer(start), office)
        yield Standing(source, stage, last)


def _run(row: str, agency: str, start: int, due: int, calendar: Calendar) -> Run:
    seconds = calendar.worked_seconds(start, due)
    return Run(row, agency, start, due, calendar.add_worked(start, int(seconds * SOON_SHARE)), seconds, calendar)


def _names(context: Context) -> dict[int, tuple[str, str, str]]:
    """Dimension → source, agency, service of complaints. Read again only when a dimension appeared."""
    with context.engine.connect() as connection:
        newest = connection.execute(select(func.max(dimension.c.id))).scalar()
        statement = select(dimension.c.id, dimension.c.source, dimension.c.agency, dimension.c.service).where(
            dimension.c.kind == KIND
        )
        return kept(context, "names of complaints", newest, lambda: {
            row[0]: (row[1], row[2], row[3]) for row in connection.execute(statement)
        })


def running(one: Standing, at: int) -> Run | None:
    """The clock at which a complaint stands at an instant: its stage's, unless its last limit is over."""
    return one.last if one.last is not None and one.last.due < at else one.stage


def mark_of(run: Run, at: int) -> Mark:
    """How much of a clock is used at an instant."""
    share = run.calendar.worked_seconds(run.start, at) / run.seconds if run.seconds else 1.0
    return Mark(share, "past" if run.due < at else "soon" if at >= run.soon_at else "running")


def complaint_sources(context: Context) -> list[SourceAge]:
    """The ages of all sources that tell of complaints, in declared order."""
    known = ages(context)
    feeds = {part[0] for part in feeding(context) if part[2] == KIND}
    return [
        known[key] for key, source in context.regency.sources.items()
        if source.feeds == "cases" and (source.kind == KIND or key in feeds)
    ]


def _known(found: Sequence[SourceAge], standing: Sequence[Standing]) -> tuple[Known, Mapping[str, int]]:
    """Who counts; the missing share is that of the open complaints."""
    counts = dict.fromkeys((age.source for age in found), 0)
    for one in standing:
        counts[one.source] = counts.get(one.source, 0) + 1
    return known_of(found, {source: float(count) for source, count in counts.items()}), counts


@question(reads={"cases", "state"}, at_most_every=ANSWERS_EVERY_SECONDS)
def complaint_clocks(context: Context) -> Complaints:
    """At which stage is every open complaint, how much of its limit is used, and who is late?"""
    now = epoch(context.now)
    found = complaint_sources(context)
    opened = open_complaints(context, [age.source for age in found])
    known, counts = _known(found, opened.standing)
    one = figure(
        context, "backlog", known, lambda sources: float(sum(counts[source] for source in sources)), lambda sources: None
    )
    over = known.everyone if one.state in OUT else known.counted
    # What a stale source told stands as it stood when it last spoke: nobody knows what was answered since.
    frozen = {age.source: min(now, age.data_until or now) for age in found if age.source in over and age.state in OUT}
    passed = bisect_right(opened.turns, now)
    clocks, late, unclocked = kept(
        context, "clock rows", (opened.version, passed, now // MARK, over, tuple(sorted(frozen.items()))),
        lambda: _rows(context.regency, opened.standing, {source: frozen.get(source, now) for source in over}),
    )
    past = sum(clock.past for clock in clocks)
    return Complaints(
        as_of=now, figure=replace(one, level=Level.ATTENTION if past else Level.NORMAL), clocks=clocks, late=late,
        unclocked=unclocked, sources=tuple(found),
        changes_at=soonest(_moves_at(context, now), *opened.turns[passed : passed + 1], *(age.changes_at for age in found)),
        limits=one.limits,
    )


def _rows(
    regency: Regency, standing: Sequence[Standing], instants: Mapping[str, int]
) -> tuple[tuple[Clock, ...], tuple[Late, ...], int]:
    """Clocks, who is late, and how many have no clock, of the complaints of some sources, each at its source's instant."""
    runs = [(running(each, instants[each.source]), instants[each.source]) for each in standing if each.source in instants]
    clocks, late = _sorted(regency, [(run, at) for run, at in runs if run is not None])
    return clocks, late, sum(run is None for run, _ in runs)


def _sorted(regency: Regency, runs: Sequence[tuple[Run, int]]) -> tuple[tuple[Clock, ...], tuple[Late, ...]]:
    """The rows, and who is late: the most complaints first."""
    marks: defaultdict[str, list[Mark]] = defaultdict(list)
    late: defaultdict[str, list[float]] = defaultdict(list)
    for run, at in runs:
        mark = mark_of(run, at)
        marks[run.row].append(mark)
        if mark.state == "past":
            late[run.agency].append(run.calendar.worked_seconds(run.due, at) / run.calendar.working_day_seconds)
    rows = {row: days for row, days in rows_of(regency).items() if row != OTHER or row in marks}
    clocks = tuple(
        Clock(
            row, days, tuple(sorted(marks[row])), sum(mark.state == "soon" for mark in marks[row]),
            sum(mark.state == "past" for mark in marks[row]),
        ) for row, days in rows.items()
    )
    behind = [
        Late(agency, regency.agencies[agency].short_name if agency in regency.agencies else agency, len(days), max(days))
        for agency, days in late.items()
    ]
    return clocks, tuple(sorted(behind, key=lambda one: (-one.count, -one.oldest_days, one.agency)))


def _moves_at(context: Context, now: int) -> int:
    """When all marks have moved on: ten minutes while the offices are open, else their next opening."""
    office = calendars(context.regency)["office"]
    return next_mark(now) if office.is_open(now) else office.next_change(now)
