"""Dinsos: an XLSX workbook for each month in a drop folder, rewritten every two minutes.

``layanan_2026-11.xlsx``, sheet "Register": a title, an empty row, the headings in the third row; dates are real cells.
The clerk corrects older months too; such a workbook is then written again.
"""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import date

import xlsxwriter

from dashboard.demo.book import Book
from dashboard.demo.cases import CANCELLED, DELETED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import WORKING_DAY_MINUTES, day_of, local
from dashboard.demo.people import person
from dashboard.demo.places import district_name
from dashboard.demo.system import Premises, System
from dashboard.demo.systems.dinkes import put

EVERY_SECONDS = 120
SHRUNK = "shrunk"
FOLDER, SHEET, HEADER_ROW = "dinsos", "Register", 3
_DAY = WORKING_DAY_MINUTES
_STATUS = {SUBMITTED: "Masuk", VERIFIED: "Proses", DONE: "Selesai", CANCELLED: "Ditolak"}
_COLUMNS = (
    "No Register",
    "NIK",
    "Nama",
    "No HP",
    "Alamat",
    "Jenis Layanan",
    "Kecamatan",
    "Cara Masuk",
    "Tanggal Masuk",
    "Tanggal Selesai",
    "Status",
)
_DESK = (("Loket", 6.0), ("Desa", 3.0), ("WhatsApp", 1.0))


class Dinsos(System):
    """The social office's register."""

    name = "dinsos"
    streams = (
        Stream("DTSEN", 24, promise=3 * _DAY, late=0.07, channels=_DESK),
        Stream("PBI", 17, promise=3 * _DAY, late=0.12, channels=_DESK),
        Stream("SKTM", 15, promise=1 * _DAY, late=0.06, channels=_DESK),
        Stream("BANSOS", 8, promise=5 * _DAY, lead=40, late=0.13, channels=_DESK),
        Stream("DISABILITAS", 3, promise=7 * _DAY, lead=40, late=0.08, channels=_DESK),
    )

    def __init__(self, book: Book, premises: Premises) -> None:
        super().__init__(book, premises)
        self._months: defaultdict[date, dict[int, None]] = defaultdict(dict)
        self._unwritten: set[date] = set()
        self._written_at = 0.0

    def row(self, case: Case, state: State) -> dict[str, object]:
        """A row of the register."""
        who = person(case.number)
        values = (
            case.number,
            who.nik,
            who.name,
            who.phone,
            who.address,
            _NAMES[case.stream.key],
            district_name(case.place),
            case.channel,
            local(state.submitted),
            local(state.ended) if state.ended else None,
            _STATUS[state.status],
        )
        return dict(zip(_COLUMNS, values, strict=True))

    def show(self, changed: list[int]) -> None:
        """Write the workbooks of the months that changed, and this month's in any case."""
        for entry in changed:
            month = day_of(self.book.cases[entry].states[0].at).replace(day=1)
            self._months[month][entry] = None
            self._unwritten.add(month)
        if self.now - self._written_at < EVERY_SECONDS:
            return
        folder = self.premises.drop / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for month in sorted(self._unwritten | {day_of(self.now).replace(day=1)}):
            entries = [entry for entry in self._months[month] if self.book.states[entry].status != DELETED]
            put(folder / f"layanan_{month:%Y-%m}.xlsx", self._workbook(month, self.rows(entries)))
        self._unwritten.clear()
        self._written_at = self.now

    def rows(self, entries: list[int]) -> list[dict[str, object]]:
        """The rows of the register; a clerk who filtered it before saving loses every second one."""
        return super().rows(entries[::2] if self.misbehaviour == SHRUNK else entries)

    def manners(self, before: str) -> None:
        """All workbooks are saved anew, with or without the filter."""
        if SHRUNK in (before, self.misbehaviour):
            self._unwritten, self._written_at = set(self._months), 0.0

    def _workbook(self, month: date, rows: list[dict[str, object]]) -> bytes:
        target = io.BytesIO()
        with xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm"}) as book:
            sheet = book.add_worksheet(SHEET)
            sheet.write_string(0, 0, f"REGISTER LAYANAN DINAS SOSIAL {month:%m/%Y} (DATA SIMULASI)")
            sheet.write_row(HEADER_ROW - 1, 0, _COLUMNS)
            for line, row in enumerate(rows, HEADER_ROW):
                sheet.write_row(line, 0, list(row.values()))
        return target.getvalue()


_NAMES = {
    "DTSEN": "Pemutakhiran DTSEN",
    "PBI": "Reaktivasi PBI JKN",
    "SKTM": "Rekomendasi SKTM",
    "BANSOS": "Bantuan Sosial",
    "DISABILITAS": "Alat Bantu Disabilitas",
}
