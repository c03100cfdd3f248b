"""Who is connected, how fresh is each source, and how did its runs of the last 24 hours end?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from dashboard.queries import audience
from dashboard.queries.ecosystem import Ecosystem, Unit, ecosystem
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.ecosystem_totals import totals
from layouts.components.elements import Element
from layouts.components.run_strip import legend
from layouts.components.tile import stale_mark
from layouts.components.unit_tile import unconnected_tile, unit_tile

query = ecosystem
for_people = audience.nothing_counted
PLACES = 30
"""Half places of a page: a connected agency takes two, one above the other; one that is not, one."""


def _pages(answer: Ecosystem) -> Iterator[list[Unit | str]]:
    """The agencies of each page: connected ones first, in declared order."""
    page: list[Unit | str] = []
    taken = 0
    listed: Iterator[Unit | str] = chain(answer.units, answer.not_connected)
    for each in listed:
        size = 1 if isinstance(each, str) else 2
        if taken + size > PLACES:
            yield page
            page, taken = [], 0
        page.append(each)
        taken += size
    yield page


def _page(inside: Sequence[Unit | str], at: int, say: Say) -> Element:
    tiles = [
        unconnected_tile(each, f"p{at}u{number}", say) if isinstance(each, str) else unit_tile(each, f"p{at}u{number}", say)
        for number, each in enumerate(inside)
    ]
    return el.div(tiles, className="page units", **data(page=str(at)))


def draw(answer: Ecosystem, say: Say) -> Element:
    """Totals, pages of agencies, and what the marks of the 24 hours mean."""
    pages = list(_pages(answer))
    turned = [
        el.b(say("panels.ecosystem.page", n=at, of=len(pages)), className="turn", **data(page=str(at)))
        for at in range(1, len(pages) + 1)
    ]
    foot = [
        el.b(say("panels.ecosystem.day")),
        *legend(say),
        el.span(say("panels.ecosystem.sources", n=say.number(answer.sources)), id="sources", className="end"),
        *([el.span(turned, className="turns")] if len(pages) > 1 else []),
        stale_mark(say),
    ]
    return el.div(
        [
            totals(answer, say),
            el.div([_page(inside, at, say) for at, inside in enumerate(pages, 1)], className="pages"),
            el.div(foot, className="strip legend"),
        ],
        className="ecosystem",
    )
