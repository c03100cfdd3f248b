"""The state of each source as the last runs left it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from dashboard.store.tables import source_state


@dataclass(frozen=True)
class SourceState:
    """One row of ``source_state``. Stamps are epoch seconds; ``durations`` and ``gaps`` in seconds, oldest first."""

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


def _read(row: Any) -> SourceState:
    values = dict(row._mapping)
    for name in ("cursor", "position"):
        values[name] = json.loads(values[name]) if values[name] else None
    values["durations"] = tuple(json.loads(values["durations"] or "[]"))
    values["gaps"] = tuple(json.loads(values["gaps"] or "[]"))
    values["signature"] = json.loads(values["signature"] or "{}")
    values["message_en"], values["message_id"] = values["message_en"] or "", values["message_id"] or ""
    return SourceState(**values)


def states(connection: Connection) -> dict[str, SourceState]:
    """Every source that ever ran, by id."""
    return {row.source: _read(row) for row in connection.execute(select(source_state))}


def state_of(connection: Connection, source: str) -> SourceState:
    """One source's state; a fresh one when it never ran."""
    row = connection.execute(select(source_state).where(source_state.c.source == source)).first()
    return _read(row) if row else SourceState(source)
