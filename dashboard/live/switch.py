"""``/api/v1/mode``: one tap of a key, a tablet's shortcut or a room's control panel switches the walls of a group.

``GET`` tells what every group is in. ``POST {"mode": "visit", "for": "90 minutes", "group": "room", "who": "Ani"}`` switches one
(``for``, ``group`` and ``who`` may be left out), ``{"mode": ""}`` goes back to the schedule. Both answer
``{"groups": [{"group", "mode", "until", "by_hand"}]}``; 400 with ``{"en", "id"}`` says what is not right.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from config.declarations import Regency
from dashboard.choosing import choose, group_of, standing
from dashboard.errors import ProductError
from dashboard.guard import Receive, Scope, Send, answer
from dashboard.store import overrides

JSON = "application/json"
LONGEST_WORD = 100
KEYS = ("mode", "for", "group", "who")


class Switch:
    """The address on one server."""

    def __init__(self, regency: Regency, people: Engine, now: Callable[[], datetime]) -> None:
        self.regency, self.people, self.now = regency, people, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell, or switch and tell."""
        try:
            if scope["method"] == "POST":
                await asyncio.to_thread(self._switch, _asked((await receive()).get("body", b"")))
            found = await asyncio.to_thread(self._told)
        except ProductError as err:
            await answer(send, 400, json.dumps({"en": err.en, "id": err.id}, ensure_ascii=False).encode(), kind=JSON)
            return
        await answer(send, 200, json.dumps({"groups": found}).encode(), kind=JSON)

    def _switch(self, asked: dict[str, str]) -> None:
        group, who, now = asked.get("group", ""), asked.get("who") or "api", self.now()
        if asked["mode"]:
            choose(self.regency, self.people, asked["mode"], group=group, lasts=asked.get("for", ""), who=who, now=now)
        else:
            overrides.clear(self.people, group_of(self.regency, group), who=who, now=now)

    def _told(self) -> list[dict[str, Any]]:
        return [
            {**asdict(one), "until": one.until.isoformat() if one.until else None}
            for one in standing(self.regency, self.people, self.now())
        ]


def _asked(body: bytes) -> dict[str, str]:
    """The request's words. Raises ``ProductError`` for what is not an object of short strings with a ``mode``."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    good = isinstance(found, dict) and "mode" in found and all(
        key in KEYS and isinstance(value, str) and len(value) <= LONGEST_WORD for key, value in found.items()
    )
    if not good:
        raise ProductError(
            'mode: the body is not an object such as {"mode": "visit", "for": "90 minutes", "group": "room"}; give one',
            'mode: isi permintaan bukan objek seperti {"mode": "visit", "for": "90 menit", "group": "room"}; beri yang seperti itu',
        )
    return dict(found)
