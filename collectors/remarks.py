"""What a good run has to say all the same: rows put aside, values that are new to the map, texts cut, an account too strong.

It goes with the run as its message; the outcome stays good. A value that is new to a map is said once, when it comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from collectors.connector import Page
from collectors.texts import LONGEST
from dashboard.cases import Codes, Rejected
from dashboard.derive import coded

if TYPE_CHECKING:
    from collectors.mapping import Mapping
    from config.declarations import Source

MOST_NAMED = 3
MOST_KEPT = 200
MAPPED = ("status", "channel", "class", "closed_by")


class Remarks:
    """Collects the remarks of one run. ``known``: values outside the maps that earlier runs had; ``None``: there was none.

    A first read meets the values that the map's ``otherwise`` was declared for: they are no news.
    """

    def __init__(self, source: Source, known: Iterable[str] | None) -> None:
        self.source, self.known, self.first = source, list(known or ()), known is None
        self._said: list[tuple[str, str]] = []
        self._new: list[str] = []

    def note_page(self, page: Page) -> None:
        """Keep what the connector warns of, once."""
        if page.warning is not None and page.warning not in self._said:
            self._said.append(page.warning)

    def note(self, said: Iterable[tuple[str, str]]) -> None:
        """Keep what else there is to say."""
        self._said += said

    def note_mapping(self, mapping: Mapping) -> None:
        """Look at the values that the mapping met: new to a map (B16), cut (B13), cleaned of characters that mean nothing (B7)."""
        self._new = sorted({value for codes in mapping.met() for value in self._outside(codes)} - set(self.known))
        if self._new and not self.first:
            named = ", ".join(repr(value) for value in self._new[:MOST_NAMED])
            count = len(self._new)
            self._said.append((
                f"{count} values new to the map ({named}), counted as the map's otherwise says; add them to it",
                f"{count} nilai baru di luar pemetaan ({named}), dihitung menurut otherwise; tambahkan ke pemetaan",
            ))
        if mapping.cut:
            self._said.append((
                f"{mapping.cut} values were longer than {LONGEST} characters and were cut",
                f"{mapping.cut} nilai lebih panjang dari {LONGEST} karakter dan dipotong",
            ))
        if mapping.stripped:
            self._said.append((
                f"{mapping.stripped} values held control or zero characters, which were taken out",
                f"{mapping.stripped} nilai memuat karakter kendali atau nol, yang dibuang",
            ))

    def _outside(self, codes: Codes) -> Iterable[str]:
        values = dict(zip(("agency", "service", "status", "channel", "district", "class", "closed_by"), codes, strict=True))
        for name in MAPPED:
            field = self.source.fields.get(name)
            if field is not None and field.map is not None and values[name] and not coded(field, values[name], "")[1]:
                yield f"{name}: {values[name]}"

    def signature(self, seen: dict[str, Any]) -> dict[str, Any]:
        """The source's signature with the values outside the maps that are known now."""
        return {**seen, "unmapped": [*self.known, *self._new][:MOST_KEPT]}

    def message(self, rejected: int, last: Rejected | None) -> tuple[str, str]:
        """(English, Indonesian) of the whole run; empty when there is nothing to say."""
        said = [_aside(rejected, last)] if rejected else []
        said += self._said
        return _joined(self.source.id, [en for en, _ in said]), _joined(self.source.id, [id for _, id in said])


def _aside(count: int, last: Rejected | None) -> tuple[str, str]:
    example = f" ({last.field}: {last.reason})" if last else ""
    return (
        f"{count} rows put aside{example}; mend them at the source or in the mapping",
        f"{count} baris disisihkan{example}; perbaiki di sumber atau di pemetaan",
    )


def _joined(source: str, said: Sequence[str]) -> str:
    sentences = [part[:1].upper() + part[1:] if at else part for at, part in enumerate(said)]
    return f"{source}: map: {'. '.join(sentences)}" if said else ""
