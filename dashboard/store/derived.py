"""What the leader derives from the cases: histograms of dirty months, gauges of each ten-minute mark, tidying."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice, pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, bindparam, delete, select, tuple_

from dashboard.clock import DAY, day_start, epoch, local_day, next_month
from dashboard.store import dialect, gauges, histograms
from dashboard.store.changes import announce
from dashboard.store.engine import writing
from dashboard.store.gauges import MARK
from dashboard.store.lease import fence
from dashboard.store.read import TEN_KEPT_SECONDS
from dashboard.store.samples import MEASURES, samples
from dashboard.store.state import states
from dashboard.store.tables import GRAINS, cell, dimension, dirty, gauge, histogram, meta
from dashboard.store.tickets import drop_tickets

if TYPE_CHECKING:
    from config.declarations import Regency

TEN_FROM = "ten_from"
"""Key in ``meta``: ten-minute cells before this instant were dropped."""
Services = set[tuple[str, str]]
_AT_ONCE = 50  # months × services per transaction
_FEW = 20  # so few services of a month are asked for by name
_ROWS = 5_000


def derive_histograms(engine: Engine, regency: Regency, *, limit: int = 50, token: int | None = None) -> int:
    """Derive about ``limit`` dirty months × services, newest first and months whole; returns how many were done.

    A month is read once whatever the number of its services.
    """
    with engine.connect() as connection:
        newest = select(dirty.c.month).order_by(dirty.c.month.desc()).limit(limit)
        months = set(connection.execute(newest).scalars())
        todo = connection.execute(select(dirty).where(dirty.c.month.in_(months)).order_by(dirty.c.month.desc())).all()
    for month, of_month in groupby(todo, key=lambda row: int(row.month)):
        waiting = list(of_month)
        with engine.connect() as connection:  # the long part holds no lock
            found: defaultdict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
            for made in histogram_rows(connection, regency, month, {(row.agency, row.service) for row in waiting}):
                found[made[1], made[2]].append(made)
        for first in range(0, len(waiting), _AT_ONCE):
            _replace(engine, waiting[first : first + _AT_ONCE], found, token)
    return len(todo)


def _replace(
    engine: Engine, waiting: Sequence[Any], found: dict[tuple[str, str], list[tuple[Any, ...]]], token: int | None
) -> None:
    """Put histograms in place of the former ones; what was touched again meanwhile stays dirty."""
    with writing(engine).begin() as connection:
        fence(connection, token)
        keys = [{"m": row.month, "a": row.agency, "s": row.service, "t": row.touched} for row in waiting]
        for table in (dirty, histogram):
            gone = delete(table).where(
                table.c.month == bindparam("m"), table.c.agency == bindparam("a"), table.c.service == bindparam("s"))
            if table is dirty:
                gone = gone.where(dirty.c.touched == bindparam("t"))
            connection.execute(gone, keys)
        dialect.insert_many(
            connection, histogram, [column.name for column in histogram.c],
            [made for row in waiting for made in found.get((row.agency, row.service), ())],
        )


def histogram_rows(
    connection: Connection, regency: Regency, month: int, services: Services | None = None
) -> Iterator[tuple[Any, ...]]:
    """The histogram rows of a month, of some (agency, service) or all. A slice is "" (all) or "=" and a district."""
    close = day_start(next_month(local_day(month, regency.zone)), regency.zone)
    where: list[Any] = []
    if services is not None and len(services) <= _FEW:
        # A list, not a chain of OR: one statement for any number of them, else the cache of statements grows for days.
        where = [tuple_(dimension.c.agency, dimension.c.service).in_(sorted(services))]
    bins: defaultdict[tuple[str, str, str, str, str], dict[int, int]] = defaultdict(dict)
    for sample in samples(connection, regency, MEASURES, month, close, by=("agency", "service", "district"), where=where):
        agency, service, district = sample.group
        if services is None or (agency, service) in services:
            counts = histograms.count(sample.values)
            for part in ("", "=" + district):
                histograms.add(bins[agency, service, sample.measure, part, sample.unit], counts)
    for key, counts in sorted(bins.items()):
        yield month, *key, histograms.pack(counts), sum(counts.values())


def last_mark(now: datetime) -> int:
    """The last ten-minute mark at or before ``now``."""
    return epoch(now) // MARK * MARK


def write_gauges(engine: Engine, regency: Regency, now: datetime, token: int | None) -> bool:
    """Write the gauges of the last mark, once; whether they were written."""
    mark = last_mark(now)
    with engine.connect() as connection:
        if connection.execute(select(gauge.c.at).where(gauge.c.at == mark, gauge.c.derived.is_(False)).limit(1)).first():
            return False
        # Two marks, so that a value which fell to zero since the one before says so.
        found = gauges.lines(gauges.standing_since(connection, mark - MARK), mark - MARK, 2, regency.zone)
    rows = [row for row in gauges.rows(found, mark - MARK, derived=False) if row[0] == mark]
    _keep(engine, [*rows, (mark, "", "", "mark", 0.0, False)], token, history=False)
    return True


def fill_gauges(engine: Engine, regency: Regency, now: datetime, token: int | None) -> int:
    """Derive gauges from the cases, marked so: 14 weeks of each source loaded since the last fill, and the marks that no
    leader wrote. Marks that a leader wrote are kept. Returns how many stretches were filled.
    """
    end = last_mark(now)
    start = end - TEN_KEPT_SECONDS
    with engine.connect() as connection:
        filled = set(connection.execute(select(gauge.c.source).where(gauge.c.metric == "filled")).scalars())
        new = [one.source for one in states(connection).values() if one.loaded_at and one.source not in filled]
        written = set(connection.execute(select(gauge.c.at).where(
            gauge.c.source == "", gauge.c.metric == "mark", gauge.c.at >= start)).scalars())
    for source in new:
        _fill(engine, regency, (start, end), [source], [(0, source, "", "filled", float(end), True)], token)
    gaps = _gaps(written, end) if filled else []
    for first, last in gaps:
        marks = [(mark, "", "", "mark", 0.0, True) for mark in range(first, last, MARK)]
        _fill(engine, regency, (first, last), sorted(filled), marks, token)
    return len(new) + len(gaps)


def _gaps(written: set[int], end: int) -> list[tuple[int, int]]:
    """Stretches [from, until) of marks between the first written one and ``end`` that are missing."""
    found = []
    known = [*sorted(mark for mark in written if mark < end), end]
    for before, after in pairwise(known):
        if after - before > MARK:
            found.append((before + MARK, after))
    return found


def _fill(
    engine: Engine, regency: Regency, stretch: tuple[int, int], sources: list[str], noted: list[tuple[Any, ...]], token: int | None
) -> None:
    first, last = stretch
    with engine.connect() as connection:
        standing = gauges.standing_since(connection, first - MARK, sources)
        found = gauges.lines(standing, first, (last - first) // MARK, regency.zone)
    _keep(engine, gauges.rows(found, first, derived=True), token, history=True, last=noted)


def drop_old(engine: Engine, now: datetime, token: int | None) -> None:
    """Drop ten-minute cells and gauges older than any *typical* reads, and the tickets of days that are over."""
    oldest = epoch(now) - TEN_KEPT_SECONDS - DAY
    with writing(engine).begin() as connection:
        fence(connection, token)
        connection.execute(delete(cell).where(cell.c.grain == GRAINS["ten"], cell.c.period < oldest))
        connection.execute(delete(gauge).where(gauge.c.at < oldest, gauge.c.at > 0))
        drop_tickets(connection, epoch(now))
        dialect.upsert(connection, meta, ("key",), {"key": TEN_FROM, "value": str(oldest)})


def _keep(
    engine: Engine, rows: Iterable[tuple[Any, ...]], token: int | None, *, history: bool, last: Sequence[tuple[Any, ...]] = ()
) -> None:
    """Write gauge rows in short commits; ``last``, which says that it was done, with the announcement."""
    columns = tuple(column.name for column in gauge.c)
    conflict = (
        'ON CONFLICT ("at", "source", "agency", "metric") DO UPDATE SET "value" = excluded."value", '
        '"derived" = excluded."derived"' + (' WHERE gauge."derived"' if history else "")
    )
    flow, done = iter(rows), False
    while not done:
        some = list(islice(flow, _ROWS))
        done = len(some) < _ROWS
        with writing(engine).begin() as connection:
            fence(connection, token)
            dialect.insert_many(connection, gauge, columns, some, conflict)
            if done:
                dialect.insert_many(connection, gauge, columns, last, conflict)
                announce(connection, "", {"gauges", "history"} if history else {"gauges"})
