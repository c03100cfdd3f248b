"""``/wall/states``: every state of the table of states, drawn by the panels' own components, with its word and its meaning.

For training, and for the tests. A static page without a script: figures are examples of one instant, and say so.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from dashboard.live.frames import plain, split
from dashboard.queries.answers import Alarm, Alarms, Band, Figure, Level, Limits, SourceAge, Sources, State, Tile
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.figures import shape_of
from layouts.components.fitting import fit
from layouts.components.markup import markup
from layouts.components.shapes import shape
from layouts.components.tile import failed, headline
from layouts.panels import alarm_strip, overall_state, sources_strip
from layouts.wall import lost_banner

AT = 1_795_488_780
"""Tuesday, 24 November 2026, 10.53 WITA: the instant of the examples."""
PER_PAGE = 8
NAME = "Disdukcapil"
TITLES = {
    "received": "panels.received_today.title", "overdue": "panels.overdue_now.title", "on_time_rate": "panels.on_time_today.title",
}


class Example(NamedTuple):
    """One state: its key under ``states.meaning``, the colour and shape of its caption, its word's key, its figure."""

    key: str
    kind: str
    word: str
    figure: Figure


def _source(state: State, *, age: int, why: str = "") -> SourceAge:
    return SourceAge(
        source="example", owner="example", short_name=NAME, state=state, why=why, data_until=AT - age, since=AT - age + 120,
        limit_seconds=1800,
    )


_FRESH = Figure(
    metric="received", value=687, state=State.NORMAL, band=Band(596, 642, 691, 8), data_until=AT - 120, limit_seconds=1800,
    limits=Limits(),
)
_OVERDUE = replace(_FRESH, metric="overdue", value=43, band=Band(27, 31, 36, 8))


def _out(state: State, age: int, why: str = "") -> Figure:
    return replace(_FRESH, value=641, state=state, worst=_source(state, age=age, why=why), without=(NAME,), missing_share=0.3)


def _nothing(state: State, **more: Any) -> Figure:
    return replace(_FRESH, value=None, band=None, state=state, **more)


def _of(state: State, figure: Figure) -> Example:
    return Example(state.value, shape_of(state), f"panels.states.{state.value}", figure)


def _level(level: Level) -> Example:
    return Example(level.value, level.value, f"wall.levels.{level.value}", replace(_OVERDUE, level=level))


EXAMPLES: tuple[Example, ...] = (
    _of(State.NORMAL, _FRESH),
    _level(Level.ATTENTION),
    _level(Level.WARNING),
    _level(Level.CRITICAL),
    _of(State.LATE, replace(_FRESH, state=State.LATE)),
    _of(State.STALE, _out(State.STALE, 3900)),
    Example("silent", "stale", "panels.states.silent", _out(State.STALE, 9000, "silent")),
    _of(State.OFFLINE, _out(State.OFFLINE, 5880)),
    _of(State.PARTIAL, replace(_FRESH, state=State.PARTIAL, without=("Dishub", "DLH"), missing_share=0.1)),
    _of(State.NONE, _nothing(State.NONE, data_until=None)),
    _of(State.LOADING, _nothing(State.LOADING, data_until=None)),
    Example("zero", "zero", "states.zero", replace(_FRESH, value=0, band=Band(0, 0, 2, 8))),
    _of(State.TOO_FEW, _nothing(State.TOO_FEW, metric="on_time_rate", cases=11, needed=30)),
    _of(State.SUPPRESSED, _nothing(State.SUPPRESSED)),
    _of(State.NOT_APPLICABLE, _nothing(State.NOT_APPLICABLE)),
    _of(State.NOT_PROVIDED, _nothing(State.NOT_PROVIDED)),
)
"""The table of states, in its order; what the whole page does when the connection is lost is on the page after them."""
PAGES = len(EXAMPLES) // PER_PAGE + 1
SOURCE_STATES = (State.NORMAL, State.NORMAL, State.LATE, State.STALE, State.OFFLINE, State.NONE)


def _named(tree: Any, name: str) -> Any:
    """A drawn tree whose ids are its own on the page."""
    return split(tree, name).tree


def _caption(kind: str, word: str, meaning: str) -> Element:
    drawn = [] if kind == "zero" else [shape(kind)]
    return el.div(
        [
            el.div([*drawn, el.span(word)], className=f"say st c-{kind}"),
            el.div(el.span(meaning), className=f"age{fit(meaning, 28, 31, 34)}"),
        ],
        className="meaning",
    )


