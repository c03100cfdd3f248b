"""Disdukcapil: a SQL database of the agency's own (a SQLite file), written by its process as the day goes.

Table ``permohonan``: local stamps without offset, soft statuses, ``diubah_pada``; and names, NIK, telephones that
nobody may collect. Rows entered twice are deleted for good.
"""

from __future__ import annotations

import sqlite3

from dashboard.demo.book import Book
from dashboard.demo.cases import CANCELLED, DELETED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import local
from dashboard.demo.people import person
from dashboard.demo.places import village_code
from dashboard.demo.system import Premises, System

FILE = "siak.sqlite"
_DESK = (("LOKET", 6.0), ("ONLINE", 2.0), ("PILDACIL", 1.5), ("JEMPUT BOLA", 0.5))
_STATUS = {SUBMITTED: "DIAJUKAN", VERIFIED: "DIPROSES", DONE: "SELESAI", CANCELLED: "BATAL"}
_COLUMNS = (
    "no_registrasi",
    "nik",
    "nama_pemohon",
    "no_hp",
    "alamat",
    "jenis_layanan",
    "kanal",
    "kode_desa",
    "tgl_ajuan",
    "tgl_verifikasi",
    "tgl_selesai",
    "status_permohonan",
    "dibuat_pada",
    "diubah_pada",
)
_CREATE = f"""
CREATE TABLE IF NOT EXISTS permohonan (
  no_registrasi TEXT PRIMARY KEY, {", ".join(f"{name} TEXT" for name in _COLUMNS[1:])}
)"""
_UPSERT = f"INSERT OR REPLACE INTO permohonan VALUES ({', '.join('?' * len(_COLUMNS))})"


class Disdukcapil(System):
    """The population register's service desk.

    Shares that are late count 450 minutes of work; the promise itself ends with the next working day, so fewer miss it.
    """

    name = "disdukcapil"
    streams = (
        Stream("KTP", 122, late=0.06, spread=0.6, channels=(("LOKET", 7.0), ("PILDACIL", 2.0), ("JEMPUT BOLA", 1.0))),
        Stream("KK", 86, late=0.20, spread=0.8, channels=_DESK),
        Stream("AKTA_LAHIR", 38, late=0.16, channels=_DESK),
        Stream("AKTA_MATI", 15, late=0.10, channels=_DESK),
        Stream("KIA", 32, late=0.15, channels=_DESK),
        Stream("PINDAH", 24, late=0.13, channels=_DESK),
        Stream("KK_DARING", 14, "online", late=0.26, channels=(("ONLINE", 1.0),)),
    )

    def __init__(self, book: Book, premises: Premises) -> None:
        super().__init__(book, premises)
        self._database = sqlite3.connect(premises.folder / FILE, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(_CREATE)
        self._database.execute("CREATE INDEX IF NOT EXISTS permohonan_diubah ON permohonan (diubah_pada)")
        self._shown = False

    def row(self, case: Case, state: State) -> dict[str, object]:
        """A row of ``permohonan``, in the order of its columns."""
        who = person(case.number)
        ended = state.ended if state.status in (DONE, CANCELLED) else None
        values = (
            case.number,
            who.nik,
            who.name,
            who.phone,
            who.address,
            case.stream.key.removesuffix("_DARING"),
            case.channel,
            village_code(case.place, dots=False),
            _stamp(state.submitted),
            _stamp(state.accepted),
            _stamp(ended),
            _STATUS[state.status],
            _stamp(case.states[0].at),
            _stamp(state.at),
        )
        return dict(zip(_COLUMNS, values, strict=True))

    def show(self, changed: list[int]) -> None:
        """One transaction; after a start it also removes what an unclean end may have left behind."""
        if not changed and self._shown:
            return
        states, cases = self.book.states, self.book.cases
        gone = [(cases[entry].number,) for entry in changed if states[entry].status == DELETED]
        rows = self.rows([entry for entry in changed if states[entry].status != DELETED])
        self._database.execute("BEGIN IMMEDIATE")
        if not self._shown:
            self._database.execute("DELETE FROM permohonan")
        self._database.executemany(_UPSERT, [tuple(row.values()) for row in rows])
        self._database.executemany("DELETE FROM permohonan WHERE no_registrasi = ?", gone)
        self._database.execute("COMMIT")
        self._shown = True


def _stamp(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat(" ")
