"""Requests received in the last 60 minutes, through the day, against the usual day."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from dashboard.clock import DAY, HOUR
from dashboard.queries.answers import Context, Rolling, question
from dashboard.queries.today import Day, day_of
from dashboard.queries.totals import figure
from dashboard.queries.volumes import MARK, Line, Lines, kept, settled

BAND_STEP = HOUR


@question(reads={"cases", "history", "state"})
def received_rolling(context: Context) -> Rolling:
    """How many requests came in the last 60 minutes, and how does the day compare with the usual one?"""
    day = day_of(context)
    one = figure(
        context, "received", day.known, lambda sources: hour_to(day, day.seconds, day.sums, sources),
        day.band(partial(hour_to, day, day.by)),
    )
    over = day.known.counted or day.known.everyone
    end: float = day.seconds
    if one.data_until is not None:  # the line ends where the data does: after it there is nothing, not zero
        end = min(end, one.data_until - (day.now - day.seconds))
    steps = [] if end < 0 or one.value is None else [*range(0, int(end) + 1, MARK), *([end] if end % MARK else [])]
    whole = {("", ""): {"received": added(day.sums[source, ""]["received"] for source in over if (source, "") in day.sums)}}
    line = tuple((second / 60, hour_to(day, second, whole, ("",))) for second in steps)
    return Rolling(
        as_of=day.now, line=line, band=_usual_day(day, over), last=line[-1][1] if line else None, figure=one,
        changes_at=day.changes_at, limits=one.limits,
    )


def _usual_day(day: Day, sources: tuple[str, ...]) -> tuple[tuple[float, float, float], ...]:
    """(minute, low, high) for every hour of the day, kept while neither the past nor what is covered changes."""
    covered = tuple(day.covers(source, number) for source in sources for number in range(len(day.days)))

    def make() -> tuple[tuple[float, float, float], ...]:
        bands = [(second / 60, day.band(partial(hour_to, day, second))(sources)) for second in range(0, DAY + 1, BAND_STEP)]
        return tuple((minute, one.low, one.high) for minute, one in bands if one is not None)

    return kept(day.context, ("usual day", day.today, sources), (settled(day.context, day.version), covered), make)


def added(lines: Iterable[Line]) -> Line:
    """The sum of running sums, step by step."""
    return [sum(steps) for steps in zip(*lines, strict=True)] or [0]


def hour_to(day: Day, seconds: float, sums: Lines, sources: tuple[str, ...]) -> float:
    """Cases received in the 60 minutes before a time of day (since midnight in the first hour)."""
    return day.total(sums, sources, "received", seconds) - day.total(sums, sources, "received", max(0.0, seconds - HOUR))
