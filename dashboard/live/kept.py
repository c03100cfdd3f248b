"""Answers that never change (assets and scripts whose address carries their version) kept in memory, packed once.

A wall's first load asks for some 20 of them; packing them anew for each of 500 screens after a power cut would take minutes.
"""

from __future__ import annotations

from dashboard.guard import App, Message, Receive, Scope, Send, header, versioned

MOST_BYTES = 32 << 20


class Kept:
    """Wraps the application behind the guard. Only whole, good answers to versioned addresses are kept."""

    def __init__(self, inner: App) -> None:
        self.inner = inner
        self._answers: dict[tuple[str, bytes, bool], list[Message]] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass on and remember."""
        if not (scope["route"].versioned and versioned(scope)) or header(scope, b"range"):
            await self.inner(scope, receive, send)
            return
        key = (scope["path"], scope["query_string"], "gzip" in header(scope, b"accept-encoding"))
        found = self._answers.get(key)
        if found is None:
            found = []

            async def remember(message: Message) -> None:
                found.append(message)
                await send(message)

            await self.inner(scope, receive, remember)
            size = sum(len(message.get("body", b"")) for message in found)
            if found and found[0].get("status") == 200 and self._bytes + size <= MOST_BYTES:
                self._answers[key] = found
                self._bytes += size
            return
        for message in found:
            await send(message)
