"""Sees changes of a store as they are committed: SQLite by the file's data_version, PostgreSQL by NOTIFY."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, select

from dashboard.errors import StoreError
from dashboard.store import files
from dashboard.store.changes import Change, changes_after, last_seq
from dashboard.store.tables import people_changed

POLL_SECONDS = 0.05


class Watcher:
    """One kept connection that waits for changes of a store (figures or people) after the last one seen."""

    def __init__(self, engine: Engine, store: str = "figures") -> None:
        self.engine, self.store = engine, store
        self._sqlite = engine.dialect.name == "sqlite"
        self._kept = engine.connect().execution_options(isolation_level="AUTOCOMMIT") if not self._sqlite else None
        self._raw: Any = engine.raw_connection() if self._sqlite else None
        self._file = files.file_of(engine)
        if self._kept is not None:
            self._kept.exec_driver_sql(f"LISTEN {store}_changed")
        self._version = self._data_version()
        self.seq = self._last()

    def _last(self) -> int:
        with self.engine.connect() as connection:
            if self.store == "figures":
                return last_seq(connection)
            found = connection.execute(select(people_changed.c.seq).order_by(people_changed.c.seq.desc()).limit(1)).scalar()
            return int(found or 0)

    def _data_version(self) -> int:
        return int(self._raw.execute("PRAGMA data_version").fetchone()[0]) if self._sqlite else 0

    def wait(self, timeout: float) -> list[Change]:
        """New changes, as soon as there are any; an empty list after ``timeout`` seconds."""
        until = time.monotonic() + timeout
        while True:
            if self._woken(max(0.0, until - time.monotonic())):
                found = self._read()
                if found:
                    return found
            if time.monotonic() >= until:
                return self._read()  # cheap, and no change waits for the next one should a notification get lost

    def _woken(self, left: float) -> bool:
        if not self._sqlite:
            assert self._kept is not None
            driver: Any = self._kept.connection.driver_connection
            return any(True for _ in driver.notifies(timeout=left, stop_after=1))
        if self._file is not None and self._raw.info.get("file") != files.identity(self._file):
            raise StoreError("the store was put in place anew", "penyimpanan diganti dengan yang baru")
        version = self._data_version()
        if version != self._version:
            self._version = version
            return True
        time.sleep(min(POLL_SECONDS, left))
        return False

    def _read(self) -> list[Change]:
        with self.engine.connect() as connection:
            if self.store == "figures":
                found = changes_after(connection, self.seq)
            else:
                rows = connection.execute(
                    select(people_changed).where(people_changed.c.seq > self.seq).order_by(people_changed.c.seq)
                )
                found = [Change(row.seq, row.at, "", frozenset(row.what.split())) for row in rows]
        if found:
            self.seq = found[-1].seq
        return found

    def close(self) -> None:
        """Give the kept connection back."""
        if self._raw is not None:
            self._raw.close()
        if self._kept is not None:
            self._kept.close()
