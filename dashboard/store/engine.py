"""Opens a store and brings it up to this version. One SQLite file or one PostgreSQL schema per store."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from dashboard.errors import StoreError

STORES = ("figures", "people", "recordings")
BUSY_SECONDS = 10
MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str, store: str = "figures") -> Engine:
    """The engine of one store. Raises ``StoreError`` when its folder cannot be used."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(url, parsed.database or "")
    engine = create_engine(
        url, pool_pre_ping=True, pool_size=8, max_overflow=72,
        connect_args={"options": f"-csearch_path={store} -ctimezone=UTC"},
        # One answer sees one state, as in SQLite: cells and cases, or dirty months and histograms, of one instant.
        isolation_level="REPEATABLE READ",
    )
    with writing(engine).begin() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {store}"))
    return engine


def _open_sqlite(url: str, file: str) -> Engine:
    folder = Path(file).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise StoreError(
            f"{folder}: the data folder cannot be made ({err.strerror}); check the path and its rights",
            f"{folder}: folder data tidak dapat dibuat ({err.strerror}); periksa jalur dan haknya",
        ) from err
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
        pool_size=8, max_overflow=72,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_SECONDS * 1000}", "cache_size=-65536",
                       "temp_store=MEMORY", "mmap_size=268435456", "wal_autocheckpoint=4000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The driver does not begin by itself; a writer takes the lock at once, so that it never has to upgrade a read.
        immediate = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write: ``with writing(engine).begin() as connection``.

    PostgreSQL: at READ COMMITTED, for a writer that waited for a lock must see what the one before it left.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(writes=True, isolation_level="READ COMMITTED")
    return engine.execution_options(writes=True)


def migrate(engine: Engine, store: str = "figures") -> None:
    """Bring a store to this version's tables (Alembic). Raises ``StoreError`` for a store of a newer version."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / store))
    config.set_main_option("path_separator", "os")
    try:
        with writing(engine).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(7322)"))
            config.attributes["connection"] = connection
            config.attributes["store"] = store
            command.upgrade(config, "head")
    except DBAPIError as err:
        reason = str(err.orig).partition("\n")[0]
        raise StoreError(
            f"the {store} store cannot be opened ({reason}); check DATABASE_URL, or COMMAND_CENTER_DATA and its rights",
            f"penyimpanan {store} tidak dapat dibuka ({reason}); periksa DATABASE_URL, atau COMMAND_CENTER_DATA dan haknya",
        ) from err
    except CommandError as err:
        raise StoreError(
            f"the {store} store is of a newer version than this program ({err}); update the program",
            f"penyimpanan {store} berasal dari versi yang lebih baru ({err}); perbarui programnya",
        ) from err
