"""Which agencies got tickets from the emergency line today, and how many of these were followed up?"""

from __future__ import annotations

from dashboard.queries.answers import State
from dashboard.queries.emergency import Emergency, Tickets, emergency
from dashboard.queries.freshness import OUT
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element
from layouts.components.fitting import fit
from layouts.components.tile import classes, stale_mark

query = emergency
PLACES = 6


def _row(one: Tickets | None, at: int, say: Say) -> Element:
    """One place of the list; an empty one keeps its elements, unseen."""
    name = one.short_name if one else ""
    opened = say.number(one.opened) if one else ""
    followed = say("panels.emergency_tickets.followed", n=say.number(one.followed)) if one else ""
    return el.li(
        [
            el.span(name, id=f"name-{at}", className=f"n{fit(name, 14, 18, 22)}"),
            el.span(followed, id=f"followed-{at}", className="r"),
            el.span(opened, id=f"opened-{at}", className=f"v{fit(opened, 3, 4, 5)}"),
        ],
        id=f"row-{at}",
        className="is-shown" if one else "is-gone",
    )


def draw(answer: Emergency, say: Say) -> Element:
    """Up to six agencies, most tickets first; the rest are counted."""
    found, state = answer.agencies, answer.valid.state
    more = len(found) - PLACES
    words = "" if found else say("panels.emergency_tickets.none" if answer.tickets else "panels.states.none")
    state = state if state in OUT or answer.tickets else State.NONE
    return el.section(
        [
            el.div([el.h2(say("panels.emergency_tickets.title"), className="plate"), stale_mark(say)], className="late-head"),
            el.div(words, id="words", className="calm-word" + ("" if words else " is-gone")),
            el.ol([_row(found[at] if at < len(found) else None, at, say) for at in range(PLACES)], className="ticket-rows"),
            el.div(
                say("panels.emergency_tickets.more", n=say.number(more)) if more > 0 else "", id="more",
                className="age" + ("" if more > 0 else " is-absent"),
            ),
        ],
        id="tile",
        className=f"tile tickets {classes(state)}",
    )
