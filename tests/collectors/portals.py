"""Servers with the shapes of CKAN, GeoReport v2 and BPJS Antrean, as behaviours of an agency's real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from tests.agency_api import Agency, Request

DATASTORE, SHOW = "/api/3/action/datastore_search", "/api/3/action/resource_show"


@dataclass
class Portal:
    """A CKAN portal with one table. ``most``: rows that it gives at most (``ckan.datastore.search.rows_max``)."""

    rows: list[dict[str, Any]]
    token: str | None = None
    resource: str = "tabel"
    most: int = 32_000
    total: int | None = None
    result: dict[str, Any] = field(default_factory=dict)
    last_modified: str | None = "2026-11-23T01:02:03.123456"

    def serve(self, agency: Agency) -> Portal:
        """Answer at the actions' paths."""
        agency.answers[DATASTORE] = agency.answers[SHOW] = self
        return self

    def show(self, request: Request) -> None:
        """The resource's own page."""
        result = {"id": self.resource, "datastore_active": True, "format": "CSV", "last_modified": self.last_modified, "created": None}
        request.json({"help": f"{SHOW}?help", "success": True, "result": result})

    def __call__(self, request: Request) -> None:
        query = request.query
        if self.token and request.headers.get("authorization") != self.token:
            return _refuse(request, 403, "Authorization Error", "Access denied: User not authorized")
        wanted = query.get("resource_id") or query.get("id")
        if wanted != self.resource:
            return _refuse(request, 404, "Not Found Error", f"Not found: Resource {wanted!r} was not found.")
        if request.path == SHOW:
            return self.show(request)
        found = self.rows
        for column, wanted in json.loads(query.get("filters", "{}")).items():
            values = wanted if isinstance(wanted, list) else [wanted]
            found = [row for row in found if row.get(column) in values]
        limit, offset = min(int(query["limit"]), self.most), int(query["offset"])
        columns = list(self.rows[0]) if self.rows else ["id", "masuk", "nama"]
        records = [{"_id": offset + number, **row} for number, row in enumerate(found[offset : offset + limit], start=1)]
        return request.json({
            "help": f"{DATASTORE}?help", "success": True, "result": {
                "include_total": True, "limit": limit, "offset": offset, "records_format": "objects", "resource_id": self.resource,
                "records": records, "fields": [{"id": "_id", "type": "int"}, *({"id": name, "type": "text"} for name in columns)],
                "total": len(found) if self.total is None else self.total, "total_was_estimated": False, **self.result,
            },
        })


def _refuse(request: Request, status: int, kind: str, message: str) -> None:
    request.json({"help": DATASTORE, "success": False, "error": {"__type": kind, "message": message}}, status)


@dataclass
class GeoServer:
    """A GeoReport v2 server, by windows of at most 90 days and ``most`` requests; ``inclusive``: whether a window's end is in it.

    ``paged``: it knows page and per_page as well, at most ``most`` rows each. ``updates``: it knows updated_after, updated_before.
    """

    requests: list[dict[str, Any]]
    most: int = 1000
    key: str | None = None
    inclusive: bool = True
    paged: bool = False
    root: str = "/open311/v2"
    faults: list[str] = field(default_factory=list)

    def serve(self, agency: Agency) -> GeoServer:
        """Answer in both forms."""
        self.order("requested_datetime")
        agency.answers[f"{self.root}/requests.json"] = self
        agency.answers[f"{self.root}/requests.xml"] = self
        return self

    def order(self, column: str) -> tuple[list[float], list[dict[str, Any]]]:
        """Stamps and requests in their order; kept, for a test asks often."""
        made = self.__dict__.setdefault("orders", {})
        if column not in made:
            pairs = sorted(((_seconds(row[column]), number) for number, row in enumerate(self.requests)))
            made[column] = [stamp for stamp, _ in pairs], [self.requests[number] for _, number in pairs]
        found: tuple[list[float], list[dict[str, Any]]] = made[column]
        return found

    def changed(self) -> None:
        """Requests were changed or added."""
        self.__dict__.pop("orders", None)

    def __call__(self, request: Request) -> None:
        query = request.query
        if self.key and query.get("api_key") != self.key:
            return _errors(request, 403, "Missing or invalid api_key")
        column, first, last = "requested_datetime", "start_date", "end_date"
        if "updated_after" in query:
            column, first, last = "updated_datetime", "updated_after", "updated_before"
        start, end = _seconds(query[first]), _seconds(query[last])
        if end - start > 90 * 86_400 + 1:
            self.faults.append(f"{query[first]} to {query[last]}")
            return _errors(request, 400, "start_date and end_date may not span more than 90 days")
        stamps, ordered = self.order(column)
        low = bisect_left(stamps, start) if self.inclusive else bisect_right(stamps, start)
        high = bisect_right(stamps, end) if self.inclusive else bisect_left(stamps, end)
        size = min(int(query.get("per_page", self.most)), self.most)
        at = low + ((int(query.get("page", 1)) - 1) * size if self.paged else 0)
        return _answer(request, ordered[at : min(high, at + size)])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _answer(request: Request, rows: list[dict[str, Any]]) -> None:
    if request.path.endswith(".json"):
        return request.json(rows)
    made = "".join(
        f"<request>{''.join(f'<{name}>{escape(str(value or str()))}</{name}>' for name, value in row.items())}</request>"
        for row in rows
    )
    return request.send(200, _xml(f"<service_requests>{made}</service_requests>"), kind="text/xml")


