"""A board: a tile over the whole width with rows, and a foot that says how fresh it is, or that it is not to be believed."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.answers import Figure, State
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.figures import age, has_figure, nothing, shape_of
from layouts.components.fitting import fit
from layouts.components.tile import age_line, classes, stale_block


def foot(figure: Figure, say: Say, at: int, keys: Sequence[Element]) -> list[Element]:
    """The foot of a fresh board (what its marks mean, then its age) and that of a stale one; the tile's class shows one."""
    aged = age(figure, say, at)
    partial = say("panels.states.partial") if figure.state is State.PARTIAL else ""
    text = say("panels.pair", a=partial, b=aged) if partial and aged else partial or aged
    return [
        el.div([*keys, age_line("age", text, shape_of(figure.state))], className="fresh foot"),
        el.div(stale_block(figure, say, at), className="stale foot"),
    ]


def board(figure: Figure, inside: Sequence[Element], say: Say, at: int, *, keys: Sequence[Element] = (), look: str) -> Element:
    """The tile. Without a figure its rows are there, unseen, and the kind of nothing is said instead."""
    words = "" if has_figure(figure) else nothing(figure, say)
    return el.section(
        [
            el.div(words, id="words", className="words" + ("" if words else " is-absent") + fit(words, 30)),
            *inside,
            *foot(figure, say, at, keys),
        ],
        id="tile",
        className=f"tile board {look} {classes(figure.state)}" + (" has-nothing" if words else ""),
    )


def key(kind: str, word: str) -> Element:
    """A mark and what it means."""
    return el.span([el.i(className=f"sign {kind}"), el.span(word)], className="sign-of")
