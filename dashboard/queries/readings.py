"""What do published values say: the newest of a metric, of which period, against its target, and how old it is?

A reading has two ages. Its source is read by a rhythm and has a limit, as every source; and the value is of a period, after
which the next one is due. It is late or stale by whichever is worse. A value published as missing, one that was never
published and a true zero are three things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from config.declarations import Regency
from config.terms import duration
from dashboard.clock import day_end, local_day
from dashboard.errors import ConfigError
from dashboard.metrics import Adds, Good, Metric, metrics_of
from dashboard.queries.answers import Context, Figure, Level, Limits, SourceAge, State, question
from dashboard.queries.freshness import OUT, soonest
from dashboard.queries.published import SPANS, Published, Row

ANSWERS_EVERY_SECONDS = 10.0
HISTORY = 12


@dataclass(frozen=True)
class Reading:
    """One published value. ``figure``: value in the metric's unit, state, ages; ``level`` attention when worse than ``target``.

    ``period`` (epoch seconds of its start) and ``grain``; ``due_at``: when the next one should be there; ``overdue``: it is
    the value's own period that is late or stale, not its source. ``series``: the last periods, ``None`` for one that is missing.
    ``name``: the scope's or, where metrics are compared, "".
    """

    metric: str
    scope: str
    name: str
    figure: Figure
    unit: str
    decimals: int
    target: float | None = None
    period: int | None = None
    grain: str = ""
    published_at: int | None = None
    due_at: int | None = None
    overdue: bool = False
    series: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Readings:
    """Several published values; ``page`` of them on a page; ``edition`` and ``title`` as declared in the scene."""

    as_of: int
    rows: tuple[Reading, ...]
    page: int = 6
    edition: str = ""
    title: Mapping[str, str] | None = None
    changes_at: int | None = None
    limits: Limits = field(default_factory=Limits)


def _nothing(asked: Published, metric: Metric) -> Figure:
    """No reading at all: which kind of nothing that is, by the sources that could have told it."""
    found = [asked.ages[one.id] for one in asked.sources(metric.key)]
    for state in (State.NORMAL, State.LATE):
        if any(age.state is state for age in found):
            return Figure(metric.key, None, State.NOT_PROVIDED)
    worst = next((age for state in (State.OFFLINE, State.STALE, State.LOADING) for age in found if age.state is state), None)
    if worst is None:
        return Figure(metric.key, None, State.NONE)
    return Figure(metric.key, None, worst.state, worst=worst, without=(worst.short_name,))


def _summed(asked: Published, rows: Sequence[Row]) -> tuple[float | None, bool]:
    """(the sum since the year began, whether a period in between is missing)."""
    newest = rows[0]
    start = asked.end(newest.period, "year", 0)
    by_period = {row.period: row.value for row in rows if row.grain == newest.grain and row.source == newest.source}
    total, missing, at = 0.0, False, start
    while at <= newest.period:
        value = by_period.get(at)
        total, missing = total + (value or 0.0), missing or value is None
        at = asked.end(at, newest.grain)
    return total, missing


def _series(asked: Published, rows: Sequence[Row], history: int) -> tuple[float | None, ...]:
    """The last periods up to the newest, those that are missing as ``None``; empty for instants."""
    newest = rows[0]
    if newest.grain not in SPANS or history < 2:
        return ()
    known = {row.period: row.value for row in rows if row.grain == newest.grain and row.source == newest.source}
    oldest = min(known)
    found: list[float | None] = []
    at = newest.period
    while len(found) < history and at >= oldest:
        found.append(known.get(at))
        at = asked.end(asked.end(at, newest.grain, 0) - 1, newest.grain, 0)
    return tuple(reversed(found))


def _level(value: float | None, target: float | None, good: Good) -> Level:
    """Attention for a value on the wrong side of its target."""
    if value is None or target is None or good is Good.NEITHER:
        return Level.NORMAL
    return Level.ATTENTION if (value < target if good is Good.UP else value > target) else Level.NORMAL


def _target(asked: Published, target: float | str | None, of: Row) -> tuple[float | None, bool]:
    """(the target as declared, or the newest value of the metric that publishes it; whether it can be missed by now).

    What is due by the end of a longer period (a year's tax) is a mark and no judgement until that period is over.
    """
    if not isinstance(target, str):
        return target, True
    rows = asked.rows(target, of.scope)
    if not rows:
        return None, True
    over = [asked.end(row.period, row.grain) if row.grain in SPANS else row.period for row in (rows[0], of)]
    return rows[0].value, over[0] <= over[1]


def _reading(
    asked: Published, metric: Metric, scope: str, rows: Sequence[Row], target: float | str | None, history: int
) -> Reading:
    """The newest value of a metric and scope, with all that keeps it honest."""
    declared = asked.context.regency.metrics.get(metric.key)
    empty = Reading(
        metric.key, scope, asked.name(scope), _nothing(asked, metric), metric.unit.value,
        declared.decimals if declared else 1 if metric.unit.value in ("percent", "score") else 0,
    )
    if not rows:
        return empty
    newest, age = rows[0], asked.ages[rows[0].source]
    due, late_at, stale_at = asked.due(newest)
    value, missing = newest.value, False
    if asked.over == "year" and newest.grain in SPANS and metric.adds is Adds.SUM and value is not None:
        value, missing = _summed(asked, rows)
    wanted, due_now = _target(asked, target, newest)
    state, overdue = _state(asked, age, late_at, stale_at)
    if value is None and state not in OUT:
        state = State.NOT_PROVIDED
    elif missing and state not in OUT:
        state = State.PARTIAL
    one = Figure(
        metric.key, value, state, worst=age if state in OUT else None, data_until=age.data_until, limit_seconds=age.limit_seconds,
        level=_level(value, wanted, metric.good) if due_now and state not in (*OUT, State.PARTIAL) else Level.NORMAL, limits=Limits(
            late=soonest(*(at for at in (age.late_at, late_at) if at is not None and at > asked.now)) if state not in OUT else None,
            stale=soonest(age.stale_at, stale_at) if state not in OUT else None,
        ),
    )
    return replace(
        empty, figure=one, target=wanted, period=newest.period, grain=newest.grain, published_at=newest.published_at, due_at=due,
        overdue=overdue, series=_series(asked, rows, history),
    )


def _state(asked: Published, age: SourceAge, late_at: int | None, stale_at: int | None) -> tuple[State, bool]:
    """The worse of the source's state and the value's own, and whether it is the value's own."""
    if age.state in OUT:
        return age.state, False
    if stale_at is not None and asked.now > stale_at:
        return State.STALE, True
    if age.state is State.LATE:
        return State.LATE, False
    late = late_at is not None and asked.now > late_at
    return (State.LATE, True) if late else (State.NORMAL, False)


@question(reads={"readings", "state"}, at_most_every=ANSWERS_EVERY_SECONDS)
def readings(
    context: Context, *, metrics: Sequence[str], scope: str = "", by: str = "metric", targets: Mapping[str, Any] | None = None,
    over: str = "", edition: str = "", late_after: str = "", stale_after: str = "", history: int = HISTORY,
    title: Mapping[str, str] | None = None, page: int = 6,
) -> Readings:
    """The newest values of some metrics for one scope, or (``by = "scope"``) of one metric for every scope that has one.

    ``targets``: metric → a number, or the metric that publishes it. ``over = "year"``: amounts are summed since January.
    ``late_after``, ``stale_after``: durations after the end of the period whose value is due. ``page``: rows on one.
    Raises ``ConfigError``.
    """
    declared = context.regency
    _refuse_unknown(declared, [*metrics, *(one for one in (targets or {}).values() if isinstance(one, str))])
    asked = Published(context, over, _duration(late_after), _duration(stale_after))
    wanted = targets or {}
    rows: list[Reading] = []
    for name in metrics:
        metric = asked.metrics[name]
        if by == "scope":
            found = asked.newest_by_scope(name)
            rows += [_reading(asked, metric, one, found[one], wanted.get(name), 0) for one in found]
            rows += [] if found else [_reading(asked, metric, scope, (), None, 0)]
        else:
            rows.append(replace(_reading(asked, metric, scope, asked.rows(name, scope), wanted.get(name), history), name=""))
    if by == "scope":
        rows.sort(key=lambda row: (row.figure.value is None or row.figure.state in OUT, -(row.figure.value or 0.0), row.name))
    figures = [row.figure for row in rows]
    sources = [asked.ages[one.id] for name in metrics for one in asked.sources(name)]
    limits = [at for row in rows for at in (row.figure.limits.late, row.figure.limits.stale)]
    changes = [at + 1 for at in limits if at is not None and at >= asked.now]
    midnight = day_end(local_day(asked.now, asked.zone), asked.zone)
    return Readings(
        as_of=asked.now, rows=tuple(rows), page=max(1, page), edition=edition, title=title,
        changes_at=soonest(*(age.changes_at for age in sources), *changes, midnight),
        limits=Limits(late=soonest(*(one.limits.late for one in figures)), stale=soonest(*(one.limits.stale for one in figures))),
    )


def _refuse_unknown(regency: Regency, names: Sequence[str]) -> None:
    known = metrics_of(regency)
    for name in names:
        if name not in known:
            raise ConfigError(
                f"panel readings: no metric {name!r}; known: {', '.join(known)}",
                f"panel readings: tidak ada metrik {name!r}; yang ada: {', '.join(known)}", file="screens.toml",
            )


def _duration(text: str) -> timedelta | None:
    """A duration as declarations write it; raises ``ConfigError``."""
    if not text:
        return None
    try:
        return duration(text)
    except ValueError as err:
        raise ConfigError(
            f"panel readings: {err}; give one as '2 days'", f"panel readings: {text!r} bukan lama waktu; beri misalnya '2 days'",
            file="screens.toml",
        ) from err
