"""Faults of screens whose cause is the browser or the machine it runs on: V7, V8, V12, V13, V26."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from dashboard.access.devices import add_device
from tests.live import toy
from tests.live.conftest import Served
from tests.screens.asleep import renderers, stop, wake
from tests.screens.seen import FIGURE, LOST, back, lost, mark, same

pytestmark = pytest.mark.browser


def _streams(page: Page) -> list[Request]:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.url.endswith("/wall/live") else None)
    return asked


def test_v7_a_browser_that_stood_still_refreshes_when_it_wakes_and_queues_nothing(
    wall: Page, browser: Browser, served: Served
) -> None:
    mark(wall)
    asked = _streams(wall)
    pids = renderers(browser)
    stop(pids)
    try:
        for number in range(1, 41):
            toy.put(served.engines["figures"], "figure", str(number))
        time.sleep(4)
    finally:
        wake(pids)
    back(wall, "40")
    assert len(asked) <= 2
    assert same(wall)


def test_v7_a_page_that_the_browser_freezes_is_marked_before_it_stands_still(wall: Page) -> None:
    wall.evaluate("() => { document.dispatchEvent(new Event('freeze')); window.then = document.body.className; }")
    assert LOST.search(wall.evaluate("() => window.then"))
    back(wall, "0")


def test_v7_a_machine_that_slept_for_eight_hours_refreshes_once_at_once(context: BrowserContext, served: Served) -> None:
    page = context.new_page()
    page.clock.install()
    page.goto(served.pair()[1])
    expect(page.locator("[data-live=clock]")).not_to_be_empty()
    mark(page)
    page.evaluate("() => { new MutationObserver(() => { window.marked ||= document.body.classList.contains('is-lost'); })\
        .observe(document.body, {attributes: true}); }")
    asked = _streams(page)
    # As after a sleep: the clock on the wall went on, the steady one (performance.now) stood still.
    page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=8))
    page.wait_for_timeout(1_500)
    assert page.evaluate("() => window.marked")
    back(page, "0", within=10_000)
    assert len(asked) == 1
    assert same(page)


def test_v8_a_page_in_the_background_queues_nothing_and_is_fresh_when_it_is_seen(wall: Page, served: Served) -> None:
    wall.evaluate("""() => {
        window.seen = "hidden"; window.frames_asked = 0;
        Object.defineProperty(document, "hidden", {get: () => window.seen === "hidden"});
        Object.defineProperty(document, "visibilityState", {get: () => window.seen});
        const ask = window.requestAnimationFrame;
        window.requestAnimationFrame = (done) => { window.frames_asked += 1; return ask(done); };
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    for number in range(1, 61):
        toy.put(served.engines["figures"], "figure", str(number))
    expect(wall.locator(FIGURE)).to_have_text("60")
    assert wall.evaluate("() => window.frames_asked") == 0
    served.kill()
    lost(wall)
    served.start()
    wall.evaluate("() => { window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange')); }")
    back(wall, "60", within=5_000)


@pytest.mark.parametrize("wrong", [timedelta(hours=3), timedelta(hours=-3), None], ids=["+3h", "-3h", "1970"])
@pytest.mark.short("1970")
def test_v12_whatever_the_clock_of_the_wall_pc_says_the_page_keeps_the_servers(
    context: BrowserContext, served: Served, wrong: timedelta | None
) -> None:
    page = context.new_page()
    page.clock.install(time=datetime(1970, 1, 1, tzinfo=UTC) if wrong is None else datetime.now(UTC) + wrong)
    page.goto(served.pair()[1])
    now = datetime.now(served.regency.zone)
    expect(page.locator("[data-live=date]")).to_have_text(re.compile(rf" {now.day} \S+ {now.year}$"))
    expect(page.locator("#figure--age")).to_have_text("1 menit")
    toy.put(served.engines["figures"], "stale", str(int(datetime.now(UTC).timestamp()) + 2))
    expect(page.locator("#slot-figure")).to_have_class(re.compile("is-stale-by-clock"), timeout=8_000)
    expect(page.locator("body")).not_to_have_class(LOST)


@pytest.fixture
def new_years_eve(tmp_path: Path) -> Iterator[tuple[Served, Path]]:
    """The toy served by a process for whose clock it is 31 December 2026, 23.59 in its zone; and the file that moves its clock."""
    told, found = tmp_path / "clock.txt", Served(tmp_path)
    _set_to(told, datetime(2026, 12, 31, 15, 58, 0, tzinfo=UTC))
    try:
        found.start()
        yield found, told
    finally:
        found.close()


def _set_to(told: Path, moment: datetime) -> None:
    told.write_text(f"{(moment - datetime.now(UTC)).total_seconds():+.0f}", encoding="ascii")


def test_v13_at_midnight_of_new_year_the_date_flips_once(
    context: BrowserContext, new_years_eve: tuple[Served, Path]
) -> None:
    served, told = new_years_eve
    _, code = add_device(
        served.engines["people"], place="Uji", screen="west", zone="wall", now=datetime(2026, 12, 31, 15, 57, tzinfo=UTC)
    )
    page = context.new_page()
    page.goto(f"{served.base}/wall/#{code}")
    expect(page.locator("[data-live=date]")).to_have_text("Kamis, 31 Desember 2026")
    page.evaluate("""() => {
        window.dates = [];
        const date = document.querySelector("[data-live=date]");
        new MutationObserver(() => window.dates.push(date.textContent)).observe(date, {childList: true, characterData: true,
            subtree: true});
    }""")
    _set_to(told, datetime(2026, 12, 31, 15, 59, 56, tzinfo=UTC))
    expect(page.locator("[data-live=date]")).to_have_text("Jumat, 1 Januari 2027", timeout=20_000)
    expect(page.locator("[data-live=clock]")).to_have_text("00.00")
    page.wait_for_timeout(1_500)
    assert page.evaluate("() => window.dates") == ["Jumat, 1 Januari 2027"]
    toy.put(served.engines["figures"], "figure", "2027")
    expect(page.locator(FIGURE)).to_have_text("2027")


def test_v26_keys_clicks_and_strokes_lead_nowhere(browser: Browser, served: Served) -> None:
    context = browser.new_context(has_touch=True)
    page = context.new_page()
    page.goto(served.pair()[1])
    expect(page.locator(FIGURE)).to_be_visible()
    mark(page)
    opened: list[Page] = []
    context.on("page", lambda new: opened.append(new))
    address = page.url
    for keys in ("F12", "Control+l", "Control+Shift+i", "Control+u", "Control+p", "Alt+ArrowLeft", "Backspace", "Tab", "Enter",
                 "F1", "F3", "Control+f", "Escape", "Space"):
        page.keyboard.press(keys)
    page.mouse.click(200, 200, button="right")
    page.mouse.dblclick(200, 200)
    page.locator(FIGURE).tap()
    page.mouse.move(10, 200)
    page.mouse.down()
    page.mouse.move(600, 200)
    page.mouse.up()
    assert page.evaluate("() => document.querySelectorAll('a, area, form, input, button, iframe, [contenteditable]').length") == 0
    assert page.url == address
    assert opened == []
    assert same(page)
    toy.put(served.engines["figures"], "figure", "26")
    back(page, "26")
    context.close()
