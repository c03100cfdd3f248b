"""The browser after many updates: heap, nodes and listeners, each after a forced garbage collection."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import CDPSession, Page

from tests.bench.browser import chromium, devtools, wall
from tests.bench.house import House, house, served
from tests.bench.lines import Line, Options, at_most, number

UPDATES, FULL_UPDATES = 2_000, 20_000
WARM_UP = 200
"""Updates before the first look: caches of the page and compiled code fill meanwhile."""
FLAT_SHARE = 0.01
"""Nodes and listeners are flat when they grow by no more than this."""
PAUSE_SECONDS = 0.05
COUNTED = {"heap": "JSHeapUsedSize", "nodes": "Nodes", "listeners": "JSEventListeners"}


def measure(options: Options) -> list[Line]:
    """Updates are panels' frames applied by the page; they come from real commits."""
    wanted = 100 if options.quick else FULL_UPDATES if options.full else UPDATES
    with house(5_000 if options.quick else 40_000) as where, served(where) as server, chromium() as browser:
        page = wall(browser, where, server)
        session = devtools(page)
        session.send("Performance.enable")
        updated(page, where, WARM_UP // 10 if options.quick else WARM_UP)
        before = counted(page, session)
        began = time.monotonic()
        done, commits = updated(page, where, wanted)
        took = time.monotonic() - began
        after = counted(page, session)
        errors = page.evaluate("() => commandCenter.errors")
    return _lines(before, after, f"{done:,} updates by {commits:,} commits in {took:.0f} s; errors of the client: {errors}")


def updated(page: Page, where: House, wanted: int) -> tuple[int, int]:
    """Commit as fast as the wall follows, until the page applied so many frames: (frames, commits)."""
    first, commits = int(page.evaluate("() => commandCenter.frames")), 0
    while True:
        where.touch()
        commits += 1
        time.sleep(PAUSE_SECONDS)
        if commits % 5 == 0:
            done = int(page.evaluate("() => commandCenter.frames")) - first
            if done >= wanted:
                return done, commits
            if commits > 20 * wanted + 100:
                raise RuntimeError(f"the page applied only {done} frames after {commits} commits")


def counted(page: Page, session: CDPSession) -> dict[str, float]:
    """Heap in bytes, nodes, listeners, after garbage collection; the least of three looks, for a frame may just be under way."""
    looks: list[dict[str, float]] = []
    for _ in range(3):
        page.wait_for_timeout(1_000)
        for _ in range(2):
            session.send("HeapProfiler.collectGarbage")
        found: dict[str, Any] = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        looks.append({name: float(found[metric]) for name, metric in COUNTED.items()})
    return {name: min(look[name] for look in looks) for name in COUNTED}


def _lines(before: dict[str, float], after: dict[str, float], how: str) -> list[Line]:
    def growth(name: str) -> float:
        return 100 * (after[name] / before[name] - 1)

    method = f"{how}; garbage collected before and after, after {WARM_UP} updates to warm up"
    return [
        at_most("browser heap after the updates", growth("heap"), 10, "%", ratio=f"{growth('heap'):+.1f} %",
                measured=f"{before['heap'] / 1e6:.2f} → {after['heap'] / 1e6:.2f} MB", method=method),
        *(at_most(f"browser {name} after the updates", growth(name), 100 * FLAT_SHARE, "%", ratio=f"{growth(name):+.1f} %",
                  measured=f"{number(before[name])} → {number(after[name])}", method="the same moments") for name in
          ("nodes", "listeners")),
    ]
