"""What may be said to people present (design §8): no number of under ``K`` cases, and none that another one gives away.

Until there are released figures the rule is kept by omission. A count is shown as the multiple of ``K`` below it ("<10" for
the first): so two counts never differ by a number under ``K`` that could be told, and neither do the same count before and after
a change. Whole and parts are never shown together: what is counted by agency, and the line of the day, is left out where the
totals of the same cases stand. A share is rounded so coarsely that each step is at least ``K`` cases. Alarms keep their level;
numbers and the name of an agency stay only where they are times or ages of data, not cases.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dashboard.clock import epoch
from dashboard.metrics import METRICS, Unit
from dashboard.queries.answers import (
    Agencies,
    AgencyRow,
    Alarm,
    Alarms,
    Band,
    Context,
    Figure,
    Level,
    Limits,
    State,
    Tile,
)

K = 10
"""Least number of cases that is shown to people present. Source: design §8, domain.md §9."""
STEPS = (1, 2, 5, 10)
"""Steps of percent to which a share may be rounded."""
TOLD = frozenset({
    "stale", "silent", "offline", "standard", "disk_low", "disk_full", "disk_read_only", "rebuilt", "rebuilt_waiting",
    "store_trouble", "store_log", "no_backup",
})
"""Rules whose alarms hold no count of cases: ages of data, times of at least 30 cases, the Command Center itself."""
ANONYMOUS = "hidden"
"""The rule that an alarm of any other rule is told under."""
NOTHING = frozenset({State.NONE, State.LOADING, State.NOT_APPLICABLE, State.NOT_PROVIDED})

Answer = TypeVar("Answer")


def nothing_counted(answer: Answer) -> Answer:
    """An answer that holds no count of cases: ages, names of agencies, counts of sources."""
    return answer


def below(value: float) -> float:
    """The multiple of ``K`` below a count.

    >>> below(43), below(9)
    (40, 0)
    """
    return K * math.floor(value / K)


def headline(answer: Tile) -> Tile:
    """A headline figure of the whole regency, for people present."""
    of_percent = METRICS[answer.figure.metric].unit is Unit.PERCENT
    return replace(answer, figure=_share(answer.figure) if of_percent else _count(answer.figure))


def _count(figure: Figure) -> Figure:
    """A count: its multiple of ``K`` and that of its band; its level by these alone."""
    if figure.value is None or figure.state in NOTHING:
        return replace(figure, value=None, band=None, level=Level.NORMAL)
    value, band = below(figure.value), _band(figure.band)
    above = band is not None and value > band.high and figure.level is not Level.NORMAL
    told = replace(
        figure, value=value, band=band, cases=None, needed=None, rounded_to=K, level=figure.level if above else Level.NORMAL
    )
    return told if value else replace(told, value=None, band=None, state=_hidden(figure))


def _band(band: Band | None) -> Band | None:
    return None if band is None else replace(band, low=below(band.low), median=below(band.median), high=below(band.high))


def _hidden(figure: Figure) -> State:
    """Suppressed; what is stale or offline says so first."""
    return figure.state if figure.state in (State.STALE, State.OFFLINE) else State.SUPPRESSED


def _share(figure: Figure) -> Figure:
    """A share of so many cases, in steps of at least ``K`` cases on either side; without its base nothing."""
    base = below(figure.cases or 0)
    step = next((step for step in STEPS if step * base >= 200 * K), None)
    if figure.value is None or step is None:
        return _omitted(figure)
    band = figure.band
    told = None if band is None else replace(
        band, low=_near(band.low, step), median=_near(band.median, step), high=_near(band.high, step)
    )
    return replace(
        figure, value=_near(figure.value, step), band=told, cases=None, needed=None, rounded_to=step, level=Level.NORMAL
    )


def _near(value: float, step: int) -> float:
    return float(step * math.floor(value / step + 0.5))


def agencies(answer: Agencies) -> Agencies:
    """Every declared agency with its times and ages; its counts are left out, for the totals of the same cases stand elsewhere.

    One that was only discovered is left out whole: its name is a value as some source delivered it.
    """
    return replace(answer, rows=tuple(_row(row) for row in answer.rows if row.declared))


def _row(row: AgencyRow) -> AgencyRow:
    told = replace(
        row, received=_omitted(row.received), hours=tuple(None for _ in row.hours), on_time=_omitted(row.on_time),
        complaints_open=None, complaints_late=None, complaints_level=Level.NORMAL, counts_hidden=True,
    )
    if row.time_enough:
        return told
    return replace(told, time_value=None, time_p90=None, time_share=None, p90_share=None, time_level=Level.NORMAL)


def _omitted(figure: Figure) -> Figure:
    """Left out whatever its size; what has no figure anyway, or an old one, says so first."""
    state = figure.state if figure.state in NOTHING else _hidden(figure)
    return replace(figure, value=None, band=None, cases=None, needed=None, state=state, level=Level.NORMAL, omitted=True)


def alarms(answer: Alarms) -> Alarms:
    """Open alarms with their levels; what counts cases says that it is not told now, and names nobody."""
    told = tuple(_alarm(alarm) for alarm in answer.alarms)
    ended = answer.last_ended if answer.last_ended is not None and answer.last_ended.rule in TOLD else None
    return replace(answer, alarms=told, last_ended=ended, last_ended_at=answer.last_ended_at if ended else None)


def _alarm(alarm: Alarm) -> Alarm:
    if alarm.rule not in TOLD:
        return replace(alarm, rule=ANONYMOUS, subject="", params={}, value=None)
    return replace(alarm, params={key: value for key, value in alarm.params.items() if key != "cases"})


def critical(answer: Alarms) -> str:
    """The rule of the worst alarm when it is critical, else ""."""
    return answer.alarms[0].rule if answer.alarms and answer.alarms[0].level is Level.CRITICAL else ""


@dataclass(frozen=True)
class NotAsked:
    """The answer of a panel that is not shown to people present."""

    as_of: int
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


def not_asked(context: Context) -> NotAsked:
    """Ask nothing."""
    return NotAsked(epoch(context.now))
