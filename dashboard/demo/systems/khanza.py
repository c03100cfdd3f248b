"""RSUD's pharmacy as SIMRS Khanza keeps it: one row per stage of a visit (BPJS task ids), in a SQL table.

``referensi_mobilejkn_bpjs_taskid (no_rawat, taskid, waktu)``: 5 leaves the clinic, 6 medicine is prepared, 7 it is ready,
99 nobody came. Local stamps without offset; the rows of a visit that BPJS refused are deleted and sent again.
"""

from __future__ import annotations

from dashboard.demo.book import Book
from dashboard.demo.cases import CANCELLED, DELETED, DONE, Case, State, Stream
from dashboard.demo.hours import local
from dashboard.demo.people import person
from dashboard.demo.system import Premises, System
from dashboard.demo.tables import Database

FILE = "sik.sqlite"
TABLE = "referensi_mobilejkn_bpjs_taskid"
_CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (no_rawat TEXT, taskid TEXT, waktu TEXT, PRIMARY KEY (no_rawat, taskid));
CREATE TABLE IF NOT EXISTS pasien (no_rawat TEXT PRIMARY KEY, nm_pasien TEXT, no_ktp TEXT, no_tlp TEXT);
"""


class Khanza(System):
    """The hospital's pharmacy queue."""

    name = "khanza"
    streams = (
        Stream(
            "FARMASI", 58, "clinic", "visit", promise=30, worked=False, cancelled=0.02, counters=3, serving=9.0, lead=0,
        ),
    )

    def __init__(self, book: Book, premises: Premises) -> None:
        super().__init__(book, premises)
        self._database = Database(premises.folder / FILE, _CREATE)
        self._shown = False

    def row(self, case: Case, state: State) -> dict[str, object]:
        """The stages of a visit so far: task id → instant."""
        stages = {"5": state.submitted, "6": state.accepted, "7" if state.status == DONE else "99": state.ended}
        if state.status not in (DONE, CANCELLED):
            stages.pop("99")
        return {task: at for task, at in stages.items() if at is not None}

    def show(self, changed: list[int]) -> None:
        """The stages of every visit that changed, anew."""
        if not changed and self._shown:
            return
        whole, self._shown = not self._shown, True
        cases = [(self.book.cases[entry], self.book.states[entry]) for entry in changed]
        alive = [(case, state) for case, state in cases if state.status != DELETED]
        rows = [
            (case.number, task, local(float(str(at))).isoformat(" "))
            for case, state in alive for task, at in self.row(case, state).items()
        ]
        numbers = [case.number for case, _ in cases]
        people = [(case.number, *person(case.number)[:3]) for case, _ in alive]
        self._database.replace("pasien", "no_rawat", numbers, people, whole=whole)
        self._database.replace(TABLE, "no_rawat", numbers, rows, whole=whole)
