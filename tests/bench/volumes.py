"""Synthetic cases in bulk: the demo's agencies and services at any number, in order of time, for stores to measure on.

Volumes follow working days and hours, durations are skewed around each service's standard, 4 % are cancelled and 0.2 % never
end. Keys are counted, not hashed: it only makes the store quicker to fill.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from config.declarations import Regency, Standard
from config.loading import load
from dashboard.cases import Case, Codes, Kind, Outcome
from dashboard.clock import DAY, epoch
from dashboard.store import derived
from dashboard.store.engine import migrate, open_engine
from dashboard.store.read import Read
from dashboard.store.staging import PAGE
from tests.bench.processes import ROOT

CACHE = Path(os.environ.get("COMMAND_CENTER_BENCH", Path(tempfile.gettempdir()) / "command-center-bench"))
SHARED_SOURCE = """
# The counters of the sub-districts, so that every agency with a service has cases.
[[sources]]
id = "kecamatan"
owner = "kec-masamba"
connector = "rest"
every = "1 minute"
stale_after = "10 minutes"
timezone = "Asia/Makassar"
network = ["127.0.0.1/32"]
mode = "incremental"
options = { url = "http://127.0.0.1:8109/", records = "data", since = { param = "since", format = "iso" } }
fields = { case_id = "id", submitted_at = "masuk", agency = { from = "kecamatan", otherwise = "discover" } }
"""
CHANNELS, CHANNEL_SHARES = ("counter", "online", "message", "phone"), (0.55, 0.3, 0.1, 0.05)
UNIT_SECONDS = {"working days": 1.4 * DAY, "working hours": 4_800.0, "working minutes": 80.0, "days": DAY, "hours": 3600.0,
                "minutes": 60.0}
"""Seconds by the wall's clock of a standard's unit, roughly where it is a working one."""
SEED = 7322
DECIDE = ("tables", "contributions", "read", "derived", "gauges", "finishing")
"""Modules of the store that decide what a filled one holds."""


def declared(folder: Path, **more: str) -> Regency:
    """The demo's declarations with the sub-districts' source, and further files (name below the folder → TOML)."""
    files = {"regency.toml": f'extends = {json.dumps(str(ROOT / "config" / "demo"))}\n',
             "sources/kecamatan.toml": SHARED_SOURCE, **more}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(folder)


@dataclass(frozen=True)
class Stream:
    """What one source brings: cases of some (agency, service) with their share of its volume."""

    source: str
    pairs: tuple[tuple[str, str, str, Standard | None], ...]
    share: float


def streams(regency: Regency) -> list[Stream]:
    """Every source with the services it feeds: the owner's of its kind, or those of many agencies for a shared one."""
    found: list[Stream] = []
    for key, source in regency.sources.items():
        if source.feeds != "cases":
            continue
        shared = "agency" in source.fields
        owners = [source.owner] if not shared else list(regency.agencies)
        pairs = tuple(
            (agency, name, service.kind, max(service.standards, key=lambda one: one.from_, default=None))
            for agency in owners for name, service in regency.agencies[agency].services.items()
            if service.kind == source.kind and (not shared or source.kind == Kind.COMPLAINT or agency.startswith("kec-"))
        )
        if pairs:
            found.append(Stream(key, pairs, {"visit": 3.0, "complaint": 0.6}.get(source.kind, 1.5)))
    whole = sum(one.share for one in found)
    return [Stream(one.source, one.pairs, one.share / whole) for one in found]


