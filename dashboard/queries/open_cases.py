"""Open cases by (source, agency, kind): how many, how many past due, and when the next one will be.

What a source's commit did not touch is not read again: its numbers stand until it changes or its next case is due.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy import case as sql_case

from dashboard.clock import epoch
from dashboard.queries.answers import Context
from dashboard.queries.freshness import soonest
from dashboard.queries.volumes import Part, Versions, feeding, kept
from dashboard.store.changes import changes_after
from dashboard.store.tables import case, dimension

MOVES = frozenset({"cases", "history", "declarations"})
"""Changes after which open cases may be others."""
ONE_BY_ONE = 3
"""With more sources to read than so many, one read of all of them costs less."""


@dataclass(frozen=True)
class Open:
    """Open cases of one part at an instant: how many, how many past due, and when the next one will be."""

    count: int
    overdue: int
    next_due: int | None


Parts = dict[Part, Open]


@dataclass
class _Known:
    """What was read of a store: up to which change, which change moved each source last, and each source's numbers with that
    change and the instants (from, until) between which they hold."""

    seq: int = -1
    everything: int = -1
    moved: dict[str, int] = field(default_factory=dict)
    parts: dict[str, tuple[int, int, int | None, Parts]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def hear(self, context: Context, seq: int) -> None:
        """Take note of the changes up to ``seq``; where their numbers do not follow on, everything may have moved."""
        if seq == self.seq:
            return
        found = []
        if 0 <= self.seq < seq:
            with context.engine.connect() as connection:
                found = [one for one in changes_after(connection, self.seq) if one.seq <= seq]
        if len(found) != seq - self.seq or self.seq < 0:  # a first look, a gap, or a store that was put back
            self.moved, self.parts, self.everything = {}, {}, seq
        for change in found:
            if change.what & MOVES:
                if change.source:
                    self.moved[change.source] = change.seq
                else:
                    self.everything = change.seq
        self.seq = seq

    def version(self, source: str) -> int:
        """The last change that may have moved a source's cases."""
        return max(self.everything, self.moved.get(source, -1))

    def holds(self, source: str, instant: int) -> Parts | None:
        """A source's numbers, if they still hold."""
        found = self.parts.get(source)
        if found is None or found[0] != self.version(source) or instant < found[1]:
            return None
        return found[3] if found[2] is None or instant <= found[2] else None


_KNOWN: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()
_LOCK = Lock()


def open_by_part(context: Context, version: Versions, at: int | None = None) -> Parts:
    """Open cases by (source, agency, kind) of declared sources; ``at``: as due at an earlier instant, of those still open in
    this minute."""
    now = epoch(context.now)
    if at is not None:
        return kept(context, ("open", at), now // 60, lambda: _read(context, at))
    with _LOCK:
        known = _KNOWN.setdefault(context.engine, _Known())
    sources = sorted({source for source, _, _ in feeding(context)})
    with known.lock:
        known.hear(context, version.seq)
        missing = [source for source in sources if known.holds(source, now) is None]
        read = _read(context, now, missing if len(missing) <= ONE_BY_ONE else None) if missing else {}
        for source in missing:
            own = {part: one for part, one in read.items() if part[0] == source}
            until = soonest(*(one.next_due for one in own.values()))
            known.parts[source] = known.version(source), now, until, own
        return {part: one for source in sources for part, one in known.parts[source][3].items()}


def _read(context: Context, instant: int, sources: Collection[str] | None = None) -> Parts:
    """Read from the index of the open cases. The due time is judged inside the sums: as a condition it would lead SQLite to the
    index of all due cases, and past the one that covers this question."""
    overdue = func.sum(sql_case((case.c.due_at < instant, 1), else_=0))
    following = func.min(sql_case((case.c.due_at >= instant, case.c.due_at), else_=None))
    names = (dimension.c.source, dimension.c.agency, dimension.c.kind)
    statement = (
        select(*names, func.count(), overdue, following).join(dimension, dimension.c.id == case.c.dim)
        .where(case.c.ended_as.is_(None), case.c.deleted_at.is_(None)).group_by(*names)
    )
    if sources is not None:  # by their dimensions, which the index holds
        own = select(dimension.c.id).where(dimension.c.source.in_(sources))
        statement = statement.where(case.c.dim.in_(own))
    with context.engine.connect() as connection:
        return {(row[0], row[1], row[2]): Open(int(row[3]), int(row[4]), row[5]) for row in connection.execute(statement)}


def next_due(parts: Mapping[Part, Open], kinds: Collection[str]) -> int | None:
    """The next instant at which one more case of these kinds is past due."""
    due = soonest(*(one.next_due for part, one in parts.items() if part[2] in kinds))
    return None if due is None else due + 1
