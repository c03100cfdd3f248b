"""DPUTRKP2: reports of broken roads and drains by Open311 (GeoReport v2).

``GET /open311/v2/requests.json?start_date=&end_date=&updated_after=&updated_before=&page=&page_size=`` → a bare list, the newest
first, of the last ninety days unless dates say otherwise, and never more than a thousand; a key in ``api_key``.
``services.json`` names what can be reported.
"""

from __future__ import annotations

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import DAY, WORKING_DAY_MINUTES, local
from dashboard.demo.people import person
from dashboard.demo.places import district_name, village_code
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, instant

SPAN_DAYS = 90
_STATUS = {SUBMITTED: "open", VERIFIED: "open", DONE: "closed", CANCELLED: "closed"}
_NAMES = {"JALAN": "Jalan rusak", "DRAINASE": "Drainase tersumbat", "JEMBATAN": "Jembatan rusak"}


def _stream(key: str, per_day: float, days: float, late: float) -> Stream:
    return Stream(
        key, per_day, "online", promise=days * WORKING_DAY_MINUTES, late=late, spread=0.8, cancelled=0.0, deletes=False, lead=0
    )


class Dputrkp2(System):
    """The public works office."""

    name = "dputrkp2"
    streams = (_stream("JALAN", 9, 7, 0.1), _stream("DRAINASE", 5, 5, 0.08), _stream("JEMBATAN", 1, 14, 0.12))

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One service request in the words of the standard."""
        who = person(case.number)
        return {
            "service_request_id": case.number, "status": _STATUS[state.status], "service_code": case.stream.key,
            "service_name": _NAMES[case.stream.key], "agency_responsible": "DPUTRKP2", "service_notice": None,
            "description": f"Dilaporkan oleh {who.name}, NIK {who.nik}, {who.phone}",
            "requested_datetime": _iso(state.submitted), "updated_datetime": _iso(state.at),
            "closed_datetime": _iso(state.ended) if state.status == DONE else None, "address": who.address,
            "address_id": village_code(case.place), "zipcode": None, "district": district_name(case.place),
        }

    def answer(self, request: Request) -> Answer:
        """The list of requests, or the list of services."""
        if request.path == "/open311/v2/services.json":
            return Answer([
                {"service_code": key, "service_name": name, "metadata": False, "type": "realtime"} for key, name in _NAMES.items()
            ])
        if request.path != "/open311/v2/requests.json":
            return NOT_FOUND
        if request.query.get("api_key", request.headers.get("x-api-key")) != self.premises.token:
            return DENIED
        said = {
            name: instant(request.query[name]) for name in ("start_date", "end_date", "updated_after", "updated_before")
            if request.query.get(name)
        }
        last = said.get("end_date", self.now)
        first = said.get("start_date", 0.0 if "updated_after" in said else last - SPAN_DAYS * DAY)
        least, most = said.get("updated_after", 0.0), said.get("updated_before", self.now)
        entries = [
            entry for entry in self.book.entries()
            if first <= self.book.states[entry].submitted <= last and least <= self.book.states[entry].at <= most
        ][::-1]
        size, page = request.size("page_size", 1000), max(1, request.number("page", 1))
        return Answer(self.rows(entries[(page - 1) * size : page * size]))


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat() + "+08:00"
