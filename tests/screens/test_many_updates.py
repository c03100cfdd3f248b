"""Days of updates leave nothing behind in the browser: heap, nodes and listeners of the demo's whole wall (V9, V10)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.bench import browser as kiosk
from tests.bench import heap
from tests.bench.house import House, house, served

pytestmark = pytest.mark.browser
GROWTH, FLAT = 0.10, heap.FLAT_SHARE
CASES = 5_000


@pytest.fixture
def wall(browser: Browser) -> Iterator[tuple[Page, House]]:
    """Every scene of the demo's western wall on a store of some cases."""
    with house(CASES) as where, served(where) as server:
        page = kiosk.wall(browser, where, server)
        yield page, where
        page.context.close()


def _grown(page: Page, where: House, updates: int) -> dict[str, float]:
    """Growth of heap, nodes and listeners over so many updates, as shares; garbage is collected before and after."""
    session = kiosk.devtools(page)
    session.send("Performance.enable")
    heap.updated(page, where, heap.WARM_UP)
    before = heap.counted(page, session)
    done, commits = heap.updated(page, where, updates)
    after = heap.counted(page, session)
    grown = {name: after[name] / before[name] - 1 for name in before}
    print(f"{done} updates by {commits} commits: " + ", ".join(
        f"{name} {before[name]:.0f} -> {after[name]:.0f} ({share:+.1%})" for name, share in grown.items()
    ))
    return grown


def test_v9_two_thousand_updates_leave_nothing_behind_and_v10_nothing_draws_on_a_canvas(wall: tuple[Page, House]) -> None:
    page, where = wall
    grown = _grown(page, where, heap.UPDATES)
    assert grown["heap"] <= GROWTH
    assert grown["nodes"] <= FLAT
    assert grown["listeners"] <= FLAT
    assert page.evaluate("() => commandCenter.paints.length") <= 200
    assert page.evaluate("() => document.querySelectorAll('canvas').length") == 0
    assert page.evaluate("() => typeof window.Plotly") == "undefined"


@pytest.mark.long
def test_v9_twenty_thousand_updates_leave_nothing_behind(wall: tuple[Page, House]) -> None:
    grown = _grown(*wall, heap.FULL_UPDATES)
    assert grown["heap"] <= GROWTH
    assert grown["nodes"] <= FLAT
    assert grown["listeners"] <= FLAT
