"""What a run reads: all or what changed, over which span it may miss cases, what it vouches for afterwards (design §4, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.declarations import FieldMap
from dashboard.clock import day_start, epoch
from dashboard.store.holds import FIELDS
from dashboard.store.state import SourceState

if TYPE_CHECKING:
    from config.declarations import Source
    from dashboard.store.holds import Hold

CLOCK_SKEW_SECONDS = 300


@dataclass(frozen=True)
class Plan:
    """One run's reading. ``span``: submissions that it sees whole; ``guarded``: compare with what is known before storing.

    ``released``: somebody decided that this read is right; ``generation``: the one that it begins or goes on with.
    ``earliest``: the earliest submission of the part of this read that is stored already (an ordered one that broke off).
    """

    mode: str
    since: float | None
    since_kind: str
    span: tuple[int | None, int | None] | None
    guarded: bool
    full: bool
    previous: int | None
    before: float | None = None
    released: bool = False
    generation: int | None = None
    earliest: int | None = None

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
    source: Source, state: SourceState, started: datetime, *, since: datetime | None, reconcile: bool, hold: Hold | None = None,
) -> Plan:
    """The plan of a run. The first read, and the reconcile of an incremental or window source, read everything.

    ``since`` reads again from an instant (never from later than the run would anyway), without guards and tombstones.
    ``hold``: what keeps the source back; a released one is read without guards, whole where cases were compared.
    """
    at = epoch(started)
    mode = source.reading_mode
    known = state.loaded_at is not None
    due = state.last_reconcile_at is None or at - state.last_reconcile_at >= source.reconcile.total_seconds()
    before = (state.cursor or {}).get("since")
    again = since.timestamp() if since is not None else float("inf")
    released = hold is not None and hold.released
    whole = hold is not None and released and hold.guard != FIELDS
    if not known or reconcile or whole or (since is None and (mode == "snapshot" or due)):
        broke_off = None if known else _broke_off(source, state)
        return Plan(
            mode, None if broke_off is None else broke_off[0], "changed", (None, None), known and not released, True,
            state.last_complete_at, before, released, hold.generation if hold is not None else None,
            None if broke_off is None else broke_off[1],
        )
    if mode == "window":
        start = at - source.late_rows.total_seconds()
        span = (int(start), None) if since is None else None
        guarded = since is None and not released
        return Plan(mode, min(start, again), "submitted", span, guarded, False, state.last_complete_at, before, released)
    cursor = min(before if before is not None else float(state.last_complete_at or 0), at + CLOCK_SKEW_SECONDS)
    asked = min(max(0.0, cursor - source.overlap.total_seconds()), again)
    guarded = since is None and not released
    return Plan(mode, asked, "changed", None, guarded, False, state.last_complete_at, before, released)


def _broke_off(source: Source, state: SourceState) -> tuple[float, int | None] | None:
    """Where a first read goes on that was killed or cut off: (since, earliest submission so far), or ``None`` for anew.

    Only of a source that delivers in order of change and can be asked for changes: page numbers shift while nobody looks.
    """
    position = state.position if isinstance(state.position, dict) else {}
    updated = position.get("updated")
    if not source.ordered or source.reading_mode != "incremental" or not isinstance(updated, int):
        return None
    return max(0.0, updated - source.overlap.total_seconds()), position.get("earliest")
