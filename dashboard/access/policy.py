"""Which paths exist and who may use them: the policy table that the guard obeys and the authorisation test reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Who(StrEnum):
    """Who may use a path."""

    OPEN = "open"  # everybody
    LOCAL = "local"  # loopback, or the token of the interface
    PROGRAM = "program"  # the token of the interface alone: not a browser of this machine, which any page can make ask
    DEVICE = "device"  # a principal of the path's zone
    INDEX = "index"  # everybody: a principal gets the page, others the pairing page


class Cache(StrEnum):
    """How long a browser may keep an answer."""

    NEVER = "no-store"
    ALWAYS = "public, max-age=31536000, immutable"
    ASK = "no-cache"


@dataclass(frozen=True)
class Route:
    """A path by name. ``path`` is a regular expression for the whole path; there is no WebSocket route at all.

    ``versioned``: an answer may be kept for ever when the address carries the content's version.
    """

    name: str
    path: re.Pattern[str]
    methods: frozenset[str]
    who: Who
    zone: str = ""
    versioned: bool = False


GET = frozenset({"GET"})
LOOK = frozenset({"GET", "HEAD"})
POST = frozenset({"POST"})
_ASSETS = r"(?:[\w-]+/)*[\w.-]+\.(?:js|css|woff2|svg|png|ico)"


def zone_routes(zone: str) -> tuple[Route, ...]:
    """The routes of a zone of screens. Dash's ``_dash-ws-callback`` and ``_reload-hash`` are not among them."""

    def route(name: str, path: str, methods: frozenset[str], who: Who, *, versioned: bool = False) -> Route:
        return Route(f"{zone}-{name}", re.compile(f"/{zone}/{path}"), methods, who, zone, versioned)

    return (
        route("index", "", GET, Who.INDEX),
        route("enter", "enter", POST, Who.OPEN),
        route("pair", "pair", POST, Who.OPEN),
        route("assets", f"assets/{_ASSETS}", GET, Who.DEVICE, versioned=True),
        route("suites", r"_dash-component-suites/[\w.@/-]+\.(?:js|css|map)", GET, Who.DEVICE, versioned=True),
        route("layout", "_dash-layout", GET, Who.DEVICE),
        route("dependencies", "_dash-dependencies", GET, Who.DEVICE),
        route("callback", "_dash-update-component", POST, Who.DEVICE),
        route("favicon", r"_favicon\.ico", GET, Who.DEVICE),
        route("live", "live", GET, Who.DEVICE),
        route("receipt", "receipt", POST, Who.DEVICE),
        route("states", r"states(?:/(?:id|en))?(?:/[1-9])?", GET, Who.DEVICE),
        route("panel", r"panel/[a-z0-9_-]{1,100}", GET, Who.DEVICE),
    )


def _replay_routes() -> tuple[Route, ...]:
    """The zone of recordings: no live stream, no callback. ``style`` is a recorded style sheet, by its hash."""

    def route(name: str, path: str, methods: frozenset[str] = GET, who: Who = Who.DEVICE, *, versioned: bool = False) -> Route:
        return Route(f"replay-{name}", re.compile(f"/replay/{path}"), methods, who, "replay", versioned)

    return (
        route("index", "", GET, Who.INDEX),
        route("enter", "enter", POST, Who.OPEN),
        route("style", r"assets/recorded-[0-9a-f]{32}\.css"),
        route("assets", f"assets/{_ASSETS}", versioned=True),
        route("suites", r"_dash-component-suites/[\w.@/-]+\.(?:js|css|map)", versioned=True),
        route("layout", "_dash-layout"),
        route("dependencies", "_dash-dependencies"),
        route("favicon", r"_favicon\.ico"),
        route("stage", "stage"),
        route("moment", r"moment/\d{1,14}"),
        route("since", r"since/\d{1,14}"),
    )


ROUTES: tuple[Route, ...] = (
    Route("healthz", re.compile("/healthz"), LOOK, Who.OPEN),
    Route("readyz", re.compile("/readyz"), LOOK, Who.OPEN),
    Route("metrics", re.compile("/metrics"), GET, Who.LOCAL),
    Route("mode", re.compile("/api/v1/mode"), GET | POST, Who.PROGRAM),
    Route("api", re.compile(r"/api/v1/[\w/-]+"), GET, Who.LOCAL),
    *zone_routes("wall"),
    *_replay_routes(),
)


def route_of(path: str) -> Route | None:
    """The route of a path; ``None`` for every path that is not in the table."""
    if ".." in path or "//" in path:
        return None
    return next((route for route in ROUTES if route.path.fullmatch(path)), None)
