"""Durations of the cases of a window, as arrays by group: what percentiles and histograms are made of.

Measures: ``elapsed`` (hours), ``standard`` (in the unit of each case's standard), ``share`` (of the standard), ``wait``
(accepted − submitted, minutes), ``response`` (first response − submitted, hours). Negative durations are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from config.declarations import Standard
from dashboard.derive import standard_value
from dashboard.store.tables import case, dimension
from dashboard.worktime import calendar_of

if TYPE_CHECKING:
    from config.declarations import Regency

MEASURES = ("elapsed", "standard", "share", "wait", "response")
_OF_ENDED = ("elapsed", "standard", "share")
_HOUR, _MINUTE = 3600, 60


class Sample(NamedTuple):
    """Values of one measure, in one unit, of cases of one group (values of the columns asked for)."""

    group: tuple[str, ...]
    measure: str
    unit: str
    values: NDArray[np.float64]


class _Groups:
    """Numbers for groups of dimensions, so that the loop over cases hashes small numbers."""

    def __init__(self, connection: Connection, by: Sequence[str], where: Sequence[Any]) -> None:
        self.names: list[tuple[str, ...]] = []
        self.of_dim: dict[int, int] = {}
        numbers: dict[tuple[str, ...], int] = {}
        for row in connection.execute(select(dimension).where(*where)):
            names = tuple(getattr(row, name) for name in by)
            number = numbers.setdefault(names, len(self.names))
            if number == len(self.names):
                self.names.append(names)
            self.of_dim[row.id] = number


@lru_cache(maxsize=1024)
def promise(text: str) -> Standard:
    """The standard behind a stored promise ("1 working day")."""
    return Standard.model_validate({"from": date(2000, 1, 1), "promise": text, "basis": ""})


def samples(
    connection: Connection, regency: Regency, measures: Sequence[str], start: int, end: int, *,
    by: Sequence[str] = ("agency", "service"), where: Sequence[Any] = (),
) -> Iterator[Sample]:
    """The durations that belong to [start, end): of cases completed, called or first answered in it.

    ``by``: columns of the dimension. ``where``: conditions on the dimension.
    """
    if start >= end:
        return
    inside = [case.c.dim.in_(select(dimension.c.id).where(*where))] if where else []
    ended = [measure for measure in measures if measure in _OF_ENDED]
    if ended:
        window = (case.c.ended_at >= start, case.c.ended_at < end, *inside)
        yield from _of_ended(connection, regency, ended, by, where, window)
    for measure, stop, unit, seconds in (
        ("wait", case.c.accepted_at, "minutes", _MINUTE), ("response", case.c.first_response_at, "hours", _HOUR),
    ):
        if measure in measures:
            groups = _Groups(connection, by, where)
            statement = select(case.c.dim, stop - case.c.submitted_at).where(
                stop >= start, stop < end, stop >= case.c.submitted_at, case.c.deleted_at.is_(None), *inside
            )
            found: defaultdict[int, list[int]] = defaultdict(list)
            for dim, duration in _plain(connection, statement):
                found[groups.of_dim[dim]].append(duration)
            for number, durations in found.items():
                yield Sample(groups.names[number], measure, unit, np.array(durations, dtype=np.float64) / seconds)


def _plain(connection: Connection, statement: Select[Any]) -> Iterator[tuple[Any, ...]]:
    """The driver's own rows: numbers and texts need no conversion, and a month has hundreds of thousands."""
    result: Any = connection.execute(statement)
    yield from result.cursor
    result.close()


def _of_ended(
    connection: Connection, regency: Regency, measures: Sequence[str], by: Sequence[str], where: Sequence[Any],
    window: Sequence[Any],
) -> Iterator[Sample]:
    """From the covering index on ended cases alone. A standard's value needs the calendar of agency and service."""
    groups = _Groups(connection, ("agency", "service", *by), where)
    statement = select(case.c.dim, case.c.standard, case.c.elapsed_seconds, case.c.worked_seconds).where(
        case.c.ended_as == "completed", case.c.deleted_at.is_(None), case.c.elapsed_seconds.is_not(None), *window
    )
    of_dim = groups.of_dim
    found: defaultdict[tuple[int, str | None], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for dim, standard, elapsed, worked in _plain(connection, statement):
        of_group = found[of_dim[dim], standard]
        of_group[0].append(elapsed)
        of_group[1].append(worked or 0)
    for (number, standard), (elapsed, worked) in found.items():
        agency, service, *names = groups.names[number]
        seconds = np.array(elapsed, dtype=np.float64)
        for measure in measures:
            if measure == "elapsed" or standard is None:
                if measure != "share":
                    yield Sample(tuple(names), measure, "hours", seconds / _HOUR)
                continue
            said = promise(standard)
            value_of: Any = standard_value  # a division, which arrays know as well
            values = value_of(said.unit, seconds, np.array(worked, dtype=np.float64), calendar_of(regency, agency, service))
            share = measure == "share"
            yield Sample(tuple(names), measure, "share" if share else said.unit.value, values / said.amount if share else values)
