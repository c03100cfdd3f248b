"""At which stage is every open complaint, and how much of its limit is used?"""

from __future__ import annotations

from dashboard.queries.complaints import Complaints, complaint_clocks
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.board import board, key
from layouts.components.clock_row import clock_row
from layouts.components.elements import Element
from layouts.components.figures import has_figure

query = complaint_clocks
COLUMNS = ("stage", "age", "open", "soon", "past")
COUNTED = ("open", "soon", "past")
KEYS = ("running", "soon", "past")


def draw(answer: Complaints, say: Say) -> Element:
    """A row for each clock; below it how many are open, what the marks mean, and the age of what is told."""
    figure = answer.figure
    count = say.number(figure.value) if has_figure(figure) and figure.value is not None else ""
    unclocked = say("panels.complaint_clocks.unclocked", n=say.number(answer.unclocked)) if answer.unclocked else ""
    head = el.div(
        [
            el.span(say(f"panels.complaint_clocks.{column}"), className="counted" if column in COUNTED else "")
            for column in COLUMNS
        ], className="row h"
    )
    keys = [
        el.b(say("panels.complaint_clocks.total", n=count) if count else "", id="total"),
        el.span([key(f"is-{name}", say(f"panels.complaint_clocks.keys.{name}")) for name in KEYS], className="keys"),
        el.span(unclocked, id="unclocked", className="also" + ("" if unclocked else " is-gone")),
    ]
    rows = el.div([head, *[clock_row(clock, say) for clock in answer.clocks]], className="clock-rows")
    return board(figure, [rows], say, answer.as_of, keys=keys, look="clocks")
