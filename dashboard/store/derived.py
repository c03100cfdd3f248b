"""What the leader derives from the cases: histograms of dirty months, gauges of each ten-minute mark, tidying."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, and_, delete, or_, select

from dashboard.clock import DAY, day_start, epoch, local_day, next_month
from dashboard.store import dialect, histograms
from dashboard.store.changes import announce
from dashboard.store.durations import MEASURES, rows_of, valuer
from dashboard.store.engine import writing
from dashboard.store.lease import fence
from dashboard.store.read import TEN_KEPT_SECONDS
from dashboard.store.state import states
from dashboard.store.tables import GRAINS, case, cell, dimension, dirty, gauge, histogram

if TYPE_CHECKING:
    from config.declarations import Regency

MARK = 600
GAUGES = ("backlog", "overdue", "due_soon", "waiting")
SOON_SHARE = 0.8
"""A case is due soon once this share of its standard is used."""


def derive_histograms(engine: Engine, regency: Regency, *, limit: int = 50, token: int | None = None) -> int:
    """Derive up to ``limit`` dirty months × services from the cases; returns how many were done."""
    with engine.connect() as connection:
        todo = connection.execute(select(dirty).order_by(dirty.c.month.desc()).limit(limit)).all()
    for row in todo:
        with engine.connect() as connection:  # the long part holds no lock
            rows = list(histogram_rows(connection, regency, row.month, row.agency, row.service))
        with writing(engine).begin() as connection:
            fence(connection, token)
            connection.execute(delete(dirty).where(and_(
                dirty.c.month == row.month, dirty.c.agency == row.agency, dirty.c.service == row.service,
                dirty.c.touched == row.touched,  # touched again meanwhile: it stays dirty
            )))
            connection.execute(delete(histogram).where(
                histogram.c.month == row.month, histogram.c.agency == row.agency, histogram.c.service == row.service
            ))
            dialect.insert_many(connection, histogram, [column.name for column in histogram.c], rows)
    return len(todo)


def histogram_rows(
    connection: Connection, regency: Regency, month: int, agency: str, service: str
) -> Iterator[tuple[Any, ...]]:
    """The histogram rows of one month × service, from its cases. A slice is "" (all) or "=" and a district."""
    close = day_start(next_month(local_day(month, regency.zone)), regency.zone)
    for measure in MEASURES:
        bins: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        value_of = valuer(regency, measure)
        statement = rows_of(measure, month, close).where(dimension.c.agency == agency, dimension.c.service == service)
        for row in connection.execute(statement):
            valued = value_of(row)
            if valued is None:
                continue
            number = histograms.bin_of(valued[0])
            for part in ("", "=" + row.district):
                counts = bins[part, valued[1]]
                counts[number] = counts.get(number, 0) + 1
        for (part, unit), counts in sorted(bins.items()):
            yield month, agency, service, measure, part, unit, histograms.pack(counts), sum(counts.values())


def last_mark(now: datetime) -> int:
    """The last ten-minute mark at or before ``now``."""
    return epoch(now) // MARK * MARK


def write_gauges(engine: Engine, regency: Regency, now: datetime, token: int | None) -> bool:
    """Write the gauges of the last mark, once; whether they were written."""
    mark = last_mark(now)
    with engine.connect() as connection:
        if connection.execute(select(gauge.c.at).where(gauge.c.at == mark, gauge.c.derived.is_(False)).limit(1)).first():
            return False
        rows = _gauges_of(connection, _events(connection, mark - MARK), [mark], regency, derived=False)
        rows = [(mark, "", "", "mark", 0.0, False), *rows]
    _keep(engine, rows, token, history=False)
    return True


def fill_gauges(engine: Engine, regency: Regency, now: datetime, token: int | None) -> int:
    """Derive 14 weeks of gauges from the cases for every source loaded since the last fill; returns how many sources.

    Marks that the leader wrote itself are kept; the others are marked as derived.
    """
    with engine.connect() as connection:
        filled = set(connection.execute(select(gauge.c.source).where(gauge.c.metric == "filled")).scalars())
        todo = [one.source for one in states(connection).values() if one.loaded_at and one.source not in filled]
    for source in todo:
        end = last_mark(now)
        start = end - TEN_KEPT_SECONDS
        with engine.connect() as connection:
            marks = list(range(start, end, MARK))
            rows = _gauges_of(connection, _events(connection, start, source), marks, regency, derived=True)
        rows.append((0, source, "", "filled", float(end), True))
        _keep(engine, rows, token, history=True)
    return len(todo)


def drop_old(engine: Engine, now: datetime, token: int | None) -> None:
    """Drop ten-minute cells and gauges older than any *typical* reads."""
    oldest = epoch(now) - TEN_KEPT_SECONDS - DAY
    with writing(engine).begin() as connection:
        fence(connection, token)
        connection.execute(delete(cell).where(cell.c.grain == GRAINS["ten"], cell.c.period < oldest))
        connection.execute(delete(gauge).where(gauge.c.at < oldest, gauge.c.at > 0))


def _keep(engine: Engine, rows: list[tuple[Any, ...]], token: int | None, *, history: bool) -> None:
    columns = tuple(column.name for column in gauge.c)
    for start in range(0, len(rows), 5000):
        with writing(engine).begin() as connection:
            fence(connection, token)
            dialect.insert_many(
                connection, gauge, columns, rows[start : start + 5000],
                'ON CONFLICT ("at", "source", "agency", "metric") DO UPDATE SET "value" = excluded."value", '
                '"derived" = excluded."derived"' + (' WHERE gauge."derived"' if history else ""),
            )
            if start + 5000 >= len(rows):
                announce(connection, "", {"gauges", "history"} if history else {"gauges"})


def _events(connection: Connection, since: int, source: str | None = None) -> Iterable[Any]:
    """Cases that were open at some instant from ``since`` on: not ended, or ended later."""
    statement = select(
        dimension.c.source, dimension.c.agency, dimension.c.kind, case.c.submitted_at, case.c.accepted_at, case.c.ended_at,
        case.c.due_at,
    ).join(dimension, dimension.c.id == case.c.dim).where(
        case.c.deleted_at.is_(None),
        or_(case.c.ended_as.is_(None), case.c.ended_at > since),
    )
    return connection.execute(statement.where(case.c.source == source) if source else statement)


def _gauges_of(
    connection: Connection, events: Iterable[Any], marks: list[int], regency: Regency, *, derived: bool
) -> list[tuple[Any, ...]]:
    """Values at each mark by a sweep: each case adds one from an instant until another, per metric."""
    steps: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * (len(marks) + 1))

    def number(at: int) -> int:
        """The first mark at or after an instant."""
        return min(max(0, -(-(at - marks[0]) // MARK)), len(marks))

    far = marks[-1] + MARK
    for row in events:
        left = far if row.ended_at is None else max(row.submitted_at, row.ended_at)
        spans = [("backlog", row.submitted_at, left)]
        if row.due_at is not None and row.kind != "visit":
            soon = row.submitted_at + int((row.due_at - row.submitted_at) * SOON_SHARE)
            spans += [("overdue", max(row.due_at + 1, row.submitted_at), left), ("due_soon", soon, min(left, row.due_at + 1))]
        if row.kind == "visit":
            day_close = day_start(local_day(row.submitted_at, regency.zone) + timedelta(days=1), regency.zone)
            called = row.accepted_at if row.accepted_at is not None else left
            spans.append(("waiting", row.submitted_at, min(called, left, day_close)))
        for metric, start, end in spans:
            first, last = number(start), number(end)
            if last > first:
                line = steps[row.source, row.agency, metric]
                line[first] += 1
                line[last] -= 1
    rows: list[tuple[Any, ...]] = []
    for (source, agency, metric), line in steps.items():
        value, before = 0, None
        for mark, step in zip(marks, line, strict=False):
            value += step
            if value or before:
                rows.append((mark, source, agency, metric, float(value), derived))
            before = value
    return rows


