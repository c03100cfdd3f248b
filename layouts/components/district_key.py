"""What the marks of the scene *districts* mean, what lies outside all districts, and how old all of it is."""

from __future__ import annotations

from dashboard.queries.districts import Districts
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.figures import limit
from layouts.components.fitting import fit, names
from layouts.components.shapes import shape, shaped
from layouts.components.tile import stale_mark


def apart(answer: Districts, say: Say) -> Element:
    """What is no district of ours, three things; a hidden one as "<5"."""
    counts = {one.what: say("panels.states.suppressed") if one.count is None else say.number(one.count) for one in answer.apart}
    told = {what: say(f"panels.districts.{what}", n=count) for what, count in counts.items()}
    return el.div(
        [el.span(words, id=f"apart-{what}") for what, words in told.items()], id="apart",
        className=f"apart{fit(''.join(told.values()), 54, 58)}",
    )


def age_words(answer: Districts, say: Say) -> str:
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


def key(answer: Districts, say: Say) -> Element:
    """The strip below map and list."""
    mean, age = answer.mean, age_words(answer, say)
    told = "" if mean is None else say.percent(mean) if answer.measure == "late" else say.number(mean)
    funnel = [
        el.span(say(f"panels.districts.{level}"), className=f"st c-{level} {shaped(level)}") for level in ("warning", "attention")
    ]
    plain = [el.span(say(f"panels.districts.{word}")) for word in ("counts", "no_population")]
    listed = any(row.rank is None for row in answer.rows)
    return el.div(
        [
            el.span(say("panels.districts.mean", value=told), id="mean", className="mean-key" + ("" if told else " is-gone")),
            *([*funnel, el.span(say("panels.districts.grey"))] if answer.measure == "late" else plain),
            el.span(say("panels.districts.letters"), id="letters", className="" if listed else "is-gone"),
            el.span([shape("late" if answer.late else "fresh", "age-shape"), el.span(age, id="age-text")], id="age",
                    className=f"end age c-{'late' if answer.late else 'plain'}{fit(age, 26, 34)}"),
            stale_mark(say),
        ],
        className="strip",
    )
