"""Submissions to the tenants of the service mall today: how many came online, of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dashboard.clock import day_end, day_start, epoch, local_day
from dashboard.queries.answers import Context, State
from dashboard.queries.freshness import OUT, ages, soonest
from dashboard.store.tables import GRAINS, cell, dimension

if TYPE_CHECKING:
    from config.declarations import Mall

KIND = "request"


@dataclass(frozen=True)
class Online:
    """Requests received today by the tenants' own systems: ``online`` of ``received``. ``share`` in percent, ``None`` where it
    is not to be said (``state``: too few, with ``needed``; stale; no data). ``without``: whose systems are left out.
    """

    state: State = State.NONE
    online: int = 0
    received: int = 0
    share: float | None = None
    needed: int = 0
    without: tuple[str, ...] = ()
    changes_at: int | None = None


def online_of(context: Context, mall: Mall) -> Online:
    """From today's hour cells of the tenants' requests, by channel; a stale source's running day is left out."""
    now, zone, regency = epoch(context.now), context.regency.zone, context.regency
    today = local_day(now, zone)
    statement = (
        select(dimension.c.source, dimension.c.agency, dimension.c.channel, func.sum(cell.c.received))
        .join(dimension, dimension.c.id == cell.c.dim)
        .where(cell.c.grain == GRAINS["hour"], cell.c.period >= day_start(today, zone), cell.c.period < day_end(today, zone),
               dimension.c.kind == KIND, dimension.c.agency.in_(list(mall.tenants)))
        .group_by(dimension.c.source, dimension.c.agency, dimension.c.channel)
    )
    with context.engine.connect() as connection:
        rows = connection.execute(statement).all()
    known = ages(context)
    telling = {
        key for key, source in regency.sources.items()
        if source.feeds == "cases" and source.kind == KIND and source.owner in mall.tenants and known[key].data_until is not None
    } | {row[0] for row in rows if row[0] in known}
    if not telling:
        return Online()
    out = [known[key] for key in sorted(telling) if known[key].state in OUT]
    frozen = len(out) == len(telling)  # what everyone told last stays, marked
    counted = [row for row in rows if row[0] in known and (frozen or known[row[0]].state not in OUT)]
    received = sum(int(row[3]) for row in counted)
    online = sum(int(row[3]) for row in counted if row[2] == "online")
    needed = regency.thresholds.least_cases
    state = State.STALE if frozen else State.TOO_FEW if received < needed else State.PARTIAL if out else State.NORMAL
    share = 100 * online / received if received >= needed else None
    return Online(
        state=state, online=online, received=received, share=share, needed=needed,
        without=tuple(dict.fromkeys(age.short_name for age in out)),
        changes_at=soonest(day_end(today, zone), *(known[key].changes_at for key in telling)),
    )
