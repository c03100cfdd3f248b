"""The open data portal of Diskominfo-SP, a CKAN: the environment office publishes its waste pick-ups in its datastore, and the
regency its figures (budget, property tax, indices), already added up.

``GET /api/3/action/datastore_search?resource_id=&limit=&offset=&sort=`` → ``{"success": true, "result": {"records", "total"}}``;
the key in ``Authorization``, without a word before it. Published rows hold nobody's name.
"""

from __future__ import annotations

from collections.abc import Callable

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import WORKING_DAY_MINUTES, local
from dashboard.demo.places import district_name
from dashboard.demo.published import rows
from dashboard.demo.system import System
from dashboard.demo.web import NOT_FOUND, Answer, Request

RESOURCE = "6f1c2a3e-7d55-4f0b-9c57-angkut-sampah"
FIGURES = "2b90d1c7-3a64-4c1e-8f0d-angka-terbitan"
_STATUS = {SUBMITTED: "Diterima", VERIFIED: "Dijadwalkan", DONE: "Selesai", CANCELLED: "Batal"}
_TYPES = {"_id": "int", "nomor": "text", "layanan": "text", "kecamatan": "text", "masuk": "timestamp", "selesai": "timestamp",
          "status": "text", "diubah": "timestamp"}
_FIGURE_TYPES = {"_id": "int", "ukuran": "text", "wilayah": "text", "periode": "date", "rentang": "text", "nilai": "numeric",
                 "terbit": "timestamp"}
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
        resource = request.query.get("resource_id")
        if resource == FIGURES:
            figures = [{"_id": number, **row} for number, row in enumerate(rows(self.now, self.premises.seed), 1)]
            return self._slice(request, FIGURES, _FIGURE_TYPES, len(figures), lambda start, end: figures[start:end])
        if resource != RESOURCE:
            return _ABSENT
        entries = list(self.book.entries())

        def records(start: int, end: int) -> list[dict[str, object]]:
            chosen = entries[start:end]
            return [{"_id": entry + 1, **row} for entry, row in zip(chosen, self.rows(chosen), strict=True)]

        return self._slice(request, RESOURCE, _TYPES, len(entries), records)

    def _slice(
        self, request: Request, resource: str, types: dict[str, str], total: int,
        records: Callable[[int, int], list[dict[str, object]]],
    ) -> Answer:
        """The part of a table that is asked for."""
        size, offset = request.size("limit", 100), request.number("offset", 0)
        fields = [{"id": name, "type": kind} for name, kind in types.items()]
        return Answer({
            "help": f"{request.origin}/api/3/action/help_show?name=datastore_search", "success": True,
            "result": {
                "resource_id": resource, "include_total": True, "fields": fields, "records": records(offset, offset + size),
                "total": total,
                "limit": size, "offset": offset,
            },
        })
