"""A source tried without a trace: one page of it (``check --probe``), or all of it against what is stored (``--dry-run``).

Nothing is written but the source's key. What is told are counts and reasons, never a row's content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.asking import reading_of
from collectors.connector import CONNECTORS
from collectors.guards import Seen, check_cases, check_fields
from collectors.keys import key_of
from collectors.mapping import Mapping
from collectors.pipeline import Pipeline
from collectors.plan import declared_whole, plan
from collectors.readings import map_readings, preview_readings
from collectors.runner import RunResult
from collectors.spool import Spool
from dashboard import clock
from dashboard.cases import Outcome, Rejected, Sighting
from dashboard.clock import epoch
from dashboard.derive import Deriver
from dashboard.errors import CollectError, ProductError, SourceUnavailable
from dashboard.metrics import metrics_of
from dashboard.store.preview import Preview
from dashboard.store.sightings import stored_sightings
from dashboard.store.staging import Verdict

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency, Source
    from config.settings import Settings

MOST_REASONS = 5


def reasons(rejected: Iterable[Rejected]) -> str:
    """Why rows were put aside, the most frequent first: "12 x submitted_at: is missing; …"."""
    counted = Counter(f"{item.field}: {item.reason}" if item.field else item.reason for item in rejected)
    told = [f"{count} x {reason}" for reason, count in counted.most_common(MOST_REASONS)]
    return "; ".join([*told, "…"] if len(counted) > MOST_REASONS else told)


def look(
    engine: Engine, regency: Regency, source: Source, settings: Settings, since: datetime | None, now: Callable[[], datetime]
) -> RunResult:
    """Read and map everything; count what is new, changed, gone and put aside by reason; say whether a guard would hold it."""
    if source.feeds == "readings":
        try:
            reading = reading_of(source, settings, since=None, since_kind="changed", now=now)
            return preview_readings(engine, source, reading, metrics_of(regency))
        except ProductError as err:
            return _failed(source, err)
    preview = Preview(engine, source.id)
    what = plan(source, preview.state, now(), since=since, reconcile=False)

    def stored(keys: Sequence[bytes]) -> dict[bytes, Sighting]:
        with engine.connect() as connection:
            return stored_sightings(connection, source.id, preview.state.generation, keys)

    deriver = Deriver(regency, source)
    aside: list[Rejected] = []
    try:
        reading = reading_of(source, settings, since=what.since, since_kind=what.since_kind, now=now)
        mapping = Mapping(source, key_of(settings.data, source.id), now)
        pipeline = Pipeline(source, preview.state, mapping, stored, what, zone=regency.zone, started=epoch(now()))
        with Spool(settings.data / "spool") as events:
            for sightings, rejected in pipeline.parts(CONNECTORS[source.connector].read(reading), events):
                preview.look([deriver.derive(item) for item in sightings])
                preview.saw([item.key for item in rejected if item.key is not None])
                aside += rejected
        known, gone = preview.missing(what.span) if what.span is not None else (0, 0)
        if what.guarded:
            check_cases(source, Verdict(known, gone, preview.new, preview.seen))
    except ProductError as err:
        return _failed(source, err)
    told = reasons(aside)
    return RunResult(
        Outcome.PARTIAL if aside else Outcome.OK if pipeline.rows else Outcome.EMPTY,
        f"{source.id}: map: put aside: {told}; mend them at the source or in the mapping" if told else "",
        f"{source.id}: map: disisihkan: {told}; perbaiki di sumber atau di pemetaan" if told else "",
        rows_read=pipeline.rows, rows_new=preview.new, rows_changed=preview.changed, rows_deleted=gone, rows_rejected=len(aside),
    )


def probe(regency: Regency, source_id: str, *, settings: Settings, rows: int = 20) -> RunResult:
    """Read one page, map some rows: whether the declaration works, and where it does not."""
    source = declared_whole(regency.sources[source_id])
    try:
        reading = reading_of(source, settings, since=None, since_kind="changed")
        page = next(iter(CONNECTORS[source.connector].read(reading)), None)
        if page is None:
            raise SourceUnavailable(
                "no page came; does the address or folder hold anything?",
                "tidak ada halaman yang datang; apakah alamat atau foldernya berisi?",
            )
        few = replace(page, rows=page.rows[:rows], lines=page.lines[:rows] if page.lines else None)
        if few.rows:
            check_fields(source, few, Seen())
        if source.feeds == "readings":
            values, aside = map_readings(source, few, 1, metrics=metrics_of(regency))
            mapped = len(values)
        else:
            found = Mapping(source, key_of(settings.data, source.id), clock.now).page(few, 1)
            mapped, aside = len(found.sightings), found.rejected
    except ProductError as err:
        return _failed(source, err)
    told = reasons(aside)
    return RunResult(
        Outcome.PARTIAL if aside else Outcome.OK if few.rows else Outcome.EMPTY,
        f"{mapped} of {len(few.rows)} rows mapped" + (f"; put aside: {told}" if told else ""),
        f"{mapped} dari {len(few.rows)} baris terpetakan" + (f"; disisihkan: {told}" if told else ""),
        rows_read=len(few.rows), rows_rejected=len(aside),
    )


def _failed(source: Source, err: ProductError) -> RunResult:
    """As a run would say it: the source, the step, the cause and what to do."""
    step = err.step if isinstance(err, CollectError) else "prepare"
    outcome = Outcome(err.outcome) if isinstance(err, CollectError) else Outcome.FAILED
    return RunResult(outcome, f"{source.id}: {step}: {err.en}", f"{source.id}: {step}: {err.id}")
