"""The wall's panels of today at 0.5 and 5 million cases: all asked, drawn, split and encoded after a commit; and what is kept
for a minute (the panels over 30 days).

The path is the server's own: ``Snapshot.refresh`` over every instance of the demo's wall. Before each refresh a collector's
commit of three cases is made (not timed), so that nothing of today is answered from memory.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from config.declarations import Regency
from dashboard.clock import DAY
from dashboard.live.snapshot import Snapshot
from dashboard.queries.answers import Context
from dashboard.queries.thirty_days import thirty_days
from dashboard.queries.volumes import pinned, versions_of
from dashboard.serve import wall_zone
from dashboard.store.tables import case
from tests.bench.lines import Line, Options, at_most, median, number, quantile, told
from tests.bench.volumes import Stream, declared, filled, streams, touch

NOW = datetime(2026, 11, 24, 2, 30, 7, tzinfo=UTC)
"""The instant at which the stores stand: a Tuesday, 10.30 WITA."""
DAYS = 1096
SIZES = (500_000, 5_000_000)
ROUNDS = 25
"""Within one minute: what is kept for a minute is made in the first round, which is not counted."""
MINUTES = 5


@dataclass
class Store:
    """A store with its snapshot, and what was measured of it (milliseconds)."""

    engine: Engine
    regency: Regency
    streams: list[Stream]
    snapshot: Snapshot
    filled_seconds: float
    cases: int
    refreshes: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    panels: dict[str, list[float]] = field(default_factory=dict)
    minutes: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)

    def refresh(self, now: datetime, number_of: int, *, late: bool = False) -> float:
        """A commit (of cases that arrived a day late), then all panels; milliseconds of the latter."""
        stream = self.streams[number_of % len(self.streams)]
        touch(self.engine, self.regency, stream, now, age_seconds=DAY if late else 30)
        changed = frozenset({"cases", "state", "history"} if late else {"cases", "state"})
        gc.collect()
        began, worked = time.perf_counter(), time.thread_time()
        self.snapshot.refresh(pinned(Context(self.engine, self.regency, now)), changed)
        self.worked.append((time.thread_time() - worked) * 1000)
        took = (time.perf_counter() - began) * 1000
        if self.snapshot.failures:
            raise RuntimeError("a panel fails; see the log")
        return took


def opened(regency: Regency, size: int) -> Store:
    """The store of a size, filled now or by an earlier run."""
    engine, seconds = filled(regency, size, now=NOW, days=DAYS)
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(case)).scalar_one()
    return Store(engine, regency, streams(regency), Snapshot(wall_zone(regency).instances), seconds, int(count))


def measure(options: Options) -> list[Line]:
    """All panels, the ratio to a tenth, and the panels over 30 days."""
    with tempfile.TemporaryDirectory() as folder:
        regency = declared(Path(folder))
    sizes = (5_000, 50_000) if options.quick else SIZES
    stores = []
    for size in sizes:
        print(f"  a store of {size:,} cases (kept for the next run) …", file=sys.stderr)
        stores.append(opened(regency, size))
    for number_of in range(ROUNDS + 1):  # both in turn, so that whatever else the machine does hits both
        for store in stores:
            took = store.refresh(NOW + timedelta(seconds=number_of), number_of)
            if number_of:
                store.refreshes.append(took)
                for name, seconds in store.snapshot.asked_seconds.items():
                    store.panels.setdefault(name, []).append(seconds * 1000)
    for minute in range(1, MINUTES + 1):
        for store in stores:
            _minute(store, NOW + timedelta(minutes=minute), minute)
    lines = _lines(*stores)
    for store in stores:
        store.engine.dispose()
    return lines


def _minute(store: Store, now: datetime, number_of: int) -> None:
    """The 30 days alone, as after a late row (another version of the past) and as after a start (nothing kept); then what the
    turn of a minute costs for everything."""
    context = Context(store.engine, store.regency, now)
    version = versions_of(context)
    started = context._replace(regency=store.regency.model_copy())
    for into, asked, known in (
        (store.again, context, version._replace(history=version.history + number_of)), (store.first, started, version),
    ):
        began = time.perf_counter()
        thirty_days(asked, known)
        into.append((time.perf_counter() - began) * 1000)
    store.minutes.append(store.refresh(now + timedelta(seconds=30), number_of, late=True))


def _lines(small: Store, large: Store) -> list[Line]:
    def both(of_small: list[float], of_large: list[float]) -> str:
        return f"{number(median(of_small))} ms at {small.cases:,}, {number(median(of_large))} ms at {large.cases:,} cases"

    few, many = median(small.refreshes), median(large.refreshes)
    agencies = len({pair[0] for stream in large.streams for pair in stream.pairs})
    slow = sorted(((median(values), name) for name, values in large.panels.items()), reverse=True)
    shares = ", ".join(f"{name} {number(took)}" for took, name in slow[:4])
    method = (
        f"Snapshot.refresh over all {len(large.snapshot.instances)} instances of the demo's wall after a commit of 3 cases; median "
        f"of {ROUNDS}, both stores in turn. {len(large.streams)} sources, {agencies} agencies, {DAYS} days. "
        f"Slowest panels (ms): {shares}"
    )
    span = f"{number(few)} ms at {small.cases:,}, {number(many)} ms at {large.cases:,} cases"
    p95 = f" (p95 {number(quantile(large.refreshes, 0.95))} ms)"
    return [
        at_most("today's panels, all", many, 50, "ms", measured=span + p95, method=method),
        at_most("today's panels, against a tenth of the cases", many / few, 1.2, "×", measured=span, ratio=f"{many / few:.2f} ×",
                method="the same medians"),
        at_most("30 days: times and on time, after a late row", median(large.again), 100, "ms",
                method="asked anew, alone: every day's fingerprint read and compared; median of 5",
                measured=f"{number(median(small.again))} ms at {small.cases:,}, {number(median(large.again))} ms at {large.cases:,}"),
        told("30 days, the first time after a start", method="every day's cases read; median of 5",
             measured=f"{number(median(small.first))} ms at {small.cases:,}, {number(median(large.first))} ms at {large.cases:,}"),
        told("all panels at the turn of a minute",
             measured=f"{number(median(small.minutes))} ms at {small.cases:,}, {number(median(large.minutes))} ms at {large.cases:,}",
             method="as the first row, with what is kept for a minute made anew"),
        told("filling the stores", measured=f"{small.filled_seconds:.0f} s and {large.filled_seconds:.0f} s",
             method="synthetic cases through Read.page, then 14 weeks of gauges; when it was last done"),
    ]