def _cell(name: str, tile: Element, caption: Element, more: str = "") -> Element:
    return el.div([el.div(_named(tile, name), className=f"slot{more}"), caption], className="state")


def _tile(figure: Figure, say: Say) -> Element:
    return headline(Tile(as_of=AT, figure=figure), say(TITLES[figure.metric]), say)


def _examples(chosen: Sequence[Example], say: Say) -> Iterator[Element]:
    for each in chosen:
        caption = _caption(each.kind, say(each.word), say(f"states.meaning.{each.key}"))
        yield _cell(f"state-{each.key}", _tile(each.figure, say), caption)


def _alarms(level: Level, say: Say) -> Alarms:
    alarm = Alarm(
        key="example", rule="uncalled", level=level, subject="RSUD", since=AT - 1380, value=18,
        params={"waiting": 4, "minutes": 18},
    )
    calm = level is Level.NORMAL
    return Alarms(
        as_of=AT, alarms=() if calm else (alarm, alarm, alarm), overall=level, agencies_watched=23,
        last_ended=alarm if calm else None, last_ended_at=AT - 2460 if calm else None,
    )


def _whole(say: Say) -> Iterator[Element]:
    """The last page: a lost connection, what the browser itself says of a panel, levels, alarm strips, sources."""
    lost = _caption("offline", say("states.lost"), say("states.meaning.lost"))
    yield el.div(lost_banner(say), className="is-lost whole")
    yield el.div(_cell("frozen", _tile(_FRESH, say), lost), className="is-lost")
    clock = _caption("stale", say("panels.states.stale"), say("states.meaning.by_clock"))
    yield _cell("by-clock", _tile(_FRESH, say), clock, " is-stale-by-clock")
    broken = _caption("stale", say("states.failed"), say("states.meaning.failed"))
    yield _cell("failed", failed(say), broken, " is-stale-by-clock is-failed")
    chips = [_named(overall_state.draw(_alarms(level, say), say), f"chip-{level.value}") for level in Level]
    yield el.div([el.div(chips, className="tile chips"), el.div()], className="state")
    yield el.div(_named(sources_strip.draw(_sources(), say), "sources"), className="whole slot")
    for level in (Level.CRITICAL, Level.NORMAL):
        yield el.div(_named(alarm_strip.draw(_alarms(level, say), say), f"strip-{level.value}"), className="whole slot")


def _sources() -> Sources:
    ages = tuple(
        replace(_source(state, age=120), source=f"{at}", data_until=None if state is State.NONE else AT - 120)
        for at, state in enumerate(SOURCE_STATES)
    )
    return Sources(as_of=AT, sources=ages)


def tree(number: int, say: Say) -> Any:
    """One page as its JSON tree; ``number`` from 1 to ``PAGES``."""
    chosen = EXAMPLES[(number - 1) * PER_PAGE : number * PER_PAGE]
    inside = list(_examples(chosen, say)) if number < PAGES else list(_whole(say))
    names = el.div(
        el.div([el.b(say("states.title")), el.span(say("states.page", n=number, of=PAGES))], className="where is-shown"),
        className="names",
    )
    head = el.div([names, el.div(el.div(say("states.example"), className="sim"), className="when")], className="head")
    kind = "states" if number < PAGES else "states is-whole"
    return plain(el.div([head, el.div(inside, className=kind, role="main")], className="wall states-page"))


def _filled(props: Mapping[str, Any], say: Say) -> str:
    """What the browser's script would write: ages and the last instant of the server, at the instant of the examples."""
    if props.get("data-live") == "lost-since":
        return say.time(AT - 90)
    since = props.get("data-age-since")
    return say.duration(AT - int(since)) if since else ""


def asked(path: str, language: str) -> tuple[int, str] | None:
    """Page and language of ``""``, ``2``, ``en`` or ``en/2``; ``None`` for a page that is not there."""
    parts = path.split("/") if path else []
    if parts and parts[0] in ("id", "en"):
        language = parts.pop(0)
    number = int(parts[0]) if parts else 1
    return (number, language) if number <= PAGES else None


def document(number: int, say: Say, sheets: Sequence[str]) -> str:
    """One page as HTML. ``sheets``: the addresses of the style sheets, in order."""
    links = "".join(f'<link rel="stylesheet" href="{html.escape(each)}">' for each in sheets)
    return (
        f'<!doctype html><html lang="{say.language}"><head><meta charset="utf-8"><title>{html.escape(say("states.title"))}</title>'
        f'<link rel="icon" href="data:,">{links}</head><body>{markup(tree(number, say), lambda props: _filled(props, say))}'
        "</body></html>"
    )
