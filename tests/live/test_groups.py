"""Groups of screens at the hub: scenes together, modes at once, a pinned alarm, and a page of another audience that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from dashboard.live.hub import Hub, Pace, ScreenPlan
from dashboard.live.scenes import Planned, Shown, pinned, shown_at
from dashboard.live.snapshot import EVERYTHING, Snapshot
from dashboard.timetable import PEOPLE, Modes, Override
from tests.dashboard.test_timetable import NIGHT, ms, regency
from tests.live.test_hub import Screen
from tests.live.test_snapshot import Panel, _at
from tests.loops import run

ONE, TWO, THREE = Planned("one", 20_000, ("a",)), Planned("two", 10_000, ("b",)), Planned("three", 10_000, ("c",), frozenset({"*"}))
CALLS = Planned("mpp", 10_000, ("d",), frozenset({"uncalled"}))
PAGES = {"b": 3}


def test_the_screens_of_a_group_go_from_scene_to_scene_together() -> None:
    west, lobby = [ONE, TWO, THREE], [TWO, ONE]
    base = 60_000 * (20_000 + 30_000 + 10_000)  # steps: 30 s (three pages of two), 30 s, 10 s
    starts = []
    for plan, others in ((west, [lobby]), (lobby, [west])):
        found = [shown_at(plan, PAGES, base + at, others) for at in range(0, 140_000, 1000)]
        starts.append({at for at in range(1, 140) if found[at].scene != found[at - 1].scene})
    assert starts[0] == starts[1] | (starts[0] - starts[1])
    assert starts[1] <= starts[0]


def test_a_scene_that_is_through_with_its_pages_shows_them_again_until_the_step_ends() -> None:
    found = [shown_at([ONE], {}, at, [[TWO]]) for at in (0, 19_999)]
    assert found == [Shown("one", 1, 1, 0)] * 2
    shown = [shown_at([TWO, ONE], PAGES, at, [[ONE, ONE]]).page for at in (0, 10_000, 20_000)]
    assert shown == [1, 2, 3]


def test_a_critical_alarm_pins_its_own_panels_scene_else_that_with_the_list() -> None:
    assert pinned([ONE, TWO], [ONE, TWO, THREE, CALLS], "uncalled") == CALLS
    assert pinned([ONE, TWO], [ONE, TWO, THREE, CALLS], "disk_full") == THREE
    assert pinned([ONE], [ONE, TWO], "disk_full") is None


@dataclass
class House:
    """A hub of two screens with a group, its snapshot, and the clock that the test sets."""

    hub: Hub
    modes: Modes
    snapshot: Snapshot
    panels: dict[str, Panel]
    now: list[int] = field(default_factory=list)

    def change(self, name: str, value: int, *, pins: str | None = None) -> None:
        """Another answer of a panel, published; ``pins``: the rule of a critical alarm."""
        self.panels[name].value = value
        found = self.snapshot.refresh(_at(float(value)), self.panels[name].instance.reads)
        self.hub.publish([replace(said, pins=pins or "") for said in found])

    async def go_on(self, seconds: float = 0.0) -> None:
        """Let the clock go and the hub work."""
        self.now[0] += int(seconds * 1000)
        self.hub.turn()
        await asyncio.sleep(0.05)


def _house(test: Callable[[House], Awaitable[None]], *schedule: dict[str, Any], at: str = "2026-11-24 10:00") -> None:
    async def whole() -> None:
        declared = regency(NIGHT, *schedule, screens=["west", "lobby"])
        modes, now = Modes(declared), [ms(at)]
        panels = {name: Panel(name, {name}) for name in ("secret", "told")}
        snapshot = Snapshot(panel.instance for panel in panels.values())
        plans = {}
        for screen in ("west", "lobby"):
            room = (Planned("one", 20_000, ("secret",)), Planned("list", 20_000, (), frozenset({"*"})))
            plans[screen] = ScreenPlan(
                screen, ("secret",), room, "room", screen=screen, everything=room, modes={"morning": room[:1], "night": room[1:]}
            )
            people = (Planned("one", 20_000, ("told",)),)
            plans[f"{screen}@people"] = ScreenPlan(
                f"{screen}@people", ("told",), people, "people", screen=screen, audience=PEOPLE, everything=people
            )
        hub = Hub(
            plans, build="b", living=lambda sessions: sessions, now_ms=lambda: now[0], pace=Pace(tick_seconds=100), modes=modes,
        )
        hub.start()
        hub.publish(snapshot.refresh(_at(0), EVERYTHING))
        try:
            await test(House(hub, modes, snapshot, panels, now))
        finally:
            await hub.stop()

    run(whole())


def _scenes(screen: Screen) -> list[dict[str, Any]]:
    return [data for name, data in screen.events() if name == "scene"]


def _join(house: House, screen: str) -> Screen:
    plan = house.hub.showing(screen)
    assert plan is not None
    return Screen(house.hub, plan)


def test_every_wall_of_a_group_follows_an_override_at_once_and_returns_by_itself() -> None:
    async def test(house: House) -> None:
        walls = [_join(house, screen) for screen in ("west", "lobby")]
        await asyncio.sleep(0.05)
        house.modes.replace([Override("room", "night", house.now[0] + 60_000)])
        house.hub.modes_changed()
        await asyncio.sleep(0.05)
        for wall in walls:
            last = _scenes(wall)[-1]
            assert (last["mode"], last["overridden"], last["mode_until"], last["dim"], last["scene"]) == (
                "night", True, house.now[0] + 60_000, 0.75, "list")
        await house.go_on(60)
        for wall in walls:
            last = _scenes(wall)[-1]
            assert (last["mode"], last["overridden"], last["dim"]) == ("day", False, 1.0)

    _house(test)


def test_a_stream_of_the_room_gets_nothing_more_once_people_are_present() -> None:
    async def test(house: House) -> None:
        wall = _join(house, "west")
        await asyncio.sleep(0.05)
        assert [data["panel"] for name, data in wall.events() if name == "frame"] == ["secret"]
        house.modes.replace([Override("room", "visit", house.now[0] + 60_000)])
        house.change("secret", 4711)  # published before any turn of the hub: even so it must not go out
        house.hub.modes_changed()
        await asyncio.sleep(0.05)
        house.change("secret", 4712)
        await asyncio.sleep(0.05)
        assert wall.names()[-1] == "wipe"
        assert b"4711" not in wall.sent
        assert b"4712" not in wall.sent
        assert wall.task.done()
        again = _join(house, "west")
        await asyncio.sleep(0.05)
        hello = again.events()[0][1]
        assert (hello["audience"], hello["layout"], hello["screen"]) == ("people", "people", "west")
        assert [data["panel"] for name, data in again.events() if name == "frame"] == ["told"]
        await house.go_on(60)
        assert again.names()[-1] == "wipe"

    _house(test)


def test_a_slow_wall_that_was_owed_room_figures_gets_none_of_them_after_the_switch() -> None:
    async def test(house: House) -> None:
        wall = _join(house, "west")
        await asyncio.sleep(0.05)
        wall.reads.clear()
        house.change("secret", 1001)
        await asyncio.sleep(0.05)
        house.change("secret", 1002)  # due: the wall still is being sent to
        house.modes.replace([Override("room", "visit", house.now[0] + 60_000)])
        house.hub.turn(again=True)
        wall.reads.set()
        await asyncio.sleep(0.05)
        assert wall.names()[-1] == "wipe"
        assert b"1002" not in wall.sent

    _house(test)


def test_a_visit_of_the_schedule_begins_by_the_clock_and_the_page_knows_it_before() -> None:
    async def test(house: House) -> None:
        wall = _join(house, "west")
        await asyncio.sleep(0.05)
        assert _scenes(wall)[-1]["wipe_at"] == house.now[0] + 3_600_000
        await house.go_on(3600)
        assert wall.names()[-1] == "wipe"

    _house(test, {"mode": "visit", "hours": ["11:00", "12:00"]})


def test_the_worst_alarm_pins_its_scene_on_every_wall_until_it_ends_and_lifts_the_nights_shade() -> None:
    async def test(house: House) -> None:
        house.modes.replace([Override("room", "morning", house.now[0] + 3_600_000)])  # its scenes have no list of alarms
        walls = [_join(house, screen) for screen in ("west", "lobby")]
        await asyncio.sleep(0.05)
        house.change("secret", 2, pins="uncalled")
        await house.go_on(100)
        for wall in walls:
            assert (_scenes(wall)[-1]["scene"], _scenes(wall)[-1]["pinned"]) == ("list", True)
        house.change("secret", 3)
        await house.go_on()
        for wall in walls:
            assert (_scenes(wall)[-1]["scene"], _scenes(wall)[-1]["pinned"]) == ("one", False)
        house.modes.replace([Override("room", "night", house.now[0] + 3_600_000)])
        house.hub.turn(again=True)
        house.change("secret", 4, pins="uncalled")
        await house.go_on()
        assert {_scenes(wall)[-1]["dim"] for wall in walls} == {1.0}

    _house(test)


@pytest.mark.parametrize("turn", ["2026-11-30 23:59", "2026-12-31 23:59"])
def test_scenes_go_on_through_midnight_the_months_end_and_the_new_year(turn: str) -> None:
    """V13: the round is a function of the epoch; nothing of it knows a day."""
    plan, start = [ONE, TWO, THREE], ms(turn)
    found = [shown_at(plan, PAGES, start + second * 1000) for second in range(121)]
    changes = [at for at in range(1, 121) if (found[at].scene, found[at].page) != (found[at - 1].scene, found[at - 1].page)]
    assert {after - before for before, after in pairwise(changes)} <= {10, 20}
