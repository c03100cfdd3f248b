"""How do things stand overall?"""

from __future__ import annotations

from dashboard.alarms.rules import open_alarms
from dashboard.queries import audience
from dashboard.queries.answers import Alarms, Level
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.shapes import shape

query = open_alarms
for_people = audience.alarms


def draw(answer: Alarms, say: Say) -> Element:
    """The chip in the header: outlined, filled only when critical."""
    level = answer.overall
    look = "fill" if level is Level.CRITICAL else "line"
    return el.div(
        [shape(level.value, "shape"), el.span(say(f"wall.levels.{level.value}"), id="word")],
        id="chip",
        className=f"chip big {look} c-{level.value}",
    )
