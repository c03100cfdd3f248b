"""Walls that cannot be believed although the server is well: old figures, no frames, silence, a wrong clock or size."""

from __future__ import annotations

from dashboard.queries.answers import Alarm, Context
from dashboard.queries.walls import LEVELS, Fault, Wall, walls


def _alarm(found: Wall, fault: Fault) -> Alarm:
    (width, height), wanted = found.pixels, found.wanted
    return Alarm(
        key=f"wall:{found.device}:{fault.health.value}", rule=f"wall_{fault.health.value}", level=LEVELS[fault.health],
        subject=found.place, since=fault.since,
        params={
            "skew_seconds": max(abs(found.skew_seconds), abs(found.shown_seconds)), "size": f"{width}×{height}",
            "wanted": f"{wanted[0]}×{wanted[1]}",
        },
    )


def wall_alarms(context: Context) -> tuple[list[Alarm], int | None]:
    """The worst fault of each wall, and when the clock alone would say something else (epoch seconds)."""
    answer = walls(context)
    return [_alarm(one, one.faults[0]) for one in answer.walls if one.faults], answer.changes_at
