"""Modes that somebody switched on by hand: one per group of screens, until an instant, kept in the people store.

What is over stays as a row until the next one takes its place; who did what is in the audit.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine, delete, insert, select

from dashboard.clock import utc
from dashboard.store.audit import append
from dashboard.store.dialect import notify, upsert
from dashboard.store.engine import writing
from dashboard.store.tables import mode_override, people_changed
from dashboard.timetable import Override


def holding(engine: Engine, *, now: datetime) -> list[Override]:
    """The overrides that hold now."""
    at = int(now.timestamp() * 1000)
    with engine.connect() as connection:
        rows = connection.execute(select(mode_override).where(mode_override.c.until_at > at)).all()
    return [Override(row.screen_group, row.mode, row.until_at) for row in rows]


def switch_on(engine: Engine, chosen: Override, *, who: str, now: datetime) -> None:
    """Let a group be in a mode until an instant, in place of what was chosen before."""
    with writing(engine).begin() as connection:
        upsert(connection, mode_override, ("screen_group",), {
            "screen_group": chosen.group, "mode": chosen.mode, "from_at": int(now.timestamp() * 1000),
            "until_at": chosen.until, "who": who,
        })
        until = utc(chosen.until / 1000).isoformat(timespec="seconds")
        append(connection, who, "mode switched on", {"group": chosen.group, "mode": chosen.mode, "until": until}, now)
        _changed(connection, now)


def clear(engine: Engine, group: str, *, who: str, now: datetime) -> str:
    """End a group's override; the mode that it was, or "" when none held."""
    with writing(engine).begin() as connection:
        held = connection.execute(select(mode_override.c.mode).where(
            mode_override.c.screen_group == group, mode_override.c.until_at > int(now.timestamp() * 1000)
        )).scalar()
        if held is None:
            return ""
        connection.execute(delete(mode_override).where(mode_override.c.screen_group == group))
        append(connection, who, "mode cleared", {"group": group, "mode": held}, now)
        _changed(connection, now)
    return str(held)


def _changed(connection: Connection, now: datetime) -> None:
    connection.execute(insert(people_changed).values(at=int(now.timestamp() * 1000), what="modes"))
    notify(connection, "people")
