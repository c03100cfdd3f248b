"""The command ``demo``: simulated agencies, a first load with a progress bar, then collectors and screens.

Everything of a demo lies in a folder of its own below the data folder, so that it never mixes with real figures.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from collectors.runner import run_source
from config.loading import load
from config.settings import SHIPPED, Settings
from dashboard import clock
from dashboard.access import devices
from dashboard.backup.opening import open_store
from dashboard.collecting import leading
from dashboard.demo.launch import SWITCH, Agencies, overlay
from dashboard.demo.misbehaviour import KINDS, Switch, listed
from dashboard.errors import ProductError
from dashboard.store import derived
from dashboard.store.state import states
from dashboard.supervise import Child, command, stop_on_signals, supervise

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency

PLACE, SCREEN = "Dinding Barat", "west"


def kinds_of(text: str) -> tuple[str, ...]:
    """The kinds of misbehaviour that a word of the command line means. Raises ``ProductError``."""
    try:
        return listed(text)
    except ValueError as err:
        known = ", ".join(KINDS)
        raise ProductError(
            f"{text}: no such misbehaviour; known: {known}", f"{text}: cara berulah tidak dikenal; yang ada: {known}"
        ) from err


def switch_manners(settings: Settings, text: str) -> list[str]:
    """Let the agencies of a running demo misbehave in these kinds and no other; returns all kinds, those that are on marked."""
    switch = Switch(home_of(settings) / "agencies" / SWITCH)
    if text and switch.path is not None:
        if not switch.path.parent.is_dir():
            raise ProductError("no demo runs here; start it first", "tidak ada demo di sini; mulai dahulu")
        switch.write(kinds_of(text))
    on = switch.read()
    return [f"{'*' if name in on else ' '} {name:16} {kind.system:14} {kind.id} · {kind.en}" for name, kind in KINDS.items()]


def home_of(settings: Settings) -> Path:
    """The demo's own folder below the data folder."""
    return settings.data.resolve() / "demo"


def demonstrate(settings: Settings, *, port: int, days: int, fresh: bool, misbehave: Sequence[str] = ()) -> None:
    """Run the demo until Ctrl-C or SIGTERM. Agencies ``misbehave`` once their history is loaded."""
    stop = stop_on_signals()
    home = home_of(settings)
    if fresh and home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False)
    agencies = Agencies(home / "agencies", drop=home / "drop", secrets=home / "secrets", days=days)
    with console.status("Perangkat daerah simulasi mulai … · simulated agencies start …"):
        agencies.folder.mkdir(parents=True, exist_ok=True)
        agencies.switch.write(())
        ports = agencies.start()
    try:
        environment = {
            "COMMAND_CENTER_CONFIG": str(overlay(SHIPPED / "demo", ports, home / "config")),
            "COMMAND_CENTER_DATA": str(home), "COMMAND_CENTER_DROP": str(home / "drop"),
            "COMMAND_CENTER_SECRETS": str(home / "secrets"), "DATABASE_URL": "",
        }
        os.environ.update(environment)
        ours = Settings()
        regency = load(ours.config)
        stores = {name: open_store(ours, name) for name in ("figures", "people", "recordings")}
        first_load(ours, regency, stores["figures"], console, stop)
        if stop.is_set():
            return
        agencies.switch.write(misbehave)
        children = [Child("schedule", command("schedule")), Child("serve", command("serve", "--port", str(port)))]
        links = threading.Thread(target=keep_a_link, args=(stores["people"], port, console, stop), daemon=True)
        links.start()
        supervise(children, stop)
    finally:
        agencies.stop()


def first_load(settings: Settings, regency: Regency, engine: Engine, console: Console, stop: threading.Event) -> None:
    """Collect every source that was never read completely, with a progress bar, and derive what panels compare with."""
    with engine.connect() as connection:
        known = states(connection)
    missing = [source for source in regency.sources.values()
               if (state := known.get(source.id)) is None or state.loaded_at is None]
    if not missing:
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with leading(engine) as token, Progress(*columns, console=console) as progress:
        task = progress.add_task("Memuat riwayat · loading history", total=len(missing) + 2)
        rows = 0
        for source in missing:
            if stop.is_set():
                return
            progress.update(task, description=f"Memuat {source.id} · {rows:,} rows")
            rows += run_source(engine, regency, source.id, settings=settings, token=token).rows_read
            progress.advance(task)
        progress.update(task, description=f"Menghitung waktu · {rows:,} rows")
        while derived.derive_histograms(engine, regency, limit=200, token=token) and not stop.is_set():
            pass
        progress.advance(task)
        derived.fill_gauges(engine, regency, clock.now(), token)
        progress.advance(task)
        progress.update(task, description=f"Riwayat termuat · {rows:,} rows")


def keep_a_link(people: Engine, port: int, console: Console, stop: threading.Event) -> None:
    """Print a wall's single-use link, and a fresh one whenever the last was used or has expired."""
    base = f"http://127.0.0.1:{port}"
    _, code = devices.add_device(people, place=PLACE, screen=SCREEN, zone="wall", now=clock.now())
    console.print(f"\n[bold]DATA SIMULASI[/bold]   {base}/wall/\nDinding · wall:   {base}/wall/#{code}", soft_wrap=True)
    while not stop.wait(1):
        if not devices.code_is_open(people, code, now=clock.now()):
            _, code = devices.add_device(people, place=PLACE, screen=SCREEN, zone="wall", now=clock.now())
            console.print(f"Dinding lain · another wall:   {base}/wall/#{code}", soft_wrap=True)
