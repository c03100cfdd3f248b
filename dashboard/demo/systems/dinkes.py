"""Dinkes and its puskesmas: CSV files in a drop folder, one for each day, rewritten whole and put in place at once.

``puskesmas/kunjungan_2026-11-24.csv``: semicolons, ``24/11/2026 10:53``, every two minutes. The puskesmas of the
mountains (Rongkong, Seko, Rampi) write files of their own, ``pegunungan/kunjungan_…csv``, when their connection allows:
every half hour, but on two days in five not for hours, and then all at once; they type a visit up when it is over.
"""

from __future__ import annotations

import csv
import io
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from random import Random

from dashboard.demo.book import Book
from dashboard.demo.cases import CANCELLED, DELETED, DONE, SUBMITTED, VERIFIED, Case, State, Stream
from dashboard.demo.hours import MINUTE, day_of, day_start, local
from dashboard.demo.people import person
from dashboard.demo.places import DISTRICTS, MOUNTAINS, district_name
from dashboard.demo.system import Premises, System

EVERY_SECONDS = 120
HALF_COPIED, COPY_SECONDS = "half-copied", 0.1
LOWLANDS, HIGHLANDS = "puskesmas", "pegunungan"
_STATUS = {SUBMITTED: "MENUNGGU", VERIFIED: "DILAYANI", DONE: "SELESAI", CANCELLED: "BATAL"}
_COLUMNS = (
    "NO KUNJUNGAN",
    "PUSKESMAS",
    "NIK",
    "NAMA PASIEN",
    "POLI",
    "KECAMATAN",
    "CARA DAFTAR",
    "TGL DAFTAR",
    "TGL PANGGIL",
    "TGL SELESAI",
    "STATUS",
)
_WARDS = (("UMUM", 0.62), ("KIA", 0.22), ("GIGI", 0.16))


def deliveries(seed: int, day: date) -> list[int]:
    """The instants of ``day`` at which the mountains deliver: half-hourly, less a hole of 3-5 hours on two days in
    five.
    """
    rng = Random(f"{seed}/deliveries/{day.isoformat()}")
    start = day_start(day)
    moments = [start + (30 * slot + int(rng.random() * 12)) * MINUTE for slot in range(48)]
    if rng.random() < 0.4:
        begins = start + (8 * 60 + int(rng.random() * 150)) * MINUTE
        ends = begins + (180 + int(rng.random() * 120)) * MINUTE
        moments = [moment for moment in moments if not begins <= moment < ends]
    return moments


def _streams() -> Iterable[Stream]:
    total = sum(district.weight for district in DISTRICTS)
    for index, district in enumerate(DISTRICTS):
        remote = district.code in MOUNTAINS
        for ward, share in _WARDS:
            yield Stream(
                f"P{district.code}-{ward}",
                282 * share * district.weight / total,
                "clinic",
                "visit",
                promise=60,
                worked=False,
                channels=(("LOKET", 8.0), ("MOBILE JKN", 2.0)),
                cancelled=0.02,
                counters=1 if district.weight < 12 else 2,
                serving=6.5,
                preparing=7.0,  # at most 12 minutes: less than what the wall calls "nobody called"
                fixed_place=index * 100 + 1,
                typed_up=remote,
                lead=0,
            )
        yield Stream(
            f"P{district.code}-UGD",
            24 * district.weight / total,
            "emergency",
            "visit",
            promise=60,
            worked=False,
            channels=(("LOKET", 1.0),),
            cancelled=0.01,
            counters=2,
            serving=14.0,
            fixed_place=index * 100 + 1,
            typed_up=remote,
            lead=0,
        )


class Dinkes(System):
    """The health office's daily files."""

    name = "dinkes"
    streams = tuple(_streams())

    def __init__(self, book: Book, premises: Premises) -> None:
        super().__init__(book, premises)
        self._unwritten: dict[str, set[date]] = {LOWLANDS: set(), HIGHLANDS: set()}
        self._days: defaultdict[tuple[str, date], list[int]] = defaultdict(list)
        self._written_at: dict[str, float] = {LOWLANDS: 0.0, HIGHLANDS: 0.0}

    def row(self, case: Case, state: State) -> dict[str, object]:
        """A line of the file."""
        who, (unit, ward) = person(case.number), case.stream.key.split("-")
        values = (
            case.number,
            f"Puskesmas {DISTRICTS[int(unit[1:]) - 1].name}",
            who.nik,
            who.name,
            ward,
            district_name(case.place),
            case.channel,
            _stamp(state.submitted),
            _stamp(state.accepted),
            _stamp(state.ended),
            _STATUS[state.status],
        )
        return dict(zip(_COLUMNS, values, strict=True))

    def show(self, changed: list[int]) -> None:
        """Write the files of the days that changed, each side at its own times."""
        for entry in changed:
            case = self.book.cases[entry]
            side = HIGHLANDS if case.stream.key[1:3] in MOUNTAINS else LOWLANDS
            day = day_of(case.states[0].at)
            if (entries := self._days[side, day]) and entries[-1] >= entry:
                if entry not in entries:
                    entries.append(entry)
                    entries.sort()
            else:
                entries.append(entry)
            self._unwritten[side].add(day)
        if self.now - self._written_at[LOWLANDS] >= EVERY_SECONDS and self.misbehaviour != HALF_COPIED:
            self._write(LOWLANDS)
        due = [moment for moment in deliveries(self.premises.seed, day_of(self.now)) if moment <= self.now]
        if not self._written_at[HIGHLANDS] or (due and due[-1] > self._written_at[HIGHLANDS]):
            self._write(HIGHLANDS)

    def manners(self, before: str) -> None:
        """Today's file of the lowlands is copied again and again without ever coming to its end; then it is whole."""
        if self.misbehaviour == HALF_COPIED:
            threading.Thread(target=self._copying, daemon=True, name="copy").start()
        elif before == HALF_COPIED:
            self._written_at[LOWLANDS] = 0.0

    def _copying(self) -> None:
        path = self.premises.drop / LOWLANDS / f"kunjungan_{day_of(self.now).isoformat()}.csv"
        whole = path.read_bytes()
        half = max(1, len(whole) // 2)
        while self.misbehaviour == HALF_COPIED:
            for end in range(half, len(whole), max(1, half // 20)):
                with self.lock:
                    if self.misbehaviour != HALF_COPIED:
                        return
                    path.write_bytes(whole[:end])
                time.sleep(COPY_SECONDS)

    def _write(self, side: str) -> None:
        folder = self.premises.drop / side
        folder.mkdir(parents=True, exist_ok=True)
        for day in sorted(self._unwritten[side] | {day_of(self.now)}):
            entries = [entry for entry in self._days[side, day] if self.book.states[entry].status != DELETED]
            text = io.StringIO()
            writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
            writer.writerow(_COLUMNS)
            writer.writerows(row.values() for row in self.rows(entries))
            put(folder / f"kunjungan_{day.isoformat()}.csv", text.getvalue().encode("utf-8-sig"))
        self._unwritten[side].clear()
        self._written_at[side] = self.now


def put(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader sees the old one or the new one, never half of it."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_bytes(content)
    os.replace(draft, path)


def _stamp(at: int | None) -> str:
    return "" if at is None else local(at).strftime("%d/%m/%Y %H:%M")
