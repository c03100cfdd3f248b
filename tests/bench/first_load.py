"""First load of a wall: bytes over the wire and seconds until it is complete, with an empty cache, paired."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from playwright.sync_api import Browser

from tests.bench.browser import chromium, complete, devtools, opened, wall
from tests.bench.house import House, Server, house, served
from tests.bench.lines import Line, Options, at_most, median, number

LOADS = 5


class Wire:
    """Bytes of every answer as they come over the wire, heads included; of a stream what has come so far."""

    def __init__(self, session: Any) -> None:
        self.urls: dict[str, str] = {}
        self.bytes: defaultdict[str, float] = defaultdict(float)
        session.on("Network.requestWillBeSent", lambda event: self.urls.update({event["requestId"]: event["request"]["url"]}))
        session.on("Network.responseReceived", self._head)
        session.on("Network.dataReceived", self._data)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _head(self, event: Any) -> None:
        self.bytes[event["requestId"]] = max(self.bytes[event["requestId"]], event["response"]["encodedDataLength"])

    def _data(self, event: Any) -> None:
        self.bytes[event["requestId"]] += event["encodedDataLength"]

    def _finished(self, event: Any) -> None:
        self.bytes[event["requestId"]] = event["encodedDataLength"]

    def largest(self, count: int) -> str:
        """The largest answers, for people."""
        found = sorted(((size, self.urls.get(key, "?")) for key, size in self.bytes.items()), reverse=True)[:count]
        return ", ".join(f"{url.partition('?')[0].rsplit('/', 1)[-1] or 'index'} {size / 1000:.0f}" for size, url in found)


def measure(options: Options) -> list[Line]:
    """Five loads; the medians."""
    sizes: list[float] = []
    seconds: list[float] = []
    elements = 0
    with house(5_000 if options.quick else 40_000) as where, served(where) as server, chromium() as browser:
        for _ in range(2 if options.quick else LOADS):
            wire, took, elements = _load(browser, where, server)
            sizes.append(sum(wire.bytes.values()) / 1000)
            seconds.append(took)
    plotly = any("plotly" in url for url in wire.urls.values())
    what = "with plotly" if plotly else "without plotly"
    return [
        at_most(f"first load of a wall, {what}", median(sizes), 900 if plotly else 450, "kB",
                measured=f"{number(median(sizes))} kB in {len(wire.urls)} answers",
                method=f"encoded bytes by Chromium's Network events, empty cache, both scenes; largest (kB): {wire.largest(5)}"),
        at_most("first load until complete", median(seconds), 2, "s", measured=f"{number(median(seconds))} s "
                f"(of {', '.join(map(number, seconds))})",
                method=f"from the navigation until every panel is drawn, the stream has spoken and the next frame was painted; {elements:,} "
                "elements on the page, server and browser on the same cores"),
    ]


def _load(browser: Browser, where: House, server: Server) -> tuple[Wire, float, int]:
    """A paired screen switched on: the cookie is there, the cache is empty. Bytes, seconds, elements."""
    paired = wall(browser, where, server)
    cookies = paired.context.cookies()
    paired.context.close()
    context, page = opened(browser)
    context.add_cookies(cookies)  # type: ignore[arg-type]
    wire = Wire(devtools(page))
    page.goto(f"{server.base}/wall/")
    took = complete(page) / 1000
    elements = int(page.evaluate("() => document.querySelectorAll('*').length"))
    context.close()
    return wire, took, elements
