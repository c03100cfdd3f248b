"""How a figure is said: its number or the kind of nothing, the line below it, its age. All words from the files."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.metrics import METRICS, Unit
from dashboard.queries.answers import Figure, Level, SourceAge, State
from dashboard.words import Say
from layouts.components.fitting import names

ROOM = 12
"""Characters that names of missing members have in the age line of a tile, beside the data's time."""

NOTHING = (State.LOADING, State.NONE, State.TOO_FEW, State.SUPPRESSED, State.NOT_APPLICABLE, State.NOT_PROVIDED)
NOTHING_THERE = (State.LOADING, State.NONE, State.NOT_APPLICABLE, State.NOT_PROVIDED)
"""There is no figure to be shown or left out."""
NOT_JUDGED = (State.TOO_FEW, State.SUPPRESSED, State.NOT_APPLICABLE)
"""The data are fresh, the figure is not shown."""

SHAPE_OF = {
    State.NORMAL: "fresh", State.LATE: "late", State.PARTIAL: "part", State.STALE: "stale", State.OFFLINE: "offline",
    State.SUPPRESSED: "suppressed",
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a tile says. ``tone`` colours the line (a key of the shapes, or ``plain``: no shape, no colour)."""

    figure: str
    unit: str
    in_words: bool
    tone: str
    line: str
    age: str
    age_shape: str


def shape_of(state: State) -> str:
    """The shape of a state; every kind of nothing but *suppressed* is the dashed ring."""
    return SHAPE_OF.get(state, "none")


def decimals_of(metric: str) -> int:
    """Decimals on a screen: rates one, counts none."""
    return 1 if METRICS[metric].unit is Unit.PERCENT else 0


def decimals_shown(figure: Figure) -> int:
    """The same of one figure: what is rounded to whole steps has none."""
    return 0 if figure.rounded_to else decimals_of(figure.metric)


def percent_sign(metric: str) -> str:
    """The unit that stands small behind a figure."""
    return "%" if METRICS[metric].unit is Unit.PERCENT else ""


def has_figure(figure: Figure) -> bool:
    """Whether there is a number to show; a missing value is words, never 0."""
    return figure.value is not None and figure.state not in NOTHING


def said(figure: Figure, say: Say, *, at: int, by_hour: bool = True) -> Said:
    """The words and the number of a figure at ``at`` (epoch seconds). ``by_hour``: its typical is "by this hour"."""
    shown = has_figure(figure) and figure.value is not None
    text = (
        say.number(figure.value, decimals_shown(figure))
        if shown and figure.value is not None
        else nothing(figure, say)
    )
    tone, line = _line(figure, say, at, by_hour) if shown else ("plain", why_nothing(figure, say))
    return Said(
        figure=text,
        unit=(percent_sign(figure.metric) + _rounding(figure, say)) if shown else "",
        in_words=not shown,
        tone=tone,
        line=line,
        age=age(figure, say, at),
        age_shape="fresh" if figure.state in NOT_JUDGED else shape_of(figure.state),
    )


def _rounding(figure: Figure, say: Say) -> str:
    """What a rounded figure says of itself whatever its age line says: "680+" (at least), "95% ±2,5"."""
    if not figure.rounded_to:
        return ""
    half = figure.rounded_to / 2
    return f" ±{say.number(half, 0 if half.is_integer() else 1)}" if percent_sign(figure.metric) else "+"


def nothing(figure: Figure, say: Say) -> str:
    """The kind of nothing, in words: "memuat", "belum ada data", "terlalu sedikit", "<10" …"""
    if figure.omitted and figure.state not in NOTHING_THERE:
        return say("panels.suppressed_why")
    if figure.rounded_to and figure.state not in NOTHING_THERE:
        return say("panels.under", n=say.number(figure.rounded_to))
    state = figure.state if figure.state in NOTHING else State.NONE
    return say(f"panels.states.{state.value}")


def why_nothing(figure: Figure, say: Say) -> str:
    """What stands behind a kind of nothing: "11 dari minimal 30", "disamarkan", or nothing more."""
    if figure.state is State.TOO_FEW and figure.needed is not None:
        return say("panels.of_least", n=say.number(figure.cases or 0), least=say.number(figure.needed))
    if figure.omitted and figure.state is State.SUPPRESSED:
        return say("panels.omitted_why")
    return say("panels.suppressed_why") if figure.state is State.SUPPRESSED else ""


def _line(figure: Figure, say: Say, at: int, by_hour: bool) -> tuple[str, str]:
    """(tone, words) of the line under a number: alarm level first, then partly known, then what is usual."""
    decimals = decimals_shown(figure)
    if figure.band is None:
        usual = say("panels.no_band")
    else:
        value = say.number(figure.band.median, decimals) + percent_sign(figure.metric)
        usual = say("panels.usual", value=value)
        if figure.level is not Level.NORMAL and figure.value is not None and figure.value != figure.band.median:
            side = "above" if figure.value > figure.band.median else "below"
            return figure.level.value, say(f"panels.{side}_usual", value=value)
        if by_hour and figure.state is not State.PARTIAL:
            usual = say("panels.usual_by", value=value, time=say.time(at))
    if figure.level is not Level.NORMAL:
        return figure.level.value, usual
    if figure.state is State.PARTIAL:
        word = say("panels.states.partial")
        return "part", say("panels.partial_usual", word=word, usual=usual) if figure.band else word
    return "plain", usual


def age(figure: Figure, say: Say, at: int) -> str:
    """The age line: the data's time with who is left out, or with the limit; "terlambat" goes before."""
    if figure.data_until is None:
        return say("panels.without", names=names(figure.without, 28)) if figure.without else ""
    data = say("panels.data_at", time=say.moment(figure.data_until, at))
    if figure.without:
        return say("panels.pair", a=data, b=say("panels.without", names=names(figure.without, ROOM)))
    if figure.state is State.LATE:
        return say("panels.pair", a=say("panels.states.late"), b=data)
    if figure.rounded_to:
        step = percent_sign(figure.metric)
        return say("panels.pair", a=data, b=say("panels.rounded", step=f"{say.number(figure.rounded_to)}{step}"))
    return say("panels.pair", a=data, b=limit(figure.limit_seconds, say)) if figure.limit_seconds else data


def limit(seconds: int, say: Say) -> str:
    """``batas 30 menit``."""
    return say("panels.limit", duration=say.duration(seconds))


def unit(name: str, say: Say) -> str:
    """A unit of time as declared ("working days") in words."""
    return say(f"panels.units.{name.replace(' ', '_')}")


def explained(figure: Figure) -> SourceAge:
    """The source behind the stale block; elsewhere the figure's own stamps, for the browser's clock."""
    if figure.worst is not None and figure.state in (State.STALE, State.OFFLINE):
        return figure.worst
    return SourceAge(
        source="",
        owner="",
        short_name="",
        state=State.STALE,
        data_until=figure.data_until,
        limit_seconds=figure.limit_seconds,
    )
