"""Where simulated applicants live: kecamatan with their Kemendagri codes, and how clerks spell them.

Weights follow the number of desa and kelurahan, and the way to Masamba; they say nothing about real populations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random


@dataclass(frozen=True)
class District:
    """A kecamatan: two digits of its code, desa and kelurahan, weight, spellings seen in the wild."""

    code: str
    name: str
    villages: int
    weight: float
    spellings: tuple[str, ...] = ()


DISTRICTS = (
    District("01", "Malangke", 14, 8),
    District("02", "Bone-Bone", 11, 9, ("Bone Bone", "BONE-BONE")),
    District("03", "Masamba", 19, 17, ("MASAMBA",)),
    District("04", "Sabbang", 10, 6),
    District("05", "Rongkong", 7, 1.5, ("Limbong",)),
    District("06", "Sukamaju", 14, 9, ("SUKAMAJU",)),
    District("07", "Seko", 12, 3),
    District("08", "Malangke Barat", 13, 7, ("MALANGKE BARAT",)),
    District("09", "Rampi", 6, 1.2),
    District("10", "Mappedeceng", 15, 8, ("Mappadeceng",)),
    District("11", "Baebunta", 11, 9),
    District("12", "Tana Lili", 10, 7, ("Tanalili",)),
    District("13", "Sukamaju Selatan", 11, 6),
    District("14", "Baebunta Selatan", 10, 5),
    District("15", "Sabbang Selatan", 10, 4),
)
MOUNTAINS = ("05", "07", "09")
"""Rongkong, Seko, Rampi: their puskesmas report late, for want of a stable connection."""

OUTSIDE = 99
_RUNNING = tuple(accumulate(district.weight for district in DISTRICTS))


def place(rng: Random, outside: float = 0.0) -> int:
    """A place: index of the district × 100 + number of the village; ``OUTSIDE`` for another regency."""
    if outside and rng.random() < outside:
        return OUTSIDE * 100
    index = rng.choices(range(15), cum_weights=_RUNNING)[0]
    return index * 100 + int(rng.random() * DISTRICTS[index].villages) + 1


def village_code(where: int, *, dots: bool = True) -> str:
    """Kemendagri code of a place's village: ``73.22.03.2004``, or without dots; 73.17 is the neighbour Luwu."""
    index, village = divmod(where, 100)
    parts = ("73", "17", "01", "2001") if index == OUTSIDE else ("73", "22", DISTRICTS[index].code, f"{2000 + village}")
    return (".").join(parts) if dots else "".join(parts)


def district_name(where: int) -> str:
    """The kecamatan as this clerk spells it; a few villages always in a variant."""
    index, village = divmod(where, 100)
    if index == OUTSIDE:
        return "Larompong"
    district = DISTRICTS[index]
    return (
        district.spellings[village % len(district.spellings)]
        if district.spellings and village % 4 == 0
        else district.name
    )
