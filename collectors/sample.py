"""A sample of a source, as an administrator has it: a CSV, a workbook, a JSON file or an address. What is read is never kept.

Besides the rows it tells how a connector would read them: delimiter, encoding, heading, sheet, list, paging.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from python_calamine import CalamineWorkbook

from collectors.decoding import decoded, strict_json
from collectors.sheets import Line, csv_lines, workbook_lines
from collectors.texts import clean, without_persons
from dashboard.errors import SourceChanged, SourceUnavailable

MOST_BYTES = 8 * 1024 * 1024
MOST_ROWS = 5_000
DEEPEST = 4
LOOKED_AT = 40
NEXT_URLS = ("next_url", "next_page_url", "next", "@odata.nextLink", "nextPage", "next_link")
CURSORS = ("next_cursor", "nextCursor", "cursor", "next_page_token", "nextPageToken")
PAGE_NUMBERS = ("page", "current_page", "currentPage", "page_number", "halaman")
OFFSETS = ("offset", "start", "skip")
SIZES = ("per_page", "perPage", "page_size", "pageSize", "limit", "size", "length", "rows")
TOTALS = ("total", "total_count", "totalCount", "recordsTotal", "count", "jumlah")
ENVELOPES = ("", "meta", "pagination", "links", "_links", "paging", "meta.pagination")
_VALUE = re.compile(r"^[\d\s./:,+-]+$|\d{4}-\d\d-\d\d")


@dataclass
class Sample:
    """Rows by column, and how they are read: ``connector`` and its ``options``. ``notes``: what to say (key of words, values)."""

    where: str
    connector: str
    options: dict[str, Any]
    rows: list[dict[str, Any]]
    columns: list[str]
    lines: list[int]
    broken: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def sample_of(
    data: bytes, name: str, *, address: str = "", drop_path: str = "", headers: dict[str, str] | None = None,
    header_row: int | None = None,
) -> Sample:
    """A sample from the bytes of a file or an answer. ``address``: where it comes from, when it is read over HTTP;
    ``drop_path``: the path below the drop root that such files will have. Raises ``SourceChanged`` with what is wrong.
    """
    if not data:
        raise SourceChanged(f"{name}: sample: the file is empty; give one with rows",
                            f"{name}: contoh: berkas kosong; berikan yang berisi baris", step="read")
    place = {"url": address} if address else {"path": drop_path}
    head = data[:4]
    if head[:2] == b"PK" or head == b"\xd0\xcf\x11\xe0":
        return _workbook(data, name, place, header_row)
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        return _json(data, name, address, headers or {})
    if start == b"<":
        raise SourceChanged(f"{name}: sample: it is HTML or XML; a login page? Give CSV, XLSX or JSON",
                            f"{name}: contoh: ini HTML atau XML; halaman masuk? Berikan CSV, XLSX atau JSON", step="parse")
    return _csv(data, name, place, header_row)


def read_file(path: Path) -> bytes:
    """The bytes of a sample file. Raises ``SourceUnavailable``."""
    try:
        return path.read_bytes()
    except OSError as err:
        reason = err.strerror or type(err).__name__
        raise SourceUnavailable(f"{path.name}: sample: cannot be read ({reason}); check the path",
                                f"{path.name}: contoh: tidak dapat dibaca ({reason}); periksa jalurnya", step="read") from err


def _csv(data: bytes, name: str, place: dict[str, Any], header_row: int | None) -> Sample:
    cut = len(data) > MOST_BYTES
    data = data[: data.rfind(b"\n", 0, MOST_BYTES) + 1] if cut else data
    encoding = _encoding(data)
    text = data.decode(encoding)
    delimiter = _delimiter(text)
    lines = list(csv_lines(io.BytesIO(data), name, encoding=encoding, delimiter=delimiter))
    options: dict[str, Any] = {**place, "format": "csv", "delimiter": delimiter, "encoding": encoding}
    notes: list[tuple[str, dict[str, Any]]] = [("encoding", {"encoding": encoding})] if encoding == "cp1252" else []
    return _table(lines, name, options, notes, header_row)


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252" if not any(byte in data for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)) else "latin-1"
    return "utf-8-sig"


def _delimiter(text: str) -> str:
    """The one by which most of the first rows have the same number of cells, more than one."""
    head = text[:65_536].splitlines()[:LOOKED_AT]

    def fits(delimiter: str) -> tuple[int, int]:
        counts = Counter(len(row) for row in csv.reader(head, delimiter=delimiter) if len(row) > 1)
        cells, rows = counts.most_common(1)[0] if counts else (0, 0)
        return rows, cells

    return max((",", ";", "\t", "|"), key=fits)


def _workbook(data: bytes, name: str, place: dict[str, Any], header_row: int | None) -> Sample:
    next(iter(workbook_lines(io.BytesIO(data), name, sheet=None)), None)  # caps and kind first
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    try:
        sizes = {sheet: book.get_sheet_by_name(sheet).height for sheet in book.sheet_names}
    finally:
        book.close()
    sheet = max(sizes, key=lambda found: sizes[found])
    lines: list[Line] = list(workbook_lines(io.BytesIO(data), name, sheet=sheet))
    more = [other for other, height in sizes.items() if other != sheet and height > 1]
    notes: list[tuple[str, dict[str, Any]]] = [("sheets", {"sheet": sheet, "others": len(more)})] if more else []
    return _table(lines, name, {**place, "format": "xlsx", "sheet": sheet}, notes, header_row)


def _table(
    lines: list[Line], name: str, options: dict[str, Any], notes: list[tuple[str, dict[str, Any]]], header_row: int | None
) -> Sample:
    """Rows under the row of headings: the first one of text only that is as wide as most rows are."""
    at, header = _header(lines, name, header_row)
    sample = Sample(name, "tabular", {**options, "header_row": at} if at > 1 else options, [], header, [], notes=notes)
    for line, cells in lines:
        if line <= at or (isinstance(cells, list) and not any(cell not in ("", None) for cell in cells)) or cells == header:
            continue
        if not isinstance(cells, list):
            sample.broken.append((line, cells))
        elif len(cells) != len(header):
            sample.broken.append((line, f"{len(cells)} cells instead of {len(header)}"))
        elif len(sample.rows) < MOST_ROWS:
            sample.rows.append(dict(zip(header, cells, strict=True)))
            sample.lines.append(line)
    if not sample.rows:
        raise SourceChanged(f"{name}: sample: no row follows the headings; give a sample with rows",
                            f"{name}: contoh: tidak ada baris di bawah judul; berikan contoh yang berisi", step="parse")
    if at > 1:
        notes.append(("header_row", {"row": at}))
    return sample


def _header(lines: list[Line], name: str, given: int | None) -> tuple[int, list[str]]:
    filled = [(line, [str(cell).strip() if cell is not None else "" for cell in cells]) for line, cells in lines[:500]
              if isinstance(cells, list)]
    wide = Counter(sum(map(bool, cells)) for _, cells in filled if any(cells)).most_common(1)
    usual = wide[0][0] if wide else 0
    for line, cells in filled:
        named = [cell for cell in cells if cell]
        if given is not None and line != given:
            continue
        if given is not None or len(named) >= max(2, usual * 0.6):
            odd = [cell for cell in named if _VALUE.search(cell) or without_persons(cell) != cell]
            if odd or not named:  # a first row of data is not printed as headings
                break
            return line, cells
    raise SourceChanged(
        f"{name}: sample: no row of headings was found; put one there, or name it with --header-row",
        f"{name}: contoh: baris judul tidak ditemukan; tambahkan, atau sebutkan dengan --header-row", step="parse",
    )


def _json(data: bytes, name: str, address: str, headers: dict[str, str]) -> Sample:
    body = strict_json(decoded(data, None, name), name)
    found = max(_lists(body, "", 0), key=lambda item: (len(item[1]), -item[0].count(".")), default=None)
    if found is None:
        raise SourceChanged(f"{name}: sample: there is no list of objects in it; give the answer that holds the rows",
                            f"{name}: contoh: tidak ada daftar objek di dalamnya; berikan jawaban yang berisi baris", step="parse")
    path, rows = found
    options: dict[str, Any] = {"url": address} | ({"records": path} if path else {})
    names = body.get("columns") if isinstance(body, dict) else None
    if rows and isinstance(rows[0], list) and isinstance(names, list):
        options["columns"] = "columns"
        rows = [dict(zip(map(str, names), row, strict=False)) for row in rows]
    flat = [_flat(row) for row in rows[:MOST_ROWS] if isinstance(row, dict)]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    sample = Sample(name, "rest", options, flat, columns, list(range(1, len(flat) + 1)))
    _paging(sample, body, address, headers, len(rows))
    return sample


def _lists(body: Any, path: str, depth: int) -> Iterable[tuple[str, list[Any]]]:
    """Every list of objects (or of lists beside ``columns``) in an answer, by dotted path."""
    if isinstance(body, list):
        if body and isinstance(body[0], dict | list):
            yield path, body
        return
    for key, value in body.items() if isinstance(body, dict) and depth < DEEPEST else ():
        if "." not in key:
            yield from _lists(value, f"{path}.{key}".lstrip("."), depth + 1)


def _flat(row: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested objects at their dotted names; lists inside a row are left out."""
    made: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < DEEPEST:
            made |= _flat(value, f"{name}.", depth + 1)
        elif not isinstance(value, list | dict):
            made[name] = value
    return made


