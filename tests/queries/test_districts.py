"""How the districts compare: shares and counts by hand, states, ranks, the funnel, small numbers; right on an empty day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from config.declarations import Regency
from dashboard.clock import epoch
from dashboard.errors import ConfigError
from dashboard.queries.answers import Level, State
from dashboard.queries.by_district import spans, sums_by_district
from dashboard.queries.districts import DistrictRow, Districts, districts
from dashboard.queries.volumes import versions_of
from tests import small
from tests.layouts.district_answers import DECLARED
from tests.small import Told, World, wita

NOW = wita("2026-11-24 10:53")
LOADED = NOW - timedelta(minutes=3)
DAY = wita("2026-11-10 09:00")
FOUR = {code: DECLARED[code] for code in ("73.22.03", "73.22.06", "73.22.07", "73.22.09")}
MASAMBA, SUKAMAJU, SEKO, RAMPI = FOUR


def regency(**more: object) -> Regency:
    """The small regency with four districts."""
    return small.regency(code="73.22", districts=FOUR, calendars=small.ALWAYS, **more)


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, regency())


def done(name: str, district: str, count: int, late: int = 0, **more: object) -> list[Told]:
    """Requests of three hours' promise completed on one day, some of them late."""
    return [
        Told(f"{name}{at}", DAY, DAY + timedelta(hours=9 if at < late else 1), service="kk", district=district, **more)  # type: ignore[arg-type]
        for at in range(count)
    ]


def came(name: str, district: str, count: int, at: datetime = DAY) -> list[Told]:
    """Complaints of one district."""
    return [Told(f"{name}{number}", at, service="lapor", district=district, agency="capil") for number in range(count)]


def deliver(world: World, source: str, told: list[Told], at: datetime = LOADED) -> None:
    """A first load that vouches for the whole window."""
    world.deliver(source, told, at=at, since=DAY - timedelta(days=40))


def row(answer: Districts, code: str) -> DistrictRow:
    """The row of a district."""
    return next(one for one in answer.rows if one.district == code)


def test_the_share_late_is_of_those_judged_and_the_most_comes_first(world: World) -> None:
    deliver(world, "capil-source", [*done("a", "Masamba", 100, 5), *done("b", "SUKAMAJU", 50, 20), *done("c", "73.22.07", 40)])
    answer = districts(world.asked(NOW))
    assert [(one.name, one.rank, one.figure.value, one.figure.cases) for one in answer.rows] == [
        ("Sukamaju", 1, 40.0, 50), ("Masamba", 2, 5.0, 100), ("Seko", 3, 0.0, 40), ("Rampi", None, None, 0),
    ]
    assert answer.mean == pytest.approx(100 * 25 / 190)
    assert row(answer, SUKAMAJU).figure.level is Level.WARNING
    assert row(answer, MASAMBA).figure.level is Level.NORMAL
    assert row(answer, RAMPI).figure.state is State.NOT_APPLICABLE
    assert (answer.days_known, answer.data_until) == (30, epoch(LOADED))


def test_fewer_than_needed_are_too_few_and_not_ranked(world: World) -> None:
    deliver(world, "capil-source", [*done("a", "Masamba", 30, 3), *done("b", "Seko", 29, 29)])
    few = row(districts(world.asked(NOW)), SEKO)
    assert (few.rank, few.figure.value, few.figure.state, few.figure.cases, few.figure.needed) == (None, None, State.TOO_FEW, 29, 30)


def test_a_district_whose_data_are_stale_is_listed_with_its_last_share_and_not_ranked(world: World) -> None:
    deliver(world, "capil-source", [*done("a", "Masamba", 40, 1), *done("b", "Seko", 5)])
    deliver(world, "dishub-source", [
        Told(f"k{at}", DAY, DAY + timedelta(hours=9), service="kir", district="Seko") for at in range(40)
    ], at=NOW - timedelta(hours=2))
    answer = districts(world.asked(NOW))
    assert [(one.district, one.rank, one.figure.state) for one in answer.rows[:2]] == [
        (MASAMBA, 1, State.NORMAL), (SUKAMAJU, None, State.NOT_APPLICABLE),
    ]
    stale = row(answer, SEKO)
    assert (stale.rank, stale.figure.state, stale.figure.cases) == (None, State.STALE, 45)
    assert stale.figure.value == pytest.approx(100 * 40 / 45)
    assert answer.without == ("Dishub",)
    assert answer.mean == pytest.approx(2.5)


