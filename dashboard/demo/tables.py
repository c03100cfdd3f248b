"""A table of an agency's own database: a SQLite file that its process writes as the day goes and others may read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path


class Database:
    """One SQLite file in WAL mode, so that a reader never waits for the agency."""

    def __init__(self, path: Path, script: str) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(script)

    def replace(self, table: str, key: str, gone: Iterable[object], rows: Sequence[Sequence[object]], *, whole: bool) -> None:
        """In one transaction: the rows of these keys go, ``rows`` come; ``whole``: all that was there goes."""
        self._connection.execute("BEGIN IMMEDIATE")
        if whole:
            self._connection.execute(f"DELETE FROM {table}")
        self._connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(one,) for one in gone])
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)
        self._connection.execute("COMMIT")
