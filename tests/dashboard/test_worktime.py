"""Working time: the calendars against the rules, and fast sums against a slow definition of the same."""

from __future__ import annotations

import csv
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.declarations import CalendarRules, Standard
from config.loading import load
from config.settings import SHIPPED
from dashboard.clock import DAY, local_day
from dashboard.worktime import OFFICE, Calendar, calendar_of, calendars, national_days, ramadan

SHARED = Path(os.environ.get("COMMAND_CENTER_SHARED", Path(__file__).parents[2].parent / "shared"))
SMALL = Path(__file__).parents[1] / "config" / "small"
WITA = ZoneInfo("Asia/Makassar")
OFFICE_HOURS = Calendar(OFFICE, WITA)
NIGHT = Calendar(CalendarRules.model_validate({  # over midnight, with a closed day
    "hours": {day: [["00:00", "02:30"], ["22:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat")},
    "holidays": False, "closed_days": [date(2026, 3, 4)],
}), WITA)
SUMMER = Calendar(OFFICE.model_copy(update={"holidays": False}), ZoneInfo("Europe/Berlin"))  # a zone with two clocks
CALENDARS = [OFFICE_HOURS, NIGHT, SUMMER]


def wita(text: str) -> int:
    """Epoch seconds of a local stamp."""
    return int(datetime.fromisoformat(text).replace(tzinfo=WITA).timestamp())


def shown(at: int) -> str:
    """A local stamp to the minute."""
    return f"{datetime.fromtimestamp(at, WITA):%Y-%m-%d %H:%M}"


def standard(promise: str) -> Standard:
    return Standard.model_validate({"from": date(2020, 1, 1), "promise": promise, "basis": "SK"})


def hours(calendar: Calendar, day: date) -> list[str]:
    """The open spans of a day, as local clock times."""
    return [f"{shown(opens)[-5:]}-{shown(closes)[-5:]}" for opens, closes in calendar.spans(day)]


@pytest.mark.parametrize(("day", "open_hours"), [
    (date(2026, 11, 23), ["07:30-12:00", "13:00-16:00"]),       # Monday
    (date(2026, 11, 26), ["07:30-12:00", "13:00-16:00"]),       # Thursday
    (date(2026, 11, 27), ["07:30-11:30", "13:00-16:30"]),       # Friday: 90 minutes of break
    (date(2026, 11, 28), []),                                   # Saturday
    (date(2026, 3, 2), ["08:00-12:00", "12:30-15:00"]),         # a Monday in Ramadan
    (date(2026, 3, 6), ["08:00-11:30", "12:30-15:30"]),         # a Friday in Ramadan
    (date(2026, 8, 17), []),                                    # Independence Day
    (date(2026, 12, 24), []),                                   # cuti bersama
])
def test_office_hours_are_those_of_the_presidential_regulation(day: date, open_hours: list[str]) -> None:
    assert hours(OFFICE_HOURS, day) == open_hours


def test_a_week_has_thirty_seven_and_a_half_hours_and_one_in_ramadan_thirty_two_and_a_half() -> None:
    assert OFFICE_HOURS.worked_seconds(wita("2026-11-23 00:00"), wita("2026-11-30 00:00")) == 37.5 * 3600
    assert OFFICE_HOURS.worked_seconds(wita("2026-03-02 00:00"), wita("2026-03-09 00:00")) == 32.5 * 3600
    assert OFFICE_HOURS.working_day_seconds == 7.5 * 3600


def test_the_built_in_office_is_the_declared_one_of_the_shipped_folder() -> None:
    declared = load(SHIPPED).calendars["office"]
    assert (declared.hours, declared.ramadan_hours) == (OFFICE.hours, OFFICE.ramadan_hours)


def test_holidays_and_cuti_bersama_are_those_of_the_shared_list() -> None:
    listed = SHARED / "data" / "hari_libur_id" / "hari_libur_2023_2027.csv"
    if not listed.exists():
        pytest.skip(f"no shared data at {listed}")
    with listed.open(encoding="utf-8") as file:
        rows = [(date.fromisoformat(row["tanggal"]), row["jenis"]) for row in csv.DictReader(file)]
    holidays = {day for day, kind in rows if kind == "libur_nasional"}
    years = range(2023, 2028)
    assert {day for year in years for day in national_days(year)[0]} == holidays
    assert {day for year in years for day in national_days(year)[1]} == {day for day, _ in rows} - holidays


def test_an_agency_can_open_on_cuti_bersama_and_on_days_that_it_names() -> None:
    registration = calendars(load(SHIPPED))["civil-registration"]
    opened = [date(2025, 3, 28), date(2025, 4, 3), date(2025, 4, 4)]
    assert [registration.is_working_day(day) for day in opened] == [True] * 3
    assert [OFFICE_HOURS.is_working_day(day) for day in opened] == [False] * 3
    assert registration.is_working_day(date(2026, 12, 24))
    assert not registration.is_working_day(date(2026, 12, 25))


def test_a_named_day_opens_with_the_hours_of_a_monday_and_closes_for_good() -> None:
    saturday, monday = date(2026, 11, 28), date(2026, 11, 30)
    calendar = Calendar(OFFICE.model_copy(update={
        "open_days": (saturday, date(2026, 3, 7)), "closed_days": (monday,),
    }), WITA)
    assert hours(calendar, saturday) == ["07:30-12:00", "13:00-16:00"]
    assert hours(calendar, date(2026, 3, 7)) == ["08:00-12:00", "12:30-15:00"]  # a Saturday in Ramadan
    assert hours(calendar, monday) == []


def test_ramadan_is_estimated_from_idul_fitri_also_over_the_turn_of_a_year() -> None:
    assert ramadan(2025) == ((date(2025, 3, 1), date(2025, 3, 30)),)
    assert hours(OFFICE_HOURS, date(2030, 12, 30)) == ["08:00-12:00", "12:30-15:00"]


def test_a_declared_ramadan_stands_in_place_of_the_estimate_in_its_year_only() -> None:
    declared = calendars(load(SHIPPED))["office"]
    eve = date(2024, 3, 11)
    assert ramadan(2024)[0][0] == eve
    assert not declared.is_working_day(eve)  # Nyepi, and not yet Ramadan
    calendar = Calendar(OFFICE.model_copy(update={"ramadan": ((date(2025, 3, 4), date(2025, 4, 1)),)}), WITA)
    assert hours(calendar, date(2025, 3, 3)) == ["07:30-12:00", "13:00-16:00"]
    assert hours(calendar, date(2026, 3, 2)) == ["08:00-12:00", "12:30-15:00"]


@pytest.mark.parametrize(("submitted", "promise", "due"), [
    ("2026-11-24 10:00", "1 working day", "2026-11-25 16:00"),
    ("2026-11-26 10:00", "1 working day", "2026-11-27 16:30"),     # due on a Friday
    ("2026-11-27 10:00", "1 working day", "2026-11-30 16:00"),     # in on a Friday: due on Monday
    ("2026-11-24 15:59", "1 working day", "2026-11-25 16:00"),
    ("2026-11-24 16:00", "1 working day", "2026-11-26 16:00"),     # after closing time: day 0 is the next day
    ("2026-11-24 05:00", "1 working day", "2026-11-25 16:00"),     # before opening: day 0 is the day itself
    ("2026-11-28 10:00", "1 working day", "2026-12-01 16:00"),     # Saturday: day 0 is Monday
    ("2026-12-23 10:00", "1 working day", "2026-12-28 16:00"),     # over cuti bersama, Christmas and a weekend
    ("2026-03-04 10:00", "1 working day", "2026-03-05 15:00"),     # Ramadan closes at 15.00
    ("2026-11-24 10:00", "3 working days", "2026-11-27 16:30"),
    ("2026-11-24 10:00", "14 working days", "2026-12-14 16:00"),
    ("2026-11-24 11:00", "2 working hours", "2026-11-24 14:00"),   # the break does not count
    ("2026-11-24 15:50", "30 working minutes", "2026-11-25 07:50"),
    ("2026-11-24 05:00", "30 working minutes", "2026-11-24 08:00"),
    ("2026-11-24 15:50", "30 minutes", "2026-11-24 16:20"),
    ("2026-11-27 10:00", "24 hours", "2026-11-28 10:00"),
    ("2026-11-27 10:00", "60 days", "2027-01-26 10:00"),
])
def test_a_promise_falls_due(submitted: str, promise: str, due: str) -> None:
    assert shown(OFFICE_HOURS.due_at(wita(submitted), standard(promise))) == due


def test_a_service_of_day_and_night_works_always_but_on_its_closed_days() -> None:
    always = calendars(load(SMALL))["always"]
    start, end = wita("2026-08-16 10:00"), wita("2026-08-18 10:00")
    assert always.worked_seconds(start, end) == 2 * DAY
    assert always.next_change(start) > start + 365 * DAY
    closed = Calendar(CalendarRules(always=True, closed_days=(date(2026, 8, 17),)), WITA)
    assert closed.worked_seconds(start, end) == DAY
    assert shown(closed.next_change(start)) == "2026-08-17 00:00"
    assert shown(closed.next_change(wita("2026-08-17 10:00"))) == "2026-08-18 00:00"
    assert not closed.is_open(wita("2026-08-17 10:00"))


@pytest.mark.parametrize(("at", "change"), [
    ("2026-11-24 05:00", "2026-11-24 07:30"),
    ("2026-11-24 07:30", "2026-11-24 12:00"),
    ("2026-11-24 12:00", "2026-11-24 13:00"),
    ("2026-11-27 16:30", "2026-11-30 07:30"),
])
def test_the_next_change_is_when_it_opens_or_closes(at: str, change: str) -> None:
    assert shown(OFFICE_HOURS.next_change(wita(at))) == change


def test_midnight_is_no_change_for_who_is_open_on_both_sides() -> None:
    assert shown(NIGHT.next_change(wita("2026-02-24 22:00"))) == "2026-02-25 02:30"


def test_a_service_may_have_another_calendar_than_its_agency() -> None:
    regency = load(SMALL)
    known = calendars(regency)
    assert calendar_of(regency, "rsud", "igd") is known["always"]
    assert calendar_of(regency, "rsud", "poli") is known["office"]
    assert calendar_of(regency, "sipil") is known["registration"]
    assert calendar_of(regency, "somebody discovered") is known["office"]


# ---- against the slow definition: minute by minute ---------------------------------------------------------------------

FIRST, LAST = (int(datetime(*day, tzinfo=UTC).timestamp()) // 60 for day in ((2025, 12, 1), (2026, 12, 31)))
MINUTES = st.integers(FIRST, LAST)
SPANS = st.integers(0, 12 * 24 * 60)


def slowly_worked(calendar: Calendar, start: int, end: int) -> int:
    """Open minutes between two whole minutes, each asked by itself."""
    return 60 * sum(calendar.is_open(at) for at in range(start, end, 60))


def slowly_due(calendar: Calendar, submitted: int, days: int) -> int:
    """Closing time of the n-th working day after day 0, by walking over the days."""
    day = local_day(submitted, calendar.zone)
    while not calendar.spans(day) or calendar.spans(day)[-1][1] <= submitted:
        day += timedelta(days=1)
        submitted = 0
    for _ in range(days):
        day += timedelta(days=1)
        while not calendar.spans(day):
            day += timedelta(days=1)
    return calendar.spans(day)[-1][1]


@settings(max_examples=60, deadline=None)
@given(calendar=st.sampled_from(CALENDARS), start=MINUTES, length=SPANS)
def test_worked_seconds_are_the_open_minutes(calendar: Calendar, start: int, length: int) -> None:
    first, last = start * 60, (start + length) * 60
    assert calendar.worked_seconds(first, last) == slowly_worked(calendar, first, last)


@settings(max_examples=200, deadline=None)
@given(calendar=st.sampled_from(CALENDARS), start=MINUTES, lengths=st.tuples(SPANS, SPANS))
def test_worked_seconds_add_up(calendar: Calendar, start: int, lengths: tuple[int, int]) -> None:
    first, middle = start * 60, (start + lengths[0]) * 60 + 17
    last = middle + lengths[1] * 60
    assert calendar.worked_seconds(first, last) == (
        calendar.worked_seconds(first, middle) + calendar.worked_seconds(middle, last)
    )


@settings(max_examples=200, deadline=None)
@given(calendar=st.sampled_from(CALENDARS), start=MINUTES, seconds=st.integers(1, 300_000))
def test_adding_working_time_and_measuring_it_agree(calendar: Calendar, start: int, seconds: int) -> None:
    end = calendar.add_worked(start * 60, seconds)
    assert calendar.worked_seconds(start * 60, end) == seconds
    assert calendar.worked_seconds(start * 60, end - 1) == seconds - 1


@settings(max_examples=200, deadline=None)
@given(calendar=st.sampled_from(CALENDARS), start=MINUTES, days=st.integers(1, 60))
def test_working_days_are_counted_as_by_walking(calendar: Calendar, start: int, days: int) -> None:
    assert calendar.due_at(start * 60, standard(f"{days} working days")) == slowly_due(calendar, start * 60, days)


@settings(max_examples=200, deadline=None)
@given(calendar=st.sampled_from(CALENDARS), start=MINUTES)
def test_between_an_instant_and_the_next_change_nothing_changes(calendar: Calendar, start: int) -> None:
    at, change = start * 60, calendar.next_change(start * 60)
    assert calendar.is_open(change) != calendar.is_open(at)
    assert calendar.worked_seconds(at, change) == (change - at) * calendar.is_open(at)
