"""Partly known totals: who is left out, how much is missing, when a total would become stale by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from dashboard.queries.answers import Context, Limits, SourceAge, State
from dashboard.queries.totals import figure, known_of
from tests import small

CONTEXT = Context(create_engine("sqlite://"), small.regency(), datetime(2026, 11, 24, 2, 53, tzinfo=UTC))
RANK = {State.NORMAL: 0, State.LATE: 0, State.PARTIAL: 1, State.STALE: 2, State.OFFLINE: 2}


def age(source: str, state: State = State.NORMAL, **more) -> SourceAge:
    return SourceAge(source, source, source.title(), state, **{"data_until": 1000, "late_at": 1100, "stale_at": 2000, **more})


def told(ages: list[SourceAge], weights: dict[str, float] | None = None):
    return figure(CONTEXT, "received", known_of(ages, weights), lambda sources: float(len(sources)), lambda sources: None)


@pytest.mark.parametrize(("missing", "state", "value"), [
    (4, State.NORMAL, 1.0), (5, State.PARTIAL, 1.0), (19, State.PARTIAL, 1.0), (20, State.STALE, 2.0),
])
def test_the_missing_share_of_typical_volume_decides_how_a_total_is_said(missing: int, state: State, value: float) -> None:
    one = told([age("capil"), age("dlh", State.STALE)], {"capil": 100.0 - missing, "dlh": float(missing)})
    assert (one.state, one.value, one.without) == (state, value, ("Dlh",))


def test_a_total_that_is_stale_by_an_offline_source_is_offline_and_has_no_band() -> None:
    one = told([age("capil"), age("dlh", State.OFFLINE)], {"capil": 50.0, "dlh": 50.0})
    assert (one.state, one.band, one.worst.source, one.limits) == (State.OFFLINE, None, "dlh", Limits())


def test_without_typical_volumes_a_source_counts_as_one_and_a_new_one_as_a_mean_one() -> None:
    three = [age("a"), age("b"), age("c", State.STALE)]
    assert known_of(three, None).share == pytest.approx(1 / 3)
    assert known_of(three, {"a": 30.0, "b": 10.0}).share == pytest.approx(20 / 60)


def test_nothing_of_nothing_is_not_missing_and_is_named_nevertheless() -> None:
    one = told([age("a"), age("b", State.STALE)], {"a": 0.0, "b": 0.0})
    assert (one.state, one.missing_share, one.without) == (State.NORMAL, 0.0, ("B",))


def test_a_source_that_never_gave_data_is_named_and_weighs_nothing() -> None:
    one = told([age("a"), age("b", State.OFFLINE, data_until=None)], {"a": 7.0})
    assert (one.state, one.without) == (State.NORMAL, ("B",))


def test_a_total_of_a_source_that_never_gave_data_is_offline_without_a_figure() -> None:
    one = told([age("b", State.OFFLINE, data_until=None)])
    assert (one.state, one.value) == (State.OFFLINE, None)


@pytest.mark.parametrize(("ages", "state"), [
    ([], State.NONE), ([age("a", State.NONE, data_until=None)], State.NONE), ([age("a", State.LOADING, data_until=None)], State.LOADING),
])
def test_without_any_connected_source_there_is_no_figure(ages: list[SourceAge], state: State) -> None:
    one = told(ages)
    assert (one.state, one.value) == (state, None)


def test_a_total_becomes_stale_when_the_sources_that_fall_out_reach_a_fifth_of_it() -> None:
    ages = [age("a", stale_at=2000), age("b", stale_at=1500), age("c", stale_at=1200)]
    assert told(ages, {"a": 85.0, "b": 10.0, "c": 5.0}).limits == Limits(late=1100, stale=2000)
    assert told(ages, {"a": 80.0, "b": 15.0, "c": 5.0}).limits.stale == 1500


STATES = st.sampled_from([State.NORMAL, State.LATE, State.STALE, State.OFFLINE])
MEMBERS = st.lists(st.tuples(STATES, st.integers(0, 50)), min_size=1, max_size=7)


@given(MEMBERS, st.data(), st.sampled_from([State.STALE, State.OFFLINE]))
def test_a_source_that_falls_silent_never_makes_a_total_look_better_known(members, data, silent: State) -> None:
    ages = [age(f"s{number}", state) for number, (state, _) in enumerate(members)]
    weights = {f"s{number}": float(weight) for number, (_, weight) in enumerate(members)}
    place = data.draw(st.integers(0, len(ages) - 1))
    worse = [*ages[:place], age(f"s{place}", silent), *ages[place + 1 :]]
    before, after = told(ages, weights), told(worse, weights)
    assert after.missing_share >= before.missing_share
    assert RANK[after.state] >= RANK[before.state]
    assert set(after.without) >= set(before.without)


@given(MEMBERS)
def test_a_total_is_stale_after_its_limit_and_not_before(members) -> None:
    ages = [age(f"s{number}", state, stale_at=2000 + 10 * number) for number, (state, _) in enumerate(members)]
    weights = {f"s{number}": float(weight) for number, (_, weight) in enumerate(members)}
    limit = told(ages, weights).limits.stale

    def at(now: int):
        return told([
            age(one.source, State.STALE if one.state in (State.STALE, State.OFFLINE) or now > one.stale_at else one.state)
            for one in ages
        ], weights)

    assert limit is None or (RANK[at(limit).state] < 2 and RANK[at(limit + 1).state] == 2)
