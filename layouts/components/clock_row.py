"""One clock of the open complaints: one mark for each at the share of its limit, in working time; the limit is one line.

Filled = running, ring = 80 % used, diamond = past: three outlines, each row one path of each, so that the number of elements
never changes. Marks that would lie on each other move aside, within their own zone; where a zone is full one mark stands for
several, and the row says for how many.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.complaints import SOON_SHARE, Clock, Mark
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import aria
from layouts.components.elements import Element
from layouts.components.fitting import fit
from layouts.components.shapes import shape

WIDTH, HEIGHT, LEFT, LIMIT_AT = 860, 98, 10, 610
AXIS_AT = 88
LONGEST = (WIDTH - LEFT) / (LIMIT_AT - LEFT)
"""The share of the limit at the right end; what is older stands there, behind the break of the axis."""
STEP = 24
LEVELS = (74, 50, 26)
RADIUS = 10
SOON_AT = LEFT + SOON_SHARE * (LIMIT_AT - LEFT)
ZONES = {"running": (LEFT, SOON_AT), "soon": (SOON_AT, LIMIT_AT), "past": (LIMIT_AT, WIDTH)}
EACH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def columns(state: str) -> list[float]:
    """The middles of the places side by side in a zone."""
    low, high = ZONES[state]
    count = int((high - low - 4) // STEP)
    first = (low + high - (count - 1) * STEP) / 2
    return [first + STEP * number for number in range(count)]


def each_of(marks: Sequence[Mark]) -> int:
    """For how many complaints one mark stands, so that every zone holds its marks."""
    counts = {state: sum(mark.state == state for mark in marks) for state in ZONES}
    room = {state: len(columns(state)) * len(LEVELS) for state in ZONES}
    return next((each for each in EACH if all(-(-counts[state] // each) <= room[state] for state in ZONES)), EACH[-1])


def places(marks: Sequence[Mark], state: str, each: int) -> list[tuple[float, int]]:
    """Where the marks of a zone stand: each in the free place nearest to its share."""
    free = {(x, y) for x in columns(state) for y in LEVELS}
    ages = [mark.share for mark in marks if mark.state == state]
    parts = [ages[start : start + each] for start in range(0, len(ages), each)]
    shares = [sum(part) / len(part) for part in parts]
    found = []
    for share in shares:
        at = LEFT + min(share, LONGEST) * (LIMIT_AT - LEFT)
        if not free:
            break
        place = min(free, key=lambda one: (abs(one[0] - at) + 0.4 * (LEVELS[0] - one[1]), one))
        free.discard(place)
        found.append(place)
    return found


def _disc(x: float, y: float, radius: float) -> str:
    return f"M{x - radius:g} {y:g}a{radius:g} {radius:g} 0 1 0 {2 * radius:g} 0a{radius:g} {radius:g} 0 1 0 {-2 * radius:g} 0Z"


def _diamond(x: float, y: float, radius: float) -> str:
    return f"M{x:g} {y - radius:g}l{radius:g} {radius:g}l{-radius:g} {radius:g}l{-radius:g} {-radius:g}Z"


def plot(clock: Clock, each: int, say: Say) -> Element:
    """The drawing, read aloud as the three counts."""
    paths = {
        "running": "".join(_disc(x, y, RADIUS) for x, y in places(clock.marks, "running", each)),
        "soon": "".join(_disc(x, y, RADIUS - 1.5) for x, y in places(clock.marks, "soon", each)),
        "past": "".join(_diamond(x, y, RADIUS + 2.5) for x, y in places(clock.marks, "past", each)),
    }
    told = say(
        "panels.complaint_clocks.told", open=say.number(len(clock.marks)), soon=say.number(clock.soon), past=say.number(clock.past)
    )
    return el.svg(
        [
            el.rect(x=SOON_AT, y=4, width=LIMIT_AT - SOON_AT, height=AXIS_AT - 4, className="soon-zone"),
            el.path(d=f"M{LEFT} {AXIS_AT}H{WIDTH - 22}M{WIDTH - 10} {AXIS_AT}H{WIDTH}", className="axis"),
            el.path(d=f"M{WIDTH - 26} {AXIS_AT + 7}l8 -14M{WIDTH - 15} {AXIS_AT + 7}l8 -14", className="axis"),
            el.path(d=f"M{LIMIT_AT} -2V{HEIGHT + 2}", className="limit"),
            *[el.path(id=f"{clock.row}-{name}", d=path, className=f"mark {name}") for name, path in paths.items()],
        ],
        id=f"{clock.row}-plot",
        className="clock-plot",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="xMinYMid meet",
        role="img",
        **aria(label=told),
    )


def _limit(clock: Clock, each: int, say: Say) -> str:
    least, most = clock.days
    if not most:
        limit = say("panels.complaint_clocks.limit_by_standard")
    elif least == most:
        limit = say("panels.complaint_clocks.limit", n=say.number(most))
    else:
        limit = say("panels.complaint_clocks.limits", low=say.number(least), high=say.number(most))
    return limit if each == 1 else say("panels.pair", a=limit, b=say("panels.complaint_clocks.each", n=say.number(each)))


def _count(number: int, id: str, say: Say, kind: str) -> Element:
    text = say.number(number)
    return el.span(
        [
            shape("attention", f"{id}-shape", " st c-attention" + ("" if kind == "past" and number else " is-gone")),
            el.span(text, id=id, className=f"v{fit(text, 2, 3, 5)}" + ("" if number else " is-zero")),
        ],
        className=f"num {kind}",
    )


def clock_row(clock: Clock, say: Say) -> Element:
    """The row: the stage and its limit, the marks, how many are open, at 80 % and past."""
    each = each_of(clock.marks)
    limit = _limit(clock, each, say)
    name = say(f"panels.complaint_clocks.rows.{clock.row}")
    return el.div(
        [
            el.div(
                [
                    el.div(name, className=f"n{fit(name, 17, 20)}"),
                    el.div(limit, id=f"{clock.row}-limit", className=f"s{fit(limit, 30, 34)}"),
                ],
                className="who-cell",
            ),
            plot(clock, each, say),
            _count(len(clock.marks), f"{clock.row}-open", say, "open"),
            _count(clock.soon, f"{clock.row}-soon-count", say, "soon"),
            _count(clock.past, f"{clock.row}-past-count", say, "past"),
        ],
        className="row clock",
    )
