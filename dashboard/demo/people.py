"""The people behind simulated cases: what every real system holds and no collector may ever keep.

Nobody here exists: every NIK has the district number 99, which no regency has, and every name ends in ``Simulasi``; so
a test can look for them in whatever the product wrote.
"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

NIK_PREFIX = "732299"
SURNAME = "Simulasi"
PHONE_PREFIX = "0811999"
_FIRST = (
    "Andi", "Nurhayati", "Baso", "Hasnah", "Muhammad", "Rahmawati", "Yusuf", "Sitti", "Daeng", "Marlina",
    "Rusdi", "Wahida", "Markus", "Yuliana", "Ketut", "Wayan", "Supriadi", "Hartati", "Amiruddin", "Jumriah",
)
_SECOND = (
    "Tenri", "Masdar", "Palallo", "Rante", "Saleh", "Pabisa", "Mappi", "Lestari", "Tandi", "Arifin", "Sari", "Bakri",
)


class Person(NamedTuple):
    """Name, NIK, telephone and address of somebody who does not exist."""

    name: str
    nik: str
    phone: str
    address: str


def person(case: str) -> Person:
    """The applicant of a case, always the same one for the same case."""
    number = crc32(case.encode())
    name = f"{_FIRST[number % 20]} {_SECOND[number // 20 % 12]} {SURNAME}"
    born = f"{number // 240 % 28 + 1:02d}{number // 6720 % 12 + 1:02d}{number // 80640 % 50 + 50:02d}"
    return Person(
        name, f"{NIK_PREFIX}{born}{number % 10000:04d}", f"{PHONE_PREFIX}{number % 100000:05d}",
        f"Jl. Simulasi No. {number % 200 + 1}",
    )
