"""Working time: when an agency is open, when a promise falls due, how long a case was worked on.

Sources: Perpres 21/2023 (37.5 hours a week without breaks, 32.5 in Ramadan) for the office hours that ``config/calendars.toml``
declares; the ``holidays`` package (country ID) for national holidays and cuti bersama. UTC epoch seconds in and out.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
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

LONGEST_SEARCH_DAYS = 400


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


class Calendar:
    """One calendar in one zone. ``spans`` are the open parts of a local day; all sums are cached by day."""

    def __init__(self, rules: CalendarRules, zone: ZoneInfo) -> None:
        self.rules, self.zone = rules, zone
        self._spans: dict[date, tuple[tuple[int, int], ...]] = {}
        self._worked_before: dict[int, list[int]] = {}
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

    def _before(self, at: int) -> int:
        """Working seconds from the start of the year of ``at`` up to ``at``."""
        day = local_day(at, self.zone)
        year = self._worked_before.get(day.year)
        if year is None:
            year, total, first = [], 0, date(day.year, 1, 1)
            for number in range(366):
                year.append(total)
                total += sum(closes - opens for opens, closes in self.spans(first + timedelta(days=number)))
            self._worked_before[day.year] = year
        number = day.timetuple().tm_yday - 1
        return year[number] + sum(
            min(closes, at) - opens for opens, closes in self.spans(day) if opens < at
        )

    def _year_total(self, year: int) -> int:
        last = date(year, 12, 31)
        return self._before(day_start(last, self.zone)) + sum(closes - opens for opens, closes in self.spans(last))

    def worked_seconds(self, start: int, end: int) -> int:
        """Working seconds between two instants; 0 when ``end`` is not after ``start``."""
        if end <= start:
            return 0
        if self.rules.always and not self.rules.closed_days:
            return end - start
        first, last = local_day(start, self.zone).year, local_day(end, self.zone).year
        total = self._before(end) - self._before(start)
        for year in range(first, last):
            total += self._year_total(year)
        return total

    def add_worked(self, at: int, seconds: int) -> int:
        """The instant at which ``seconds`` of working time have passed since ``at``."""
        left, day = seconds, local_day(at, self.zone)
        for _ in range(LONGEST_SEARCH_DAYS * 20):
            for opens, closes in self.spans(day):
                begin = max(opens, at)
                if closes > begin:
                    if closes - begin >= left:
                        return begin + left
                    left -= closes - begin
            day += timedelta(days=1)
        return at + seconds + LONGEST_SEARCH_DAYS * DAY  # a calendar that never opens

    def due_at(self, submitted: int, standard: Standard) -> int:
        """The instant until which a case is on time.

        Working days: closing time of the n-th working day after day 0, the day of submission (after closing time or on a
        closed day: the next open day). Working minutes and hours run on the calendar; the others are plain elapsed time.
        Source: the agency's standard (SK Standar Pelayanan) and its calendar.
        """
        unit, amount = standard.unit, standard.amount
        if unit is StandardUnit.WORKING_DAYS:
            return self._due_in_working_days(submitted, int(amount))
        if unit in (StandardUnit.WORKING_MINUTES, StandardUnit.WORKING_HOURS):
            seconds = amount * (60 if unit is StandardUnit.WORKING_MINUTES else 3600)
            return self.add_worked(submitted, int(seconds))
        return submitted + int(amount * {"minutes": 60, "hours": 3600, "days": DAY}[unit.value])

    def _due_in_working_days(self, submitted: int, days: int) -> int:
        day = local_day(submitted, self.zone)
        spans = self.spans(day)
        if spans and submitted >= spans[-1][1]:
            day += timedelta(days=1)
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


