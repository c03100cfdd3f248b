"""Whether a source's clock, or the zone declared for its stamps, can be right. Said as a remark of a good run, never an error."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.cases import Rejected, Sighting
from dashboard.clock import DAY, HOUR, MINUTE

SKEW_SECONDS = 120
"""So far the ``Date`` of an answer may lie from our clock."""
AHEAD_SECONDS = 300
AHEAD_SHARE = 0.05
LEAST_AHEAD = 3
LEAST_TOLD = 50
MOST_TOLD = 20_000
SAMPLE = 500
NIGHT = frozenset((21, 22, 23, 0, 1, 2, 3, 4))
IN_FUTURE = "lies in the future"
"""The reason of a row put aside for a stamp in the future."""


def skew_remark(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """(English, Indonesian) when the ``Date`` of an answer lies too far from our clock; ``None`` without one (D3)."""
    try:
        told = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    apart = told - time.time()
    if abs(apart) <= SKEW_SECONDS:
        return None
    size = f"{abs(apart) / MINUTE:.0f} min" if abs(apart) < 2 * HOUR else f"{abs(apart) / HOUR:.0f} h"
    ahead = apart > 0
    return (
        f"its clock is {size} {'ahead of' if ahead else 'behind'} ours; set it by NTP",
        f"jamnya {size} {'mendahului' if ahead else 'tertinggal dari'} jam kami; setel dengan NTP",
    )


class Plausible:
    """Counts submissions by hour of the regency's day, and those ahead of our clock (D2). ``before``: the stored signature.

    Hours are counted over many small reads; a full read counts anew. What was implausible stays said until a read tells better.
    """

    def __init__(self, before: Mapping[str, Any], zone: ZoneInfo, started: int, *, full: bool) -> None:
        known = before.get("hours")
        self.hours = list(known) if isinstance(known, list) and len(known) == len(range(24)) and not full else [0] * 24
        self.ahead_before = float(before.get("ahead") or 0.0)
        self.offset = int((datetime.fromtimestamp(started, zone).utcoffset() or timedelta()).total_seconds())
        self.limit = started + AHEAD_SECONDS
        self.rows = self.ahead = 0

    def note(self, sightings: Sequence[Sighting], put_aside: Sequence[Rejected]) -> None:
        """Count a part of the read."""
        limit, future = self.limit, sum(IN_FUTURE in item.reason for item in put_aside)
        self.rows += len(sightings) + future
        self.ahead += future + sum(1 for item in sightings if item.submitted_at > limit)
        for item in sightings[:SAMPLE]:
            second = (item.submitted_at + self.offset) % DAY
            if second:  # local midnight is a date without a time
                self.hours[second // HOUR] += 1

    @property
    def share_ahead(self) -> float:
        """Share of the rows ahead of our clock: of this read, or, of too few rows to tell, of the one before."""
        if self.ahead >= LEAST_AHEAD or self.rows >= LEAST_TOLD:
            return self.ahead / self.rows
        return self.ahead_before

    @property
    def busiest(self) -> int | None:
        """The middle of the three busiest hours; ``None`` while there are too few submissions to tell."""
        if sum(self.hours) < LEAST_TOLD:
            return None
        return max(range(24), key=lambda hour: sum(self.hours[(hour + by) % 24] for by in (-1, 0, 1)))

    def remarks(self) -> list[tuple[str, str]]:
        """(English, Indonesian) of what cannot be right."""
        said = []
        if self.share_ahead > AHEAD_SHARE:
            share = round(100 * self.share_ahead)
            said.append((
                f"zone probably wrong: {share} % of the rows were submitted in the future; look at timezone",
                f"zona waktu mungkin salah: {share}% baris masuk di masa depan; periksa timezone",
            ))
        elif self.busiest in NIGHT:
            said.append((
                f"zone probably wrong: most is submitted about {self.busiest:02d}:00, at night; look at timezone",
                f"zona waktu mungkin salah: paling banyak masuk sekitar {self.busiest:02d}.00, malam hari; periksa timezone",
            ))
        return said

    def signature(self) -> dict[str, Any]:
        """What the next reads go on with."""
        total = sum(self.hours)
        hours = [hour * MOST_TOLD // total for hour in self.hours] if total > MOST_TOLD else self.hours
        return {"hours": hours, "ahead": round(self.share_ahead, 3), "zone": bool(self.remarks())}
