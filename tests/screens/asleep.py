"""A browser that sleeps: its processes that run pages are stopped, as with a machine whose lid is shut.

``Page.setWebLifecycleState`` does not stop a page of a headless Chromium 156: timers go on and no event comes.
"""

from __future__ import annotations

import os
import signal

from playwright.sync_api import Browser


def renderers(browser: Browser) -> list[int]:
    """Process ids of the browser's pages."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return [int(each["id"]) for each in found if each["type"] == "renderer"]


def stop(pids: list[int]) -> None:
    """Put pages to sleep."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


def wake(pids: list[int]) -> None:
    """Wake them."""
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
