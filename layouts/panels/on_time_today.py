"""What share of the requests completed today was on time?"""

from __future__ import annotations

from dashboard.queries import audience
from dashboard.queries.answers import Tile
from dashboard.queries.today import on_time_today
from dashboard.words import Say
from layouts.components.elements import Element
from layouts.components.tile import headline

query = on_time_today
for_people = audience.headline


def draw(answer: Tile, say: Say) -> Element:
    """The tile of this figure."""
    return headline(answer, say("panels.on_time_today.title"), say)
