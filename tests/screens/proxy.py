"""A raw TCP proxy between browser and server, in a thread of its own: it can swallow, hold back, and cut what passes it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PATIENCE = 0.05
"""Seconds between two looks at what the test wants now."""


class Proxy:
    """To a loopback port. ``port``: where it listens. ``cut``: how many connections it ended.

    ``swallows``: nothing passes, and nobody is told, as with a pulled cable. ``held_seconds``: what the server says arrives so
    much later. ``idle_seconds``, ``longest_seconds``: a connection is ended after so long without a byte from the server, or
    at all.
    """

    def __init__(self, target: int) -> None:
        self.target, self.port, self.cut = target, 0, 0
        self.swallows = False
        self.held_seconds = 0.0
        self.idle_seconds = self.longest_seconds = float("inf")
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        """Listen until told to stop."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        ways = [asyncio.ensure_future(self._up(reader, back)), asyncio.ensure_future(self._down(there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the test is over; asyncio's streams would log a cancelled task as an error
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for side in (writer, back):
                side.transport.abort()
            self._tasks.discard(task)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                while self.swallows:
                    await asyncio.sleep(PATIENCE)
                writer.write(data)
                await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = heard = time.monotonic()
        waiting: list[tuple[float, bytes]] = []
        coming = asyncio.ensure_future(reader.read(65_536))
        try:
            while True:
                await asyncio.wait([coming], timeout=PATIENCE)
                now = time.monotonic()
                if coming.done():
                    data = coming.result()
                    if not data and not waiting:
                        return
                    if data:
                        heard = now
                        waiting.append((now + self.held_seconds, data))
                        coming = asyncio.ensure_future(reader.read(65_536))
                    else:
                        await asyncio.sleep(PATIENCE)
                if now - heard > self.idle_seconds or now - began > self.longest_seconds:
                    self.cut += 1
                    return
                while waiting and waiting[0][0] <= now and not self.swallows:
                    writer.write(waiting.pop(0)[1])
                    await writer.drain()
        except OSError:
            return
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A proxy while the block runs."""
    proxy, ready = Proxy(target), threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(proxy.serve(ready, stop))
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
