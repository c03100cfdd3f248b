"""Guards: decided before anything of a read is stored. A held read leaves the last good figures as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from collectors.connector import Page
from collectors.mapping import columns_of, nested
from dashboard.cases import Rejected
from dashboard.errors import CollectError, SourceChanged, SourceHeld, SourceUnavailable
from dashboard.store.holds import FIELDS
from dashboard.store.staging import Verdict

if TYPE_CHECKING:
    from config.declarations import Source

MOST_MISSING_SHARE = 0.30
REUSED_SHARE = 0.01
LEAST_REUSED = 3
LEAST_KNOWN = 10
"""Below so many known cases a fall is no sign of anything."""
ROWS_THAT_DAMN = 10
"""So many rows of a first page, all put aside, are another format; fewer may be dirt."""
ROWS_THAT_TELL = 20
"""A page with so many rows shows every column that the source has."""


@dataclass(frozen=True)
class Seen:
    """The columns that reads saw: all of them, and those that stood in every row. ``without``: mapped ones that are gone and
    that somebody released.
    """

    columns: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, signature: Mapping[str, Any]) -> Seen:
        """From a source's stored signature."""
        return cls(*(frozenset(signature.get(name, ())) for name in ("columns", "always", "without")))

    def joined(self, before: Seen) -> Seen:
        """This read and the ones before: a column that was missing once is not always there."""
        always = frozenset(column for column in self.always if column in before.always or column not in before.columns)
        return Seen(self.columns | before.columns, always, self.without)

    def as_dict(self) -> dict[str, list[str]]:
        """As stored in the source's signature."""
        return {"columns": sorted(self.columns), "always": sorted(self.always), "without": sorted(self.without)}


def check_fields(source: Source, page: Page, before: Seen, *, released: bool = False) -> Seen:
    """A mapped field that is gone: held when it was there before, changed when it never was. Returns what the page showed.

    Where the source names its columns (a table, a file) a missing one is gone; in JSON an absent key may only be empty, so it
    must have stood in every row before, or be absent from twenty rows. Raises ``SourceHeld`` or ``SourceChanged``.
    ``released``: somebody decided that the read is right as it is; only what a case cannot do without is missed then.
    """
    keys = [row.keys() for row in page.rows]
    seen = page.columns or frozenset().union(*keys)
    always = page.columns or frozenset(keys[0]).intersection(*keys[1:])
    mapped = dict.fromkeys(source.where, "where")
    mapped |= {column: name for name, field in source.fields.items() for column in columns_of(field)}
    shown = {column for column in mapped if column in seen or any(nested(row, column) is not None for row in page.rows)}
    tells = page.columns is not None or len(page.rows) >= ROWS_THAT_TELL
    without = set(mapped) - shown if released else (set(mapped) - shown) & before.without
    for column in sorted(set(mapped) - shown):
        required = _required(source, mapped[column], column)
        known = column in before.columns
        if column in without and not required:
            continue
        if required or page.columns is not None or column in before.always or (known and tells):
            raise _gone(column, mapped[column], known, seen - before.columns or seen)
    return Seen(
        frozenset(seen | shown), frozenset(always | (shown - seen)) if page.columns is None else frozenset(always),
        frozenset(without),
    )


NUMBERS, PADDED, OTHER = "numbers", "padded", "other"


def id_kind(source: Source, page: Page) -> str:
    """How the ids of a page look: numbers, numbers padded with zeros, or other; "" where there are none."""
    column = source.fields["case_id"].from_ if "case_id" in source.fields else None
    texts = [str(row[column]).strip() for row in page.rows if row.get(column) is not None] if isinstance(column, str) else []
    if not texts:
        return ""
    if all(text.isdecimal() for text in texts):
        padded = [text for text in texts if text.startswith("0") and len(text) > 1]
        return PADDED if len(padded) == len(texts) else OTHER if padded else NUMBERS
    return OTHER


def check_ids(source: Source, page: Page, before: str) -> str:
    """Ids that were numbers and are now padded with zeros are the same cases under other ids (B15): raises ``SourceHeld``."""
    kind = id_kind(source, page)
    if before == NUMBERS and kind == PADDED:
        raise SourceHeld(
            "the ids were numbers and are now padded with zeros: the same cases would be counted twice. "
            "Have the source give them as before, or release as a new generation",
            "id dahulu berupa angka, kini diberi nol di depan: kasus yang sama akan dihitung dua kali. "
            "Minta sumber memberikannya seperti semula, atau lepaskan sebagai generasi baru", step="map", guard="ids",
        )
    return kind if before in ("", kind) else OTHER


