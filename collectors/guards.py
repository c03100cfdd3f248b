"""Guards: decided before anything of a read is stored. A held read leaves the last good figures as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from collectors.connector import Row
from collectors.mapping import columns_of
from dashboard.cases import Rejected
from dashboard.errors import SourceChanged, SourceHeld
from dashboard.store.read import Verdict

if TYPE_CHECKING:
    from config.declarations import Source

MOST_MISSING_SHARE = 0.30
LEAST_KNOWN = 10
"""Below so many known cases a fall is no sign of anything."""
ROWS_THAT_TELL = 20
"""A page with so many rows shows every column that the source has."""


def check_fields(source: Source, rows: Sequence[Row], seen: set[str], before: set[str]) -> None:
    """A mapped field that is gone: held when it was there before, changed when it never was.

    Raises ``SourceHeld`` or ``SourceChanged``, and names the nearest new field.
    """
    if not rows:
        return
    for name, field in source.fields.items():
        for column in sorted(columns_of(field)):
            if column in seen or any(_nested(row, column) for row in rows):
                continue
            required = name in ("case_id", "submitted_at")
            if not (required or (column in before and len(rows) >= ROWS_THAT_TELL)):
                continue
            new = get_close_matches(column, sorted(seen - before or seen), n=1, cutoff=0.4)
            hint_en = f"; is it now {new[0]!r}?" if new else ""
            hint_id = f"; apakah kini {new[0]!r}?" if new else ""
            kind = SourceHeld if column in before else SourceChanged
            raise kind(
                f"the field {column!r} of {name} is in no row{hint_en} Mend the mapping, or release",
                f"isian {column!r} untuk {name} tidak ada di baris mana pun{hint_id} Perbaiki pemetaan, atau lepaskan", step="map",
            )


def _nested(row: Row, path: str) -> bool:
    value: object = row
    for part in path.split("."):
        if not hasattr(value, "get"):
            return False
        value = value.get(part)
    return value is not None


def check_rejects(source: Source, rows: int, rejected: Sequence[Rejected]) -> None:
    """A first page of which every row is put aside is no dirt but another format. Raises ``SourceChanged``."""
    if rows < 2 or len(rejected) < rows:
        return
    (field, reason), _ = Counter((item.field, item.reason) for item in rejected).most_common(1)[0]
    raise SourceChanged(
        f"no row can be mapped: {field}: {reason}; mend the mapping of {source.id}",
        f"tidak ada baris yang dapat dipetakan: {field}: {reason}; perbaiki pemetaan {source.id}", step="map",
    )


def check_count(source: Source, verdict: Verdict) -> None:
    """More than 30 % of the known cases inside the read's span missing, or every id new: raises ``SourceHeld``."""
    if verdict.known < LEAST_KNOWN:
        return
    if verdict.missing == verdict.known and verdict.new:
        raise SourceHeld(
            f"every one of {verdict.new} ids is new and all {verdict.known} known ones are gone; a new system? Release, or reject",
            f"semua {verdict.new} id baru dan {verdict.known} yang dikenal hilang; sistem baru? Lepaskan, atau tolak", step="validate",
        )
    if verdict.missing > MOST_MISSING_SHARE * verdict.known:
        share = round(100 * verdict.missing / verdict.known)
        raise SourceHeld(
            f"count fell: {share} % of {verdict.known} known cases are missing; the last good figures stay. Release, or reject",
            f"jumlah turun: {share}% dari {verdict.known} kasus yang dikenal hilang; angka terakhir dipertahankan. Lepaskan, atau tolak",
            step="validate",
        )
