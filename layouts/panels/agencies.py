"""How is every agency doing: received today, times against the standard, on time, complaints?"""

from __future__ import annotations

from dashboard.queries import audience
from dashboard.queries.agencies import agency_rows
from dashboard.queries.answers import Agencies
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.agency_row import agency_row
from layouts.components.attributes import data
from layouts.components.elements import Element
from layouts.components.fitting import fit
from layouts.components.pages import page_strip
from layouts.components.shapes import shape

query = agency_rows
for_people = audience.agencies
ROWS, UNCONNECTED = 6, 30
KEYS = ("bar", "whisker", "standard")
COLUMNS = ("agency", "received", "time", "on_time", "complaints")


def _rows(answer: Agencies, start: int, say: Say) -> Element:
    """Six agencies. Ids come from the place in the list, so a row keeps its own."""
    return el.div(
        [
            el.div([el.span(say(f"panels.agencies.{column}")) for column in COLUMNS], className="row h"),
            *[
                agency_row(row, f"a{start + at}", say, answer.as_of)
                for at, row in enumerate(answer.rows[start : start + ROWS])
            ],
        ],
        className="rows",
    )


def _unconnected(answer: Agencies, start: int, say: Say) -> Element:
    """Those that have no source yet: listed by name, never with a figure."""
    shown = answer.not_connected[start : start + UNCONNECTED]
    return el.div(
        [
            el.div(say("panels.agencies.unconnected", n=say.number(len(answer.not_connected))), className="row h"),
            el.ul([el.li([shape("none"), el.span(name, className=f"n{fit(name, 18, 24)}")]) for name in shown]),
        ],
        className="rows unconnected",
    )


def draw(answer: Agencies, say: Say) -> Element:
    """Pages of six rows, then the agencies that are not connected."""
    blocks = [_rows(answer, start, say) for start in range(0, len(answer.rows), ROWS)]
    listed = len(blocks)
    blocks += [_unconnected(answer, start, say) for start in range(0, len(answer.not_connected), UNCONNECTED)]
    if not blocks:
        blocks = [el.div(el.div(say("panels.states.none"), className="row h"), className="rows")]
    counted = say(
        "panels.agencies.counted",
        n=say.number(len(answer.rows)),
        all=say.number(len(answer.rows) + len(answer.not_connected)),
    )
    return el.div(
        [
            el.div(
                [block, page_strip(at, len(blocks), counted, say, keys=KEYS if at <= listed else ())],
                className="page",
                **data(page=str(at)),
            )
            for at, block in enumerate(blocks, 1)
        ],
        className="pages agencies",
    )
