"""One cell per source, in declared order: place is memory, so a source keeps its cell when its state changes."""

from __future__ import annotations

from collections.abc import Sequence

import dash_svg as svg
from dash.development.base_component import Component

from dashboard.queries.answers import SourceAge, State

WIDTH, STEP, TALL = 13, 18, 34
HATCH = "M0 16.5l13 -10M0 25l13 -10M0 33.5l13 -10"
INSIDE = {State.LATE: "M0 17h13v17H0Z", State.STALE: HATCH}


def _cell(at: int, source: SourceAge) -> Component:
    state = source.state.value
    cell: Component = svg.G(
        [
            svg.Rect(id=f"cell-{at}", x=1, y=1, width=WIDTH - 2, height=TALL - 2, className=f"cell is-{state}"),
            svg.Path(id=f"inside-{at}", d=INSIDE.get(source.state, ""), className=f"inside is-{state}"),
        ],
        transform=f"translate({at * STEP} 0)",
    )
    return cell


def cells(sources: Sequence[SourceAge]) -> Component:
    """The strip of all sources."""
    width = max(len(sources), 1) * STEP
    drawn: Component = svg.Svg(
        [_cell(at, source) for at, source in enumerate(sources)],
        className="cells",
        viewBox=f"0 0 {width} {TALL}",
        preserveAspectRatio="none",
        style={"width": f"calc({min(width, 640)} * var(--px))"},
    )
    return drawn
