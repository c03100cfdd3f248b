"""Requests received in the last 60 minutes, through the day, against the usual day."""

from __future__ import annotations

from functools import partial

from dashboard.clock import HOUR
from dashboard.queries.answers import Context, Rolling, question
from dashboard.queries.today import Day
from dashboard.queries.totals import figure
from dashboard.queries.volumes import MARK, Cumulated

BAND_STEP = 3600


@question(reads={"cases", "history", "state"})
def received_rolling(context: Context) -> Rolling:
    """How many requests came in the last 60 minutes, and how does the day compare with the usual one?"""
    day = Day(context)
    one = figure(
        context, "received", day.known,
        lambda sources: hour_to(day, day.sums, sources, day.seconds),
        day.band(lambda sums, sources: hour_to(day, sums, sources, day.seconds)),
    )
    over = day.known.counted or day.known.everyone
    end = day.seconds
    if one.data_until is not None:  # the line ends where the data does: after it there is nothing, not zero
        end = max(0, min(end, one.data_until - (day.now - day.seconds)))
    steps = [*range(0, int(end) + 1, MARK), *([end] if end % MARK else [])]
    line = tuple((second / 60, hour_to(day, day.sums, over, second)) for second in steps)
    band = []
    for second in range(0, 86_400 + 1, BAND_STEP):
        typical = day.band(partial(_hour_at, day, second))(over)
        if typical is not None:
            band.append((second / 60, typical.low, typical.high))
    return Rolling(
        as_of=day.now, line=line, band=tuple(band), last=line[-1][1] if line else None, figure=one, changes_at=day.changes_at,
        limits=one.limits,
    )


def _hour_at(day: Day, seconds: float, sums: Cumulated, sources: tuple[str, ...]) -> float:
    return hour_to(day, sums, sources, seconds)


def hour_to(day: Day, sums: Cumulated, sources: tuple[str, ...], seconds: float) -> float:
    """Cases received in the 60 minutes before a time of day (since midnight in the first hour)."""
    return day.total(sums, sources, "received", seconds) - day.total(sums, sources, "received", max(0.0, seconds - HOUR))
