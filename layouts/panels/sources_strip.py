"""How fresh is every source?"""

from __future__ import annotations

from dashboard.queries import audience
from dashboard.queries.answers import Sources, State
from dashboard.queries.freshness import sources
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.shapes import shape
from layouts.components.source_strip import cells
from layouts.components.tile import stale_mark

query = sources
for_people = audience.nothing_counted
COUNTED = (
    ("fresh", (State.NORMAL,)), ("late", (State.LATE,)), ("stale", (State.STALE,)), ("offline", (State.OFFLINE,)),
    ("none", (State.LOADING, State.NONE)),
)  # fmt: skip


def draw(answer: Sources, say: Say) -> Element:
    """Their number, a cell for each, and how many are in which state; states without any are grey."""
    counts = {name: sum(source.state in states for source in answer.sources) for name, states in COUNTED}
    return el.section(
        [
            el.b(say("panels.sources_strip.total", n=say.number(len(answer.sources))), id="total"),
            cells(answer.sources),
            *[
                el.span(
                    [
                        shape(name),
                        el.span(say(f"panels.sources_strip.{name}", n=say.number(count)), id=f"count-{name}"),
                    ],
                    id=f"state-{name}",
                    className=f"st c-{name if count else 'none'}"
                    + (" is-gone" if name == "none" and not count else ""),
                )
                for name, count in counts.items()
            ],
            stale_mark(say),
        ],
        className="strip sources",
    )
