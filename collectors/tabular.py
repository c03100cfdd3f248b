"""CSV and XLSX: a file, a folder or a pattern below the drop root, or an address. Read as text, never evaluated."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import Field, field_validator, model_validator

from collectors.auth import Auth, credentials
from collectors.connector import CONNECTORS, Connector, Options, Page, Reading, Row
from collectors.drops import by_content, delivered, opened, wait_until_settled
from collectors.http import Client
from collectors.sheets import Line, csv_lines, workbook_lines
from dashboard.errors import SourceChanged, SourceUnavailable

ROWS_A_PAGE = 2_000
SUFFIXES = {"csv": (".csv", ".txt", ".tsv"), "xlsx": (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")}


class TabularOptions(Options):
    """``path`` below the drop root (a file, a folder, or a pattern), or ``url``. ``header_row`` counts from 1.

    ``returns``: a workbook with faults comes back as a marked copy below ``kembali`` (:mod:`collectors.returned`).
    ``done_marker``: only files beside which the sender put ``<name>.done``. ``auth``, ``headers`` and ``ca_file`` go with ``url``.
    """

    path: str | None = None
    url: str | None = None
    format: Literal["csv", "xlsx"] = "csv"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: str = "utf-8-sig"
    sheet: str | None = None
    header_row: int = Field(1, ge=1, le=100)
    done_marker: bool = False
    returns: bool = False
    auth: Auth = Auth()
    headers: dict[str, str] = Field(default_factory=dict)
    ca_file: str | None = None

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError as err:
            raise ValueError(f"no encoding {value!r}") from err
        return value

    @model_validator(mode="after")
    def _one_place(self) -> TabularOptions:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either path or url")
        if self.returns and (self.path is None or self.format != "xlsx"):
            raise ValueError("returns needs a path, and format = \"xlsx\"")
        if self.path is not None and (Path(self.path).is_absolute() or ".." in Path(self.path).parts):
            raise ValueError("path must lie below the drop root")
        return self


def read_tabular(reading: Reading) -> Iterator[Page]:
    """Pages of rows by column name, file by file, the oldest first. ``published_at`` is a file's mtime.

    Raises ``SourceChanged`` when a newer file lacks a mapped column that an older one had.
    """
    options: TabularOptions = reading.options
    if options.url is not None:
        with Client(options.url, networks=reading.networks, deadline=reading.deadline, ca_file=options.ca_file) as client:
            headers, auth = credentials(options.auth, reading.secret)
            answer = client.get(options.url, headers={**options.headers, **headers}, auth=auth)
        yield from _Table(reading, answer.where, None).pages(io.BytesIO(answer.body))
        return
    assert options.path is not None
    files = delivered(reading.drop, options.path, SUFFIXES[options.format], done_marker=options.done_marker)
    wait_until_settled(files, reading.deadline)
    had: set[str] = set()
    for path, digest, modified in by_content(files, reading.drop, reading.files):
        with opened(path, reading.drop) as file:
            table = _Table(reading, path.name, modified, frozenset(had))
            for page in table.pages(file):
                yield replace(page, files={digest: modified})
            had |= table.had


class _Table:
    """One delivered table on its way to pages."""

    def __init__(self, reading: Reading, name: str, modified: float | None, expected: frozenset[str] = frozenset()) -> None:
        self.reading, self.options, self.name, self.modified, self.expected = reading, reading.options, name, modified, expected
        self.had: set[str] = set()

    def pages(self, file: BinaryIO) -> Iterator[Page]:
        """The rows in pages; rows of another length than the header, or unreadable ones, are put aside by line."""
        header: list[str] | None = None
        keep: list[tuple[int, str]] = []
        rows: list[Row] = []
        lines: list[int] = []
        broken: list[tuple[int, str]] = []
        for line, cells in self._lines(file):
            if header is None:
                if line < self.options.header_row:
                    continue
                header = self._header(cells, line)
                keep = [(number, column) for number, column in enumerate(header) if column in self.reading.wanted]
                continue
            if isinstance(cells, str):
                broken.append((line, cells))
            elif not any(cell not in ("", None) for cell in cells) or cells == header:
                continue
            elif len(cells) != len(header):
                broken.append((line, f"{len(cells)} cells instead of {len(header)}"))
            else:
                rows.append({column: cells[number] for number, column in keep})
                lines.append(line)
            if len(rows) + len(broken) >= ROWS_A_PAGE:
                yield self._page(header, rows, lines, broken)
                rows, lines, broken = [], [], []
                self._in_time()
        if header is None:
            raise SourceChanged(
                f"{self.name}: no header in row {self.options.header_row}; check header_row",
                f"{self.name}: tidak ada judul di baris {self.options.header_row}; periksa header_row", step="parse",
            )
        yield self._page(header, rows, lines, broken)

    def _lines(self, file: BinaryIO) -> Iterator[Line]:
        if self.options.format == "csv":
            return csv_lines(file, self.name, encoding=self.options.encoding, delimiter=self.options.delimiter)
        return workbook_lines(file, self.name, sheet=self.options.sheet)

    def _header(self, cells: list[Any] | str, line: int) -> list[str]:
        """The column names. Raises ``SourceChanged`` when none is mapped, one stands twice, or one is gone since an older file."""
        header = [str(cell).strip() for cell in cells] if not isinstance(cells, str) else []
        self.had = set(header) & self.reading.wanted
        twice = {column for column in self.had if header.count(column) > 1}
        gone = self.expected - self.had
        if not self.had:
            self._changed(f"none of the mapped columns is in row {line}; check header_row and delimiter",
                          f"tidak ada kolom yang dipetakan di baris {line}; periksa header_row dan delimiter")
        if twice:
            self._changed(f"the column {min(twice)!r} stands twice; rename one of them",
                          f"kolom {min(twice)!r} ada dua kali; ganti nama salah satunya")
        if gone:
            self._changed(f"the column {min(gone)!r} is gone, which an older file had; mend the mapping",
                          f"kolom {min(gone)!r} hilang, padahal ada di berkas lama; perbaiki pemetaan")
        return header

    def _changed(self, en: str, id: str) -> None:
        raise SourceChanged(f"{self.name}: {en}", f"{self.name}: {id}", step="parse")

    def _page(
        self, header: list[str], rows: list[Row], lines: list[int], broken: list[tuple[int, str]]
    ) -> Page:
        position = {"file": self.name, "line": lines[-1] if lines else None}
        return Page(
            rows=rows, lines=lines, broken=broken, position=position, published_at=self.modified, columns=frozenset(header)
        )

    def _in_time(self) -> None:
        if time.monotonic() > self.reading.deadline:
            raise SourceUnavailable(
                f"{self.name}: not read to its end before the run's deadline; deliver it in parts, or declare a longer deadline",
                f"{self.name}: belum terbaca habis sampai batas waktu; kirim dalam bagian, atau nyatakan deadline lebih panjang",
                step="read",
            )


CONNECTORS.register("tabular")(Connector(TabularOptions, read_tabular))
