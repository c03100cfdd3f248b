"""What a read would change, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, select

from dashboard.cases import Case
from dashboard.store import dialect
from dashboard.store.read import AT, DERIVED, STORED
from dashboard.store.staging import PAGE
from dashboard.store.state import state_of
from dashboard.store.tables import case, dimension


class Preview:
    """Counts cases that are new, that differ from what is stored, and that are stored and not in the read."""

    def __init__(self, engine: Engine, source: str) -> None:
        self.engine, self.source = engine, source
        self.new = self.changed = 0
        self._keys: set[bytes] = set()
        with engine.connect() as connection:
            self.state = state_of(connection, source)
            rows = connection.execute(select(dimension).where(dimension.c.source == source))
            self._names = {row.id: (row.agency, row.service, row.kind, row.channel, row.district) for row in rows}

    def look(self, cases: Sequence[Case]) -> None:
        """Compare some cases."""
        for start in range(0, len(cases), PAGE):
            part = cases[start : start + PAGE]
            with self.engine.connect() as connection:
                found = {
                    bytes(row[AT["key"]]): row
                    for row in dialect.by_keys(connection, case, STORED, self.source, self.state.generation, [c.key for c in part])
                }
            self.saw([item.key for item in part])
            for item in part:
                before = found.get(item.key)
                self.new += before is None
                self.changed += before is not None and not self._same(before, item)

    @property
    def seen(self) -> int:
        """How many different cases the read brought."""
        return len(self._keys)

    def saw(self, keys: Sequence[bytes]) -> None:
        """These cases are in the read, readable or not."""
        self._keys.update(keys)

    def missing(self, span: tuple[int | None, int | None]) -> tuple[int, int]:
        """(known, of them not in the read) cases submitted in the half-open ``span``; ``None``: without that bound."""
        statement = select(case.c.key).where(
            case.c.source == self.source, case.c.generation == self.state.generation, case.c.deleted_at.is_(None))
        statement = statement if span[0] is None else statement.where(case.c.submitted_at >= span[0])
        statement = statement if span[1] is None else statement.where(case.c.submitted_at < span[1])
        known = gone = 0
        with self.engine.connect() as connection:
            for key in connection.execute(statement, execution_options={"yield_per": PAGE}).scalars():
                known += 1
                gone += bytes(key) not in self._keys
        return known, gone

    def _same(self, before: Sequence[object], item: Case) -> bool:
        stored = tuple(before[len(STORED) - len(DERIVED) :])
        return before[AT["deleted_at"]] is None and self._names.get(stored[0]) == item[1:6] and stored[1:] == item[6:]
