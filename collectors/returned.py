"""Faulty workbooks come back: a copy below ``kembali`` whose cells are coloured, each with what is wrong and how to mend it.

Only declared columns are in a copy: all others are emptied, and what looks like a person in a declared one is blotted out. A copy
stays as long as the file it came from is as it was; it is not written again (somebody may be mending it), and it goes away when
that file is replaced, mended or gone.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from collectors.drops import RETURNED, delivered, opened
from collectors.keys import key_of
from collectors.mapping import BadRow, Mapping, wanted_columns
from collectors.sheets import workbook_lines
from collectors.stamps import BadStamp
from collectors.tabular import SUFFIXES, TabularOptions
from collectors.texts import clean, without_persons
from dashboard.derive import COMPLETED, coded
from dashboard.errors import CollectError
from dashboard.words import Say

if TYPE_CHECKING:
    from config.declarations import Regency, Source
    from config.settings import Settings

log = structlog.get_logger("collect")

MARKABLE = (".xlsx", ".xlsm")
LARGEST = 5 * 1024 * 1024
MOST_LISTED = 500
KEPT_SHEETS = {"Petunjuk", "Contoh", "Daftar"}
_OURS = re.compile(r"--[0-9a-f]{8}\.(xlsx|txt)$")
FILLS = {True: PatternFill("solid", start_color="FFC7CE"), False: PatternFill("solid", start_color="FFEB9C")}


class Fault(NamedTuple):
    """What is wrong with one cell. ``grave``: its row is not collected; ``code`` is a key of the words ``returned.faults``."""

    line: int
    column: str
    code: str
    grave: bool
    params: dict[str, Any]


class Sheet(NamedTuple):
    """A delivered sheet as the collector reads it: its headings, its rows by line, its faults, and cells that show a person."""

    header: list[str]
    faults: list[Fault]
    persons: list[tuple[int, str]]


def attempt(source: Source, regency: Regency, settings: Settings, now: Callable[[], datetime]) -> None:
    """The same after a run, whatever comes of it: a copy that cannot be made is news, and no fault of the run."""
    try:
        give_back(source, regency, settings, now)
    except Exception as err:  # noqa: BLE001  (a workbook that defeats the marker was read well enough by the reader)
        log.warning("no marked copy", source=source.id, reason=type(err).__name__)


def give_back(source: Source, regency: Regency, settings: Settings, now: Callable[[], datetime]) -> list[Path]:
    """Write a marked copy of each faulty workbook of a source, and take away the copies that are no longer true.

    Returns the copies that are there now. Raises ``CollectError`` when there is no file, ``OSError`` when it cannot write.
    """
    options = TabularOptions.model_validate(source.options)
    root = settings.drop.resolve()
    folder = root / RETURNED / source.id
    say = Say(regency, "id")
    mapping = Mapping(source, key_of(settings.data, source.id), now)
    kept: list[Path] = []
    for path in delivered(root, options.path or "", SUFFIXES[options.format], done_marker=options.done_marker):
        with opened(path, root) as file:
            data = file.read()
        mark = hashlib.sha256(data + repr(source.fields).encode()).hexdigest()[:8]
        before = [place for place in (folder / f"{path.stem}--{mark}{end}" for end in (".xlsx", ".txt")) if place.exists()]
        if before:
            kept += before
        else:
            kept += _returned(path, data, mark, options, mapping, say, folder, root)
    for old in folder.iterdir() if folder.is_dir() else ():
        if old not in kept and _OURS.search(old.name):
            old.unlink()
    return kept


def _returned(
    path: Path, data: bytes, mark: str, options: TabularOptions, mapping: Mapping, say: Say, folder: Path, root: Path
) -> list[Path]:
    """The copy of one file, or none when nothing is wrong with it."""
    place = folder / f"{path.stem}--{mark}.xlsx"
    try:
        sheet = examined(data, path.name, options, mapping, say)
    except CollectError as err:
        told = say("returned.text", name=path.name, what=say("returned.whole", what=err.id))
        return [_written(place.with_suffix(".txt"), told.encode(), root)]
    if not sheet.faults and not sheet.persons:
        return []
    if path.suffix.lower() in MARKABLE and len(data) <= LARGEST:
        return [_written(place, marked(data, path.name, sheet, options, mapping.wanted, say), root)]
    lines = "\n".join(_line(fault, say) for fault in sheet.faults[:MOST_LISTED])
    return [_written(place.with_suffix(".txt"), say("returned.text", name=path.name, what=lines).encode(), root)]


def examined(data: bytes, name: str, options: TabularOptions, mapping: Mapping, say: Say) -> Sheet:
    """Every fault of a delivered sheet, cell by cell. Raises ``CollectError`` when it is no such workbook."""
    header: list[str] = []
    faults: list[Fault] = []
    persons: list[tuple[int, str]] = []
    seen: dict[bytes, int] = {}
    for line, cells in workbook_lines(io.BytesIO(data), name, sheet=options.sheet):
        if line < options.header_row or not isinstance(cells, list):
            continue
        if line == options.header_row:
            header = [str(cell).strip() for cell in cells]
            absent = sorted(wanted_columns(mapping.source) - set(header))
            faults += [Fault(line, column, "heading", True, {"column": column}) for column in absent]
            if absent:
                break
            continue
        if not any(cell not in ("", None) for cell in cells):
            continue
        row = {column: value for column, value in zip(header, cells, strict=False) if column in mapping.wanted}
        faults += _of_row(mapping, row, line, seen, say)
        persons += [
            (line, column) for column, value in row.items()
            if isinstance(value, str | float | int) and without_persons(clean(value) or "") != (clean(value) or "")
        ]
    if not header:
        faults.append(Fault(options.header_row, "A", "other", True, {}))
    return Sheet(header, faults, persons)


def _of_row(mapping: Mapping, row: dict[str, Any], line: int, seen: dict[bytes, int], say: Say) -> Iterator[Fault]:
    """The faults of one row: what keeps it from being collected, then what is odd about it."""
    stamps, found = _stamps(mapping, row, line, say)
    try:
        key = mapping.pseudonym(row)
        if key in seen:
            found.append(Fault(line, mapping.id_columns[0], "twice", False, {"line": seen[key]}))
        seen.setdefault(key, line)
    except BadRow:
        found.append(Fault(line, mapping.id_columns[0], "missing", True, {"hint": _hint("case_id", say)}))
    for place, (_, known) in mapping.strict.items():
        column = str(mapping.codes[place] or "")
        if (clean(row.get(column)) or "") not in known:
            found.append(Fault(line, column, "choice", True, {"choices": "; ".join(sorted(filter(None, known)))}))
    submitted, ended = stamps.get("submitted_at"), stamps.get("ended_at")
    status = mapping.source.fields.get("status")
    if ended is not None and submitted is not None and ended < submitted:
        found.append(Fault(line, _column(mapping, "ended_at"), "backwards", False, {}))
    elif ended is None and status is not None and "ended_at" in stamps:
        completed = coded(status, clean(row.get(_column(mapping, "status"))), "")[0] == COMPLETED
        found += [Fault(line, _column(mapping, "ended_at"), "undated", False, {})] * completed
    yield from found


def _stamps(mapping: Mapping, row: dict[str, Any], line: int, say: Say) -> tuple[dict[str, int | None], list[Fault]]:
    stamps: dict[str, int | None] = {}
    found: list[Fault] = []
    for name, read in mapping.stamps:
        column = _column(mapping, name)
        try:
            at = stamps[name] = read(row, stamps)
        except BadStamp as err:
            stamps.pop(name, None)
            found.append(Fault(line, column, "year" if "year" in str(err) else "format", True, {}))
            continue
        if at is not None and at > mapping.limit:
            found.append(Fault(line, column, "future", True, {}))
            del stamps[name]
        elif at is None and name == "submitted_at":
            found.append(Fault(line, column, "missing", True, {"hint": _hint(name, say)}))
    return stamps, found


def _column(mapping: Mapping, name: str) -> str:
    from_ = mapping.source.fields[name].from_
    return from_ if isinstance(from_, str) else (from_ or ("",))[0]


def _hint(field: str, say: Say) -> str:
    return say(f"template.columns.{field}.hint")


def _line(fault: Fault, say: Say) -> str:
    return say("returned.place", line=fault.line, column=fault.column, what=say(f"returned.faults.{fault.code}", **fault.params))


def marked(data: bytes, name: str, sheet: Sheet, options: TabularOptions, wanted: frozenset[str], say: Say) -> bytes:
    """The workbook with its faults marked: the read sheet without undeclared columns, and a sheet that lists the faults."""
    book = load_workbook(io.BytesIO(data))
    page = book[options.sheet] if options.sheet else book.worksheets[0]
    for other in list(book.worksheets):
        if other is not page and other.title not in KEPT_SHEETS:
            book.remove(other)
    book.properties.creator, book.properties.lastModifiedBy = say("returned.author"), None
    places = {column: number for number, column in enumerate(sheet.header, start=1)}
    _only_declared(page, sheet, wanted, options.header_row, say)
    for line, column in sheet.persons:
        cell = page.cell(line, places[column])
        cell.value = without_persons(clean(cell.value) or "")
        _note(cell, say("returned.person"), say)
        cell.fill = FILLS[False]
    for fault in sheet.faults:
        cell = page.cell(fault.line, places.get(fault.column, 1))
        empty_formula = cell.data_type == "f" and fault.code in ("missing", "choice")
        what = say("returned.faults.formula") if empty_formula else say(f"returned.faults.{fault.code}", **fault.params)
        head = say("returned.row" if fault.grave else "returned.row_taken") if fault.line > options.header_row else ""
        _note(cell, f"{head}\n{what}".strip(), say)
        cell.fill = FILLS[fault.grave or cell.fill == FILLS[True]]
    _list(book, name, sheet.faults, say)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _only_declared(page: Any, sheet: Sheet, wanted: frozenset[str], header_row: int, say: Say) -> None:
    """Take old remarks away, and empty every column that is not declared, whatever its heading says."""
    declared = {number for number, column in enumerate(sheet.header, start=1) if column in wanted}
    marked_already: set[int] = set()
    for row in page.iter_rows():
        for cell in row:
            cell.comment = None
            if cell.column not in declared and cell.value is not None:
                heading = cell.row == header_row
                if cell.row > header_row:
                    cell.value = None
                if (heading or cell.row > header_row) and cell.column not in marked_already:
                    marked_already.add(cell.column)
                    top = page.cell(header_row, cell.column)
                    _note(top, say("returned.dropped"), say)
                    top.fill = FILLS[False]


def _note(cell: Any, text: str, say: Say) -> None:
    """A remark on a cell; it is added to one that is there."""
    before = f"{cell.comment.text}\n" if cell.comment is not None else ""
    cell.comment = Comment(before + text, say("returned.author"), width=320, height=140)


def _list(book: Any, name: str, faults: Sequence[Fault], say: Say) -> None:
    title = say("returned.list")
    page = book.create_sheet(title)
    faulty = {fault.line for fault in faults if fault.grave}
    warned = {fault.line for fault in faults} - faulty
    page.append([say("returned.summary", faulty=len(faulty), warned=len(warned), name=name)])
    for fault in faults[:MOST_LISTED]:
        page.append([_line(fault, say)])
    page.column_dimensions["A"].width = 110


def _written(path: Path, data: bytes, root: Path) -> Path:
    """Put a file there in one step. Raises ``OSError`` when the folder of returned files leads out of the drop root."""
    if not (root / RETURNED).is_symlink():
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.resolve() != root / RETURNED / path.parent.name:
        raise OSError(f"{RETURNED}: is a link")
    fresh = path.with_name(f".{path.name}.part")
    fresh.unlink(missing_ok=True)
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o660)
    with os.fdopen(number, "wb") as file:
        file.write(data)
    fresh.replace(path)
    return path
