"""How do the districts compare: where was most late, or where did most cases come from?"""

from __future__ import annotations

from dashboard.queries.answers import State
from dashboard.queries.districts import Districts, districts
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.district_map import district_map, legend
from layouts.components.district_rows import district_rows
from layouts.components.elements import Element
from layouts.components.figures import limit
from layouts.components.fitting import fit, names
from layouts.components.shapes import shape, shaped
from layouts.components.tile import stale_mark

query = districts


def _title(answer: Districts, say: Say) -> str:
    title = say(f"panels.districts.{answer.measure}_{answer.kind}", days=say.number(answer.days))
    return say("panels.districts.of", title=title, names=names(answer.agencies, 12)) if answer.agencies else title


def _apart(answer: Districts, say: Say) -> list[Element]:
    """What is no district of ours, three things; a hidden one as "<5"."""
    counts = {one.what: say("panels.states.suppressed") if one.count is None else say.number(one.count) for one in answer.apart}
    return [el.span(say(f"panels.districts.{what}", n=count), id=f"apart-{what}") for what, count in counts.items()]


def _age(answer: Districts, say: Say) -> str:
    """The data's time, with who is left out or the limit; how many of the days are known where not all are."""
    if answer.data_until is None:
        return ""
    told = say("panels.data_at", time=say.moment(answer.data_until, answer.as_of))
    if answer.late:
        told = say("panels.pair", a=say("panels.states.late"), b=told)
    if answer.days_known < answer.days:
        return say("panels.pair", a=told, b=say("panels.districts.days_known", n=answer.days_known, all=answer.days))
    if answer.without:
        return say("panels.pair", a=told, b=say("panels.without", names=names(answer.without, 12)))
    return say("panels.pair", a=told, b=limit(answer.limit_seconds, say)) if answer.limit_seconds else told


def _key(answer: Districts, say: Say) -> Element:
    """What the marks mean, and how old all of it is."""
    mean, age = answer.mean, _age(answer, say)
    told = "" if mean is None else say.percent(mean) if answer.measure == "late" else say.number(mean)
    funnel = [
        el.span(say(f"panels.districts.{level}"), className=f"st c-{level} {shaped(level)}") for level in ("warning", "attention")
    ] + [el.span(say("panels.districts.grey"))]
    plain = [el.span(say(f"panels.districts.{word}")) for word in ("counts", "no_population")]
    listed = any(row.rank is None for row in answer.rows)
    return el.div(
        [
            el.span(say("panels.districts.mean", value=told), id="mean", className="mean-key" + ("" if told else " is-gone")),
            *(funnel if answer.measure == "late" else plain),
            el.span(say("panels.districts.letters"), id="letters", className="" if listed else "is-gone"),
            el.span([shape("late" if answer.late else "fresh", "age-shape"), el.span(age, id="age-text")], id="age",
                    className=f"end age c-{'late' if answer.late else 'plain'}{fit(age, 26, 34)}"),
            stale_mark(say),
        ],
        className="strip",
    )


def draw(answer: Districts, say: Say) -> Element:
    """The map, the list beside it, and what the marks mean."""
    out = bool(answer.rows) and all(row.figure.state in (State.STALE, State.OFFLINE) for row in answer.rows)
    apart = _apart(answer, say)
    long = fit("".join(each["props"]["children"] for each in apart), 54, 58)
    ground = el.section([district_map(answer), legend(answer, say), el.div(apart, id="apart", className=f"apart{long}")],
                        className="tile ground-tile")
    title = _title(answer, say)
    heads = [el.span(say(f"panels.districts.head_{answer.measure}"))] + [el.span(say("panels.districts.head_base"))] * (
        answer.measure == "late")
    ranking = el.section(
        [el.h2([el.span(title, className=f"title{fit(title, 34, 42)}"), el.span(heads, className="heads")]), el.div(district_rows(answer, say), className="pages")],
        className=f"tile list-tile by-{answer.measure}",
    )
    return el.div([ground, ranking, _key(answer, say)], id="districts", className="districts" + (" is-out" if out else ""))
