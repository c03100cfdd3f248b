"""One agency on the scene *ecosystem*: its state, its age against its limit, what is wrong, its runs of 24 hours."""

from __future__ import annotations

from dashboard.queries.answers import SourceAge, State
from dashboard.queries.ecosystem import Unit
from dashboard.queries.runs import Last
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.elements import Element
from layouts.components.figures import shape_of
from layouts.components.fitting import fit
from layouts.components.run_strip import mark, run_strip
from layouts.components.shapes import shaped
from layouts.components.tile import classes

LINES = 3
"""So many sources of an agency have a line of their own: the worst ones."""


def _word(unit: Unit, age: SourceAge, say: Say) -> str:
    silent = unit.state is State.STALE and age.why == "silent"
    word = say(f"panels.states.{'silent' if silent else unit.state.value}")
    if len(unit.sources) > 1 and not _counts_sources(unit):
        return say("panels.ecosystem.several", word=word, n=say.number(len(unit.sources)))
    return word


def _counts_sources(unit: Unit) -> bool:
    """Whether the tile says how many of its sources count instead of an age: some of them do not."""
    return len(unit.sources) > 1 and unit.counting < len(unit.sources)


def problem_words(problem: Last | None, say: Say) -> str:
    """What is wrong in two or three words, by the outcome and the step, and until when it is left alone; empty when nothing is."""
    if problem is None:
        return ""
    key = f"panels.ecosystem.problems.{problem.outcome}"
    if problem.again_at is not None and say.has(f"{key}_again"):
        return say(f"{key}_again", time=say.time(problem.again_at))
    found = f"{key}_{problem.step}" if say.has(f"{key}_{problem.step}") else key
    return say(found, n=say.number(problem.rejected))


def short_duration(seconds: int, say: Say) -> str:
    """A limit in its largest unit: "30 menit", "2 jam", "1 hari"."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= size:
            amount = seconds / size
            return say(f"times.{unit}_one" if amount == 1 else f"times.{unit}", n=say.number(amount, 0 if amount % 1 == 0 else 1))
    return say("times.seconds", n=say.number(seconds))


def _age(unit: Unit, key: str, say: Say) -> Element:
    """The age of the worst source, counted by the browser, against its limit; how many count, or whose it is, instead."""
    age = unit.sources[0].age
    several = _counts_sources(unit)
    told = age.data_until is not None
    if several:
        rest = say("panels.ecosystem.counting", n=say.number(unit.counting), all=say.number(len(unit.sources)))
    elif unit.through:
        rest = say("panels.ecosystem.through", name=unit.through)
    else:
        rest = say("panels.ecosystem.limit", limit=short_duration(age.limit_seconds, say)) if told else ""
    counted = "" if several or unit.through or not told else str(age.data_until)
    return el.div(
        [
            el.span(id=f"{key}-age", **data(age_since=counted, age_short="1")),
            el.span(rest, id=f"{key}-limit", className="of" if counted else "all"),
        ],
        className="ua plate",
    )


def unit_tile(unit: Unit, key: str, say: Say) -> Element:
    """The tile; ``key`` makes its ids. What is not fresh has another edge, a shape and a word."""
    kind = shape_of(unit.state) if unit.state is not State.PARTIAL else "part"
    worst = next((day for day in unit.sources if day.problem is not None), unit.sources[0])
    words = problem_words(worst.problem, say)
    outcome = worst.problem.outcome if worst.problem else ""
    return el.section(
        [
            el.div(unit.short_name, id=f"{key}-name", className=f"un plate{fit(unit.short_name, 15, 19, 24)}"),
            el.div(
                _word(unit, unit.sources[0].age, say), id=f"{key}-state", className=f"us st plate {shaped(kind)} c-{kind}",
            ),
            _age(unit, key, say),
            el.div(
                [mark(outcome, f"{key}-mark"), el.span(words, id=f"{key}-problem")],
                id=f"{key}-what",
                className=f"up plate{fit(words, 20, 22, 24)}" + ("" if words else " is-absent"),
            ),
            el.div(
                [run_strip(f"{key}-runs{at}", day.hours, say) for at, day in enumerate(unit.sources[:LINES])],
                className="ut plate",
            ),
        ],
        id=f"{key}-tile",
        className=f"tile unit {classes(unit.state)}",
    )


def unconnected_tile(name: str, key: str, say: Say) -> Element:
    """An agency declared without a source: its name and the honest words, never a figure."""
    return el.div(
        [
            el.div(name, id=f"{key}-name", className=f"un{fit(name, 15, 19, 24)}"),
            el.div(say("panels.ecosystem.unconnected"), className=f"us {shaped('none')}"),
        ],
        className="tile unit is-none not-connected",
    )
