"""Many screens in one process that come back by themselves, with the pauses of ``assets/live.js``; nothing is drawn.

``python -m tests.bench.returning PLAN RESULT``: PLAN names the port, the path and a ``Cookie`` header for each screen. Says
``ready`` when every screen has its panels; after a line on standard input it writes to RESULT when each lost its stream, when it
asked again with success and when it had all its panels anew, and ends.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
GIVES_UP_SECONDS = 120
FRAME = b"event: frame\n"


@dataclass
class Times:
    """Epoch seconds of one screen. ``tries``: how often it knocked in vain."""

    lost: float = 0.0
    asked: float = 0.0
    fresh: float = 0.0
    tries: int = 0
    panels: int = field(default=0, repr=False)


async def _stream(port: int, request: bytes, times: Times, had: asyncio.Event) -> None:
    """One connection: notes when all panels are there, then reads on until it ends. Raises ``OSError`` when refused."""
    asked = time.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200"):
            raise OSError("not a stream")
        kept, frames, first = b"", 0, not times.panels
        while got := await reader.read(1 << 18):
            if had.is_set() and (first or times.fresh):
                continue
            kept += got
            frames += kept.count(FRAME)
            kept = kept[-len(FRAME) + 1 :]
            if first and b"event: tick" in got:  # what came before the first heartbeat is all
                times.panels = frames
                had.set()
            elif not first and frames >= times.panels:
                times.asked, times.fresh = asked, time.time()
    finally:
        writer.close()


async def _screen(port: int, request: bytes, times: Times, had: asyncio.Event, until: asyncio.Event) -> None:
    tries = 0
    while not until.is_set():
        with suppress(OSError, asyncio.IncompleteReadError, ValueError):
            await _stream(port, request, times, had)
            tries = 0
        times.lost = times.lost or time.time()
        times.tries += 1
        await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries, 8)) * (0.5 + random.random()))
        tries += 1


async def _main(plan: dict[str, Any], result: Path) -> None:
    all_times, had, until = [], [], asyncio.Event()
    tasks = []
    for number, cookie in enumerate(plan["cookies"]):
        request = f"GET {plan['path']} HTTP/1.1\r\nHost: 127.0.0.1:{plan['port']}\r\nCookie: {cookie}\r\n\r\n".encode()
        all_times.append(Times())
        had.append(asyncio.Event())
        tasks.append(asyncio.ensure_future(_screen(plan["port"], request, all_times[-1], had[-1], until)))
        if number % 25 == 24:
            await asyncio.sleep(0.1)
    await asyncio.gather(*(one.wait() for one in had))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    ends = time.monotonic() + GIVES_UP_SECONDS
    while not all(one.fresh for one in all_times) and time.monotonic() < ends:
        await asyncio.sleep(0.05)
    until.set()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    result.write_text(json.dumps([asdict(one) for one in all_times]), encoding="ascii")
    print("written", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])))