def test_the_wall_knows_when_the_first_district_turns_stale(world: World) -> None:
    deliver(world, "capil-source", done("a", "Masamba", 40))
    limits = districts(world.asked(NOW)).limits
    assert limits.stale == epoch(LOADED) + 1800
    later = districts(world.asked(NOW + timedelta(minutes=40)))
    assert {one.figure.state for one in later.rows} == {State.STALE}


def test_unknown_outside_and_not_provided_are_three_things(world: World) -> None:
    told = [*done("a", "Masamba", 40), *done("u", "Antah", 3), *done("o", "73.17.01.2001", 2), *done("n", "", 7)]
    deliver(world, "capil-source", told)
    assert [(one.what, one.count) for one in districts(world.asked(NOW)).apart] == [("unknown", 3), ("outside", 2), ("not_provided", 7)]


def test_today_and_days_before_the_window_do_not_count(world: World) -> None:
    today = [Told(f"t{at}", NOW - timedelta(hours=2), NOW - timedelta(hours=1), service="kk", district="Masamba") for at in range(40)]
    before = [Told("old", DAY - timedelta(days=30), DAY - timedelta(days=30), service="kk", district="Masamba")]
    deliver(world, "capil-source", [*today, *before, *done("a", "Seko", 31)])
    assert row(districts(world.asked(NOW)), MASAMBA).figure.cases == 0


def test_complaints_by_district_hide_small_numbers_and_no_total_gives_them_away(world: World) -> None:  # P3 P4
    deliver(world, "lapor", [*came("a", "Masamba", 40), *came("b", "Sukamaju", 9), *came("c", "Seko", 3)])
    answer = districts(world.asked(NOW), measure="received", kind="complaint")
    assert [(one.district, one.rank, one.figure.value, one.figure.cases, one.hidden) for one in answer.rows] == [
        (MASAMBA, 1, 40.0, 40, ""), (RAMPI, 2, 0.0, 0, ""), (SUKAMAJU, None, None, None, "further"), (SEKO, None, None, None, "small"),
    ]
    assert (answer.mean, answer.k) == (20.0, 5)


def test_a_small_number_without_a_district_is_hidden_too_and_two_protect_each_other(world: World) -> None:  # P3 P4
    deliver(world, "lapor", [*came("a", "Masamba", 40), *came("b", "Sukamaju", 9), *came("c", "Seko", 3), *came("d", "Antah", 2)])
    answer = districts(world.asked(NOW), measure="received", kind="complaint")
    assert [(one.district, one.hidden) for one in answer.rows] == [(MASAMBA, ""), (SUKAMAJU, ""), (RAMPI, ""), (SEKO, "small")]
    assert [one.count for one in answer.apart] == [None, 0, 0]


def test_requests_of_health_hide_small_numbers_and_others_do_not(engine: Engine) -> None:  # P3
    for sector, expected in (("health", ("small", None)), (None, ("", 3))):
        agencies = {
            "capil": small.agency("Capil", {"kk": small.service("3 hours")}, id="capil", **({"sector": sector} if sector else {})),
            "dishub": small.agency("Dishub", {}, id="dishub"), "kominfo": small.agency("Kominfo", {}, id="kominfo"),
        }
        world = World(engine, regency(agencies=agencies))
        deliver(world, "capil-source", [*done("a", "Masamba", 40), *done("b", "Rampi", 3)])
        rampi = row(districts(world.asked(NOW)), RAMPI)
        assert (rampi.hidden, rampi.figure.cases, rampi.figure.value) == (*expected, None)


def test_a_stale_small_number_stays_hidden_and_stays_stale(world: World) -> None:  # P3
    deliver(world, "lapor", [*came("a", "Masamba", 40), *came("c", "Seko", 3)], at=NOW - timedelta(hours=3))
    seko = row(districts(world.asked(NOW), measure="received", kind="complaint"), SEKO)
    assert (seko.hidden, seko.figure.state, seko.figure.value, seko.figure.cases) == ("small", State.STALE, None, None)


