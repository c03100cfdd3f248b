"""A small tile with one figure: its title, the number or the kind of nothing, one line below. Several stand in one panel.

As on the headline tiles both lines are always there, the one of a fresh figure and the one of a stale one; the class says
which is seen, so that the browser can turn a tile stale by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.queries.answers import Figure, Level, State
from dashboard.queries.freshness import OUT
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.elements import Element
from layouts.components.figures import decimals_of, has_figure, nothing, shape_of, why_nothing
from layouts.components.fitting import fit
from layouts.components.shapes import shape
from layouts.components.tile import classes, stale_mark

UNJUDGED = (State.TOO_FEW, State.NOT_APPLICABLE)
ROOM = {4: (23, 27, 30), 5: (17, 20, 22)}
"""Characters of a line at 34, 30 and 28 px, by how many tiles stand side by side."""
FIGURE = {4: (12, 15, 17), 5: (9, 10, 13)}
"""Characters of a figure with its unit at 88, 76 and 64 px."""
WORD = {4: "four", 5: "five"}
SHAPE, LONGEST = 3, 1
"""Characters that a shape takes; how many more a line has at 26 px, before its brief form stands."""


@dataclass(frozen=True)
class Stat:
    """What a tile says. ``line``: below a fresh figure, in the tone of ``level`` (normal: plain) unless ``tone`` says another.

    ``unit`` stands small behind the number. ``decimals`` of the number; by default those of its metric. ``brief``: what stands
    for a line that is too long.
    """

    title: str
    figure: Figure
    unit: str = ""
    line: str = ""
    brief: str = ""
    tone: str = ""
    decimals: int | None = None


def _line(stat: Stat, say: Say, *, shown: bool, side_by_side: int) -> tuple[str, str, str]:
    """Tone, words and size of the line below a figure that is not stale."""
    figure = stat.figure
    tone = stat.tone or ("plain" if figure.level is Level.NORMAL else figure.level.value)
    state = figure.state if shown and (figure.state is State.PARTIAL or (figure.state is State.LATE and tone == "plain")) else None
    word = say(f"panels.states.{state.value}") if state else ""
    tone = shape_of(state) if state else tone
    room = [most - (0 if tone == "plain" else SHAPE) for most in ROOM[side_by_side]]
    line = stat.line
    if not shown:
        tone, line = "plain", why_nothing(figure, say) or ("" if figure.state in (State.NONE, State.LOADING) else stat.line)
    for said in (line, stat.brief, ""):
        text = say("panels.pair", a=word, b=said) if word and said else word or said
        if len(text) <= room[-1] + LONGEST:
            break
    return tone, text, fit(text, *room)


def stat_tile(stat: Stat, key: str, say: Say, at: int, *, side_by_side: int) -> Element:
    """The tile; ``key`` makes its ids. ``side_by_side``: how many stand in the panel's line (4 or 5)."""
    figure = stat.figure
    shown = has_figure(figure) and figure.value is not None
    decimals = decimals_of(figure.metric) if stat.decimals is None else stat.decimals
    text = say.number(figure.value, decimals) if shown and figure.value is not None else nothing(figure, say)
    if not shown and figure.state in OUT:
        text = say(f"panels.states.{figure.state.value}")
    unit = stat.unit if shown else ""
    kind = shape_of(figure.state)
    tone, line, size = _line(stat, say, shown=shown, side_by_side=side_by_side)
    return el.section(
        [
            el.h2(stat.title, className="plate"),
            el.div(
                [
                    el.span(
                        shape(kind if not shown else "none", f"{key}-none"),
                        id=f"{key}-none-box",
                        className=f"c-{kind}" + ("" if not shown and figure.state not in UNJUDGED else " is-gone"),
                    ),
                    el.span(text, id=f"{key}-value"),
                    el.small(unit, id=f"{key}-unit"),
                ],
                id=f"{key}-number",
                className="fig plate" + (fit(text + unit, *FIGURE[side_by_side]) if shown else " in-words" + fit(text, 11, 15, 19)),
            ),
            el.div(
                [shape("fresh" if tone == "plain" else tone, f"{key}-shape"), el.span(line, id=f"{key}-line")],
                id=f"{key}-say",
                className=f"say st c-{tone} fresh{size}",
            ),
            _stale(figure, key, say, at),
        ],
        id=f"{key}-tile",
        className=f"tile stat {classes(figure.state, figure.level)}",
    )


def stats(found: Mapping[str, Stat], say: Say, at: int) -> Element:
    """Tiles side by side, by their keys; four or five."""
    tiles = [stat_tile(stat, key, say, at, side_by_side=len(found)) for key, stat in found.items()]
    return el.div([*tiles, stale_mark(say)], className=f"stats {WORD[len(found)]}")


def _stale(figure: Figure, key: str, say: Say, at: int) -> Element:
    """The line of a stale or offline figure: its state, and the hour of its data or since when the source is offline."""
    worst = figure.worst if figure.state in OUT else None
    offline = worst is not None and worst.state is State.OFFLINE
    until = worst.data_until if worst is not None else figure.data_until
    word = say(f"panels.states.{'offline' if offline else 'stale'}")
    moment = say.moment(until, at) if until is not None else ""
    moment = moment.rpartition(" ")[0] or moment  # the day alone when it is not today
    kind = "offline" if offline else "stale"
    return el.div(
        [
            shape(kind, f"{key}-stale-shape"),
            el.span(word, id=f"{key}-stale-word"),
            el.b(moment, id=f"{key}-stale-moment", **data(until=str(until or ""))),
        ],
        id=f"{key}-stale",
        className=f"say st c-{kind} stale plate",
    )
