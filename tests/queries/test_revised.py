"""C10: a past figure that was corrected after its period had ended is marked; what merely went on is not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from dashboard.queries.revised import revised
from tests.small import Told, World, wita

THEN = wita("2026-11-24 10:53")  # a Tuesday
SINCE = date(2026, 10, 1)
OCTOBER, NOVEMBER = wita("2026-10-20 09:00"), wita("2026-11-10 09:00")


@pytest.fixture
def world(engine: Engine) -> World:
    """Three ended cases and an open one of October, and one of November."""
    made = World(engine)
    made.deliver("capil-source", [
        *[Told(f"d{number}", OCTOBER, OCTOBER + timedelta(days=1)) for number in range(3)], Told("o", OCTOBER), Told("n", NOVEMBER),
    ], at=THEN - timedelta(hours=1), since=wita("2026-09-01 00:00"))
    return made


def marked(world: World, grain: str = "month", **more: str) -> dict[str, int]:
    return revised(world.asked(THEN + timedelta(hours=2)), grain=grain, since=SINCE, **more)


def corrected(world: World, *cases: Told) -> None:
    world.deliver("capil-source", list(cases), at=THEN)


def test_what_was_never_corrected_is_not_marked(world: World) -> None:
    assert marked(world) == {}


def test_a_first_end_corrects_nothing_however_late_it_is_learnt(world: World) -> None:
    corrected(world, Told("o", OCTOBER, OCTOBER + timedelta(days=3)))
    assert marked(world) == {}


def test_a_corrected_end_marks_the_period_it_left_and_the_one_it_came_to_unless_that_goes_on(world: World) -> None:
    corrected(world, Told("d0", OCTOBER, NOVEMBER), Told("d1", OCTOBER, OCTOBER + timedelta(days=2)))
    assert marked(world) == {"2026-10-01": 2}
    assert marked(world, "day") == {"2026-10-21": 2, "2026-10-22": 1, "2026-11-10": 1}


def test_a_corrected_submission_marks_both_and_a_reopened_case_marks_its_end(world: World) -> None:
    corrected(world, Told("o", wita("2026-09-30 09:00")), Told("d2", OCTOBER))
    assert marked(world) == {"2026-10-01": 2}
    assert marked(world, "day") == {"2026-10-20": 1, "2026-10-21": 1}


def test_another_agency_is_not_marked(world: World) -> None:
    corrected(world, Told("d0", OCTOBER, NOVEMBER))
    assert marked(world, agency="dishub") == {}
    assert marked(world, agency="capil") == {"2026-10-01": 1}
