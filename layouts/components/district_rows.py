"""The list beside the map of districts: those ranked with their bars, then those that are only listed, each with its state."""

from __future__ import annotations

from dashboard.queries.answers import Level, State
from dashboard.queries.districts import DistrictRow, Districts
from dashboard.queries.freshness import OUT
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.district_map import key_of
from layouts.components.elements import Element
from layouts.components.figures import nothing, shape_of, why_nothing
from layouts.components.fitting import fit
from layouts.components.shapes import shape

ROWS = 15
"""Districts on a page of the list."""
WIDE, TALL = 1000, 30


def _kind(row: DistrictRow) -> str:
    """The mark of a row: its state where it is no plain figure, else its place in the funnel; "" for none."""
    if row.figure.state in (*OUT, State.PARTIAL):
        return shape_of(row.figure.state)
    if row.hidden:
        return "suppressed"
    if row.rank is None:
        return "none" if row.figure.state in (State.NONE, State.LOADING, State.NOT_PROVIDED) else ""
    return "" if row.figure.level is Level.NORMAL else row.figure.level.value


def words(row: DistrictRow, say: Say) -> str:
    """What stands in the place of a bar: the state of what is not ranked, or why there is no figure."""
    one = row.figure
    if one.state in OUT:
        head = say(f"panels.states.{one.state.value}")
        return say("panels.districts.both", a=head, b=say(f"panels.districts.hidden_{row.hidden}")) if row.hidden else head
    if row.hidden:
        return say(f"panels.districts.hidden_{row.hidden}")
    if row.rank is not None:
        return ""
    if one.state is State.NOT_APPLICABLE:
        return say("panels.districts.nothing_completed")
    return why_nothing(one, say) if one.state is State.TOO_FEW else nothing(one, say)


def _row(row: DistrictRow, at: int, unranked: int, top: float, answer: Districts, say: Say) -> Element:
    one, ranked, said = row.figure, row.rank is not None, words(row, say)
    share = answer.measure == "late"
    value = "" if one.value is None else say.percent(one.value) if share else say.number(one.value)
    base = say.number(one.cases) if share and one.cases is not None and one.state is not State.TOO_FEW else ""
    wide = round(WIDE * (one.value or 0.0) / top, 1) if ranked and top else 0.0
    mean = "" if answer.mean is None or not ranked or not top else f"M{WIDE * answer.mean / top:.1f} -7V{TALL + 7}"
    kind = _kind(row)
    tone = one.level.value if ranked and one.level is not Level.NORMAL else "plain"
    return el.div(
        [
            el.span(key_of(row, unranked), id=f"r{at}-key", className="k"),
            shape(kind or "none", f"r{at}-mark", f" st c-{kind or 'none'}" + ("" if kind else " is-absent")),
            el.span(row.name, id=f"r{at}-name", className=f"n{fit(row.name, 17, 21, 26)}"),
            el.div(
                [
                    el.svg(
                        [
                            el.path(id=f"r{at}-bar", d=f"M0 0h{wide:g}v{TALL}h-{wide:g}Z", className=f"bar c-{tone}"),
                            el.path(id=f"r{at}-mean", d=mean, className="mean"),
                        ],
                        className="bars", viewBox=f"0 0 {WIDE} {TALL}", preserveAspectRatio="none",
                    ),
                    el.span(said, id=f"r{at}-words", className=f"words c-{kind or 'plain'}{fit(said, 20, 24)}"),
                ],
                className="bar-cell",
            ),
            el.span(value, id=f"r{at}-value", className="v" + (" is-zero" if one.value == 0 else "")),
            el.span(base, id=f"r{at}-base", className="w"),
        ],
        id=f"r{at}",
        className=f"d-row is-{one.state.value.replace('_', '-')}{'' if tone == 'plain' else ' is-marked'}"
        f"{'' if ranked else ' is-listed'}",
    )


def district_rows(answer: Districts, say: Say) -> list[Element]:
    """The pages of the list, 15 districts each."""
    known = [row.figure.value or 0.0 for row in answer.rows if row.rank is not None]
    top = max([*known, (answer.mean or 0.0)], default=0.0) * 1.04
    ranked = len(known)
    pages = [answer.rows[start : start + ROWS] for start in range(0, len(answer.rows), ROWS)]
    return [
        el.div(
            [_row(row, number * ROWS + at, number * ROWS + at - ranked, top, answer, say) for at, row in enumerate(page)],
            className="page d-rows", **data(page=str(number + 1)),
        )
        for number, page in enumerate(pages)
    ]
