"""The emergency line from published sums: by the hour, by the day, and when nobody tells."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from dashboard.cases import Outcome
from dashboard.clock import epoch
from dashboard.queries.answers import State
from dashboard.queries.emergency import Emergency, emergency
from dashboard.queries.figures import figures
from dashboard.store.read import Read
from dashboard.store.readings import ReadingRow, store_readings
from tests import small
from tests.small import World, wita

NOW = wita("2026-11-24 10:53")
MIDNIGHT = wita("2026-11-24 00:00")


def regency() -> small.Regency:
    metrics = ("calls_offered", "calls_valid", "calls_ghost", "calls_abandoned", "tickets_opened", "tickets_followed")
    line = {
        "id": "line", "owner": "kominfo", "connector": "rest", "feeds": "readings", "timezone": "Asia/Makassar",
        "every": "1 minute", "stale_after": "10 minutes",
        "fields": {
            "metric": {"from": "what", "map": {name: name for name in metrics}}, "period": {"from": "hour", "format": "iso"},
            "grain": {"value": "hour"}, "value": "value", "scope": "who", "agency": {"from": "who", "otherwise": "discover"},
        },
    }
    return small.regency(sources={"line": line})


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, regency())


def row(metric: str, at: datetime, value: float, *, agency: str = "kominfo", scope: str = "", grain: str = "hour") -> ReadingRow:
    return ReadingRow(metric, scope, grain, epoch(at), agency, float(value), None)


def publish(world: World, *rows: ReadingRow, at: datetime = NOW) -> None:
    read = Read.begin(world.engine, world.regency.sources["line"], mode="snapshot", token=None, now=at, zone=world.regency.zone)
    store_readings(read, rows, [])
    read.finish(outcome=Outcome.OK, now=at, data_until=epoch(at), covered=None, complete=True)


def day(start: datetime, hours: int, valid: int, *, ghost: int = 4, abandoned: int = 3, offered: int = 12) -> list[ReadingRow]:
    found = {"calls_valid": valid, "calls_ghost": ghost, "calls_abandoned": abandoned, "calls_offered": offered}
    return [row(name, start + timedelta(hours=hour), value) for hour in range(hours) for name, value in found.items()]


def asked(world: World, at: datetime = NOW) -> Emergency:
    return emergency(world.asked(at))


def test_before_anything_was_published_there_is_nothing_and_no_zero(world: World) -> None:
    answer = asked(world)
    assert (answer.valid.value, answer.valid.state) == (None, State.NONE)
    assert (answer.offered, answer.ghost_share, answer.tickets, answer.hours, answer.agencies) == (None, None, None, (), ())


def test_a_regency_without_a_line_says_so(engine: Engine) -> None:
    answer = emergency(World(engine).asked(NOW))
    assert (answer.valid.state, answer.sources) == (State.NONE, ())


def test_the_hours_of_today_add_up_and_the_share_of_ghosts_is_of_all_calls(world: World) -> None:
    publish(world, *day(MIDNIGHT, 11, 3))
    answer = asked(world)
    assert (answer.valid.value, answer.offered, answer.ghost, answer.abandoned, answer.other) == (33.0, 132, 44, 33, 22)
    assert answer.ghost_share == pytest.approx(100 * 44 / 132)
    assert answer.hours == (*(3,) * 11, *(None,) * 13)


def test_a_share_of_few_calls_is_not_told(world: World) -> None:
    publish(world, *day(MIDNIGHT, 2, 3))
    answer = asked(world)
    assert (answer.ghost_share, answer.ghost_state, answer.offered) == (None, State.TOO_FEW, 24)


def test_an_hour_that_was_published_as_zero_is_one_and_one_that_was_not_is_nothing(world: World) -> None:
    publish(world, row("calls_valid", MIDNIGHT, 0.0), row("calls_valid", MIDNIGHT + timedelta(hours=2), 5.0))
    answer = asked(world)
    assert answer.hours[:4] == (0, None, 5, None)
    assert answer.other is None


def test_a_line_that_publishes_days_is_taken_as_it_is(world: World) -> None:
    publish(world, row("calls_valid", MIDNIGHT, 17.0, grain="day"), row("calls_offered", MIDNIGHT, 80.0, grain="day"))
    answer = asked(world)
    assert (answer.valid.value, answer.offered, answer.valid.band) == (17.0, 80, None)
    assert set(answer.hours) == {None}


def test_valid_calls_stand_on_the_band_of_days_of_which_every_hour_was_published(world: World) -> None:
    weeks = [MIDNIGHT - timedelta(days=7 * week) for week in range(1, 6)]
    history = [one for number, start in enumerate(weeks) for one in day(start, 24 if number else 20, 2 + number)]
    publish(world, *day(MIDNIGHT, 11, 3), *history)
    band = asked(world).valid.band
    hours = 10 + 53 / 60
    assert band is not None
    assert (band.days, band.median) == (4, pytest.approx(4.5 * hours))


def test_tickets_go_by_agency_and_their_parts_are_summed(world: World) -> None:
    publish(
        world,
        row("tickets_opened", MIDNIGHT, 2.0, agency="dishub", scope="Dishub"),
        row("tickets_opened", MIDNIGHT + timedelta(hours=3), 1.0, agency="dishub", scope="Dishub"),
        row("tickets_opened", MIDNIGHT, 4.0, agency="bpbd", scope="BPBD"),
        row("tickets_followed", MIDNIGHT, 1.0, agency="bpbd", scope="BPBD"),
    )
    answer = asked(world)
    assert [(one.short_name, one.opened, one.followed) for one in answer.agencies] == [("bpbd", 4, 1), ("Dishub", 3, 0)]
    assert answer.tickets is not None
    assert (answer.tickets.opened, answer.tickets.followed) == (7, 1)


def test_a_silent_line_is_stale_with_what_it_told_last(world: World) -> None:
    publish(world, *day(MIDNIGHT, 11, 3))
    answer = asked(world, NOW + timedelta(minutes=11))
    assert (answer.valid.state, answer.valid.value, answer.ghost_state) == (State.STALE, 33.0, State.STALE)
    assert asked(world).limits.stale == epoch(NOW) + 600


def test_a_new_day_begins_with_nothing(world: World) -> None:
    publish(world, *day(MIDNIGHT, 24, 3), at=MIDNIGHT + timedelta(days=1))
    after = asked(world, MIDNIGHT + timedelta(days=1, seconds=30))
    assert (after.valid.value, after.offered) == (None, None)
    assert asked(world).changes_at is not None


def test_figures_sum_what_adds_up_and_count_no_grain_twice(world: World) -> None:
    publish(world, *day(MIDNIGHT, 11, 3), row("calls_valid", MIDNIGHT - timedelta(days=1), 40.0, grain="day"),
            row("tickets_opened", MIDNIGHT, 4.0, agency="bpbd", scope="BPBD"), row("tickets_opened", MIDNIGHT, 2.0, agency="dishub", scope="x"))
    span = {"since": date(2026, 11, 23), "until": date(2026, 11, 24)}
    by_day = figures(world.asked(NOW), metrics=["calls_valid"], grain="day", **span)
    assert by_day["value"].tolist() == [40.0, 33.0]
    assert figures(world.asked(NOW), metrics=["tickets_opened"], grain="day", **span)["value"].tolist() == [6.0]
    by_agency = figures(world.asked(NOW), metrics=["tickets_opened"], grain="day", by=["agency"], **span)
    assert dict(zip(by_agency["agency"], by_agency["value"], strict=True)) == {"bpbd": 4.0, "dishub": 2.0}
