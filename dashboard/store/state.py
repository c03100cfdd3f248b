"""The state of each source as the last runs left it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from dashboard.store.changes import announce
from dashboard.store.engine import writing
from dashboard.store.lease import fence
from dashboard.store.tables import source_state


@dataclass(frozen=True)
class SourceState:
    """One row of ``source_state``. Stamps are epoch seconds; ``durations`` and ``gaps`` in seconds, oldest first.

    ``next_run_at``: when a source that must be left alone is asked again; ``None`` while it follows its rhythm.

    ``damaged``: the columns that this version cannot read, and that are as if not there.
    """

    source: str
    generation: int = 0
    cursor: Any = None
    position: Any = None
    loaded_at: int | None = None
    data_until: int | None = None
    last_run_at: int | None = None
    last_good_at: int | None = None
    last_complete_at: int | None = None
    last_reconcile_at: int | None = None
    last_new_at: int | None = None
    outcome: str | None = None
    since: int | None = None
    message_en: str = ""
    message_id: str = ""
    failures_in_row: int = 0
    goods_in_row: int = 0
    offline_since: int | None = None
    next_run_at: int | None = None
    durations: tuple[float, ...] = ()
    gaps: tuple[float, ...] = ()
    signature: dict[str, Any] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()


def _read(row: Any) -> SourceState:
    """A row as it stands. What is not of this version's making is left out and named in ``damaged`` (C14)."""
    values = dict(row._mapping)
    damaged = []
    for name, kind in (("cursor", dict), ("position", dict), ("signature", dict), ("durations", list), ("gaps", list)):
        found = _parsed(values[name])
        good = found is None or (isinstance(found, kind) and (name != "cursor" or _is_cursor(found)))
        if not good:
            damaged.append(name)
        values[name] = found if good else None
    values["durations"], values["gaps"] = tuple(values["durations"] or ()), tuple(values["gaps"] or ())
    values["signature"], values["damaged"] = values["signature"] or {}, tuple(damaged)
    values["message_en"], values["message_id"] = values["message_en"] or "", values["message_id"] or ""
    return SourceState(**values)


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _is_cursor(found: Any) -> bool:
    since = found.get("since")
    return set(found) <= {"since"} and (since is None or (isinstance(since, int | float) and not isinstance(since, bool)))


def states(connection: Connection) -> dict[str, SourceState]:
    """Every source that ever ran, by id."""
    return {row.source: _read(row) for row in connection.execute(select(source_state))}


def state_of(connection: Connection, source: str) -> SourceState:
    """One source's state; a fresh one when it never ran."""
    row = connection.execute(select(source_state).where(source_state.c.source == source)).first()
    return _read(row) if row else SourceState(source)


def put_next_run(engine: Engine, source: str, at: int | None, token: int | None) -> None:
    """Note when a source that asked for a pause is asked again (epoch seconds; ``None``: at its rhythm), for the screens.

    Raises ``LeaseLost`` when another process leads now.
    """
    with writing(engine).begin() as connection:
        fence(connection, token)
        connection.execute(update(source_state).where(source_state.c.source == source).values(next_run_at=at))
        announce(connection, source, {"state"})
