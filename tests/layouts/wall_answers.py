"""Answers of the walls' health built by hand: every fault, none, many."""

from __future__ import annotations

from dataclasses import replace

from dashboard.clock import HOUR, epoch
from dashboard.queries.walls import Fault, Health, Wall, WallHour, Walls
from tests.conftest import NOW

AT = epoch(NOW)
CALM = tuple(WallHour(120, 0) for _ in range(24))
NIGHT = tuple(WallHour() if hour < 9 else WallHour(120, 2 if hour == 17 else 0) for hour in range(24))

WELL = Wall(
    device="wall-a1b2c3d4", place="Dinding Barat", screen="west", receipt_at=AT - 12, seq=4711, server_seq=4711,
    data_age_seconds=95, heap_bytes=24_300_000, skew_seconds=0.2, shown_seconds=0.0, width=1920, height=1080, ratio=1.0,
    wanted=(1920, 1080), hours=CALM,
)


def troubled(place: str, health: Health, **more: object) -> Wall:
    """A wall with one fault since 10.41 WITA."""
    return replace(WELL, place=place, hours=NIGHT, faults=(Fault(health, AT - 700),), **more)  # type: ignore[arg-type]


def answer(*found: Wall) -> Walls:
    """The panel's answer."""
    return Walls(as_of=AT, walls=found, first_hour=AT // HOUR * HOUR - 23 * HOUR)


TROUBLED = (
    WELL,
    troubled("Dinding Timur", Health.OLD, behind_seconds=284),
    troubled("Dinding Rapat", Health.FROZEN),
    troubled("Dinding Lobi", Health.SILENT, receipt_at=AT - 700),
    troubled("Dinding Ruang Bupati", Health.CLOCK, skew_seconds=-10800.0),
    troubled("Dinding Aula", Health.SIZE, width=1280, height=720),
    troubled("Dinding Pendopo", Health.BUILD),
    troubled("Dinding Tamu Rumah Jabatan", Health.COPIED),
    replace(WELL, place="Dinding Posko 112", off_since=AT - 40_000, hours=NIGHT),
)
WALLS: dict[str, Walls] = {
    "normal": answer(
        WELL, replace(WELL, place="Dinding Timur", ratio=2.0, heap_bytes=61_000_000, data_age_seconds=None),
        troubled("Dinding Lobi", Health.SIZE, width=1280, height=720), replace(WELL, place="Dinding Posko 112", off_since=AT - 4000, hours=NIGHT),
    ),
    "other-value": answer(
        replace(WELL, heap_bytes=None, data_age_seconds=7000), troubled("Dinding Timur", Health.OLD, behind_seconds=31),
        WELL, replace(WELL, receipt_at=None, hours=tuple(WallHour() for _ in range(24))),
    ),
    "every-trouble": answer(*TROUBLED),
    "several": answer(replace(WELL, faults=(Fault(Health.OLD, AT - 60), Fault(Health.SIZE, AT - 900)), behind_seconds=61)),
    "none": answer(),
    "many": answer(*(replace(WELL, place=f"Kecamatan ke-{number} Ruang Pelayanan Terpadu") for number in range(1, 15))),
}
