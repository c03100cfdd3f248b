"""How many requests came in during the last 60 minutes, through today, against the usual day?"""

from __future__ import annotations

from dashboard.queries.answers import Rolling, State
from dashboard.queries.rolling import received_rolling
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.day_line import day_line
from layouts.components.elements import Element
from layouts.components.figures import age, nothing, shape_of
from layouts.components.fitting import fit
from layouts.components.tile import age_line, classes, stale_block

query = received_rolling


def draw(answer: Rolling, say: Say) -> Element:
    """The line of today in the band of the usual day, with its age below."""
    figure = answer.figure
    has_line = bool(answer.line) and answer.last is not None
    words = "" if has_line else nothing(figure, say)
    partial = say("panels.states.partial") if figure.state is State.PARTIAL else ""
    aged = age(figure, say, answer.as_of)
    text = say("panels.pair", a=partial, b=aged) if partial and aged else partial or aged
    key = say("panels.received_rolling.key") if answer.band else say("panels.no_band")
    return el.section(
        [
            el.h2(say("panels.received_rolling.title"), className="plate"),
            el.div(words, id="words", className="words" + ("" if words else " is-absent") + fit(words, 30)),
            day_line(answer, say),
            el.div(
                [age_line("age", text, shape_of(figure.state)), el.div(key, id="key", className="key")],
                className="fresh foot",
            ),
            el.div(stale_block(figure, say, answer.as_of), className="stale foot"),
        ],
        id="tile",
        className=f"tile rolling {classes(figure.state)}" + ("" if has_line else " has-no-line"),
    )
