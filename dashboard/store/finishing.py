"""How a run ends: the run's row, the source's state, what the run vouches for (coverage)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from dashboard.cases import Outcome
from dashboard.clock import day_end, day_start, epoch, local_day
from dashboard.store import dialect
from dashboard.store.state import SourceState
from dashboard.store.tables import covered, run, source_state

if TYPE_CHECKING:
    from config.declarations import Source

OFFLINE_AFTER_FAILURES = 3
BACK_AFTER_GOODS = 2
KEPT_DURATIONS = 20
KEPT_GAPS = 40


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Everything that the end of a run says. ``message``: (English, Indonesian)."""

    source: Source
    state: SourceState
    run_id: int
    counts: dict[str, int]
    outcome: Outcome
    now: datetime
    started: datetime
    zone: ZoneInfo
    cursor: Any = None
    data_until: int | None = None
    covered: tuple[int, int] | None = None
    complete: bool = False
    message: tuple[str, str] = ("", "")
    signature: dict[str, Any] | None = None
    reconciled: bool = False
    gap_seconds: float | None = None
    step: str | None = None


def finish_state(connection: Connection, end: Finish) -> None:
    """Write the run's end, the source's new state and the coverage, in the caller's transaction."""
    at = epoch(end.now)
    connection.execute(update(run).where(run.c.id == end.run_id).values(
        ended_at=end.now.timestamp(), outcome=end.outcome.value, step=end.step, message_en=end.message[0],
        message_id=end.message[1], **end.counts,
    ))
    before = end.state
    values: dict[str, Any] = {
        "source": end.source.id, "last_run_at": at, "outcome": end.outcome.value,
        "since": before.since if before.outcome == end.outcome.value else at,
        "message_en": end.message[0], "message_id": end.message[1],
        "durations": json.dumps([*before.durations, round((end.now - end.started).total_seconds(), 3)][-KEPT_DURATIONS:]),
        **_rows(end, at), **_health(end, at),
    }
    dialect.upsert(connection, source_state, ("source",), values)
    if end.outcome.good and end.covered is not None:
        cover(connection, end.source.id, end.run_id, end.covered, end.zone)


def _rows(end: Finish, at: int) -> dict[str, Any]:
    """Cursor, data_until, gaps: only a good run moves them."""
    before = end.state
    if not end.outcome.good:
        return {}
    values: dict[str, Any] = {"last_good_at": at}
    if end.data_until is not None:  # never backwards, unless our own clock was wrong when it was written (D4)
        known = before.data_until if before.data_until is not None and before.data_until <= at else end.data_until
        values["data_until"] = max(end.data_until, known)
    if end.complete:
        values |= {"last_complete_at": epoch(end.started), "position": None}
        values["loaded_at"] = before.loaded_at or at
        if end.cursor is not None:
            values["cursor"] = json.dumps(end.cursor)
    if end.reconciled:
        values["last_reconcile_at"] = epoch(end.started)
    if end.signature is not None:
        values["signature"] = json.dumps(end.signature)
    if end.counts["rows_new"] or end.counts["rows_changed"] or end.counts["rows_deleted"]:
        values["last_new_at"] = at
        if before.last_new_at is not None and before.loaded_at is not None:
            gap = end.gap_seconds if end.gap_seconds is not None else float(at - before.last_new_at)
            values["gaps"] = json.dumps([*before.gaps, gap][-KEPT_GAPS:])
    return values


def _health(end: Finish, at: int) -> dict[str, Any]:
    """Failures and goods in a row; offline after three failures past the limit, back after two goods. Held is neither."""
    before = end.state
    if end.outcome is Outcome.HELD:
        return {}
    if end.outcome.good:
        goods = before.goods_in_row + 1
        back = before.offline_since is not None and goods >= BACK_AFTER_GOODS
        return {"failures_in_row": 0, "goods_in_row": goods, "offline_since": None if back else before.offline_since}
    failures = before.failures_in_row + 1
    past_limit = before.data_until is None or at - before.data_until > end.source.stale_after.total_seconds()
    offline = before.offline_since
    if offline is None and failures >= OFFLINE_AFTER_FAILURES and past_limit:
        offline = at
    return {"failures_in_row": failures, "goods_in_row": 0, "offline_since": offline}


def cover(connection: Connection, source: str, run_id: int, span: tuple[int, int], zone: ZoneInfo) -> None:
    """Vouch for a span: one row per local day, joined with what is covered already.

    A day is complete once its cover reaches from its start to its end without a gap.
    """
    start, end = span
    if end <= start:
        return
    day, last = local_day(start, zone), local_day(end - 1, zone)
    first_start, last_start = day_start(day, zone), day_start(last, zone)
    known = {
        row.day: row for row in connection.execute(
            select(covered).where(covered.c.source == source, covered.c.day >= first_start, covered.c.day <= last_start)
        )
    }
    rows = []
    while day <= last:
        begins, ends = day_start(day, zone), day_end(day, zone)
        low, high = max(start, begins), min(end, ends)
        before = known.get(begins)
        if before is not None:
            if low <= before.to_at and high >= before.from_at:
                low, high = min(low, before.from_at), max(high, before.to_at)
            elif before.to_at - before.from_at >= high - low:  # a gap between: keep the longer cover
                low, high = before.from_at, before.to_at
            if before.complete or (low, high) == (before.from_at, before.to_at):
                day += timedelta(days=1)
                continue
        rows.append((source, begins, low, high, low <= begins and high >= ends, run_id))
        day += timedelta(days=1)
    columns = ("source", "day", "from_at", "to_at", "complete", "run")
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in columns[2:])
    dialect.insert_many(connection, covered, columns, rows, f'ON CONFLICT ("source", "day") DO UPDATE SET {sets}')
