"""CSV and XLSX: a file, a folder or a pattern below the drop root, or an address. Read as text, never evaluated."""

from __future__ import annotations

import csv
import io
import os
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import Field, model_validator
from python_calamine import CalamineWorkbook

from collectors.connector import CONNECTORS, Connector, Options, Page, Reading
from collectors.http import Client
from dashboard.errors import SourceChanged, SourceUnavailable

ROWS_A_PAGE = 2_000
MOST_BYTES = 500 * 1024 * 1024
MOST_UNPACKED = 1024 * 1024 * 1024
MOST_RATIO = 200
LONGEST_FIELD = 1_000_000
SUFFIXES = {"csv": (".csv", ".txt", ".tsv"), "xlsx": (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")}


class TabularOptions(Options):
    """``path`` below the drop root (a file, a folder, or a pattern), or ``url``. ``header_row`` counts from 1.

    ``settled``: a file must not have changed for so many seconds, so that a half copied one waits.
    """

    path: str | None = None
    url: str | None = None
    format: Literal["csv", "xlsx"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    sheet: str | None = None
    header_row: int = Field(1, ge=1, le=100)
    settled: float = Field(0.0, ge=0, le=600)

    @model_validator(mode="after")
    def _one_place(self) -> TabularOptions:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either path or url")
        if self.path is not None and (Path(self.path).is_absolute() or ".." in Path(self.path).parts):
            raise ValueError("path must lie below the drop root")
        return self


def read_tabular(reading: Reading) -> Iterator[Page]:
    """Pages of rows by column name, file by file, the oldest first. ``published_at`` is a file's mtime."""
    options: TabularOptions = reading.options
    if options.url is not None:
        answer = Client(networks=reading.networks, deadline=reading.deadline).get(options.url)
        yield from _file(reading, options, io.BytesIO(answer.body), answer.where, None)
        return
    for path in _files(reading.drop, options):
        with _opened(path, reading.drop) as file:
            status = os.fstat(file.fileno())
            if time.time() - status.st_mtime < options.settled:
                continue
            if status.st_size > MOST_BYTES:
                raise SourceChanged(f"{path.name}: larger than 500 MB", f"{path.name}: lebih besar dari 500 MB", step="read")
            yield from _file(reading, options, file, path.name, status.st_mtime)


def _files(root: Path, options: TabularOptions) -> list[Path]:
    """The files meant, oldest first. Raises ``SourceUnavailable`` when there is none."""
    assert options.path is not None
    place = root / options.path
    if place.is_dir():
        found = [path for path in place.iterdir() if path.suffix.lower() in SUFFIXES[options.format]]
    elif any(mark in options.path for mark in "*?["):
        found = list(root.glob(options.path))
    else:
        found = [place] if place.exists() or place.is_symlink() else []
    found = [path for path in found if not path.name.startswith((".", "~"))]
    if not found:
        raise SourceUnavailable(
            f"no file at {options.path!r} below the drop folder; has it been delivered?",
            f"tidak ada berkas di {options.path!r} dalam folder kiriman; apakah sudah dikirim?", step="connect",
        )
    return sorted(found, key=lambda path: (path.lstat().st_mtime, path.name))


def _opened(path: Path, root: Path) -> IO[bytes]:
    """A regular file below the root, opened without following links. Raises ``SourceChanged`` for anything else."""
    try:
        if not path.parent.resolve().is_relative_to(root.resolve()):
            raise OSError("outside the drop folder")
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as err:
        raise SourceChanged(
            f"{path.name}: cannot be opened ({err.strerror or err}); links and paths outside the drop folder are refused",
            f"{path.name}: tidak dapat dibuka ({err.strerror or err}); tautan dan jalur di luar folder kiriman ditolak", step="connect",
        ) from err
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise SourceChanged(f"{path.name}: not a regular file", f"{path.name}: bukan berkas biasa", step="connect")
    return os.fdopen(number, "rb")


def _file(
    reading: Reading, options: TabularOptions, file: IO[bytes], name: str, modified: float | None
) -> Iterator[Page]:
    rows = _csv(options, file, name) if options.format == "csv" else _xlsx(options, file, name)
    page: list[dict[str, Any]] = []
    lines: list[int] = []
    broken: list[tuple[int, str]] = []
    header: list[str] | None = None
    keep: list[tuple[int, str]] = []
    for line, row in rows:
        if header is None:
            header = [str(cell).strip() for cell in row]
            keep = [(number, column) for number, column in enumerate(header) if column in reading.wanted]
            if not keep:
                raise SourceChanged(
                    f"{name}: none of the mapped columns is in row {line}; check header_row and delimiter",
                    f"{name}: tidak ada kolom yang dipetakan di baris {line}; periksa header_row dan delimiter", step="parse",
                )
            continue
        if not any(cell not in ("", None) for cell in row):
            continue
        if len(row) != len(header):
            broken.append((line, "ragged"))
        else:
            page.append({column: row[number] for number, column in keep})
            lines.append(line)
        if len(page) + len(broken) >= ROWS_A_PAGE:
            yield Page(rows=page, lines=lines, broken=broken, position={"file": name, "line": line}, published_at=modified)
            page, lines, broken = [], [], []
            if time.monotonic() > reading.deadline:
                raise SourceUnavailable(f"{name}: not read to its end before the run's deadline", f"{name}: belum terbaca habis sampai batas waktu")
    if header is None:
        raise SourceChanged(f"{name}: the file is empty, without a header", f"{name}: berkas kosong, tanpa baris judul", step="parse")
    yield Page(rows=page, lines=lines, broken=broken, position={"file": name, "line": None}, published_at=modified)


def _csv(options: TabularOptions, file: IO[bytes], name: str) -> Iterator[tuple[int, list[Any]]]:
    csv.field_size_limit(LONGEST_FIELD)
    text = io.TextIOWrapper(file, encoding=options.encoding, errors="strict", newline="")
    reader = csv.reader(text, delimiter=options.delimiter, strict=True)
    try:
        for row in reader:
            if reader.line_num >= options.header_row:
                yield reader.line_num, row
    except UnicodeDecodeError as err:
        raise SourceChanged(
            f"{name}: not {options.encoding} text after line {reader.line_num}; declare its encoding",
            f"{name}: bukan teks {options.encoding} setelah baris {reader.line_num}; nyatakan encoding-nya", step="parse",
        ) from err
    except csv.Error as err:
        raise SourceChanged(
            f"{name}: broken CSV at line {reader.line_num}; check quotes and delimiter",
            f"{name}: CSV rusak di baris {reader.line_num}; periksa tanda kutip dan pemisah", step="parse",
        ) from err
    finally:
        text.detach()


def _xlsx(options: TabularOptions, file: IO[bytes], name: str) -> Iterator[tuple[int, list[Any]]]:
    head = file.read(8)
    file.seek(0)
    if head[:2] == b"PK":
        try:
            with zipfile.ZipFile(file) as packed:
                unpacked = sum(entry.file_size for entry in packed.infolist())
                wire = sum(entry.compress_size for entry in packed.infolist())
        except zipfile.BadZipFile as err:
            raise SourceUnavailable(f"{name}: the workbook is not complete yet", f"{name}: berkas belum lengkap", step="read") from err
        if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(wire, 1):
            raise SourceChanged(f"{name}: the workbook unpacks to too much", f"{name}: berkas mengembang terlalu besar", step="parse")
        file.seek(0)
    elif head[:4] != b"\xd0\xcf\x11\xe0":
        kind = "HTML" if head.lstrip()[:1] == b"<" else "unknown"
        raise SourceChanged(f"{name}: not a workbook but {kind}", f"{name}: bukan berkas lembar kerja ({kind})", step="parse")
    try:
        book = CalamineWorkbook.from_filelike(file)  # type: ignore[arg-type]
        sheet = book.get_sheet_by_name(options.sheet) if options.sheet else book.get_sheet_by_index(0)
        for number, row in enumerate(sheet.iter_rows(), start=(sheet.start or (0, 0))[0] + 1):
            if number >= options.header_row:
                yield number, list(row)
    except (SourceChanged, SourceUnavailable):
        raise
    except Exception as err:  # the reader's own kinds: password, bad sheet, broken file
        raise SourceChanged(
            f"{name}: the workbook cannot be read ({type(err).__name__}); encrypted, or without the sheet?",
            f"{name}: berkas tidak dapat dibaca ({type(err).__name__}); terenkripsi, atau tanpa lembar itu?", step="parse",
        ) from err


CONNECTORS.register("tabular")(Connector(TabularOptions, read_tabular))
