"""Held reads: what a guard keeps back, since when, and what somebody decided about it.

A hold lasts until a read of its source is good. A decision stays with it until then, so that a read that is killed or fails
on its way is taken up again under the same decision.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from dashboard.clock import epoch
from dashboard.errors import ProductError
from dashboard.store.dialect import upsert
from dashboard.store.tables import hold

ACCEPT, NEW_GENERATION, REJECT = "accept", "new generation", "reject"
DECISIONS = (ACCEPT, NEW_GENERATION, REJECT)
FIELDS = "fields"
"""The guard of the mapped fields; the others (count, ids, identity) compare cases."""


@dataclass(frozen=True)
class Hold:
    """One held source. ``counts``: what the guard counted; ``since``, ``decided_at``: epoch seconds.

    ``decision``: accept, new generation, reject or ``None``; ``generation``: the number of the one that is to begin.
    """

    source: str
    guard: str
    since: int
    run: int
    counts: dict[str, int]
    message_en: str
    message_id: str
    decision: str | None = None
    generation: int | None = None
    decided_at: int | None = None
    who: str | None = None
    why: str | None = None

    @property
    def released(self) -> bool:
        """Whether the next read is to pass the guards."""
        return self.decision in (ACCEPT, NEW_GENERATION)

    @property
    def accepts_missing(self) -> bool:
        """Whether what is missing in the next read is gone by decision."""
        return self.decision == ACCEPT and self.guard != FIELDS


def _hold(row: Any) -> Hold:
    return Hold(**{**row._mapping, "counts": json.loads(row.counts)})


def holds(connection: Connection) -> list[Hold]:
    """All held sources, the longest held first."""
    return [_hold(row) for row in connection.execute(select(hold).order_by(hold.c.since, hold.c.source))]


def hold_of(connection: Connection, source: str) -> Hold | None:
    """A source's hold, if it is held."""
    row = connection.execute(select(hold).where(hold.c.source == source)).first()
    return _hold(row) if row else None


def keep_back(
    connection: Connection, source: str, *, guard: str, counts: dict[str, int], message: tuple[str, str], run: int, at: int
) -> None:
    """Note that a read was held. The same guard again: since when, and a rejection, stay. ``message``: (English, Indonesian)."""
    before = hold_of(connection, source)
    same = before is not None and before.guard == guard
    values: dict[str, Any] = {
        "source": source, "guard": guard, "run": run, "counts": json.dumps(counts), "message_en": message[0],
        "message_id": message[1], "since": before.since if before is not None and same else at,
    }
    if not same:
        values |= dict.fromkeys(("decision", "generation", "decided_at", "who", "why"))
    upsert(connection, hold, ("source",), values)


def decide(connection: Connection, source: str, decision: str, *, generation: int, who: str, why: str, now: datetime) -> Hold:
    """Write a decision to a hold; ``generation``: the source's present one. Raises ``ProductError`` when nothing is held.

    A new generation is for other ids or other cases under known ones: renamed fields or a fallen count begin none.
    """
    found = hold_of(connection, source)
    if found is None:
        raise ProductError(
            f"{source}: nothing is held; see command-center holds", f"{source}: tidak ada yang ditahan; lihat command-center holds"
        )
    if decision == NEW_GENERATION and found.guard not in ("ids", "identity"):
        raise ProductError(
            f"{source}: the {found.guard} guard holds it; a new generation is for ids that changed. Release without it, or reject",
            f"{source}: ditahan penjaga {found.guard}; generasi baru hanya untuk id yang berubah. Lepaskan tanpanya, atau tolak",
        )
    begun = generation + 1 if decision == NEW_GENERATION else None
    connection.execute(update(hold).where(hold.c.source == source).values(
        decision=decision, generation=begun, decided_at=epoch(now), who=who, why=why
    ))
    return found


def let_go(connection: Connection, source: str) -> None:
    """A good read ends the hold."""
    connection.execute(delete(hold).where(hold.c.source == source))
