"""Working time: when an agency is open, when a promise falls due, how long a case was worked on.

Sources: Perpres 21/2023 (37.5 hours a week without breaks, 32.5 in Ramadan) for the office hours that ``config/calendars.toml``
declares; the ``holidays`` package (country ID) for national holidays and cuti bersama. UTC epoch seconds in and out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import holidays as holiday_package

from config.declarations import CalendarRules, Standard, StandardUnit
from dashboard.clock import DAY, day_start, local_day

if TYPE_CHECKING:
    from config.declarations import Regency

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_WORKING_DAY_SECONDS = 27_000  # 7.5 hours: 37.5 a week
OFFICE = CalendarRules.model_validate({
    "hours": {
        **{day: [["07:30", "12:00"], ["13:00", "16:00"]] for day in WEEKDAYS[:4]},
        "fri": [["07:30", "11:30"], ["13:00", "16:30"]],
    },
    "ramadan_hours": {
        **{day: [["08:00", "12:00"], ["12:30", "15:00"]] for day in WEEKDAYS[:4]},
        "fri": [["08:00", "11:30"], ["12:30", "15:30"]],
    },
})
"""The office calendar when none is declared (Perpres 21/2023: 37.5 h a week, 32.5 h in Ramadan, without breaks)."""

_UNIT_SECONDS = {
    StandardUnit.MINUTES: 60, StandardUnit.HOURS: 3600, StandardUnit.DAYS: DAY,
    StandardUnit.WORKING_MINUTES: 60, StandardUnit.WORKING_HOURS: 3600,
}
LONGEST_SEARCH_DAYS, LONGEST_SEARCH_YEARS = 400, 20


@lru_cache(maxsize=32)
def national_days(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """(national holidays, cuti bersama) of a year, from the ``holidays`` package; far years are its estimates."""
    public = holiday_package.country_holidays("ID", years=year, categories=("public",))
    both = holiday_package.country_holidays("ID", years=year, categories=("public", "government"))
    return frozenset(public), frozenset(both) - frozenset(public)


@lru_cache(maxsize=32)
def ramadan(year: int) -> tuple[tuple[date, date], ...]:
    """First and last day of each Ramadan that ends in a year: the 30 days before Idul Fitri as the package has it.

    An estimate: a month of fasting has 29 or 30 days, and far Idul Fitri are the package's estimates. A calendar's own
    ``ramadan`` stands in its place.
    """
    named = holiday_package.country_holidays("ID", years=year, categories=("public",), language="en_US")
    feasts = sorted(day for day, name in named.items() if "Eid al-Fitr" in name)
    firsts = [day for day in feasts if day - timedelta(days=1) not in feasts]
    return tuple((day - timedelta(days=30), day - timedelta(days=1)) for day in firsts)


class _Line(NamedTuple):
    """The open spans of some whole years: ``before`` are the working seconds before each of them, ``total`` of all."""

    begins: int
    ends: int
    years: tuple[int, int]
    opens: list[int]
    closes: list[int]
    before: list[int]
    total: int

    def worked_until(self, at: int) -> int:
        """Working seconds from the beginning of the line to an instant on it."""
        place = bisect_right(self.opens, at) - 1
        if place < 0:
            return 0
        closes = self.closes[place]
        return self.before[place] + (closes if closes < at else at) - self.opens[place]


class Calendar:
    """One calendar in one zone. ``spans`` are the open parts of a local day; sums are one search in a line of spans."""

    def __init__(self, rules: CalendarRules, zone: ZoneInfo) -> None:
        self.rules, self.zone = rules, zone
        self._spans: dict[date, tuple[tuple[int, int], ...]] = {}
        self._line: _Line | None = None
        self._never_closes = rules.always and not rules.closed_days
        self._due: dict[tuple[date, int], int] = {}
        lengths = [sum(_seconds(closes) - _seconds(opens) for opens, closes in spans) for spans in rules.hours.values()]
        worked = [length for length in lengths if length]
        self.working_day_seconds = DAY if rules.always else (
            round(sum(worked) / len(worked)) if worked else DEFAULT_WORKING_DAY_SECONDS
        )

    def spans(self, day: date) -> tuple[tuple[int, int], ...]:
        """Open spans of a local day, half-open, in order; empty on a closed day."""
        found = self._spans.get(day)
        if found is None:
            found = self._spans[day] = self._make_spans(day)
        return found

    def _make_spans(self, day: date) -> tuple[tuple[int, int], ...]:
        rules, midnight = self.rules, day_start(day, self.zone)
        if day in rules.closed_days:
            return ()
        if rules.always:
            return ((midnight, day_start(day + timedelta(days=1), self.zone)),)
        weekday = WEEKDAYS[day.weekday()]
        hours = rules.hours.get(weekday, ())  # type: ignore[call-overload]
        in_ramadan = bool(rules.ramadan_hours) and self._in_ramadan(day)
        if in_ramadan:
            hours = rules.ramadan_hours.get(weekday, hours)  # type: ignore[call-overload]
        if day not in rules.open_days and rules.holidays:
            public, shared = national_days(day.year)
            if day in public or (day in shared and not rules.open_on_cuti_bersama):
                return ()
        if day in rules.open_days and not hours:
            hours = (rules.ramadan_hours if in_ramadan else rules.hours).get("mon", ())
        return tuple((self._at(day, opens), self._at(day, closes)) for opens, closes in hours)

    def _in_ramadan(self, day: date) -> bool:
        """By the declared months where they end in the same year as the estimate, else by the estimate."""
        declared = {last.year for _, last in self.rules.ramadan}
        months = [*self.rules.ramadan, *(
            month for year in (day.year, day.year + 1) if year not in declared for month in ramadan(year)
        )]
        return any(first <= day <= last for first, last in months)

    def _at(self, day: date, clock: str) -> int:
        hour, minute = (int(part) for part in clock.split(":"))
        if hour == 24:
            return day_start(day + timedelta(days=1), self.zone)
        return int(datetime.combine(day, time(hour, minute), self.zone).timestamp())

    def is_working_day(self, day: date) -> bool:
        """Whether it opens at all on that local day."""
        return bool(self.spans(day))

    def is_open(self, at: int) -> bool:
        """Whether it is open at an instant."""
        return any(opens <= at < closes for opens, closes in self.spans(local_day(at, self.zone)))

    def next_change(self, at: int) -> int:
        """The next instant after ``at`` at which it opens or closes (at most 400 days on).

        Midnight is no change for a service that is open on both sides of it.
        """
        day = local_day(at, self.zone)
        if self.rules.always and not any(closed >= day for closed in self.rules.closed_days):
            return at + LONGEST_SEARCH_DAYS * DAY
        for _ in range(LONGEST_SEARCH_DAYS):
            for edge in (edge for span in self.spans(day) for edge in span):
                if edge > at and self.is_open(edge) != self.is_open(edge - 1):
                    return edge
            day += timedelta(days=1)
        return at + LONGEST_SEARCH_DAYS * DAY

    def _line_over(self, start: int, end: int) -> _Line:
        """All spans of whole years, laid end to end, that cover two instants; built once and longer only when need be.

        The line is replaced in one assignment, so that threads may share a calendar.
        """
        line = self._line
        if line is not None and line.begins <= start and end < line.ends:
            return line
        first, last = local_day(start, self.zone).year, local_day(end, self.zone).year + 1
        if line is not None:
            first, last = min(first, line.years[0]), max(last, line.years[1])
        opens, closes, before, total = [], [], [], 0
        day, stop = date(first, 1, 1), date(last + 1, 1, 1)
        while day < stop:
            for begin, finish in self.spans(day):
                opens.append(begin)
                closes.append(finish)
                before.append(total)
                total += finish - begin
            day += timedelta(days=1)
        begins, ends = day_start(date(first, 1, 1), self.zone), day_start(stop, self.zone)
        self._line = line = _Line(begins, ends, (first, last), opens, closes, before, total)
        return line

    def worked_seconds(self, start: int, end: int) -> int:
        """Working seconds between two instants; 0 when ``end`` is not after ``start``."""
        if end <= start:
            return 0
        if self._never_closes:
            return end - start
        line = self._line_over(start, end)
        return line.worked_until(end) - line.worked_until(start)

    def add_worked(self, at: int, seconds: int) -> int:
        """The instant at which ``seconds`` of working time have passed since ``at``."""
        if seconds <= 0 or self._never_closes:
            return at + max(0, seconds)
        line = self._line_over(at, at)
        target = line.worked_until(at) + seconds
        for years in range(1, LONGEST_SEARCH_YEARS):
            if target <= line.total:
                place = bisect_left(line.before, target) - 1
                return line.opens[place] + target - line.before[place]
            line = self._line_over(at, at + years * LONGEST_SEARCH_DAYS * DAY)
            target = line.worked_until(at) + seconds  # a longer line may begin earlier
        return at + seconds + LONGEST_SEARCH_DAYS * DAY  # a calendar that hardly ever opens

    def due_at(self, submitted: int, standard: Standard) -> int:
        """The instant until which a case is on time.

        Working days: closing time of the n-th working day after day 0, the day of submission (after closing time or on a
        closed day: the next open day). Working minutes and hours run on the calendar; the others are plain elapsed time.
        Source: the agency's standard (SK Standar Pelayanan) and its calendar.
        """
        return self.promise(standard)(submitted)

    def promise(self, standard: Standard) -> Callable[[int], int]:
        """:meth:`due_at` of one standard as a function of the submission, for who asks it of many cases."""
        unit, amount = standard.unit, standard.amount
        if unit is StandardUnit.WORKING_DAYS:
            return partial(self._due_in_working_days, days=int(amount))
        seconds = int(amount * _UNIT_SECONDS[unit])
        if unit in (StandardUnit.WORKING_MINUTES, StandardUnit.WORKING_HOURS):
            return partial(self.add_worked, seconds=seconds)
        return seconds.__add__

    def promise_on(self, day: date, standard: Standard) -> Callable[[int], int]:
        """:meth:`promise` for submissions of one local day."""
        if standard.unit is not StandardUnit.WORKING_DAYS:
            return self.promise(standard)
        spans, days = self.spans(day), int(standard.amount)
        before = self._due_after(day, days)
        if not spans:
            return lambda submitted: before
        closes, after = spans[-1][1], self._due_after(day + timedelta(days=1), days)
        return lambda submitted: before if submitted < closes else after

    def _due_in_working_days(self, submitted: int, days: int) -> int:
        day = local_day(submitted, self.zone)
        spans = self.spans(day)
        if spans and submitted >= spans[-1][1]:
            day += timedelta(days=1)
        return self._due_after(day, days)

    def _due_after(self, day: date, days: int) -> int:
        key = (day, days)
        found = self._due.get(key)
        if found is None:
            found = self._due[key] = self._closing_after(day, days)
        return found

    def _closing_after(self, day: date, days: int) -> int:
        passed = -1
        for number in range(LONGEST_SEARCH_DAYS * 3):
            spans = self.spans(day + timedelta(days=number))
            passed += bool(spans)
            if passed == days:
                return spans[-1][1]
        return day_start(day, self.zone) + days * DAY  # a calendar that never opens


def _seconds(clock: str) -> int:
    hour, minute = (int(part) for part in clock.split(":"))
    return hour * 3600 + minute * 60


@lru_cache(maxsize=8)
def _calendars(rules: tuple[tuple[str, str], ...], timezone: str) -> dict[str, Calendar]:
    zone = ZoneInfo(timezone)
    return {name: Calendar(CalendarRules.model_validate_json(text), zone) for name, text in rules}


def calendars(regency: Regency) -> dict[str, Calendar]:
    """Every declared calendar by its name, and "office", "always" when they are not declared. Shared and cached."""
    declared = {"office": OFFICE, "always": CalendarRules(always=True, holidays=False), **regency.calendars}
    return _calendars(tuple((name, rules.model_dump_json()) for name, rules in sorted(declared.items())), regency.timezone)


_OF: dict[tuple[int, str, str], tuple[Regency, Calendar]] = {}


def calendar_of(regency: Regency, agency: str, service: str = "") -> Calendar:
    """The calendar of a service: its own, else its agency's, else office."""
    key = (id(regency), agency, service)
    found = _OF.get(key)
    if found is not None and found[0] is regency:
        return found[1]
    declared = regency.agencies.get(agency)
    name = declared.calendar if declared else "office"
    if declared and service in declared.services:
        name = declared.services[service].calendar or name
    everything = calendars(regency)
    calendar = everything.get(name, everything["office"])
    if len(_OF) > 50_000:
        _OF.clear()
    _OF[key] = (regency, calendar)
    return calendar


