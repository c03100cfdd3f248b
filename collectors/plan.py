"""What a run reads: all or what changed, over which span it may miss cases, what it vouches for afterwards (design §4, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.declarations import FieldMap
from dashboard.clock import day_start, epoch
from dashboard.store.state import SourceState

if TYPE_CHECKING:
    from config.declarations import Source

CLOCK_SKEW_SECONDS = 300


@dataclass(frozen=True)
class Plan:
    """One run's reading. ``span``: submissions that it sees whole; ``guarded``: compare before storing."""

    mode: str
    since: float | None
    since_kind: str
    span: tuple[int | None, int | None] | None
    guarded: bool
    full: bool
    previous: int | None
    before: float | None = None

    @property
    def whole_from(self) -> float | None:
        """Cases submitted from here on are whole in this read; ``None``: all are. An incremental read vouches for none."""
        if self.full:
            return None
        return self.since if self.mode == "window" else float("inf")

    def cursor(self, source: Source, updated: int | None, started: int) -> float:
        """Where the next incremental read goes on: the newest change the source told, never beyond our own clock (C13).

        A source that tells its changes but brought none leaves the cursor where it was: it may be a copy that lags (E8).
        """
        if updated is not None:
            return max(min(updated, started + CLOCK_SKEW_SECONDS), self.before or 0)
        return self.before if self.before is not None and "updated_at" in source.fields else started

    def covered(
        self, source: Source, zone: ZoneInfo, earliest: int | None, until: int | None, started: int
    ) -> tuple[int, int] | None:
        """The span that a good run vouches for: (from, until), or ``None`` for nothing."""
        if self.full:
            start = day_start(source.covers_from, zone) if source.covers_from else earliest
            return None if start is None or until is None else (start, max(until, start))
        if self.mode == "window" and self.since is not None:
            return (int(self.since), until or started)
        return None if self.previous is None else (self.previous, started)


def declared_whole(source: Source) -> Source:
    """The source with its connector's ``updated_at`` as the field of that name, where the mapping has none."""
    column = source.options.get("updated_at")
    if not isinstance(column, str) or "updated_at" in source.fields or source.feeds != "cases":
        return source
    return source.model_copy(update={"fields": {**source.fields, "updated_at": FieldMap.model_validate({"from": column})}})


def plan(
    source: Source, state: SourceState, started: datetime, *, since: datetime | None, reconcile: bool
) -> Plan:
    """The plan of a run. The first read, and the reconcile of an incremental or window source, read everything.

    ``since`` reads again from an instant (never from later than the run would anyway), without guards and tombstones.
    """
    at = epoch(started)
    mode = source.reading_mode
    known = state.loaded_at is not None
    due = state.last_reconcile_at is None or at - state.last_reconcile_at >= source.reconcile.total_seconds()
    before = (state.cursor or {}).get("since")
    again = since.timestamp() if since is not None else float("inf")
    if not known or reconcile or (since is None and (mode == "snapshot" or due)):
        return Plan(mode, None, "changed", (None, None), known, True, state.last_complete_at, before)
    if mode == "window":
        start = at - source.late_rows.total_seconds()
        span = (int(start), None) if since is None else None
        return Plan(mode, min(start, again), "submitted", span, since is None, False, state.last_complete_at, before)
    cursor = before if before is not None else float(state.last_complete_at or 0)
    asked = min(max(0.0, cursor - source.overlap.total_seconds()), again)
    return Plan(mode, asked, "changed", None, False, False, state.last_complete_at, before)
