"""Puts a whole backup in place of the stores, on either engine: by the command itself, or by the leader that was asked to."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from dashboard import clock
from dashboard.backup import postgres, restoring
from dashboard.backup.manifest import Manifest
from dashboard.store.engine import migrate, writing
from dashboard.store.requests import Asked

if TYPE_CHECKING:
    from config.settings import Settings


def put(
    settings: Settings, folder: Path, manifest: Manifest, *, now: datetime, reason: str, answered: restoring.Answered | None = None
) -> str:
    """Put all stores of a verified backup in place; where those before were moved to."""
    if manifest.engine == "sqlite":
        with restoring.prepared(settings, folder, manifest, now=now, reason=reason, answered=answered) as ready:
            return str(restoring.put_in_place(settings, ready, now=now))

    def told(engine: Engine, store: str) -> None:
        migrate(engine, store)
        with writing(engine).begin() as connection:
            restoring.tell(connection, store, manifest, folder.name, now=now, reason=reason, answered=answered)

    return postgres.replace(settings.url_of("figures"), folder / postgres.DUMP, manifest.stores, told, now)


def restore_for(settings: Settings, asked: Asked) -> None:
    """What the leader does when a command asks it to restore. The answer is in the restored store itself."""
    folder = Path(asked.arguments["folder"])
    manifest = restoring.choose(settings, folder)[1]
    restoring.require_keys(settings, manifest)
    put(settings, folder, manifest, now=clock.now(), reason="command",
        answered=restoring.Answered(asked.id, asked.what, json.dumps(asked.arguments)))
