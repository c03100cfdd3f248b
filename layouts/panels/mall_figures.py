"""How does the service mall do now: people waiting, their wait, counters open, people served, submissions online?"""

from __future__ import annotations

from dashboard.queries.answers import Figure, Level, State
from dashboard.queries.mall import MallNow, mall_now
from dashboard.queries.mall_online import Online
from dashboard.words import Say
from layouts.components.elements import Element
from layouts.components.fitting import names
from layouts.components.stat_tile import Stat, stats

query = mall_now


def usual(figure: Figure, say: Say) -> str:
    """What is usual by this hour, or that the history does not reach."""
    if figure.band is None:
        return say("panels.no_band")
    band = figure.band
    return say("panels.usual_between", value=say.number(band.median), low=say.number(band.low), high=say.number(band.high))


def _counters(answer: MallNow, say: Say) -> Stat:
    found = answer.counters
    value = None if found.open is None else float(found.open)
    figure = Figure("counters_open", value, found.state, level=found.level, worst=found.age)
    if found.age is not None and found.open is None and found.state is State.NORMAL:
        figure = Figure("counters_open", None, State.NONE)
    closed = max(found.planned - (found.open or 0), 0)
    line = say("panels.mall_figures.closed", n=say.number(closed)) if closed else say("panels.mall_figures.all_open")
    brief = line
    if found.later:
        line = say("panels.mall_figures.and_scheduled", a=line, n=say.number(found.later))
    if not found.planned:
        line = brief = say("panels.mall_figures.outside_hours")
    return Stat(
        say("panels.mall_figures.counters"), figure, say("panels.mall_figures.of", n=say.number(found.planned)),
        line if found.open is not None else "", brief, tone="" if found.level is not Level.NORMAL else "plain",
    )


def _online(online: Online, say: Say) -> Stat:
    figure = Figure("online_share", online.share, online.state, cases=online.received, needed=online.needed)
    line = say("panels.mall_figures.online_of", n=say.number(online.online), all=say.number(online.received))
    if online.without:
        line = say("panels.without", names=names(online.without, 14))
    brief = say("panels.mall_figures.of", n=say.number(online.received))
    return Stat(say("panels.mall_figures.online"), figure, "%", line, brief, decimals=0)


def draw(answer: MallNow, say: Say) -> Element:
    """Five small tiles."""
    standard = "" if answer.standard is None else say("panels.mall_figures.standard", n=say.number(answer.standard))
    left = say("panels.mall_figures.gone", gone=say.number(answer.gone))
    gone = say("panels.mall_figures.called_gone", called=say.number(answer.called), gone=say.number(answer.gone))
    people = say("panels.mall_figures.people")
    tiles = {
        "waiting": Stat(say("panels.mall_figures.waiting"), answer.waiting, people, usual(answer.waiting, say)),
        "wait": Stat(say("panels.mall_figures.wait"), answer.wait, say("panels.units.minutes"), standard),
        "counters": _counters(answer, say),
        "served": Stat(say("panels.mall_figures.served"), answer.served, people, gone, left),
        "online": _online(answer.online, say),
    }
    return stats(tiles, say, answer.as_of)
