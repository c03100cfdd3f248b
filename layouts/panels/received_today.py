"""How many requests came in today, against a usual day by this hour?"""

from __future__ import annotations

from dash.development.base_component import Component

from dashboard.queries.answers import Tile
from dashboard.queries.today import received_today
from dashboard.words import Say
from layouts.components.tile import headline

query = received_today


def draw(answer: Tile, say: Say) -> Component:
    """The tile of this figure."""
    return headline(answer, say("panels.received_today.title"), say)
