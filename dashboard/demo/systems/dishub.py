"""Dishub: vehicle tests, route permits and broken street lamps, by JSON with offsets.

``GET /layanan?offset=&limit=&diubah_sejak=`` → ``{"rows": […], "jumlah": N}`` behind a user and a password.
"""

from __future__ import annotations

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import WORKING_DAY_MINUTES, local
from dashboard.demo.people import person
from dashboard.demo.places import district_name
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, basic, instant

USER = "pusatkendali"
_STATUS = {SUBMITTED: "MASUK", VERIFIED: "PROSES", DONE: "SELESAI", CANCELLED: "BATAL"}


class Dishub(System):
    """The transport office."""

    name = "dishub"
    streams = (
        Stream("KIR", 34, promise=120, late=0.08, spread=0.5, channels=(("loket", 1.0),)),
        Stream("TRAYEK", 6, promise=3 * WORKING_DAY_MINUTES, late=0.1, channels=(("loket", 3.0), ("web", 1.0))),
        Stream(
            "PJU",
            13,
            "emergency",
            promise=2 * WORKING_DAY_MINUTES,
            late=0.14,
            spread=0.9,
            channels=(("telepon", 5.0), ("wa", 4.0)),
        ),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One request; the applicant in an object of its own."""
        who = person(case.number)
        return {
            "no": case.number,
            "pemohon": {"nama": who.name, "nik": who.nik, "hp": who.phone},
            "layanan": case.stream.key,
            "kanal": case.channel,
            "kecamatan": district_name(case.place),
            "masuk": local(state.submitted).isoformat(),
            "selesai": local(state.ended).isoformat() if state.ended else "-",
            "status": _STATUS[state.status],
            "diubah": local(state.at).isoformat(),
        }

    def answer(self, request: Request) -> Answer:
        """The requests from an offset on."""
        if request.path != "/layanan":
            return NOT_FOUND
        if not basic(request, USER, self.premises.token):
            return DENIED
        since = request.query.get("diubah_sejak")
        least = instant(since) if since else 0.0
        entries = [entry for entry in self.book.entries() if self.book.states[entry].at >= least]
        size, offset = request.size("limit", 100), request.number("offset", 0)
        return Answer({"rows": self.rows(entries[offset : offset + size]), "jumlah": len(entries)})