def test_a_count_over_days_that_nobody_vouches_for_is_partly_known_and_none_is_no_zero(world: World) -> None:
    world.deliver("lapor", came("a", "Masamba", 40), at=LOADED, since=NOW - timedelta(days=10))
    answer = districts(world.asked(NOW), measure="received", kind="complaint")
    assert (row(answer, MASAMBA).figure.state, answer.days_known) == (State.PARTIAL, 9)
    world.deliver("capil-source", [], at=LOADED, since=NOW)
    visits = districts(world.asked(NOW), measure="received", kind="request")
    assert {one.figure.state for one in visits.rows} == {State.NOT_PROVIDED}


def test_only_the_agencies_asked_for_count(world: World) -> None:
    deliver(world, "capil-source", done("a", "Masamba", 40, 4))
    deliver(world, "dishub-source", [Told(f"k{at}", DAY, DAY + timedelta(hours=9), service="kir", district="Masamba") for at in range(40)])
    assert row(districts(world.asked(NOW)), MASAMBA).figure.value == 55.0
    only = districts(world.asked(NOW), agencies=["capil"])
    assert (row(only, MASAMBA).figure.value, only.agencies) == (10.0, ("Capil",))


@pytest.mark.parametrize("params", [{"measure": "per_head"}, {"kind": "letter"}, {"agencies": ["nobody"]}])
def test_a_name_that_does_not_exist_is_refused(world: World, params: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="known: "):
        districts(world.asked(NOW), **params)  # type: ignore[arg-type]


@pytest.mark.parametrize("at", ["2026-11-24 00:01", "2026-11-24 10:53"])
def test_an_empty_store_says_that_there_are_no_data(world: World, at: str) -> None:
    answer = districts(world.asked(wita(at)))
    assert {one.figure.state for one in answer.rows} == {State.NONE}
    assert (answer.mean, answer.limits.stale, [one.count for one in answer.apart]) == (None, None, [0, 0, 0])


def test_without_declared_districts_or_a_source_that_tells_them_nothing_is_invented(engine: Engine) -> None:
    assert districts(World(engine, small.regency()).asked(NOW)).rows == ()
    silent = small.source("capil")
    silent["fields"].pop("district")
    world = World(engine, regency(sources={silent["id"]: silent}))
    assert {one.figure.state for one in districts(world.asked(NOW)).rows} == {State.NOT_PROVIDED}


def test_a_late_row_of_an_earlier_day_counts_within_a_minute(world: World) -> None:
    deliver(world, "capil-source", done("a", "Masamba", 40))
    assert row(districts(world.asked(NOW)), MASAMBA).figure.value == 0.0
    world.deliver("capil-source", done("b", "Masamba", 40, 40), at=NOW, since=NOW)
    soon = districts(world.asked(NOW + timedelta(seconds=1)))
    assert soon.changes_at is not None
    assert soon.changes_at <= epoch(NOW) + 60
    assert row(districts(world.asked(NOW + timedelta(minutes=1))), MASAMBA).figure.value == 50.0


def test_a_long_window_takes_whole_months_and_counts_the_same(world: World) -> None:
    deliver(world, "capil-source", [
        Told(f"m{at}", DAY - timedelta(days=3 * at), DAY - timedelta(days=3 * at), service="kk", district="Seko") for at in range(40)
    ])
    context = world.asked(NOW)
    long = sums_by_district(context, versions_of(context), date(2026, 8, 20), date(2026, 11, 24))
    assert {place[3]: counts.received for place, counts in long.items()} == {SEKO: 28}
    assert list(spans(date(2026, 8, 20), date(2026, 11, 24))) == [
        ("day", date(2026, 8, 20), date(2026, 9, 1)), ("month", date(2026, 9, 1), date(2026, 11, 1)),
        ("day", date(2026, 11, 1), date(2026, 11, 24)),
    ]
    assert list(spans(date(2026, 11, 2), date(2026, 11, 20))) == [("day", date(2026, 11, 2), date(2026, 11, 20))]
