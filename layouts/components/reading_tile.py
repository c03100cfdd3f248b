"""A published value as a tile: figure, period, target, the periods before it; and as a row of a list. Its two ages are told
apart: that of its source, and that of the period it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dashboard.queries.answers import Level, State
from dashboard.queries.freshness import OUT
from dashboard.queries.readings import Reading
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.amounts import amount, period_name
from layouts.components.elements import Element
from layouts.components.figures import explained, has_figure, limit, nothing, shape_of
from layouts.components.fitting import fit
from layouts.components.shapes import shape
from layouts.components.tile import age_line, classes, since, state_line

WIDE, TALL, BAR_STEP, BAR, SLOTS = 1000, 40, 24, 18, 12
BEYOND = 1.12
"""The axis of a bar ends this much beyond the larger of value and target."""


def period_words(one: Reading, edition: str, say: Say, at: int) -> str:
    """The period, with the edition as declared: "2025 · Permenpan 14/2017"; empty without a value."""
    named = "" if one.period is None else period_name(one.period, one.grain, say, at)
    return say("panels.pair", a=named, b=edition) if named and edition else named or edition


def target_words(one: Reading, say: Say) -> tuple[str, str]:
    """(tone, words): how the value stands to its target; "partly", or nothing without one."""
    if one.figure.state is State.PARTIAL:
        return "part", say("panels.readings.gaps")
    if one.target is None or one.figure.value is None:
        return "plain", ""
    told = " ".join(amount(one.target, one.unit, one.decimals, say)).replace(" %", "%").strip()
    if one.figure.level is Level.NORMAL:
        return "plain", say("panels.readings.target", value=told)
    side = "below" if one.figure.value < one.target else "above"
    return one.figure.level.value, say(f"panels.readings.{side}", value=told)


def target_bar(id: str, one: Reading, top: float = 0.0) -> Element:
    """The value as a bar and its target as an upright; ``top``: the end of the axis where several rows share one."""
    value = one.figure.value if has_figure(one.figure) else None
    top = top or max(value or 0.0, one.target or 0.0) * BEYOND
    wide = 0.0 if value is None or top <= 0 else round(WIDE * min(max(value, 0.0) / top, 1), 1)
    mark = "" if one.target is None or top <= 0 else f"M{WIDE * min(one.target / top, 1):.1f} -4V{TALL + 4}"
    tone = one.figure.level.value if one.figure.level is not Level.NORMAL else "plain"
    return el.svg(
        [
            el.path(d=f"M0 {TALL // 2}H{WIDE}", className="axis"),
            el.path(id=f"{id}-bar", d=f"M0 5h{wide:g}v{TALL - 10}h-{wide:g}Z", className=f"bar c-{tone}"),
            el.path(id=f"{id}-target", d=mark, className="target"),
        ],
        className="target-bar", viewBox=f"0 0 {WIDE} {TALL}", preserveAspectRatio="none",
    )


def period_bars(id: str, series: Sequence[float | None]) -> Element:
    """The last periods as bars, the newest at the end and brighter; a missing one is a dash on the base."""
    top = max([value for value in series if value is not None], default=0.0) or 1.0
    before = max(0, SLOTS - len(series))

    def bar(at: int, value: float) -> str:
        tall = max(3.0, 56 * max(value, 0.0) / top)
        return f"M{(at + before) * BAR_STEP} 60v{-tall:.1f}h{BAR}v{tall:.1f}Z"

    known = [(at, value) for at, value in enumerate(series) if value is not None]
    last = len(series) - 1
    return el.svg(
        [
            el.path(id=f"{id}-past", d="".join(bar(at, value) for at, value in known if at < last), className="hour past"),
            el.path(id=f"{id}-now", d="".join(bar(at, value) for at, value in known if at == last), className="hour running"),
            el.path(
                id=f"{id}-missing", className="hour later",
                d="".join(f"M{(at + before) * BAR_STEP} 59h{BAR}" for at, value in enumerate(series) if value is None),
            ),
        ],
        id=id, className="period-bars" + ("" if len(series) > 1 else " is-absent"),
        viewBox=f"0 0 {max(len(series), SLOTS) * BAR_STEP - BAR_STEP + BAR} 62", preserveAspectRatio="none",
    )


def age_words(one: Reading, say: Say, at: int) -> str:
    """When it was published, or until when the source's data reach, against the limit; "terlambat" goes before."""
    if one.figure.data_until is None:
        return ""
    told = say("panels.data_at", time=say.moment(one.figure.data_until, at))
    if one.figure.state is State.LATE:
        if one.overdue and one.due_at is not None:
            told = say("panels.readings.due", time=say.day(one.due_at))
        return say("panels.pair", a=say("panels.states.late"), b=told)
    if one.published_at is not None:
        return say("panels.readings.published", time=say.day(one.published_at))
    return say("panels.pair", a=told, b=limit(one.figure.limit_seconds, say)) if one.figure.limit_seconds else told


