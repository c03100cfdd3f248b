"""Commit to paint: a collector's commit until Chromium has painted what it changed, by the page's own ring of paints."""

from __future__ import annotations

import time
from typing import Any

from tests.bench.browser import chromium, wall
from tests.bench.house import house, served
from tests.bench.lines import Line, Options, at_most, percentiles, quantile, told

CHANGES = 120
PAUSE_SECONDS = 0.6
READ_EVERY = 10
"""Commits between two looks at the ring, which holds 200 paints."""


def measure(options: Options) -> list[Line]:
    """120 commits, one every 0.6 s."""
    changes = 10 if options.quick else CHANGES
    paints: dict[int, dict[str, Any]] = {}
    with house(5_000 if options.quick else 40_000) as where, served(where) as server, chromium() as browser:
        page = wall(browser, where, server)
        before = {each["seq"] for each in page.evaluate("() => commandCenter.paints")}
        for number_of in range(1, changes + 1):
            where.touch()
            time.sleep(PAUSE_SECONDS)
            if number_of % READ_EVERY == 0 or number_of == changes:
                page.wait_for_timeout(500)
                paints |= {each["seq"]: each for each in page.evaluate("() => commandCenter.paints")}
        errors = page.evaluate("() => commandCenter.errors")
    return _lines([each for seq, each in paints.items() if seq not in before and each["took"] is not None], changes, errors)


def _lines(paints: list[dict[str, Any]], changes: int, errors: int) -> list[Line]:
    """``took`` is the page's: second animation frame after the change was applied, minus the instant just before the commit.

    The paints of one commit share that instant: its slowest is when the whole wall said so.
    """
    last: dict[int, float] = {}
    for each in paints:
        commit = round(each["at"] - each["took"])
        last[commit] = max(last.get(commit, 0.0), each["took"])
    if len(last) < changes * 0.9:
        raise RuntimeError(f"only {len(last)} of {changes} commits were seen on the wall")
    slowest = list(last.values())
    p95 = quantile(slowest, 0.95)
    how = (
        f"{len(last)} of {changes} commits of 3 cases, {PAUSE_SECONDS} s apart, each until the last of its panels is painted in "
        f"Chromium at 1920 × 1080 without a GPU, on the server's cores; from the stamp written last in the transaction, so that the "
        f"commit itself counts, by the page's own estimate of the server's clock; errors of the client: {errors}"
    )
    return [
        at_most("commit to paint, p95", p95, 500, "ms", measured=f"{percentiles(slowest)} (p50 / p95 / p99)", method=how),
        told("commit to paint, every panel", measured=f"{percentiles([each['took'] for each in paints])} (p50 / p95 / p99)",
             method=f"{len(paints)} paints of single panels; the same commits"),
    ]
