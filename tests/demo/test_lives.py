"""The lives of simulated cases: skewed times, a late share, queues, second thoughts; the same every time."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from statistics import mean, median

import pytest

from dashboard.demo.agency import SYSTEMS
from dashboard.demo.book import Book
from dashboard.demo.cases import CANCELLED, DELETED, DONE, Case, Stream, cases_of
from dashboard.demo.hours import MINUTE, WORKING_DAY_MINUTES, add_worked, day_start, is_working_day
from dashboard.demo.systems.dinkes import deliveries

SEED = 7322
DAYS = [date(2026, 8, 3) + timedelta(days=number) for number in range(70)]
LATER = day_start(date(2027, 6, 1))


@lru_cache
def cases(name: str) -> list[Case]:
    return [case for stream in SYSTEMS[name].streams for day in DAYS for case in cases_of(SEED, name, stream, day)]


@lru_cache
def stream_of(name: str, key: str) -> Stream:
    return next(stream for stream in SYSTEMS[name].streams if stream.key == key)


def ends(name: str, key: str) -> list[tuple[int, int]]:
    """(submitted, ended) of the completed cases of a service."""
    finals = [case.states[-1] for case in cases(name) if case.stream.key == key]
    return [(state.submitted, state.ended) for state in finals if state.status == DONE and state.ended]


def test_the_same_seed_and_day_give_the_same_lives() -> None:
    stream, day = stream_of("disdukcapil", "KTP"), date(2026, 11, 24)
    once, again = (cases_of(SEED, "disdukcapil", stream, day) for _ in range(2))
    assert [(case.number, case.place, case.states) for case in once] == [
        (case.number, case.place, case.states) for case in again
    ]
    assert [case.states for case in cases_of(SEED + 1, "disdukcapil", stream, day)] != [case.states for case in once]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_case_number_is_given_once(name: str) -> None:
    numbers = [case.number for case in cases(name)]
    assert len(set(numbers)) == len(numbers) > 500


@pytest.mark.parametrize("name", SYSTEMS)
def test_states_follow_each_other_and_no_case_ends_before_it_began(name: str) -> None:
    for case in cases(name):
        assert all(before.at <= after.at for before, after in pairwise(case.states))
        assert all(state.ended is None or state.ended >= state.submitted for state in case.states)


def test_times_are_skewed_and_a_declared_share_is_late() -> None:
    spans = ends("disdukcapil", "KK")
    assert mean(b - a for a, b in spans) > 1.2 * median(b - a for a, b in spans)
    late = sum(b > add_worked(a, WORKING_DAY_MINUTES) for a, b in spans)
    assert late / len(spans) == pytest.approx(0.20, abs=0.025)


def test_hospital_visits_wait_longer_in_the_middle_of_the_morning_and_a_fifth_passes_the_hour() -> None:
    finals = [case.states[-1] for case in cases("rsud") if case.stream.profile == "clinic"]
    by_hour: dict[int, list[float]] = {}
    for state in finals:
        if state.accepted is not None:
            by_hour.setdefault((state.submitted + 8 * 3600) % 86400 // 3600, []).append(
                (state.accepted - state.submitted) / 60
            )
    assert median(by_hour[7]) < 10 < 25 < median(by_hour[9])
    stays = [(state.ended - state.submitted) / 60 for state in finals if state.ended and state.status == DONE]
    assert 0.15 < sum(stay > 60 for stay in stays) / len(stays) < 0.32


def silences(day: date, key: str) -> int:
    """Spans over 15 minutes in which a clinic called nobody while somebody waited."""
    served = sorted(
        (state.accepted, state.submitted)
        for case in cases("rsud")
        if case.stream.key == key
        for state in case.states[1:2]
        if state.accepted and day_start(day) <= state.accepted < day_start(day) + 86400
    )
    return sum(
        call - max(last, min(arrived for at, arrived in served if at >= call)) > 15 * MINUTE
        for (last, _), (call, _) in pairwise(served)
    )


def test_now_and_then_a_clinic_calls_nobody_for_a_quarter_of_an_hour_while_people_wait() -> None:
    working = [day for day in DAYS if is_working_day(day)]
    clinics = [stream.key for stream in SYSTEMS["rsud"].streams if stream.stalls]
    days = sum(any(silences(day, clinic) for clinic in clinics) for day in working)
    assert 2 <= days <= len(working) / 4


def test_some_cases_are_corrected_reopened_cancelled_and_deleted() -> None:
    lives = [case.states for name in SYSTEMS for case in cases(name)]
    last = Counter(states[-1].status for states in lives)
    reopened = sum(any(a.ended and not b.ended for a, b in pairwise(states)) for states in lives)
    moved = sum(len({state.submitted for state in states}) > 1 for states in lives)
    assert min(last[CANCELLED], last[DELETED], reopened, moved) > 0.002 * len(lives)


def test_complaints_are_verified_within_three_working_days_and_some_are_closed_by_silence() -> None:
    finals = [case.states[-1] for case in cases("lapor")]
    silent = [state for state in finals if state.silent]
    assert 0.2 < len(silent) / len(finals) < 0.4
    assert all(
        state.accepted and state.responded and state.ended - state.responded >= 13 * 86400
        for state in silent
        if state.ended
    )
    assert len({case.agency for case in cases("lapor")}) == 9


def test_a_book_is_the_same_however_often_it_was_advanced() -> None:
    streams, first = SYSTEMS["dishub"].streams, date(2026, 11, 1)
    until = day_start(date(2026, 11, 12)) + 40_000
    at_once, in_steps = (Book("dishub", streams, seed=SEED, first=first) for _ in range(2))
    at_once.advance(until)
    for at in [*range(day_start(first), until, 7_000), until]:
        in_steps.advance(at)
    assert [case.number for case in at_once.cases] == [case.number for case in in_steps.cases]
    assert at_once.states == in_steps.states


def test_a_book_counts_what_it_holds() -> None:
    book = Book("dishub", SYSTEMS["dishub"].streams, seed=SEED, first=DAYS[0])
    book.advance(LATER)
    said = book.ledger()
    assert said["cases"] == len(list(book.entries())) == len(book.cases) - book.deleted
    assert said["received"] == sum(said["by_status"].values())


def test_the_mountains_deliver_half_hourly_but_some_days_hours_late() -> None:
    gaps = [max(b - a for a, b in pairwise(deliveries(SEED, day))) / 3600 for day in DAYS]
    late = sum(gap > 2.9 for gap in gaps)
    assert all(gap < 1 or gap > 2.9 for gap in gaps)
    assert 0.2 < late / len(DAYS) < 0.6
