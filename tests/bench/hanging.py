"""Five hundred sources, a tenth of which hang for 30 s: how late do the healthy ones start? The leader's own schedule, real runs.

A rhythm of five minutes; measured for three minutes (``--full``: ten) after the first round, in which nothing is known of any source
yet and all share the slow pool; that round is told apart. Late is the start of a run after the instant that it was planned for.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from apscheduler.events import EVENT_JOB_SUBMITTED, JobSubmissionEvent

from collectors.runner import RunResult
from config.declarations import Agency, Regency, Source, Words
from config.settings import Settings
from dashboard import clock
from dashboard.schedule import LEASE_SECONDS, Leadership
from dashboard.store.engine import migrate, open_engine
from dashboard.store.lease import Lease
from tests.bench.lines import Line, Options, at_most, percentiles, quantile, told
from tests.bench.processes import heard, python

SOURCES = 500
HANGING = 10  # one in so many
HANGS_SECONDS = 30
RHYTHM_SECONDS = 300
WARM_SECONDS = 150
LIMIT_SECONDS = 2.0


class Watched(Leadership):
    """The leader, with a note of when each run was planned and when it began (epoch seconds)."""

    def note(self) -> None:
        """Begin to take notes; before ``start``."""
        self.began: dict[str, list[float]] = defaultdict(list)
        self.planned: dict[str, list[float]] = defaultdict(list)
        self.scheduler.add_listener(self._submitted, EVENT_JOB_SUBMITTED)

    def _submitted(self, event: JobSubmissionEvent) -> None:
        self.planned[event.job_id].append(event.scheduled_run_times[0].timestamp())

    def collect(self, source_id: str) -> RunResult | None:
        """The same, noted."""
        self.began[source_id].append(time.time())
        return super().collect(source_id)

    def late(self, sources: list[str], since: float, until: float) -> list[float]:
        """Seconds of lateness of the runs that were planned in a span. A run that never began is as late as the span's end."""
        found = []
        for source in sources:
            begun = self.began[source]
            for number, planned in enumerate(self.planned[source]):
                if since <= planned < until:
                    found.append(max(0.0, (begun[number] if number < len(begun) else time.time()) - planned))
        return found


def declared(port: int, count: int) -> Regency:
    """Twenty-five agencies with ``count`` sources."""
    agencies = [f"dinas-{number}" for number in range(25)]
    fields = {
        "case_id": "id", "service": {"from": "jenis", "otherwise": "discover"}, "submitted_at": {"from": "masuk", "format": "iso"},
        "status": {"from": "status", "map": {"SELESAI": "completed"}, "otherwise": "open"},
    }
    return Regency(
        name="Uji", timezone="Asia/Makassar",
        agencies={name: Agency(id=name, name=Words(id=name, en=name), short_name=name) for name in agencies},
        sources={f"sumber-{number}": Source.model_validate({
            "id": f"sumber-{number}", "owner": agencies[number % 25], "connector": "rest", "mode": "incremental", "every": "5 minutes",
            "stale_after": "10 minutes", "deadline": "2 minutes", "timezone": "Asia/Makassar", "network": ["127.0.0.1/32"],
            "fields": fields, "options": {
                "url": f"http://127.0.0.1:{port}/{'slow' if number % HANGING == 0 else 'good'}/{number}", "records": "data",
                "timeout": HANGS_SECONDS + 5,
            },
        }) for number in range(count)},
    )


def measure(options: Options) -> list[Line]:
    """Lateness of the healthy ones."""
    count, seconds = (50, 30) if options.quick else (SOURCES, 600 if options.full else 180)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, python(
        "tests.bench.crowd", str(HANGS_SECONDS), log=Path(folder) / "crowd.log"
    ) as crowd:
        regency = declared(int(heard(crowd, "port", Path(folder) / "crowd.log")), count)
        leader, began, ended = _led(Settings(data=Path(folder) / "var"), regency, seconds)
    healthy = [f"sumber-{number}" for number in range(count) if number % HANGING]
    first = leader.late(healthy, 0, began + WARM_SECONDS)
    late = leader.late(healthy, began + WARM_SECONDS, ended) or first
    p99 = quantile(late, 0.99)
    method = (
        f"{count} sources every {RHYTHM_SECONDS} s, {count // HANGING} of them hanging for {HANGS_SECONDS} s; {len(late)} runs in "
        f"{seconds} s; planned by the scheduler to begun"
    )
    return [
        at_most("lateness of healthy sources, a tenth hanging", p99, LIMIT_SECONDS, "s", measured=f"p99 {p99:.2f} s", method=method),
        told("the same in full", measured=f"{percentiles([value * 1000 for value in late])}", method=method),
        told("the same, first round", measured=f"p99 {quantile(first, 0.99):.2f} s", method="nothing is known of any source yet"),
    ]


def _led(settings: Settings, regency: Regency, seconds: float) -> tuple[Watched, float, float]:
    """Lead for a minute and then so long; the leader, and when it began and ended."""
    engine = open_engine(settings.url_of("figures"))
    migrate(engine)
    lease = Lease(engine, "bench", ttl_seconds=LEASE_SECONDS * 1000)
    token = lease.acquire(clock.now())
    assert token is not None
    leader = Watched(settings, regency, engine, token)
    leader.note()
    began = time.time()
    leader.start()
    threading.Event().wait(WARM_SECONDS + seconds)
    ended = time.time() - LIMIT_SECONDS
    leader.stop()
    leader.ended(4 * HANGS_SECONDS)
    time.sleep(5)  # its own work too
    lease.release()
    engine.dispose()
    return leader, began, ended
