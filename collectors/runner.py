"""One run of one source: read, map, guard, derive, store. The words of its outcome are the same in run, log and screen."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from collectors import antrean, ckan, open311, rest, sql, tabular  # noqa: F401  (a connector's arrival is one explicit word)
from collectors.asking import reading_of
from collectors.connector import CONNECTORS
from collectors.guards import check_cases
from collectors.keys import key_of
from collectors.mapping import Mapping
from collectors.pipeline import Part, Pipeline
from collectors.plan import Plan, declared_whole, plan
from collectors.readings import run_readings
from collectors.spool import Spool
from dashboard import clock
from dashboard.cases import Case, Outcome, Rejected, Sighting
from dashboard.clock import epoch
from dashboard.derive import Deriver
from dashboard.errors import CollectError, LeaseLost, ProductError, SourceHeld, StoreError
from dashboard.metrics import metrics_of
from dashboard.store.read import Read
from dashboard.store.sightings import stored_sightings
from dashboard.store.staging import PAGE
from dashboard.store.standing import standing_of
from dashboard.store.state import SourceState
from dashboard.store.trouble import store_error
from dashboard.worktime import calendar_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency, Source
    from config.settings import Settings

log = structlog.get_logger("collect")

COLLECT_GARBAGE_AFTER = 50_000  # allocations: a page makes 100,000 tuples and no cycle, and Python's 700 cost a tenth
LEARNT = ("durations", "gaps")
"""Of a source's state: what is learnt again by itself."""


