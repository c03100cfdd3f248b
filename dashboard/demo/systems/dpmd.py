"""DPMD: letters asked for in the villages, in the merged database of their OpenSID systems (a SQLite file here).

``permohonan_surat`` has one row per request, its village by ``config_id``, one status number and two stamps: what is ready
was ready when the row last changed. Names and telephones stand in ``isian_form`` and ``no_hp_aktif``.
"""

from __future__ import annotations

from dashboard.demo.book import Book
from dashboard.demo.cases import CANCELLED, DELETED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import DAY, WORKING_DAY_MINUTES, local
from dashboard.demo.people import person
from dashboard.demo.places import DISTRICTS, village_code
from dashboard.demo.system import Premises, System
from dashboard.demo.tables import Database

FILE = "openkab.sqlite"
FUTURE = "future-row"
_STATUS = {SUBMITTED: 1, VERIFIED: 2, DONE: 3, CANCELLED: 5}
_LETTERS = ("SK_USAHA", "SK_DOMISILI", "SKTM", "SK_LAHIR")
_CREATE = """
CREATE TABLE IF NOT EXISTS config (id INTEGER PRIMARY KEY, kode_desa TEXT);
CREATE TABLE IF NOT EXISTS permohonan_surat (
  id TEXT PRIMARY KEY, config_id INTEGER, id_surat TEXT, status INTEGER, created_at TEXT, updated_at TEXT, no_antrian TEXT,
  no_hp_aktif TEXT, isian_form TEXT
);
CREATE INDEX IF NOT EXISTS permohonan_surat_diubah ON permohonan_surat (updated_at);
"""


class Dpmd(System):
    """The villages' letters."""

    name = "dpmd"
    streams = tuple(
        Stream(letter, per_day, promise=WORKING_DAY_MINUTES, late=late, deletes=False)
        for letter, per_day, late in zip(_LETTERS, (16, 12, 9, 5), (0.05, 0.06, 0.08, 0.12), strict=True)
    )

    def __init__(self, book: Book, premises: Premises) -> None:
        super().__init__(book, premises)
        self._database = Database(premises.folder / FILE, _CREATE)
        villages = [
            (self._village(100 * index + number), village_code(100 * index + number, dots=False))
            for index, district in enumerate(DISTRICTS) for number in range(1, district.villages + 1)
        ]
        self._database.replace("config", "id", [], villages, whole=True)
        self._shown = False

    @staticmethod
    def _village(where: int) -> int:
        return where

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One request for a letter."""
        who = person(case.number)
        changed = state.ended if state.ended is not None and state.status in (DONE, CANCELLED) else state.at
        return {
            "id": case.number, "config_id": self._village(case.place), "id_surat": case.stream.key,
            "status": _STATUS[state.status], "created_at": _stamp(state.submitted), "updated_at": _stamp(max(changed, state.at)),
            "no_antrian": case.number[-4:], "no_hp_aktif": who.phone, "isian_form": f"{who.name}, NIK {who.nik}, {who.address}",
        }

    def show(self, changed: list[int]) -> None:
        """The requests that changed, in one transaction."""
        if not changed and self._shown:
            return
        whole, self._shown = not self._shown, True
        alive = [entry for entry in changed if self.book.states[entry].status != DELETED]
        rows = [tuple(row.values()) for row in self.rows(alive)]
        numbers = [self.book.cases[entry].number for entry in changed]
        self._database.replace("permohonan_surat", "id", numbers, rows, whole=whole)

    def manners(self, before: str) -> None:
        """A clerk's wrong year: a request of the day after tomorrow, until he notices."""
        if self.misbehaviour == FUTURE:
            at = _stamp(int(self.now) + 2 * DAY)
            row = ("SALAH-TANGGAL", 1, _LETTERS[0], 1, at, at, "1", "", "")
            self._database.replace("permohonan_surat", "id", ["SALAH-TANGGAL"], [row], whole=False)
        elif before == FUTURE:
            self._database.replace("permohonan_surat", "id", ["SALAH-TANGGAL"], [], whole=False)


def _stamp(at: int) -> str:
    return local(at).isoformat(" ")
