"""The backlog at an instant: the running sum of ``opened`` − ``left``, by whole months, then days, then hours, then cases.

Nothing is carried from day to day, so a correction of an old case needs no chain of updates: the sum of month cells is small
(one per dimension and month) whatever the number of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, and_, func, or_, select

from dashboard.clock import floors
from dashboard.store.tables import GRAINS, case, cell, dimension


def backlog_at(
    connection: Connection, at: int, zone: ZoneInfo, *, by: Sequence[str] = (), where: Sequence[Any] = ()
) -> dict[tuple[str, ...], int]:
    """Cases submitted at or before ``at`` that had not left by then, grouped by columns of the dimension.

    ``by``: of agency, service, channel, district, kind, source. ``where``: conditions on the dimension. Cases are read only
    for the part of the hour before ``at``; on a full hour (a day, a month) none are.
    """
    edge = at + 1  # whole seconds: up to and including ``at`` is before ``edge``, where a full hour has no rest
    _, hour, day, month = floors(edge, zone)
    groups = [dimension.c[name] for name in by]
    found: dict[tuple[str, ...], int] = {}
    for grain, start, end in (("month", None, month), ("day", month, day), ("hour", day, hour)):
        if start is None or start < end:
            reach = [cell.c.grain == GRAINS[grain], cell.c.period < end, *([] if start is None else [cell.c.period >= start])]
            standing = select(*groups, func.sum(cell.c.opened - cell.c.left)).join(dimension, dimension.c.id == cell.c.dim)
            _add(connection, standing.where(*reach, *where).group_by(*groups), found, 1)
    if hour < edge:
        # Ended before submitted: enters and leaves at one instant, so it is left out of both.
        count = select(*groups, func.count()).join(dimension, dimension.c.id == case.c.dim).group_by(*groups)
        sources = select(dimension.c.source).distinct()  # lets the index on (source, submitted_at) be used
        opened = count.where(
            case.c.deleted_at.is_(None), case.c.source.in_(sources), case.c.submitted_at >= hour, case.c.submitted_at < edge,
            or_(and_(case.c.ended_as.is_(None), case.c.ended_at.is_(None)), case.c.ended_at >= case.c.submitted_at), *where,
        )
        left = count.where(
            case.c.deleted_at.is_(None), case.c.ended_at.is_not(None), case.c.ended_at >= hour, case.c.ended_at < edge,
            case.c.ended_at >= case.c.submitted_at, *where,
        )
        _add(connection, opened, found, 1)
        _add(connection, left, found, -1)
    return {key: count for key, count in found.items() if count}


def _add(connection: Connection, statement: Select[Any], found: dict[tuple[str, ...], int], sign: int) -> None:
    for *key, count in connection.execute(statement):
        group = tuple(key)
        found[group] = found.get(group, 0) + sign * int(count or 0)
