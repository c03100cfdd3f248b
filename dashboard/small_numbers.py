"""Small numbers that people in the room are not shown: counts of 1 … k-1 by district where health or complaints are in it.

Design §8 (audience *room*: k = 5 on district × health or complaints) and faults P3, P4: the total gives nothing away either.
Pure functions; what is hidden is drawn as ``<5``.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from config.declarations import Regency

ROOM = 5
"""The least count that people in the room are shown."""

Cell = TypeVar("Cell", bound=Hashable)


def small(counts: Mapping[Cell, int], k: int = ROOM) -> set[Cell]:
    """Those with a count of 1 … k-1. A zero is shown."""
    return {cell for cell, count in counts.items() if 0 < count < k}


def hidden(counts: Mapping[Cell, int], k: int = ROOM) -> tuple[set[Cell], set[Cell]]:
    """(the small ones, further ones hidden with them) so that somebody who knows the total of all cannot narrow a small one
    down below 1 … k-1.

    The smallest further counts of at least k are taken until every value from 1 to k-1 remains possible for each small one.
    What the viewer knows of the hidden: a small one is 1 … k-1, a further one at least k, and their sum. Where not even all
    of them are enough, all are hidden, zeros too.
    """
    primary = small(counts, k)
    if not primary:
        return set(), set()
    secondary: set[Cell] = set()
    for cell in sorted((cell for cell, count in counts.items() if count >= k), key=lambda cell: counts[cell]):
        if _safe(sum(counts[one] for one in primary | secondary), len(primary), len(secondary), k):
            break
        secondary.add(cell)
    if not _safe(sum(counts[one] for one in primary | secondary), len(primary), len(secondary), k):
        secondary = set(counts) - primary
    return primary, secondary


def _safe(total: int, small_ones: int, further: int, k: int) -> bool:
    """Whether a small one may be anything from 1 to k-1 for all that its hidden sum tells."""
    most = total - k * further - (small_ones - 1)
    least = total - (k - 1) * (small_ones - 1)
    return most >= k - 1 and (further > 0 or least <= 1)


def sensitive(regency: Regency, kind: str, agencies: Collection[str]) -> bool:
    """Whether counts by district of these agencies' cases fall under the rule: complaints, or health is among them."""
    return kind == "complaint" or any(
        agency in regency.agencies and regency.agencies[agency].sector == "health" for agency in agencies
    )
