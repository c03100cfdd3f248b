"""A wall photographed live, changed, corrected, killed; then seen again at its moments, in a real browser, on both engines."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import create_engine, text

from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product, end
from tests.servers import free_port

pytestmark = pytest.mark.browser

SCREENS = """
[scenes.today]
name = { id = "Hari ini", en = "Today" }
dwell = "1 hour"
panels = [
  { panel = "received_today", area = "received" }, { panel = "completed_today", area = "completed" },
  { panel = "on_time_today", area = "ontime" }, { panel = "overdue_now", area = "overdue" },
  { panel = "received_rolling", area = "rolling" }, { panel = "needs_attention", area = "attention" },
  { panel = "sources_strip", area = "sources" },
]

[screens.west]
name = "Dinding Barat"
scenes = ["today"]
"""
WITA = ZoneInfo("Asia/Makassar")
FIGURE = "#received_today--figure"
SAID = """() => Object.fromEntries([...document.querySelectorAll(".slot [id*='--']")]
    .filter((each) => !("ageSince" in each.dataset) && !("live" in each.dataset))
    .map((each) => [each.id, [...each.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("")]))"""
AGES = """() => [...document.querySelectorAll("[data-age-since]")].filter((each) => Number(each.dataset.ageSince))
    .map((each) => [each.id, Number(each.dataset.ageSince), each.textContent])"""


class House:
    """The product with one agency, a wall in Chromium, and a way back to any moment."""

    def __init__(self, product: Product, context: BrowserContext, source: int) -> None:
        self.product, self.context, self.port = product, context, free_port()
        declared = DECLARATION.format(port=source).replace('stale_after = "10 seconds"', 'stale_after = "10 minutes"')
        product.declare({
            "regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n', "screens.toml": SCREENS,
            "agencies/uji.toml":
                f'name = {{ id = "Dinas Uji", en = "Test" }}\nshort_name = "Uji"\ncalendar = "always"\n\n[[sources]]\n{declared}',
        })
        self.asked: list[str] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> Any:
        """Start the screens; back when they are ready."""
        process = self.product.start("serve", "--port", str(self.port), log="serve")
        until = time.monotonic() + 90
        while time.monotonic() < until:
            try:
                if self.context.request.get(f"{self.base}/readyz").status == 200:
                    return process
            except Exception:  # not listening yet
                time.sleep(0.2)
        raise AssertionError(self.product.output("serve"))

    def wall(self) -> Page:
        """A paired wall."""
        page = self.context.new_page()
        page.goto(self.product.run("device", "add", "--place", "Uji", "--base", self.base).split()[-1])
        return page

    def photograph(self, wall: Page) -> tuple[datetime, dict[str, str]]:
        """(a whole second, what every part of the wall said all through it)."""
        for _ in range(30):
            before, at = wall.evaluate(SAID), datetime.now(WITA).replace(microsecond=0)
            time.sleep(1.2)
            if wall.evaluate(SAID) == before:
                return at + timedelta(seconds=1), before
        raise AssertionError("the wall does not come to rest")

    def look(self, at: datetime) -> tuple[str, Page]:
        """Open the screen at a moment by the command's link: (the look's id, its page showing a picture)."""
        said = self.product.run("replay", "--at", f"{at:%Y-%m-%d %H:%M:%S}", "--screen", "west", "--base", self.base)
        page = self.context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(said.split()[-1])
        page.locator("body[data-pictures]").wait_for(timeout=60_000)
        return re.findall(r"replay-[0-9a-f]{8}", said)[0], page


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path, browser: Browser) -> Iterator[tuple[House, Ledger]]:
    extra: dict[str, str] = {}
    if request.param == "postgresql":
        extra["DATABASE_URL"] = request.getfixturevalue("postgres_url")
        engine = create_engine(extra["DATABASE_URL"])
        with engine.begin() as connection:
            for schema in ("figures", "people", "recordings"):
                connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        engine.dispose()
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="en-US", timezone_id="America/Anchorage")
    ledger = Ledger()
    with served(ledger) as source:
        yield House(Product(tmp_path, extra), context, source), ledger
    context.close()


def _stage(page: Page) -> Any:
    return page.frame_locator("#stage")


def _frame(page: Page) -> Any:
    return next(frame for frame in page.frames if frame.url.endswith("/replay/stage"))


def _step_until(page: Page, figure: str) -> None:
    """From change to change until the figure says so."""
    for _ in range(300):
        pictures = int(page.locator("body").get_attribute("data-pictures") or 0)
        page.locator('[data-step="change"][data-by="1"]').click()
        page.wait_for_function("(before) => Number(document.body.dataset.pictures) > before", arg=pictures)
        if _stage(page).locator(FIGURE).inner_text() == figure:
            return
    raise AssertionError(f"no step leads to {figure}")


@pytest.mark.short("sqlite")
def test_a_past_moment_says_the_same_figure_by_figure_and_what_was_corrected_since(house: tuple[House, Ledger]) -> None:
    here, ledger = house
    ledger.add(5, age=timedelta(seconds=1))
    with here.product.running("schedule", log="schedule"):
        serving = here.serve()
        try:
            wall = here.wall()
            expect(wall.locator(FIGURE)).to_have_text("5", timeout=60_000)
            moment, said = here.photograph(wall)
            assert len(said) > 60
            time.sleep(1)  # stamps are whole seconds
            ledger.add(3, age=timedelta(milliseconds=1))
            expect(wall.locator(FIGURE)).to_have_text("8", timeout=60_000)
            ledger.add(4, now=moment - timedelta(seconds=2), age=timedelta(milliseconds=1))  # submitted before, learnt after
            expect(wall.locator(FIGURE)).to_have_text("12", timeout=60_000)
            later, said_later = here.photograph(wall)

            identity, page = here.look(moment)
            frame = _frame(page)
            assert frame.evaluate(SAID) == said
            assert page.locator("#mark").inner_text() == "REKAMAN · RECORDING"
            expect(page.locator("#told")).to_contain_text(f"{moment:%H.%M.%S} WITA")
            expect(page.locator("#told-en")).to_contain_text(f"{moment:%H:%M:%S} WITA")
            expect(_stage(page).locator("[data-live=clock]")).to_have_text(f"{moment:%H.%M}")
            ages = frame.evaluate(AGES)
            counted = [(since, told) for _, since, told in ages if moment.timestamp() - since < 60]
            assert counted
            assert {told for _, told in counted} <= {f"{int(moment.timestamp() - since)} detik" for since, _ in counted}

            received = page.locator("#figures [data-panel=received_today]")
            expect(received).to_have_class("differs")
            assert [each.inner_text() for each in received.locator("i").all()] == ["5", "9"]
            expect(page.locator("#figures [data-panel=completed_today]")).not_to_have_class("differs")
            expect(page.locator("#learnt")).to_contain_text("4 baru")

            ledger.add(7, age=timedelta(milliseconds=1))
            expect(wall.locator(FIGURE)).to_have_text("19", timeout=60_000)
            assert frame.evaluate(SAID) == said  # nothing live comes in, and nothing ages while it stands
            assert frame.evaluate(AGES) == ages
            assert [url for url in here.asked if "/replay/" not in url or url.endswith("/live")] == []

            page.locator("#go").fill(f"{later:%Y-%m-%dT%H:%M:%S}")
            expect(_stage(page).locator(FIGURE)).to_have_text("12")
            expect(page.locator("body")).to_have_attribute("data-at", str(int(later.timestamp() * 1000)))
            assert frame.evaluate(SAID) == said_later
            page.locator("#go").fill(f"{moment:%Y-%m-%dT%H:%M:%S}")
            expect(page.locator("body")).to_have_attribute("data-at", str(int(moment.timestamp() * 1000)))
            expect(_stage(page).locator(FIGURE)).to_have_text("5")
            _step_until(page, "8")
            page.keyboard.press("ArrowLeft")
            expect(_stage(page).locator(FIGURE)).to_have_text("5")
            page.locator('[data-speed="10"]').click()
            expect(_stage(page).locator(FIGURE)).to_have_text("19", timeout=60_000)

            here.product.run("replay", "--end", identity)
            page.keyboard.press("ArrowLeft")
            expect(page.locator("#over")).to_contain_text("Sesi rekaman berakhir", timeout=10_000)
            assert page.frames == [page.main_frame]
            page.reload()
            expect(page.locator("body[data-pairing]")).to_be_visible()
        finally:
            end(serving)


@pytest.mark.long
def test_after_a_kill_the_time_without_a_recorder_is_told_and_the_times_around_it_are_whole(house: tuple[House, Ledger]) -> None:
    here, ledger = house
    ledger.add(5, age=timedelta(seconds=1))
    with here.product.running("schedule", log="schedule"):
        serving = here.serve()
        try:
            wall = here.wall()
            expect(wall.locator(FIGURE)).to_have_text("5", timeout=60_000)
            before, said = here.photograph(wall)
            time.sleep(8)
            os.killpg(serving.pid, signal.SIGKILL)
            serving.wait()
            unknown = datetime.now(WITA) + timedelta(seconds=2)
            ledger.add(3, age=timedelta(milliseconds=1))
            time.sleep(4)
            serving = here.serve()
            expect(wall.locator(FIGURE)).to_have_text("8", timeout=60_000)
            after, said_after = here.photograph(wall)
            time.sleep(7)

            _, page = here.look(unknown)
            expect(page.locator("#gap")).to_contain_text("TIDAK ADA REKAMAN")
            expect(page.locator("#gap")).to_contain_text("NO RECORDING")
            expect(page.locator("#gap")).to_contain_text("Perekam terputus dari")
            expect(page.locator("#stand")).to_be_hidden()
            assert _frame(page).locator(FIGURE).count() == 0
            expect(page.locator("#figures li")).to_have_count(0)
            for at, wanted in ((before, said), (after, said_after)):
                page.locator("#go").fill(f"{at:%Y-%m-%dT%H:%M:%S}")
                expect(page.locator("body")).to_have_attribute("data-at", str(int(at.timestamp() * 1000)))
                expect(page.locator("#gap")).to_be_hidden()
                assert _frame(page).evaluate(SAID) == wanted
        finally:
            end(serving)
