"""Many screens in one process: raw sockets that read a stream and note when each state arrived. Nothing is drawn.

``python -m tests.bench.screens PLAN RESULT``: PLAN names the port, the path and a ``Cookie`` header for each screen. Says
``ready`` when every stream said hello; after a line on standard input it writes what it heard since to RESULT and ends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

AT_ONCE = 25
NUMBER = re.compile(rb"\nid: (\d+)\n")


class Screen(asyncio.Protocol):
    """One stream: HTTP/1.1 with chunks, as a browser gets it. ``heard``: (state's number, epoch seconds of its last byte)."""

    def __init__(self, request: bytes, *, keeps: bool) -> None:
        self.request, self.keeps = request, keeps
        self.buffer = bytearray()
        self.in_body = False
        self.first = asyncio.get_running_loop().create_future()
        self.heard: list[tuple[int, float]] = []
        self.chunks: list[tuple[float, bytes]] = []
        self.bytes = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        at = time.time()
        self.buffer += data
        if not self.in_body:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.buffer.startswith(b"HTTP/1.1 200"):
                self.first.set_exception(RuntimeError(bytes(self.buffer[:200]).decode("latin-1")))
                return
            del self.buffer[: end + 4]
            self.in_body = True
        while (end := self.buffer.find(b"\r\n")) > 0:
            size = int(self.buffer[:end], 16)
            if len(self.buffer) < end + size + 4:
                return
            body = bytes(self.buffer[end + 2 : end + 2 + size])
            del self.buffer[: end + size + 4]
            self._chunk(body, at)

    def _chunk(self, body: bytes, at: float) -> None:
        self.bytes += len(body)
        self.heard += [(int(found), at) for found in NUMBER.findall(body)]
        if self.keeps:
            self.chunks.append((at, body))
        if not self.first.done():
            self.first.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.first.done():
            self.first.set_exception(RuntimeError("the server hung up"))

    def forget(self) -> None:
        """Begin anew: what came so far is not part of the measurement; the hello is kept for the bare server."""
        self.heard, self.bytes = [], 0


async def _main(plan: dict[str, Any], result: Path) -> None:
    loop = asyncio.get_running_loop()
    host = f"127.0.0.1:{plan['port']}"
    screens = []
    for number, cookie in enumerate(plan["cookies"]):
        request = f"GET {plan['path']} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: text/event-stream\r\n\r\n".encode()
        keeps = number == 0
        _, screen = await loop.create_connection(
            lambda request=request, keeps=keeps: Screen(request, keeps=keeps), "127.0.0.1", plan["port"]
        )
        screens.append(screen)
        if len(screens) % AT_ONCE == 0:
            await asyncio.gather(*(one.first for one in screens))
    await asyncio.gather(*(one.first for one in screens))
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)  # the window begins
    for screen in screens:
        screen.forget()
    began = time.time()
    print("measuring", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)  # and ends
    first = screens[0]
    result.write_text(json.dumps({
        "began": began, "heard": [one.heard for one in screens], "bytes": sum(one.bytes for one in screens),
        "open": sum(not one.transport.is_closing() for one in screens),
        "chunks": [(at, base64.b64encode(body).decode()) for at, body in first.chunks],
    }), encoding="ascii")
    print("written", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])))
