"""How is every wall: does it paint what the server says, and are its clock, its size and its build right?"""

from __future__ import annotations

from dashboard.queries.answers import Level
from dashboard.queries.walls import Health, Walls, walls
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.elements import Element
from layouts.components.shapes import shaped
from layouts.components.tile import stale_mark
from layouts.components.wall_tile import hour_mark, wall_tile

query = walls
PER_PAGE = 9


def _totals(answer: Walls, say: Say) -> Element:
    """How many walls are well, and how the others stand."""
    found = answer.walls
    counts = {
        "warning": sum(one.level is Level.WARNING for one in found),
        "attention": sum(one.level is Level.ATTENTION for one in found),
        "offline": sum(one.health is Health.OFF for one in found),
    }
    return el.div(
        [
            el.b(say.number(sum(one.health is Health.WELL for one in found)), id="well", className="v"),
            el.span(say("panels.walls.well_of", all=say.number(len(found))), id="whole", className="whole"),
            *[
                el.span(
                    say(f"panels.walls.{name}", n=say.number(count)), id=f"has-{name}",
                    className=f"st {shaped(name)} c-{name}" + ("" if count else " is-gone"),
                )
                for name, count in counts.items()
            ],
        ],
        className="strip totals",
    )


def _legend(say: Say, pages: int) -> Element:
    turned = [
        el.b(say("panels.walls.page", n=at, of=pages), className="turn", **data(page=str(at))) for at in range(1, pages + 1)
    ]
    return el.div(
        [
            el.b(say("panels.walls.day")),
            el.span([hour_mark(False), el.span(say("panels.walls.key_well"))], className="key"),
            el.span([hour_mark(True), el.span(say("panels.walls.key_troubled"))], className="key"),
            el.span(say("panels.walls.key_dark"), className="key"),
            el.span(say("panels.walls.told"), className="end"),
            *([el.span(turned, className="turns")] if pages > 1 else []),
            stale_mark(say),
        ],
        className="strip legend",
    )


def draw(answer: Walls, say: Say) -> Element:
    """Totals, pages of walls in the order in which they were added, and what the marks of the 24 hours mean."""
    pages = [answer.walls[at:at + PER_PAGE] for at in range(0, len(answer.walls), PER_PAGE)] or [()]
    inside = [
        el.div(
            [wall_tile(one, f"p{at}w{number}", answer.as_of, say) for number, one in enumerate(page)]
            or [el.div(say("panels.walls.none"), className="tile is-none no-walls")],
            className="page units", **data(page=str(at)),
        )
        for at, page in enumerate(pages, 1)
    ]
    return el.div(
        [_totals(answer, say), el.div(inside, className="pages"), _legend(say, len(pages))], className="ecosystem walls"
    )
