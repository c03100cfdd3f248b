"""`make pictures`: the demo's wall at 1080p, 4K and portrait, into docs/pictures. To be looked at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM
from tests.servers import free_port

ROOT = Path(__file__).parents[1]
SIZES = ((1920, 1080), (3840, 2160), (1080, 1920))
SCENES = ("today", "agencies", "ecosystem")
LOADED_WITHIN_SECONDS = 240


def link_in(log: Path) -> str:
    """The last link that the demo printed; waits for it and for the server behind it."""
    until = time.monotonic() + LOADED_WITHIN_SECONDS
    while time.monotonic() < until:
        found = re.findall(r"http://127\.0\.0\.1:\d+/wall/#[A-Z0-9-]+", log.read_text(encoding="utf-8"))
        if found:
            return found[-1]
        time.sleep(0.5)
    raise SystemExit(log.read_text(encoding="utf-8"))


def take(page: Page, folder: Path) -> None:
    """Each scene at each size, when the wall shows it."""
    for scene in SCENES:
        page.locator(f"#scene-{scene}").wait_for(state="visible", timeout=120_000)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(700)
            page.screenshot(path=folder / f"{scene}-{width}x{height}.png")


def main() -> None:
    """Run a demo of its own and take the pictures."""
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        log, port = Path(home) / "log.txt", free_port()
        with log.open("wb") as output:
            demo = subprocess.Popen(
                [sys.executable, "-m", "dashboard", "demo", "--port", str(port)], cwd=ROOT, stdout=output, stderr=output,
                env={**os.environ, "COMMAND_CENTER_DATA": home},
            )
        try:
            link = link_in(log)
            time.sleep(8)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
                page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
                page.goto(link)
                take(page, folder)
                browser.close()
        finally:
            demo.terminate()
            demo.wait(30)


if __name__ == "__main__":
    main()
