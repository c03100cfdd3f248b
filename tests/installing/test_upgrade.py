"""A new version is put in place while walls are open: each page reloads once, at a scene's end, and shows the new one (V18)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.installing.house import FIGURE, declared, ready
from tests.ledger import Ledger, served
from tests.product import ROOT, Product, end
from tests.servers import free_port

pytestmark = pytest.mark.browser
PARTS = ("dashboard", "collectors", "layouts", "config", "assets")
BUILD = "document.getElementById('live-page').dataset.build"


@pytest.fixture
def walls(browser: Browser) -> Iterator[list[Page]]:
    contexts = [browser.new_context(viewport={"width": 1920, "height": 1080}) for _ in range(2)]
    yield [context.new_page() for context in contexts]
    for context in contexts:
        context.close()


def version(folder: Path, *, title: str) -> Path:
    """A copy of the program whose stylesheet and drawing say something of their own."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "assets" / "wall.css").open("a", encoding="utf-8") as css:
        css.write(f"\nbody {{ --version-of-the-test: '{title}'; }}\n")
    return folder


def shown(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).getPropertyValue('--version-of-the-test').trim()"))


@pytest.mark.long
def test_v18_open_walls_come_to_the_new_version_by_themselves_once_and_never_go_blank(tmp_path: Path, walls: list[Page]) -> None:
    product, ledger, port = Product(tmp_path / "house"), Ledger(18), free_port()
    product.folder.mkdir()
    old, new = version(tmp_path / "1", title="one"), version(tmp_path / "2", title="two")
    with served(ledger) as source:
        declared(product, source, scenes='["today", "again"]')
        ledger.add(7, age=timedelta(seconds=1))
        product.extra["PYTHONPATH"] = str(old)
        running = product.start("run", "--port", str(port))
        try:
            ready(port)
            loads = [0, 0]
            for number, wall in enumerate(walls):
                wall.goto(product.run("device", "add", "--place", f"Uji {number}", "--base", f"http://127.0.0.1:{port}").split()[-1])
                expect(wall.locator(FIGURE)).to_have_text("7", timeout=60_000)
                wall.on("load", lambda _, number=number: loads.__setitem__(number, loads[number] + 1))
            before = [wall.evaluate(BUILD) for wall in walls]
            assert [shown(wall) for wall in walls] == ["'one'", "'one'"]

            end(running)
            product.extra["PYTHONPATH"] = str(new)
            running = product.start("run", "--port", str(port))
            ledger.add(3, age=timedelta(seconds=1))
            for number, wall in enumerate(walls):
                wall.wait_for_event("load", timeout=120_000) if loads[number] == 0 else None
                expect(wall.locator(FIGURE)).to_have_text("10", timeout=60_000)
                expect(wall.locator("body")).not_to_have_class(re.compile("is-lost"), timeout=30_000)
            assert [shown(wall) for wall in walls] == ["'two'", "'two'"]
            after = [wall.evaluate(BUILD) for wall in walls]
            assert before[0] == before[1] != after[0] == after[1]
            walls[0].wait_for_timeout(12_000)
            assert loads == [1, 1], "once, and at the end of a scene"
        finally:
            end(running)
