"""Small bars in the rows of the agencies: cases per hour, and times as a share of the standard.

In all rows the standard is at the same place, so "late" is too.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.answers import Level
from layouts.components import elements as el
from layouts.components.elements import Element

BAR, STEP, TALL = 15, 20, 50
HOUR_BASE = 56
TIME_WIDTH, STANDARD_AT = 318, 159
LONGEST_SHARE = 2.0


def hour_bars(id: str, hours: Sequence[int | None]) -> Element:
    """Cases per local hour: hours past, the running hour brighter, hours to come (``None``) as dashes on the base."""
    known = [count for count in hours if count is not None]
    top = max([*known, 1])
    running = len(known) - 1

    def bar(at: int, count: int) -> str:
        tall = max(3.0, TALL * count / top)
        return f"M{at * STEP} {HOUR_BASE}v{-tall:.1f}h{BAR}v{tall:.1f}Z"

    past = "".join(bar(at, count) for at, count in enumerate(known[:-1]))
    now = bar(running, known[-1]) if known else ""
    later = "".join(f"M{at * STEP} {HOUR_BASE}h{BAR}" for at in range(len(known), len(hours)))
    return el.svg(
        [
            el.path(id=f"{id}-past", d=past, className="hour past"),
            el.path(id=f"{id}-now", d=now, className="hour running"),
            el.path(id=f"{id}-later", d=later, className="hour later"),
        ],
        className="hours",
        viewBox=f"0 0 {max(len(hours), 1) * STEP - STEP + BAR} 60",
    )


def time_bar(id: str, median: float | None, p90: float | None, level: Level) -> Element:
    """Median (bar) and 90th percentile (whisker) as shares of the standard (white upright; 1.0). Beyond twice the
    standard the whisker loses its end. ``None``: nothing is drawn but the axis and, with a standard, the upright."""

    def place(share: float) -> float:
        return round(min(share, LONGEST_SHARE) * STANDARD_AT, 1)

    bar = "" if median is None else f"M0 8h{max(place(median), 2):g}v36h-{max(place(median), 2):g}Z"
    whisker = ""
    if median is not None and p90 is not None and p90 >= median:
        cap = f"M{place(p90):g} 13v26" if p90 <= LONGEST_SHARE else ""
        whisker = f"M{place(median):g} 26H{place(p90):g}{cap}"
    over = "attention" if level is Level.ATTENTION else "plain"
    return el.svg(
        [
            el.path(id=f"{id}-median", d=bar, className=f"median is-{level.value}"),
            el.path(id=f"{id}-p90", d=whisker, className=f"whisker is-{over}"),
            el.path(
                id=f"{id}-standard",
                d=f"M{STANDARD_AT} -6V58",
                className="standard" + (" is-absent" if median is None else ""),
            ),
        ],
        className="times",
        viewBox=f"0 0 {TIME_WIDTH} 52",
    )
