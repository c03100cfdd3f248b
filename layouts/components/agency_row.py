"""One agency in a row: received today by the hour, its time against the standard, its rate on time, its complaints."""

from __future__ import annotations

from functools import lru_cache

from dashboard.live.frames import Lasting
from dashboard.queries.answers import AgencyRow, Figure, Level, SourceAge, State
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.bars import hour_bars, time_bar
from layouts.components.elements import Element
from layouts.components.figures import has_figure, nothing, shape_of, unit, why_nothing
from layouts.components.fitting import fit
from layouts.components.shapes import shape, shaped

MOST_ROWS = 512
"""Drawn rows that are kept: some 40 agencies in two languages, with what a few refreshes replace."""


def _named(row: AgencyRow, key: str, below: str) -> Element:
    """The agency's name; below it what it does, or, when its source is not fresh, the state and the data's time."""
    age = row.age
    calm = age.state is State.NORMAL
    return el.div(
        [
            el.div(row.short_name, id=f"{key}-name", className=f"n{fit(row.short_name, 11, 14, 17)}"),
            el.div(
                [
                    shape("fresh" if calm else shape_of(age.state), f"{key}-age-shape"),
                    el.span(below, id=f"{key}-age-text"),
                ],
                id=f"{key}-age",
                className=f"s st {'c-plain' if calm else 'c-' + shape_of(age.state)}{fit(below, 19, 21)}",
            ),
        ],
        className="who-cell",
    )


def _subtitle(row: AgencyRow, say: Say) -> str:
    """The service whose time is shown, by its declared name; anything else as it is."""
    declared = say.regency.agencies.get(row.agency)
    service = declared.services.get(row.subtitle) if declared else None
    return say.name(service.name) if service else row.subtitle


def age_words(age: SourceAge, say: Say, at: int) -> str:
    """``belum mutakhir, 10.21``; ``luring, 23 Nov``; ``terlambat, 10.31``; ``memuat``."""
    head = "silent" if age.why == "silent" and age.state is State.STALE else age.state.value
    word = say(f"panels.states.{head}")
    if age.data_until is None or age.state in (State.LOADING, State.NONE):
        return word
    moment = say.moment(age.data_until, at)
    return say("panels.state_at", word=word, time=moment.rpartition(" ")[0] or moment)  # the day alone when not today


def _received(row: AgencyRow, key: str, say: Say) -> Element:
    figure = row.received
    known = has_figure(figure) and figure.value is not None
    value = say.number(figure.value) if known and figure.value is not None else ""
    usual = say("panels.usual", value=say.number(figure.band.median)) if known and figure.band else ""
    return el.div(
        [
            el.div(
                [
                    el.span(
                        value,
                        id=f"{key}-received",
                        className=f"v{fit(value, 4, 6, 8)}" + (" is-zero" if figure.value == 0 else ""),
                    ),
                    el.div(usual if known else nothing(figure, say), id=f"{key}-usual", className="w"),
                ],
                className="num",
            ),
            hour_bars(f"{key}-hours", row.hours),
        ],
        className="received-cell",
        **data(label=say("panels.agencies.received")),
    )


def _time(row: AgencyRow, key: str, say: Say) -> Element:
    if row.time_value is None:
        amount, below = "", say("panels.states.none")
    else:
        amount = say.number(row.time_value, 0 if row.time_value >= 10 else 1)
        named = unit(row.time_unit, say)
        below = (
            say("panels.agencies.no_standard", unit=named)
            if row.standard_amount is None
            else say("panels.agencies.of_standard", amount=_plain(row.standard_amount, say), unit=named)
        )
    return el.div(
        [
            time_bar(f"{key}-time", row.time_share, row.p90_share, row.time_level),
            el.div(
                [
                    el.span(amount, id=f"{key}-amount", className="v"),
                    el.div(below, id=f"{key}-standard", className=f"s{fit(below, 18, 20)}"),
                ],
                className="time-words",
            ),
        ],
        className="time-cell",
        **data(label=say("panels.agencies.time")),
    )


def _plain(amount: float, say: Say) -> str:
    return say.number(amount, 0 if amount == int(amount) else 1)


def _on_time(figure: Figure, key: str, say: Say) -> Element:
    shown = has_figure(figure) and figure.value is not None
    value = say.number(figure.value, 1) if shown and figure.value is not None else ""
    why = "" if shown else why_nothing(figure, say)
    warned = shown and figure.level is not Level.NORMAL
    return el.div(
        [
            el.span(value, id=f"{key}-rate", className="v" + ("" if shown else " is-gone")),
            shape(
                figure.level.value if warned else "attention",
                f"{key}-rate-shape",
                f" st c-{figure.level.value}" + ("" if warned else " is-gone"),
            ),
            el.div(
                [
                    el.div("" if shown else nothing(figure, say), id=f"{key}-few", className="few"),
                    el.div(why, id=f"{key}-few-why", className="w"),
                ],
                id=f"{key}-few-box",
                className="few-box" + (" is-gone" if shown else ""),
            ),
        ],
        className="rate-cell",
        **data(label=say("panels.agencies.on_time")),
    )


def _complaints(row: AgencyRow, key: str, say: Say) -> Element:
    known = row.complaints_open is not None
    opened, late = row.complaints_open or 0, row.complaints_late or 0
    level = row.complaints_level if row.complaints_level is not Level.NORMAL else Level.ATTENTION
    return el.div(
        [
            el.span(
                say.number(opened),
                id=f"{key}-open",
                className=f"v{fit(say.number(opened), 2, 3)}"
                + ("" if known else " is-gone")
                + (" is-zero" if not opened else ""),
            ),
            el.span(
                say.number(late),
                id=f"{key}-late",
                className=f"st late {shaped(level.value)} c-{level.value if late else 'zero'}"
                + fit(say.number(late), 1, 2, 3)
                + ("" if known else " is-gone"),
            ),
            el.span(
                "" if known else say("panels.suppressed_why" if row.counts_hidden else "panels.states.none"),
                id=f"{key}-complaints-none",
                className="w none" + (" is-gone" if known else ""),
            ),
        ],
        className="complaints-cell",
        **data(label=say("panels.agencies.complaints")),
    )


def agency_row(row: AgencyRow, key: str, say: Say, at: int) -> Element:
    """The row; ``key`` makes its ids. An agency with a stale or offline source keeps its row, greyed, with its hour.

    The same row with the same words is the same element: after most commits only a few of them differ. Not to be changed.
    """
    calm = row.age.state is State.NORMAL
    subtitle = _subtitle(row, say) if row.declared else say("panels.agencies.not_declared")
    return _row(row, key, say, subtitle if calm else age_words(row.age, say, at))


@lru_cache(maxsize=MOST_ROWS)
def _row(row: AgencyRow, key: str, say: Say, below: str) -> Element:
    return Lasting(
        el.div(
            [
                _named(row, key, below),
                _received(row, key, say),
                _time(row, key, say),
                _on_time(row.on_time, key, say),
                _complaints(row, key, say),
            ],
            id=f"{key}-row",
            className=f"row agency {'is-' + row.age.state.value}",
        )
    )
