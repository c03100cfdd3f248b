"""A house of the bench's own: the demo's declarations, three stores with recent cases, and the real server in its own process.

Commits are made from here, as a collector makes them; the sources take turns, so that none falls silent meanwhile.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from config.declarations import Regency
from config.settings import Settings
from dashboard import clock
from dashboard.access.devices import add_device, new_code, redeem
from dashboard.store.engine import migrate, open_engine
from tests.bench.processes import heard, python
from tests.bench.volumes import Stream, declared, fill, streams, touch

CASES = 40_000
DAYS = 90
SCREEN = "west"
STARTS_WITHIN_SECONDS = 60


@dataclass
class House:
    """A folder with declarations and stores. ``touched``: how many commits were made."""

    folder: Path
    regency: Regency
    engines: dict[str, Engine]
    streams: list[Stream]
    touched: int = 0
    device: str = ""
    tokens: list[str] = field(default_factory=list)

    @property
    def figures(self) -> Engine:
        return self.engines["figures"]

    def touch(self) -> None:
        """A commit of the next source's run: three new cases."""
        touch(self.figures, self.regency, self.streams[self.touched % len(self.streams)], clock.now())
        self.touched += 1

    def link_code(self) -> str:
        """A fresh code of the bench's device."""
        return new_code(self.engines["people"], self.device, now=clock.now())

    def sessions(self, count: int) -> list[str]:
        """Tokens of so many sessions, each its own screen for the server."""
        while len(self.tokens) < count:
            self.tokens.append(redeem(self.engines["people"], self.link_code(), zone="wall", now=clock.now()))
        return self.tokens[:count]


@contextmanager
def house(cases: int = CASES) -> Iterator[House]:
    """A house with so many cases of the last 90 days, every source read a moment ago."""
    with tempfile.TemporaryDirectory(prefix="bench-house-") as name:
        folder = Path(name)
        regency = declared(folder / "config")
        settings = settings_of(folder)
        engines = {}
        for store in ("figures", "people", "recordings"):
            engines[store] = open_engine(settings.url_of(store), store)
            migrate(engines[store], store)
        print(f"  a store of {cases:,} cases …", file=sys.stderr)
        fill(engines["figures"], regency, cases, now=clock.now(), days=DAYS)
        device, _ = add_device(engines["people"], place="Bench", screen=SCREEN, zone="wall", now=clock.now())
        try:
            yield House(folder, regency, engines, streams(regency), device=device)
        finally:
            for engine in engines.values():
                engine.dispose()


def settings_of(folder: Path) -> Settings:
    """Where a house's things lie."""
    return Settings(
        config=folder / "config", data=folder / "var", drop=folder / "drop", secrets=folder / "secrets", DATABASE_URL="",
    )


@dataclass
class Server:
    """The running server: its port, its cookie's name, its process id, and when it published what."""

    port: int
    cookie: str
    pid: int
    stamps: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """SIGKILL, as a power cut."""
        os.kill(self.pid, signal.SIGKILL)

    def published(self) -> dict[int, float]:
        """Number of a state → epoch seconds at which the hub was given it."""
        lines = self.stamps.read_text(encoding="ascii").splitlines()
        return {int(seq): float(at) for seq, at in (line.split() for line in lines)}


@contextmanager
def served(where: House, port: int = 0) -> Iterator[Server]:
    """The real application under uvicorn, ready for screens; on a port of its own, or the same one as before a restart."""
    stamps, log = where.folder / "stamps.txt", where.folder / "server.log"
    stamps.write_text("", encoding="ascii")
    with python("tests.bench.server", str(where.folder), str(stamps), str(port), log=log) as process:
        bound, cookie = heard(process, "port", log).split()
        server = Server(int(bound), cookie, process.pid, stamps)
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{server.base}/readyz", timeout=2):
                break
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the server does not get ready\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")
            time.sleep(0.05)
        yield server
