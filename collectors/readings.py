"""Values that an agency publishes already aggregated: mapped, checked, stored by their key."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.connector import CONNECTORS, Page, Reading
from collectors.guards import Seen, check_fields, check_rejects, check_total
from collectors.mapping import broken, flattened, line_of, wanted_columns
from collectors.remarks import Remarks
from collectors.stamps import BadStamp, stamp
from collectors.texts import clean
from dashboard.cases import Outcome, Rejected
from dashboard.clock import epoch
from dashboard.derive import coded
from dashboard.metrics import METRICS
from dashboard.store.readings import ReadingKey, ReadingRow, known_readings, store_readings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from collectors.runner import RunResult
    from config.declarations import Source
    from dashboard.store.read import Read

GRAINS = ("instant", "hour", "day", "week", "month", "quarter", "year")


def map_readings(
    source: Source, page: Page, number: int, *, metrics: Collection[str] = METRICS
) -> tuple[list[ReadingRow], list[Rejected]]:
    """One page of readings: (metric, scope, grain, period, agency, value, published_at), and the rows put aside.

    ``metrics``: those that exist, the product's and the declared ones.
    """
    fields = source.fields
    period = stamp("period", fields["period"], source.zone)
    published = stamp("published_at", fields["published_at"], source.zone) if "published_at" in fields else None
    found: list[ReadingRow] = []
    rejected = broken(page, number)
    dotted = tuple(column for column in wanted_columns(source) if "." in column)
    for index, raw_row in enumerate(page.rows):
        row, line = flattened(raw_row, dotted), line_of(page, index)

        def text(name: str, default: str, row: object = row) -> str:
            field = fields.get(name)
            raw = clean(row.get(field.from_)) if field and isinstance(field.from_, str) else None  # type: ignore[attr-defined]
            return coded(field, raw, default)[0]

        try:
            metric, grain = text("metric", ""), text("grain", "instant")
            at = period(row, {})
            raw = row.get(fields["value"].from_) if isinstance(fields["value"].from_, str) else fields["value"].value
            missing = raw is None or str(raw).strip() in fields["value"].missing or not str(raw).strip()
            if metric not in metrics or grain not in GRAINS or at is None:
                raise BadStamp(f"{'metric' if metric not in metrics else 'grain' if grain not in GRAINS else 'period'}: not known")
            value = None if missing else float(str(raw).replace(",", "."))
            if value is not None and not abs(value) < 1e15:
                raise BadStamp("value: out of range")
            told = published(row, {}) if published else None
            found.append(ReadingRow(metric, text("scope", ""), grain, at, text("agency", source.owner), value, told))
        except ValueError as err:
            field, _, reason = str(err).partition(": ")
            known = isinstance(err, BadStamp)
            rejected.append(Rejected(reason if known else "not a number", field if known else "value", number, line, None, {}))
    return found, rejected


def run_readings(
    read: Read, source: Source, reading: Reading, now: Callable[[], datetime], metrics: Collection[str]
) -> RunResult:
    """One run of a source that feeds readings; whole pages are stored as they come, by key."""
    from collectors.runner import RunResult

    rows, published = 0, None
    put_aside, total = 0, None
    seen = Seen()
    remarks = Remarks(source, ())
    last: Rejected | None = None
    for number, page in enumerate(CONNECTORS[source.connector].read(reading), start=1):
        if page.rows and not seen.columns:
            seen = check_fields(source, page, Seen.of(read.state.signature))
        found, rejected = map_readings(source, page, number, metrics=metrics)
        if number == 1:
            check_rejects(source, len(page.rows), rejected)
        store_readings(read, found, rejected)
        remarks.note_page(page)
        last = rejected[-1] if rejected else last
        rows += len(page.rows) + len(page.broken)
        total = page.total if page.total is not None else total
        put_aside += len(rejected)
        stamps = [row.published_at for row in found if row.published_at is not None]
        told = [int(at) for at in (page.published_at, published) if at is not None]
        published = max([*stamps, *told], default=None)
    check_total(source, total, rows)
    until = published if published is not None or "published_at" in source.fields else epoch(read.started)
    outcome = Outcome.EMPTY if not rows else Outcome.PARTIAL if put_aside else Outcome.OK
    message = remarks.message(put_aside, last)
    read.finish(
        outcome=outcome, message=message, now=now(), data_until=until, covered=None, complete=True,
        signature=seen.joined(Seen.of(read.state.signature)).as_dict() if seen.columns else None,
    )
    return RunResult(outcome, *message, rows_read=rows, rows_new=read.counts["rows_new"], rows_changed=read.counts["rows_changed"],
                     rows_rejected=put_aside)


def preview_readings(engine: Engine, source: Source, reading: Reading, metrics: Collection[str]) -> RunResult:
    """Read and map everything, count what would be new and changed, write nothing. Raises ``CollectError``."""
    from collectors.runner import RunResult

    seen: dict[ReadingKey, tuple[str, float | None]] = {}
    rows = put_aside = 0
    for number, page in enumerate(CONNECTORS[source.connector].read(reading), start=1):
        if page.rows and number == 1:
            check_fields(source, page, Seen())
        found, rejected = map_readings(source, page, number, metrics=metrics)
        seen |= {row.key: (row.agency, row.value) for row in found}
        rows += len(page.rows) + len(page.broken)
        put_aside += len(rejected)
    with engine.connect() as connection:
        known = known_readings(connection, source.id)
    return RunResult(
        Outcome.PARTIAL if put_aside else Outcome.OK if rows else Outcome.EMPTY, rows_read=rows, rows_rejected=put_aside,
        rows_new=len(seen.keys() - known.keys()), rows_changed=sum(known.get(key, value) != value for key, value in seen.items()),
    )
