"""The real wall, served: its content security policy, requests to nobody else, its typeface missing, its language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config.settings import SHIPPED
from layouts import states
from tests.axe import findings
from tests.product import Product, end
from tests.servers import free_port, wait_until

pytestmark = pytest.mark.browser
PATIENCE_MILLISECONDS = 60_000
WATCH = """
window.violations = []; window.shift = 0;
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.violatedDirective + " " + e.blockedURI));
new PerformanceObserver((list) => list.getEntries().forEach((e) => { window.shift += e.value; })).observe({type: "layout-shift", buffered: true});
"""
SCREENS = """
[screens.west]
name = "Dinding Barat"
scenes = [{scenes}]

[screens.visit]
name = "Dinding tamu"
language = "en"
scenes = [{scenes}]
"""


@dataclass
class House:
    """A product with the shipped declarations and no source, and its address."""

    product: Product
    base: str

    def link(self, screen: str) -> str:
        """A fresh link for a wall."""
        return self.product.run("device", "add", "--place", "Uji", "--screen", screen, "--base", self.base).split()[-1]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    product, port = Product(tmp_path_factory.mktemp("wall")), free_port()
    scenes = ", ".join(f'"{name}"' for name in re.findall(r"^\[scenes\.([\w-]+)\]", (SHIPPED / "screens.toml").read_text(), re.M))
    product.declare({"regency.toml": f'extends = "{SHIPPED}"\n', "screens.toml": SCREENS.format(scenes=scenes)})
    found = House(product, f"http://127.0.0.1:{port}")
    found.link("west")  # makes the stores
    process = product.start("serve", "--port", str(port), log="serve")
    try:
        wait_until(lambda: urlopen(f"{found.base}/readyz", timeout=5).close(), process, "the wall's server")
        yield found
    finally:
        end(process)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="en-US", timezone_id="America/Anchorage")
    found.add_init_script(WATCH)
    found.set_default_timeout(PATIENCE_MILLISECONDS)
    yield found
    found.close()


def wall(context: BrowserContext, house: House, screen: str = "west") -> Page:
    page = context.new_page()
    page.goto(house.link(screen))
    page.locator(".scene.is-shown .slot > *").first.wait_for()
    expect(page.locator("[data-live=clock]")).to_have_text(re.compile(r"\d\d"), timeout=PATIENCE_MILLISECONDS)
    return page


def test_v17_no_page_asks_anybody_else_and_none_breaks_its_policy(context: BrowserContext, house: House) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(f"{house.base}/wall/")
    expect(page.locator("[data-pairing]")).to_be_visible()
    violations = page.evaluate("() => window.violations")
    page = wall(context, house)
    violations += page.evaluate("() => window.violations")
    for number in range(1, states.PAGES + 1):
        answer = page.goto(f"{house.base}/wall/states/en/{number}")
        assert answer is not None
        assert answer.status == 200
        assert answer.header_value("content-security-policy").startswith("default-src 'none'")  # type: ignore[union-attr]
        assert answer.header_value("refresh") == f"20; url=/wall/states/en/{number % states.PAGES + 1}"
        assert page.locator(".state").count() >= 4
        violations += page.evaluate("() => window.violations")
    assert violations == []
    assert {url for url in asked if not url.startswith((house.base, "data:"))} == set()


def test_v16_without_its_typeface_the_page_does_not_jump_and_says_everything(context: BrowserContext, house: House) -> None:
    blocked: list[str] = []
    context.route("**/*.woff2*", lambda route: blocked.append(route.request.url) or route.abort())  # type: ignore[func-returns-value]
    page = wall(context, house)
    page.wait_for_timeout(1000)
    assert blocked
    assert page.evaluate("() => window.shift") <= 0.1
    assert page.evaluate("() => [...document.querySelectorAll('.tile, .strip, .alarm')].filter((e) => e.getBoundingClientRect().right > 1921)"
                         ".length") == 0


def test_v31_an_english_screen_is_english_with_the_regencys_clock(context: BrowserContext, house: House) -> None:
    page = wall(context, house, "visit")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("[data-live=clock]")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(page.locator(".clock small")).to_have_text("WITA")
    expect(page.locator("[data-live=date]")).to_have_text(re.compile(r"^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d+ \w+ \d{4}$"))
    expect(page.locator("#scene-today h2").first).to_have_text("Requests received")


@pytest.mark.parametrize("path", ["/wall/", "/wall/states", "/wall/states/en/3"])
def test_v30_axe_finds_nothing_serious_on_a_served_page(context: BrowserContext, house: House, path: str) -> None:
    page = wall(context, house)
    page.goto(f"{house.base}{path}")
    page.locator(".wall").wait_for()
    assert findings(page) == []


def test_v30_axe_finds_nothing_serious_on_the_pairing_page(context: BrowserContext, house: House) -> None:
    page = context.new_page()
    page.goto(f"{house.base}/wall/")
    expect(page.locator("[data-pairing]")).to_be_visible()
    assert findings(page) == []
