"""What cases add to the cells, by difference. Collected flat over one page, summed per cell at its end.

A case counts as received when it was submitted; as completed or cancelled when it ended; in the backlog from its submission
until max(submitted, ended). One that ended without a date is in no backlog.
"""

from __future__ import annotations

from array import array
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from dashboard.clock import DAY, HOUR, day_start, floors
from dashboard.store.tables import COUNTS, GRAINS

Dims = tuple[int, int]
"""(dimension of the cells, dimension of the ten-minute cells)."""
Numbers = NDArray[np.int64]

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
        hour_start, _, _ = starts(at, self.zone)
        ten_start = hour_start + (at - hour_start) // 600 * 600
        kept = ten_start >= self.ten_from
        found = [_summed(GRAINS["ten"], ten_start[kept], tens[kept], counts[kept])]
        hours = _summed(GRAINS["hour"], hour_start, dims, counts)
        found.append(hours)
        _, days, months = starts(hours[:, 1], self.zone)
        found += [_summed(GRAINS[grain], of, hours[:, 2], hours[:, 3:]) for grain, of in (("day", days), ("month", months))]
        earliest = int(hours[:, 1].min()) if len(hours) else None
        return [row for part in found for row in zip(*part.T.tolist(), strict=True)], earliest


def starts(at: Numbers, zone: ZoneInfo) -> tuple[Numbers, Numbers, Numbers]:
    """Starts of the local hours, days and months that hold so many instants: :func:`dashboard.clock.floors` of an array."""
    utc_days, which = np.unique(at // DAY, return_inverse=True)
    offsets = np.array([_offsets(day, zone) for day in utc_days.tolist()], dtype=np.int64).reshape(-1, 2)
    offset = offsets[which, 0]
    hours = (at + offset) // HOUR * HOUR - offset
    local_days, which_local = np.unique((at + offset) // DAY, return_inverse=True)
    of_days = np.array([_day_and_month(day, zone) for day in local_days.tolist()], dtype=np.int64).reshape(-1, 2)
    days, months = of_days[which_local, 0], of_days[which_local, 1]
    for place in np.flatnonzero((offsets[:, 0] != offsets[:, 1])[which]).tolist():  # clocks change on that day
        _, hours[place], days[place], months[place] = floors(int(at[place]), zone)
    return hours, days, months


@lru_cache(maxsize=1 << 16)
def _offsets(utc_day: int, zone: ZoneInfo) -> tuple[int, int]:
    """Seconds that the zone is ahead of UTC as a UTC day begins and as it ends."""
    return _ahead(utc_day * DAY, zone), _ahead((utc_day + 1) * DAY, zone)


def _ahead(seconds: int, zone: ZoneInfo) -> int:
    return int((datetime.fromtimestamp(seconds, zone).utcoffset() or timedelta()).total_seconds())


@lru_cache(maxsize=1 << 16)
def _day_and_month(number: int, zone: ZoneInfo) -> tuple[int, int]:
    """Starts of a local day, counted from 1970-01-01, and of its month."""
    day = date(1970, 1, 1) + timedelta(days=number)
    return day_start(day, zone), day_start(day.replace(day=1), zone)


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
