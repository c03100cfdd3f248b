"""The open data portal of Diskominfo-SP, a CKAN: the environment office publishes its waste pick-ups in its datastore.

``GET /api/3/action/datastore_search?resource_id=&limit=&offset=&sort=`` → ``{"success": true, "result": {"records", "total"}}``;
the key in ``Authorization``, without a word before it. Published rows hold nobody's name.
"""

from __future__ import annotations

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import WORKING_DAY_MINUTES, local
from dashboard.demo.places import district_name
from dashboard.demo.system import System
from dashboard.demo.web import NOT_FOUND, Answer, Request

RESOURCE = "6f1c2a3e-7d55-4f0b-9c57-angkut-sampah"
_STATUS = {SUBMITTED: "Diterima", VERIFIED: "Dijadwalkan", DONE: "Selesai", CANCELLED: "Batal"}
_TYPES = {"_id": "int", "nomor": "text", "layanan": "text", "kecamatan": "text", "masuk": "timestamp", "selesai": "timestamp",
          "status": "text", "diubah": "timestamp"}
_REFUSED = Answer({"success": False, "error": {"__type": "Authorization Error", "message": "Access denied"}}, 403)
_ABSENT = Answer({"success": False, "error": {"__type": "Not Found Error", "message": "Not found: Resource"}}, 404)


class Satudata(System):
    """The portal."""

    name = "satudata"
    streams = (
        Stream("ANGKUT", 12, "online", promise=2 * WORKING_DAY_MINUTES, late=0.07, deletes=False),
        Stream("POHON", 3, promise=5 * WORKING_DAY_MINUTES, late=0.1, deletes=False),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One record, without its ``_id``."""
        return {
            "nomor": case.number, "layanan": case.stream.key, "kecamatan": district_name(case.place),
            "masuk": local(state.submitted).isoformat(), "selesai": local(state.ended).isoformat() if state.ended else None,
            "status": _STATUS[state.status], "diubah": local(state.at).isoformat(),
        }

    def answer(self, request: Request) -> Answer:
        """A slice of the table with its columns and the number of all rows."""
        if request.path != "/api/3/action/datastore_search":
            return NOT_FOUND
        if request.headers.get("authorization") != self.premises.token:
            return _REFUSED
        if request.query.get("resource_id") != RESOURCE:
            return _ABSENT
        entries = list(self.book.entries())
        size, offset = request.size("limit", 100), request.number("offset", 0)
        chosen = entries[offset : offset + size]
        records = [{"_id": entry + 1, **row} for entry, row in zip(chosen, self.rows(chosen), strict=True)]
        fields = [{"id": name, "type": kind} for name, kind in _TYPES.items()]
        return Answer({
            "help": f"{request.origin}/api/3/action/help_show?name=datastore_search", "success": True,
            "result": {
                "resource_id": RESOURCE, "include_total": True, "fields": fields, "records": records, "total": len(entries),
                "limit": size, "offset": offset,
            },
        })
