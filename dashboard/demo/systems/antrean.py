"""BPJS Antrean Online as it tells RSUD's own waiting times: per clinic and day, already summed up.

``GET /antreanrs/dashboard/waktutunggu/tanggal/2026-11-24/waktu/rs``, signed by HMAC (``x-cons-id``, ``x-timestamp``,
``x-signature``, ``user_key``); seconds, ``insertdate`` in epoch milliseconds. It tells of the same visits as the hospital's
own system, some minutes later.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import date
from statistics import fmean

from dashboard.demo.cases import DONE
from dashboard.demo.hours import MINUTE, day_of, day_start
from dashboard.demo.systems.rsud import Rsud
from dashboard.demo.web import Answer, Request

CONS_ID = "73220001"
USER_KEY = "kunci-simulasi"
LAG_SECONDS = 10 * MINUTE
MOST_OFF_SECONDS = 5 * MINUTE
_REFUSED = Answer({"metadata": {"code": 201, "message": "Signature tidak sesuai"}}, 401)
_ABSENT = Answer({"metadata": {"code": 404, "message": "Alamat tidak dikenal"}}, 404)


class Antrean(Rsud):
    """The national queue service."""

    name = "antrean"
    history = "rsud"

    def answer(self, request: Request) -> Answer:
        """The waiting times of one day."""
        parts = request.path.strip("/").split("/")
        if parts[:4] != ["antreanrs", "dashboard", "waktutunggu", "tanggal"] or len(parts) != 7 or parts[6] not in ("rs", "server"):
            return _ABSENT
        if not self._signed(request):
            return _REFUSED
        day = date.fromisoformat(parts[4])
        until = min(self.now - LAG_SECONDS, day_start(day) + 86_400)
        return Answer({"response": {"list": self._clinics(day, until)}, "metadata": {"code": 200, "message": "OK"}})

    def _signed(self, request: Request) -> bool:
        stamp, given = request.headers.get("x-timestamp", ""), request.headers.get("x-signature", "")
        digest = hmac.new(self.premises.token.encode(), f"{CONS_ID}&{stamp}".encode(), hashlib.sha256).digest()
        return (
            request.headers.get("x-cons-id") == CONS_ID and stamp.isdecimal()
            and hmac.compare_digest(given, base64.b64encode(digest).decode())
        )

    def _clinics(self, day: date, until: float) -> list[dict[str, object]]:
        waits: dict[str, list[tuple[int, int]]] = {}
        for entry in self.book.entries():
            case, state = self.book.cases[entry], self.book.states[entry]
            if day_of(state.submitted) == day and state.status == DONE and state.ended is not None and state.ended <= until:
                called = state.accepted or state.submitted
                waits.setdefault(case.stream.key, []).append((called - state.submitted, state.ended - called))
        return [
            {
                "kdppk": "1901R001", "nmppk": "RSUD ANDI DJEMMA", "kodepoli": clinic, "namapoli": clinic,
                "tanggal": day.isoformat(), "jumlah_antrean": len(found), "waktu_task3": sum(wait for wait, _ in found),
                "avg_waktu_task3": round(fmean(wait for wait, _ in found), 2),
                "waktu_task4": sum(served for _, served in found),
                "avg_waktu_task4": round(fmean(served for _, served in found), 2), "insertdate": int(until * 1000),
            }
            for clinic, found in sorted(waits.items())
        ]
