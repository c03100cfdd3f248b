"""One simulated agency as a process: ``python -m dashboard.demo.agency NAME --port P --data DIR --drop DIR …``.

It draws its history, then prints one line of JSON on standard output (``{"ready": …, "port": …}``) and lives on with
the clock. Only ``/_ready`` and ``/_ledger`` are for tests; all else is what such an agency's system offers.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from dashboard.demo.book import Book
from dashboard.demo.hours import day_of
from dashboard.demo.misbehaviour import Switch, spoiled
from dashboard.demo.system import Premises, System
from dashboard.demo.systems.antrean import Antrean
from dashboard.demo.systems.darurat import Darurat
from dashboard.demo.systems.dinkes import Dinkes
from dashboard.demo.systems.dinsos import Dinsos
from dashboard.demo.systems.disdukcapil import Disdukcapil
from dashboard.demo.systems.dishub import Dishub
from dashboard.demo.systems.disnakertrans import Disnakertrans
from dashboard.demo.systems.dpmd import Dpmd
from dashboard.demo.systems.dpmptsp import Dpmptsp
from dashboard.demo.systems.dputrkp2 import Dputrkp2
from dashboard.demo.systems.khanza import Khanza
from dashboard.demo.systems.lapor import Lapor
from dashboard.demo.systems.mpp import Mpp
from dashboard.demo.systems.rsud import Rsud
from dashboard.demo.systems.satudata import Satudata
from dashboard.demo.web import Answer, Request, instant, serve

SYSTEMS: dict[str, type[System]] = {
    system.name: system for system in (
        Disdukcapil, Dpmptsp, Rsud, Dinkes, Dinsos, Lapor, Dishub, Disnakertrans, Dpmd, Dputrkp2, Khanza, Satudata, Antrean,
        Mpp, Darurat,
    )
}
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Clock:
    """The simulated hour: the real one, or one that starts elsewhere and may run faster."""

    starts: float
    speed: float
    origin: float

    def now(self) -> float:
        """Epoch seconds."""
        return self.starts + (time.monotonic() - self.origin) * self.speed


def first_day(folder: Path, today: date, days: int) -> date:
    """The day on which the agency's history begins: settled at its first start, so that later ones tell the same."""
    path = folder / "first_day"
    if path.exists():
        return date.fromisoformat(path.read_text(encoding="ascii").strip())
    begins = today - timedelta(days=days)
    draft = folder / ".first_day"
    draft.write_text(begins.isoformat(), encoding="ascii")
    os.replace(draft, path)
    return begins


def answering(system: System, clock: Clock, switch: Switch, request: Request) -> Answer:
    """Let time pass, then answer; one request at a time, so that a page is of one moment."""
    with system.lock:
        system.behave(switch.kind_of(system.name))
        system.advance(clock.now())
        if request.path == "/_ledger":
            return Answer({"now": system.now, **system.book.ledger()})
        if request.path == "/_ready":
            return Answer({"ready": True})
        return spoiled(system.misbehaviour, request, system.answer)


def _until_closed(stop: threading.Event) -> None:
    """Wait for the end of standard input: the parent holds its other side and is gone, however it went."""
    while os.read(0, 512):
        pass
    stop.set()


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.demo.agency", description=__doc__)
    parser.add_argument("name", choices=sorted(SYSTEMS))
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="the agency's own folder")
    parser.add_argument("--drop", type=Path, help="where it delivers files (default: in its own folder)")
    parser.add_argument("--token-file", type=Path, help="holds the token or password it asks for (default: none asked)")
    parser.add_argument("--seed", type=int, default=7322)
    parser.add_argument("--days", type=int, default=90, help="days of history at the first start")
    parser.add_argument("--now", help="start the clock at this ISO stamp instead of the real hour")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per real one")
    parser.add_argument("--switch", type=Path, help="file that names those who misbehave now (default: nobody does)")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run one agency until SIGTERM, or until its parent is gone."""
    given = parse(words)
    given.data.mkdir(parents=True, exist_ok=True)
    clock = Clock(instant(given.now) if given.now else time.time(), given.speed, time.monotonic())
    started = clock.now()
    kind = SYSTEMS[given.name]
    token = given.token_file.read_text(encoding="utf-8").strip() if given.token_file else ""
    switch = Switch(given.switch)
    first = first_day(given.data, day_of(started), given.days)
    book = Book(kind.history or given.name, kind.streams, seed=given.seed, first=first)
    system = kind(book, Premises(given.data, given.drop or given.data / "drop", token, given.seed, started))
    with system.lock:
        system.advance(clock.now())
    server = serve(given.port, lambda request: answering(system, clock, switch, request))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if given.with_parent:
        threading.Thread(target=_until_closed, args=(stop,), daemon=True).start()
    ready = {
        "ready": given.name,
        "port": server.server_address[1],
        "cases": len(book.cases),
        "seconds": round(clock.now() - started, 2),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    while not stop.wait(TICK_SECONDS):
        with system.lock:
            system.behave(switch.kind_of(system.name))
            system.advance(clock.now())
    server.shutdown()


if __name__ == "__main__":
    main()
