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
    _, hour, day, month = floors(at, zone)
    groups = [dimension.c[name] for name in by]
    reach = or_(
        and_(cell.c.grain == GRAINS["month"], cell.c.period < month),
        and_(cell.c.grain == GRAINS["day"], cell.c.period >= month, cell.c.period < day),
        and_(cell.c.grain == GRAINS["hour"], cell.c.period >= day, cell.c.period < hour),
    )
    standing = (
        select(*groups, func.sum(cell.c.opened - cell.c.left)).join(dimension, dimension.c.id == cell.c.dim)
        .where(reach, *where).group_by(*groups)
    )
    found: dict[tuple[str, ...], int] = {}
    _add(connection, standing, found, 1)
    if at >= hour:
        alive = case.c.deleted_at.is_(None)
        dated = or_(case.c.ended_at.is_not(None), case.c.ended_as.is_(None))
        base = select(*groups, func.count()).join(dimension, dimension.c.id == case.c.dim).group_by(*groups)
        opened = base.where(alive, dated, case.c.submitted_at >= hour, case.c.submitted_at <= at, *where)
        left = func.max(case.c.submitted_at, case.c.ended_at) if connection.dialect.name == "sqlite" else func.greatest(
            case.c.submitted_at, case.c.ended_at)
        gone = base.where(
            alive, case.c.ended_at.is_not(None), or_(case.c.ended_at >= hour, case.c.submitted_at >= hour),
            left >= hour, left <= at, *where,
        )
        _add(connection, opened, found, 1)
        _add(connection, gone, found, -1)
    return {key: count for key, count in found.items() if count}


def _add(connection: Connection, statement: Select[Any], found: dict[tuple[str, ...], int], sign: int) -> None:
    for *key, count in connection.execute(statement):
        group = tuple(key)
        found[group] = found.get(group, 0) + sign * int(count or 0)
