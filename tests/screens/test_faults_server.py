"""Faults of screens whose cause is the server or the way to it, in Chromium against a real process: V1, V2, V4–V6, V11."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.live import toy
from tests.live.conftest import Served
from tests.screens.seen import FAILED, FIGURE, LIST, LOST, STALE, back, clean, lost, mark, nodes, same, soon

pytestmark = pytest.mark.browser


def _reconnect(page: Page) -> None:
    page.evaluate("() => { dispatchEvent(new Event('online')); }")


def test_v1_a_restart_of_five_seconds_keeps_the_figures_while_their_age_runs(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "stale", str(soon(5)))
    toy.put(served.engines["figures"], "figure", "41")
    expect(wall.locator(FIGURE)).to_have_text("41")
    mark(wall)
    served.stop()
    lost(wall)
    expect(wall.locator("#slot-figure")).to_have_class(STALE, timeout=8_000)
    expect(wall.locator(FIGURE)).to_have_text("41")
    toy.put(served.engines["figures"], "stale", str(soon(3_600)))
    served.start()
    back(wall, "41", within=10_000)
    expect(wall.locator("#slot-figure")).not_to_have_class(STALE)
    assert same(wall)


@pytest.mark.long
def test_v2_a_server_that_is_down_for_hours_is_said_and_nothing_piles_up(context: BrowserContext, served: Served) -> None:
    page = context.new_page()
    page.clock.install()
    page.goto(served.pair()[1])
    toy.put(served.engines["figures"], "figure", "41")
    expect(page.locator(FIGURE)).to_have_text("41")
    before = nodes(page)
    served.kill()
    lost(page)
    page.clock.run_for("10:00")
    expect(page.locator("body")).to_have_class(LOST)
    expect(page.locator("#figure--age")).to_have_text("11 menit")
    page.clock.fast_forward("08:00:00")
    expect(page.locator("#figure--age")).to_have_text(re.compile("^8 jam"))
    page.wait_for_timeout(1_000)
    assert nodes(page) == before
    assert clean(page)
    toy.put(served.engines["figures"], "figure", "42")
    served.start()
    back(page, "42")


@pytest.mark.parametrize(("status", "kind"), [
    (200, "text/html"), (200, "text/event-stream"), (200, "application/json"), (403, "text/html"), (401, "text/html"),
], ids=["html", "html-as-a-stream", "html-as-json", "html-403", "html-401"])
@pytest.mark.short("html", "html-as-a-stream")
def test_v4_a_portals_page_instead_of_the_stream_is_a_failure(wall: Page, served: Served, status: int, kind: str) -> None:
    mark(wall)
    portal = "<html><form><input name=code></form></html>"
    wall.route("**/wall/live", lambda route: route.fulfill(status=status, content_type=kind, body=portal))
    _reconnect(wall)
    lost(wall)
    assert clean(wall)
    toy.put(served.engines["figures"], "figure", "44")
    wall.unroute("**/wall/live")
    back(wall, "44")
    assert same(wall)


def test_v4_a_portals_page_instead_of_a_panels_tree_marks_the_panel(wall: Page, served: Served) -> None:
    asked: list[float] = []

    def portal(route: Route) -> None:
        asked.append(time.monotonic())
        route.fulfill(status=200, content_type="text/html", body="<p>portal</p>")

    wall.route("**/wall/panel/list", portal)
    toy.put(served.engines["figures"], "list", "a,b,c")
    expect(wall.locator("#slot-list")).to_have_class(FAILED)
    expect(wall.locator("#slot-list")).to_have_class(STALE)
    expect(wall.locator(LIST)).to_have_count(2)
    wall.wait_for_timeout(4_000)
    assert len(asked) <= 6
    wall.unroute("**/wall/panel/list")
    expect(wall.locator(LIST)).to_have_count(3, timeout=30_000)
    expect(wall.locator("#slot-list")).not_to_have_class(FAILED)
    back(wall, "0")


@pytest.mark.long
def test_v4_a_panels_tree_that_never_comes_marks_the_panel(wall: Page, served: Served) -> None:
    held: list[Route] = []
    wall.route("**/wall/panel/list", lambda route: held.append(route))
    toy.put(served.engines["figures"], "list", "a,b,c")
    expect(wall.locator("#slot-list")).to_have_class(FAILED, timeout=10_000)
    wall.unroute("**/wall/panel/list")
    expect(wall.locator(LIST)).to_have_count(3, timeout=30_000)


def test_v5_a_server_that_answers_with_old_data_is_judged_by_the_datas_time(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "stale", str(soon(2)))
    toy.put(served.engines["figures"], "figure", "45")
    expect(wall.locator("#slot-figure")).to_have_class(STALE, timeout=6_000)
    expect(wall.locator(FIGURE)).to_have_text("45")
    expect(wall.locator("body")).not_to_have_class(LOST)


def test_v5_a_server_that_asks_its_panels_no_more_is_lost(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "frail", "hang")
    expect(wall.locator("body")).not_to_have_class(LOST)
    expect(wall.locator("body")).to_have_class(LOST, timeout=20_000)


@pytest.mark.parametrize("status", [500, 502, 503, 429])
@pytest.mark.short("503")
def test_v6_bursts_of_errors_are_backed_off_from_and_said(wall: Page, served: Served, status: int) -> None:
    asked: list[float] = []

    def burst(route: Route) -> None:
        asked.append(time.monotonic())
        route.fulfill(status=status, headers={"retry-after": "2"}, body="bad gateway")

    mark(wall)
    wall.route("**/wall/live", burst)
    _reconnect(wall)
    lost(wall)
    wall.wait_for_timeout(5_000)
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert gaps
    assert min(gaps) >= 1.9
    assert clean(wall)
    toy.put(served.engines["figures"], "figure", "46")
    wall.unroute("**/wall/live")
    back(wall, "46")
    assert same(wall)


@pytest.mark.long
def test_v6_an_absurd_wait_is_not_obeyed(context: BrowserContext, served: Served) -> None:
    page = context.new_page()
    page.clock.install()
    page.goto(served.pair()[1])
    expect(page.locator(FIGURE)).to_be_visible()
    page.route("**/wall/live", lambda route: route.fulfill(status=429, headers={"retry-after": "315360000"}))
    _reconnect(page)
    lost(page)
    page.unroute("**/wall/live")
    toy.put(served.engines["figures"], "figure", "47")
    page.clock.fast_forward("01:01")
    back(page, "47")


def test_v11_a_panel_that_is_slower_than_its_changes_skips_to_the_newest(wall: Page, served: Served) -> None:
    before = wall.evaluate("() => commandCenter.frames")
    for number in range(1, 21):
        toy.put(served.engines["figures"], "frail", f"slow {number}")
    expect(wall.locator("#frail--value")).to_have_text("slow 20", timeout=15_000)
    assert wall.evaluate("() => commandCenter.frames") - before <= 10


def test_v11_trees_that_come_slowly_are_asked_for_one_at_a_time_and_the_newest_wins(wall: Page, served: Served) -> None:
    asked: list[float] = []

    def slowly(route: Route) -> None:
        asked.append(time.monotonic())
        answer = route.fetch()
        wall.wait_for_timeout(1_000)
        route.fulfill(response=answer)

    wall.route("**/wall/panel/list", slowly)
    for number in range(3, 15):
        toy.put(served.engines["figures"], "list", ",".join(f"n{each}" for each in range(number)))
    expect(wall.locator(LIST)).to_have_count(14, timeout=15_000)
    assert len(asked) <= 4


def test_v19_an_old_page_that_asks_for_what_is_gone_is_refused_and_reloads(wall: Page, served: Served) -> None:
    mark(wall)
    gone = """async () => {
        const call = {output: "old.children", outputs: {id: "old", property: "children"}, inputs: [], changedPropIds: []};
        const asked = await fetch("/wall/_dash-update-component", {method: "POST", body: JSON.stringify(call),
            headers: {"Content-Type": "application/json"}});
        const panel = await fetch("/wall/panel/gone");
        return [asked.status, panel.status, (await asked.text()) + (await panel.text())];
    }"""
    status, panel, text = wall.evaluate(gone)
    assert [status, panel] == [403, 404]
    assert "Traceback" not in text
    served.stop()
    served.start(build="two")
    expect(wall.locator("#live-page")).to_have_attribute("data-build", "two", timeout=30_000)
    assert not same(wall)
    back(wall, "0")
