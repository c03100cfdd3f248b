"""The call centre of the emergency line 112: sums by the hour, no single call leaves it.

``GET /api/rekap?hari=N`` behind a bearer token → ``{"rekap": [{"jam", "ukuran", "instansi", "nilai", "per"}]}``: of each hour of
the last N days the calls offered, valid, ghost or prank, and abandoned; by agency the tickets opened and followed up. Most of what
rings is abandoned or a ghost.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from dashboard.demo.cases import SUBMITTED, Case, State, Stream
from dashboard.demo.hours import day_of, day_start, local
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, bearer

MOST_DAYS = 70
HOUR = 3600
VALID, GHOST, ABANDONED, INFORMATION = "sah", "palsu", "putus", "informasi"
_TYPES = ((VALID, 3.0), (GHOST, 4.2), (ABANDONED, 3.6), (INFORMATION, 1.2))
AGENCIES = (
    ("Satpol PP Damkar", 2.2), ("BPBD", 2.0), ("RSUD Andi Djemma", 2.6), ("Dinas Perhubungan", 1.1),
    ("Dinas Lingkungan Hidup", 0.8),
)
TICKET_SHARE = 4
"""One valid call in so many becomes a ticket."""


class Darurat(System):
    """The call centre. ``history`` is its own: it has no cases for anybody, only sums."""

    name = "darurat"
    history = "darurat"
    streams = (
        Stream(
            "112", 66, "emergency", "request", promise=45, worked=False, late=0.1, spread=0.9, channels=_TYPES,
            agencies=AGENCIES, cancelled=0.0, deletes=False, lead=0,
        ),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """A call has no row of its own."""
        return {}

    def answer(self, request: Request) -> Answer:
        """The sums of the last days."""
        if request.path != "/api/rekap":
            return NOT_FOUND
        if not bearer(request, self.premises.token):
            return DENIED
        days = min(MOST_DAYS, max(1, request.number("hari", 2)))
        return Answer({"rekap": self._sums(days)})

    def _sums(self, days: int) -> list[dict[str, object]]:
        today = day_of(self.now)
        first = day_start(today - timedelta(days=days - 1))
        counts: Counter[tuple[int, str, str]] = Counter()
        for entry in self.book.entries():
            case, state = self.book.cases[entry], self.book.states[entry]
            if state.submitted < first:
                continue
            hour = state.submitted // HOUR * HOUR
            counts[hour, "ditawarkan", ""] += 1
            counts[hour, case.channel, ""] += 1
            if case.channel == VALID and int(case.number.rsplit("-", 1)[1]) % TICKET_SHARE == 0:
                counts[hour, "tiket", case.agency] += 1
                counts[hour, "tiket_ditangani", case.agency] += state.status != SUBMITTED
        told = _iso(int(self.now) // 60 * 60)
        rows = []
        for hour in range(first, int(self.now) + 1, HOUR):
            for measure in ("ditawarkan", VALID, GHOST, ABANDONED):
                rows.append(_row(hour, measure, "", counts[hour, measure, ""], told))
            for measure in ("tiket", "tiket_ditangani"):
                rows += [
                    _row(hour, measure, agency, counts[hour, measure, agency], told)
                    for agency, _ in AGENCIES if counts[hour, "tiket", agency]
                ]
        return rows


def _row(hour: int, measure: str, agency: str, value: int, told: str) -> dict[str, object]:
    return {"jam": _iso(hour), "ukuran": measure, "instansi": agency, "nilai": value, "per": told}


def _iso(at: int) -> str:
    return local(at).isoformat() + "+08:00"
