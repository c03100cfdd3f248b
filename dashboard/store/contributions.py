"""What a case adds to the cells, by difference. Kept as sums per hour; days and months are rolled up from them at the end.

A case counts as received when it was submitted; as completed or cancelled when it ended; in the backlog from its submission
until max(submitted, ended). One that ended without a date is in no backlog.
"""

from __future__ import annotations

from collections import defaultdict
from zoneinfo import ZoneInfo

from dashboard.clock import floors
from dashboard.store.tables import COUNTS, GRAINS

RECEIVED, COMPLETED, ON_TIME, JUDGED, CANCELLED, OPENED, LEFT, WORKED = range(len(COUNTS))
Dims = tuple[int, int]
"""(dimension of the cells, dimension of the ten-minute cells)."""


def _zeros() -> list[int]:
    return [0] * len(COUNTS)


class Differences:
    """Differences to cells, collected over one page. ``ten_from``: ten-minute cells are kept from that instant on."""

    def __init__(self, zone: ZoneInfo, ten_from: int) -> None:
        self.zone, self.ten_from = zone, ten_from
        self.hours: defaultdict[tuple[int, int], list[int]] = defaultdict(_zeros)
        self.tens: defaultdict[tuple[int, int], list[int]] = defaultdict(_zeros)

    def add(
        self, sign: int, dims: Dims, submitted: int, ended: int | None, ended_as: str | None, on_time: bool | None,
        worked: int | None,
    ) -> None:
        """Add (+1) or take back (−1) what one case contributes."""
        dim, dim_ten = dims
        ten, hour, _, _ = floors(submitted, self.zone)
        in_backlog = ended is not None or ended_as is None
        cell = self.hours[hour, dim]
        cell[RECEIVED] += sign
        if in_backlog:
            cell[OPENED] += sign
        if ten >= self.ten_from:
            cell = self.tens[ten, dim_ten]
            cell[RECEIVED] += sign
            if in_backlog:
                cell[OPENED] += sign
        if ended is None:
            return
        if ended >= submitted:
            ten, hour, _, _ = floors(ended, self.zone)
            self._end(self.hours[hour, dim], sign, ended_as, on_time, worked, left=True)
            if ten >= self.ten_from:
                self._end(self.tens[ten, dim_ten], sign, ended_as, on_time, worked, left=True)
            return
        cell[LEFT] += sign if ten >= self.ten_from else 0
        self.hours[hour, dim][LEFT] += sign
        ten, hour, _, _ = floors(ended, self.zone)
        self._end(self.hours[hour, dim], sign, ended_as, on_time, None, left=False)
        if ten >= self.ten_from:
            self._end(self.tens[ten, dim_ten], sign, ended_as, on_time, None, left=False)

    @staticmethod
    def _end(
        cell: list[int], sign: int, ended_as: str | None, on_time: bool | None, worked: int | None, *, left: bool
    ) -> None:
        if left:
            cell[LEFT] += sign
        if ended_as == "cancelled":
            cell[CANCELLED] += sign
            return
        cell[COMPLETED] += sign
        if on_time is not None:
            cell[JUDGED] += sign
            if on_time:
                cell[ON_TIME] += sign
        if worked is not None:
            cell[WORKED] += sign * worked

    def earliest(self) -> int | None:
        """The first hour that differs at all; ``None`` when everything cancelled out."""
        return min((hour for (hour, _), counts in self.hours.items() if any(counts)), default=None)

    def rows(self) -> list[tuple[int, ...]]:
        """(grain, period, dim, *counts) for all grains, without those that cancelled out."""
        days: defaultdict[tuple[int, int], list[int]] = defaultdict(_zeros)
        months: defaultdict[tuple[int, int], list[int]] = defaultdict(_zeros)
        for (hour, dim), counts in self.hours.items():
            _, _, day, _ = floors(hour, self.zone)
            sums = days[day, dim]
            for number, count in enumerate(counts):
                if count:
                    sums[number] += count
        for (day, dim), counts in days.items():
            _, _, _, month = floors(day, self.zone)
            sums = months[month, dim]
            for number, count in enumerate(counts):
                if count:
                    sums[number] += count
        return [
            (GRAINS[grain], period, dim, *counts)
            for grain, cells in (("ten", self.tens), ("hour", self.hours), ("day", days), ("month", months))
            for (period, dim), counts in sorted(cells.items())
            if any(counts)
        ]
