"""The panels of today, on both databases: counts, bands, ages, and who is left out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.clock import epoch
from dashboard.queries.agencies import agency_rows
from dashboard.queries.answers import Band, Level, State
from dashboard.queries.freshness import sources
from dashboard.queries.rolling import received_rolling
from dashboard.queries.today import completed_today, on_time_today, overdue_now, received_today
from dashboard.store.derived import fill_gauges
from tests import small
from tests.small import Told, World, wita

NOW = wita("2026-11-24 10:53")  # a Tuesday
LOADED = NOW - timedelta(minutes=1)
WEEKS = range(1, 9)
QUESTIONS = [received_today, completed_today, on_time_today, overdue_now, received_rolling, agency_rows, sources]


def tuesdays(count: int, *, service: str = "ktp", prefix: str = "t") -> list[Told]:
    """Each of eight Tuesdays: ``count`` requests at 09:00 plus one per week back, completed at 10:00; one more after noon."""
    return [
        Told(f"{prefix}{week}-{number}", at, at + timedelta(hours=1), service=service)
        for week in WEEKS for number in range(count + week + 1)
        for at in [wita("2026-11-24 09:00" if number < count + week else "2026-11-24 13:00") - timedelta(days=7 * week)]
    ]


def this_day(count: int, *, service: str = "ktp", prefix: str = "d", ended: bool = False) -> list[Told]:
    """``count`` requests of today at 10:00, open or completed at 10:30."""
    return [
        Told(f"{prefix}{number}", wita("2026-11-24 10:00"), wita("2026-11-24 10:30") if ended else None, service=service)
        for number in range(count)
    ]


@pytest.fixture
def world(engine) -> World:
    """Capil and Dishub loaded a minute ago, with eight weeks of history."""
    made = World(engine)
    since = NOW - timedelta(days=60)
    kir = [*tuesdays(0, service="kir", prefix="k"), *this_day(2, service="kir", prefix="e")]
    made.deliver("capil-source", [*tuesdays(10), *this_day(7)], at=LOADED, since=since)
    made.deliver("dishub-source", kir, at=LOADED, since=since)
    return made


def test_received_today_stands_on_the_band_of_eight_tuesdays_up_to_this_minute(world: World) -> None:
    tile = received_today(world.asked(NOW))
    assert (tile.figure.value, tile.figure.state, tile.figure.without) == (9.0, State.NORMAL, ())
    assert tile.figure.band == Band(low=10 + 2 * 2.75, median=10 + 2 * 4.5, high=10 + 2 * 6.25, days=8)
    assert tile.changes_at == epoch(wita("2026-11-24 10:59:31"))  # one and a half rhythms after the load: late
    assert received_today(world.asked(NOW + timedelta(minutes=6, seconds=40))).changes_at == epoch(wita("2026-11-24 11:00"))


def test_a_day_that_a_source_does_not_cover_completely_is_not_comparable(world: World) -> None:
    later = wita("2026-11-24 10:53") + timedelta(days=14)  # the Tuesdays since are not covered
    assert received_today(world.asked(later)).figure.state is State.STALE
    world.deliver("capil-source", this_day(1, prefix="n"), at=later, since=later - timedelta(hours=11))
    world.deliver("dishub-source", [], at=later, since=later - timedelta(hours=11))
    band = received_today(world.asked(later)).figure.band
    assert band is not None
    assert band.days == 6


def test_with_fewer_than_four_comparable_days_there_is_no_band(engine) -> None:
    world = World(engine)
    recent = [one for one in tuesdays(3) if one.submitted > NOW - timedelta(days=24)]
    world.deliver("capil-source", [*recent, *this_day(2)], at=LOADED)
    assert received_today(world.asked(NOW)).figure.band is None


def test_the_running_day_of_a_stale_source_is_left_out_of_the_total_and_of_its_band(world: World) -> None:
    later = NOW + timedelta(minutes=45)
    world.deliver("capil-source", [], at=later, since=NOW - timedelta(days=1))
    one = received_today(world.asked(later)).figure
    assert one.state is State.STALE  # Dishub usually brings 4.5 of 19: more than a fifth
    assert (one.value, one.without) == (9.0, ("Dishub",))
    world.deliver("capil-source", this_day(60, prefix="x"), at=later + timedelta(minutes=1), since=NOW)
    more = World(world.engine, small.regency(thresholds={"stale_from": 0.5}))
    partial = received_today(more.asked(later + timedelta(minutes=2))).figure
    assert (partial.state, partial.value, partial.without) == (State.PARTIAL, 67.0, ("Dishub",))
    assert partial.band == Band(low=12.75, median=14.5, high=16.25, days=8)


def test_completed_and_on_time_count_what_ended_today(world: World) -> None:
    asked = world.asked(NOW)
    assert completed_today(asked).figure.value == 0.0
    few = on_time_today(asked).figure
    assert (few.state, few.value, few.cases, few.needed) == (State.TOO_FEW, None, 0, 30)
    done = [*this_day(40, prefix="f", ended=True), *this_day(10, prefix="g", service="kk", ended=True)]
    late = Told("late", wita("2026-11-20 09:00"), wita("2026-11-24 10:40"))
    world.deliver("capil-source", [*done, late], at=NOW, since=NOW)
    asked = world.asked(NOW + timedelta(seconds=1))
    assert completed_today(asked).figure.value == 51.0
    one = on_time_today(asked).figure
    assert (one.value, one.cases) == (pytest.approx(100 * 50 / 51), 51)


def test_overdue_counts_open_requests_past_due_and_says_when_the_next_one_falls_due(world: World) -> None:
    more = [Told(f"o{number}", wita("2026-11-23 09:00")) for number in range(4)]
    world.deliver("capil-source", more, at=LOADED, since=NOW)
    fill_gauges(world.engine, world.regency, NOW, None)
    tile = overdue_now(world.asked(NOW))
    assert (tile.figure.value, tile.figure.level) == (0.0, Level.NORMAL)
    noon = wita("2026-11-24 12:00:01")  # kir: two hours
    world.deliver("capil-source", [], at=noon, since=NOW)
    world.deliver("dishub-source", [], at=noon, since=NOW)
    assert overdue_now(world.asked(noon)).figure.value == 2.0
    closing = wita("2026-11-24 16:00:01")  # ktp of the day before: one working day
    world.deliver("capil-source", [], at=closing, since=NOW)
    world.deliver("dishub-source", [], at=closing, since=NOW)
    late = overdue_now(world.asked(closing))
    assert (late.figure.value, late.figure.level) == (6.0, Level.WARNING)
    assert late.figure.band == Band(0.0, 0.0, 0.0, 8)
    assert tile.changes_at is not None
    assert tile.changes_at <= epoch(noon)


def test_the_line_of_the_last_sixty_minutes_ends_where_the_data_does(world: World) -> None:
    answer = received_rolling(world.asked(NOW))
    assert answer.line[0] == (0.0, 0.0)
    assert answer.line[-1] == (652.0, 9.0)
    assert dict(answer.line)[60 * 10 + 10] == 9.0
    assert len(answer.band) == 25
    assert answer.band[10] == (600.0, 15.5, 22.5)
    old = received_rolling(world.asked(wita("2026-11-25 09:00")))
    assert (old.line, old.last, old.figure.state) == ((), None, State.STALE)


def test_every_agency_has_a_row_in_declared_order_and_the_others_are_named(world: World) -> None:
    complaint = Told("c", wita("2026-11-10 09:00"), service="lapor", agency="capil")
    unknown = Told("u", wita("2026-11-24 09:00"), service="lapor", agency="camat-x")
    world.deliver("lapor", [complaint, unknown], at=LOADED)
    answer = agency_rows(world.asked(NOW))
    assert [(row.agency, row.declared) for row in answer.rows] == [
        ("capil", True), ("dishub", True), ("kominfo", True), ("camat-x", False),
    ]
    assert answer.not_connected == ()
    capil = answer.rows[0]
    assert (capil.received.value, capil.complaints_open, capil.complaints_late, capil.complaints_level) == (
        7.0, 1, 1, Level.ATTENTION,
    )
    assert capil.hours[:5] == (0, 0, 0, 7, None)
    assert answer.rows[1].complaints_open == 0


def test_without_a_source_of_complaints_nothing_is_said_of_them(world: World) -> None:
    answer = agency_rows(world.asked(NOW))
    assert [row.complaints_open for row in answer.rows] == [None, None]
    assert answer.not_connected == ("Kominfo",)


def test_the_headline_service_is_measured_over_thirty_whole_days_against_its_standard(engine) -> None:
    world = World(engine)
    done = [
        Told(f"h{number}", at, at + timedelta(hours=3))
        for number in range(40) for at in [wita("2026-11-19 08:00") + timedelta(minutes=number)]
    ]
    other = [Told(f"i{number}", wita("2026-11-19 08:00"), wita("2026-11-19 08:30"), service="kk") for number in range(50)]
    world.deliver("capil-source", [*done, *other], at=LOADED)
    row = agency_rows(world.asked(NOW)).rows[0]
    assert (row.time_service, row.time_unit, row.standard_amount) == ("ktp", "working days", 1.0)
    assert row.time_value == pytest.approx(0.4)  # three of seven and a half hours
    assert row.time_share == pytest.approx(0.4)
    assert (row.on_time.value, row.on_time.cases, row.time_level) == (100.0, 90, Level.NORMAL)
    world.deliver("capil-source", [
        Told(f"h{number}", at, at + timedelta(days=5))
        for number in range(40) for at in [wita("2026-11-16 08:00") + timedelta(minutes=number)]
    ], at=NOW, since=NOW)
    later = agency_rows(world.asked(NOW + timedelta(minutes=1))).rows[0]
    assert (later.time_level, later.on_time.value) == (Level.WARNING, pytest.approx(100 * 50 / 90))


@pytest.mark.parametrize("at", ["2026-11-24 00:01", "2026-11-22 00:01", "2026-11-24 10:53"])
def test_an_empty_store_answers_every_question(engine, at: str) -> None:
    for question in QUESTIONS:
        answer = question(World(engine).asked(wita(at)))
        assert answer.as_of == epoch(wita(at))
    assert received_today(World(engine).asked(wita(at))).figure.state is State.NONE


def test_a_minute_after_midnight_nothing_came_yet_and_the_store_vouches_for_it(world: World) -> None:
    at = wita("2026-11-25 00:01")
    world.deliver("capil-source", [], at=at, since=NOW)
    world.deliver("dishub-source", [], at=at, since=NOW)
    assert received_today(world.asked(at)).figure.value == 0.0
    assert on_time_today(world.asked(at)).figure.state is State.TOO_FEW
    answer = received_rolling(world.asked(at))
    assert answer.line == ((0.0, 0.0), (1.0, 0.0))


def test_a_correction_of_an_earlier_day_moves_the_band_within_a_minute(world: World) -> None:
    asked = world.asked(NOW)
    before = received_today(asked).figure.band
    world.deliver("capil-source", [
        Told(f"late{week}-{number}", wita("2026-11-24 08:00") - timedelta(days=7 * week))
        for week in WEEKS for number in range(10)
    ], at=NOW, since=NOW - timedelta(days=70))
    soon = received_today(world.asked(NOW + timedelta(seconds=1)))
    assert soon.changes_at is not None
    then = received_today(world.asked(NOW + timedelta(minutes=1))).figure.band
    assert before is not None
    assert then is not None
    assert soon.changes_at <= epoch(NOW) + 60
    assert (then.low, then.high) == (before.low + 10, before.high + 10)
