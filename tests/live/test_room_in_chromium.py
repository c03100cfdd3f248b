"""The room's duties in a real browser: modes on the wall within a second, the wipe, shade, shift, wake lock, cursor, midnight."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard import clock
from dashboard.store import overrides
from dashboard.timetable import Override
from tests.live import toy
from tests.live.conftest import Served
from tests.small import wita

pytestmark = pytest.mark.browser

MODES = """
[modes.day]
name = { id = "Siang", en = "Day" }
[modes.visit]
name = { id = "Kunjungan", en = "Visit" }
audience = "people"
[modes.night]
name = { id = "Malam", en = "Night" }
dim = 0.75
[groups.room]
name = { id = "Ruang", en = "Room" }
screens = ["west"]
otherwise = "day"
"""
PEOPLE_FIGURE, FIGURE, MARK = "#shown--value", "#figure--value", "[data-live=mode]"


@pytest.fixture
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    """The toy with a group of one screen; ``indirect`` parameter: the server's clock at its start (local, ISO)."""
    found = Served(tmp_path)
    screens = tmp_path / "config" / "screens.toml"
    screens.write_text(screens.read_text(encoding="utf-8") + MODES, encoding="utf-8")
    if getattr(request, "param", None):
        moved = wita(request.param) - clock.now()
        (tmp_path / "clock.txt").write_text(str(moved.total_seconds()), encoding="utf-8")
    try:
        found.start()
        yield found
    finally:
        found.close()


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """A browser whose machine tells how often it was asked to stay awake."""
    context.add_init_script("""
        window.locks = [];
        Object.defineProperty(navigator, "wakeLock", {value: {request: async (kind) => {
            const lock = new EventTarget();
            Object.assign(lock, {kind, released: false});
            window.locks.push(lock);
            return lock;
        }}});
        window.shown = "visible";
        Object.defineProperty(document, "visibilityState", {get: () => window.shown});
    """)
    return context


def switch(served: Served, mode: str, seconds: float = 3600) -> None:
    """Somebody switches the room to a mode."""
    until = int((clock.now() + timedelta(seconds=seconds)).timestamp() * 1000)
    overrides.switch_on(served.engines["people"], Override("room", mode, until), who="Uji", now=clock.now())


def test_a_mode_switched_by_hand_is_on_the_wall_within_a_second_and_is_told_in_the_header(wall: Page, served: Served) -> None:
    expect(wall.locator(MARK)).to_have_text("")
    began = time.monotonic()
    switch(served, "night")
    expect(wall.locator(MARK)).to_have_text(re.compile(r"^Manual: Malam sampai \d\d\.\d\d$"))
    print(f"seconds to the wall: {time.monotonic() - began:.2f}")
    shade = wall.evaluate("() => getComputedStyle(document.getElementById('wall'), '::after').opacity")
    assert float(shade) == 0.25
    overrides.clear(served.engines["people"], "room", who="Uji", now=clock.now())
    expect(wall.locator(MARK)).to_have_text("")
    assert wall.evaluate("() => commandCenterRoom.dim") == 1


@pytest.mark.long
def test_a_mode_by_hand_survives_a_restart_of_the_server_and_returns_by_itself(wall: Page, served: Served) -> None:
    switch(served, "night", 20)
    expect(wall.locator(MARK)).to_have_text(re.compile("Malam"))
    served.kill()
    served.start()
    expect(wall.locator("body")).not_to_have_class(re.compile("is-lost"), timeout=20_000)
    wall.wait_for_timeout(600)
    expect(wall.locator(MARK)).to_have_text("", timeout=30_000)


def test_a_visit_wipes_the_rooms_page_and_nothing_of_it_comes_again(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "figure", "4711")
    expect(wall.locator(FIGURE)).to_have_text("4711")
    heard: list[str] = []
    wall.on("response", lambda answer: heard.append(answer.url))
    switch(served, "visit", 25)
    expect(wall.locator(PEOPLE_FIGURE)).to_have_text("4710")
    assert "4711" not in wall.content()
    expect(wall.locator(MARK)).to_have_text(re.compile("^Manual: Kunjungan sampai"))
    refused = wall.evaluate("async () => (await fetch('/wall/panel/figure')).status")
    assert refused == 404
    layout = wall.evaluate("async () => (await fetch('/wall/_dash-layout')).text()")
    assert "4711" not in layout
    toy.put(served.engines["figures"], "figure", "4725")
    expect(wall.locator(PEOPLE_FIGURE)).to_have_text("4720")
    assert "4725" not in wall.content()
    expect(wall.locator(FIGURE)).to_have_text("4725", timeout=40_000)  # back in the room, by itself


@pytest.mark.long
def test_a_page_that_missed_the_switch_is_wiped_when_it_hears_of_it(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "figure", "4711")
    expect(wall.locator(FIGURE)).to_have_text("4711")
    served.kill()
    switch(served, "visit")
    expect(wall.locator("body")).to_have_class(re.compile("is-lost"))
    served.start()
    expect(wall.locator(PEOPLE_FIGURE)).to_have_text("4710", timeout=20_000)


