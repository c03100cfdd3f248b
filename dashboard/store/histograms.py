"""Sparse histograms of durations: a bin for zero, then logarithmic bins of 1 %. Percentiles interpolate order statistics.

A value stands for its bin's geometric middle, so a quantile is off by half a per cent at the most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

STEP = math.log(1.01)
SMALLEST = 1e-6
"""Values below it (of any unit) count as zero."""

Values = Sequence[float] | NDArray[np.float64]


def middle(number: int) -> float:
    """The geometric middle of a bin; 0 for the zero bin."""
    return 0.0 if number == 0 else SMALLEST * math.exp((number - 0.5) * STEP)


def count(values: Values) -> dict[int, int]:
    """Counts per bin: 0 for zero, else the number of the 1 % bin. Values are not negative."""
    every = np.asarray(values, dtype=np.float64)
    above = every[every >= SMALLEST]
    numbers, counts = np.unique(1 + ((np.log(above) - math.log(SMALLEST)) / STEP).astype(np.int64), return_counts=True)
    found = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    if len(above) < len(every):
        found[0] = len(every) - len(above)
    return found


def pack(counts: Mapping[int, int]) -> bytes:
    """Pairs (bin, count) as little-endian unsigned 32-bit numbers, in order of bins."""
    return np.array([(number, counts[number]) for number in sorted(counts) if counts[number]], dtype="<u4").tobytes()


def unpack(packed: bytes) -> dict[int, int]:
    """The counts that :func:`pack` packed."""
    pairs = np.frombuffer(packed, dtype="<u4").reshape(-1, 2)
    return dict(zip(pairs[:, 0].tolist(), pairs[:, 1].tolist(), strict=True))


def add(total: dict[int, int], counts: Mapping[int, int]) -> None:
    """Add a histogram's counts to ``total``, in place."""
    for number, amount in counts.items():
        total[number] = total.get(number, 0) + amount


def merge(many: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The sum of histograms."""
    total: dict[int, int] = {}
    for counts in many:
        add(total, counts)
    return total


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The quantile (``share`` in 0…1) by interpolating order statistics, as numpy's ``linear``; ``None`` without values."""
    numbers = sorted(counts)
    passed = np.cumsum([counts[number] for number in numbers])
    if not len(passed) or passed[-1] == 0:
        return None
    position = float(passed[-1] - 1) * share
    low = math.floor(position)

    def at(rank: int) -> float:
        """The value of the order statistic ``rank`` (from 0)."""
        return middle(numbers[int(np.searchsorted(passed, rank, side="right"))])

    return at(low) if position == low else at(low) + (at(low + 1) - at(low)) * (position - low)
