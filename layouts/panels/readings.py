"""How do published figures compare: several metrics, or one metric by district or agency, each against its target?"""

from __future__ import annotations

from dashboard.queries.freshness import OUT
from dashboard.queries.readings import Readings, readings
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.elements import Element
from layouts.components.names import metric_name
from layouts.components.reading_tile import reading_row
from layouts.components.tile import stale_mark

query = readings


def draw(answer: Readings, say: Say) -> Element:
    """Pages of rows; rows of one unit share an axis."""
    one_unit = len({row.unit for row in answer.rows}) == 1 and len({row.metric for row in answer.rows}) == 1
    known = [value for row in answer.rows for value in (row.figure.value, row.target) if value is not None]
    top = max(known, default=0.0) * 1.04 if one_unit else 0.0
    first = answer.rows[0].metric if answer.rows else ""
    title = answer.title[say.language] if answer.title else metric_name(first, say)
    starts = range(0, len(answer.rows), answer.page)
    pages = [
        el.div(
            [
                reading_row(row, f"r{start + at}", row.name or metric_name(row.metric, say), top, say, answer.as_of)
                for at, row in enumerate(answer.rows[start : start + answer.page])
            ],
            className="page p-rows", style={"--rows": str(answer.page)}, **data(page=str(number)),
        )
        for number, start in enumerate(starts, 1)
    ]
    turned = [
        el.b(say("panels.ecosystem.page", n=at, of=len(pages)), className="turn", **data(page=str(at)))
        for at in range(1, len(pages) + 1)
    ]
    edition = [el.span(answer.edition, className="edition")] if answer.edition else []
    out = bool(answer.rows) and all(row.figure.state in OUT for row in answer.rows)
    return el.section(
        [
            el.h2([el.span(title, className="title"), *edition, stale_mark(say),
                   *([el.span(turned, className="turns")] if len(pages) > 1 else [])]),
            el.div(pages, className="pages"),
        ],
        id="list", className="tile readings" + (" is-out" if out else ""),
    )
