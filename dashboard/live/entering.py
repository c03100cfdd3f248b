"""The exchange of a link's single-use code for a zone's cookie: the same answers whatever the zone, and no reason given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from dashboard.access.devices import AccessRefused, TooManyTries, Tries
from dashboard.guard import Receive, Scope, Send, answer


async def exchange(scope: Scope, receive: Receive, send: Send, tries: Tries, redeem: Callable[[str], bytes]) -> None:
    """204 with the cookie, 403, 429 or 400. ``redeem(code)``, in a thread, gives the ``Set-Cookie`` header; it raises
    ``AccessRefused``."""
    try:
        tries.count(scope["client"][0] if scope.get("client") else "")
        code = str(json.loads((await receive()).get("body", b""))["code"])
        cookie = await asyncio.to_thread(redeem, code)
    except TooManyTries as err:
        await answer(send, 429, b"later", headers=[(b"retry-after", str(err.retry_after_seconds).encode())])
    except AccessRefused:
        await answer(send, 403, b"refused")
    except (ValueError, KeyError, TypeError, RecursionError):
        await answer(send, 400, b"bad request")
    else:
        await answer(send, 204, headers=[(b"set-cookie", cookie)])
