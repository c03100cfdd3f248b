"""The strip below a page: which page it is, what the marks mean, how many are shown."""

from __future__ import annotations

from collections.abc import Sequence

import dash_svg as svg
from dash import html
from dash.development.base_component import Component

from dashboard.words import Say
from layouts.components.tile import stale_mark

STEP = 34


def page_strip(page: int, pages: int, counted: str, say: Say, *, keys: Sequence[str] = ()) -> Component:
    """Page ``page`` of ``pages``, its dots, ``keys`` of the marks, and ``counted`` at the end."""
    dots = [
        svg.Rect(
            x=at * STEP + 1,
            y=3,
            width=26,
            height=14,
            rx=4,
            className="page-dot" + (" is-now" if at + 1 == page else ""),
        )
        for at in range(pages)
    ]
    return html.Div(
        [
            html.B(say("panels.agencies.page", n=page, of=pages)),
            svg.Svg(
                dots,
                className="dots",
                viewBox=f"0 0 {pages * STEP} 20",
                style={"width": f"calc({pages * STEP} * var(--px))"},
            ),
            *[html.Span(say(f"panels.agencies.key_{key}")) for key in keys],
            html.Span(counted, className="end"),
            stale_mark(say),
        ],
        className="strip",
    )
