"""The metrics: what each measures, its unit, which direction is good, how it adds up.

A target (a standard, a threshold) is data and lives in ``config/``; the meaning is here, and changing it is a reviewed
change. Words for screens are under ``metrics.<key>`` in ``config/words/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dashboard.registry import Registry


class Unit(StrEnum):
    """Units of a metric's value. ``OF_STANDARD``: the unit of the service's own standard (elapsed hours without one)."""

    CASES = "cases"
    PERCENT = "percent"
    OF_STANDARD = "of standard"
    MINUTES = "minutes"
    COUNTERS = "counters"
    CALLS = "calls"
    TICKETS = "tickets"
    SCORE = "score"
    SECONDS = "seconds"


class Good(StrEnum):
    """Which direction is good."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


class Adds(StrEnum):
    """How values of parts become the value of the whole."""

    SUM = "sum"
    LAST = "last"
    RATIO = "ratio"
    MERGE_DURATIONS = "merge durations"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric. ``kind`` restricts it to requests, complaints or visits; ``readings_only`` ones are published values."""

    key: str
    unit: Unit
    good: Good
    adds: Adds
    kind: str | None = None
    readings_only: bool = False


METRICS: Registry[Metric] = Registry("metric")


def _declare(*metrics: Metric) -> None:
    for metric in metrics:
        METRICS.register(metric.key)(metric)


_declare(
    Metric(key="received", unit=Unit.CASES, good=Good.NEITHER, adds=Adds.SUM),
    Metric(key="completed", unit=Unit.CASES, good=Good.UP, adds=Adds.SUM),
    Metric(key="cancelled", unit=Unit.CASES, good=Good.NEITHER, adds=Adds.SUM),
    Metric(key="backlog", unit=Unit.CASES, good=Good.DOWN, adds=Adds.LAST),
    Metric(key="overdue", unit=Unit.CASES, good=Good.DOWN, adds=Adds.LAST),
    Metric(key="due_soon", unit=Unit.CASES, good=Good.DOWN, adds=Adds.LAST),
    Metric(key="on_time_rate", unit=Unit.PERCENT, good=Good.UP, adds=Adds.RATIO),
    Metric(key="kept_rate", unit=Unit.PERCENT, good=Good.UP, adds=Adds.RATIO),
    Metric(key="processing_time_median", unit=Unit.OF_STANDARD, good=Good.DOWN, adds=Adds.MERGE_DURATIONS),
    Metric(key="processing_time_p90", unit=Unit.OF_STANDARD, good=Good.DOWN, adds=Adds.MERGE_DURATIONS),
    Metric(key="waiting_time_median", unit=Unit.MINUTES, good=Good.DOWN, adds=Adds.MERGE_DURATIONS, kind="visit"),
    Metric(key="waiting_time_p90", unit=Unit.MINUTES, good=Good.DOWN, adds=Adds.MERGE_DURATIONS, kind="visit"),
    Metric(key="waiting_now", unit=Unit.CASES, good=Good.DOWN, adds=Adds.LAST, kind="visit"),
    Metric(key="counters_open", unit=Unit.COUNTERS, good=Good.UP, adds=Adds.LAST, readings_only=True),
    Metric(key="waiting_time_mean", unit=Unit.MINUTES, good=Good.DOWN, adds=Adds.NEVER, readings_only=True),
    Metric(key="service_time_mean", unit=Unit.MINUTES, good=Good.DOWN, adds=Adds.NEVER, readings_only=True),
    Metric(key="complaints_received", unit=Unit.CASES, good=Good.NEITHER, adds=Adds.SUM, kind="complaint"),
    Metric(key="complaints_unverified", unit=Unit.CASES, good=Good.DOWN, adds=Adds.LAST, kind="complaint"),
    Metric(key="complaints_unanswered", unit=Unit.CASES, good=Good.DOWN, adds=Adds.LAST, kind="complaint"),
    Metric(key="complaints_overdue", unit=Unit.CASES, good=Good.DOWN, adds=Adds.LAST, kind="complaint"),
    Metric(key="complaints_closed_followed", unit=Unit.CASES, good=Good.UP, adds=Adds.SUM, kind="complaint"),
    Metric(key="complaints_closed_silent", unit=Unit.CASES, good=Good.DOWN, adds=Adds.SUM, kind="complaint"),
    Metric(key="complaints_answered_on_time_rate", unit=Unit.PERCENT, good=Good.UP, adds=Adds.RATIO, kind="complaint"),
    Metric(key="calls_offered", unit=Unit.CALLS, good=Good.NEITHER, adds=Adds.SUM, readings_only=True),
    Metric(key="calls_valid", unit=Unit.CALLS, good=Good.NEITHER, adds=Adds.SUM, readings_only=True),
    Metric(key="calls_ghost", unit=Unit.CALLS, good=Good.DOWN, adds=Adds.SUM, readings_only=True),
    Metric(key="calls_abandoned", unit=Unit.CALLS, good=Good.DOWN, adds=Adds.SUM, readings_only=True),
    Metric(key="tickets_opened", unit=Unit.TICKETS, good=Good.NEITHER, adds=Adds.SUM, readings_only=True),
    Metric(key="tickets_followed", unit=Unit.TICKETS, good=Good.UP, adds=Adds.SUM, readings_only=True),
    Metric(key="satisfaction", unit=Unit.SCORE, good=Good.UP, adds=Adds.NEVER, readings_only=True),
    Metric(key="online_share", unit=Unit.PERCENT, good=Good.UP, adds=Adds.RATIO),
    Metric(key="freshness", unit=Unit.SECONDS, good=Good.DOWN, adds=Adds.NEVER),
    Metric(key="coverage", unit=Unit.PERCENT, good=Good.UP, adds=Adds.NEVER),
    Metric(key="index_value", unit=Unit.SCORE, good=Good.UP, adds=Adds.NEVER, readings_only=True),
)
