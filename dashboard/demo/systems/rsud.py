"""RSUD Andi Djemma: visits by JSON with a cursor, behind a token in a header of its own.

``GET /api/v1/kunjungan?limit=&cursor=&terdaftar_sejak=`` → ``{"kunjungan": […], "meta": {"next_cursor", "jumlah"}}``.
Clinics in the morning, the emergency ward at all hours; ``waktu_panggil`` is when the patient was called. A visit of
somebody who did not answer is "Batal". Once in a while nobody is called for 20-35 minutes.
"""

from __future__ import annotations

import base64

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import local
from dashboard.demo.people import person
from dashboard.demo.places import village_code
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, instant

_STATUS = {SUBMITTED: "Belum", VERIFIED: "Dilayani", DONE: "Sudah", CANCELLED: "Batal"}
_DESK = (("Loket", 6.0), ("Mobile JKN", 4.0))


def _clinic(key: str, per_day: float, counters: int, serving: float) -> Stream:
    return Stream(
        key,
        per_day,
        "clinic",
        "visit",
        promise=60,
        worked=False,
        channels=_DESK,
        cancelled=0.04,
        outside=0.05,
        counters=counters,
        serving=serving,
        stalls=True, lead=0,
    )


class Rsud(System):
    """The regency's hospital in Masamba."""

    name = "rsud"
    streams = (
        _clinic("POL-PDL", 53, 1, 5.4),
        _clinic("POL-ANA", 36, 1, 7.6),
        _clinic("POL-OBG", 33, 1, 8.0),
        _clinic("POL-BED", 29, 1, 8.2),
        _clinic("POL-MAT", 23, 1, 8.2),
        Stream(
            "IGDK",
            48,
            "emergency",
            "visit",
            promise=240,
            worked=False,
            channels=(("Loket", 1.0),),
            cancelled=0.01,
            outside=0.06,
            counters=4,
            serving=22.0, lead=0,
        ),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One visit, patient and all."""
        who = person(case.number)
        return {
            "no_rawat": case.number,
            "no_rkm_medis": f"RM{who.nik[-8:]}",
            "nm_pasien": who.name,
            "nik": who.nik,
            "no_telp": who.phone,
            "kd_poli": case.stream.key,
            "nm_poli": _NAMES[case.stream.key],
            "sumberdata": case.channel,
            "kode_wilayah": village_code(case.place),
            "waktu_daftar": _iso(state.submitted),
            "waktu_panggil": _iso(state.accepted),
            "waktu_selesai": _iso(state.ended),
            "stts": _STATUS[state.status],
        }

    def answer(self, request: Request) -> Answer:
        """The visits after the cursor, in the order in which they were registered."""
        if request.path != "/api/v1/kunjungan":
            return NOT_FOUND
        if request.headers.get("x-token") != self.premises.token:
            return DENIED
        since = request.query.get("terdaftar_sejak")
        least, size = instant(since) if since else 0.0, request.size("limit", 100)
        after = _entry(request.query.get("cursor", ""))
        found: list[int] = []
        for entry in self.book.entries(after):
            if self.book.states[entry].submitted >= least:
                if len(found) == size:
                    return self._page(found, _cursor(found[-1]))
                found.append(entry)
        return self._page(found, None)

    def _page(self, found: list[int], cursor: str | None) -> Answer:
        return Answer({"kunjungan": self.rows(found), "meta": {"next_cursor": cursor, "jumlah": len(found)}})


_NAMES = {
    "POL-PDL": "Poli Penyakit Dalam",
    "POL-ANA": "Poli Anak",
    "POL-OBG": "Poli Kandungan",
    "POL-BED": "Poli Bedah",
    "POL-MAT": "Poli Mata",
    "IGDK": "Instalasi Gawat Darurat",
}


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat() + "+08:00"


def _cursor(entry: int) -> str:
    return base64.urlsafe_b64encode(f"k{entry}".encode()).decode().rstrip("=")


def _entry(cursor: str) -> int:
    """The entry a cursor stands for; -1 for none. Raises ``ValueError`` for one that was never given out."""
    if not cursor:
        return -1
    text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii", "replace")
    return int(text.removeprefix("k"))
