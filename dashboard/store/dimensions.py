"""Interns the dimensions of cells: (source, agency, service, channel, district, kind) ↔ a small number."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from dashboard.store.dialect import insert_many
from dashboard.store.tables import dimension

Names = tuple[str, str, str, str, str]
"""agency, service, kind, channel, district: in the order of ``Case``, so that a slice of one is its names."""

ANY = "*"
COLUMNS = ("source", "agency", "service", "kind", "channel", "district")


class Dimensions:
    """One source's dimensions. ``forget`` after a rollback, for numbers given in it are gone."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.known: dict[Names, tuple[int, int]] = {}
        self._numbers: dict[Names, int] = {}
        self._names: dict[int, Names] = {}

    def learn(self, connection: Connection, wanted: Iterable[Names]) -> None:
        """Make sure that all ``wanted`` have numbers: (their own, that of their ten-minute cells)."""
        missing = set(wanted) - self.known.keys()
        if not missing:
            return
        everything = missing | {(agency, service, kind, ANY, ANY) for agency, service, kind, _, _ in missing}
        unnumbered = everything - self._numbers.keys()
        if unnumbered:
            self._load(connection)
            new = sorted(unnumbered - self._numbers.keys())
            insert_many(connection, dimension, COLUMNS, [(self.source, *names) for names in new], "ON CONFLICT DO NOTHING")
            if new:
                self._load(connection)
        for names in missing:
            self.known[names] = (self._numbers[names], self._numbers[*names[:3], ANY, ANY])

    def _load(self, connection: Connection) -> None:
        rows = connection.execute(select(dimension).where(dimension.c.source == self.source))
        self._numbers = {(row.agency, row.service, row.kind, row.channel, row.district): row.id for row in rows}

    def by_number(self, connection: Connection) -> dict[int, tuple[int, int]]:
        """Number → (number, that of its ten-minute cells), for cases already stored."""
        if not self._numbers:
            self._load(connection)
        names = {number: names for names, number in self._numbers.items()}
        return {
            number: (number, self._numbers[agency, service, kind, ANY, ANY])
            for number, (agency, service, kind, channel, _) in names.items() if channel != ANY
        }

    def names_of(self, number: int) -> Names:
        """The names behind a number that was loaded before."""
        if number not in self._names:
            self._names = {found: names for names, found in self._numbers.items()}
        return self._names[number]

    def forget(self) -> None:
        """Drop what was learnt."""
        self.known.clear()
        self._numbers.clear()
        self._names.clear()
