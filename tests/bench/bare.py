"""The bare limit: a plain ASGI server that sends recorded bytes at their recorded rhythm to every open stream, and nothing else.

``python -m tests.bench.bare SCRIPT STAMPS``: the script is what one screen of the product received. Says its port; after a line
on standard input it begins to play. The same uvicorn with the same settings as the product's.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn

from dashboard.live.hub import STREAM_HEADERS
from dashboard.serve import listening
from tests.bench.screens import NUMBER


class Bare:
    """Hello at once, then each chunk of the script when it is due."""

    def __init__(self, hello: bytes, script: list[tuple[float, bytes]], stamps: Path) -> None:
        self.hello, self.script, self.stamps = hello, script, stamps
        self.next: asyncio.Future[bytes] | None = None
        self._kept: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        body = self.hello
        while True:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            assert self.next is not None
            body = await self.next

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        self.next = asyncio.get_running_loop().create_future()
        self._kept.append(asyncio.ensure_future(self._play()))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.readline)
        began = time.time()
        with self.stamps.open("a", encoding="ascii", buffering=1) as notes:
            for offset, body in self.script:
                await asyncio.sleep(max(0.0, began + offset - time.time()))
                at = time.time()
                due, self.next = self.next, loop.create_future()
                assert due is not None
                due.set_result(body)
                notes.write("".join(f"{int(found)} {at:.6f}\n" for found in NUMBER.findall(body)))


def main() -> None:
    """Serve until SIGTERM."""
    script = json.loads(Path(sys.argv[1]).read_text(encoding="ascii"))
    chunks = [(offset, base64.b64decode(body)) for offset, body in script["chunks"]]
    bound = listening("127.0.0.1", 0)
    print(f"port {bound.getsockname()[1]}", flush=True)
    bare = Bare(base64.b64decode(script["hello"]), chunks, Path(sys.argv[2]))
    uvicorn.Server(uvicorn.Config(
        bare, proxy_headers=False, server_header=False, access_log=False, log_level="error", ws="none", lifespan="on",
        backlog=2048, timeout_graceful_shutdown=1, timeout_keep_alive=30,
    )).run(sockets=[bound])


if __name__ == "__main__":
    main()
