"""Whether a serve process can serve screens, in one word: ready, or what is missing.

``stores``: one cannot be read. ``version``: one is of another version than this program. ``disk``: nothing can be written any
more. ``starting``: not every panel said something yet, or a store is not being watched.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dashboard.errors import StoreError
from dashboard.store import files
from dashboard.store.engine import is_current

READY, STARTING, STORES, VERSION, DISK = "ready", "starting", "stores", "version", "disk"
KEPT_SECONDS = 1.0


class Readiness:
    """``engines``: store → engine. ``going``: whether the live layer is complete and alive."""

    def __init__(self, engines: Mapping[str, Engine], going: Callable[[], bool]) -> None:
        self.engines, self.going = engines, going
        self._said: tuple[float, str] = (-KEPT_SECONDS, STARTING)

    def word(self) -> str:
        """Looks at the stores at most once a second, whoever asks how often; blocks while it looks."""
        at = time.monotonic()
        if at - self._said[0] >= KEPT_SECONDS:
            self._said = (at, self._look())
        word = self._said[1]
        return STARTING if word == READY and not self.going() else word

    def _look(self) -> str:
        for store, engine in self.engines.items():
            try:
                if not is_current(engine, store):
                    return VERSION
            except (SQLAlchemyError, StoreError, OSError):
                return STORES
        return READY if all(_writable(engine) for engine in self.engines.values()) else DISK


def _writable(engine: Engine) -> bool:
    """Whether the disk of a SQLite store takes what people do; a PostgreSQL server says so itself."""
    file = files.file_of(engine)
    if file is None:
        return True
    try:
        free, total = files.room(file.parent)
    except OSError:
        return False
    return free >= files.reserve(total) and not files.is_read_only(file.parent) and os.access(file.parent, os.W_OK)
