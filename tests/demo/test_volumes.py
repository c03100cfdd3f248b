"""How many cases arrive and when: weekday, minute of the day, holidays."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import lru_cache
from statistics import mean

import pytest

from dashboard.demo.agency import SYSTEMS
from dashboard.demo.cases import Case, cases_of
from dashboard.demo.hours import add_worked, day_start, is_holiday, is_working_day, local, minute_of, spans
from dashboard.demo.volumes import PROFILES, expected

SEED = 7322
WEEKS = [date(2026, 9, 1) + timedelta(days=number) for number in range(56)]
WORKING = [day for day in WEEKS if is_working_day(day)]


@lru_cache
def day_of_all(day: date) -> list[Case]:
    return [
        case
        for name, system in SYSTEMS.items() if not system.history
        for stream in system.streams
        for case in cases_of(SEED, name, stream, day)
    ]


def arrived_by(day: date, minute: int) -> int:
    return sum(minute_of(case.states[0].submitted) < minute for case in day_of_all(day))


def test_on_a_working_day_some_970_cases_have_arrived_by_ten_fifty_three() -> None:
    assert mean(arrived_by(day, 653) for day in WORKING) == pytest.approx(970, rel=0.05)


def test_no_two_working_days_are_alike_but_all_are_plausible() -> None:
    counts = [arrived_by(day, 653) for day in WORKING]
    assert len(set(counts)) > 25
    assert 700 < min(counts) < 900 < 1030 < max(counts) < 1350


def test_mondays_are_fuller_than_fridays() -> None:
    by_weekday = {
        number: mean(len(day_of_all(day)) for day in WORKING if day.weekday() == number) for number in range(5)
    }
    assert by_weekday[0] > 1.25 * by_weekday[4]
    assert sorted(by_weekday.values(), reverse=True)[0] == by_weekday[0]


def test_a_free_day_still_has_emergencies_and_applications_by_web_but_no_counters() -> None:
    saturday = day_of_all(date(2026, 10, 3))
    assert 60 < len(saturday) < 200
    assert {case.stream.profile for case in saturday} == {"emergency", "online"}


def test_a_holiday_on_a_weekday_counts_as_a_free_day() -> None:
    christmas_eve = date(2026, 12, 24)
    assert is_holiday(christmas_eve)
    assert expected("counter", 100, christmas_eve) == 0
    assert expected("emergency", 100, christmas_eve) > 80


def test_the_day_after_a_holiday_is_fuller_than_its_like() -> None:
    assert expected("counter", 100, date(2026, 8, 26)) > 1.1 * expected("counter", 100, date(2026, 8, 19))


def test_counters_see_nobody_at_night_and_few_at_noon_on_friday() -> None:
    fridays = [day for day in WORKING if day.weekday() == 4]
    hours = Counter(
        local(case.states[0].submitted).hour
        for day in fridays
        for case in day_of_all(day)
        if case.stream.profile == "counter"
    )
    assert not set(hours) & {0, 1, 2, 3, 4, 5, 6, 18, 19, 20, 21, 22, 23}
    assert hours[12] < 0.2 * hours[9]


def test_every_hour_of_the_night_has_something_to_show() -> None:
    hours = Counter(local(case.states[0].submitted).hour for day in WEEKS for case in day_of_all(day))
    assert all(hours[hour] / len(WEEKS) > 1 for hour in range(24))


def test_profiles_have_a_weight_for_each_half_hour() -> None:
    assert {len(profile.weights) for profile in PROFILES.values()} == {48}


def test_office_hours_are_thirty_seven_and_a_half_a_week() -> None:
    week = [date(2026, 11, 2) + timedelta(days=number) for number in range(7)]
    assert sum(closes - opens for day in week for opens, closes in spans(day)) == 37.5 * 3600


def test_worked_minutes_skip_the_break_the_night_and_the_weekend() -> None:
    friday = date(2026, 11, 6)
    late = day_start(friday) + (16 * 60 + 20) * 60
    assert local(add_worked(late, 30)).isoformat() == "2026-11-09T07:50:00"
    assert local(add_worked(day_start(friday) + 11 * 3600, 60)).isoformat() == "2026-11-06T13:30:00"
