"""The zone of recordings: a page that shows a screen at a past moment, marked as what it is, and what was corrected since.

No live stream enters it. The principal's look (:mod:`dashboard.access.viewings`) says which screen; the instant may be any.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from config.declarations import Regency
from dashboard.access import viewings
from dashboard.access.devices import Principal, Tries
from dashboard.clock import utc
from dashboard.guard import App, Receive, Rules, Scope, Send, answer, header
from dashboard.live import past
from dashboard.live.bodies import BodyDamaged, unpack
from dashboard.live.entering import exchange
from dashboard.live.frames import SEPARATOR, encode
from dashboard.queries.answers import Context
from dashboard.queries.since import FIGURES, Known, figures_at, learnt_since
from dashboard.words import Say

JSON = "application/json"
MOST_KNOWN = 400
MOST_SOURCES = 8


class Replaying:
    """Answers of the zone by the route's name. ``inner``: the server of the stage; ``page``: the HTML of the outer page;
    ``entry``: of the one without a right."""

    def __init__(
        self, inner: App, *, recordings: Engine, figures: Engine, people: Engine, regency: Regency, page: bytes, entry: bytes,
        entry_policy: bytes, now: Callable[[], datetime],
    ) -> None:
        self.inner = inner
        self.recordings, self.figures, self.people, self.regency, self.now = recordings, figures, people, regency, now
        self.page, self.entry, self.entry_policy = page, entry, entry_policy
        self.tries = Tries()
        self.rules: Rules | None = None
        self.says = {language: Say(regency, language) for language in ("id", "en")}
        self.routes: dict[str, App] = {
            "replay-index": self.index, "replay-enter": self.enter, "replay-style": self.style,
            "replay-stage": self.stage, "replay-moment": self.moment, "replay-since": self.since,
        }

    async def index(self, _: Scope, __: Receive, send: Send) -> None:
        """The outer page: mark, time, steps, corrections; the recorded screen stands in its frame (``stage``)."""
        await answer(send, 200, self.page, kind="text/html; charset=utf-8")

    async def stage(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The frame's page: Dash with nothing in it; the outer page fills it, so that no picture stands without its mark."""
        await self.inner({**scope, "path": "/replay/", "raw_path": b"/replay/"}, receive, send)

    async def closed(self, scope: Scope, _: Receive, send: Send) -> None:
        """What is seen without a look: how to get one, and a field for its code."""
        headers = [(b"content-security-policy", self.entry_policy)]
        if self.rules is not None and self.rules.cookie_name(viewings.ZONE) in header(scope, b"cookie"):
            headers.append((b"set-cookie", self.rules.cookie(viewings.ZONE, "", max_age=0)))
        await answer(send, 200, self.entry, kind="text/html; charset=utf-8", headers=headers)

    async def enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Exchange a code for the cookie of a look: 204, or 403, or 429. Why a code is refused is not said."""
        await exchange(scope, receive, send, self.tries, self._opened)

    def _opened(self, code: str) -> bytes:
        assert self.rules is not None
        token, lasts = viewings.enter(self.people, code, now=self.now())
        return self.rules.cookie(viewings.ZONE, token, max_age=lasts)

    async def style(self, scope: Scope, _: Receive, send: Send) -> None:
        """The style sheets of the build that drew what is replayed."""
        name = bytes.fromhex(re.sub(r".*recorded-|\.css$", "", scope["path"]))

        def read() -> bytes | None:
            with self.recordings.connect() as connection:
                return unpack(connection, name) if past.is_style(connection, name) else None

        try:
            body = await asyncio.to_thread(read)
        except BodyDamaged:
            body = None
        if body is None:
            await answer(send, 404, b"not found")
        else:
            await answer(send, 200, body, kind="text/css; charset=utf-8")

    async def moment(self, scope: Scope, _: Receive, send: Send) -> None:
        """What the look's screen showed at an instant (epoch milliseconds in the path)."""
        who: Principal = scope["principal"]
        at = int(scope["path"].rsplit("/", 1)[-1])
        known = frozenset(header(scope, b"x-known").split(",")[:MOST_KNOWN])
        found = await asyncio.to_thread(self._moment, who, at, known)
        if found is None:
            await answer(send, 401, b"unauthorized")
        else:
            await answer(send, 200, found, kind=JSON)

    def _moment(self, who: Principal, at: int, known: frozenset[str]) -> bytes | None:
        look = viewings.opened(self.people, who.device)
        if look is None:
            return None
        now = int(self.now().timestamp() * 1000)
        with self.recordings.connect() as connection:
            found = past.moment(connection, who.screens[0], at or look.at, now=now, known=known)
            bounds = past.bounds(connection)
        return past.answer(found, {"now": now, "ends_at": look.ends_at, "bounds": bounds})

    async def since(self, scope: Scope, _: Receive, send: Send) -> None:
        """What the store says today of that instant, against what was shown."""
        who: Principal = scope["principal"]
        at = int(scope["path"].rsplit("/", 1)[-1])
        await answer(send, 200, await asyncio.to_thread(self._since, who.screens[0], at), kind=JSON)

    def _since(self, screen: str, at: int) -> bytes:
        now = int(self.now().timestamp() * 1000)
        with self.recordings.connect() as connection:
            found = past.moment(connection, screen, at, now=now)
        if found.gap is not None:
            return encode({"at": at, "figures": [], "learnt": [], "compared": False})
        context = Context(self.figures, self.regency, utc(found.at / 1000))
        known = figures_at(context)
        figures = []
        for shown in found.panels:
            panel = shown.panel.partition("-")[0]
            place, metric = FIGURES.get(panel, ("", ""))
            props = json.loads(found.bodies.get(shown.props, b"{}")).get(f"{shown.panel}{SEPARATOR}{place}", {})
            if metric and "children" in props:
                language = "en" if shown.panel.endswith("-en") else "id"
                figures.append(self._compared(panel, language, str(props["children"]), known[metric]))
        return encode({
            "at": found.at, "compared": True, "figures": figures,
            "learnt": [self._learnt(one) for one in learnt_since(context)[:MOST_SOURCES]],
        })

    def _compared(self, panel: str, language: str, then: str, known: Known) -> dict[str, Any]:
        say = self.says[language]
        few = known.cases is not None and known.cases < self.regency.thresholds.least_cases
        word = "none" if known.value is None and not known.cases else "too_few"
        now = say(f"panels.states.{word}") if few or known.value is None else say.number(known.value, known.decimals)
        unit = "%" if known.decimals else ""
        titles = {language: self.says[language](f"panels.{panel}.title") for language in self.says}
        return {"panel": panel, "title": titles, "then": then, "now": now, "unit": unit, "differs": then != now}

    def _learnt(self, one: Any) -> dict[str, Any]:
        source = self.regency.sources.get(one.source)
        owner = self.regency.agencies.get(source.owner) if source is not None else None
        name = owner.short_name if owner is not None else one.source
        return {"source": one.source, "name": name, "new": one.new, "revised": one.revised, "deleted": one.deleted}