def _found(body: Any, names: Iterable[str], kind: type | tuple[type, ...]) -> tuple[str, Any]:
    """The dotted path and value of the first of some names in the envelopes of an answer."""
    for envelope in ENVELOPES:
        inner = body
        for part in envelope.split(".") if envelope else ():
            inner = inner.get(part) if isinstance(inner, dict) else None
        for name in names if isinstance(inner, dict) else ():
            value = inner.get(name)
            if isinstance(value, kind) and not isinstance(value, bool) and value != "":
                return (f"{envelope}.{name}" if envelope else name), value
    return "", None


def _paging(sample: Sample, body: Any, address: str, headers: dict[str, str], count: int) -> None:
    """What an answer says of further pages, as ``pages`` and ``total`` of the options; what it does not say is noted."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query))
    total_path, total = _found(body, TOTALS, int)
    link, target = _found(body, NEXT_URLS, str)
    cursor, _ = _found(body, CURSORS, (str, int))
    number, _ = _found(body, PAGE_NUMBERS, int)
    offset, _ = _found(body, OFFSETS, int)
    size_param = next((name for name in SIZES if name in query), None)
    size_path, size = _found(body, SIZES, int)
    param = next((name for name in (*PAGE_NUMBERS, *OFFSETS) if name in query), None)
    pages: dict[str, Any] = {}
    if 'rel="next"' in headers.get("Link", "") or "rel=next" in headers.get("Link", ""):
        pages = {"kind": "link-header"}
    elif link and (target.startswith(("http://", "https://", "/", "?"))):
        pages = {"kind": "next-url", "key": link}
    elif cursor:
        pages = {"kind": "cursor", "param": "cursor", "next": cursor}
    elif number or (param in PAGE_NUMBERS):
        name = param or number.rpartition(".")[2].replace("current_page", "page").replace("currentPage", "page")
        pages = {"kind": "page", "param": name, "size_param": size_param or size_path.rpartition(".")[2] or None}
    elif offset or (param in OFFSETS):
        name = param or offset.rpartition(".")[2]
        pages = {"kind": "offset", "param": name, "size_param": size_param or size_path.rpartition(".")[2]}
    if pages.get("size_param"):
        pages["size"] = size or int(query.get(str(size_param), 0) or count)
    if pages:
        sample.options["pages"] = {key: value for key, value in pages.items() if value is not None}
        sample.notes.append(("paging", {"kind": pages["kind"]}))
        turned = {pages.get("param"), pages.get("size_param")} if pages["kind"] in ("page", "offset", "cursor") else set()
        left = {name: value for name, value in query.items() if name not in turned}
        sample.options["url"] = urlunsplit(parts._replace(query=urlencode(left)))
    if isinstance(total, int) and total >= count:
        sample.options["total"] = total_path
        if total > count and not pages:
            sample.notes.append(("no_paging", {"total": total, "rows": count}))


def told(value: Any) -> str:
    """A value as clean text; ``""`` for none."""
    return clean(value) or ""
