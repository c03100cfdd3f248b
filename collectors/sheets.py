"""Rows of delivered tables: CSV as a stream, workbooks under caps. Cells are values or text, never evaluated."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from python_calamine import CalamineWorkbook

from collectors.workbooks import Glance, glance
from dashboard.errors import SourceChanged, SourceUnavailable

LONGEST_FIELD = 1_000_000
MOST_BROKEN_IN_A_ROW = 100
MOST_WORKBOOK = 50 * 1024 * 1024
MOST_UNPACKED = 400 * 1024 * 1024
MOST_RATIO = 200
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The stream in which an encrypted workbook lies (MS-OFFCRYPTO §1.3.1)."""

Line = tuple[int, list[Any] | str]
"""The number of a row's line, and its cells; in their place the reason for a row that the reader could not make out."""


def csv_lines(file: BinaryIO, name: str, *, encoding: str, delimiter: str) -> Iterator[Line]:
    """The rows of a CSV, streamed, in strict text. Raises ``SourceChanged`` where the text is not of that encoding."""
    csv.field_size_limit(LONGEST_FIELD)
    text = io.TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    broken = 0
    try:
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as err:
                broken += 1
                if broken > MOST_BROKEN_IN_A_ROW:
                    raise SourceChanged(
                        f"{name}: broken CSV at line {reader.line_num}; check quotes and delimiter",
                        f"{name}: CSV rusak di baris {reader.line_num}; periksa tanda kutip dan pemisah", step="parse",
                    ) from err
                yield reader.line_num, "broken quotes"
                continue
            broken = 0
            yield reader.line_num, row
    except UnicodeDecodeError as err:
        raise SourceChanged(
            f"{name}: not {encoding} text after line {reader.line_num}; declare its encoding",
            f"{name}: bukan teks {encoding} setelah baris {reader.line_num}; nyatakan encoding-nya", step="parse",
        ) from err
    finally:
        text.detach()


def workbook_lines(file: BinaryIO, name: str, *, sheet: str | None) -> Iterator[Line]:
    """The rows of one sheet (the first, without a name), with native dates. Raises ``SourceChanged``, ``SourceUnavailable``.

    The sheet is unpacked in memory, so what it unpacks to is looked at first: at most 400 MB and 200-fold.
    """
    seen = _look_inside(file, name, sheet)
    uncomputed = seen.uncomputed if seen is not None else {}
    try:
        book = CalamineWorkbook.from_filelike(file)
    except Exception as err:  # the reader's own kinds: a password, a broken file
        raise SourceChanged(
            f"{name}: the workbook cannot be read ({type(err).__name__}); is it encrypted or broken?",
            f"{name}: berkas tidak dapat dibaca ({type(err).__name__}); terenkripsi atau rusak?", step="parse",
        ) from err
    try:
        if sheet is not None and sheet not in book.sheet_names:
            known = ", ".join(book.sheet_names)
            raise SourceChanged(
                f"{name}: no sheet {sheet!r}; there are: {known}. Declare one of them",
                f"{name}: tidak ada lembar {sheet!r}; yang ada: {known}. Nyatakan salah satunya", step="parse",
            )
        found = book.get_sheet_by_name(sheet) if sheet is not None else book.get_sheet_by_index(0)
        for line, cells in enumerate(found.iter_rows(), start=1):
            column = uncomputed.get(line)
            yield line, cells if column is None else f"formula without a value in column {column}"
    finally:
        book.close()


def _look_inside(file: BinaryIO, name: str, sheet: str | None) -> Glance | None:
    """Caps and true kind before anything is unpacked (B21, B24); what the sheet holds, where it can be told."""
    head = file.read(512)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MOST_WORKBOOK:
        raise SourceChanged(
            f"{name}: larger than 50 MB; deliver it in parts", f"{name}: lebih besar dari 50 MB; kirim dalam beberapa bagian",
            step="read",
        )
    if head[:4] == b"\xd0\xcf\x11\xe0":
        if ENCRYPTED in file.read(MOST_WORKBOOK):
            raise SourceChanged(
                f"{name}: the workbook is encrypted; deliver it without a password",
                f"{name}: berkas terenkripsi; kirim tanpa kata sandi", step="parse",
            )
        file.seek(0)
        return None  # an old .xls
    if head[:2] != b"PK":
        kind = "HTML" if head.lstrip()[:1] == b"<" else "text" if b"\0" not in head else "unknown"
        raise SourceChanged(
            f"{name}: not a workbook but {kind}; deliver XLSX, or declare the right format",
            f"{name}: bukan lembar kerja melainkan {kind}; kirim XLSX, atau nyatakan format yang benar", step="parse",
        )
    try:
        packed = zipfile.ZipFile(file)
        entries = packed.infolist()
    except zipfile.BadZipFile as err:
        raise SourceUnavailable(
            f"{name}: the workbook is not whole; is it still being copied?",
            f"{name}: berkas belum utuh; apakah masih disalin?", step="read",
        ) from err
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(size, 1):
        raise SourceChanged(
            f"{name}: the workbook unpacks to {unpacked // 1_000_000} MB; deliver it in parts",
            f"{name}: berkas mengembang menjadi {unpacked // 1_000_000} MB; kirim dalam beberapa bagian", step="parse",
        )
    try:
        found = glance(packed, name, sheet)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error) as err:
        raise SourceChanged(
            f"{name}: the workbook is broken inside; save it anew",
            f"{name}: isi berkas rusak; simpan ulang", step="parse",
        ) from err
    file.seek(0)
    return found
