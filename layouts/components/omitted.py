"""What stands in the place of a panel that is not shown to people present: its title, and the words why."""

from __future__ import annotations

from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.shapes import shape


def title_of(panel: str, say: Say) -> str:
    """The title of a panel by its name; "" for one that has none of its own."""
    key = f"panels.{panel}.title"
    return say(key) if say.has(key) else ""


def omitted(title: str, say: Say) -> Element:
    """The tile; nothing in it ever changes."""
    return el.section(
        [
            *([el.h2(title, className="plate")] if title else []),
            el.div([shape("suppressed"), el.span(say("wall.omitted"))], className="what c-suppressed"),
            el.div(say("wall.omitted_why"), className="why"),
        ],
        className="tile omitted is-suppressed",
    )
