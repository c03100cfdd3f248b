"""A look into a workbook's sheet before it is unpacked into memory: how large it says it is, formulas without a value.

The reader lays a sheet out as a full rectangle, so one cell in the last corner would cost gigabytes (B21); and it gives a
formula that was never computed as an empty cell, which is not what the sheet says (B23).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import NamedTuple

from defusedxml import ElementTree

from dashboard.errors import SourceChanged

MOST_CELLS = 20_000_000
MOST_ROW_BYTES = 16 * 1024 * 1024
CHUNK = 1024 * 1024
_COLUMNS = re.compile(rb'<(?:\w+:)?c (?:[^>]*? )?r="([A-Z]{1,3})\d+"(?:[^>]*[^/>])?>')
_ROWS = re.compile(rb'<(?:\w+:)?row (?:[^>]*? )?r="(\d{1,7})"')
_NO_VALUE = re.compile(
    rb'<((?:\w+:)?)c (?![^>]*\bt="str")(?:[^>]*? )?r="([A-Z]{1,3})(\d{1,7})"[^>]*[^/>]?>\s*'
    rb'<\1f\b(?:[^>]*/>|[^>]*>[^<]*</\1f>)\s*(?:<\1v\s*/>|<\1v>\s*</\1v>)?\s*</\1c>'
)
ROW_ENDS = b"row>"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Glance(NamedTuple):
    """``uncomputed``: row number → column letters of a formula that has no value."""

    rows: int
    columns: int
    uncomputed: dict[int, str]


def glance(packed: zipfile.ZipFile, name: str, sheet: str | None) -> Glance | None:
    """What the wanted sheet (the first, without a name) of an XLSX holds; ``None`` for another kind of workbook.

    Raises ``SourceChanged`` for a sheet that would not fit into memory.
    """
    member = _member(packed, sheet)
    if member is None:
        return None
    rows, width, uncomputed, rest = 0, 0, dict[int, str](), b""
    with packed.open(member) as file:
        while True:
            chunk = file.read(CHUNK)
            rest += chunk
            end = rest.rfind(ROW_ENDS) + len(ROW_ENDS) if chunk else len(rest)
            if end < len(ROW_ENDS):
                if len(rest) > MOST_ROW_BYTES:
                    raise _too_large(name)
                if chunk:
                    continue
            part, rest = rest[:end], rest[end:]
            width = max([width, *map(_column, set(_COLUMNS.findall(part)))])
            rows = max([rows, *map(int, _ROWS.findall(part)[-1:])])
            uncomputed |= {int(row): column.decode() for _, column, row in _NO_VALUE.findall(part)}
            if rows * width > MOST_CELLS:
                raise _too_large(name)
            if not chunk:
                return Glance(rows, width, uncomputed)


def _too_large(name: str) -> SourceChanged:
    return SourceChanged(
        f"{name}: the sheet spans more than {MOST_CELLS // 1_000_000} million cells; delete what lies far outside of the table",
        f"{name}: lembar membentang lebih dari {MOST_CELLS // 1_000_000} juta sel; hapus isi yang jauh di luar tabel", step="parse",
    )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _member(packed: zipfile.ZipFile, sheet: str | None) -> str | None:
    """The sheet's part in the package (ECMA-376: workbook.xml names it, its relations say where it lies)."""
    try:
        book = ElementTree.fromstring(packed.read("xl/workbook.xml"))
        relations = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return None
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for found in book.iter():
        if found.tag.endswith("}sheet") and sheet in (None, found.get("name")):
            member = posixpath.normpath(posixpath.join("/xl", targets.get(found.get(_RELATED), ""))).lstrip("/")
            return member if member in packed.namelist() and member.endswith(".xml") else None
    return None
