"""How do published figures compare: several metrics, or one metric by district or agency, each against its target?"""

from __future__ import annotations

from dashboard.queries.freshness import OUT
from dashboard.queries.readings import Readings, readings
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.amounts import period_name
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
    periods = [
        "" if row.period is None else period_name(row.period, row.grain, say, answer.as_of, short=True) for row in answer.rows
    ]
    same = len({period for period in periods if period}) == 1 and len(periods) > 1
    told = " · ".join(part for part in (max(periods, default="") if same else "", answer.edition) if part)
    starts = range(0, len(answer.rows), answer.page)
    pages = [
        el.div(
            [
                reading_row(
                    row, f"r{start + at}", row.name or metric_name(row.metric, say), top, "" if same else periods[start + at], say
                )
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
    out = bool(answer.rows) and all(row.figure.state in OUT for row in answer.rows)
    return el.section(
        [
            el.h2([el.span(title, className="title"), el.span(told, id="edition", className="edition"), stale_mark(say),
                   *([el.span(turned, className="turns")] if len(pages) > 1 else [])]),
            el.div(pages, className="pages"),
        ],
        id="list", className="tile readings" + (" is-out" if out else "") + (" same-period" if same else ""),
    )
