"""The schedule process: one leader by a lease collects, derives and writes gauges, until told to stop.

Two executors keep the healthy on time: with one pool of ten and a tenth of 500 sources hanging, the median healthy run was
18 s late. Which class a source is in is learnt from its last runs; one never seen is taken for slow.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError

from collectors.runner import RunResult, run_source
from dashboard import clock, heartbeat, holding, lastgood
from dashboard.backup.care import Care
from dashboard.backup.opening import heal, open_store
from dashboard.backup.replacing import restore_for
from dashboard.cases import Outcome
from dashboard.errors import LeaseLost, ProductError, StoreError
from dashboard.jumps import ClockWatch
from dashboard.store import derived, requests
from dashboard.store.lease import Lease, holder_name
from dashboard.store.recompute import recompute
from dashboard.store.state import SourceState, put_next_run, states

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency, Source
    from config.settings import Settings

log = structlog.get_logger("schedule")

QUICK, SLOW = "quick", "slow"
SLOW_FROM_SECONDS = 3.0
REJECTED_PAUSE = timedelta(minutes=15)
JITTER_SHARE = 0.05
FIRST_WITHIN_SECONDS, FIRST_A_SECOND = 10.0, 8
HISTOGRAMS_EVERY_SECONDS = 5
HISTOGRAMS_AT_ONCE = 40
LEASE_SECONDS = 15
BACKUP_AFTER_SECONDS = 15
STOP_SECONDS = 7.0
"""So long may runs under way take to end when the process is told to stop; then they are rolled back."""


def speed_class(durations: Sequence[float]) -> str:
    """The executor for a source with these last run durations (seconds, oldest first): one slow run of three is slow."""
    return QUICK if durations and max(durations[-3:]) < SLOW_FROM_SECONDS else SLOW


def first_run_at(source: Source, state: SourceState | None, now: datetime, spread: float, sources: int = 1) -> datetime:
    """When a source's job first fires after a start: at its rhythm, or, when that was missed, once and soon.

    ``spread`` in [0, 1) staggers those that are due over ten seconds, or over eight ``sources`` a second, so that a start does
    not fire all of them at one instant.
    """
    within = max(FIRST_WITHIN_SECONDS, sources / FIRST_A_SECOND)
    soon = now + timedelta(seconds=min(source.every.total_seconds(), within) * spread)
    if state is None or state.last_run_at is None:
        return soon
    return max(soon, clock.utc(state.last_run_at) + source.every)


def pause_after(result: RunResult, every: timedelta) -> timedelta | None:
    """How much longer than its rhythm a source must be left alone after a run; ``None`` for not at all."""
    wanted = timedelta(seconds=result.retry_after_seconds or 0)
    if result.outcome == Outcome.REJECTED:
        wanted = max(wanted, REJECTED_PAUSE)
    return wanted if wanted > every else None


class Leadership:
    """The work of the one leader while its lease lasts."""

    def __init__(self, settings: Settings, regency: Regency, engine: Engine, token: int) -> None:
        self.settings, self.regency, self.engine, self.token = settings, regency, engine, token
        self.lost = threading.Event()
        self.care = Care(settings, regency, engine, token)
        self._derive_lock = threading.Lock()
        self._watch = ClockWatch(self.clock_set)
        self._apart: set[str] = set()
        self._idle = threading.Condition()
        self._under_way = 0
        self.scheduler = BackgroundScheduler(
            executors={QUICK: ThreadPoolExecutor(32), SLOW: ThreadPoolExecutor(64), "own": ThreadPoolExecutor(4)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def start(self) -> None:
        """Put every source and the leader's own work on the schedule."""
        with self.engine.connect() as connection:
            known = states(connection)
        now = clock.now()
        for source in self.regency.sources.values():
            state = known.get(source.id)
            seconds = source.every.total_seconds()
            self.scheduler.add_job(
                self.collect,
                IntervalTrigger(seconds=seconds, jitter=int(seconds * JITTER_SHARE) or None, timezone=UTC),
                args=[source.id], id=source.id, executor=speed_class(_durations(state)),
                next_run_time=first_run_at(source, state, now, random.random(), len(self.regency.sources)),
            )
        for work, seconds in (
            (self.derive, HISTOGRAMS_EVERY_SECONDS), (self.answer_requests, 1), (self.gauges, 20), (self.tidy, 3600),
            (self.care.look, 5), (self.care.back_up, 60),
        ):
            first = BACKUP_AFTER_SECONDS if work == self.care.back_up else 1  # not into the first runs of a start
            self.scheduler.add_job(
                self._guarded(work), IntervalTrigger(seconds=seconds, timezone=UTC), id=f"own:{work.__name__}",
                executor="own", next_run_time=now + timedelta(seconds=first),
            )
        self.scheduler.start()
        self._watch.start()

    def clock_set(self, seconds: float) -> None:
        """The machine's clock was set. Forth: what is due then runs once. Back: nothing waits for the old time to come again."""
        log.warning("clock was set", seconds=round(seconds))
        if seconds > 0:
            return
        now = clock.now()
        for job in self.scheduler.get_jobs():
            soon = min(job.trigger.interval.total_seconds(), 10.0) * random.random()
            with suppress(JobLookupError):
                self.scheduler.modify_job(job.id, next_run_time=now + timedelta(seconds=soon))

    def stop(self) -> None:
        """No new runs; those under way end or are rolled back by their own deadline."""
        self._watch.stop()
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)

    def ended(self, seconds: float) -> bool:
        """Whether no run is under way any more, within so many seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._under_way == 0, seconds)

    def collect(self, source_id: str) -> RunResult | None:
        """One run of one source, then what follows from it: its class, and a pause if it asked for one."""
        with self._idle:
            self._under_way += 1
        try:
            return self._collect(source_id)
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    def _collect(self, source_id: str) -> RunResult | None:
        if self.care.shut is not None:  # nothing can be stored: leave the agencies alone
            return None
        source = self.regency.sources[source_id]
        started = clock.now()
        try:
            result = run_source(self.engine, self.regency, source_id, settings=self.settings, token=self.token)
        except LeaseLost:
            self.lost.set()
            return None
        except StoreError as err:
            if not self.care.note(err):
                log.warning("run cannot be stored", source=source_id, message=err.en)
            return None
        pause = pause_after(result, source.every)
        with self.engine.connect() as connection:
            state = states(connection).get(source_id)
        changes: dict[str, Any] = {"executor": speed_class(_durations(state))}
        self._tell_pause(source_id, state, started + pause if pause else None)
        if pause:
            changes["next_run_time"] = started + pause
        elif source_id not in self._apart:  # those that a start fired together come apart by half their rhythm
            changes["next_run_time"] = clock.now() + source.every * random.uniform(0.5, 1.0)
        self._apart.add(source_id)
        with suppress(JobLookupError):  # the schedule was stopped meanwhile
            self.scheduler.modify_job(source_id, **changes)
        return result

    def _tell_pause(self, source_id: str, state: SourceState | None, until: datetime | None) -> None:
        """Let the screens know until when a source is left alone, or that it is no more (A20)."""
        at = None if until is None else int(until.timestamp())
        if state is None or state.next_run_at == at:
            return
        try:
            put_next_run(self.engine, source_id, at, self.token)
        except LeaseLost:
            self.lost.set()
        except (DBAPIError, StoreError) as err:
            if not self.care.note(err):
                raise

    def derive(self) -> None:
        """Work off the months × services that runs marked as dirty."""
        with self._derive_lock:
            derived.derive_histograms(self.engine, self.regency, limit=HISTOGRAMS_AT_ONCE, token=self.token)

    def gauges(self) -> None:
        """Write the gauges of the last ten-minute mark, and those of a load or a gap from the cases."""
        now = clock.now()
        derived.write_gauges(self.engine, self.regency, now, self.token)
        derived.fill_gauges(self.engine, self.regency, now, self.token)

    def tidy(self) -> None:
        """Drop ten-minute cells and gauges that no *typical* can read any more."""
        derived.drop_old(self.engine, clock.now(), self.token)

    def answer_requests(self) -> None:
        """Do what a command asked of the living leader (collect, recompute), one after the other."""
        while (asked := requests.take(self.engine, clock.now())) is not None:
            try:
                if asked.what == "restore":
                    restore_for(self.settings, asked)
                    self.care.reopen.set()
                    return
                answer = self._do(asked.what, asked.arguments)
            except ProductError as err:
                answer = {"error": err.en, "error_id": err.id}
            requests.done(self.engine, asked.id, answer, clock.now())

    def _do(self, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if what == "collect":
            since = arguments.get("since")
            result = run_source(
                self.engine, self.regency, arguments["source"], settings=self.settings, token=self.token,
                since=datetime.fromisoformat(since) if since else None, reconcile=bool(arguments.get("reconcile")),
            )
            return result.as_dict()
        if what == "recompute":
            run = recompute(self.engine, self.regency, since=arguments.get("since"), token=self.token, now=clock.now())
            return {"run": run}
        if what in ("decide", "replay"):
            do = holding.decide if what == "decide" else holding.replay_rows
            return do(self.engine, self.regency, self.settings, arguments, self.token)
        raise ProductError(
            f"the leader knows no request {what!r}; start it again with this version of the program",
            f"pemimpin tidak mengenal permintaan {what!r}; jalankan ulang dengan versi program ini",
        )

    def _guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        """The leader's own work: its failure is logged once per change and never ends the schedule."""
        failing = False

        def guarded() -> None:
            nonlocal failing
            try:
                work()
            except LeaseLost:
                self.lost.set()
            except Exception as err:  # noqa: BLE001  (one failing job must not end the others)
                if not self.care.note(err) and not failing:
                    log.warning("own work fails", work=work.__name__, error=f"{type(err).__name__}: {err}")
                failing = True
            else:
                if failing:
                    log.info("own work is back", work=work.__name__)
                failing = False

        guarded.__name__ = work.__name__
        return guarded


