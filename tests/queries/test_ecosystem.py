"""Who is connected, and how did the runs of 24 hours end: right when nothing ever ran, and as hours pass."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, update

from dashboard.cases import Outcome
from dashboard.clock import HOUR, epoch
from dashboard.queries.answers import State
from dashboard.queries.ecosystem import Ecosystem, Unit, ecosystem
from dashboard.queries.runs import HOURS, Hour, Last, hours_of_runs
from dashboard.store.tables import run
from tests import small
from tests.small import Told, World, wita

AT = wita("2026-11-24 10:53")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


def told(at: datetime, name: str = "a") -> list[Told]:
    return [Told(name, at - timedelta(hours=1))]


def asked(world: World, at: datetime = AT) -> Ecosystem:
    return ecosystem(world.asked(at))


def unit_of(world: World, agency: str, at: datetime = AT) -> Unit:
    return next(one for one in asked(world, at).units if one.agency == agency)


def line(world: World, source: str, at: datetime = AT) -> tuple[Hour, ...]:
    return hours_of_runs(world.asked(at))[1][source]


def test_before_anything_ran_every_agency_is_honestly_not_connected(world: World) -> None:
    answer = asked(world)
    assert (answer.units, answer.not_connected, answer.sources) == ((), ("Capil", "Dishub", "Kominfo"), 3)
    assert answer.changes_at == epoch(wita("2026-11-24 11:00"))


def test_a_regency_without_sources_lists_all_its_agencies(world: World) -> None:
    world.regency = small.regency(sources={})
    answer = asked(world)
    assert (answer.units, answer.not_connected, answer.sources) == ((), ("Capil", "Dishub", "Kominfo"), 0)


def test_an_agency_is_connected_from_its_first_run_on(world: World) -> None:
    world.deliver("capil-source", told(AT), at=AT)
    answer = asked(world)
    assert [(one.agency, one.state, one.counting) for one in answer.units] == [("capil", State.NORMAL, 1)]
    assert answer.not_connected == ("Dishub", "Kominfo")


def test_an_agency_that_another_ones_system_feeds_is_connected_through_it(world: World) -> None:
    world.deliver("lapor", [Told("a", AT - MINUTE, agency="dishub", service="lapor")], at=AT)
    assert (unit_of(world, "dishub").through, unit_of(world, "kominfo").through) == ("Kominfo", "")


def test_an_agency_that_nobody_declared_is_shown_and_marked(world: World) -> None:
    world.deliver("lapor", [Told("a", AT - MINUTE, agency="Balai Baru", service="lapor")], at=AT)
    found = unit_of(world, "Balai Baru")
    assert (found.short_name, found.declared) == ("Balai Baru", False)


def test_an_agency_with_one_source_out_and_one_well_is_partly_there(world: World) -> None:
    world.regency = small.regency(sources={
        one["id"]: one for one in (small.source("capil"), small.source("capil", id="capil-second"))
    })
    world.deliver("capil-source", told(AT), at=AT - timedelta(hours=2))
    world.deliver("capil-second", told(AT, "b"), at=AT)
    found = unit_of(world, "capil")
    assert (found.state, found.counting, [day.age.source for day in found.sources]) == (
        State.PARTIAL, 1, ["capil-source", "capil-second"]
    )


@pytest.mark.parametrize(("outcome", "step"), [
    (Outcome.UNAVAILABLE, "connect"), (Outcome.REJECTED, "read"), (Outcome.CHANGED, "parse"), (Outcome.HELD, "map"),
    (Outcome.FAILED, "prepare"),
])
def test_what_is_wrong_is_told_while_it_lasts_and_the_state_keeps_its_own_limit(
    world: World, outcome: Outcome, step: str
) -> None:
    world.deliver("capil-source", told(AT), at=AT - 5 * MINUTE)
    world.fail("capil-source", at=AT, outcome=outcome, step=step)
    found = unit_of(world, "capil")
    assert (found.state, found.sources[0].problem) == (State.NORMAL, Last(outcome.value, step, 0))
    world.deliver("capil-source", told(AT, "b"), at=AT + MINUTE)
    assert unit_of(world, "capil", AT + MINUTE).sources[0].problem is None


def test_each_hour_says_what_went_well_and_the_worst_of_what_did_not(world: World) -> None:
    world.deliver("capil-source", told(AT), at=AT - timedelta(hours=3))
    world.deliver("capil-source", [], at=AT - timedelta(hours=2), outcome=Outcome.EMPTY)
    world.fail("capil-source", at=AT - timedelta(hours=2))
    world.fail("capil-source", at=AT - timedelta(hours=2), outcome=Outcome.HELD)
    world.fail("capil-source", at=AT - timedelta(hours=1), outcome=Outcome.REJECTED)
    world.deliver("capil-source", told(AT, "b"), at=AT, outcome=Outcome.PARTIAL)
    assert line(world, "capil-source")[-4:] == (
        Hour("ok"), Hour("empty", "held"), Hour("", "rejected"), Hour("partial")
    )
    assert set(line(world, "capil-source")[:-4]) == {Hour()}


def test_a_run_leaves_the_line_after_24_hours(world: World) -> None:
    world.deliver("capil-source", told(AT), at=AT)
    later = wita("2026-11-25 09:59")
    assert line(world, "capil-source", later)[0] == Hour("ok")
    assert hours_of_runs(world.asked(later + MINUTE))[1] == {}


def test_hours_count_once_whatever_the_number_of_questions(world: World) -> None:
    for minute in range(6):
        world.deliver("capil-source", told(AT, f"c{minute}"), at=AT + minute * MINUTE)
        assert line(world, "capil-source", AT + minute * MINUTE)[-1] == Hour("ok")
    assert len(line(world, "capil-source")) == HOURS


def test_a_run_under_way_is_no_mark_yet_and_counts_when_it_ends(world: World) -> None:
    source = world.regency.sources["dishub-source"]
    slow = small.Read.begin(world.engine, source, mode="incremental", token=None, now=AT, zone=world.regency.zone)
    world.deliver("capil-source", told(AT), at=AT + MINUTE)
    assert "dishub-source" not in hours_of_runs(world.asked(AT + MINUTE))[1]
    assert line(world, "capil-source")[-1] == Hour("ok")
    slow.fail(Outcome.UNAVAILABLE, now=AT + 2 * MINUTE, step="read", en="cut", id="terputus")
    assert line(world, "dishub-source")[-1] == Hour("", "unavailable")


def test_a_killed_run_does_not_stop_the_counting(world: World) -> None:
    source = world.regency.sources["dishub-source"]
    small.Read.begin(world.engine, source, mode="incremental", token=None, now=AT - timedelta(hours=2), zone=world.regency.zone)
    world.deliver("capil-source", told(AT), at=AT)
    assert line(world, "capil-source")[-1] == Hour("ok")


def test_a_restored_store_is_counted_anew(world: World) -> None:
    world.deliver("capil-source", told(AT), at=AT - timedelta(hours=1))
    world.deliver("capil-source", told(AT, "b"), at=AT)
    assert line(world, "capil-source")[-1] == Hour("ok")
    with world.engine.begin() as connection:
        connection.execute(delete(run).where(run.c.started_at > AT.timestamp() - 60))
    assert line(world, "capil-source")[-2:] == (Hour("ok"), Hour())


def test_recomputing_is_no_run_of_the_source(world: World) -> None:
    world.deliver("capil-source", told(AT), at=AT)
    with world.engine.begin() as connection:
        connection.execute(update(run).values(what="recompute"))
    assert hours_of_runs(world.asked(AT))[1] == {}


def test_the_answer_changes_with_the_hour_and_with_the_clock_of_its_sources(world: World) -> None:
    world.deliver("capil-source", told(AT), at=AT)
    answer = asked(world)
    assert (answer.changes_at, answer.first_hour) == (epoch(wita("2026-11-24 11:00")), epoch(wita("2026-11-23 11:00")))
    assert answer.limits.late == epoch(AT) + 450
    soon = asked(world, AT + 5 * MINUTE)
    assert soon.changes_at == epoch(wita("2026-11-24 11:00"))
    assert asked(world, AT + 7 * MINUTE).changes_at == epoch(AT) + 451
    assert answer.first_hour % HOUR == 0
