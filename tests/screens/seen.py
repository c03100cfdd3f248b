"""What is looked at on the toy's page, in words of the tests."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

FIGURE, LIST = "#figure--value", "#slot-list li"
LOST, STALE, FAILED = re.compile("is-lost"), re.compile("is-stale-by-clock"), re.compile("is-failed")
LOST_WITHIN, BACK_WITHIN = 15_000, 30_000
"""Milliseconds: three of the toy's ticks with room for a busy machine; what the catalogue gives a screen to recover (S3)."""


def lost(page: Page) -> None:
    """Wait until the page says that it lost the server; its figures stay."""
    expect(page.locator("body")).to_have_class(LOST, timeout=LOST_WITHIN)
    expect(page.locator(FIGURE)).to_be_visible()


def back(page: Page, figure: str, within: int = BACK_WITHIN) -> None:
    """Wait until the page is back and shows a figure."""
    expect(page.locator("body")).not_to_have_class(LOST, timeout=within)
    expect(page.locator(FIGURE)).to_have_text(figure, timeout=within)


def mark(page: Page) -> None:
    """Remember this load of the page."""
    page.evaluate("() => { window.same = true; }")


def same(page: Page) -> bool:
    """Whether the page was not loaded anew since."""
    return bool(page.evaluate("() => window.same === true"))


def nodes(page: Page) -> int:
    """Elements in the document."""
    return int(page.evaluate("() => document.querySelectorAll('*').length"))


def clean(page: Page) -> bool:
    """Whether there is neither an overlay of developers' tools, nor a traceback, nor a form (S2)."""
    text = page.locator("body").inner_text()
    return page.locator("form, input, .dash-debug-menu, .dash-fe-errors").count() == 0 and "Traceback" not in text


def soon(seconds: float) -> int:
    """Epoch seconds, a little later."""
    return int(time.time() + seconds)
