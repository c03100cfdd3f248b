"""Disnakertrans: job seekers' cards and trainings, a bare list whose next page is named in the ``Link`` header.

``GET /api/pencaker?halaman=&jumlah=&berubah_sejak=`` behind a key in ``X-Api-Key``.
"""

from __future__ import annotations

from urllib.parse import urlencode

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import WORKING_DAY_MINUTES, local
from dashboard.demo.people import person
from dashboard.demo.places import district_name
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, instant

_STATUS = {SUBMITTED: "baru", VERIFIED: "verifikasi", DONE: "terbit", CANCELLED: "batal"}
_DESK = (("loket", 6.0), ("siapkerja", 4.0))


class Disnakertrans(System):
    """The manpower office."""

    name = "disnakertrans"
    streams = (
        Stream("AK1", 21, promise=WORKING_DAY_MINUTES, late=0.05, channels=_DESK, deletes=False),
        Stream("PELATIHAN", 6, promise=5 * WORKING_DAY_MINUTES, late=0.1, channels=_DESK, deletes=False),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One job seeker's request."""
        who = person(case.number)
        return {
            "nomor": case.number, "nama": who.name, "nik": who.nik, "hp": who.phone, "layanan": case.stream.key,
            "kanal": case.channel, "kecamatan": district_name(case.place), "didaftar": _iso(state.submitted),
            "diterbitkan": _iso(state.ended), "status": _STATUS[state.status], "diubah": _iso(state.at),
        }

    def answer(self, request: Request) -> Answer:
        """A page of the list; the next one's address goes with it."""
        if request.path != "/api/pencaker":
            return NOT_FOUND
        if request.headers.get("x-api-key") != self.premises.token:
            return DENIED
        since = request.query.get("berubah_sejak")
        least = instant(since) if since else 0.0
        entries = [entry for entry in self.book.entries() if self.book.states[entry].at >= least]
        size, page = request.size("jumlah", 100), max(1, request.number("halaman", 1))
        headers = {}
        if page * size < len(entries):
            query = urlencode({**request.query, "halaman": str(page + 1)})
            headers["Link"] = f'<{request.origin}{request.path}?{query}>; rel="next"'
        return Answer(self.rows(entries[(page - 1) * size : page * size]), headers=headers)


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat() + "+08:00"
