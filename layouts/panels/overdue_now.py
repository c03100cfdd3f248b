"""How many open requests are past their due time now?"""

from __future__ import annotations

from dashboard.queries import audience
from dashboard.queries.answers import Tile
from dashboard.queries.today import overdue_now
from dashboard.words import Say
from layouts.components.elements import Element
from layouts.components.tile import headline

query = overdue_now
for_people = audience.headline


def draw(answer: Tile, say: Say) -> Element:
    """The tile of this figure."""
    return headline(answer, say("panels.overdue_now.title"), say)
