"""How do the districts compare: where was most late, or where did most cases come from?"""

from __future__ import annotations

from dashboard.queries.districts import Districts, districts
from dashboard.queries.freshness import OUT
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.district_key import apart, key
from layouts.components.district_map import district_map, legend
from layouts.components.district_rows import district_rows
from layouts.components.elements import Element
from layouts.components.fitting import fit, names

query = districts


def _title(answer: Districts, say: Say) -> str:
    title = say(f"panels.districts.{answer.measure}_{answer.kind}", days=say.number(answer.days))
    return say("panels.districts.of", title=title, names=names(answer.agencies, 12)) if answer.agencies else title


def draw(answer: Districts, say: Say) -> Element:
    """The map, the list beside it, and what the marks mean."""
    out = bool(answer.rows) and all(row.figure.state in OUT for row in answer.rows)
    ground = el.section([district_map(answer), legend(answer, say), apart(answer, say)], className="tile ground-tile")
    title = _title(answer, say)
    heads = [el.span(say(f"panels.districts.head_{answer.measure}"))]
    heads += [el.span(say("panels.districts.head_base"))] if answer.measure == "late" else []
    ranking = el.section(
        [
            el.h2([el.span(title, className=f"title{fit(title, 34, 42)}"), el.span(heads, className="heads")]),
            el.div(district_rows(answer, say), className="pages"),
        ],
        className=f"tile list-tile by-{answer.measure}",
    )
    return el.div([ground, ranking, key(answer, say)], id="districts", className="districts" + (" is-out" if out else ""))
