"""One cell per source, in declared order: place is memory, so a source keeps its cell when its state changes."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.queries.answers import SourceAge, State
from layouts.components import elements as el
from layouts.components.elements import Element

WIDTH, STEP, TALL = 13, 18, 34
HATCH = "M0 16.5l13 -10M0 25l13 -10M0 33.5l13 -10"
INSIDE = {State.LATE: "M0 17h13v17H0Z", State.STALE: HATCH}


def _cell(at: int, source: SourceAge) -> Element:
    state = source.state.value
    return el.g(
        [
            el.rect(id=f"cell-{at}", x=1, y=1, width=WIDTH - 2, height=TALL - 2, className=f"cell is-{state}"),
            el.path(id=f"inside-{at}", d=INSIDE.get(source.state, ""), className=f"inside is-{state}"),
        ],
        transform=f"translate({at * STEP} 0)",
    )


def cells(sources: Sequence[SourceAge]) -> Element:
    """The strip of all sources."""
    width = max(len(sources), 1) * STEP
    return el.svg(
        [_cell(at, source) for at, source in enumerate(sources)],
        className="cells",
        viewBox=f"0 0 {width} {TALL}",
        preserveAspectRatio="none",
        style={"width": f"calc({min(width, 640)} * var(--px))"},
    )
