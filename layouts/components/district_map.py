"""The districts as a map: grey-blue steps of the value, an outline and a mark where it stands out, another surface for what is
no figure. The number on it is that of the list; a letter stands for a district that is listed and not ranked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dashboard.queries.answers import Level, State
from dashboard.queries.districts import DistrictRow, Districts
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.shapes import shape

STEPS = 4
ROOM_FOR_A_NAME, ROOM_WHEN_SMALL, LETTER_WIDTH = 60, 90, 13
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NICE = (1, 2, 2.5, 5, 10)


def steps(answer: Districts) -> tuple[float, ...]:
    """The three round boundaries between the four steps, about two thirds, one and four thirds of the mean; none without one."""
    if not answer.mean:
        return ()
    third = answer.mean / 3
    size = 10.0 ** math.floor(math.log10(third))
    candidates = [size * one for one in _NICE]
    if answer.measure == "received":  # cases are whole
        candidates = [one for one in candidates if one == int(one)] or [1.0]
    step = min(candidates, key=lambda one: abs(math.log(one / third)))
    return 2 * step, 3 * step, 4 * step


def key_of(row: DistrictRow, unranked: int) -> str:
    """The number of a ranked district; for one that is only listed the letter of its place among those (then "aa" …)."""
    if row.rank is not None:
        return str(row.rank)
    letter = _LETTERS[unranked % len(_LETTERS)]
    return letter if unranked < len(_LETTERS) else letter * 2


def keys(rows: Sequence[DistrictRow]) -> dict[str, str]:
    """The key of every district by its code."""
    ranked = sum(row.rank is not None for row in rows)
    return {row.district: key_of(row, at - ranked) for at, row in enumerate(rows)}


def surface(row: DistrictRow, bounds: Sequence[float]) -> str:
    """The class of a district's surface: a step of the value, or the kind of what is no figure."""
    state = row.figure.state
    if state in (State.STALE, State.OFFLINE):
        return f"is-{state.value}"
    if row.hidden:
        return "is-suppressed"
    if row.rank is None or row.figure.value is None or not bounds:
        return "is-none"
    partial = " is-partial" if state is State.PARTIAL else ""
    return f"step-{sum(row.figure.value >= bound for bound in bounds)}{partial}"


def _place(code: str) -> str:
    return code.replace(".", "-")


def _label(row: DistrictRow, key: str, answer: Districts) -> Element:
    """Number or letter, where there is room the name, and the mark of what stands out."""
    drawn = answer.map.outlines[row.district]
    named = not answer.map.tiles and drawn.room > max(ROOM_FOR_A_NAME, len(row.name) * LETTER_WIDTH / 2.6)
    level = row.figure.level
    id = f"l-{_place(row.district)}"
    return el.div(
        [
            el.span(
                shape("attention" if level is Level.NORMAL else level.value, f"{id}-mark", f" st c-{level.value}"),
                id=f"{id}-disc", className="disc" + (" is-gone" if level is Level.NORMAL else ""),
            ),
            el.b(key, id=f"{id}-key"),
            *([el.span(row.name)] if named else []),
        ],
        className="place" + (" in-tile" if answer.map.tiles else " tight" if drawn.room < ROOM_WHEN_SMALL else ""),
        style={
            "left": f"{100 * drawn.x / answer.map.width:.2f}%", "top": f"{100 * drawn.y / answer.map.height:.2f}%",
        },
    )


def district_map(answer: Districts) -> Element:
    """The map in its box: one path for each district, its hatch and dots, and above them the edges of what stands out.

    What has an id has no path: a state changes by a class alone, so that a frame stays small.
    """
    bounds, named = steps(answer), keys(answer.rows)
    shown = sorted((row for row in answer.rows if row.district in answer.map.outlines), key=lambda row: row.district)
    outlines = answer.map.outlines
    areas = [
        el.g(
            [
                el.path(d=outlines[row.district].d, className="ground"), el.path(d=outlines[row.district].hatch, className="hatch"),
                el.path(d=outlines[row.district].dots, className="dots"),
            ],
            id=f"k-{_place(row.district)}", className=f"district {surface(row, bounds)}",
        )
        for row in shown
    ]
    edges = [
        el.g([el.path(d=outlines[row.district].d)], id=f"e-{_place(row.district)}", className=f"edge is-{row.figure.level.value}")
        for row in shown
    ]
    around = el.g([el.path(d=outlines[row.district].d) for row in shown], className="around")
    ratio = f"{(answer.map.width or 1) / (answer.map.height or 1):.4f}"
    return el.div(
        el.div(
            [
                el.svg([around, *areas, *edges], viewBox=f"0 0 {answer.map.width or 1:g} {answer.map.height or 1:g}"),
                *[_label(row, named[row.district], answer) for row in shown],
            ],
            className="map-box", style={"--ratio": ratio},
        ),
        className="map",
    )


def legend(answer: Districts, say: Say) -> Element:
    """What the four steps mean, the most first."""
    bounds = steps(answer)
    told = [say.number(bound, 0 if bound == int(bound) else 1) for bound in bounds] or ["", "", ""]
    sign = "%" if answer.measure == "late" else ""
    lines = [
        say("panels.districts.from", value=told[2] + sign), say("panels.districts.between", low=told[1], high=told[2] + sign),
        say("panels.districts.between", low=told[0], high=told[1] + sign), say("panels.districts.under", value=told[0] + sign),
    ]
    return el.div(
        [
            el.div([el.i(className=f"swatch step-{STEPS - 1 - at}"), el.span(line, id=f"step-{at}")])
            for at, line in enumerate(lines)
        ],
        id="steps", className="steps" + ("" if bounds else " is-absent"),
    )
