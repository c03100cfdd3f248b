"""The wall in a real browser against a real server process."""

from __future__ import annotations

import re
import signal
import time
from datetime import datetime

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from dashboard import clock
from dashboard.access.devices import revoke
from tests.live import toy
from tests.live.conftest import Served

pytestmark = pytest.mark.browser
FIGURE = "#figure--value"
LOST = re.compile("is-lost")


def _paints(page: Page) -> list[float]:
    return [each["took"] for each in page.evaluate("() => commandCenter.paints") if each["took"] is not None]


def test_a_change_is_painted_without_a_reload(wall: Page, served: Served) -> None:
    expect(wall.locator(FIGURE)).to_have_text("0")
    wall.evaluate("() => { window.same = true; }")
    for number in range(1, 21):
        toy.put(served.engines["figures"], "figure", str(number))
        expect(wall.locator(FIGURE)).to_have_text(str(number))
    assert wall.evaluate("() => window.same")
    wall.wait_for_timeout(100)
    paints = sorted(_paints(wall))
    assert len(paints) >= 20
    assert paints[int(len(paints) * 0.95)] <= 500, paints


def test_a_longer_list_fetches_the_panel_once(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "list", "a,b,c")
    expect(wall.locator("#slot-list li")).to_have_text(["a", "b", "c"])
    toy.put(served.engines["figures"], "figure", "7")
    expect(wall.locator(FIGURE)).to_have_text("7")
    assert wall.evaluate("() => [commandCenter.refetched, commandCenter.errors]") == [1, 0]


def test_clock_date_and_ages_are_the_servers_in_its_zone(wall: Page, served: Served) -> None:
    expect(wall.locator("[data-live=clock]")).to_have_text(re.compile(r"^\d\d\.\d\d$"))
    now = datetime.now(served.regency.zone)
    shown = wall.locator("[data-live=clock]").inner_text()
    assert abs(int(shown[:2]) * 60 + int(shown[3:]) - now.hour * 60 - now.minute) % 1439 <= 1
    days = re.compile(r"^(Senin|Selasa|Rabu|Kamis|Jumat|Sabtu|Minggu), \d")
    expect(wall.locator("[data-live=date]")).to_have_text(days)
    expect(wall.locator("#figure--age")).to_have_text("1 menit")


def test_a_killed_server_is_said_within_three_ticks_and_a_new_one_recovers(wall: Page, served: Served) -> None:
    """V1."""
    wall.evaluate("() => { window.same = true; }")
    expect(wall.locator("body")).not_to_have_class(LOST)
    served.kill()
    began = time.monotonic()
    expect(wall.locator("body")).to_have_class(LOST, timeout=5000)
    assert time.monotonic() - began <= 3 * 0.5 + 0.5
    expect(wall.locator("[data-live=lost-since]")).to_have_text(re.compile(r"^\d\d\.\d\d$"))
    toy.put(served.engines["figures"], "figure", "99")
    served.start()
    expect(wall.locator("body")).not_to_have_class(LOST, timeout=20000)
    expect(wall.locator(FIGURE)).to_have_text("99")
    assert wall.evaluate("() => window.same")


@pytest.mark.long
def test_a_page_of_an_older_build_reloads_once(wall: Page, served: Served) -> None:
    """V18."""
    served.stop()
    served.start(build="two")
    expect(wall.locator("#live-page")).to_have_attribute("data-build", "two", timeout=20000)
    wall.evaluate("() => { window.same = true; }")
    wall.wait_for_timeout(2500)
    assert wall.evaluate("() => window.same")


