"""The frame of a tile: title, what is fresh, what is stale. Both are always there; the class says which one is seen.

So the browser can turn a tile stale at its limit without the server, and a change of state keeps the tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.answers import Figure, Level, SourceAge, State, Tile
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.bands import bullet
from layouts.components.elements import Element
from layouts.components.figures import decimals_shown, explained, has_figure, limit, said, shape_of
from layouts.components.fitting import fit, names
from layouts.components.shapes import shape

UNJUDGED = (State.TOO_FEW, State.NOT_APPLICABLE)
"""Kinds of nothing without a shape of their own: the data are there, the figure is not judged."""

FIGURE_ROOM = (6, 7, 8)
WORDS_ROOM = (11, 15, 19)
LINE_ROOM, TONED_ROOM = (23, 28, 31), (19, 23, 27)


def classes(state: State, level: Level = Level.NORMAL) -> str:
    """The classes of a root element: its state, and its level when that is not normal."""
    return f"is-{state.value.replace('_', '-')}" + ("" if level is Level.NORMAL else f" {level.value}")


def state_line(id: str, kind: str, text: str) -> Element:
    """A shape and words in the colour of ``kind``; ``plain`` hides the shape and the colour."""
    room = LINE_ROOM if kind == "plain" else TONED_ROOM
    return el.div(
        [shape("fresh" if kind == "plain" else kind, f"{id}-shape"), el.span(text, id=f"{id}-text")],
        id=id,
        className=f"say st c-{kind}{fit(text, *room)}",
    )


def age_line(id: str, text: str, kind: str) -> Element:
    """The tile's age against its limit; a frozen wall shows the half disc instead of the state's shape."""
    return el.div(
        [shape(kind, f"{id}-shape"), el.span(text, id=f"{id}-text")],
        id=id,
        className=f"age c-{kind}{fit(text, 28, 31, 34)}" + ("" if text else " is-absent"),
    )


def since(id: str, age: SourceAge, say: Say, at: int) -> Element:
    """ "umur 1 jam 5 menit" (counted by the browser), or since when the source is offline."""
    offline = age.state is State.OFFLINE and age.since is not None
    moment = say.moment(age.since, at) if offline and age.since is not None else ""
    counted = "" if offline or age.data_until is None else str(age.data_until)
    word = say("panels.offline_since") if offline else say("panels.age")
    return el.div(
        [
            el.span(word, id=f"{id}-word"),
            " ",
            el.b(moment, id=f"{id}-moment"),
            el.b(id=f"{id}-age", **data(age_since=counted)),
        ],
        id=id,
        className="why plate" + ("" if offline or counted else " is-absent"),
    )


def stale_mark(say: Say) -> Element:
    """What a panel without a stale block shows when the browser's clock passes its limit, or it cannot be computed."""
    return el.div([shape("stale"), el.span(say("panels.states.stale"))], className="stale-mark st c-stale")


def stale_block(figure: Figure, say: Say, at: int) -> list[Element]:
    """What a stale or offline tile says: the state's word, which source, its age, its limit."""
    age = explained(figure)
    head = "offline" if age.state is State.OFFLINE else "silent" if age.why == "silent" else "stale"
    kind = "offline" if head == "offline" else "stale"
    data = "" if age.data_until is None else say("panels.data_at", time=say.moment(age.data_until, at))
    who = say("panels.who_data", who=age.short_name, data=data) if age.short_name and data else age.short_name or data
    also = [name for name in figure.without if name != age.short_name]
    below = (
        say("panels.without", names=names(figure.without, 28))
        if also
        else limit(age.limit_seconds, say)
        if age.limit_seconds
        else ""
    )
    return [
        el.div(
            [shape(kind, "stale-shape"), el.span(say(f"panels.stale_heads.{head}"), id="stale-word")],
            id="stale-head",
            className=f"say st c-{kind} plate",
        ),
        el.div(who, id="stale-who", className=f"why plate{fit(who, 24, 28, 31)}"),
        since("stale-since", age, say, at),
        el.div(below, id="stale-below", className="age plate"),
    ]


def frame(title: str, fresh: Sequence[Element], figure: Figure, say: Say, at: int) -> Element:
    """A tile: ``fresh`` in its fresh block, and the stale block from the figure's own sources."""
    return el.section(
        [
            el.h2(title, className="plate"),
            *fresh[:1],
            el.div(list(fresh[1:]), className="fresh"),
            el.div(stale_block(figure, say, at), className="stale"),
        ],
        id="tile",
        className=f"tile headline {classes(figure.state, figure.level)}",
    )


def headline(answer: Tile, title: str, say: Say) -> Element:
    """One headline figure of *today*: the number, how it lies against its band, its age."""
    figure = answer.figure
    words = said(figure, say, at=answer.as_of)
    size = fit(words.figure, *(WORDS_ROOM if words.in_words else FIGURE_ROOM))
    number = el.div(
        [
            el.span(
                shape(shape_of(figure.state) if words.in_words else "none", "figure-shape"),
                id="figure-state",
                className=f"c-{shape_of(figure.state)}"
                + ("" if words.in_words and figure.state not in UNJUDGED else " is-gone"),
            ),
            el.span(words.figure, id="figure"),
            el.small(words.unit, id="unit"),
        ],
        id="number",
        className=f"fig plate{' in-words' if words.in_words else ''}{' is-omitted' if figure.omitted else ''}{size}",
    )
    value = figure.value if has_figure(figure) else None
    tone = figure.level.value if figure.level is not Level.NORMAL else "plain"
    band = bullet(
        "band", figure.band if value is not None else None, value, say, decimals=decimals_shown(figure), tone=tone
    )
    fresh = [number, state_line("line", words.tone, words.line), band, age_line("age", words.age, words.age_shape)]
    return frame(title, fresh, figure, say, answer.as_of)