def _stale(one: Reading, say: Say, at: int) -> list[Element]:
    """What a stale tile says: its own period is over, or its source is not read any more."""
    age = explained(one.figure)
    if one.overdue:  # the source is well: its age would say that the figure is young
        age = replace(age, data_until=None)
    kind = "offline" if one.figure.state is State.OFFLINE else "stale"
    below = say("panels.readings.due", time=say.day(one.due_at)) if one.overdue and one.due_at is not None else ""
    who = say("panels.who_data", who=age.short_name, data=say("panels.data_at", time=say.moment(age.data_until, at))) if (
        age.short_name and age.data_until is not None) else age.short_name
    return [
        el.div([shape(kind, "stale-shape"), el.span(say(f"panels.stale_heads.{kind}"), id="stale-word")],
               id="stale-head", className=f"say st c-{kind} plate"),
        el.div(below or who, id="stale-who", className=f"why plate{fit(below or who, 24, 28, 31)}"),
        since("stale-since", age, say, at),
    ]


def reading_tile(one: Reading, title: str, edition: str, say: Say, at: int) -> Element:
    """The tile of one published value."""
    shown = has_figure(one.figure) and one.figure.value is not None
    figure, unit = amount(one.figure.value or 0.0, one.unit, one.decimals, say) if shown else (nothing(one.figure, say), "")
    period = period_words(one, edition, say, at)
    tone, line = target_words(one, say)
    kind = "fresh" if one.figure.state is State.NOT_PROVIDED else shape_of(one.figure.state)
    size = fit(figure, 11, 15, 19) if not shown else fit(figure + unit[::2] * (len(unit) > 1), 6, 8, 9)
    return el.section(
        [
            el.h2(title, className=f"plate{fit(title, 22, 28, 34)}"),
            el.div(
                [
                    el.span(shape(shape_of(one.figure.state), "figure-shape"), id="figure-state",
                            className=f"c-{shape_of(one.figure.state)}" + (" is-gone" if shown else "")),
                    el.span(figure, id="figure"), el.small(unit, id="unit"),
                ],
                id="number", className=f"fig plate{'' if shown else ' in-words'}{size}",
            ),
            el.div(period, id="period", className=f"period plate{fit(period, 20, 24)}"),
            el.div(
                [
                    state_line("line", tone, line), target_bar("bar", one), period_bars("series", one.series),
                    age_line("age", age_words(one, say, at), kind),
                ],
                className="fresh" + ("" if one.target is not None else " no-target"),
            ),
            el.div(_stale(one, say, at), className="stale"),
        ],
        id="tile", className=f"tile headline reading {classes(one.figure.state, one.figure.level)}",
    )


def reading_row(one: Reading, id: str, name: str, top: float, period: str, say: Say) -> Element:
    """A row: mark, name, bar against its target, value, period; the state in words where there is no plain figure."""
    figure = one.figure
    shown = has_figure(figure) and figure.value is not None
    value = " ".join(amount(figure.value or 0.0, one.unit, one.decimals, say)).replace(" %", "%").strip() if shown else ""
    out = figure.state in OUT
    marked = out or figure.state in (State.PARTIAL, State.LATE) or not shown
    kind = shape_of(figure.state) if marked else figure.level.value if figure.level is not Level.NORMAL else ""
    said = say(f"panels.states.{figure.state.value}") if marked and figure.state is not State.PARTIAL else ""
    return el.div(
        [
            shape(kind or "none", f"{id}-mark", f" st c-{kind or 'none'}" + ("" if kind else " is-absent")),
            el.span(name, id=f"{id}-name", className=f"n{fit(name, 17, 21, 26)}"),
            el.div(
                [
                    target_bar(id, one, top),
                    el.span(said, id=f"{id}-words", className=f"words c-{kind or 'plain'}"),
                ],
                className="bar-cell" + (" has-words" if said else ""), id=f"{id}-cell",
            ),
            el.span(value, id=f"{id}-value", className="v" + (" is-zero" if figure.value == 0 else "") + fit(value, 9, 13)),
            el.span(period, id=f"{id}-period", className=f"w{fit(period, 10, 14)}"),
        ],
        id=id, className=f"p-row is-{figure.state.value.replace('_', '-')}",
    )