def _required(source: Source, name: str, column: str) -> bool:
    """Whether no case can come of rows without a column: its id, its submission, or what a ``where`` of the source asks for."""
    if column in source.where and "" not in source.where[column]:
        return True
    field = source.fields.get(name)
    return name in ("case_id", "submitted_at") and field is not None and not field.where and column not in field.fallback


def _gone(column: str, name: str, known: bool, candidates: frozenset[str]) -> CollectError:
    new = get_close_matches(column, sorted(candidates - {column}), n=1, cutoff=0.4)
    hint_en = f"; is it now {new[0]!r}?" if new else ""
    hint_id = f"; apakah kini {new[0]!r}?" if new else ""
    en = f"the field {column!r} of {name} is in no row{hint_en}; mend the mapping, or release"
    id = f"isian {column!r} untuk {name} tidak ada di baris mana pun{hint_id}; perbaiki pemetaan, atau lepaskan"
    return SourceHeld(en, id, step="map", guard=FIELDS) if known else SourceChanged(en, id, step="map")


def check_total(source: Source, total: int | None, rows: int) -> None:
    """The source said how many rows there are: fewer means that the read missed some (C5). Raises ``SourceUnavailable``."""
    if total is not None and rows < total:
        raise SourceUnavailable(
            f"{total - rows} of {total} rows of {source.id} did not come; it is tried again",
            f"{total - rows} dari {total} baris {source.id} tidak datang; akan dicoba lagi", step="read",
        )


def check_rejects(source: Source, rows: int, rejected: Sequence[Rejected]) -> None:
    """A first page of which every row is put aside is no dirt but another format. Raises ``SourceChanged``."""
    if rows < ROWS_THAT_DAMN or len(rejected) < rows:
        return
    (field, reason), _ = Counter((item.field, item.reason) for item in rejected).most_common(1)[0]
    raise SourceChanged(
        f"no row can be mapped: {field}: {reason}; mend the mapping of {source.id}",
        f"tidak ada baris yang dapat dipetakan: {field}: {reason}; perbaiki pemetaan {source.id}", step="map",
    )


def check_cases(source: Source, verdict: Verdict) -> None:
    """A staged read against the known cases; raises ``SourceHeld``.

    More than 30 % of those inside its span missing (B4), every id new and all known ones gone (C12), or known ids that are other
    cases now (C11): one of a hundred with another submission and another service or no end any more, or a third with another
    submission, as after a change of the clock's zone (D2).
    """
    counts = {name: count for name, count in verdict._asdict().items() if count}
    delivered = verdict.seen - verdict.new
    if verdict.known >= LEAST_KNOWN and verdict.missing == verdict.known and verdict.new:
        raise SourceHeld(
            f"every one of {verdict.new} ids is new and all {verdict.known} known ones are gone; a new system? Release, release "
            "as a new generation, or reject",
            f"semua {verdict.new} id baru dan {verdict.known} yang dikenal hilang; sistem baru? Lepaskan, lepaskan sebagai "
            "generasi baru, atau tolak", guard="ids", counts=counts,
        )
    reused = verdict.reused >= LEAST_REUSED and verdict.reused >= REUSED_SHARE * delivered
    if reused or (verdict.moved >= LEAST_KNOWN and verdict.moved > MOST_MISSING_SHARE * delivered):
        raise SourceHeld(
            f"{verdict.moved} of {delivered} known ids changed identity: another submission than before; restored from a backup? "
            "Release, release as a new generation, or reject",
            f"{verdict.moved} dari {delivered} id yang dikenal berganti identitas: waktu masuknya lain; dipulihkan dari cadangan? "
            "Lepaskan, lepaskan sebagai generasi baru, atau tolak", guard="identity", counts=counts,
        )
    if verdict.known >= LEAST_KNOWN and verdict.missing > MOST_MISSING_SHARE * verdict.known:
        share = round(100 * verdict.missing / verdict.known)
        raise SourceHeld(
            f"count fell: {share} % of {verdict.known} known cases are missing; the last good figures stay. Release, or reject",
            f"jumlah turun: {share}% dari {verdict.known} kasus yang dikenal hilang; angka terakhir tetap. Lepaskan, atau tolak",
            guard="count", counts=counts,
        )