def _durations(state: SourceState | None) -> list[float]:
    if state is None or not state.durations:
        return []
    kept = state.durations
    return [float(value) for value in (json.loads(kept) if isinstance(kept, str) else kept)]


def run_schedule(settings: Settings, regency: Regency, stop: threading.Event) -> bool:
    """Open the stores, mend what is damaged, lead while the lease is ours, until ``stop`` is set; whether all runs had ended.

    ``False``: a run still hangs in its thread. The process may end at once: what it has not committed is rolled back (F18).
    A second schedule process waits for the lease: its fencing token keeps its late writes out (F12, F13). Raises
    ``StoreError`` when a store cannot be used and no backup mends it.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    quiet = True
    while not stop.is_set():
        for store in ("people", "recordings"):
            heal(settings, store)
        engine = open_store(settings, "figures", check=True)
        try:
            quiet = _lead(settings, regency, engine, stop)
        finally:
            engine.dispose()
    return quiet


def _lead(settings: Settings, regency: Regency, engine: Engine, stop: threading.Event) -> bool:
    """Wait for the lease and lead, again and again, until told to stop or the store must be opened anew; whether runs ended."""
    quiet = True
    lease = Lease(engine, holder_name("schedule"), ttl_seconds=LEASE_SECONDS)
    waiting = Care(settings, regency, engine, None)
    while not stop.is_set() and not waiting.reopen.is_set():
        heartbeat.beat()
        try:
            token = lease.acquire(clock.now())
        except (DBAPIError, StoreError) as err:  # full, read-only, locked or gone: it comes back by itself
            if not waiting.note(err):
                raise
            token = None
        if token is None:
            stop.wait(1)
            continue
        log.info("leading", holder=holder_name("schedule"), token=token, sources=len(regency.sources))
        waiting.shut = None
        leadership = Leadership(settings, regency, engine, token)
        leadership.start()
        lastgood.note(settings, engine)
        try:
            while not stop.wait(LEASE_SECONDS / 5) and not leadership.care.reopen.is_set():
                heartbeat.beat()
                if leadership.lost.is_set() or not _renewed(lease, leadership.care):
                    log.warning("lease lost", holder=holder_name("schedule"))
                    break
        finally:
            leadership.stop()
        quiet = leadership.ended(STOP_SECONDS if stop.is_set() else 0.0)
        if leadership.care.reopen.is_set():
            log.warning("the store is opened anew")
            return quiet
    with suppress(DBAPIError, StoreError):  # a lease that cannot be given back runs out
        lease.release()
    return quiet


def _renewed(lease: Lease, care: Care) -> bool:
    """Whether the lease is still ours, as far as can be known: while nothing can be written nobody can take it either."""
    try:
        return lease.renew(clock.now())
    except (DBAPIError, StoreError) as err:
        if not care.note(err):
            raise
        return True
