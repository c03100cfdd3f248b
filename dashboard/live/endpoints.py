"""Our own answers of a serve process, as plain ASGI behind the guard; everything else goes on to Dash."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Engine

from dashboard.access import devices, joining, pairing, tokens
from dashboard.access.devices import AccessRefused, Principal, TooManyTries, Tries
from dashboard.clock import epoch
from dashboard.guard import App, Message, Receive, Rules, Scope, Send, answer, header
from dashboard.live import exposition
from dashboard.live.entering import exchange
from dashboard.live.hub import Hub, ScreenPlan
from dashboard.live.readiness import READY
from dashboard.live.receipts import Receipts
from dashboard.live.snapshot import Snapshot
from dashboard.live.zone import Pages

log = structlog.get_logger("endpoints")

JSON = "application/json"
LONGEST_SECRET = 200
STATES_TURN_SECONDS = 20
"""So long a page of ``/wall/states`` stays; a header turns it, for a page on a wall has neither script nor links for it."""
FIRST_WORD_SECONDS, LOOK_SECONDS = 10.0, 0.1
"""How long a stream of a server that has just started waits for all of its panels, and how often it looks."""


class Endpoints:
    """Answers by the route's name that the guard found. ``ready()`` tells in one word whether this process can serve screens;
    it may block."""

    def __init__(
        self, inner: App, *, pages: Pages, hub: Hub, snapshot: Snapshot, receipts: Receipts, people: Engine,
        ready: Callable[[], str], words: Any, now: Callable[[], datetime],
    ) -> None:
        self.inner, self.pages, self.hub, self.snapshot, self.receipts = inner, pages, hub, snapshot, receipts
        self.people, self.ready, self.now = people, ready, now
        self.zone = pages.zone.name
        self.rules: Rules | None = None
        self.tries, self.asks, self.claims = Tries(), Tries(joining.ASKS_PER_MINUTE), Tries(joining.CLAIMS_PER_MINUTE)
        self._registry = exposition.metrics(hub, snapshot, receipts)
        self._pairing = pairing.page(self.zone, words)
        self._kept: set[asyncio.Task[None]] = set()
        self._by_route: dict[str, App] = {
            "healthz": self.healthz, "readyz": self.readyz, "metrics": self.metrics, "api": self.nothing,
            f"{self.zone}-index": self.index, f"{self.zone}-enter": self.enter, f"{self.zone}-layout": self.layout,
            f"{self.zone}-live": self.live, f"{self.zone}-panel": self.panel, f"{self.zone}-pair": self.pair,
            f"{self.zone}-receipt": self.receipt, f"{self.zone}-states": self.states,
        }

    def add(self, routes: Mapping[str, App]) -> None:
        """Answer further routes, by name."""
        self._by_route |= routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that the guard let through."""
        await self._by_route.get(scope["route"].name, self.inner)(scope, receive, send)

    async def healthz(self, _: Scope, __: Receive, send: Send) -> None:
        """Whether the process runs."""
        await answer(send, 200, b"ok")

    async def readyz(self, _: Scope, __: Receive, send: Send) -> None:
        """Whether it can serve screens, in one word (:mod:`dashboard.live.readiness`)."""
        word = await asyncio.to_thread(self.ready)
        await answer(send, 200 if word == READY else 503, word.encode())

    async def metrics(self, _: Scope, __: Receive, send: Send) -> None:
        """Prometheus' exposition."""
        await answer(send, 200, exposition.text(self._registry), kind="text/plain; version=0.0.4; charset=utf-8")

    async def nothing(self, _: Scope, __: Receive, send: Send) -> None:
        """The interface for programs has no address yet."""
        await answer(send, 404, b"not found")

    async def pairing(self, scope: Scope, _: Receive, send: Send) -> None:
        """The page of a screen without a principal. What a browser kept of one that was cut off goes with its cookie (V23)."""
        headers = [(b"content-security-policy", pairing.policy())]
        if self.rules is not None and self.rules.cookie_name(self.zone) in header(scope, b"cookie"):
            headers.append((b"clear-site-data", b'"cache", "storage"'))
            if not scope.get("outside"):
                headers.append((b"set-cookie", self.rules.cookie(self.zone, "", max_age=0)))
        await answer(send, 200, self._pairing, kind="text/html; charset=utf-8", headers=headers)

    async def enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Exchange a link code for the cookie: 204, or 403, or 429. Why a code is refused is not said."""
        await exchange(
            scope, receive, send, self.tries,
            lambda code: self._cookie(devices.redeem(self.people, code, zone=self.zone, now=self.now())),
        )

    async def pair(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An unknown wall asks for a code (``{}``: 200 with code and secret), or whether its code was approved (``{"secret"}``:
        204 with the cookie, 202 while it waits, 410 when it must ask anew). 429 when it asks too often."""
        assert self.rules is not None
        address = scope["client"][0] if scope.get("client") else ""
        try:
            told = json.loads((await receive()).get("body", b""))
            secret = str(told["secret"])[:LONGEST_SECRET] if told else ""
            (self.claims if secret else self.asks).count(address)
            if not secret:
                asked = await asyncio.to_thread(joining.ask, self.people, zone=self.zone, now=self.now())
                await answer(send, 200, json.dumps(asdict(asked)).encode(), kind=JSON)
                return
            token = await asyncio.to_thread(joining.claim, self.people, secret, zone=self.zone, now=self.now())
        except TooManyTries as err:
            await answer(send, 429, b"later", headers=[(b"retry-after", str(err.retry_after_seconds).encode())])
        except AccessRefused:
            await answer(send, 410, b"gone")
        except (ValueError, KeyError, TypeError, RecursionError):
            await answer(send, 400, b"bad request")
        else:
            cookie = [(b"set-cookie", self._cookie(token))] if token else []
            await answer(send, 204 if token else 202, headers=cookie)

    def _cookie(self, token: str) -> bytes:
        assert self.rules is not None
        return self.rules.cookie(self.zone, token, max_age=tokens.SESSION_LASTS_SECONDS)

    async def receipt(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a render receipt: 204; 205 with a new cookie when the device's token was due; 429 for one too soon, 400 for
        none. The page joins its stream again at 205, as who it is now."""
        who: Principal = scope["principal"]
        if self.receipts.too_soon(who):
            await answer(send, 429, b"later", headers=[(b"retry-after", b"10")])
            return
        try:
            self.receipts.take(who, (await receive()).get("body", b""))
        except (ValueError, RecursionError):
            await answer(send, 400, b"bad request")
            return
        token = await self._rotated(who)
        await answer(send, 205 if token else 204, headers=[(b"set-cookie", self._cookie(token))] if token else [])

    async def _rotated(self, who: Principal) -> str | None:
        """A new token when the device's is due. A store that cannot be written leaves the old one, which is good."""
        if epoch(self.now()) - who.issued_at < tokens.ROTATED_EVERY_SECONDS:
            return None
        try:
            return await asyncio.to_thread(tokens.rotate, self.people, who.session, now=self.now())
        except Exception as err:  # noqa: BLE001  (a page or receipt is answered all the same; the next one tries again)
            log.warning("token cannot be rotated", device=who.device, error=f"{type(err).__name__}: {err}")
            return None

    async def index(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dash's page; the device is noted as seen and its cookie lasts anew."""
        who: Principal = scope["principal"]
        token = await self._rotated(who) or self._token(scope)
        task = asyncio.ensure_future(asyncio.to_thread(devices.seen, self.people, who, now=self.now()))
        self._kept.add(task)
        task.add_done_callback(self._forget)

        async def renewed(message: Message) -> None:
            if message["type"] == "http.response.start" and token:
                message = {**message, "headers": [*message["headers"], (b"set-cookie", self._cookie(token))]}
            await send(message)

        await self.inner(scope, receive, renewed)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._kept.discard(task)
        if not task.cancelled():
            task.exception()  # a device that cannot be noted as seen still gets its page

    def _token(self, scope: Scope) -> str:
        assert self.rules is not None
        name = self.rules.cookie_name(self.zone) + "="
        found = [part.strip() for part in header(scope, b"cookie").split(";") if part.strip().startswith(name)]
        return found[0].removeprefix(name).strip('"') if len(found) == 1 else ""

    async def layout(self, scope: Scope, _: Receive, send: Send) -> None:
        """The first paint of the principal's screen."""
        plan = self.hub.showing(scope["principal"].screens[0])
        if plan is None:
            await answer(send, 404, b"not found")
            return
        body, packed = self.pages.body(plan.name, self.hub.states)
        gzipped = "gzip" in header(scope, b"accept-encoding")
        head = [(b"vary", b"accept-encoding"), *([(b"content-encoding", b"gzip")] if gzipped else [])]
        await answer(send, 200, packed if gzipped else body, kind=JSON, headers=head)

    async def panel(self, scope: Scope, _: Receive, send: Send) -> None:
        """The whole tree of one panel of the principal's screen, as it is now."""
        instance = scope["path"].rsplit("/", 1)[-1]
        plans = [self.hub.showing(screen) for screen in scope["principal"].screens]
        shown = any(instance in plan.instances for plan in plans if plan is not None)
        said = self.hub.states.get(instance) if shown else None
        if said is None:
            await answer(send, 404, b"not found")
        else:
            await answer(send, 200, said.tree_body(), kind=JSON)

    async def states(self, scope: Scope, _: Receive, send: Send) -> None:
        """Every state with its meaning, for training: a static page that turns by itself; 404 for one that is not there."""
        path = scope["path"].partition("/states")[2].strip("/")
        found = self.pages.zone.states(scope["principal"].screens[0], path) if self.pages.zone.states else None
        if found is None:
            await answer(send, 404, b"not found")
            return
        page, after = found
        turn = f"{STATES_TURN_SECONDS}; url=/{self.zone}/states/{after}".encode()
        await answer(send, 200, page.encode(), kind="text/html; charset=utf-8", headers=[(b"refresh", turn)])

    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The live stream of the principal's screen."""
        who: Principal = scope["principal"]
        plan = self.hub.showing(who.screens[0])
        if plan is None:
            await answer(send, 404, b"not found")
            return
        plan = await self._known(who.screens[0])
        if plan is None:
            await answer(send, 503, b"starting", headers=[(b"retry-after", b"2")])
        else:
            known = frozenset(header(scope, b"x-known").split(",")[: len(plan.instances)])
            with self.receipts.streaming(who.device):
                await self.hub.stream(plan, who.session, receive, send, known)

    async def _known(self, screen: str) -> ScreenPlan | None:
        """What a screen shows, as soon as one that joins can be told all of it: else it would take old figures for those of
        this server. ``None`` after a while; looked up anew each time, for the audience may change meanwhile."""
        until = time.monotonic() + FIRST_WORD_SECONDS
        while True:
            plan = self.hub.showing(screen)
            if plan is None or time.monotonic() > until:
                return None
            if self.hub.knows(plan):
                return plan
            await asyncio.sleep(LOOK_SECONDS)
