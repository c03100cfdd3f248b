"""How many requests came in today, against a usual day by this hour?"""

from __future__ import annotations

from dashboard.queries import audience
from dashboard.queries.answers import Tile
from dashboard.queries.today import received_today
from dashboard.words import Say
from layouts.components.elements import Element
from layouts.components.tile import headline

query = received_today
for_people = audience.headline


def draw(answer: Tile, say: Say) -> Element:
    """The tile of this figure."""
    return headline(answer, say("panels.received_today.title"), say)
