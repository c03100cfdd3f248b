"""The black box: bytes a day at 40 panels and 7 commits a minute, and how long it takes until a past moment is seen."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from dashboard import clock
from dashboard.access.viewings import grant
from dashboard.live.recorder import Recorder
from dashboard.live.scenes import shown_at
from dashboard.live.snapshot import EVERYTHING, Instance, Snapshot
from dashboard.live.stage import surroundings
from dashboard.live.zone import Zone
from dashboard.queries.answers import Context
from dashboard.serve import ASSETS, wall_zone
from dashboard.store.engine import migrate, open_engine
from tests.bench.browser import chromium, opened
from tests.bench.house import SCREEN, house, served
from tests.bench.lines import Line, Options, at_most, median, number, quantile, told
from tests.bench.today import NOW
from tests.bench.volumes import declared, fill, streams, touch

PANELS, COMMITS_A_MINUTE = 40, 7
WARM_UP_MINUTES, MINUTES = 5, 30
STEPS = 30
ENGLISH = """
[screens.west-en]
name = "West"
language = "en"
scenes = ["today", "agencies", "ecosystem"]
"""


def measure(options: Options) -> list[Line]:
    """Bytes by the store's file; time by Chromium."""
    return [*_bytes(2 if options.quick else MINUTES, 2_000 if options.quick else 40_000), *_pictures(options.quick)]


def _instances(zone: Zone) -> list[Instance]:
    """All panels of the demo's walls in both languages, and copies of them up to 40."""
    found = list(zone.instances)
    return (found + [replace(one, id=f"{one.id}-again") for one in found] * 4)[:PANELS]


def _bytes(minutes: int, cases: int) -> list[Line]:
    with tempfile.TemporaryDirectory(prefix="bench-recorder-") as name:
        folder = Path(name)
        regency = declared(folder / "config")
        extra = (folder / "config" / "screens.toml")
        shipped = (Path(__file__).parents[2] / "config" / "screens.toml").read_text(encoding="utf-8")
        extra.write_text(shipped + ENGLISH, encoding="utf-8")
        regency = declared(folder / "config")
        figures, file = open_engine(f"sqlite:///{folder / 'figures.sqlite'}"), folder / "recordings.sqlite"
        recordings = open_engine(f"sqlite:///{file}", "recordings")
        migrate(figures)
        migrate(recordings, "recordings")
        fill(figures, regency, cases, now=NOW, days=60)
        zone = wall_zone(regency)
        snapshot, now = Snapshot(_instances(zone)), NOW
        recorder = Recorder(recordings, "bench", now=lambda: now, around=surroundings(regency, zone, "bench", ASSETS))
        recorder._take_over()
        sources, states, began, before = streams(regency), 0, time.perf_counter(), 0
        for second in range((WARM_UP_MINUTES + minutes) * 60):
            now = NOW + timedelta(seconds=second)
            if second == WARM_UP_MINUTES * 60:
                before, states = _size(file), 0
            commit = second * COMMITS_A_MINUTE % 60 < COMMITS_A_MINUTE
            if commit:
                touch(figures, regency, sources[second % len(sources)], now)
            changed = frozenset({"cases", "state"}) if commit else frozenset()
            new = snapshot.refresh(Context(figures, regency, now), changed if second else EVERYTHING)
            recorder.keep(new)
            states += len(new)
            for plan in zone.plans.values():
                shown = shown_at(plan.scenes, {}, int(now.timestamp() * 1000))
                recorder.show(plan.name, plan.name, {"scene": shown.scene, "page": shown.page, "pages": shown.pages})
            recorder._write()
        grown, took = _size(file) - before, time.perf_counter() - began
        recorder._finish()
        figures.dispose()
        recordings.dispose()
    day = grown * 1440 / minutes / 1e6
    how = (
        f"{PANELS} instances of the demo's panels in two languages, {COMMITS_A_MINUTE} commits of 3 cases a minute for {minutes} minutes "
        f"of the forenoon ({states:,} states, {grown / max(states, 1):.0f} bytes each), scenes turning; what the file grew by, of a day of "
        f"nothing but forenoon; measured in {took:.0f} s"
    )
    return [at_most("recorder, bytes a day", day, 100, "MB", measured=f"{number(day)} MB", method=how)]


def _size(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return file.stat().st_size


def _pictures(quick: bool) -> list[Line]:
    """From the link to the first picture, and from a step to its picture, as the page paints them."""
    with house(2_000 if quick else 40_000) as where, served(where) as server, chromium() as browser:
        for _ in range(6 if quick else 40):
            where.touch()
            time.sleep(0.3)
        time.sleep(8)
        at = int((clock.now() - timedelta(seconds=6)).timestamp() * 1000)
        loads, steps = [], []
        for _ in range(1 if quick else 5):
            _, code = grant(where.engines["people"], screen=SCREEN, at=at, who="bench", lasts_seconds=600, now=clock.now())
            context, page = opened(browser)
            page.goto(f"{server.base}/replay/#{code}")
            page.locator("body[data-pictures]").wait_for(timeout=60_000)
            loads.append(float(page.evaluate("() => performance.now()")))
            for number_of in range(3 if quick else STEPS):
                pictures = page.evaluate("() => commandCenterReplay.pictures")
                page.keyboard.press("ArrowLeft" if number_of < STEPS // 2 else "ArrowRight")
                page.wait_for_function("(before) => commandCenterReplay.pictures > before", arg=pictures, timeout=10_000)
                steps.append(float(page.evaluate("() => commandCenterReplay.took")))
            errors = page.evaluate("() => commandCenterReplay.errors")
            context.close()
    return [
        told("replay: link to first picture", measured=f"{number(median(loads))} ms",
             method=f"median of {len(loads)}: page, frame, styles and all panels of the demo's wall from an empty cache; errors {errors}"),
        told("replay: step to picture", measured=f"p50 {number(median(steps))}, p95 {number(quantile(steps, 0.95))} ms",
             method=f"{len(steps)} steps by commit, from the key to the second animation frame"),
    ]
