"""A line through today in the band of the usual day; the dot is now. Lines stretch with the room, words do not."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.answers import Rolling
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.fitting import fit

DAY_MINUTES = 1440
STEPS = (1, 2, 2.5, 5, 10)


def nice_step(top: float) -> float:
    """The larger of the round numbers of which two fit under ``top``.

    >>> nice_step(235), nice_step(7), nice_step(0)
    (100, 2, 1)
    """
    rough = max(top, 2) / 2
    power: float = 1
    while power * 10 <= rough:
        power *= 10
    return max(step * power for step in STEPS if step * power <= rough and (step * power) % 1 == 0)


def label_share(number: str) -> float:
    """How much of the width, in percent, the label of the newest value needs with what lies left of the plot
    (narrowest wall: 860 px)."""
    return (394 + 38 * len(number)) / 8.6


def _path(points: Sequence[tuple[float, float]], top: float) -> str:
    return "L".join(f"{minute:g} {100 - min(value / top, 1) * 100:.2f}" for minute, value in points)


def day_line(answer: Rolling, say: Say) -> Element:
    """The chart of :class:`Rolling`: cases in the 60 minutes before each minute of the local day."""
    highest = [value for _, value in answer.line] + [high for _, _, high in answer.band]
    top = max([*highest, 2]) * 1.04
    step = nice_step(top)
    low = [(minute, down) for minute, down, _ in answer.band]
    high = [(minute, up) for minute, _, up in answer.band]
    minute, value = answer.line[-1] if answer.line else (0.0, 0.0)
    x, y = round(minute / DAY_MINUTES * 100, 2), round(100 - min(value / top, 1) * 100, 2)
    absent = "" if answer.line and answer.last is not None else " is-absent"
    number = "" if answer.last is None else say.number(answer.last)
    tall = " is-tall" if x <= 100 - label_share(number) else ""  # up to its label, unless that had to move aside
    curve = {
        "grid": "".join(f"M0 {round(100 - step * times / top * 100, 2):g}H{DAY_MINUTES}" for times in (0, 1, 2)),
        "band": f"M{_path(high, top)}L{_path(low[::-1], top)}Z" if high else "",
        "edge": f"M{_path(high, top)}M{_path(low, top)}" if high else "",
        "line": f"M{_path(answer.line, top)}" if answer.line else "",
    }
    label_at = max(min(x, 100 - label_share(number)), 0) if answer.line else 0
    heights = [round(100 - step * times / top * 100, 2) for times in (0, 1, 2)]
    return el.div(
        [
            el.div(
                [el.b(number, id="last"), el.span(say("panels.received_rolling.within"))],
                id="label",
                className="label" + absent,
                style={"left": f"{label_at:.2f}%"},
            ),
            el.div(
                [
                    *[
                        el.span(
                            say.number(step * times), id=f"y{times}", className="y", style={"top": f"{height:g}%"}
                        )
                        for times, height in enumerate(heights)
                    ],
                    el.svg(
                        [el.path(id=name, d=path, className=name) for name, path in curve.items()],
                        viewBox=f"0 0 {DAY_MINUTES} 100",
                        preserveAspectRatio="none",
                    ),
                    el.div(id="upright", className=f"upright{tall}{absent}", style={"left": f"{x:g}%"}),
                    el.div(id="dot", className="dot" + absent, style={"left": f"{x:g}%", "top": f"{y:g}%"}),
                ],
                className="plot",
            ),
            el.div(
                [el.span(f"{hour:02d}", style={"left": f"{hour / 24 * 100:.2f}%"}) for hour in range(0, 25, 4)],
                className="hours-axis",
            ),
        ],
        id="day",
        className=f"day-line{fit(say.number(step * 2), 4, 6)}",
    )