def _xml(text: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def _errors(request: Request, status: int, text: str) -> None:
    if request.path.endswith(".json"):
        return request.json([{"code": status, "description": text}], status)
    xml = f"<errors><error><code>{status}</code><description>{escape(text)}</description></error></errors>"
    return request.send(status, _xml(xml), kind="text/xml")


@dataclass
class Bpjs:
    """BPJS Antrean: the dashboard by day, only for those who sign. ``days``: day → rows of clinics."""

    user: str = "4711"
    secret: str = "s3cret-canary"
    user_key: str = "s3cret-canary"
    root: str = "/antreanrs"
    days: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def serve(self, agency: Agency, today: date, count: int = 93) -> Bpjs:
        """Answer for the last days."""
        for back in range(count):
            day = (today - timedelta(days=back)).isoformat()
            agency.answers[f"{self.root}/dashboard/waktutunggu/tanggal/{day}/waktu/rs"] = self
        return self

    def __call__(self, request: Request) -> None:
        headers = request.headers
        stamp = headers.get("x-timestamp", "")
        signed = hmac.new(self.secret.encode(), f"{self.user}&{stamp}".encode(), hashlib.sha256).digest()
        right = base64.b64encode(signed).decode()
        if (headers.get("x-cons-id"), headers.get("x-signature"), headers.get("user_key")) != (self.user, right, self.user_key):
            return request.json(envelope(401, "Unauthorized"), 401)
        if abs(time.time() - int(stamp)) > 300:
            return request.json(envelope(401, "Signature expired"), 401)
        day = request.path.split("/")[-3]
        rows = self.days.get(day, [])
        return request.json({**envelope(200, "OK"), "response": {"list": rows}} if rows else envelope(204, "No Content"))


def envelope(code: int, message: str) -> dict[str, Any]:
    """BPJS' ``metadata``."""
    return {"metadata": {"code": code, "message": message}}


def clinic(day: date, code: str, name: str, visitors: int, *means: int, **more: Any) -> dict[str, Any]:
    """A clinic's day: ``means`` are the mean seconds of the tasks 1 to 6."""
    tasks = {f"avg_waktu_task{number}": mean for number, mean in enumerate(means, start=1)}
    whole = {f"waktu_task{number}": mean * visitors for number, mean in enumerate(means, start=1)}
    at = datetime(day.year, day.month, day.day, 8, 30, tzinfo=UTC)
    return {
        "kdppk": "1311R002", "nmppk": "RSUD ANDI DJEMMA", "kodepoli": code, "namapoli": name, "tanggal": day.isoformat(),
        "jumlah_antrean": visitors, "insertdate": int(at.timestamp()) * 1000, **tasks, **whole, **more,
    }
