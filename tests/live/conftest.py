"""A toy wall served by a process of its own, and Chromium to look at it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine

from dashboard.access.devices import add_device
from dashboard.store.engine import migrate, open_engine
from tests.live import toy

ROOT = Path(__file__).parents[2]


class Served:
    """The toy in a folder: its stores, and a serve process that can be started, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.regency = toy.declare(folder / "config")
        self.engines: dict[str, Engine] = {}
        for name in ("figures", "people", "recordings"):
            self.engines[name] = open_engine(f"sqlite:///{folder / 'var' / name}.sqlite", name)
            migrate(self.engines[name], name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, build: str = "one", tick: float = 0.5, **options: str) -> None:
        """Start, and wait until it is ready. ``options`` of the toy: receipts, dwell, jitter, panels, assets."""
        chosen = {f"TOY_{name.upper()}": value for name, value in options.items()}
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.live.toy", str(self.folder), str(self.port), build, str(tick)],
                cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **chosen}, stdout=log, stderr=log,
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.base}/readyz", timeout=2).close()
                return
            time.sleep(0.05)
        raise AssertionError(self.log())

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after 10 s."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    def pair(self) -> tuple[str, str]:
        """A new device and the link that pairs it."""
        identity, code = add_device(self.engines["people"], place="Uji", screen="west", zone="wall", now=toy.now_in(self.folder)())
        return identity, f"{self.base}/wall/#{code}"

    def close(self) -> None:
        self.stop()
        for engine in self.engines.values():
            engine.dispose()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A toy served with ticks of half a second."""
    found = Served(tmp_path)
    try:
        found.start()
        yield found
    finally:
        found.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of its own, as a wall's: it speaks neither our language nor lives in our zone."""
    found = browser.new_context(locale="en-US", timezone_id="America/Anchorage")
    yield found
    found.close()


@pytest.fixture
def wall(context: BrowserContext, served: Served) -> Page:
    """A paired wall that shows the toy."""
    page = context.new_page()
    page.goto(served.pair()[1])
    page.locator("#slot-figure .tile").wait_for()
    return page
