"""Sparse histograms of durations: a bin for zero, then logarithmic bins of 1 %. Percentiles interpolate order statistics.

A value stands for its bin's geometric middle, so a quantile is off by half a per cent at the most.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping

STEP = math.log(1.01)
SMALLEST = 1e-6
"""Values below it (of any unit) count as zero."""


def bin_of(value: float) -> int:
    """0 for zero, else the number of the 1 % bin."""
    return 0 if value < SMALLEST else 1 + int((math.log(value) - math.log(SMALLEST)) / STEP)


def middle(number: int) -> float:
    """The geometric middle of a bin; 0 for the zero bin."""
    return 0.0 if number == 0 else SMALLEST * math.exp((number - 0.5) * STEP)


def count(values: Iterable[float]) -> dict[int, int]:
    """Counts per bin."""
    counts: dict[int, int] = {}
    for value in values:
        number = bin_of(value)
        counts[number] = counts.get(number, 0) + 1
    return counts


def pack(counts: Mapping[int, int]) -> bytes:
    """Pairs (bin, count) as little-endian unsigned 32-bit numbers, in order of bins."""
    return b"".join(struct.pack("<II", number, counts[number]) for number in sorted(counts) if counts[number])


def unpack(packed: bytes) -> dict[int, int]:
    """The counts that :func:`pack` packed."""
    return dict(struct.iter_unpack("<II", packed))


def merge(many: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The sum of histograms."""
    total: dict[int, int] = {}
    for counts in many:
        for number, amount in counts.items():
            total[number] = total.get(number, 0) + amount
    return total


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The quantile (``share`` in 0…1) by interpolating order statistics, as numpy's ``linear``; ``None`` without values."""
    total = sum(counts.values())
    if total == 0:
        return None
    position = (total - 1) * share
    low = math.floor(position)
    first = _at(counts, low)
    if position == low:
        return first
    return first + (_at(counts, low + 1) - first) * (position - low)


def _at(counts: Mapping[int, int], rank: int) -> float:
    """The value of the order statistic ``rank`` (from 0)."""
    passed = 0
    last = 0
    for number in sorted(counts):
        passed += counts[number]
        last = number
        if rank < passed:
            break
    return middle(last)
