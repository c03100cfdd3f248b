"""What people present are told: no count under ten, and none that a total, a difference or another panel gives away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.declarations import Regency
from config.loading import load
from dashboard.live.snapshot import EVERYTHING, Said, Snapshot
from dashboard.queries import audience
from dashboard.queries.answers import Alarm, Alarms, Level, State
from dashboard.store.engine import migrate, open_engine
from dashboard.timetable import PEOPLE
from dashboard.walls import _instance, wall_zone
from dashboard.words import Say
from layouts import wall
from layouts.panels import names, panel
from tests.conftest import NOW
from tests.layouts import answers
from tests.small import Told, World
from tests.small import regency as small

SHIPPED = load(Path(__file__).parents[2] / "config")


def declared() -> Regency:
    """The small regency with the shipped words, screens, modes and groups."""
    shipped = {name: getattr(SHIPPED, name) for name in ("words", "scenes", "screens", "modes", "groups")}
    return small().model_copy(update={**shipped, "simulated": True})


Town = list[tuple[str, Told]]


def town(**changed: int) -> Town:
    """A morning: requests received and completed at two agencies, complaints of a third; by name how many there are of each."""
    counts = {"ktp": 42, "kk": 23, "kir": 34, "late": 13, "complaints": 4, "done": 14, **changed}
    found: Town = []

    def add(source: str, kind: str, made: Callable[[int], Told]) -> None:
        found.extend((source, made(number)) for number in range(counts[kind]))

    add("capil-source", "ktp", lambda n: Told(f"ktp{n}", NOW - timedelta(minutes=90), channel="online", district="73.22.01"))
    add("capil-source", "kk", lambda n: Told(f"kk{n}", NOW - timedelta(minutes=80), service="kk"))
    add("capil-source", "done", lambda n: Told(f"d{n}", NOW - timedelta(minutes=70), NOW - timedelta(minutes=5)))
    add("dishub-source", "kir", lambda n: Told(f"kir{n}", NOW - timedelta(minutes=60), service="kir"))
    add("dishub-source", "late", lambda n: Told(f"late{n}", NOW - timedelta(days=3), service="kir"))
    add("lapor", "complaints", lambda n: Told(f"c{n}", NOW - timedelta(hours=1), service="lapor", agency="dishub"))
    return found


def shown(tmp_path: Path, cases: Town, regency: Regency | None = None) -> dict[str, Said]:
    """What every instance on the wall says of a town, in a store of its own."""
    engine = open_engine(f"sqlite:///{tmp_path / 'figures.sqlite'}")
    migrate(engine)
    world = World(engine, regency or declared())
    for source in ("capil-source", "dishub-source", "lapor"):
        world.deliver(source, [told for who, told in cases if who == source], at=NOW, since=NOW - timedelta(days=10))
    snapshot = Snapshot(wall_zone(world.regency).instances)
    snapshot.refresh(world.asked(NOW), EVERYTHING)
    engine.dispose()
    assert not any(said.failed for said in snapshot.states.values())
    return snapshot.states


def told_to(states: dict[str, Said], who: str) -> dict[str, str]:
    """The content of each panel on the west wall for an audience, by a digest of what is drawn with its stamps."""
    plan = wall_zone(declared()).plans["west" if who == "room" else "west@people"]
    return {name: states[name].said for name in plan.instances}


@pytest.mark.parametrize("secret", [
    {"complaints": 7}, {"complaints": 0}, {"complaints": 9}, {"late": 17}, {"late": 10}, {"kir": 38, "ktp": 38}, {"kk": 29, "ktp": 36},
    {"kir": 38}, {"done": 16, "kk": 21},
], ids=str)
def test_towns_that_differ_in_small_counts_look_the_same_to_people_present(tmp_path: Path, secret: dict[str, int]) -> None:
    """What cannot be told apart gives nothing away, whatever is subtracted from what, on any panel of any scene of the visit."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    here, there = shown(one, town()), shown(other, town(**secret))
    assert told_to(here, "people") == told_to(there, "people")
    assert told_to(here, "room") != told_to(there, "room")


