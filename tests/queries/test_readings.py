"""What published values say: the newest, its own period and its source's age, target, gaps, true zero and missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from config.declarations import Regency
from dashboard.cases import Outcome
from dashboard.clock import epoch
from dashboard.errors import ConfigError
from dashboard.queries.answers import Level, State
from dashboard.queries.figures import figures
from dashboard.queries.readings import Reading, readings
from dashboard.store.read import Read
from dashboard.store.readings import ReadingRow, store_readings
from tests import small
from tests.layouts.district_answers import DECLARED
from tests.small import World, wita

NOW = wita("2026-11-24 10:53")
LOADED = NOW - timedelta(minutes=3)
METRICS = {
    "budget": {"name": {"id": "belanja", "en": "budget"}, "unit": "percent", "good": "up", "decimals": 1},
    "tax": {"name": {"id": "pajak", "en": "tax"}, "unit": "rupiah", "good": "up", "adds": "sum"},
    "tax_due": {"name": {"id": "sasaran", "en": "due"}, "unit": "rupiah"},
}


def regency(**more: object) -> Regency:
    """A regency with a source of published values and three metrics of its own."""
    source = {
        "id": "angka", "owner": "kominfo", "connector": "rest", "feeds": "readings", "timezone": "Asia/Makassar", "every": "5 minutes",
        "stale_after": "30 minutes",
        "fields": {"metric": {"from": "m", "map": {"b": "budget", "t": "tax", "d": "tax_due", "s": "satisfaction"}}, "period": "p", "value": "v"},
    }
    return small.regency(sources={"angka": source}, metrics=METRICS, code="73.22", districts=DECLARED, **more)


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, regency())


def publish(world: World, rows: Iterable[tuple[str, str, str, str, float | None]], at: datetime = LOADED) -> None:
    """One run with rows of (metric, scope, grain, first moment of the period, value)."""
    read = Read.begin(world.engine, world.regency.sources["angka"], mode="snapshot", token=None, now=at, zone=world.regency.zone)
    store_readings(read, [
        ReadingRow(metric, scope, grain, epoch(wita(period)), "kominfo", value, epoch(wita(period)) + 5 * 86400)
        for metric, scope, grain, period, value in rows
    ], [])
    read.finish(outcome=Outcome.OK, now=at, data_until=epoch(at), covered=None, complete=True)


def one(world: World, metric: str, at: datetime = NOW, **params: object) -> Reading:
    """The only row of a question about one metric."""
    (found,) = readings(world.asked(at), metrics=[metric], **params).rows  # type: ignore[arg-type]
    return found


MONTHS = [("budget", "", "month", f"2026-{month:02}-01 00:00", 6.5 * month) for month in range(1, 11)]


def test_the_newest_period_is_shown_with_those_before_it(world: World) -> None:
    publish(world, [*MONTHS[:7], *MONTHS[8:]])
    found = one(world, "budget")
    assert (found.figure.value, found.figure.state, found.grain, found.decimals, found.unit) == (65.0, State.NORMAL, "month", 1, "percent")
    assert found.period == epoch(wita("2026-10-01 00:00"))
    assert found.series == (6.5, 13.0, 19.5, 26.0, 32.5, 39.0, 45.5, None, 58.5, 65.0)
    assert found.due_at == epoch(wita("2026-12-01 00:00"))


def test_a_value_on_the_wrong_side_of_its_target_asks_for_attention(world: World) -> None:
    publish(world, MONTHS)
    assert one(world, "budget", targets={"budget": 60}).figure.level is Level.NORMAL
    found = one(world, "budget", targets={"budget": 70})
    assert (found.figure.level, found.target) == (Level.ATTENTION, 70)


def test_a_target_of_a_year_is_not_missed_before_the_year_is_over(world: World) -> None:
    publish(world, [("tax", "", "month", "2026-10-01 00:00", 5.0), ("tax_due", "", "year", "2026-01-01 00:00", 9.0)])
    found = one(world, "tax", targets={"tax": "tax_due"})
    assert (found.target, found.figure.level) == (9.0, Level.NORMAL)
    publish(world, [("tax", "", "month", "2026-12-01 00:00", 7.0)], at=wita("2027-01-05 10:00"))
    assert one(world, "tax", wita("2027-01-05 10:01"), targets={"tax": "tax_due"}).figure.level is Level.ATTENTION


def test_the_source_that_is_not_read_any_more_makes_its_values_stale(world: World) -> None:
    publish(world, MONTHS)
    assert one(world, "budget", NOW + timedelta(minutes=10)).figure.state is State.LATE
    found = one(world, "budget", NOW + timedelta(minutes=40), targets={"budget": 70})
    assert (found.figure.state, found.figure.value, found.overdue, found.figure.level) == (State.STALE, 65.0, False, Level.NORMAL)


@pytest.mark.parametrize(("at", "params", "state"), [
    ("2026-12-31 23:00", {}, State.NORMAL), ("2027-01-01 01:00", {}, State.LATE), ("2027-02-01 01:00", {}, State.STALE),
    ("2026-12-10 01:00", {"late_after": "7 days"}, State.LATE), ("2026-12-20 01:00", {"late_after": "7 days", "stale_after": "14 days"}, State.STALE),
])
def test_a_value_whose_next_period_is_long_over_is_late_then_stale_though_its_source_is_well(
    world: World, at: str, params: dict[str, object], state: State
) -> None:
    publish(world, MONTHS)
    publish(world, [], at=wita(at))
    found = one(world, "budget", wita(at) + timedelta(minutes=1), **params)
    assert (found.figure.state, found.overdue) == (state, state is not State.NORMAL)


def test_the_answer_knows_when_the_clock_alone_makes_it_late_or_stale(world: World) -> None:
    publish(world, MONTHS)
    answer = readings(world.asked(NOW), metrics=["budget"], late_after="1 days")
    assert answer.limits.stale == epoch(LOADED) + 1800
    assert answer.changes_at is not None
    assert answer.changes_at <= epoch(LOADED) + 451


def test_zero_missing_and_never_published_are_three_things(world: World) -> None:
    publish(world, [("budget", "", "month", "2026-10-01 00:00", 0.0), ("tax", "", "month", "2026-10-01 00:00", None)])
    told = [(one(world, name).figure.value, one(world, name).figure.state) for name in ("budget", "tax", "satisfaction")]
    assert told == [(0.0, State.NORMAL), (None, State.NOT_PROVIDED), (None, State.NOT_PROVIDED)]
    assert one(world, "tax").period is not None
    assert one(world, "satisfaction").period is None


def test_before_anything_came_there_are_no_data(world: World) -> None:
    assert one(world, "budget").figure.state is State.NONE
    assert readings(world.asked(NOW), metrics=["budget"], by="scope").rows[0].figure.state is State.NONE


def test_a_metric_that_no_source_is_declared_for_has_no_data(engine: Engine) -> None:
    assert one(World(engine, small.regency(metrics=METRICS)), "budget").figure.state is State.NONE


def test_amounts_are_summed_since_january_and_a_gap_makes_the_sum_partly_known(world: World) -> None:
    whole = [("tax", "", "month", f"2026-{month:02}-01 00:00", 10.0) for month in range(1, 11)]
    publish(world, [*whole, ("tax", "", "month", "2025-12-01 00:00", 99.0)])
    assert (one(world, "tax", over="year").figure.value, one(world, "tax").figure.value) == (100.0, 10.0)
    publish(world, [("tax", "", "month", "2026-04-01 00:00", None)])
    found = one(world, "tax", over="year")
    assert (found.figure.value, found.figure.state) == (90.0, State.PARTIAL)


def test_a_metric_by_district_or_agency_names_them_as_declared_and_puts_the_most_first(world: World) -> None:
    publish(world, [
        ("tax", "BONEBONE", "month", "2026-10-01 00:00", 4.0), ("tax", "73.22.07", "month", "2026-10-01 00:00", None),
        ("tax", "capil", "month", "2026-10-01 00:00", 6.0), ("tax", "UPT Bantimurung", "month", "2026-09-01 00:00", 5.0),
        ("tax", "BONEBONE", "month", "2026-09-01 00:00", 99.0), ("tax", "", "month", "2026-10-01 00:00", 15.0),
    ])
    answer = readings(world.asked(NOW), metrics=["tax"], by="scope")
    assert [(row.name, row.figure.value) for row in answer.rows] == [
        ("Capil", 6.0), ("UPT Bantimurung", 5.0), ("Bone-Bone", 4.0), ("Seko", None),
    ]


def test_a_period_that_has_not_begun_is_not_shown_yet(world: World) -> None:
    publish(world, [*MONTHS, ("budget", "", "month", "2027-01-01 00:00", 1.0)])
    assert one(world, "budget").figure.value == 65.0


def test_a_metric_or_duration_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="no metric 'profit'"):
        readings(world.asked(NOW), metrics=["profit"])
    with pytest.raises(ConfigError, match="not a duration"):
        readings(world.asked(NOW), metrics=["budget"], late_after="soon")


def test_declared_metrics_are_among_the_figures_that_people_can_check(world: World) -> None:
    publish(world, MONTHS)
    frame = figures(world.asked(NOW), metrics=["budget"], grain="month", since=wita("2026-10-01 12:00").date())
    assert frame[["period", "unit", "value", "state"]].to_numpy().tolist()[0] == ["2026-10-01", "percent", 65.0, "normal"]
