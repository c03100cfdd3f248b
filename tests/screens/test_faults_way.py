"""Faults of the way between browser and server, through a proxy that cuts, swallows and holds back: V3, V20."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.live import toy
from tests.live.conftest import Served
from tests.screens.proxy import Proxy, proxied
from tests.screens.seen import FIGURE, LOST, back, lost, mark, same

pytestmark = pytest.mark.browser


@pytest.fixture
def way(served: Served) -> Iterator[Proxy]:
    with proxied(served.port) as proxy:
        yield proxy


@pytest.fixture
def page(context: BrowserContext, served: Served, way: Proxy) -> Page:
    """A paired wall behind the proxy whose clock can be turned on."""
    found = context.new_page()
    found.clock.install()
    found.goto(served.pair()[1].replace(str(served.port), str(way.port)))
    expect(found.locator(FIGURE)).to_have_text("0", timeout=20_000)
    expect(found.locator("[data-live=clock]")).not_to_be_empty()  # the stream has spoken
    return found


def test_v3_a_network_cut_of_ten_minutes_is_said_and_ends_by_itself(
    page: Page, context: BrowserContext, served: Served, way: Proxy
) -> None:
    way.swallows = True
    context.set_offline(True)
    lost(page)
    page.clock.fast_forward("10:00")
    expect(page.locator("#figure--age")).to_have_text("11 menit")
    toy.put(served.engines["figures"], "figure", "43")
    page.wait_for_timeout(1_000)
    expect(page.locator("body")).to_have_class(LOST)
    expect(page.locator(FIGURE)).to_have_text("0")
    way.swallows = False
    context.set_offline(False)
    back(page, "43")


@pytest.mark.long
def test_v3_a_cable_that_is_pulled_and_put_back_leaves_the_page_as_it_was(page: Page, served: Served, way: Proxy) -> None:
    mark(page)
    way.swallows = True
    lost(page)
    toy.put(served.engines["figures"], "figure", "43")
    page.wait_for_timeout(4_000)
    way.swallows = False
    back(page, "43")
    assert same(page)


def test_v20_a_proxy_that_ends_idle_connections_finds_none(page: Page, way: Proxy) -> None:
    way.idle_seconds = 1.5
    page.wait_for_timeout(5_000)
    expect(page.locator("body")).not_to_have_class(LOST)
    assert page.evaluate("() => commandCenter.errors") == 0


def test_v20_a_proxy_that_ends_every_connection_loses_no_update(page: Page, served: Served, way: Proxy) -> None:
    mark(page)
    way.longest_seconds = 1.5
    for number in range(1, 16):
        toy.put(served.engines["figures"], "figure", str(number))
        toy.put(served.engines["figures"], "list", ",".join(f"n{each}" for each in range(number % 4 + 1)))
        page.wait_for_timeout(400)
    assert way.cut >= 2
    back(page, "15", within=10_000)
    expect(page.locator("#slot-list li")).to_have_count(4, timeout=10_000)
    assert same(page)


@pytest.mark.long
def test_v20_a_proxy_that_holds_back_makes_no_old_figure_look_new(page: Page, served: Served, way: Proxy) -> None:
    way.held_seconds = 8.0
    toy.put(served.engines["figures"], "figure", "48")
    lost(page)
    page.wait_for_timeout(10_000)  # what was held back arrives meanwhile, regularly, and is old
    expect(page.locator("body")).to_have_class(LOST)
    way.held_seconds = 0.0
    back(page, "48")
