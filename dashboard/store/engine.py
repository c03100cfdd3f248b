"""Opens a store and brings it up to this version. One SQLite file or one PostgreSQL schema per store."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError

from dashboard.errors import StoreCorrupt, StoreError
from dashboard.store import files
from dashboard.store.trouble import Trouble, store_error, trouble_of

STORES = ("figures", "people", "recordings")
BUSY_SECONDS = 10
TURN_SECONDS = 30
READER_IDLE_SECONDS = 600
"""PostgreSQL ends a transaction that does nothing for so long (F9). SQLite cannot: there the log's size is watched."""
MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str, store: str = "figures") -> Engine:
    """The engine of one store. Raises ``StoreError`` when its folder cannot be used."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(url, parsed.database or "")
    engine = create_engine(
        url, pool_pre_ping=True, pool_size=8, max_overflow=72,
        connect_args={"options": (
            f"-csearch_path={store} -ctimezone=UTC -cidle_in_transaction_session_timeout={READER_IDLE_SECONDS}s"
        )},
        # One answer sees one state, as in SQLite: cells and cases, or dirty months and histograms, of one instant.
        isolation_level="REPEATABLE READ",
    )
    try:
        with writing(engine).begin() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {store}"))
    except DBAPIError as err:
        raise (store_error(err, engine) or _cannot_open(store, err)) from err
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

    place = Path(file)

    @event.listens_for(engine, "do_connect")
    def _open(dialect: Any, record: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        with files.swap_lock(folder, exclusive=False):
            if files.lost(place):
                raise gone(place)
            try:
                connection = dialect.connect(*arguments, **named)
                _prepare(connection)
            except sqlite3.OperationalError as err:
                if trouble_of(err) is not Trouble.READ_ONLY or not files.is_read_only(folder):
                    raise
                connection = dialect.connect(_read_only(place), **named, uri=True)
            record.info["file"] = files.identity(place)
        return connection

    @event.listens_for(engine, "checkout")
    def _same_file(connection: Any, record: Any, fairy: Any) -> None:
        """A restore put another file in place: this connection still has the old one."""
        if record.info.get("file") != files.identity(place):
            raise DisconnectionError

    @event.listens_for(engine, "handle_error")
    def _note_damage(context: Any) -> None:
        if trouble_of(context.original_exception) is Trouble.CORRUPT:
            files.mark_suspect(place)

    _take_turns(engine)
    return engine


def _take_turns(engine: Engine) -> None:
    """Begin transactions: a writer takes the store's lock at once, so that it never has to upgrade a read.

    The writers of this process queue for it here first: SQLite's own waiting is a poll with growing pauses, in which one of
    many could find the lock taken for a minute.
    """
    turn = threading.Lock()
    held: weakref.WeakKeyDictionary[Connection, weakref.finalize[Any, Any]] = weakref.WeakKeyDictionary()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:  # the driver does not begin by itself
        if not connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql("BEGIN")
            return
        if turn.acquire(timeout=TURN_SECONDS):  # else SQLite's lock alone decides
            held[connection] = weakref.finalize(connection, turn.release)  # given back even by one that is dropped
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            _over(connection)
            raise

    def _over(connection: Connection) -> None:
        give_back = held.pop(connection, None)
        if give_back is not None:
            give_back()

    event.listen(engine, "commit", _over)
    event.listen(engine, "rollback", _over)


def _prepare(connection: sqlite3.Connection) -> None:
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_SECONDS * 1000}", "cache_size=-65536",
                       "temp_store=MEMORY", "mmap_size=268435456", "wal_autocheckpoint=4000"):
            connection.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        connection.close()
        raise


def _read_only(file: Path) -> str:
    """The address of a store on a disk that takes no writes: without a log beside it nothing is missing from the file (F7)."""
    return f"{file.resolve().as_uri()}?mode=ro" + ("" if files.wal_bytes(file) else "&immutable=1")


def gone(file: Path) -> StoreCorrupt:
    """What is said instead of starting empty where a store was (F10)."""
    marker = files.born_marker(file)
    return StoreCorrupt(
        f"{file}: there was a store and it is gone or empty. Put it back, or restore a backup (command-center restore --newest); "
        f"to begin with an empty one on purpose, remove {marker} as well",
        f"{file}: dulu ada penyimpanan, kini hilang atau kosong. Kembalikan berkasnya, atau pulihkan cadangan (command-center "
        f"restore --newest); untuk sengaja mulai dari kosong, hapus juga {marker}",
    )


def is_current(engine: Engine, store: str) -> bool:
    """Whether a store has exactly the tables of this version. Raises SQLAlchemy's errors when it cannot be read."""
    return _is_of_this_version(engine, _config(store))


def _config(store: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / store))
    config.set_main_option("path_separator", "os")
    return config


def _is_of_this_version(engine: Engine, config: Config) -> bool:
    if not inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return found == [ScriptDirectory.from_config(config).get_current_head()]


def _upgrade(engine: Engine, store: str, config: Config) -> None:
    """All steps in one transaction: one killed half-way leaves the store as it was (F11)."""
    with writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7322)"))
        config.attributes["connection"] = connection
        config.attributes["store"] = store
        command.upgrade(config, "head")


def _cannot_open(store: str, err: DBAPIError) -> StoreError:
    reason = str(err.orig).partition("\n")[0]
    return StoreError(
        f"the {store} store cannot be opened: {reason}; check DATABASE_URL, or COMMAND_CENTER_DATA and its rights",
        f"penyimpanan {store} tidak dapat dibuka: {reason}; periksa DATABASE_URL, atau COMMAND_CENTER_DATA dan haknya",
    )


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write: ``with writing(engine).begin() as connection``.

    PostgreSQL: at READ COMMITTED, for a writer that waited for a lock must see what the one before it left.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(writes=True, isolation_level="READ COMMITTED")
    return engine.execution_options(writes=True)


def migrate(engine: Engine, store: str = "figures") -> None:
    """Bring a store to this version's tables (Alembic). Raises ``StoreError`` for a store of a newer version."""
    config = _config(store)
    try:
        if not _is_of_this_version(engine, config):  # most of the time it is, and a read without a lock is enough
            _upgrade(engine, store, config)
    except DBAPIError as err:
        raise (store_error(err, engine) or _cannot_open(store, err)) from err
    except CommandError as err:
        raise StoreError(
            f"the {store} store is of a newer version than this program ({err}): start the newer program, or restore a backup "
            "that this one made (command-center backup list)",
            f"penyimpanan {store} berasal dari versi yang lebih baru daripada program ini ({err}): jalankan program yang lebih "
            "baru, atau pulihkan cadangan buatan program ini (command-center backup list)",
        ) from err
    place = files.file_of(engine)
    if place is not None:
        files.mark_born(place)
