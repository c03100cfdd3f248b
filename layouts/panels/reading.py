"""What does one published figure say, of which period, against its target, and is it still in force?"""

from __future__ import annotations

from dashboard.queries.readings import Readings, readings
from dashboard.words import Say
from layouts.components.elements import Element
from layouts.components.names import metric_name
from layouts.components.reading_tile import reading_tile

query = readings


def draw(answer: Readings, say: Say) -> Element:
    """The tile of the first metric asked for."""
    one = answer.rows[0]
    title = answer.title[say.language] if answer.title else metric_name(one.metric, say)
    return reading_tile(one, title, answer.edition, say, answer.as_of)