def test_a_wall_without_a_server_goes_blank_by_itself_when_the_audience_changes(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "figure", "4711")
    expect(wall.locator(FIGURE)).to_have_text("4711")
    served.kill()
    wall.evaluate("() => { commandCenter.scene.wipe_at = commandCenter.serverNow() + 800; }")
    expect(wall.locator("#wiped")).to_have_text("Tampilan berganti.", timeout=5000)
    assert "4711" not in wall.content()
    served.start()
    expect(wall.locator(FIGURE)).to_have_text("4711", timeout=20_000)


def test_the_wake_lock_is_asked_for_again_when_the_page_is_seen_again_or_the_machine_let_go(wall: Page) -> None:
    """V28."""
    asked = "() => window.locks.length"
    assert wall.evaluate(asked) == 1
    seen = """(state) => { window.shown = state; document.dispatchEvent(new Event("visibilitychange")); }"""
    release = """() => { const last = window.locks.at(-1); last.released = true; last.dispatchEvent(new Event("release")); }"""
    wall.evaluate(seen, "hidden")
    wall.evaluate(release)
    assert wall.evaluate(asked) == 1
    wall.evaluate(seen, "visible")
    wall.wait_for_timeout(100)
    assert wall.evaluate(asked) == 2
    wall.evaluate(release)
    wall.wait_for_timeout(100)
    assert wall.evaluate(asked) == 3
    assert wall.evaluate("() => window.locks.every((lock) => lock.kind === 'screen')")


def test_the_picture_shifts_by_a_few_pixels_and_the_layout_does_not(context: BrowserContext, served: Served) -> None:
    """V28."""
    context.add_init_script("""const every = window.setInterval;
        window.setInterval = (work, ms) => every(work, ms === 180000 ? 200 : ms);  // minutes are fifths of a second""")
    page = context.new_page()
    page.goto(served.pair()[1])
    page.locator("#slot-figure .tile").wait_for()
    expect(page.locator("[data-live=date]")).not_to_be_empty()
    expect(page.locator("#figure--age")).not_to_be_empty()
    boxes = """() => [...document.querySelectorAll("#wall, #wall [id]:not([id$=age])")].filter((e) => e.getClientRects().length).map((e) => {
        const b = e.getBoundingClientRect(), w = document.getElementById("wall").getBoundingClientRect();
        return [b.left - w.left, b.top - w.top, b.width, b.height].map(Math.round); })"""
    place = """() => { const b = document.getElementById("wall").getBoundingClientRect(); return [b.left, b.top]; }"""
    before, first, places = page.evaluate(boxes), page.evaluate(place), set()
    for _ in range(40):
        page.wait_for_timeout(100)
        places.add(tuple(page.evaluate(place)))
        assert page.evaluate(boxes) == before
    assert len(places) >= 6
    assert all(abs(x - first[0]) <= 6 and abs(y - first[1]) <= 6 for x, y in places)
    assert page.evaluate("() => [document.documentElement.scrollWidth <= innerWidth, document.documentElement.scrollHeight <= innerHeight]") \
        == [True, True]


def test_no_cursor_is_seen(wall: Page) -> None:
    assert wall.evaluate("() => [...document.querySelectorAll('body, body *')].map((e) => getComputedStyle(e).cursor)") == \
        ["none"] * wall.evaluate("() => document.querySelectorAll('body, body *').length")


@pytest.mark.parametrize("served", ["2026-11-30 23:59:25", "2026-12-31 23:59:25"], indirect=True)
@pytest.mark.long
def test_today_flips_once_at_midnight_and_the_scenes_go_on(wall: Page, served: Served) -> None:
    """V13: the server's day turns while the wall looks on; month's end and new year."""
    expect(wall.locator("[data-live=date]")).to_have_text(re.compile(r"^(Senin, 30 November 2026|Kamis, 31 Desember 2026)$"))
    wall.evaluate("""() => { window.days = []; window.same = true; const date = document.querySelector("[data-live=date]");
        new MutationObserver(() => window.days.push(date.textContent)).observe(date, {childList: true, characterData: true, subtree: true}); }""")
    figure = wall.locator("#today--value").inner_text()
    expect(wall.locator("#today--value")).not_to_have_text(figure, timeout=90_000)
    wall.wait_for_timeout(1000)
    assert wall.evaluate("() => window.days") in (["Selasa, 1 Desember 2026"], ["Jumat, 1 Januari 2027"])
    assert wall.locator("#today--value").inner_text() in ("2026-12-01", "2027-01-01")
    for scene in ("one", "two", "one"):
        expect(wall.locator(f"#scene-{scene}.is-shown")).to_have_count(1)
    assert wall.evaluate("() => [window.same, commandCenter.errors]") == [True, 0]