@pytest.mark.long
def test_a_page_that_stays_old_reloads_at_most_three_times_an_hour(wall: Page, served: Served) -> None:
    """V18: the guard against a loop."""
    loads: list[str] = []
    wall.on("framenavigated", lambda frame: loads.append(frame.url))

    def older(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"data-build":"one"', '"data-build":"zero"'))

    wall.route("**/_dash-layout", older)
    wall.reload()
    wall.wait_for_timeout(8000)
    assert 2 <= len(loads) <= 4


def test_a_revoked_device_is_wiped_within_ten_seconds(context: BrowserContext, served: Served) -> None:
    """V23."""
    identity, link = served.pair()
    page = context.new_page()
    page.goto(link)
    toy.put(served.engines["figures"], "figure", "4711")
    expect(page.locator(FIGURE)).to_have_text("4711")
    revoke(served.engines["people"], identity, now=clock.now())
    expect(page.locator("body[data-pairing]")).to_be_visible(timeout=10000)
    assert "4711" not in page.content()
    page.go_back()
    assert "4711" not in page.content()


@pytest.mark.long
def test_html_instead_of_the_stream_is_a_lost_connection(wall: Page, served: Served) -> None:
    wall.route("**/wall/live", lambda route: route.fulfill(status=200, content_type="text/html", body="<p>portal</p>"))
    served.kill()
    served.start()
    expect(wall.locator("body")).to_have_class(LOST, timeout=10000)
    expect(wall.locator(FIGURE)).to_be_visible()
    wall.unroute("**/wall/live")
    expect(wall.locator("body")).not_to_have_class(LOST, timeout=30000)


def test_a_failing_panel_looks_stale_and_its_neighbours_go_on(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "frail", "broken")
    expect(wall.locator("#slot-frail")).to_have_class(re.compile("is-stale-by-clock"))
    expect(wall.locator("#frail--value")).to_have_text("1")
    toy.put(served.engines["figures"], "figure", "5")
    expect(wall.locator(FIGURE)).to_have_text("5")
    toy.put(served.engines["figures"], "frail", "2")
    expect(wall.locator("#frail--value")).to_have_text("2")
    expect(wall.locator("#slot-frail")).not_to_have_class(re.compile("is-stale-by-clock"))


def test_a_limit_is_said_by_the_browser_itself(wall: Page, served: Served) -> None:
    toy.put(served.engines["figures"], "stale", str(int(time.time()) + 3))
    wall.wait_for_timeout(1000)
    served.kill()
    expect(wall.locator("#slot-figure")).to_have_class(re.compile("is-stale-by-clock"), timeout=5000)


def test_the_wall_violates_no_policy_and_asks_no_other_host(context: BrowserContext, served: Served) -> None:
    """V17."""
    asked: list[str] = []
    spoken: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('violation ' + e.violatedDirective))"
    )
    page = context.new_page()
    page.on("console", lambda message: spoken.append(message.text))
    page.on("pageerror", lambda error: spoken.append(str(error)))
    page.goto(served.pair()[1])
    expect(page.locator(FIGURE)).to_be_visible()
    toy.put(served.engines["figures"], "list", "a")
    expect(page.locator("#slot-list li")).to_have_count(1)
    assert [text for text in spoken if "violation" in text or "rror" in text] == []
    assert [url for url in asked if not url.startswith((served.base, "data:"))] == []


def test_the_address_does_not_keep_the_code_and_a_used_code_is_refused(context: BrowserContext, served: Served) -> None:
    _, link = served.pair()
    page = context.new_page()
    page.goto(link)
    expect(page.locator(FIGURE)).to_be_visible()
    assert "#" not in page.url
    other = context.browser.new_context()  # type: ignore[union-attr]
    again = other.new_page()
    again.goto(link)
    expect(again.locator("[role=status]")).to_have_text(re.compile("Kode tidak berlaku"))
    other.close()


def test_a_server_that_hangs_is_lost_and_comes_back_without_a_reload(wall: Page, served: Served) -> None:
    wall.evaluate("() => { window.same = true; }")
    assert served.process is not None
    served.process.send_signal(signal.SIGSTOP)
    expect(wall.locator("body")).to_have_class(LOST, timeout=5000)
    wall.wait_for_timeout(4000)
    served.process.send_signal(signal.SIGCONT)
    expect(wall.locator("body")).not_to_have_class(LOST, timeout=20000)
    toy.put(served.engines["figures"], "figure", "8")
    expect(wall.locator(FIGURE)).to_have_text("8")
    assert wall.evaluate("() => window.same")


@pytest.mark.long
def test_the_clock_of_the_wall_pc_does_not_matter(context: BrowserContext, served: Served) -> None:
    context.add_init_script("Date.now = () => 0; const Real = Date; window.Date = class extends Real { \
        constructor(...given) { super(...(given.length ? given : [0])); } };")
    page = context.new_page()
    page.goto(served.pair()[1])
    now = datetime.now(served.regency.zone)
    expect(page.locator("[data-live=date]")).to_have_text(re.compile(rf" {now.day} \S+ {now.year}$"))
    expect(page.locator("#figure--age")).to_have_text("1 menit")


@pytest.mark.long
def test_hundreds_of_updates_leave_nothing_behind(wall: Page, served: Served) -> None:
    session = wall.context.new_cdp_session(wall)
    session.send("Performance.enable")

    def weigh() -> dict[str, float]:
        session.send("HeapProfiler.collectGarbage")
        found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return {name: found[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")}

    def update(first: int, last: int) -> None:
        for number in range(first, last):
            toy.put(served.engines["figures"], "figure", str(number))
            toy.put(served.engines["figures"], "list", ",".join(f"n{each}" for each in range(number % 5 + 1)))
            expect(wall.locator(FIGURE)).to_have_text(str(number))

    update(1, 100)
    before = weigh()
    update(100, 350)
    after = weigh()
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] * 1.1
    assert after["Nodes"] <= before["Nodes"] + 50
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 5
    assert wall.evaluate("() => commandCenter.paints.length") <= 200
