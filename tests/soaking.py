"""Seven simulated days of a collector in a process of its own: ``python -m tests.soaking PORT FOLDER DAYS RESULT``.

The runs are real (HTTP, mapping, store, gauges, histograms); only the clock is told. Twenty sources, each read every half an hour;
what the process holds is noted every simulated hour: anonymous memory, descriptors, threads.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import collectors.http
from collectors.runner import run_source
from config.declarations import Agency, Regency, Source, Words
from config.settings import Settings
from dashboard.store import derived
from dashboard.store.engine import migrate, open_engine
from dashboard.store.verify import verify

SOURCES = 20
BEGINS = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
RHYTHM = timedelta(minutes=30)
FIELDS: dict[str, Any] = {
    "case_id": "id", "service": {"from": "service", "otherwise": "discover"}, "submitted_at": {"from": "submitted", "format": "iso"},
    "ended_at": {"from": "ended", "format": "iso", "missing": ["", "-"]}, "updated_at": {"from": "updated", "format": "iso"},
    "status": {"from": "status", "map": {"done": "completed", "dropped": "cancelled"}, "otherwise": "open"},
}


def regency(port: int) -> Regency:
    """Twenty sources of twenty agencies at one server."""
    names = [f"s{number:02d}" for number in range(SOURCES)]
    return Regency(
        name="Uji", timezone="Asia/Makassar",
        agencies={name: Agency(id=name, name=Words(id=name, en=name), short_name=name) for name in names},
        sources={name: Source.model_validate({
            "id": name, "owner": name, "connector": "rest", "mode": "incremental", "every": "30 minutes", "stale_after": "1 hour",
            "timezone": "UTC", "network": ["127.0.0.1/32"], "fields": FIELDS, "deadline": "20 seconds", "overlap": "1 hour",
            "options": {
                "url": f"http://127.0.0.1:{port}/{name}", "records": "data", "since": {"param": "updated_since", "format": "iso"},
                "pages": {"kind": "page", "param": "page", "size_param": "per_page", "size": 500}, "timeout": 1.0,
            },
        }) for name in names},
    )


def held() -> dict[str, int]:
    """What this process holds: anonymous memory in kB, open descriptors, threads."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    return {"memory": memory, "descriptors": len(os.listdir("/proc/self/fd")), "threads": threading.active_count()}


def tick(port: int, now: datetime, *, quiet: bool = False) -> None:
    """Let the agencies live on to this instant; ``quiet``: from now on without faults."""
    urllib.request.urlopen(f"http://127.0.0.1:{port}/tick?now={now.timestamp()}&quiet={int(quiet)}").close()


def main(port: int, folder: Path, days: float, result: Path) -> None:
    """Live through the days, then one quiet round; write what was held and how the runs ended."""
    collectors.http.FIRST_PAUSE_SECONDS = 0.001  # the clock is told, so nobody waits for it
    declared, settings = regency(port), Settings(data=folder / "var", drop=folder / "drop", secrets=folder / "secrets")
    engine = open_engine(settings.url_of("figures"))
    migrate(engine)
    notes: list[dict[str, int]] = []
    outcomes: dict[str, int] = {}
    now, ends = BEGINS, BEGINS + timedelta(days=days)
    while now < ends:
        tick(port, now)
        for name in declared.sources:
            outcome = run_source(engine, declared, name, settings=settings, now=lambda at=now: at).outcome.value  # type: ignore[misc]
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        own_work(engine, declared, now)
        now += RHYTHM
        if now.minute == 0:
            notes.append(held())
    tick(port, now, quiet=True)
    last = [
        run_source(engine, declared, name, settings=settings, now=lambda: now + RHYTHM).outcome.good for name in declared.sources
    ]
    differences = [str(found) for found in verify(engine, declared)]
    engine.dispose()
    result.write_text(json.dumps({"notes": notes, "outcomes": outcomes, "good": all(last), "differences": differences[:5]}))


def own_work(engine: Any, declared: Regency, now: datetime) -> None:
    """What a leader does beside collecting."""
    derived.derive_histograms(engine, declared, limit=40, token=None)
    derived.write_gauges(engine, declared, now, None)
    derived.fill_gauges(engine, declared, now, None)
    derived.drop_old(engine, now, None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
