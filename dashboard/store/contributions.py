"""What cases add to the cells, by difference. Collected flat over one page, summed per cell at its end.

A case counts as received when it was submitted; as completed or cancelled when it ended; in the backlog from its submission
until max(submitted, ended). One that ended without a date is in no backlog.
"""

from __future__ import annotations

from array import array
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from dashboard.clock import floors
from dashboard.store.tables import COUNTS, GRAINS

Dims = tuple[int, int]
"""(dimension of the cells, dimension of the ten-minute cells)."""
Numbers = NDArray[np.int64]

_SLOT = 900
"""Seconds within which hour, day and month are the same: every offset in use is a multiple of it."""
_WIDTH = 3 + len(COUNTS)  # of an event: dim, dim of ten-minute cells, instant, counts


class Differences:
    """Differences to cells, collected over one page. ``ten_from``: ten-minute cells are kept from that instant on."""

    def __init__(self, zone: ZoneInfo, ten_from: int) -> None:
        self.zone, self.ten_from = zone, ten_from
        self._events = array("q")

    def add(
        self, sign: int, dims: Dims, submitted: int, ended: int | None, ended_as: str | None, on_time: bool | None,
        worked: int | None,
    ) -> None:
        """Add (+1) or take back (−1) what one case contributes."""
        dim, ten = dims
        event = self._events.extend
        # after the instant, in the order of COUNTS: received, completed, on time, judged, cancelled, opened, left, worked
        if ended is None:
            event((dim, ten, submitted, sign, 0, 0, 0, 0, sign if ended_as is None else 0, 0, 0))
            return
        backwards = ended < submitted  # it leaves the backlog as it enters it, and has no duration
        event((dim, ten, submitted, sign, 0, 0, 0, 0, sign, sign if backwards else 0, 0))
        left = 0 if backwards else sign
        if ended_as == "cancelled":
            event((dim, ten, ended, 0, 0, 0, 0, sign, 0, left, 0))
        else:
            event((
                dim, ten, ended, 0, sign, sign if on_time else 0, 0 if on_time is None else sign, 0, 0, left,
                0 if worked is None or backwards else sign * worked,
            ))

    def rows(self) -> tuple[list[tuple[int, ...]], int | None]:
        """(grain, period, dim, *counts) for all grains, without those that cancelled out; and the first hour that differs."""
        events = np.frombuffer(self._events, dtype=np.int64).reshape(-1, _WIDTH)
        dims, tens, at, counts = events[:, 0], events[:, 1], events[:, 2], events[:, 3:]
        slots, slot_of = np.unique(at // _SLOT, return_inverse=True)
        starts = np.array([floors(slot * _SLOT, self.zone) for slot in slots.tolist()], dtype=np.int64).reshape(-1, 4)
        hour_start = starts[slot_of, 1]
        ten_start = hour_start + (at - hour_start) // 600 * 600
        kept = ten_start >= self.ten_from
        found = [_summed(GRAINS["ten"], ten_start[kept], tens[kept], counts[kept])]
        slot_of_hour = dict(zip(starts[:, 1].tolist(), range(len(starts)), strict=True))
        hours = _summed(GRAINS["hour"], hour_start, dims, counts)
        found.append(hours)
        of_hour = [slot_of_hour[period] for period in hours[:, 1].tolist()]
        for grain, column in (("day", 2), ("month", 3)):
            found.append(_summed(GRAINS[grain], starts[of_hour, column], hours[:, 2], hours[:, 3:]))
        earliest = int(hours[:, 1].min()) if len(hours) else None
        return [tuple(row) for part in found for row in part.tolist()], earliest


def _summed(grain: int, periods: Numbers, dims: Numbers, counts: Numbers) -> Numbers:
    """Sums of the counts by (period, dim), in that order, as rows (grain, period, dim, *counts); without zero rows."""
    if not len(periods):
        return np.empty((0, _WIDTH), dtype=np.int64)
    order = np.lexsort((dims, periods))
    periods, dims = periods[order], dims[order]
    first = np.flatnonzero(np.r_[True, (periods[1:] != periods[:-1]) | (dims[1:] != dims[:-1])])
    sums = np.add.reduceat(counts[order], first, axis=0)
    rows = np.column_stack((np.full(len(first), grain), periods[first], dims[first], sums))
    return rows[sums.any(axis=1)]
