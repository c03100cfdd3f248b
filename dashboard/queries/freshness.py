"""How fresh each source is: late, stale, silent, offline, loading or none, and when the clock alone would change that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from config.declarations import Source
from dashboard.clock import epoch
from dashboard.queries.answers import Context, Limits, SourceAge, Sources, State, question
from dashboard.queries.volumes import kept, versions_of
from dashboard.store.state import SourceState, states
from dashboard.store.tables import run
from dashboard.worktime import calendar_of

if TYPE_CHECKING:
    from config.declarations import Regency

LATE_RHYTHMS = 1.5
GAPS_NEEDED = 20
QUIET_TIMES = 3
"""Silent is judged by three times the longest but one of the known gaps, unless ``quiet_after`` is declared: one night or one
outage does not stretch it. Never sooner than ``stale_after``, for a burst of small gaps says little about a quiet hour."""

OUT = (State.STALE, State.OFFLINE)


def source_age(regency: Regency, source: Source, state: SourceState | None, now: int) -> SourceAge:
    """The freshness of one source at an instant (epoch seconds), from its state alone (design §4, Freshness)."""
    owner = regency.agencies.get(source.owner)
    limit = int(source.stale_after.total_seconds())
    common = {
        "source": source.id, "owner": source.owner, "short_name": owner.short_name if owner else source.owner,
        "limit_seconds": limit,
    }
    if state is None or state.outcome is None:
        return SourceAge(state=State.NONE, **common)  # type: ignore[arg-type]
    common |= {"outcome": state.outcome, "message_id": state.message_id, "message_en": state.message_en}
    common["zone_doubted"] = bool(state.signature.get("zone"))
    if state.data_until is None or state.loaded_at is None:
        begun, since = (State.LOADING, state.since) if state.offline_since is None else (State.OFFLINE, state.offline_since)
        return SourceAge(state=begun, since=since, **common)  # type: ignore[arg-type]
    late_at = (state.last_good_at or state.data_until) + int(LATE_RHYTHMS * source.every.total_seconds())
    stale_at = _after(regency, source, state.data_until, limit)
    quiet_at = _quiet_at(regency, source, state)
    common |= {"data_until": state.data_until, "late_at": late_at, "stale_at": min(stale_at, quiet_at or stale_at)}
    if state.offline_since is not None:
        return SourceAge(state=State.OFFLINE, since=state.offline_since, **common)  # type: ignore[arg-type]
    if now > stale_at:
        return SourceAge(state=State.STALE, why="stale", since=stale_at, **common)  # type: ignore[arg-type]
    if quiet_at is not None and now > quiet_at:
        return SourceAge(state=State.STALE, why="silent", since=quiet_at, changes_at=stale_at + 1, **common)  # type: ignore[arg-type]
    nexts = [at + 1 for at in (stale_at, quiet_at) if at is not None]
    if now > late_at:
        return SourceAge(state=State.LATE, since=late_at, changes_at=min(nexts), **common)  # type: ignore[arg-type]
    return SourceAge(state=State.NORMAL, changes_at=min([*nexts, late_at + 1]), **common)  # type: ignore[arg-type]


def _after(regency: Regency, source: Source, start: int, seconds: int) -> int:
    """``seconds`` after an instant, on the wall clock or on the owner's service hours."""
    if source.stale_clock == "wall":
        return start + seconds
    return calendar_of(regency, source.owner).add_worked(start, seconds)


def _quiet_at(regency: Regency, source: Source, state: SourceState) -> int | None:
    """When the source counts as silent if nothing new comes; ``None`` while that cannot be judged."""
    if state.last_new_at is None:
        return None
    if source.quiet_after is not None:
        seconds = source.quiet_after.total_seconds()
    elif len(state.gaps) >= GAPS_NEEDED:
        seconds = max(QUIET_TIMES * sorted(state.gaps)[-2], source.stale_after.total_seconds())
    else:
        return None
    return calendar_of(regency, source.owner).add_worked(state.last_new_at, int(seconds))


def ages(context: Context) -> dict[str, SourceAge]:
    """Every declared source's age, in declared order. One whose first run is under way is loading."""
    version = versions_of(context)
    return kept(context, "ages", (version, epoch(context.now)), lambda: _ages(context))


def _ages(context: Context) -> dict[str, SourceAge]:
    now, declared = epoch(context.now), context.regency.sources
    with context.engine.connect() as connection:
        known = states(connection)
        unheard = [key for key in declared if key not in known]
        begun = set(connection.execute(
            select(run.c.source).where(run.c.source.in_(unheard), run.c.ended_at.is_(None))
        ).scalars()) if unheard else set()
    found = {key: source_age(context.regency, source, known.get(key), now) for key, source in declared.items()}
    return found | {key: replace(found[key], state=State.LOADING) for key in begun}


def soonest(*instants: int | None) -> int | None:
    """The earliest of those that are there."""
    return min((at for at in instants if at is not None), default=None)


@question(reads={"state"})
def sources(context: Context) -> Sources:
    """Which sources are connected, and how fresh is each?"""
    found = tuple(ages(context).values())
    return Sources(
        as_of=epoch(context.now), sources=found, changes_at=soonest(*(age.changes_at for age in found)),
        limits=Limits(late=soonest(*(age.late_at for age in found if age.state is State.NORMAL))),
    )
