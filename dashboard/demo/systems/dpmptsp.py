"""DPMPTSP: a JSON interface in the manner of SiCantik: numbered pages behind a bearer token.

``GET /api/permohonan?page=&per_page=&updated_since=`` → ``{"success", "data": […], "total", "page", "last_page"}``. A
date and a time in two columns; "0000-00-00" where there is none; a deleted application stays, as "DIHAPUS".
"""

from __future__ import annotations

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import WORKING_DAY_MINUTES, local
from dashboard.demo.people import person
from dashboard.demo.places import district_name
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, bearer, instant

_DAY = WORKING_DAY_MINUTES
_STATUS = {SUBMITTED: "Diajukan", VERIFIED: "Proses", DONE: "Terbit", CANCELLED: "Ditolak"}
_DESK = (("loket", 5.0), ("web", 5.0))


class Dpmptsp(System):
    """The one-stop licensing office."""

    name = "dpmptsp"
    streams = (
        Stream("NIB", 52, "online", promise=30, worked=False, late=0.04, channels=(("oss", 1.0),), deletes=False),
        Stream("PBG", 7, promise=28 * _DAY, lead=120, late=0.08, spread=0.5, channels=_DESK, deletes=False),
        Stream("SIP", 18, promise=5 * _DAY, lead=40, late=0.08, channels=_DESK, deletes=False),
        Stream("PKKPR", 8, promise=20 * _DAY, lead=90, late=0.12, spread=0.5, channels=_DESK, deletes=False),
        Stream("REKLAME", 11, promise=3 * _DAY, late=0.06, channels=_DESK, deletes=False),
        Stream("PENELITIAN", 17, promise=2 * _DAY, late=0.05, channels=_DESK, deletes=False),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One application, with the columns of a SiCantik template that left the personal ones in."""
        who = person(case.number)
        filed, ended = _two(state.submitted), _two(state.ended)
        return {
            "id": case.number,
            "no_permohonan": f"{case.number}/DPMPTSP",
            "jenis_izin": _NAMES[case.stream.key],
            "jenis_izin_id": case.stream.key,
            "jenis_permohonan": "Baru",
            "nama": who.name,
            "nik": who.nik,
            "alamat": who.address,
            "no_hp": who.phone,
            "email": f"{who.nik}@contoh.invalid",
            "kanal": case.channel,
            "tgl_pengajuan": filed[0],
            "tgl_pengajuan_time": filed[1],
            "tgl_selesai": ended[0],
            "tgl_selesai_time": ended[1],
            "status": _STATUS[state.status],
            "lokasi_izin": district_name(case.place),
            "tgl_diubah": local(state.at).isoformat() + "+08:00",
        }

    def answer(self, request: Request) -> Answer:
        """A numbered page, in the order in which applications were entered."""
        if request.path != "/api/permohonan":
            return NOT_FOUND
        if not bearer(request, self.premises.token):
            return DENIED
        since = request.query.get("updated_since")
        least = instant(since) if since else 0.0
        entries = [entry for entry in self.book.entries() if self.book.states[entry].at >= least]
        size, page = request.size("per_page", 100), max(1, request.number("page", 1))
        return Answer(
            {
                "success": True,
                "data": self.rows(entries[(page - 1) * size : page * size]),
                "total": len(entries),
                "page": page,
                "last_page": max(1, -(-len(entries) // size)),
            }
        )


_NAMES = {
    "NIB": "Nomor Induk Berusaha",
    "PBG": "Persetujuan Bangunan Gedung",
    "SIP": "Surat Izin Praktik Tenaga Kesehatan",
    "PKKPR": "Persetujuan Kesesuaian Kegiatan Pemanfaatan Ruang",
    "REKLAME": "Izin Reklame",
    "PENELITIAN": "Surat Keterangan Penelitian",
}


def _two(at: int | None) -> tuple[str, str]:
    """(date, time) as SiCantik prints them; zero dates stand for none."""
    if at is None:
        return "0000-00-00", "00:00:00"
    day, clock = local(at).isoformat().split("T")
    return day, clock
