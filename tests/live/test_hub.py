"""The fan-out: the current state at once, the same bytes for all, nobody held up, nobody shown what is not theirs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from dashboard.live.hub import Hub, Pace, ScreenPlan
from dashboard.live.scenes import Planned
from dashboard.live.snapshot import EVERYTHING, Said, Snapshot
from tests.live.test_snapshot import Panel, _at
from tests.loops import run

PLAN = ScreenPlan("west", ("a", "b"), (Planned("one", 1000, ("a", "b")),), "layout")
OTHER = ScreenPlan("east", ("b",), (Planned("one", 1000, ("b",)),), "layout")


class Screen:
    """A client of the hub: what it was sent; it may stop reading."""

    def __init__(self, hub: Hub, plan: ScreenPlan = PLAN, session: bytes = b"s", known: frozenset[str] = frozenset()) -> None:
        self.sent = b""
        self.sends = 0
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = asyncio.Event()
        self.task = asyncio.ensure_future(hub.stream(plan, session, self._receive, self._send, known))

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sends += 1
        await self.reads.wait()
        self.sent += message.get("body", b"")

    def events(self) -> list[tuple[str, Any]]:
        blocks = [block.split("\n") for block in self.sent.decode().split("\n\n") if block]
        fields = [dict(line.split(": ", 1) for line in block) for block in blocks]
        return [(field["event"], json.loads(field["data"])) for field in fields]

    def names(self) -> list[str]:
        return [name for name, _ in self.events()]


Test = Callable[[Hub, Snapshot, dict[str, Panel]], Awaitable[None]]


def _run(test: Test, pace: Pace | None = None, **how: Any) -> None:
    async def whole() -> None:
        panels = {name: Panel(name, {name}) for name in ("a", "b")}
        snapshot = Snapshot(panel.instance for panel in panels.values())
        hub = Hub(
            {"west": PLAN, "east": OTHER}, build="b", living=how.get("living", lambda sessions: sessions),
            pace=pace or Pace(tick_seconds=100),
        )
        hub.start()
        hub.publish(snapshot.refresh(_at(0), EVERYTHING))
        await test(hub, snapshot, panels)
        await hub.stop()

    run(whole())


def _change(snapshot: Snapshot, panel: Panel, value: int) -> list[Said]:
    panel.value = value
    return snapshot.refresh(_at(float(value)), panel.instance.reads)


async def _until(true: Callable[[], bool]) -> None:
    """Wait for it, as long as a busy machine may need."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


def test_a_joining_screen_gets_the_current_state_at_once() -> None:
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        screen, other = Screen(hub), Screen(hub, OTHER)
        await asyncio.sleep(0.05)
        assert screen.names() == ["hello", "scene", "frame", "frame"]
        assert [data["panel"] for name, data in other.events() if name == "frame"] == ["b"]

    _run(test)


def test_a_change_goes_to_those_that_show_the_panel() -> None:
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        screen, other = Screen(hub), Screen(hub, OTHER)
        await asyncio.sleep(0.05)
        hub.publish(_change(snapshot, panels["a"], 2))
        await asyncio.sleep(0.05)
        assert screen.events()[-1][1]["props"] == {"a--value": {"children": 2}}
        assert len(other.events()) == 3

    _run(test)


def test_a_slow_screen_skips_states_and_holds_nobody_up() -> None:
    """V21."""
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        slow, quick = Screen(hub), Screen(hub)
        await asyncio.sleep(0.05)
        slow.reads.clear()
        for value in range(2, 52):
            hub.publish(_change(snapshot, panels["a"], value))
            await asyncio.sleep(0.001)
        slow.reads.set()
        await asyncio.sleep(0.05)
        seen = [data["props"]["a--value"]["children"] for name, data in slow.events() if data.get("panel") == "a"]
        assert seen == [1, 2, 51]
        assert sum(data.get("panel") == "a" for _, data in quick.events()) == 51

    _run(test)


def test_a_screen_that_does_not_read_is_dropped_after_a_bound() -> None:
    """V21."""
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        slow, quick = Screen(hub), Screen(hub)
        await asyncio.sleep(0.02)
        slow.reads.clear()
        await _until(lambda: slow.task.done() and quick.names().count("tick") >= 5)
        assert (hub.dropped, hub.connected) == (1, 1)

    _run(test, Pace(tick_seconds=0.05, slow_seconds=0.2))


def test_all_that_is_due_goes_in_one_send() -> None:
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        screen = Screen(hub)
        await asyncio.sleep(0.05)
        before = screen.sends
        hub.publish([*_change(snapshot, panels["a"], 2), *_change(snapshot, panels["b"], 2)])
        await asyncio.sleep(0.05)
        assert screen.sends - before == 1
        assert screen.names()[-2:] == ["frame", "frame"]

    _run(test)


def test_a_stream_of_nobody_ends_with_bye() -> None:
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        gone, stays = Screen(hub, session=b"gone"), Screen(hub, session=b"stays")
        await _until(gone.task.done)
        assert gone.names()[-1] == "bye"
        assert not stays.task.done()

    _run(test, Pace(tick_seconds=100, check_seconds=0.05), living=lambda sessions: sessions - {b"gone"})


def test_a_store_that_cannot_be_asked_throws_nobody_out() -> None:
    def broken(sessions: set[bytes]) -> set[bytes]:
        raise OSError("locked")

    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        screen = Screen(hub)
        await asyncio.sleep(0.2)
        assert not screen.task.done()

    _run(test, Pace(tick_seconds=100, check_seconds=0.05), living=broken)


def test_a_client_that_hangs_up_leaves_nothing_behind() -> None:
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        screen = Screen(hub)
        await asyncio.sleep(0.05)
        screen.gone.set()
        await asyncio.sleep(0.05)
        assert hub.connected == 0
        assert not any(hub._of_screen.values())

    _run(test)


def test_scenes_turn_by_the_clock_on_every_screen_alike() -> None:
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        plan = ScreenPlan("west", ("a",), (Planned("one", 100, ("a",)), Planned("two", 100, ())), "layout")
        hub.plans["west"] = plan
        screens = [Screen(hub, plan), Screen(hub, plan)]

        def turns() -> list[list[str]]:
            return [[data["scene"] for name, data in screen.events() if name == "scene"] for screen in screens]

        await _until(lambda: all({"one", "two"} <= set(found) for found in turns()))
        first, second = turns()
        both = min(len(first), len(second))
        assert first[:both] == second[:both]

    _run(test)


def test_what_a_page_already_shows_is_not_sent_again() -> None:
    async def test(hub: Hub, snapshot: Snapshot, panels: dict[str, Panel]) -> None:
        whole = Screen(hub)
        knowing = Screen(hub, known=frozenset(said.said for said in snapshot.states.values()))
        await asyncio.sleep(0.05)
        assert whole.names() == ["hello", "scene", "frame", "frame"]
        assert knowing.names() == ["hello", "scene"]
        hub.publish(_change(snapshot, panels["a"], 2))
        await asyncio.sleep(0.05)
        assert knowing.events()[-1][1]["props"] == {"a--value": {"children": 2}}

    _run(test)
