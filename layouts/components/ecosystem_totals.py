"""The strip above the ecosystem: how many agencies are connected, and how many of these stand in which state."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.queries.answers import State
from dashboard.queries.ecosystem import Ecosystem
from dashboard.words import Say
from layouts.components.shapes import shape

COUNTED = (
    ("fresh", (State.NORMAL,)), ("part", (State.PARTIAL,)), ("late", (State.LATE,)), ("stale", (State.STALE,)),
    ("offline", (State.OFFLINE,)), ("loading", (State.LOADING,)),
)  # fmt: skip


def _count(name: str, count: int, say: Say) -> Component:
    return html.Span(
        [
            shape("none" if name == "loading" else name),
            html.Span(say(f"panels.ecosystem.{name}", n=say.number(count)), id=f"n-{name}"),
        ],
        id=f"has-{name}",
        className=f"st c-{'none' if name == 'loading' else name}" + ("" if count or name == "fresh" else " is-gone"),
    )


def totals(answer: Ecosystem, say: Say) -> Component:
    """How many are connected, and how those stand."""
    states = [unit.state for unit in answer.units]
    whole = len(states) + len(answer.not_connected)
    counts = {name: sum(state in kinds for state in states) for name, kinds in COUNTED}
    return html.Div(
        [
            html.B(say.number(len(states)), id="connected", className="v"),
            html.Span(say("panels.ecosystem.connected", all=say.number(whole)), id="whole", className="whole"),
            *[_count(name, count, say) for name, count in (*counts.items(), ("none", len(answer.not_connected)))],
        ],
        className="strip totals",
    )
