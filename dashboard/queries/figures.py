"""`figures`: any metric by period and dimension, in one frame. Screens, tests and people check a number here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import and_, func, or_, select

from dashboard.clock import DAY, epoch, local_day
from dashboard.errors import ConfigError
from dashboard.metrics import METRICS, Adds, Unit
from dashboard.queries import measures
from dashboard.queries.answers import Context, State
from dashboard.queries.complaints import ANSWER_DAYS, VERIFY_DAYS
from dashboard.queries.measures import Asked, Group, Key, Value, Values
from dashboard.queries.periods import periods
from dashboard.store.state import states
from dashboard.store.tables import case, covered, dimension
from dashboard.worktime import calendars

BY = ("agency", "service", "channel", "district")
_COMPLAINT = dimension.c.kind == "complaint"


def _complaint_clock(asked: Asked, stamp: str, days: int, *, since: str = "submitted_at") -> Values:
    """Complaints without a stamp although more than so many working days have passed, at the end of each period.

    The clock runs from ``since`` (of a source that does not tell it: from the submission), and only for sources that tell
    the stamp at all: what a system never says is not missing.
    """
    office = calendars(asked.regency)["office"]
    telling = [key for key, source in asked.regency.sources.items() if stamp in source.fields]
    plain = [key for key in telling if since not in asked.regency.sources[key].fields]

    def condition(at: int) -> object:
        day, left = local_day(at, asked.regency.zone), days
        while left >= 0:  # the latest day of submission whose n-th working day has closed
            spans = office.spans(day)
            if spans and spans[-1][1] <= at:
                left -= 1
            if left < 0:
                break
            day -= timedelta(days=1)
        limit = office.spans(day)[-1][1]
        begun = or_(case.c[since] < limit, and_(dimension.c.source.in_(plain), case.c.submitted_at < limit))
        return and_(_COMPLAINT, dimension.c.source.in_(telling), or_(case.c[stamp].is_(None), case.c[stamp] >= at), begun)

    return measures.standing(asked, condition)


def _online(asked: Asked) -> Values:
    whole = measures.counted(asked, "received")
    online = Asked(
        asked.connection, asked.regency, asked.periods, asked.by, (*asked.where, dimension.c.channel == "online"), asked.now,
        asked.time,
    )
    part = measures.counted(online, "received")
    return {key: measures.rate(asked, part[key].cases if key in part else 0, one.cases) for key, one in whole.items() if one.cases}


def _closed(asked: Asked, how: str) -> Values:
    counts = measures.in_period(asked, case.c.ended_at, _COMPLAINT, case.c.closed_by == how, case.c.ended_as == "completed")
    return {key: Value(float(count), count) for key, count in counts.items()}


def _waiting(asked: Asked) -> Values:
    """People waiting now: only the running period has an answer."""
    at_now = measures.standing(asked, lambda at: and_(
        dimension.c.kind == "visit", case.c.accepted_at.is_(None), case.c.submitted_at >= at - DAY
    ))
    return {key: value for key, value in at_now.items() if asked.periods[key[0]].end > asked.now}


def _coverage(asked: Asked) -> Values:
    """Share of the days of each period, so far, that the sources cover completely, in percent; by agency of the owner."""
    sources = asked.regency.sources
    if not sources or set(asked.by) - {"agency"}:
        return {}
    owners: dict[Group, list[str]] = {}
    for key, source in sources.items():
        owners.setdefault((source.owner,) if asked.by else (), []).append(key)
    found: Values = {}
    for number, period in enumerate(asked.periods):
        days = max(0, -(-(min(period.end, asked.now) - period.start) // DAY))
        rows: dict[str, int] = dict(asked.connection.execute(
            select(covered.c.source, func.count()).where(
                covered.c.complete, covered.c.day >= period.start, covered.c.day < period.end
            ).group_by(covered.c.source)
        ).all())
        for group, keys in owners.items():
            if days:
                complete = sum(rows.get(key, 0) for key in keys)
                found[number, group] = Value(100 * complete / (days * len(keys)), complete)
    return found


def _freshness(asked: Asked) -> Values:
    """Seconds since the data of the oldest loaded source, now; by agency of the owner."""
    known = states(asked.connection)
    if set(asked.by) - {"agency"}:
        return {}
    oldest: dict[Group, int] = {}
    for key, source in asked.regency.sources.items():
        state = known.get(key)
        if state is not None and state.data_until is not None:
            group: Group = (source.owner,) if asked.by else ()
            oldest[group] = min(oldest.get(group, state.data_until), state.data_until)
    running = [number for number, period in enumerate(asked.periods) if period.start <= asked.now < period.end]
    return {(number, group): Value(float(asked.now - at), 1) for number in running for group, at in oldest.items()}


MEASURES: dict[str, Callable[[Asked], Values]] = {
    "received": lambda asked: measures.counted(asked, "received"),
    "completed": lambda asked: measures.counted(asked, "completed"),
    "cancelled": lambda asked: measures.counted(asked, "cancelled"),
    "backlog": measures.backlog,
    "overdue": lambda asked: measures.standing(asked, measures.overdue),
    "due_soon": lambda asked: measures.standing(asked, measures.due_soon),
    "on_time_rate": lambda asked: measures.rated(asked, "completed_on_time", "completed_judged"),
    "kept_rate": measures.kept,
    "processing_time_median": lambda asked: measures.percentile(asked, "standard", 0.5),
    "processing_time_p90": lambda asked: measures.percentile(asked, "standard", 0.9),
    "waiting_time_median": lambda asked: measures.percentile(asked, "wait", 0.5),
    "waiting_time_p90": lambda asked: measures.percentile(asked, "wait", 0.9),
    "waiting_now": _waiting,
    "complaints_received": lambda asked: measures.counted(asked, "received", "complaint"),
    "complaints_unverified": lambda asked: _complaint_clock(asked, "accepted_at", VERIFY_DAYS),
    "complaints_unanswered": lambda asked: _complaint_clock(
        asked, "first_response_at", ANSWER_DAYS, since="accepted_at"
    ),
    "complaints_overdue": lambda asked: measures.standing(asked, lambda at: and_(_COMPLAINT, case.c.due_at < at)),
    "complaints_closed_followed": lambda asked: _closed(asked, "follow-up"),
    "complaints_closed_silent": lambda asked: _closed(asked, "silence"),
    "complaints_answered_on_time_rate": lambda asked: measures.kept(asked, _COMPLAINT),
    "online_share": _online,
    "coverage": _coverage,
    "freshness": _freshness,
}


def figures(
    context: Context, *, metrics: Sequence[str], grain: str = "day", by: Sequence[str] = (), agency: str | None = None,
    service: str | None = None, since: date | None = None, until: date | None = None, time: str = "standard",
    everything: bool = False,
) -> pd.DataFrame:
    """Metrics by period and group. Columns: period (ISO), those of ``by``, metric, unit, value (float64), state, cases (int64).

    ``since`` … ``until`` are whole days of the regency, inclusive (default: the last 30 days). Without ``everything`` a group
    has no row in a period in which all the metrics are zero or nothing. Raises ``ConfigError`` for an unknown name.
    """
    allowed = (("metric", metrics, tuple(METRICS)), ("dimension", by, BY), ("time", (time,), ("standard", "elapsed")))
    for kind, names, known in allowed:
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"no {kind} {name!r}; known: {', '.join(known)}", f"tidak ada {kind} {name!r}; yang ada: {', '.join(known)}"
                )
    now = epoch(context.now)
    today = local_day(now, context.regency.zone)
    last = until or today
    first = since or last - timedelta(days=29)
    if first > last:
        raise ConfigError("--since lies after --until; swap them", "--since sesudah --until; tukar keduanya")
    where = [dimension.c[name] == wanted for name, wanted in (("agency", agency), ("service", service)) if wanted is not None]
    with context.engine.connect() as connection:
        asked = Asked(
            connection, context.regency, periods(first, last, grain, context.regency.zone), tuple(by), tuple(where), now, time
        )
        values = {
            name: measures.published(asked, METRICS[name]) if METRICS[name].readings_only else MEASURES[name](asked)
            for name in dict.fromkeys(metrics)
        }
        return _frame(asked, values, _vouched(asked), everything)


@dataclass(frozen=True)
class Vouched:
    """Numbers of the periods that some source of a group covers at least in part, and of those that some does not cover whole."""

    touched: frozenset[int]
    partial: frozenset[int]


def _vouched(asked: Asked) -> Callable[[Group], Vouched]:
    """What the sources of a group vouch for. A past day of a period that one of them does not cover makes it partial."""
    touched: dict[str, set[int]] = {}
    whole: dict[str, set[int]] = {}
    last = len(asked.periods) - 1
    columns = covered.c.source, covered.c.day, covered.c.from_at, covered.c.to_at, covered.c.complete
    rows = asked.connection.execute(select(*columns).where(
        covered.c.to_at > asked.periods[0].start, covered.c.from_at < asked.periods[-1].end
    ))
    for source, day, low, high, complete in rows:
        first = asked.number_of(max(low, asked.periods[0].start))
        until = asked.number_of(high - 1) if high <= asked.periods[-1].end else last
        touched.setdefault(source, set()).update(range(first or 0, (last if until is None else until) + 1))
        whole.setdefault(source, set()).update((day,) if complete else ())
    days = asked.past_days()
    partial = {
        source: {number for number in numbers if any(day not in whole[source] for day in days.get(number, ()))}
        for source, numbers in touched.items()
    }
    feeding: dict[Group, set[str]] = {}
    for source, *names in asked.connection.execute(select(dimension.c.source, *asked.groups).where(*asked.where).distinct()):
        feeding.setdefault(tuple(names), set()).add(source)
    if not asked.by and not asked.where:  # a source that never had a case vouches for nothing but the whole
        feeding[()] = set(touched)

    def of(group: Group) -> Vouched:
        sources = [source for source in feeding.get(group, ()) if source in touched]
        return Vouched(
            frozenset().union(*(touched[source] for source in sources)), frozenset().union(*(partial[source] for source in sources))
        )

    return of


def _frame(
    asked: Asked, values: dict[str, Values], vouched: Callable[[Group], Vouched], everything: bool
) -> pd.DataFrame:
    keys: set[Key] = {
        key for part in values.values() for key, one in part.items() if everything or one.value or one.state is State.TOO_FEW
    }
    if everything:
        groups = {group for _, group in keys} or ({()} if not asked.by else set())
        keys = {(number, group) for number in range(len(asked.periods)) for group in groups}
    known = {group: vouched(group) for group in {group for _, group in keys}}
    rows = []
    for number, group in sorted(keys):
        for name, part in values.items():
            one = part.get((number, group))
            told, state = _told(asked, name, one, number, known[group])
            unit = METRICS[name].unit.value
            if METRICS[name].unit is Unit.OF_STANDARD:
                unit = (one.unit if one and one.unit else "hours")
            rows.append((asked.periods[number].label, *group, name, unit, told, state.value, one.cases if one else 0))
    frame = pd.DataFrame(rows, columns=["period", *asked.by, "metric", "unit", "value", "state", "cases"])
    words = dict.fromkeys(("period", *asked.by, "metric", "unit", "state"), "str")
    return frame.astype({**words, "value": "float64", "cases": "int64"})  # an empty answer keeps its types


def _told(asked: Asked, metric: str, one: Value | None, number: int, vouched: Vouched) -> tuple[float | None, State]:
    """Value and state: a count that nothing vouches for is not provided; one that something does is a true zero.

    What a source does not vouch for whole is partial. A standing count (a backlog) is of an instant and never partial.
    """
    known = METRICS[metric]
    partial = number in vouched.partial and known.adds == Adds.SUM
    if one is not None and (one.value is not None or one.state is not None):
        return one.value, one.state or (State.PARTIAL if partial else State.NORMAL)
    countable = known.unit is Unit.CASES and (metric != "waiting_now" or asked.periods[number].end > asked.now)
    if asked.periods[number].start > asked.now or number not in vouched.touched:
        return None, State.NOT_PROVIDED
    return (0.0, State.PARTIAL if partial else State.NORMAL) if countable else (None, State.NOT_APPLICABLE)
