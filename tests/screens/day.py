"""A day of a wall in a few minutes: the product in its own processes, its sources' ledger, two walls that are sampled.

What is compressed are limits, not behaviour: a source is read each second and stale after 6 to 10 of them, so that an outage
of 10 s is longer than every limit, as four minutes and twenty are not of a rhythm of five minutes but of one of a minute. The
heartbeat, and with it the three ticks until a wall says that it is lost, is the product's own. What only long outages bring
(the page that loads itself anew after five minutes) is shown with the page's own clock turned on: V2 and V3.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.product import Product, end
from tests.screens.asleep import renderers, stop, wake
from tests.screens.proxy import Proxy, proxied
from tests.screens.sampler import Sampler
from tests.screens.tellers import DECLARATION, Teller, telling
from tests.servers import free_port

SCREENS = """
[scenes.day]
name = { id = "Sehari", en = "A day" }
panels = [
  { panel = "received_today", area = "received" }, { panel = "agencies", area = "agencies" },
  { panel = "sources_strip", area = "sources" },
]

[screens.west]
name = "Dinding Barat"
scenes = ["day"]
"""
WRONG_CLOCK = """
(() => {
  const Real = Date, now = Real.now.bind(Real);
  window.wrongBy = -3 * 3600000;
  window.Date = class extends Real {
    constructor(...given) { super(...(given.length ? given : [now() + window.wrongBy])); }
    static now() { return now() + window.wrongBy; }
  };
})();
"""
READY_WITHIN = 120


def noon() -> str:
    """A zone in which it is about noon now, so that no midnight falls into the test."""
    ahead = 12 - datetime.now(UTC).hour  # Etc/GMT-5 is five hours ahead
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


@dataclass
class Day:
    """The running product and what can be done to it."""

    product: Product
    port: int
    tellers: dict[str, Teller]
    way: Proxy
    browser: Browser
    contexts: list[BrowserContext]
    walls: list[Sampler] = field(default_factory=list)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    sleeping: list[int] = field(default_factory=list)

    def start(self, name: str) -> None:
        """Start serve or schedule, without waiting for it."""
        more = ("--port", str(self.port)) if name == "serve" else ()
        self.processes[name] = self.product.start(name, *more, log=name)

    def kill(self, name: str) -> None:
        """SIGKILL, with all of its children."""
        process = self.processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def cut(self, cut: bool) -> None:
        """Pull the network cable, or put it back."""
        self.way.swallows = cut
        for context in self.contexts:
            context.set_offline(cut)

    def sleep(self, sleeps: bool) -> None:
        """Put the browser to sleep, or wake it."""
        if sleeps:
            self.sleeping = renderers(self.browser)
            stop(self.sleeping)
        else:
            wake(self.sleeping)
            self.sleeping = []

    def set_clock(self, wrong_by: timedelta) -> None:
        """Set the clock of the second wall's machine."""
        self.walls[1].page.evaluate("(wrong) => { window.wrongBy = wrong; }", wrong_by.total_seconds() * 1000)

    def run(self, seconds: float, script: dict[float, Callable[[], object]]) -> None:
        """Sample both walls each second; at its second, do what the script says. Sources tell new cases all the while."""
        began, number, waiting = time.monotonic(), 0, sorted(script.items())
        while (at := time.monotonic() - began) < seconds:
            while waiting and waiting[0][0] <= at:
                waiting.pop(0)[1]()
            if number % 3 == 0:
                for teller in self.tellers.values():
                    teller.add(1)
            for wall in self.walls:
                if self.sleeping:
                    wall.found.asleep += 1
                else:
                    wall.sample()
            number += 1
            time.sleep(max(0.0, number - (time.monotonic() - began)))


@contextmanager
def day(folder: Path, browser: Browser, limits: dict[str, int], volumes: dict[str, int]) -> Iterator[Day]:
    """The product on sources of these names, limits (seconds) and cases told so far; both walls show them all."""
    tellers = {name: Teller(name, limit) for name, limit in limits.items()}
    for name, teller in tellers.items():
        teller.add(volumes[name], ago=timedelta(minutes=30))
    product, port = Product(folder), free_port()
    with ExitStack() as stack:
        stack.enter_context(telling(list(tellers.values())))
        product.declare({
            "regency.toml": f'name = "Uji"\ntimezone = "{noon()}"\nlocale = "id_ID"\n', "screens.toml": SCREENS,
            "calendars.toml": "[always]\nalways = true\nholidays = false\n",
            **{f"agencies/{teller.key}.toml": DECLARATION.format(**vars(teller), key=teller.key) for teller in tellers.values()},
        })
        way = stack.enter_context(proxied(port))
        contexts = [browser.new_context(viewport={"width": 1920, "height": 1080}) for _ in range(2)]
        for context in contexts:
            stack.callback(context.close)
        contexts[1].add_init_script(WRONG_CLOCK)
        made = Day(product, port, tellers, way, browser, contexts)
        made.start("schedule")
        stack.callback(lambda: end(made.processes["schedule"]))
        made.start("serve")
        stack.callback(lambda: end(made.processes["serve"]))
        for context in contexts:
            made.walls.append(Sampler(_opened(context, made), list(tellers.values())))
        stack.callback(lambda: wake(made.sleeping))
        yield made


def _ready(page: Page, port: int) -> bool:
    try:
        return page.request.get(f"http://127.0.0.1:{port}/readyz").status == 200
    except Error:  # not listening yet
        return False


def _opened(context: BrowserContext, made: Day) -> Page:
    link = made.product.run("device", "add", "--place", "Uji", "--base", f"http://127.0.0.1:{made.way.port}").split()[-1]
    page = context.new_page()
    until = time.monotonic() + READY_WITHIN
    while not _ready(page, made.port):
        assert time.monotonic() < until, made.product.output("serve")
        time.sleep(0.2)
    page.goto(link)
    rows = page.locator("[id^=agencies--a][id$=-row]:is(.is-normal, .is-late)")
    rows.nth(len(made.tellers) - 1).wait_for(state="attached", timeout=READY_WITHIN * 1000)
    return page
