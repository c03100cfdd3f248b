"""The queue of the service mall (MPP): one system for all tenants, and how many of their counters are open.

``GET /antrean?sejak=YYYY-MM-DD&halaman=&jumlah=`` → ``{"antrean": […], "jumlah"}``: the tickets since a day. ``GET /loket`` →
``{"loket": […]}``: open counters of each tenant, with the minute to which they refer. Behind a key in ``X-Kunci``. Somebody
who had left when called is "Pergi". Immigration comes on Wednesdays and Thursdays only.
"""

from __future__ import annotations

from random import Random

from dashboard.demo.cases import CANCELLED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import MINUTE, day_of, local, spans
from dashboard.demo.people import person
from dashboard.demo.places import village_code
from dashboard.demo.system import System
from dashboard.demo.web import DENIED, NOT_FOUND, Answer, Request, instant

_STATUS = {SUBMITTED: "Menunggu", VERIFIED: "Dipanggil", DONE: "Selesai", CANCELLED: "Pergi"}
_CHANNELS = (("loket", 7.0), ("daring", 3.0))
SLOT_MINUTES = 15


def _tenant(
    letter: str, per_day: float, counters: int, serving: float, profile: str = "counter", *, stalls: bool = False
) -> Stream:
    return Stream(
        letter, per_day, profile, "visit", promise=15, worked=False, channels=_CHANNELS, cancelled=0.05, counters=counters,
        serving=serving, stalls=stalls, deletes=False, lead=0,
    )


TENANTS = {
    "A": "Disdukcapil", "B": "DPMPTSP", "C": "BPJS Kesehatan", "D": "BPKPD", "E": "Samsat",
    "F": "Kantor Pertanahan", "G": "Imigrasi",
}
"""Letter of the tickets → tenant."""


class Mpp(System):
    """The mall's queue."""

    name = "mpp"
    streams = (
        _tenant("A", 96, 4, 15.0),
        _tenant("C", 44, 2, 17.0, stalls=True),
        _tenant("B", 34, 3, 20.0),
        _tenant("D", 38, 2, 17.0),
        _tenant("E", 52, 2, 13.0, stalls=True),
        _tenant("F", 22, 1, 16.0),
        _tenant("G", 26, 1, 14.0, "midweek"),
    )

    def row(self, case: Case, state: State) -> dict[str, object]:
        """One ticket, with the visitor whom a collector must leave behind."""
        who, (_, number) = person(case.number), case.number.rsplit("-", 1)
        return {
            "id": case.number, "nomor": f"{case.stream.key}-{int(number):03d}", "gerai": TENANTS[case.stream.key],
            "asal": case.channel, "nama": who.name, "nik": who.nik, "hp": who.phone, "kode_desa": village_code(case.place),
            "diambil": _iso(state.submitted), "dipanggil": _iso(state.accepted), "selesai": _iso(state.ended),
            "status": _STATUS[state.status],
        }

    def answer(self, request: Request) -> Answer:
        """A day's tickets, or the counters now."""
        if request.headers.get("x-kunci") != self.premises.token:
            return DENIED
        if request.path == "/loket":
            return Answer({"loket": self._counters()})
        if request.path != "/antrean":
            return NOT_FOUND
        since = request.query.get("sejak")
        least = instant(since) if since else 0.0
        entries = [entry for entry in self.book.entries() if self.book.states[entry].submitted >= least]
        size, page = request.size("jumlah", 500), max(1, request.number("halaman", 1))
        return Answer({
            "antrean": self.rows(entries[(page - 1) * size : page * size]), "jumlah": len(entries),
        })

    def _counters(self) -> list[dict[str, object]]:
        """Open counters: those that serve, less one for some quarters of an hour; none outside the hours."""
        slot = int(self.now) // (SLOT_MINUTES * MINUTE)
        day = day_of(self.now)
        is_open = any(opens <= self.now < closes for opens, closes in spans(day))
        counters = {stream.key: stream.counters for stream in self.streams}
        found = []
        for letter, name in TENANTS.items():
            draw = Random(f"{self.premises.seed}/{letter}/{slot}")
            here = is_open and not (letter == "G" and day.weekday() not in (2, 3))
            closed = 1 if counters[letter] > 1 and draw.random() < 0.12 else 0
            found.append({"gerai": name, "buka": counters[letter] - closed if here else 0, "per": _iso(int(self.now) // 60 * 60)})
        return found


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat() + "+08:00"
