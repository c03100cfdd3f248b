"""Debian's Chromium as a wall: paired, under the product's own content policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from tests.bench.house import House, Server

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)
SIZE = {"width": 1920, "height": 1080}
COMPLETE = """
(() => {
  const slots = () => [...document.querySelectorAll("[data-panel]")];
  const look = () => {
    const found = slots(), client = window.commandCenter;
    if (found.length && found.every((slot) => slot.childElementCount > 0) && client && client.connected && client.offset !== null) {
      requestAnimationFrame(() => { window.benchComplete = performance.now(); });
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
"""Notes when every panel is drawn, the stream is open and has spoken, and all of it was painted (milliseconds of the page)."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Raises ``RuntimeError`` where it is not installed."""
    if not CHROMIUM.exists():
        raise RuntimeError(f"needs {CHROMIUM} (Debian package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Browser) -> tuple[BrowserContext, Page]:
    """A fresh profile with one page that will tell when it is complete."""
    context = browser.new_context(viewport=SIZE, locale="id-ID")
    context.add_init_script(COMPLETE)
    return context, context.new_page()


def complete(page: Page, within_seconds: float = 30) -> float:
    """Wait until the page is complete; milliseconds since its navigation began."""
    for _ in range(int(within_seconds * 20)):
        at = page.evaluate("() => window.benchComplete ?? null")
        if at is not None:
            return float(at)
        page.wait_for_timeout(50)
    raise RuntimeError("the wall is not complete")


def wall(browser: Browser, where: House, server: Server) -> Page:
    """A paired wall that is complete."""
    _, page = opened(browser)
    page.goto(f"{server.base}/wall/#{where.link_code()}")
    page.locator("[data-panel]").first.wait_for(state="attached")
    complete(page)
    return page


def devtools(page: Page) -> CDPSession:
    """The browser's own instruments for a page."""
    return page.context.new_cdp_session(page)
