"""Counters of the service mall: open ones as its system publishes them, planned ones as declared, while a tenant is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from config.declarations import Mall
from dashboard.clock import DAY
from dashboard.queries.answers import Context, Level, SourceAge, State
from dashboard.queries.freshness import OUT, ages
from dashboard.store.tables import reading

if TYPE_CHECKING:
    from dashboard.queries.mall import Tenant

METRIC = "counters_open"


@dataclass(frozen=True)
class Counters:
    """``open`` of ``planned`` counters now; ``later``: closed ones of tenants that do not open today. ``open`` is ``None``
    while nobody tells. ``state``: that of the publishing source. ``level``: attention while some that should be open are not.
    """

    state: State = State.NONE
    open: int | None = None
    planned: int = 0
    later: int = 0
    level: Level = Level.NORMAL
    age: SourceAge | None = None
    by_tenant: Mapping[str, int] = field(default_factory=dict)
    changes_at: int | None = None

    def planned_of(self, tenants: Sequence[Tenant]) -> Counters:
        """The same with what is planned for the tenants that are open now."""
        planned = sum(one.planned for one in tenants if one.is_open)
        later = sum(one.planned for one in tenants if not one.is_open and one.opens_on)
        opened = None if self.open is None else sum(one.open or 0 for one in tenants)
        short = opened is not None and self.state not in OUT and opened < planned
        return replace(
            self, open=opened, planned=planned, later=later, level=Level.ATTENTION if short else Level.NORMAL
        )


def counters_of(context: Context, mall: Mall, at: int) -> Counters:
    """The newest number of open counters of each tenant of the last day. A stale source's stays, marked by its state."""
    if mall.counters is None:
        return Counters()
    age = ages(context)[mall.counters]
    statement = select(reading.c.agency, reading.c.scope, reading.c.value).where(
        reading.c.source == mall.counters, reading.c.metric == METRIC, reading.c.grain == "instant",
        reading.c.period > at - DAY, reading.c.period <= at,
    ).order_by(reading.c.period)
    with context.engine.connect() as connection:
        newest = {(agency, scope): int(value) for agency, scope, value in connection.execute(statement) if value is not None}
    found: dict[str, int] = {}
    for (agency, _), value in newest.items():
        found[agency] = found.get(agency, 0) + value
    return Counters(
        state=age.state, open=sum(found.values()) if found else None, age=age, by_tenant=found, changes_at=age.changes_at
    )
