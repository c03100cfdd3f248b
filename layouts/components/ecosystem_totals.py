"""The strip above the ecosystem: how many agencies are connected, and how many of these stand in which state."""

from __future__ import annotations

from dashboard.queries.answers import State
from dashboard.queries.ecosystem import Ecosystem
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.shapes import shaped

COUNTED = (
    ("fresh", (State.NORMAL,)), ("part", (State.PARTIAL,)), ("late", (State.LATE,)), ("stale", (State.STALE,)),
    ("offline", (State.OFFLINE,)), ("loading", (State.LOADING,)),
)  # fmt: skip


def _count(name: str, count: int, say: Say) -> Element:
    kind = "none" if name == "loading" else name
    return el.span(
        say(f"panels.ecosystem.{name}", n=say.number(count)),
        id=f"has-{name}",
        className=f"st {shaped(kind)} c-{kind}" + ("" if count or name == "fresh" else " is-gone"),
    )


def totals(answer: Ecosystem, say: Say) -> Element:
    """How many are connected, and how those stand."""
    states = [unit.state for unit in answer.units]
    whole = len(states) + len(answer.not_connected)
    counts = {name: sum(state in kinds for state in states) for name, kinds in COUNTED}
    return el.div(
        [
            el.b(say.number(len(states)), id="connected", className="v"),
            el.span(say("panels.ecosystem.connected", all=say.number(whole)), id="whole", className="whole"),
            *[_count(name, count, say) for name, count in (*counts.items(), ("none", len(answer.not_connected)))],
        ],
        className="strip totals",
    )
