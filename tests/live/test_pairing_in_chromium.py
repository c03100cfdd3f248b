"""An unknown wall in a real browser: it shows a code, is approved, comes by itself, and is wiped when it is revoked."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select, update

from dashboard import clock
from dashboard.access import devices, joining
from dashboard.clock import epoch
from dashboard.store.engine import writing
from dashboard.store.tables import device_session, pairing
from tests.live import toy
from tests.live.conftest import ROOT, Served

pytestmark = pytest.mark.browser
CODE = re.compile(r"^[0-9A-Z]{4}-[0-9A-Z]{4}$")
FIGURE = "#figure--value"
SIZES = [(1920, 1080), (3840, 2160), (1080, 1920), (3840, 1080), (1280, 720)]


@pytest.fixture
def stranger(context: BrowserContext, served: Served) -> Page:
    """A wall that nobody paired."""
    page = context.new_page()
    page.goto(f"{served.base}/wall/")
    expect(page.locator("[data-code]")).to_have_text(CODE)
    return page


@pytest.fixture
def another(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context()
    yield found
    found.close()


def _approve(served: Served, page: Page, place: str = "Dinding Barat", **how: tuple[str, ...]) -> str:
    return joining.approve(
        served.engines["people"], page.locator("[data-code]").inner_text(), place=place, screen="west", zone="wall",
        now=clock.now(), **how,
    )


def test_a_wall_shows_its_code_and_comes_by_itself_once_the_command_approved_it(stranger: Page, served: Served) -> None:
    code = stranger.locator("[data-code]").inner_text()
    expect(stranger.locator("[data-command]").first).to_contain_text(f"device approve {code}")
    done = subprocess.run(
        [sys.executable, "-m", "dashboard", "device", "approve", code.lower(), "--screen", "west", "--place", "Dinding Barat"],
        cwd=ROOT, text=True, capture_output=True, check=False, env={
            "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COMMAND_CENTER_CONFIG": str(served.folder / "config"),
            "COMMAND_CENTER_DATA": str(served.folder / "var"),
        },
    )
    assert done.returncode == 0, done.stderr
    expect(stranger.locator(FIGURE)).to_be_visible(timeout=15_000)
    assert stranger.url == f"{served.base}/wall/"
    assert [found.place for found in devices.list_devices(served.engines["people"])] == ["Dinding Barat"]


def test_the_secret_of_the_page_is_nowhere_to_be_seen(stranger: Page) -> None:
    assert stranger.context.cookies() == []
    assert stranger.evaluate("() => [location.hash, localStorage.length, sessionStorage.length]") == ["", 0, 0]
    assert not re.search(r"[\w-]{43}", stranger.locator("main").inner_html())


def test_an_expired_code_is_replaced_by_another(stranger: Page, served: Served) -> None:
    before = stranger.locator("[data-code]").inner_text()
    with writing(served.engines["people"]).begin() as connection:
        connection.execute(update(pairing).values(expires_at=epoch(clock.now()) - 1))
    expect(stranger.locator("[data-code]")).not_to_have_text(before, timeout=15_000)
    expect(stranger.locator("[data-code]")).to_have_text(CODE, timeout=15_000)


@pytest.mark.long
def test_a_wall_that_waits_survives_a_dead_server(stranger: Page, served: Served) -> None:
    served.kill()
    stranger.wait_for_timeout(4000)
    served.start()
    _approve(served, stranger)
    expect(stranger.locator(FIGURE)).to_be_visible(timeout=40_000)


def test_a_wall_outside_its_network_is_a_stranger_and_keeps_its_cookie(stranger: Page, served: Served) -> None:
    _approve(served, stranger, networks=("10.77.0.0/16",))
    stranger.wait_for_function("() => document.cookie === ''")
    stranger.wait_for_timeout(5000)
    expect(stranger.locator("body[data-pairing]")).to_be_visible()
    assert [each["name"] for each in stranger.context.cookies()] == ["__Host-cc-wall"]
    assert stranger.request.get(f"{served.base}/wall/_dash-layout").status == 401


def test_a_revoked_wall_keeps_nothing_v23(context: BrowserContext, served: Served) -> None:
    """V23: within 10 seconds a neutral page; nothing in the page, its storage, the browser's cache or the way back."""
    identity, link = served.pair()
    page = context.new_page()
    page.goto("about:blank")
    page.goto(link)
    toy.put(served.engines["figures"], "figure", "471147")
    expect(page.locator(FIGURE)).to_have_text("471147")
    page.evaluate("() => { localStorage.setItem('k', '471147'); sessionStorage.setItem('k', '471147'); }")
    devices.revoke(served.engines["people"], identity, now=clock.now())
    began = time.monotonic()
    expect(page.locator("body[data-pairing]")).to_be_visible(timeout=10_000)
    assert time.monotonic() - began <= 10
    expect(page.locator("[data-code]")).to_have_text(CODE)
    for way in (page.go_back, page.go_forward, page.reload):
        way()
        assert "471147" not in page.content()
    page.goto(f"{served.base}/wall/")
    assert page.evaluate("() => [localStorage.length, sessionStorage.length]") == [0, 0]
    assert page.evaluate("() => caches.keys()") == []
    assert context.cookies() == []
    assert page.evaluate("() => window.commandCenter === undefined")


