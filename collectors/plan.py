"""What a run reads: all or what changed, over which span it may miss cases, what it vouches for afterwards (design §4, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

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

    def cursor(self, updated: int | None, started: int) -> int:
        """Where the next incremental read goes on: the newest change the source told, never beyond our own clock."""
        return started if updated is None else min(updated, started + CLOCK_SKEW_SECONDS)

    def covered(
        self, source: Source, zone: ZoneInfo, earliest: int | None, until: int | None, started: int
    ) -> tuple[int, int] | None:
        """The span that a good run vouches for: (from, until), or ``None`` for nothing."""
        if self.full or self.mode == "snapshot":
            start = day_start(source.covers_from, zone) if source.covers_from else earliest
            return None if start is None or until is None else (start, max(until, start))
        if self.mode == "window" and self.since is not None:
            return (int(self.since), until or started)
        return None if self.previous is None else (self.previous, started)


def plan(
    source: Source, state: SourceState, started: datetime, *, since: datetime | None, reconcile: bool
) -> Plan:
    """The plan of a run. The first read, and the reconcile of an incremental or window source, read everything."""
    at = epoch(started)
    mode = source.reading_mode
    known = state.loaded_at is not None
    if since is not None:
        return Plan(mode, since.timestamp(), "submitted" if mode == "window" else "changed", None, False, False, state.last_complete_at)
    due = state.last_reconcile_at is None or at - state.last_reconcile_at >= source.reconcile.total_seconds()
    if mode == "snapshot" or not known or reconcile or due:
        return Plan(mode, None, "changed", (None, None), known, True, state.last_complete_at)
    if mode == "window":
        start = at - source.late_rows.total_seconds()
        return Plan(mode, start, "submitted", (int(start), None), True, False, state.last_complete_at)
    cursor = (state.cursor or {}).get("since", state.last_complete_at or 0)
    return Plan(mode, max(0.0, cursor - source.overlap.total_seconds()), "changed", None, False, False, state.last_complete_at)
