"""`make pictures`: every scene of the demo's walls at four sizes, into docs/pictures. To be looked at.

A picture has the figures of its hour: take them in the regency's office hours. (Under `faketime` either sleeping fails or
the demo does not start its screens.)
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from config.loading import load
from config.settings import SHIPPED
from tests.conftest import CHROMIUM
from tests.palette import with_palette
from tests.servers import free_port

ROOT = Path(__file__).parents[1]
SIZES = ((1920, 1080), (3840, 2160), (1080, 1920), (3840, 1080))
DAYS = 70
"""Eight comparable weeks and some days."""
LOADED_WITHIN_SECONDS = 1800
SETTLES_MILLISECONDS = 900
LARGEST_BYTES = 300_000
SHOW = """([scene]) => {
  const mode = window.commandCenter.scene?.mode;
  for (const e of document.querySelectorAll("[data-scene]")) {
    e.classList.toggle("is-shown", e.dataset.scene === scene && (e.dataset.mode ?? mode) === mode);
  }
  document.getElementById("scene-" + scene).dataset.pageShown = "1";
}"""


def link_in(log: Path, demo: subprocess.Popen[bytes]) -> str:
    """The last link that the demo printed; waits for it as long as the demo lives."""
    until = time.monotonic() + LOADED_WITHIN_SECONDS
    while time.monotonic() < until and demo.poll() is None:
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
    """Whether the page shows a scene's first page: scenes are all mounted, the one that is seen has the class ``is-shown``."""
    return page.locator(f'#scene-{scene}.is-shown[data-page-shown="1"]').count() == 1


def photograph(page: Page, scene: str) -> bytes:
    """A picture of a scene. The page turns to it at once; should the wall turn away meanwhile, once more."""
    for _ in range(5):
        page.evaluate(SHOW, [scene])
        page.wait_for_timeout(SETTLES_MILLISECONDS)
        picture = page.screenshot()
        if shown(page, scene):
            return picture
    raise SystemExit(f"the wall does not stay on {scene}")


def small(darkroom: Page, picture: bytes) -> bytes:
    """The picture with as many colours as its size allows. ``darkroom``: a page that is free for the pictures' pixels."""
    for colours in (256, 96, 48, 24):
        found = with_palette(darkroom, picture, colours)
        if len(found) <= LARGEST_BYTES:
            break
    return found


def take(page: Page, darkroom: Page, folder: Path, scenes: list[str]) -> None:
    """Each scene at each size."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scene in scenes:
            picture = small(darkroom, photograph(page, scene))
            (folder / f"{scene}-{width}x{height}.png").write_bytes(picture)
            print(f"{scene} {width}x{height}: {len(picture) / 1000:.0f} kB", flush=True)


def states(page: Page, darkroom: Page, folder: Path, base: str) -> None:
    """The pages that explain every state."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    number = 1
    while (answer := page.goto(f"{base}/wall/states/{number}")) is not None and answer.status == 200:
        page.wait_for_timeout(SETTLES_MILLISECONDS)
        (folder / f"states-{number}-1920x1080.png").write_bytes(small(darkroom, page.screenshot()))
        number += 1


def another_wall(home: Path, screen: str, base: str, environment: Mapping[str, str]) -> str:
    """The link of a further wall of the running demo, for a screen of its own."""
    words = [sys.executable, "-m", "dashboard", "device", "add", "--place", screen, "--screen", screen, "--base", base]
    inside = {"COMMAND_CENTER_DATA": str(home / "demo"), "COMMAND_CENTER_CONFIG": str(home / "demo" / "config")}
    return subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True, env={**environment, **inside}).stdout.split()[-1]


def main() -> None:
    """Run a demo of its own and take the pictures; ended by a signal it ends the demo too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        log, port = Path(home) / "log.txt", free_port()
        environment = {**os.environ, "COMMAND_CENTER_DATA": home}
        words = [sys.executable, "-m", "dashboard", "demo", "--port", str(port), "--fresh", "--days", str(DAYS)]
        with log.open("wb") as output:
            demo = subprocess.Popen(words, cwd=ROOT, stdout=output, stderr=output, env=environment)
        try:
            link = link_in(log, demo)
            wait_until_ready(port)
            base = link.partition("/wall/")[0]
            left = dict.fromkeys(load(SHIPPED / "demo").scenes)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
                darkroom = browser.new_page()
                for name, screen in load(SHIPPED / "demo").screens.items():
                    scenes = [scene for scene in screen.scenes if scene in left]
                    if not scenes:
                        continue
                    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
                    page.goto(another_wall(Path(home), name, base, environment))
                    page.locator(".scene.is-shown .slot > *").first.wait_for(timeout=120_000)
                    page.wait_for_timeout(2000)
                    take(page, darkroom, folder, scenes)
                    states(page, darkroom, folder, base)
                    left = {scene: None for scene in left if scene not in scenes}
                browser.close()
        finally:
            demo.terminate()
            demo.wait(60)


if __name__ == "__main__":
    main()
