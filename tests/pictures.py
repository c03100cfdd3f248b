"""`make pictures`: the demo's wall at 1080p, 4K and portrait, into docs/pictures. To be looked at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM
from tests.palette import with_palette
from tests.servers import free_port

ROOT = Path(__file__).parents[1]
SIZES = ((1920, 1080), (3840, 2160), (1080, 1920))
SCENES = ("today", "agencies", "complaints", "mall", "emergency", "ecosystem")
LOADED_WITHIN_SECONDS = 240
TURNS_WITHIN_SECONDS = 180
SETTLES_MILLISECONDS = 700


def link_in(log: Path) -> str:
    """The last link that the demo printed; waits for it and for the server behind it."""
    until = time.monotonic() + LOADED_WITHIN_SECONDS
    while time.monotonic() < until:
        found = re.findall(r"http://127\.0\.0\.1:\d+/wall/#[A-Z0-9-]+", log.read_text(encoding="utf-8"))
        if found:
            return found[-1]
        time.sleep(0.5)
    raise SystemExit(log.read_text(encoding="utf-8"))


def wait_until_ready(port: int) -> None:
    """Until the server behind the link can serve screens, and the agencies have been heard once more."""
    until = time.monotonic() + LOADED_WITHIN_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            if answer.status == 200:
                time.sleep(8)
                return
        time.sleep(0.5)
    raise SystemExit("the server does not get ready")


def shown(page: Page, scene: str) -> bool:
    """Whether the wall shows a scene's first page: scenes are all mounted, the one that is seen has the class ``is-shown``."""
    return page.locator(f'#scene-{scene}.is-shown[data-page-shown="1"]').count() == 1


def photograph(page: Page, scene: str) -> bytes:
    """A picture of a scene, taken when it is up and still up after it."""
    until = time.monotonic() + TURNS_WITHIN_SECONDS
    while time.monotonic() < until:
        if shown(page, scene):
            page.wait_for_timeout(SETTLES_MILLISECONDS)
            picture = page.screenshot()
            if shown(page, scene):
                return picture
        page.wait_for_timeout(200)
    raise SystemExit(f"the wall does not turn to {scene}")


def take(page: Page, darkroom: Page, folder: Path) -> None:
    """Each scene at each size, when the wall shows it. ``darkroom``: a page that is free for the pictures' pixels."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scene in SCENES:
            small = with_palette(darkroom, photograph(page, scene))
            (folder / f"{scene}-{width}x{height}.png").write_bytes(small)
            print(f"{scene} {width}x{height}: {len(small) / 1000:.0f} kB")


def main() -> None:
    """Run a demo of its own and take the pictures."""
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        log, port = Path(home) / "log.txt", free_port()
        with log.open("wb") as output:
            demo = subprocess.Popen(
                [sys.executable, "-m", "dashboard", "demo", "--port", str(port), "--fresh"], cwd=ROOT, stdout=output, stderr=output,
                env={**os.environ, "COMMAND_CENTER_DATA": home},
            )
        try:
            link = link_in(log)
            wait_until_ready(port)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
                page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
                page.goto(link)
                page.locator(".scene.is-shown .slot > *").first.wait_for(timeout=60_000)
                take(page, browser.new_page(), folder)
                browser.close()
        finally:
            demo.terminate()
            demo.wait(30)


if __name__ == "__main__":
    main()
