"""What rings on the emergency line: one bar of all calls by kind, and the valid ones hour by hour."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.emergency import HOURS, Emergency
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import aria
from layouts.components.elements import Element

PARTS = ("valid", "other", "ghost", "abandoned")
STEP, BAR, TALL, BASE = 40, 30, 150, 160


def counts_of(answer: Emergency) -> dict[str, int | None]:
    """Calls by kind; they add up to those offered."""
    valid = None if answer.valid.value is None else int(answer.valid.value)
    return {"valid": valid, "other": answer.other, "ghost": answer.ghost, "abandoned": answer.abandoned}


def parts(answer: Emergency, say: Say) -> list[Element]:
    """The bar (filled, light, hatched, outlined), and below it each kind with its count."""
    counts = counts_of(answer)
    whole = max(sum(count or 0 for count in counts.values()), 1)
    told = ", ".join(
        f"{say.number(count)} {say(f'panels.emergency_calls.{name}')}" for name, count in counts.items() if count is not None
    )
    bar = [
        el.i(id=f"{name}-bar", className=f"bar {name}", style={"width": f"{100 * (counts[name] or 0) / whole:.2f}%"})
        for name in PARTS
    ]
    words = [
        el.span(
            [
                el.i(className=f"sign bar {name}"),
                el.b("" if (count := counts[name]) is None else say.number(count), id=f"{name}-count"),
                el.span(say(f"panels.emergency_calls.{name}")),
            ],
            id=f"{name}-part",
            className="call-part" + (" is-absent" if counts[name] is None else ""),
        )
        for name in PARTS
    ]
    return [
        el.div(bar, id="split", className="split", role="img", **aria(label=told or say("panels.states.none"))),
        el.div(words, className="call-parts"),
    ]


def hours(values: Sequence[int | None], say: Say) -> Element:
    """A bar for each hour that was told, the running one brighter, dashes for those to come; the highest one's number."""
    known = [(hour, count) for hour, count in enumerate(values) if count is not None]
    top = max([count for _, count in known] + [1])
    last = known[-1][0] if known else -1

    def bar(hour: int, count: int) -> str:
        tall = max(3.0, TALL * count / top) if count else 0.0
        return f"M{hour * STEP} {BASE}v{-tall:.1f}h{BAR}v{tall:.1f}Z"

    past = "".join(bar(hour, count) for hour, count in known if hour != last)
    now = "".join(bar(hour, count) for hour, count in known if hour == last)
    told = {hour for hour, _ in known}
    later = "".join(f"M{hour * STEP} {BASE}h{BAR}" for hour in range(HOURS) if hour not in told)
    return el.div(
        [
            el.span(say("panels.emergency_calls.most", n=say.number(top)) if known else "", id="most", className="most"),
            el.svg(
                [
                    el.path(id="hours-past", d=past, className="hour past"),
                    el.path(id="hours-now", d=now, className="hour running"),
                    el.path(id="hours-later", d=later, className="hour later"),
                ],
                className="call-hours", viewBox=f"0 0 {HOURS * STEP} {BASE + 4}", preserveAspectRatio="none", **aria(hidden="true"),
            ),
            el.div(
                [el.span(f"{hour:02d}", style={"left": f"{hour / HOURS * 100:.2f}%"}) for hour in range(0, 24, 3)],
                className="call-axis",
            ),
        ],
        className="call-day",
    )
