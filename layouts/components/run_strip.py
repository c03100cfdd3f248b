"""A day of a source's runs, an hour each: one path for all that went well, one for each colour of what did not.

Below stands what went well in the hour, above it what did not; every outcome has an outline of its own, so that no
colour is needed to tell them apart. The number of elements never changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dashboard.queries.runs import HOURS, Hour
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import aria
from layouts.components.elements import Element

STEP, TALL = 12, 22
GOOD = {  # (alone, below what did not go well): (top, height) of each bar, 9 wide
    "ok": (((0, 22),), ((13, 9),)),
    "empty": (((13, 9),), ((18, 4),)),
    "partial": (((0, 6), (10, 12)), ((13, 3), (18, 4))),
}
def _box(x: float, y: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


BAD = {  # outlines in a box of 9 × 10
    "held": (_box(1, 0, 2.6, 10), _box(5.4, 0, 2.6, 10)),
    "unavailable": (_box(0, 3.5, 9, 3.5),),
    "rejected": (
        ((0, 2), (2, 0), (4.5, 3), (7, 0), (9, 2), (6.3, 5), (9, 8), (7, 10), (4.5, 7), (2, 10), (0, 8), (2.7, 5)),
    ),
    "changed": (_box(0, 1, 9, 2.8), _box(0, 6, 9, 2.8)),
    "failed": (_box(3, 0, 3.2, 6), _box(3, 7.6, 3.2, 2.6)),
}
TONES = {"gone": ("unavailable",), "odd": ("held", "rejected", "changed", "failed")}
OUTCOMES = (*GOOD, *BAD)
LOW = 15
"""Where a mark stands that has nothing below it: an hour without any good run is a gap in the line."""


def _outline(kind: str, x: float, y: float) -> str:
    """The outlines of BAD at a place."""
    return "".join(
        "M" + "L".join(f"{x + right:g} {y + down:g}" for right, down in points) + "Z" for points in BAD[kind]
    )


def _bars(kind: str, x: float, *, alone: bool) -> str:
    return "".join(f"M{x:g} {top}h9v{height}h-9Z" for top, height in GOOD[kind][0 if alone else 1])


def _hour(hour: Hour, at: int, tone: str) -> str:
    """What a path of this tone says of an hour."""
    x = at * STEP + 1.5
    if tone == "good":
        return _bars(hour.good, x, alone=not hour.bad) if hour.good else ""
    if hour.bad not in TONES[tone]:
        return ""
    return _outline(hour.bad, x, 0 if hour.good else LOW if hour.bad == "unavailable" else LOW / 2)


def run_strip(id: str, hours: Sequence[Hour], say: Say) -> Element:
    """The line of a source; read aloud as how many hours showed which outcome."""
    counts = Counter(hour.bad or hour.good for hour in hours if hour.bad or hour.good)
    told = ", ".join(f"{say.number(counts[kind])} {say(f'outcomes.{kind}')}" for kind in OUTCOMES if counts[kind])
    return el.svg(
        [
            el.path(
                id=f"{id}-{tone}", className=f"run {tone}",
                d="".join(_hour(hour, at, tone) for at, hour in enumerate(hours)),
            )
            for tone in ("good", *TONES)
        ],
        id=id,
        className="runs",
        viewBox=f"0 0 {HOURS * STEP} {TALL}",
        preserveAspectRatio="none",
        role="img",
        **aria(label=say("panels.ecosystem.day_told", told=told or say("panels.states.none"))),
    )


def mark(kind: str, id: str | None = None) -> Element:
    """The mark of one outcome by itself, as in the legend; ``""`` is none. With an ``id`` it can become another one."""
    tone = next((tone for tone, kinds in TONES.items() if kind in kinds), "good")
    path = _bars(kind, 0, alone=True) if kind in GOOD else _outline(kind, 0, 6) if kind else ""
    named = {"id": id} if id else {}
    return el.svg(
        el.path(d=path, className=f"run {tone}", **named), className="run-mark", viewBox=f"0 0 9 {TALL}", **aria(hidden="true")
    )


def legend(say: Say) -> list[Element]:
    """Every outcome with its mark and its word."""
    return [el.span([mark(kind), el.span(say(f"outcomes.{kind}"))], className="key") for kind in OUTCOMES]