@dataclass(frozen=True)
class RunResult:
    """How a run ended. ``en``/``id``: what happened and what to do, empty when all is well."""

    outcome: Outcome
    en: str = ""
    id: str = ""
    rows_read: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_deleted: int = 0
    rows_rejected: int = 0
    retry_after_seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the request table and the command line."""
        return {**asdict(self), "outcome": self.outcome.value}


def run_source(
    engine: Engine, regency: Regency, source_id: str, *, settings: Settings, token: int | None = None,
    since: datetime | None = None, dry_run: bool = False, reconcile: bool = False, now: Callable[[], datetime] = clock.now,
) -> RunResult:
    """Collect one source once. Raises ``LeaseLost`` when another leader took over, ``StoreError`` when the store fails.

    ``since`` reads again from an instant, without tombstones; ``reconcile`` reads all; ``dry_run`` writes nothing.
    """
    gc.set_threshold(max(gc.get_threshold()[0], COLLECT_GARBAGE_AFTER))
    source = declared_whole(regency.sources[source_id])
    if dry_run:
        from collectors.trial import look

        return look(engine, regency, source, settings, since, now)
    read = Read.begin(
        engine, source, mode=source.reading_mode, token=token, now=now(), declarations=regency.hash, zone=regency.zone
    )
    before = read.state
    try:
        result = _collect(read, regency, source, settings, since, reconcile, now)
    except LeaseLost:
        raise
    except StoreError as err:
        raise _noted(read, source, err, now) from err
    except CollectError as err:
        result = _failed(read, source, Outcome(err.outcome), err.step, err.en, err.id, now, err)
    except ProductError as err:
        result = _failed(read, source, Outcome.FAILED, "prepare", err.en, err.id, now)
    except (Exception, SystemExit) as err:
        if (broken := store_error(err, engine)) is not None:
            raise _noted(read, source, broken, now) from err
        kind = type(err).__name__
        result = _failed(
            read, source, Outcome.FAILED, "read", f"the product failed ({kind}); report it with the run's number {read.run_id}",
            f"kesalahan produk ({kind}); laporkan dengan nomor pengambilan {read.run_id}", now,
        )
    announce(source.id, before, result)
    if source.options.get("returns") is True:
        from collectors.returned import attempt

        attempt(source, regency, settings, now)
    return result


def announce(source: str, before: SourceState, result: RunResult) -> None:
    """One line when a source breaks, one when it is back; silence while nothing changes."""
    was_good = before.outcome is None or Outcome(before.outcome).good
    if was_good and not result.outcome.good:
        log.warning("source breaks", source=source, outcome=result.outcome.value, message=result.en)
    elif not was_good and result.outcome.good:
        log.info("source is back", source=source, outcome=result.outcome.value, was=before.outcome)


def _failed(
    read: Read, source: Source, outcome: Outcome, step: str, en: str, id: str, now: Callable[[], datetime],
    err: CollectError | None = None,
) -> RunResult:
    read.fail(
        outcome, now=now(), step=step, en=f"{source.id}: {step}: {en}", id=f"{source.id}: {step}: {id}",
        guard=err.guard if isinstance(err, SourceHeld) else "", counts=err.counts if isinstance(err, SourceHeld) else None,
    )
    counts = read.counts
    return RunResult(
        outcome, f"{source.id}: {step}: {en}", f"{source.id}: {step}: {id}",
        retry_after_seconds=err.retry_after_seconds if err is not None else None,
        rows_read=counts["rows_read"], rows_new=counts["rows_new"], rows_changed=counts["rows_changed"],
    )


def _noted(read: Read, source: Source, err: StoreError, now: Callable[[], datetime]) -> StoreError:
    """The store's failure, also as the run's end where that can still be written."""
    with suppress(StoreError):
        _failed(read, source, Outcome.FAILED, "store", err.en, err.id, now)
    return err


def _collect(
    read: Read, regency: Regency, source: Source, settings: Settings, since: datetime | None, reconcile: bool,
    now: Callable[[], datetime],
) -> RunResult:
    if not reconcile:
        _readable(source, read.state)
    if source.feeds == "readings":
        reading = reading_of(source, settings, since=None, since_kind="changed", now=now)
        return run_readings(read, source, reading, now, metrics_of(regency))
    what = plan(source, read.state, read.started, since=since, reconcile=reconcile, hold=read.hold)
    read.standing = standing_of(regency, source)
    if what.generation is not None:
        read.begin_generation(what.generation)
    reading = reading_of(
        source, settings, since=what.since, since_kind=what.since_kind, files=read.state.signature.get("files"), now=now,
    )
    mapping = Mapping(source, key_of(settings.data, source.id), now)

    def stored(keys: Sequence[bytes]) -> dict[bytes, Sighting]:
        with read.engine.connect() as connection:
            return stored_sightings(connection, source.id, read.state.generation, keys)

    pipeline = Pipeline(source, read.state, mapping, stored, what, zone=regency.zone, started=epoch(read.started))
    pages = CONNECTORS[source.connector].read(reading)
    with Spool(settings.data / "spool") as events, Spool(settings.data / "spool") as staged:
        parts = pipeline.parts(pages, events)
        if what.guarded:
            parts = _staged(read, source, what, parts, staged)
        return _store(read, Deriver(regency, source), parts, pipeline, what, now)


def _readable(source: Source, state: SourceState) -> None:
    """Refuse to guess where a read goes on (C14). Raises ``ProductError`` with what to do."""
    damaged = ", ".join(name for name in state.damaged if name not in LEARNT)
    if damaged:
        raise ProductError(
            f"its stored state ({damaged}) is not of this version's making; start the version that wrote it, restore a backup, or "
            f"read everything again: command-center collect --source {source.id} --reconcile",
            f"keadaan tersimpan ({damaged}) bukan buatan versi ini; jalankan versi yang menulisnya, pulihkan cadangan, atau baca "
            f"ulang semua: command-center collect --source {source.id} --reconcile",
        )


def _staged(read: Read, source: Source, what: Plan, parts: Iterator[Part], spool: Spool) -> Iterator[Part]:
    """Keep the whole read aside, compare it with what is known, and only then let it pass. Raises ``SourceHeld``.

    A known case whose row was put aside counts as seen: it is there, only unreadable.
    """
    rejects: list[Rejected] = []
    for sightings, rejected in parts:
        spool.keep(sightings)
        read.sighted.stage(sightings, [item.key for item in rejected if item.key is not None])
        rejects += rejected[: max(0, PAGE - len(rejects))]  # so many in detail; all of them are counted
    check_cases(source, read.sighted.verdict(what.span))
    yield [], rejects
    for page in spool.sightings(PAGE):
        yield page, []


def _store(
    read: Read, deriver: Deriver, parts: Iterator[Part], pipeline: Pipeline, what: Plan, now: Callable[[], datetime]
) -> RunResult:
    """Derive and store in pages of up to 5,000; the last page goes with the end of the run."""
    source, started = pipeline.source, epoch(read.started)
    cases: list[Case] = []
    rejects: list[Rejected] = []
    last: Rejected | None = None
    position: dict[str, int | None] | None = None
    until: int | None = None
    for sightings, rejected in parts:
        rejects += rejected
        last = rejected[-1] if rejected else last
        for item in sightings:
            cases.append(deriver.derive(item))
        while max(len(cases), len(rejects)) > PAGE:
            read.page(cases[:PAGE], rejects[:PAGE], position=position, data_until=until)
            cases, rejects = cases[PAGE:], rejects[PAGE:]
        if not what.guarded:  # of the parts before the next one: what is stored never falls behind it
            position, until = pipeline.mark(started)
    outcome = Outcome.EMPTY if pipeline.rows == 0 else Outcome.PARTIAL if pipeline.rejected else Outcome.OK
    if pipeline.mapping.ticket_column is not None:
        read.tickets = pipeline.mapping.tickets, pipeline.mapping.tomorrow
    pipeline.remarks.note_mapping(pipeline.mapping)
    pipeline.remarks.note(pipeline.plausible.remarks())
    message = pipeline.remarks.message(pipeline.rejected, last)
    ended, before = now(), read.state.last_new_at
    gap = None if before is None else calendar_of(deriver.regency, source.owner).worked_seconds(before, epoch(ended))
    read.finish(
        outcome=outcome, now=ended, gap_seconds=gap, cursor={"since": what.cursor(source, pipeline.updated, started)},
        data_until=pipeline.data_until(started), complete=True, span=what.span, message=message, last_page=(cases, rejects),
        covered=what.covered(source, deriver.regency.zone, pipeline.earliest, pipeline.covered_until(started), started),
        signature=pipeline.signature(), reconciled=what.full and not pipeline.shifted(known=read.state.loaded_at is not None),
    )
    counts = read.counts
    return RunResult(
        outcome, *message, rows_read=counts["rows_read"], rows_new=counts["rows_new"], rows_changed=counts["rows_changed"],
        rows_deleted=counts["rows_deleted"], rows_rejected=pipeline.rejected,
    )
