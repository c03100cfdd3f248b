"""Who has to act on complaints that are past their limit, and by how much is the oldest?"""

from __future__ import annotations

from dashboard.queries.complaints import Complaints, Late, complaint_clocks
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.elements import Element
from layouts.components.figures import has_figure, nothing
from layouts.components.fitting import fit
from layouts.components.shapes import shape
from layouts.components.tile import classes, stale_mark

query = complaint_clocks
PLACES = 3


def _row(late: Late, key: str, say: Say) -> Element:
    oldest = say("panels.complaints_late.oldest", days=say.number(late.oldest_days, 1 if late.oldest_days < 100 else 0))
    count = say.number(late.count)
    return el.div(
        [
            shape("attention", None, " st c-attention"),
            el.span(late.short_name, id=f"{key}-name", className=f"n{fit(late.short_name, 11, 13, 15)}"),
            el.span(oldest, id=f"{key}-oldest", className="r"),
            el.span(count, id=f"{key}-count", className=f"v{fit(count, 3, 4, 5)}"),
        ],
        className="late-row",
    )


def draw(answer: Complaints, say: Say) -> Element:
    """Pages of three, those with the most first; nobody: a calm word."""
    pages = [answer.late[start : start + PLACES] for start in range(0, max(len(answer.late), 1), PLACES)]
    known = has_figure(answer.figure)
    calm = say("panels.complaints_late.none") if known else nothing(answer.figure, say)
    blocks = [
        el.div(
            [_row(late, f"p{at}r{number}", say) for number, late in enumerate(page)]
            or [el.div(calm, id="calm", className="calm-word")],
            className="page late-rows",
            **data(page=str(at)),
        )
        for at, page in enumerate(pages, 1)
    ]
    turned = [
        el.b(say("panels.ecosystem.page", n=at, of=len(pages)), className="turn", **data(page=str(at)))
        for at in range(1, len(pages) + 1)
    ]
    return el.section(
        [
            el.div(
                [
                    el.h2(say("panels.complaints_late.title"), className="plate"),
                    el.span(turned if len(pages) > 1 else [], className="turns"),
                    stale_mark(say),
                ],
                className="late-head",
            ),
            el.div(blocks, className="pages"),
        ],
        id="tile",
        className=f"tile lates {classes(answer.figure.state)}",
    )
