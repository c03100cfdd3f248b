"""From an agency's system to the wall, in real processes and a real browser: collect, change, silence, a killed server."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product, end
from tests.servers import free_port

CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
SCREENS = """
[scenes.today]
name = { id = "Hari ini", en = "Today" }
panels = [{ panel = "received_today", area = "received" }, { panel = "sources_strip", area = "sources" }]

[screens.west]
name = "Dinding Barat"
scenes = ["today"]
"""
FIGURE, STALE = "#received_today--figure", "#received_today--stale-head"
TICKS_SECONDS = 6.0

pytestmark = [
    pytest.mark.browser, pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="Chromium is not installed"),
]


@pytest.fixture
def wall() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
        yield page
        browser.close()


def test_a_figure_goes_from_the_agency_to_the_wall_and_the_wall_never_lies(tmp_path: Path, wall: Page) -> None:
    product, ledger, port = Product(tmp_path), Ledger(), free_port()
    with served(ledger) as source:
        declared = DECLARATION.format(port=source).replace('stale_after = "10 seconds"', 'stale_after = "8 seconds"')
        product.declare({
            "regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n', "screens.toml": SCREENS,
            "agencies/uji.toml":
                f'name = {{ id = "Dinas Uji", en = "Test" }}\nshort_name = "Uji"\ncalendar = "always"\n\n[[sources]]\n{declared}',
        })
        ledger.add(5, age=timedelta(seconds=1))
        product.run("check")
        with product.running("schedule", log="schedule"):
            serving = product.start("serve", "--port", str(port), log="serve")
            try:
                link = product.run("device", "add", "--place", "Uji", "--base", f"http://127.0.0.1:{port}").split()[-1]
                _until_ready(wall, port)
                wall.goto(link)
                expect(wall.locator(FIGURE)).to_have_text("5", timeout=30_000)

                ledger.add(3, age=timedelta(seconds=1))
                expect(wall.locator(FIGURE)).to_have_text("8", timeout=15_000)
                paints = wall.evaluate("window.commandCenter.paints.map(paint => paint.took).filter(took => took !== null)")
                assert paints
                print(f"commit to paint, ms: {sorted(paints)}")

                ledger.fail_with = 503
                expect(wall.locator(STALE)).to_be_visible(timeout=30_000)
                expect(wall.locator(FIGURE)).to_have_text("8")
                ledger.fail_with = None
                expect(wall.locator(STALE)).to_be_hidden(timeout=30_000)

                os.killpg(serving.pid, signal.SIGKILL)
                serving.wait()
                killed = time.monotonic()
                expect(wall.locator("body")).to_have_class(re.compile("is-lost"), timeout=15_000)
                assert time.monotonic() - killed <= TICKS_SECONDS + 1.5
                serving = product.start("serve", "--port", str(port), log="serve")
                expect(wall.locator("body")).not_to_have_class(re.compile("is-lost"), timeout=60_000)
                ledger.add(2, age=timedelta(seconds=1))
                expect(wall.locator(FIGURE)).to_have_text("10", timeout=30_000)
            finally:
                end(serving)
    folder = tmp_path / "var"
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"Andi Rahasia" not in stored
    assert b"7322010101900001" not in stored


def _until_ready(page: Page, port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if page.request.get(f"http://127.0.0.1:{port}/readyz").status == 200:
                return
        except Exception:  # not listening yet
            time.sleep(0.2)
    raise AssertionError("serve did not become ready")
