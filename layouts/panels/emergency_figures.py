"""How many valid calls did the emergency line get today, how many were abandoned or ghosts, and how many became tickets?"""

from __future__ import annotations

from dashboard.queries.answers import Figure, State
from dashboard.queries.emergency import Emergency, emergency
from dashboard.queries.freshness import OUT
from dashboard.words import Say
from layouts.components.elements import Element
from layouts.components.stat_tile import Stat, stats

query = emergency


def _like(answer: Emergency, metric: str, value: int | None) -> Figure:
    """A count from the same sources as the valid calls."""
    valid = answer.valid
    state = valid.state if value is not None or valid.state in (State.LOADING, *OUT) else State.NONE
    return Figure(metric, None if value is None else float(value), state, worst=valid.worst, data_until=valid.data_until)


def draw(answer: Emergency, say: Say) -> Element:
    """Four small tiles: valid calls first; a count of all calls would say nothing."""
    valid, offered = answer.valid, answer.offered
    usual = say("panels.no_band")
    if valid.band is not None:
        band = valid.band
        usual = say("panels.usual_between", value=say.number(band.median), low=say.number(band.low), high=say.number(band.high))
    of = "" if offered is None else say("panels.emergency_figures.of_offered", n=say.number(offered))
    ghost = Figure(
        "online_share", answer.ghost_share, answer.ghost_state, worst=valid.worst, data_until=valid.data_until, cases=offered,
        needed=answer.needed,
    )
    ghosts = "" if answer.ghost is None else say("panels.emergency_figures.ghosts", n=say.number(answer.ghost))
    tickets = answer.tickets
    going = max((tickets.opened - tickets.followed) if tickets else 0, 0)
    tiles = {
        "valid": Stat(say("panels.emergency_figures.valid"), valid, say("panels.emergency_figures.calls"), usual),
        "abandoned": Stat(
            say("panels.emergency_figures.abandoned"), _like(answer, "calls_abandoned", answer.abandoned),
            say("panels.emergency_figures.calls"), of,
        ),
        "ghost": Stat(say("panels.emergency_figures.ghost"), ghost, "%", ghosts, decimals=0),
        "tickets": Stat(
            say("panels.emergency_figures.tickets"), _like(answer, "tickets_opened", tickets.opened if tickets else None),
            say("panels.emergency_figures.opened"), say("panels.emergency_figures.going", n=say.number(going)) if tickets else "",
        ),
    }
    return stats(tiles, say, answer.as_of)