def _days(draw: np.random.Generator, count: int, start: int, end: int, offset: int) -> Any:
    """Instants in order of time: working days and hours by far the most, none in [end, …)."""
    days = np.arange((start + offset) // DAY, (end + offset) // DAY + 1)
    weights = np.where((days + 3) % 7 < 5, 1.0, 0.12)  # day 0 of the epoch was a Thursday
    at = draw.choice(days, size=int(count * 1.02) + 8, p=weights / weights.sum()) * DAY - offset
    morning = draw.random(at.size) < 0.65
    seconds = np.where(morning, draw.normal(9.6, 1.0, at.size), draw.normal(14.0, 1.0, at.size)).clip(0, 23.9) * 3600
    at = (at + seconds).astype(np.int64)
    at = at[(at >= start) & (at < end)]
    return np.sort(draw.choice(at, count, replace=False) if at.size > count else at)


def _seconds(standard: Standard | None) -> float:
    if standard is None:
        return 3.0 * DAY
    return standard.amount * UNIT_SECONDS[standard.unit.value]


def pages(regency: Regency, stream: Stream, count: int, *, start: int, now: int) -> Iterator[list[Case]]:
    """A source's cases in order of time, in pages of 5,000."""
    draw = np.random.default_rng([SEED, *stream.source.encode()])
    offset = int(datetime.fromtimestamp(now, regency.zone).utcoffset().total_seconds())  # type: ignore[union-attr]
    submitted = _days(draw, count, start, now, offset)
    districts = [*regency.districts, "?"]
    weights = 1 / np.arange(1, len(stream.pairs) + 1) ** 0.6
    promised = np.array([_seconds(pair[3]) for pair in stream.pairs])
    texts: dict[tuple[int, int, int, int], str] = {}
    for first in range(0, submitted.size, PAGE):
        at = submitted[first : first + PAGE]
        size = at.size
        pair = draw.choice(len(stream.pairs), size, p=weights / weights.sum())
        place = draw.choice(len(districts), size)
        channel = draw.choice(len(CHANNELS), size, p=CHANNEL_SHARES)
        took = (promised[pair] * draw.lognormal(-0.6, 0.8, size)).astype(np.int64) + 60
        fate = draw.random(size)
        wait = (took * 0.4).astype(np.int64)
        yield [
            _case(stream, first + n, int(at[n]), int(pair[n]), int(place[n]), int(channel[n]), int(took[n]), int(wait[n]),
                  float(fate[n]), int(promised[pair[n]]), now, districts, texts)
            for n in range(size)
        ]


def _case(
    stream: Stream, counted: int, at: int, pair: int, place: int, channel: int, took: int, wait: int, fate: float, promised: int,
    now: int, districts: list[str], texts: dict[tuple[int, int, int, int], str],
) -> Case:
    agency, service, kind, standard = stream.pairs[pair]
    ended = at + took if fate >= 0.002 and at + took < now else None
    ended_as = None if ended is None else "cancelled" if fate > 0.96 else "completed"
    due = at + promised if standard is not None and kind != "visit" else None
    accepted = at + wait if kind != "request" and at + wait < now else None
    status = 0 if ended is None else 1
    text = texts.get((pair, place, channel, status))
    if text is None:
        text = texts[pair, place, channel, status] = Codes(
            agency, service, ("proses", "selesai")[status], CHANNELS[channel], districts[place], None, None
        ).dumps()
    return Case(
        counted.to_bytes(16, "big"), agency, service, kind, CHANNELS[channel], districts[place], at, accepted,
        accepted if kind == "complaint" else None, ended, ended_as, None, None, standard.promise if standard else None, due,
        None if ended is None else took, None if ended is None else int(took * 0.3),
        None if due is None or ended_as != "completed" else at + took <= due, 0, text,
    )


def fill(engine: Engine, regency: Regency, count: int, *, now: datetime, days: int) -> None:
    """Fill a fresh figures store through ``Read.page``, source by source, and derive its gauges as the leader does."""
    at = epoch(now)
    start = at - days * DAY
    for stream in streams(regency):
        read = Read.begin(
            engine, regency.sources[stream.source], mode="snapshot", token=None, now=now, zone=regency.zone,
            declarations=regency.hash,
        )
        for page in pages(regency, stream, round(count * stream.share), start=start, now=at):
            read.page(page)
        read.finish(outcome=Outcome.OK, now=now, data_until=at, covered=(start, at), complete=True)
    derived.fill_gauges(engine, regency, now, None)


def filled(regency: Regency, count: int, *, now: datetime, days: int) -> tuple[Engine, float]:
    """A store of so many cases, kept under the temporary folder for the next run: (engine, seconds that it took to fill).

    The name carries a hash of what decides its content, so that newer code never measures on an older store.
    """
    parts = [count, now.isoformat(), days, regency.hash]
    code = [ROOT / "dashboard" / "store" / f"{name}.py" for name in DECIDE] + [Path(__file__)]
    code += sorted((ROOT / "dashboard/store/migrations").rglob("v*.py"))
    whole = hashlib.sha256(json.dumps(parts).encode() + b"".join(path.read_bytes() for path in code)).hexdigest()[:12]
    folder = CACHE / f"{count}-{whole}"
    ready = folder / "filled.json"
    if not ready.exists():
        for old in CACHE.glob(f"{count}-*"):
            shutil.rmtree(old)
        began = time.monotonic()
        engine = _opened(folder)
        fill(engine, regency, count, now=now, days=days)
        ready.write_text(json.dumps({"seconds": round(time.monotonic() - began, 1)}), encoding="utf-8")
        engine.dispose()
    return _opened(folder), float(json.loads(ready.read_text(encoding="utf-8"))["seconds"])


def _opened(folder: Path) -> Engine:
    engine = open_engine(f"sqlite:///{folder / 'figures.sqlite'}")
    migrate(engine)
    return engine


def touch(engine: Engine, regency: Regency, stream: Stream, now: datetime, *, cases: int = 3, age_seconds: int = 30) -> None:
    """What a collector's run commits when a few cases arrived just now, or late: one transaction, announced."""
    at = epoch(now)
    agency, service, kind, standard = stream.pairs[0]
    promise, district = standard.promise if standard else None, next(iter(regency.districts), "")
    due = at + DAY if standard and kind != "visit" else None
    new = [
        Case(
            os.urandom(16), agency, service, kind, "counter", district, at - age_seconds, None, None, None, None, None, None,
            promise, due, None, None, None, 0, Codes(agency, service).dumps(),
        ) for _ in range(cases)
    ]
    read = Read.begin(
        engine, regency.sources[stream.source], mode="incremental", token=None, now=now, zone=regency.zone,
        declarations=regency.hash,
    )
    read.finish(
        outcome=Outcome.OK, now=now, data_until=at, covered=(at - 60, at), complete=True, last_page=(new, ()),
        cursor={"since": at},
    )
