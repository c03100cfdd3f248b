"""The scene *ecosystem*: every outcome has an outline and a word, few elements carry a day, a long list turns pages."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from dashboard.cases import Outcome
from dashboard.queries.runs import HOURS, Hour
from layouts.components.run_strip import OUTCOMES, mark, run_strip
from tests.layouts import answers
from tests.layouts.static_page import as_json
from tests.layouts.test_panels import components, drawn, texts


def paths(tree: Any) -> dict[str, str]:
    """Class of a path → what it draws."""
    return {props["className"]: props["d"] for props in components(tree) if "d" in props}


def strip(*hours: Hour) -> Any:
    return as_json(run_strip("a", (*[Hour()] * (HOURS - len(hours)), *hours), answers.say()))


def test_every_outcome_of_the_product_has_a_mark_and_a_word() -> None:
    assert {outcome.value for outcome in Outcome} == set(OUTCOMES)
    assert {answers.say()(f"outcomes.{outcome}") for outcome in OUTCOMES} <= texts(drawn("ecosystem", "normal"))


@pytest.mark.parametrize(("one", "other"), list(combinations(OUTCOMES, 2)))
def test_two_outcomes_differ_by_outline_and_not_only_by_colour(one: str, other: str) -> None:
    assert set(paths(as_json(mark(one))).values()) != set(paths(as_json(mark(other))).values())


@pytest.mark.parametrize("outcome", ["held", "unavailable", "rejected", "changed", "failed"])
def test_an_hour_that_went_wrong_and_well_shows_both(outcome: str) -> None:
    both, bad = paths(strip(Hour("ok", outcome))), paths(strip(Hour("", outcome)))
    assert both["run good"]
    assert not bad["run good"]
    assert [bool(both["run gone"]), bool(both["run odd"])] == [outcome == "unavailable", outcome != "unavailable"]


def test_an_hour_without_a_run_draws_nothing() -> None:
    assert set(paths(strip()).values()) == {""}


def test_a_day_of_runs_is_four_elements() -> None:
    assert len(list(components(strip(*[Hour("ok", "held")] * HOURS)))) == 4


def test_a_day_is_read_aloud_by_its_hours() -> None:
    label = next(components(strip(Hour("ok"), Hour("ok"), Hour("empty", "held"))))["aria-label"]
    assert label == "24 jam terakhir, jam demi jam: 2 lancar, 1 ditahan"


def test_a_wall_of_twelve_agencies_is_few_elements() -> None:
    assert len(list(components(drawn("ecosystem", "every-problem")))) < 300


def test_who_is_connected_is_counted_and_who_is_not_is_named() -> None:
    shown = texts(drawn("ecosystem", "normal"))
    assert {"11", "dari 23 terhubung", "5 segar", "12 belum", "Setwan", "belum terhubung", "13 sumber data", "segar, 2 sumber"} <= shown


def test_a_source_that_is_held_says_why_and_stays_fresh_within_its_limit() -> None:
    assert "ditahan: isian hilang" in texts(drawn("ecosystem", "normal"))


def test_a_source_that_is_left_alone_says_until_when() -> None:
    """A20: the next run's time is shown, not only that the agency refused."""
    assert "ditolak, lagi 11.03" in texts(drawn("ecosystem", "normal"))


def test_an_agency_fed_by_another_ones_system_says_through_whom() -> None:
    assert "lewat Diskominfo-SP" in texts(drawn("ecosystem", "normal"))


@pytest.mark.parametrize(("example", "pages"), [("nobody", 1), ("normal", 2), ("all-unconnected", 2), ("many", 4)])
def test_a_long_list_turns_pages_and_loses_nobody(example: str, pages: int) -> None:
    tree, answer = drawn("ecosystem", example), answers.ECOSYSTEMS[example]
    marks = {props["data-page"] for props in components(tree) if "data-page" in props}
    assert len(marks) == pages
    assert {one.short_name for one in answer.units} | set(answer.not_connected) <= texts(tree)


def test_the_age_is_counted_by_the_browser_from_the_datas_own_stamp() -> None:
    ages = [props["data-age-since"] for props in components(drawn("ecosystem", "normal")) if "data-age-since" in props]
    assert str(answers.DATA) in ages
    assert "" in ages
