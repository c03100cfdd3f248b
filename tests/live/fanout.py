"""Measures the fan-out against the bare limit: a plain ASGI server that sends the same bytes at the same instants.

``python -m tests.live.fanout [CLIENTS ...]``. Each server is a process of its own under the same uvicorn; its CPU is read
from /proc before and after. CPU per screen = (CPU with N screens - CPU with none) / N: what is computed once does not count.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from dashboard import clock
from dashboard.access.devices import add_device, redeem
from dashboard.live.frames import encode
from dashboard.live.hub import ScreenPlan
from dashboard.live.scenes import Planned
from dashboard.live.snapshot import EVERYTHING, Snapshot, event
from tests.live import toy
from tests.live.test_snapshot import Panel, _at

ROOT = Path(__file__).parents[2]
PANELS = 12
EVERY_SECONDS = 1.0
MEASURED_SECONDS = 15.0
WORDS = "kata " * 100


@dataclass(frozen=True)
class Measured:
    """CPU seconds of the server while measured, and how late the events arrived (milliseconds: p50, p95, p99)."""

    cpu: float
    late: tuple[float, float, float]


def _panels() -> tuple[list[Panel], Snapshot]:
    panels = [Panel(f"p{number}", {"cases"}) for number in range(PANELS)]
    return panels, Snapshot(panel.instance for panel in panels)


def _new(panels: list[Panel], snapshot: Snapshot, number: int) -> Any:
    for panel in panels:
        panel.value = f"{WORDS}{number}"
    return snapshot.refresh(_at(float(number)), EVERYTHING, time.time_ns() // 1_000_000)


def serve_ours(folder: Path, port: int) -> None:
    """The product's server: guard, endpoints, hub; figures changed by a task instead of the feed."""
    from config.loading import load
    from config.settings import Settings
    from dashboard.live.zone import Zone
    from dashboard.serve import app, listening, run_server

    panels, snapshot = _panels()
    names = tuple(panel.instance.id for panel in panels)
    plan = ScreenPlan("west", names, (Planned("one", 3_600_000, names),), "layout")
    zone = Zone("wall", (), {"west": plan}, lambda screen, drawn: {})
    regency = load(folder / "config")
    serving = app(Settings(config=folder / "config", data=folder / "var"), regency, zone=zone, build="b")
    begin = serving.hub.start

    def start() -> None:
        begin()
        serving.hub.publish(_new(panels, snapshot, 0))
        serving.work = asyncio.ensure_future(work())  # type: ignore[attr-defined]

    async def work() -> None:
        number = 0
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            number += 1
            serving.hub.publish(_new(panels, snapshot, number))

    serving.hub.start = start  # type: ignore[method-assign]
    run_server(serving, listening("127.0.0.1", port))


def serve_bare(port: int) -> None:
    """The bare limit: one shared body, one shared wake-up, one send."""
    import uvicorn

    from dashboard.serve import listening

    panels, snapshot = _panels()
    wake = asyncio.Event()
    body = b""

    async def work() -> None:
        nonlocal wake, body
        number = 0
        while True:
            await asyncio.sleep(EVERY_SECONDS / 2)
            number += 1
            if number % 2:
                body = b"".join(said.frame for said in _new(panels, snapshot, number))
            elif number % 4:
                continue
            else:
                body = event("tick", encode({"now": 1_795_000_000_000 + number, "seq": number}))
            before, wake = wake, asyncio.Event()
            before.set()

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            bare.task = asyncio.ensure_future(work())  # type: ignore[attr-defined]
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        head = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        while True:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await wake.wait()

    config = uvicorn.Config(
        bare, server_header=False, access_log=False, log_level="error", ws="none", backlog=2048, timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listening("127.0.0.1", port)])


async def _client(port: int, cookie: str, late: list[float], until: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /wall/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    while (left := until - time.monotonic()) > 0:
        try:
            got = await asyncio.wait_for(reader.read(1 << 20), left)
        except TimeoutError:
            break
        at = got.find(b'"changed_ms":')
        if at >= 0 and late is not None:
            number = got[at + 13:at + 26]
            if number.isdigit():
                late.append(time.time() * 1000 - int(number))
    writer.close()


async def _clients(count: int, port: int, cookie: str, pid: int) -> tuple[float, list[float]]:
    """The server's CPU seconds over the measured time, after everybody has joined."""
    late: list[float] = []
    until = time.monotonic() + MEASURED_SECONDS + 4
    tasks = [asyncio.ensure_future(_client(port, cookie, late, until)) for _ in range(count)]
    await asyncio.sleep(4)
    late.clear()
    before = cpu_seconds(pid)
    await asyncio.sleep(MEASURED_SECONDS - 0.5)
    used = cpu_seconds(pid) - before
    await asyncio.gather(*tasks)
    return used, late


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(kind: str, clients: int) -> Measured:
    """Serve ``kind`` (ours or bare) in a process of its own to so many clients."""
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        toy.declare(folder / "config")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.fanout", "serve", kind, name, str(port)], cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            cookie = f"__Host-cc-wall={_token(folder)}" if kind == "ours" else "none"
            used, late = asyncio.run(_clients(clients, port, cookie, process.pid))
        finally:
            process.terminate()
            process.wait(20)
    cuts = quantiles(late, n=100) if len(late) > 1 else [0.0] * 99
    return Measured(used, (cuts[49], cuts[94], cuts[98]))


def _token(folder: Path) -> str:
    from dashboard.store.engine import open_engine

    people = open_engine(f"sqlite:///{folder / 'var' / 'people.sqlite'}", "people")
    _, code = add_device(people, place="x", screen="west", zone="wall", now=clock.now())
    token = redeem(people, code, zone="wall", now=clock.now())
    people.dispose()
    return token


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server did not start")


def table(counts: list[int]) -> list[dict[str, float]]:
    """One row for each number of screens: CPU milliseconds per screen and second of both, their ratio, lateness of ours."""
    nobody = {kind: measure(kind, 0).cpu for kind in ("ours", "bare")}
    rows = []
    for count in counts:
        ours, bare = measure("ours", count), measure("bare", count)
        spent = {
            kind: (found.cpu - nobody[kind]) / count / MEASURED_SECONDS * 1000
            for kind, found in (("ours", ours), ("bare", bare))
        }
        p50, p95, p99 = ours.late
        rows.append({
            "screens": count, "ours_ms": round(spent["ours"], 3), "bare_ms": round(spent["bare"], 3),
            "ratio": round(spent["ours"] / spent["bare"], 2) if spent["bare"] else 0.0,
            "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "p99_ms": round(p99, 1),
        })
    return rows


def main() -> None:
    """Serve, or measure and print one JSON row for each number of screens."""
    if sys.argv[1:2] == ["serve"]:
        kind, folder, port = sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
        serve_bare(port) if kind == "bare" else serve_ours(folder, port)
        return
    for row in table([int(word) for word in sys.argv[1:]] or [100, 500]):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
