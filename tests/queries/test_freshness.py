"""How fresh is a source: each state, and the instant at which the clock alone changes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.clock import epoch
from dashboard.queries.answers import State
from dashboard.queries.freshness import source_age, sources
from dashboard.store.state import SourceState
from tests import small
from tests.small import World, wita

NOW = epoch(wita("2026-11-24 10:53"))  # a Tuesday
REGENCY = small.regency()
SOURCE = REGENCY.sources["capil-source"]
EVERY, LIMIT = 300, 1800
GOOD = SourceState(
    "capil-source", loaded_at=NOW - 86_400, data_until=NOW, last_run_at=NOW, last_good_at=NOW, last_new_at=NOW, outcome="ok",
    since=NOW - 86_400, goods_in_row=9,
)


def age_at(state: SourceState | None, now: int, source=SOURCE):
    return source_age(REGENCY, source, state, now)


def test_a_source_that_never_ran_has_no_data() -> None:
    assert age_at(None, NOW).state is State.NONE


def test_a_source_is_loading_until_its_first_complete_read() -> None:
    first = SourceState("capil-source", outcome="ok", since=NOW)
    assert age_at(first, NOW).state is State.LOADING


def test_one_failed_first_run_is_still_loading_and_three_are_offline() -> None:
    failed = SourceState("capil-source", outcome="unavailable", since=NOW, failures_in_row=1)
    assert age_at(failed, NOW).state is State.LOADING
    gone = replace(failed, failures_in_row=3, offline_since=NOW - 60)
    assert (age_at(gone, NOW).state, age_at(gone, NOW).since) == (State.OFFLINE, NOW - 60)


@pytest.mark.parametrize(("seconds", "state", "since"), [
    (0, State.NORMAL, None),
    (450, State.NORMAL, None),
    (451, State.LATE, NOW + 450),
    (LIMIT, State.LATE, NOW + 450),
    (LIMIT + 1, State.STALE, NOW + LIMIT),
    (90_000, State.STALE, NOW + LIMIT),
])
def test_late_after_one_and_a_half_rhythms_and_stale_after_the_limit(seconds: int, state: State, since: int | None) -> None:
    age = age_at(GOOD, NOW + seconds)
    assert (age.state, age.since, age.late_at, age.stale_at) == (state, since, NOW + 450, NOW + LIMIT)


def test_a_source_that_answers_without_fresh_data_is_stale_although_never_late() -> None:
    age = age_at(replace(GOOD, data_until=NOW - LIMIT - 1), NOW)
    assert (age.state, age.why) == (State.STALE, "stale")


def test_offline_is_offline_since_it_began_whatever_the_age() -> None:
    age = age_at(replace(GOOD, offline_since=NOW - 77, outcome="unavailable"), NOW)
    assert (age.state, age.since) == (State.OFFLINE, NOW - 77)


def test_silent_is_judged_by_a_declared_limit_of_service_hours() -> None:
    source = SOURCE.model_copy(update={"quiet_after": timedelta(hours=2)})
    quiet = replace(GOOD, last_new_at=epoch(wita("2026-11-23 15:30")))  # half an hour before closing time on Monday
    opened = epoch(wita("2026-11-24 07:30"))
    at = opened + 5400
    before = age_at(replace(quiet, last_good_at=at, data_until=at), at, source)
    after = age_at(replace(quiet, last_good_at=at, data_until=at), at + 1, source)
    assert (before.state, before.changes_at) == (State.NORMAL, at + 1)
    assert (after.state, after.why, after.since) == (State.STALE, "silent", at)


def test_silent_is_learnt_from_twenty_gaps_and_never_before_the_limit_of_staleness() -> None:
    source = SOURCE.model_copy(update={"quiet_after": None, "stale_after": timedelta(minutes=30)})
    quiet = replace(GOOD, last_new_at=NOW - 4000)
    known = replace(quiet, gaps=tuple([1200.0] * 20))
    assert age_at(replace(quiet, gaps=tuple([1200.0] * 19)), NOW, source).state is State.NORMAL
    assert age_at(known, NOW, source).why == "silent"
    busy = replace(GOOD, last_new_at=NOW - 1700, gaps=tuple([60.0] * 40))
    assert age_at(busy, NOW, source).state is State.NORMAL
    assert age_at(replace(busy, last_new_at=NOW - 1801), NOW, source).why == "silent"


def test_one_long_night_does_not_stretch_the_learnt_limit() -> None:
    source = SOURCE.model_copy(update={"quiet_after": None})
    state = replace(GOOD, last_new_at=NOW - 4000, gaps=(60_000.0, *[1200.0] * 39))
    assert age_at(state, NOW, source).why == "silent"


def test_a_limit_of_service_hours_rests_over_night() -> None:
    source = SOURCE.model_copy(update={"stale_clock": "service hours", "stale_after": timedelta(hours=1)})
    read = epoch(wita("2026-11-23 15:30"))
    state = replace(GOOD, data_until=read)
    assert age_at(state, epoch(wita("2026-11-24 07:59")), source).state is not State.STALE
    assert age_at(state, epoch(wita("2026-11-24 08:00")) + 1, source).state is State.STALE


@given(
    st.integers(-200_000, 0), st.integers(-200_000, 0), st.integers(-200_000, 0), st.integers(0, 100_000),
    st.sampled_from([None, 1800, 36_000]),
)
def test_a_state_holds_until_it_says_that_it_changes(data: int, good: int, new: int, later: int, quiet: int | None) -> None:
    source = SOURCE.model_copy(update={"quiet_after": None if quiet is None else timedelta(seconds=quiet)})
    state = replace(GOOD, data_until=NOW + data, last_good_at=NOW + good, last_new_at=NOW + new)
    now = age_at(state, NOW, source)
    limit = later if now.changes_at is None else min(later, now.changes_at - 1 - NOW)
    then = age_at(state, NOW + limit, source)
    assert (then.state, then.why, then.since) == (now.state, now.why, now.since)
    changed = age_at(state, now.changes_at or NOW, source)
    assert now.changes_at is None or (changed.state, changed.why) != (now.state, now.why)


def test_the_strip_names_every_source_in_declared_order(engine) -> None:
    world = World(engine)
    at = wita("2026-11-24 10:53")
    world.deliver("dishub-source", [small.Told("a", at - timedelta(hours=1), service="kir")], at=at)
    answer = sources(world.asked(at + timedelta(minutes=1)))
    assert [(one.source, one.state) for one in answer.sources] == [
        ("capil-source", State.NONE), ("dishub-source", State.NORMAL), ("lapor", State.NONE),
    ]
    assert answer.changes_at == epoch(at) + 451


def test_a_source_whose_first_read_is_under_way_is_loading(engine) -> None:
    world = World(engine)
    at = wita("2026-11-24 10:53")
    small.Read.begin(engine, world.regency.sources["lapor"], mode="incremental", token=None, now=at, zone=world.regency.zone)
    assert sources(world.asked(at)).sources[2].state is State.LOADING
