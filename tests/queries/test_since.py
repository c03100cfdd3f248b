"""What the store says today of a past instant: what the wall said then, until something was learnt of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from dashboard.queries.since import FIGURES, Learnt, figures_at, learnt_since
from dashboard.queries.today import completed_today, on_time_today, overdue_now, received_today
from tests.small import Told, World, wita

THEN = wita("2026-11-24 10:53")  # a Tuesday
NEXT = THEN + timedelta(minutes=1)
LATER = wita("2026-11-24 15:00")
AT_NINE, AT_TEN = wita("2026-11-24 09:00"), wita("2026-11-24 10:00")


def _cases() -> list[Told]:
    old = [Told(f"o{number}", wita("2026-11-19 09:00"), service="kk") for number in range(4)]
    done = [Told(f"d{number}", AT_NINE, AT_TEN) for number in range(40)]
    return [*old, *done, *[Told(f"n{number}", AT_TEN) for number in range(7)], Told("c", AT_NINE, AT_TEN, status="cancelled")]


@pytest.fixture
def world(engine: Engine) -> World:
    """Both sources loaded a minute before the instant."""
    made = World(engine)
    for source in ("capil-source", "dishub-source"):
        made.deliver(source, _cases() if source == "capil-source" else [], at=THEN - timedelta(minutes=1), since=wita("2026-11-01 00:00"))
    return made


def _values(world: World) -> dict[str, float | None]:
    return {name: known.value for name, known in figures_at(world.asked(THEN)).items()}


def test_of_an_instant_without_corrections_it_says_what_the_wall_said(world: World) -> None:
    asked = world.asked(THEN)
    said = {
        "received": received_today, "completed": completed_today, "on_time_rate": on_time_today, "overdue": overdue_now,
    }
    assert _values(world) == {name: question(asked).figure.value for name, question in said.items()}
    assert _values(world)["received"] == 48
    assert learnt_since(asked) == []
    assert {metric for _, metric in FIGURES.values()} == set(said)


def test_what_came_after_the_instant_changes_nothing_of_it(world: World) -> None:
    before = _values(world)
    world.deliver("capil-source", [
        *[Told(f"l{number}", wita("2026-11-24 13:00")) for number in range(5)],
        *[Told(f"n{number}", AT_TEN, wita("2026-11-24 14:00")) for number in range(7)],
        *[Told(f"o{number}", wita("2026-11-19 09:00"), wita("2026-11-24 14:00"), service="kk") for number in range(4)],
    ], at=LATER)
    assert _values(world) == before


def test_late_rows_and_corrections_of_it_are_told_by_source(world: World) -> None:
    before = _values(world)
    world.deliver("capil-source", [
        *[Told(f"l{number}", AT_NINE) for number in range(5)],
        Told("d0", AT_NINE), Told("n1", AT_TEN, wita("2026-11-24 10:30")),
        Told("o0", wita("2026-11-19 09:00"), wita("2026-11-20 09:00"), service="kk"),
    ], at=LATER)
    world.deliver("dishub-source", [Told("k", AT_NINE, service="kir")], at=NEXT)
    after = _values(world)
    assert (after["received"], after["completed"], after["overdue"]) == (
        before["received"] + 6, before["completed"], before["overdue"] - 1,  # type: ignore[operator]
    )
    assert learnt_since(world.asked(THEN)) == [Learnt("capil-source", 5, 2, 0), Learnt("dishub-source", 1, 0, 0)]


def test_too_few_cases_behind_a_rate_are_counted_with_it(world: World) -> None:
    known = figures_at(world.asked(THEN))["on_time_rate"]
    assert (known.value, known.cases, known.decimals) == (100.0, 40, 1)
    nothing = figures_at(world.asked(wita("2026-11-22 10:00")))["on_time_rate"]
    assert (nothing.value, nothing.cases) == (None, 0)
