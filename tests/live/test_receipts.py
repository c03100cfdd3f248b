"""Receipts as they are judged and kept: on both engines, within bounds, whatever somebody sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from config.declarations import Regency
from dashboard.access import devices
from dashboard.access.devices import Principal
from dashboard.clock import HOUR, MINUTE, epoch
from dashboard.live.hub import Hub, ScreenPlan
from dashboard.live.receipts import Receipts
from dashboard.live.scenes import Planned
from dashboard.queries.answers import Context
from dashboard.queries.walls import Health, Walls, walls
from dashboard.store.engine import migrate, open_engine
from dashboard.store.tables import people_changed, wall, wall_hour
from tests.conftest import NOW
from tests.layouts.answers import regency
from tests.loops import run

PLAN = ScreenPlan("west", ("a", "b"), (Planned("one", 1000, ("a", "b")),), "layout")
REGENCY: Regency = regency()


class House:
    """A keeper of receipts with a clock of its own, and one paired device."""

    def __init__(self, people: Engine) -> None:
        self.people, self.at = people, NOW
        self.hub = Hub({"west": PLAN}, build="b", living=lambda sessions: sessions)
        self.receipts = Receipts(people, self.hub, {"west": (1920, 1080)}, now=lambda: self.at)
        _, code = devices.add_device(people, place="Dinding Barat", screen="west", zone="wall", now=NOW)
        who = devices.principal(people, devices.redeem(people, code, zone="wall", now=NOW), zone="wall", now=NOW)
        assert who is not None
        self.who: Principal = who
        self.says(a="1", b="1")

    def says(self, **panels: str) -> None:
        self.receipts.published([SimpleNamespace(panel=name, said=said) for name, said in panels.items()])  # type: ignore[misc]

    def tell(self, **other: Any) -> Any:
        now = self.at.timestamp() * 1000
        receipt = {
            "screen": "west", "build": "b", "layout": "layout", "seq": 2, "painted": {"a": "1", "b": "1"}, "torn": 0,
            "age_seconds": 60.5, "frame_ms": 16.6, "heap_bytes": 24_000_000, "clock_ms": now, "shown_ms": now, "width": 1920,
            "height": 1080, "ratio": 1, **other,
        }
        return self.receipts.take(self.who, json.dumps(receipt).encode())

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def write(self) -> None:
        run(self.receipts._flush())

    def asked(self) -> Walls:
        return walls(Context(self.people, REGENCY, self.at, self.people))


@pytest.fixture
def house(people: Engine) -> House:
    return House(people)


@pytest.fixture
def light(tmp_path: Path) -> Iterator[House]:
    made = open_engine(f"sqlite:///{tmp_path / 'people.sqlite'}", "people")
    migrate(made, "people")
    yield House(made)
    made.dispose()


def test_the_last_receipt_and_the_hours_are_kept_and_asked_for(house: House) -> None:
    for number in range(130):
        house.pass_(30)
        house.tell(seq=number)
        house.write()
    house.tell(seq=131, width=1280)
    house.write()
    found = house.asked().walls[0]
    assert (found.seq, found.data_age_seconds, found.heap_bytes) == (131, 60, 24_000_000)
    assert [fault.health for fault in found.faults] == [Health.SIZE]
    assert sum(hour.receipts for hour in found.hours) == 131
    assert sum(hour.troubled for hour in found.hours) == 1
    with house.people.connect() as connection:
        assert len(connection.execute(select(wall)).all()) == 1
        assert len(connection.execute(select(wall_hour)).all()) == 2


def test_history_older_than_two_days_goes(house: House) -> None:
    house.tell()
    house.write()
    house.pass_(3 * 24 * HOUR)
    house.receipts._tidied = -2 * HOUR
    house.tell()
    house.write()
    with house.people.connect() as connection:
        assert connection.execute(select(wall_hour.c.hour)).scalars().all() == [epoch(house.at) // HOUR * HOUR]


def test_screens_are_told_when_something_changes_and_not_of_each_receipt(light: House) -> None:
    def told() -> int:
        with light.people.connect() as connection:
            return len(connection.execute(select(people_changed).where(people_changed.c.what == "walls")).all())

    for _ in range(5):
        light.pass_(30)
        light.tell()
        light.write()
    assert told() == 1
    light.pass_(30)
    light.tell(torn=1)
    light.write()
    light.pass_(30)
    light.tell(torn=2)
    light.write()
    assert told() == 2
    light.pass_(30)
    light.tell()
    light.write()
    assert told() == 3


def test_a_fault_lasts_from_its_first_receipt(light: House) -> None:
    since = epoch(light.at)
    for _ in range(4):
        light.tell(torn=1)
        light.write()
        light.pass_(30)
    assert light.asked().walls[0].faults[0].since == since


@pytest.mark.parametrize(("painted", "waited", "behind"), [
    ({"a": "2", "b": "1"}, 60, 0), ({"a": "1", "b": "1"}, 5, 5), ({"a": "1", "b": "1"}, 60, 60), ({"b": "1"}, 60, 90),
    ({"a": "unknown", "b": "1"}, 60, 90),
])
def test_a_wall_is_behind_since_the_server_gave_up_what_it_paints(
    light: House, painted: dict[str, str], waited: int, behind: int
) -> None:
    light.pass_(30)
    light.says(a="2")
    light.pass_(waited)
    heard = light.tell(painted=painted)
    assert heard.told["behind_seconds"] == behind
    assert ("old" in heard.faults) is (behind > 10)


def test_a_page_of_an_older_build_is_a_fault_after_ten_minutes(light: House) -> None:
    light.tell(layout="before")
    light.write()
    assert light.asked().walls[0].health is Health.WELL
    assert light.asked().changes_at is not None
    light.pass_(10 * MINUTE)
    light.tell(layout="before")
    light.write()
    assert light.asked().walls[0].health is Health.BUILD


@pytest.mark.parametrize(("open_", "wanted"), [(True, Health.SILENT), (False, Health.OFF)])
def test_silence_is_a_fault_only_while_the_stream_is_open(light: House, open_: bool, wanted: Health) -> None:
    light.tell()
    stream = light.receipts.streaming(light.who.device)
    stream.__enter__()
    light.write()
    light.pass_(150)
    light.receipts._noted.clear()
    [stream.__exit__, lambda *_: None][open_](None, None, None)
    light.write()
    assert light.asked().walls[0].health is wanted


def test_a_stream_that_a_killed_process_left_open_is_not_open(light: House) -> None:
    stream = light.receipts.streaming(light.who.device)
    stream.__enter__()
    light.write()
    light.pass_(200)
    assert light.asked().walls[0].health is Health.OFF


def test_a_wall_whose_cookie_was_copied_is_shown_for_a_day(light: House) -> None:
    from dashboard.access.tokens import used_again

    used_again(light.people, light.who.device, now=light.at)
    assert light.asked().walls[0].health is Health.COPIED
    light.pass_(25 * HOUR)
    assert light.asked().walls == ()


def test_a_device_tells_no_more_often_than_it_should(light: House) -> None:
    assert not light.receipts.too_soon(light.who)
    assert light.receipts.too_soon(light.who)


@pytest.mark.parametrize("other", [
    {"torn": -1}, {"ratio": 0}, {"clock_ms": "now"}, {"painted": {"a b": "1"}}, {"painted": {"a": "<script>"}}, {"more": 1},
    {"clock_ms": float("nan")}, {"painted": {f"p{number}": "1" for number in range(201)}}, {"width": True}, {"seq": 1.5},
    {"build": "x" * 101}, {"build": "b" * 20_000},
])
def test_what_is_no_receipt_is_not_taken(light: House, other: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        light.tell(**other)
    assert light.receipts.last == {}


class _Nobody:
    """A keeper whose store is never reached."""

    receipts = Receipts(None, Hub({"west": PLAN}, build="b", living=lambda sessions: sessions), {}, now=lambda: NOW)  # type: ignore[arg-type]


@given(st.one_of(st.binary(max_size=300), st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.dictionaries(
        st.sampled_from(["screen", "painted", "seq", "ratio", "clock_ms"]), inner, max_size=4), max_leaves=8,
).map(lambda value: json.dumps(value).encode())))
def test_whatever_is_sent_nothing_but_a_value_error_comes_of_it(body: bytes) -> None:
    with pytest.raises(ValueError):
        _Nobody.receipts.take(Principal("device", "d", ("west",), "wall"), body)
