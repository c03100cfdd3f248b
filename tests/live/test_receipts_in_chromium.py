"""What a wall tells of itself, in a real browser against a real server; what is wrong with it raises an alarm."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard import clock
from dashboard.alarms.walls import wall_alarms
from dashboard.queries import walls as health
from dashboard.queries.answers import Context, Level
from dashboard.queries.walls import Health, Wall, walls
from dashboard.words import Say
from layouts.components.alarm_words import text
from tests.live import toy
from tests.live.conftest import Served

pytestmark = pytest.mark.browser
FIGURE = "#figure--value"
SHIFTED = (
    "const Real = Date, by = {by}; window.Date = class extends Real {{"
    " constructor(...given) {{ super(...(given.length ? given : [by === null ? 0 : Real.now() + by])); }}"
    " static now() {{ return by === null ? 0 : Real.now() + by; }} }};"
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The toy, whose walls tell each second."""
    found = Served(tmp_path)
    try:
        found.start(receipts="1")
        yield found
    finally:
        found.close()


@pytest.fixture
def telling(context: BrowserContext, served: Served) -> Page:
    """A paired wall of the declared size that tells each second."""
    page = context.new_page()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(served.pair()[1])
    page.locator("#slot-figure .tile").wait_for()
    return page


def _asked(served: Served, now: datetime | None = None) -> Context:
    return Context(served.engines["figures"], served.regency, now or clock.now(), served.engines["people"])


def _until(served: Served, good: Callable[[Wall], Any], page: Page, seconds: float = 20) -> Wall:
    """The only wall, once it is as wanted."""
    until = time.monotonic() + seconds
    found: tuple[Wall, ...] = ()
    while time.monotonic() < until:
        found = walls(_asked(served)).walls
        if found and found[0].receipt_at is not None and good(found[0]):
            return found[0]
        page.wait_for_timeout(200)
    raise AssertionError(found)


def _said(served: Served) -> list[str]:
    return [text(alarm, Say(served.regency, "id")) for alarm in wall_alarms(_asked(served))[0]]


def test_a_wall_tells_what_it_painted_and_is_well(telling: Page, served: Served) -> None:
    for number in range(1, 6):
        toy.put(served.engines["figures"], "figure", str(number))
        expect(telling.locator(FIGURE)).to_have_text(str(number))
    found = _until(served, lambda wall: wall.seq >= wall.server_seq > 0, telling)
    assert found.health is Health.WELL
    assert found.behind_seconds == 0
    assert found.pixels == found.wanted == (1920, 1080)
    assert abs(found.skew_seconds) < 2
    assert abs(found.shown_seconds) < 2
    assert found.heap_bytes is not None
    assert found.data_age_seconds is not None
    assert 60 <= found.data_age_seconds <= 120
    assert sum(hour.receipts for hour in found.hours) >= 1
    assert _said(served) == []


@pytest.mark.long
def test_a_wall_of_twice_the_pixel_ratio_is_well(browser: Any, served: Served) -> None:
    context = browser.new_context(viewport={"width": 960, "height": 540}, device_scale_factor=2)
    page = context.new_page()
    page.goto(served.pair()[1])
    found = _until(served, lambda wall: True, page)
    assert (found.ratio, found.pixels, found.health) == (2.0, (1920, 1080), Health.WELL)
    context.close()


@pytest.mark.long
def test_a_wall_whose_page_does_not_take_what_is_set_shows_old_figures(telling: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "figure", "1")
    expect(telling.locator(FIGURE)).to_have_text("1")
    telling.evaluate("() => { dash_clientside.set_props = () => {}; }")
    toy.put(served.engines["figures"], "figure", "2")
    found = _until(served, lambda wall: wall.faults, telling)
    assert (found.health, found.level) == (Health.OLD, Level.WARNING)
    expect(telling.locator(FIGURE)).to_have_text("1")
    assert re.fullmatch(r"Uji: layar menampilkan angka lama sejak \d\d\.\d\d", _said(served)[0])


def test_a_wall_that_gets_no_frames_while_its_receipts_come_shows_old_figures(telling: Page, served: Served) -> None:
    """A stream that a proxy holds back: the server is well, the wall paints the past."""
    _until(served, lambda wall: wall.health is Health.WELL, telling)
    telling.evaluate("() => { window.gather.together = () => {}; }")      # the page goes on living, and takes no event
    toy.put(served.engines["figures"], "figure", "2")
    found = _until(served, lambda wall: wall.faults, telling, 30)
    assert found.health is Health.OLD
    assert found.behind_seconds > 10


