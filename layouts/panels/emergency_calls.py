"""What rings on the emergency line today: valid, abandoned, ghosts; and when do the valid calls come?"""

from __future__ import annotations

from dashboard.queries.emergency import Emergency, emergency
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.board import board
from layouts.components.call_parts import hours, parts
from layouts.components.elements import Element

query = emergency


def draw(answer: Emergency, say: Say) -> Element:
    """All calls by kind as one bar, then the valid ones by the hour."""
    inside = [
        el.h2(say("panels.emergency_calls.title"), className="plate"),
        *parts(answer, say),
        el.h2(say("panels.emergency_calls.by_hour"), className="plate second"),
        hours(answer.hours, say),
    ]
    return board(answer.valid, [el.div(inside, className="call-board")], say, answer.as_of, look="calls")
