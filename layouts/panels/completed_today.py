"""How many requests were completed today, against a usual day by this hour?"""

from __future__ import annotations

from dashboard.queries import audience
from dashboard.queries.answers import Tile
from dashboard.queries.today import completed_today
from dashboard.words import Say
from layouts.components.elements import Element
from layouts.components.tile import headline

query = completed_today
for_people = audience.headline


def draw(answer: Tile, say: Say) -> Element:
    """The tile of this figure."""
    return headline(answer, say("panels.completed_today.title"), say)
