"""The strip below a page: which page it is, what the marks mean, how many are shown."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.tile import stale_mark

STEP = 34


def page_strip(page: int, pages: int, counted: str, say: Say, *, keys: Sequence[str] = ()) -> Element:
    """Page ``page`` of ``pages``, its dots, ``keys`` of the marks, and ``counted`` at the end."""
    dots = [
        el.rect(
            x=at * STEP + 1,
            y=3,
            width=26,
            height=14,
            rx=4,
            className="page-dot" + (" is-now" if at + 1 == page else ""),
        )
        for at in range(pages)
    ]
    return el.div(
        [
            el.b(say("panels.agencies.page", n=page, of=pages)),
            el.svg(
                dots,
                className="dots",
                viewBox=f"0 0 {pages * STEP} 20",
                style={"width": f"calc({pages * STEP} * var(--px))"},
            ),
            *[el.span(say(f"panels.agencies.key_{key}")) for key in keys],
            el.span(counted, className="end"),
            stale_mark(say),
        ],
        className="strip",
    )