def test_a_count_that_crosses_a_ten_is_seen(tmp_path: Path) -> None:
    """The proof above is not one of a wall that says nothing at all."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert told_to(shown(one, town()), "people") != told_to(shown(other, town(ktp=52)), "people")


def texts(said: Said) -> Iterator[str]:
    """Every text that a panel draws."""

    def walk(tree: Any) -> Iterator[str]:
        if isinstance(tree, str | int | float):
            yield str(tree)
        elif isinstance(tree, list):
            for each in tree:
                yield from walk(each)
        elif isinstance(tree, dict):
            yield from walk(tree.get("props", {}).get("children"))

    return walk(said.drawn.tree)


def test_the_figures_of_the_visit_are_multiples_of_ten_and_say_so(tmp_path: Path) -> None:
    states = shown(tmp_path, town())
    figures = {name: " ".join(texts(states[f"{name}-people"])) for name in ("received_today", "completed_today", "overdue_now")}
    assert re.search(r"\b110\b", figures["received_today"])  # 42 + 23 + 14 + 34 = 113
    assert re.search(r"\b10\b", figures["completed_today"])  # 14
    assert re.search(r"\b10\b", figures["overdue_now"])  # 13
    assert "kelipatan 10" in figures["received_today"]


def test_under_ten_is_told_as_such_and_never_as_a_number(tmp_path: Path) -> None:
    states = shown(tmp_path, town(late=4, done=3))
    for name in ("overdue_now", "completed_today"):
        assert "<10" in list(texts(states[f"{name}-people"]))
        assert "is-suppressed" in str(states[f"{name}-people"].drawn.tree)


def test_parts_of_a_total_are_left_out_with_the_words_why(tmp_path: Path) -> None:
    states = shown(tmp_path, town())
    rows = list(texts(states["agencies-people"]))
    assert "disamarkan" in rows
    assert not {"79", "34", "42"} & set(rows)
    line = list(texts(states["received_rolling-people"]))
    assert "Tidak ditampilkan" in line
    assert any("belum dirilis" in text for text in line)


def test_an_alarm_that_counts_cases_keeps_its_level_and_loses_its_number_and_its_agency() -> None:
    told = Alarm("overdue:dishub", "overdue", Level.WARNING, "Dishub", 1, {"count": 7, "typical": 3.0}, 7.0)
    silent = Alarm("source:x", "offline", Level.WARNING, "Dishub", 1, {"from": 1}, 90.0)
    found = audience.alarms(Alarms(2, (told, silent), Level.WARNING, 3, last_ended=told, last_ended_at=1))
    assert found.overall is Level.WARNING
    assert found.alarms[0] == replace(told, rule=audience.ANONYMOUS, subject="", params={}, value=None)
    assert found.alarms[1] == silent
    assert (found.last_ended, found.last_ended_at) == (None, None)


@pytest.mark.parametrize(("cases", "value", "told"), [(480, 97.3, 95.0), (2100, 97.3, 97.0), (250, 97.3, 100.0), (199, 97.3, None)])
def test_a_share_is_rounded_until_a_step_is_ten_cases(cases: int, value: float, told: float | None) -> None:
    figure = audience.headline(answers.tile(replace(answers.RATE, value=value, cases=cases))).figure
    assert figure.value == told
    assert figure.cases is None


@pytest.mark.parametrize("state", [State.STALE, State.OFFLINE])
def test_a_small_old_figure_is_both_suppressed_and_old(state: State) -> None:
    figure = audience.headline(answers.tile(replace(answers.RECEIVED, value=7, state=state))).figure
    assert (figure.value, figure.state, figure.rounded_to) == (None, state, 10)


def test_a_level_is_that_of_what_is_told() -> None:
    above = replace(answers.OVERDUE, value=38, level=Level.WARNING)  # usual up to 36: the same ten
    assert audience.headline(answers.tile(above)).figure.level is Level.NORMAL
    assert audience.headline(answers.tile(replace(above, value=43))).figure.level is Level.WARNING


@pytest.mark.parametrize("name", names())
def test_a_panel_without_a_rule_for_people_present_is_not_asked_for_them(name: str) -> None:
    """Whatever is added later is left out until somebody says what of it may be told."""
    rule = getattr(panel(name), "for_people", None)
    found = wall.instance(name, {}, "id", PEOPLE)
    assert (found.id == f"{name}-people") == (rule is not audience.nothing_counted)
    made = _instance(found, Say(declared(), "id"))
    assert (made.ask is audience.not_asked) == (rule is None)
    assert (made.reads == frozenset()) == (rule is None)


def test_the_plan_of_the_visit_holds_no_instance_of_the_room_that_counts_cases() -> None:
    plan = wall_zone(declared()).plans["west@people"]
    assert plan.audience == PEOPLE
    shared = [name for name in plan.instances if not name.endswith("-people")]
    assert {getattr(panel(name), "for_people", None) for name in shared} == {audience.nothing_counted}


def test_a_critical_alarm_of_the_real_rules_pins_and_its_scene_is_known(tmp_path: Path) -> None:
    plan = wall_zone(declared()).plans["west"]
    assert audience.critical(answers.ALARMS["critical"]) == "uncalled"
    assert audience.critical(answers.ALARMS["normal"]) == ""
    assert [scene.name for scene in plan.everything if "*" in scene.rules] == ["today"]
    instances = {instance.id: instance for instance in wall_zone(declared()).instances}
    pins = instances["overall_state"].pins
    assert pins is not None
    assert pins(answers.ALARMS["critical"]) == "uncalled"
    assert instances["overall_state-people"].pins is not None