@pytest.mark.long
def test_a_wall_that_draws_no_frames_says_so(telling: Page, served: Served) -> None:
    _until(served, lambda wall: wall.health is Health.WELL, telling)
    telling.evaluate("() => { window.requestAnimationFrame = () => 0; }")
    assert _until(served, lambda wall: wall.faults, telling, 30).health is Health.FROZEN


def test_a_wall_that_says_nothing_while_its_stream_is_open_is_silent(
    telling: Page, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "SILENT_SECONDS", 4)
    _until(served, lambda wall: wall.health is Health.WELL, telling)
    telling.route("**/wall/receipt", lambda route: route.abort())
    found = _until(served, lambda wall: wall.faults, telling)
    assert (found.health, found.level) == (Health.SILENT, Level.WARNING)
    telling.unroute("**/wall/receipt")
    assert _until(served, lambda wall: not wall.faults, telling).health is Health.WELL
    telling.close()
    assert not wall_alarms(_asked(served, clock.now() + timedelta(minutes=5)))[0]
    assert walls(_asked(served, clock.now() + timedelta(minutes=5))).walls[0].health is Health.OFF


def test_a_wall_of_the_wrong_size_asks_for_attention(telling: Page, served: Served) -> None:
    telling.set_viewport_size({"width": 1280, "height": 720})
    found = _until(served, lambda wall: wall.faults, telling)
    assert (found.health, found.level) == (Health.SIZE, Level.ATTENTION)
    assert _said(served) == ["Uji: layar 1280×720, seharusnya 1920×1080"]


@pytest.mark.parametrize(("by", "off"), [
    (3 * 3_600_000, True), (-3 * 3_600_000, True), (None, True), (0, False),
], ids=["3 h ahead", "3 h behind", "1970", "another zone"])
@pytest.mark.short("3 h ahead")
def test_a_wall_pc_with_a_wrong_clock_shows_right_times_and_is_told_of_v12(
    context: BrowserContext, served: Served, by: int | None, off: bool
) -> None:
    """V12: clock, date and ages are the server's; the wrong clock of the computer is an alarm (another zone is none)."""
    context.add_init_script(SHIFTED.format(by="null" if by is None else by))
    page = context.new_page()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(served.pair()[1])
    found = _until(served, lambda wall: True, page)
    now = datetime.now(served.regency.zone)
    shown = page.locator("[data-live=clock]").inner_text()
    assert abs(int(shown[:2]) * 60 + int(shown[3:]) - now.hour * 60 - now.minute) % 1439 <= 1
    expect(page.locator("[data-live=date]")).to_have_text(re.compile(rf", {now.day} \S+ {now.year}$"))
    expect(page.locator("#figure--age")).to_have_text(re.compile(r"^[12] menit$"))
    assert abs(found.shown_seconds) < 2
    wanted = -datetime.now(UTC).timestamp() if by is None else by / 1000
    assert found.skew_seconds == pytest.approx(wanted, abs=3)
    assert [fault.health for fault in found.faults] == ([Health.CLOCK] if off else [])
    assert [said.startswith("Uji: jam komputer layar meleset ") for said in _said(served)] == ([True] if off else [])


def test_the_metrics_tell_of_each_wall(telling: Page, served: Served) -> None:
    found = _until(served, lambda wall: True, telling)
    exposed = telling.request.get(f"{served.base}/metrics").text()
    for name in ("behind_seconds", "heap_bytes", "clock_skew_seconds", "receipt_age_seconds", "painted_seq", "frame_age_seconds"):
        assert f'command_center_wall_{name}{{device="{found.device}"}}' in exposed
    assert 'command_center_walls_troubled{fault="old"} 0.0' in exposed


@pytest.mark.long
def test_receipts_survive_a_server_that_restarts(telling: Page, served: Served) -> None:
    _until(served, lambda wall: wall.health is Health.WELL, telling)
    served.kill()
    telling.wait_for_timeout(2000)
    served.start(receipts="1")
    toy.put(served.engines["figures"], "figure", "77")
    expect(telling.locator(FIGURE)).to_have_text("77", timeout=20_000)
    at = int(time.time())
    found = _until(served, lambda wall: (wall.receipt_at or 0) > at, telling)
    assert found.health is Health.WELL
