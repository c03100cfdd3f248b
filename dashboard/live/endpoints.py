"""Our own answers of a serve process, as plain ASGI behind the guard; everything else goes on to Dash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from dashboard.access import devices, pairing
from dashboard.access.devices import AccessRefused, Principal, TooManyTries, Tries
from dashboard.guard import App, Message, Receive, Rules, Scope, Send, answer, header
from dashboard.live import exposition
from dashboard.live.hub import Hub
from dashboard.live.snapshot import Snapshot
from dashboard.live.zone import Pages

JSON = "application/json"


class Endpoints:
    """Answers by the route's name that the guard found. ``ready()`` tells whether this process can serve screens."""

    def __init__(
        self, inner: App, *, pages: Pages, hub: Hub, snapshot: Snapshot, people: Engine, ready: Callable[[], bool],
        words: Any, now: Callable[[], datetime],
    ) -> None:
        self.inner, self.pages, self.hub, self.snapshot = inner, pages, hub, snapshot
        self.people, self.ready, self.now = people, ready, now
        self.zone = pages.zone.name
        self.rules: Rules | None = None
        self.tries = Tries()
        self._registry = exposition.metrics(hub, snapshot)
        self._pairing = pairing.page(self.zone, words)
        self._kept: set[asyncio.Task[None]] = set()
        self._by_route: dict[str, App] = {
            "healthz": self.healthz, "readyz": self.readyz, "metrics": self.metrics, "api": self.nothing,
            f"{self.zone}-index": self.index, f"{self.zone}-enter": self.enter, f"{self.zone}-layout": self.layout,
            f"{self.zone}-live": self.live, f"{self.zone}-panel": self.panel,
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
        """Whether it can serve screens: migrated, every panel said something, both stores are being watched."""
        good = self.ready()
        await answer(send, 200 if good else 503, b"ready" if good else b"starting")

    async def metrics(self, _: Scope, __: Receive, send: Send) -> None:
        """Prometheus' exposition."""
        await answer(send, 200, exposition.text(self._registry), kind="text/plain; version=0.0.4; charset=utf-8")

    async def nothing(self, _: Scope, __: Receive, send: Send) -> None:
        """The interface for programs has no address yet."""
        await answer(send, 404, b"not found")

    async def pairing(self, scope: Scope, _: Receive, send: Send) -> None:
        """The page of a screen without a principal."""
        headers = [(b"content-security-policy", pairing.policy())]
        if self.rules is not None and self.rules.cookie_name(self.zone) in header(scope, b"cookie"):
            headers.append((b"set-cookie", self.rules.cookie(self.zone, "", max_age=0)))
        await answer(send, 200, self._pairing, kind="text/html; charset=utf-8", headers=headers)

    async def enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Exchange a link code for the cookie: 204, or 403, or 429. Why a code is refused is not said."""
        assert self.rules is not None
        try:
            self.tries.count(scope["client"][0] if scope.get("client") else "")
            code = str(json.loads((await receive()).get("body", b""))["code"])
            token = await asyncio.to_thread(devices.redeem, self.people, code, zone=self.zone, now=self.now())
        except TooManyTries as err:
            await answer(send, 429, b"later", headers=[(b"retry-after", str(err.retry_after_seconds).encode())])
        except AccessRefused:
            await answer(send, 403, b"refused")
        except (ValueError, KeyError, TypeError, RecursionError):
            await answer(send, 400, b"bad request")
        else:
            cookie = self.rules.cookie(self.zone, token, max_age=devices.SESSION_LASTS_SECONDS)
            await answer(send, 204, headers=[(b"set-cookie", cookie)])

    async def index(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dash's page; the device is noted as seen and its cookie lasts anew."""
        who: Principal = scope["principal"]
        token = self._token(scope)
        task = asyncio.ensure_future(asyncio.to_thread(devices.seen, self.people, who, now=self.now()))
        self._kept.add(task)
        task.add_done_callback(self._forget)

        async def renewed(message: Message) -> None:
            if message["type"] == "http.response.start" and self.rules is not None and token:
                cookie = self.rules.cookie(self.zone, token, max_age=devices.SESSION_LASTS_SECONDS)
                message = {**message, "headers": [*message["headers"], (b"set-cookie", cookie)]}
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
        screen = scope["principal"].screens[0]
        if screen not in self.pages.zone.plans:
            await answer(send, 404, b"not found")
            return
        body, packed = self.pages.body(screen, self.hub.states)
        gzipped = "gzip" in header(scope, b"accept-encoding")
        head = [(b"vary", b"accept-encoding"), *([(b"content-encoding", b"gzip")] if gzipped else [])]
        await answer(send, 200, packed if gzipped else body, kind=JSON, headers=head)

    async def panel(self, scope: Scope, _: Receive, send: Send) -> None:
        """The whole tree of one panel of the principal's screen, as it is now."""
        instance = scope["path"].rsplit("/", 1)[-1]
        plans = self.pages.zone.plans
        shown = any(instance in plans[screen].instances for screen in scope["principal"].screens if screen in plans)
        said = self.hub.states.get(instance) if shown else None
        if said is None:
            await answer(send, 404, b"not found")
        else:
            await answer(send, 200, said.tree_body(), kind=JSON)

    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The live stream of the principal's screen."""
        who: Principal = scope["principal"]
        plan = self.pages.zone.plans.get(who.screens[0])
        if plan is None:
            await answer(send, 404, b"not found")
        else:
            known = frozenset(header(scope, b"x-known").split(",")[: len(plan.instances)])
            await self.hub.stream(plan, who.session, receive, send, known)
