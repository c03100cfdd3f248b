"""Complaints closed in the last 30 days: by follow-up and, apart from it, by silence.

A report is closed by itself ten working days after the agency's follow-up if nobody replies (SP4N-LAPOR): "closed" alone
would count silence as an answer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import func, select

from dashboard.clock import day_end, day_start, epoch, local_day
from dashboard.queries.answers import Context, Figure, Limits, State, question
from dashboard.queries.complaints import KIND, complaint_sources
from dashboard.queries.freshness import OUT, soonest
from dashboard.queries.totals import figure, known_of
from dashboard.queries.volumes import covered_days, kept, settled, settles_at, versions_of
from dashboard.store.tables import case, dimension

DAYS = 30
ANSWERS_EVERY_SECONDS = 10.0
FOLLOWED, SILENT = "follow-up", "silence"
Counts = Counter[tuple[str, str]]
"""(source, how it was closed or "") → complaints."""


@dataclass(frozen=True)
class Closed:
    """Completed complaints of the last ``days`` local days, today among them. ``untold``: closed, and nobody says how.

    ``covered``: how many of the days before today every source that counts covers completely; fewer than all make the
    figure partial.
    """

    as_of: int
    figure: Figure
    followed: int
    silent: int
    untold: int
    covered: int
    days: int = DAYS
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


def _closed(context: Context, start: int, end: int) -> Counts:
    """Complaints completed in [start, end), from the index of ended cases."""
    statement = select(dimension.c.source, case.c.closed_by, func.count()).join(dimension, dimension.c.id == case.c.dim).where(
        case.c.ended_at >= start, case.c.ended_at < end, case.c.ended_as == "completed", case.c.deleted_at.is_(None),
        dimension.c.kind == KIND,
    ).group_by(dimension.c.source, case.c.closed_by)
    with context.engine.connect() as connection:
        return Counter({(row[0], row[1] or ""): int(row[2]) for row in connection.execute(statement)})


@question(reads={"cases", "history", "state"}, at_most_every=ANSWERS_EVERY_SECONDS)
def complaints_closed(context: Context) -> Closed:
    """How many complaints were closed in the last 30 days, by follow-up and by silence?"""
    now, version, zone = epoch(context.now), versions_of(context), context.regency.zone
    today = local_day(now, zone)
    first, midnight = day_start(today - timedelta(days=DAYS - 1), zone), day_start(today, zone)
    before = kept(context, ("closed", first), settled(context, version), lambda: _closed(context, first, midnight))
    counts = before + _closed(context, midnight, now + 1)
    found = complaint_sources(context)
    volume = dict.fromkeys((age.source for age in found), 0.0)
    for (source, _), count in counts.items():
        volume[source] = volume.get(source, 0.0) + count
    known = known_of(found, volume)
    one = figure(
        context, "completed", known, lambda sources: float(sum(volume.get(key, 0.0) for key in sources)), lambda sources: None
    )
    over = known.everyone if one.state in OUT else known.counted
    days = [today - timedelta(days=number) for number in range(1, DAYS)]
    by_source = covered_days(context, list(over), days, version) if over else {}
    covered = min((len(found_days) for found_days in by_source.values()), default=0)
    state = State.PARTIAL if one.state in (State.NORMAL, State.LATE) and covered < len(days) else one.state

    def closed(how: str) -> int:
        return sum(counts[source, how] for source in over)

    followed, silent = closed(FOLLOWED), closed(SILENT)
    return Closed(
        as_of=now, figure=replace(one, state=state), followed=followed, silent=silent,
        untold=int(one.value or 0) - followed - silent, covered=covered,
        changes_at=soonest(day_end(today, zone), settles_at(context, version), *(age.changes_at for age in found)),
        limits=one.limits,
    )