def test_a_token_is_replaced_unseen_and_its_copy_is_cut_off(
    context: BrowserContext, another: BrowserContext, served: Served
) -> None:
    """The wall gets its new cookie with a receipt, without a reload; who copied the old one is noticed after the overlap."""
    served.stop()
    served.start(receipts="1")
    identity, link = served.pair()
    page = context.new_page()
    page.goto(link)
    expect(page.locator(FIGURE)).to_be_visible()
    page.evaluate("() => { window.same = true; }")
    old = context.cookies()[0]
    another.add_cookies([{key: old[key] for key in ("name", "value", "domain", "path", "secure", "httpOnly")}])  # type: ignore[misc, literal-required]
    people = served.engines["people"]
    with writing(people).begin() as connection:
        month = int(timedelta(days=30).total_seconds())
        connection.execute(update(device_session).values(issued_at=device_session.c.issued_at - month))
    deadline = time.monotonic() + 20
    while context.cookies()[0]["value"] == old["value"] and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert context.cookies()[0]["value"] != old["value"]
    toy.put(served.engines["figures"], "figure", "12")
    expect(page.locator(FIGURE)).to_have_text("12")
    page.wait_for_timeout(1500)
    with people.connect() as connection:
        replaced = connection.execute(select(device_session.c.replaced_at).where(device_session.c.follows.is_(None))).scalar_one()
    assert replaced is not None
    with writing(people).begin() as connection:
        connection.execute(update(device_session).where(device_session.c.follows.is_(None)).values(replaced_at=replaced - 86_400))
    page.wait_for_timeout(1500)
    assert page.evaluate("() => window.same")
    expect(page.locator("body")).not_to_have_class(re.compile("is-lost"))
    thief = another.new_page()
    thief.goto(f"{served.base}/wall/")
    expect(thief.locator("body[data-pairing]")).to_be_visible()
    expect(page.locator("body[data-pairing]")).to_be_visible(timeout=10_000)
    found = devices.list_devices(people)
    assert [one.id for one in found if one.copied_at] == [identity]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.short("1080-1920")
def test_the_pairing_page_fits_every_screen(context: BrowserContext, served: Served, width: int, height: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{served.base}/wall/")
    expect(page.locator("[data-code]")).to_have_text(CODE)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert page.evaluate("() => document.documentElement.scrollHeight") <= height
    code = page.locator("[data-code]").bounding_box()
    assert code is not None
    assert code["height"] >= min(width, height) * 0.1
    cut = page.evaluate(
        "() => [...document.querySelectorAll('h1, p, output, code, form')].filter((each) => {"
        " const box = each.getBoundingClientRect();"
        " return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight || each.scrollWidth > each.clientWidth + 1;"
        " }).map((each) => each.outerHTML.slice(0, 60))"
    )
    assert cut == []
