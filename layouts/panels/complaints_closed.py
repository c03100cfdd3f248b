"""How many complaints were closed in the last 30 days, by follow-up and by silence?"""

from __future__ import annotations

from dashboard.queries.answers import State
from dashboard.queries.complaints_closed import Closed, complaints_closed
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import aria
from layouts.components.elements import Element
from layouts.components.figures import age, has_figure, nothing, shape_of
from layouts.components.fitting import fit
from layouts.components.tile import age_line, classes, stale_block

query = complaints_closed
PARTS = ("followed", "silent", "untold")


def _part(name: str, count: int, say: Say, *, brief: bool) -> Element:
    text = say.number(count)
    told = say(f"panels.complaints_closed.{name}{'_brief' if brief and name == 'silent' else ''}")
    return el.span(
        [el.b(text, id=f"{name}-count"), el.span(told, id=f"{name}-told")],
        id=f"{name}-part",
        className="closed-part" + ("" if count or name != "untold" else " is-gone"),
    )


def draw(answer: Closed, say: Say) -> Element:
    """One bar: filled by follow-up, hatched by silence, outlined where nobody says how; then the counts."""
    figure, counts = answer.figure, (answer.followed, answer.silent, answer.untold)
    shown = has_figure(figure) and figure.value is not None
    whole = max(sum(counts), 1)
    total = say.number(figure.value) if shown and figure.value is not None else ""
    title = say("panels.complaints_closed.title", days=say.number(answer.days))
    words = "" if shown else nothing(figure, say)
    aged = age(figure, say, answer.as_of)
    if figure.state is State.PARTIAL and answer.covered < answer.days - 1:
        told = say("panels.complaints_closed.covered", n=say.number(answer.covered + 1), all=say.number(answer.days))
        aged = say("panels.pair", a=say("panels.states.partial"), b=told)
    elif figure.state is State.PARTIAL:
        aged = say("panels.pair", a=say("panels.states.partial"), b=aged)
    bar = [
        el.i(id=f"{name}-bar", className=f"bar {name}", style={"width": f"{100 * count / whole:.2f}%"})
        for name, count in zip(PARTS, counts, strict=True)
    ]
    return el.section(
        [
            el.h2([el.span(title), " ", el.span(total, id="total")], className="plate"),
            el.div(words, id="words", className="words" + ("" if words else " is-absent") + fit(words, 20)),
            el.div(bar, id="split", className="split", role="img", **aria(label=title)),
            el.div(
                [_part(name, count, say, brief=bool(answer.untold)) for name, count in zip(PARTS, counts, strict=True)],
                id="parts",
                className="closed-parts" + fit("".join(say.number(count) for count in counts if count), 5, 10),
            ),
            el.div([age_line("age", aged, shape_of(figure.state))], className="fresh foot"),
            el.div(stale_block(figure, say, answer.as_of), className="stale foot"),
        ],
        id="tile",
        className=f"tile closed {classes(figure.state)}" + (" has-nothing" if words else ""),
    )
