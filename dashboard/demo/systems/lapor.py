"""The shared complaints system at Diskominfo-SP: one list for all agencies, which it knows by name.

``GET /api/laporan?limit=&updated_since=`` → ``{"results": […], "next_url": "http://…" | null}``. ``klasifikasi`` is
known once a report is verified; "selesai" says by whom: followed up, or closed by itself after ten working days of
silence. The national channel brings some three reports a month; nearly all of these come by the regency's own WhatsApp
number and web page.
"""

from __future__ import annotations

from urllib.parse import urlencode

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import local
from dashboard.demo.people import person
from dashboard.demo.places import district_name
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, bearer, instant

_STATUS = {SUBMITTED: "Belum Diverifikasi", VERIFIED: "Proses", DONE: "Selesai", CANCELLED: "Arsip"}
_CHANNELS = (("WhatsApp", 6.0), ("Web", 3.0), ("Tatap muka", 1.5), ("SP4N-LAPOR!", 0.3))
_CLASSES = (
    ("Tidak Berkadar Pengawasan", 14.0, 6.0),
    ("Berkadar Pengawasan", 60.0, 0.8),
    ("Permintaan Informasi", 5.0, 2.0),
    ("Aspirasi", 5.0, 1.2),
)
AGENCIES = (
    ("Dinas Pekerjaan Umum, Tata Ruang, Perumahan, Kawasan Permukiman dan Pertanahan", 3.6),
    ("Dinas Kependudukan dan Pencatatan Sipil", 1.6),
    ("Dinas Lingkungan Hidup", 1.5),
    ("RSUD Andi Djemma", 1.2),
    ("Dinas Sosial", 1.4),
    ("Dinas Kesehatan", 0.9),
    ("Dinas Perhubungan", 1.1),
    ("Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu", 0.6),
    ("Dinas Pendidikan dan Kebudayaan", 0.8),
)


class Lapor(System):
    """The complaints desk."""

    name = "lapor"
    streams = (
        Stream(
            "ADUAN",
            14,
            "online",
            "complaint",
            lead=120,
            late=0.09,
            spread=0.8,
            channels=_CHANNELS,
            cancelled=0.05,
            classes=_CLASSES,
            agencies=AGENCIES,
            deletes=False,
        ),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One report, with the reporter and the free text that a collector must leave behind."""
        who, done = person(case.number), state.status == DONE
        return {
            "tracking_id": case.number,
            "instansi_tujuan": case.agency,
            "klasifikasi": state.class_,
            "kanal": case.channel,
            "kecamatan": district_name(case.place),
            "waktu_masuk": _iso(state.submitted),
            "waktu_verifikasi": _iso(state.accepted),
            "waktu_tanggapan": _iso(state.responded),
            "waktu_selesai": _iso(state.ended),
            "status": _STATUS[state.status],
            "ditutup": ("otomatis" if state.silent else "tindak lanjut") if done else None,
            "pelapor": who.name,
            "nik_pelapor": who.nik,
            "telepon": who.phone,
            "judul": f"Laporan dari {who.name}",
            "isi": f"Saya {who.name}, NIK {who.nik}, {who.address}, melaporkan ...",
            "diubah": _iso(state.at),
        }

    def answer(self, request: Request) -> Answer:
        """The reports after an entry, and the address of the next page."""
        if request.path != "/api/laporan":
            return NOT_FOUND
        if not bearer(request, self.premises.token):
            return DENIED
        since, size = request.query.get("updated_since"), request.size("limit", 100)
        least = instant(since) if since else 0.0
        after = request.number("setelah", 0) - 1
        entries = [entry for entry in self.book.entries(after) if self.book.states[entry].at >= least]
        body: dict[str, object] = {"results": self.rows(entries[:size]), "next_url": None}
        if len(entries) > size:
            query = {**request.query, "setelah": str(entries[size - 1] + 1)}
            body["next_url"] = f"{request.origin}{request.path}?{urlencode(query)}"
        return Answer(body)


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat() + "+08:00"
