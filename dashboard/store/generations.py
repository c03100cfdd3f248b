"""A new generation of a source's ids: after a restore from a backup (C11) or a migration (C12) an id means another case.

The cases of the old generation stay, counted and untouched, as what has happened. Those that come again are the same cases and
go over with their history: first under the same id with the same submission and codes, then under another id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from dashboard.cases import Case, Codes
from dashboard.store import dialect
from dashboard.store.tables import case

AT_ONCE = 500

_Mark = tuple[int, str | None, str | None, str | None, str | None]
"""What does not change in a case's life: its submission, and the codes of agency, service, channel and district."""


def take_over(connection: Connection, source: str, *, old: int, new: int, cases: Sequence[Case]) -> int:
    """Give the old generation's cases that are among ``cases`` their new number and key; returns how many."""
    given = {item.key: item for item in cases}
    there = {bytes(row[0]) for row in dialect.by_keys(connection, case, ("key",), source, new, given)}
    wanted = {key: _mark(item.submitted_at, item.codes) for key, item in given.items() if key not in there}
    known: dict[tuple[_Mark, bytes], int] = {}
    others: defaultdict[_Mark, list[tuple[int, bytes]]] = defaultdict(list)
    for identity, key, submitted, codes in _old(connection, source, old, {mark[0] for mark in wanted.values()}):
        mark = _mark(submitted, codes)
        if wanted.get(bytes(key)) == mark:
            known[mark, bytes(key)] = identity
        else:
            others[mark].append((identity, bytes(key)))
    moves = []
    for key, mark in wanted.items():
        same = known.get((mark, key))
        if same is None and others[mark]:
            same = others[mark].pop(0)[0]
        if same is not None:
            moves.append((new, key, same))
    dialect.update_many(connection, case, ("generation", "key"), moves)
    return len(moves)


def generations(connection: Connection, source: str) -> list[int]:
    """The generations of a source that have cases, oldest first."""
    return sorted(connection.execute(select(case.c.generation).where(case.c.source == source).distinct()).scalars())


def _old(connection: Connection, source: str, generation: int, stamps: Iterable[int]) -> Iterable[tuple[int, bytes, int, str]]:
    listed = sorted(stamps)
    for start in range(0, len(listed), AT_ONCE):
        statement = select(case.c.id, case.c.key, case.c.submitted_at, case.c.codes).where(
            case.c.source == source, case.c.submitted_at.in_(listed[start : start + AT_ONCE]),
            case.c.generation == generation, case.c.deleted_at.is_(None),
        ).order_by(case.c.id)
        for row in connection.execute(statement):
            yield tuple(row)


def _mark(submitted: int, codes: str) -> _Mark:
    found = Codes.loads(codes)
    return submitted, found.agency, found.service, found.channel, found.district
