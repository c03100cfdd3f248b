"""Opens stores at a start: ends an interrupted restore, finds damage, restores from the newest verified backup (F10).

A store that was there is never started empty. Without a good backup the start is refused, with what to do.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import DBAPIError

from dashboard import clock
from dashboard.backup import restoring
from dashboard.backup.manifest import BackupError, Manifest
from dashboard.errors import StoreCorrupt, StoreError
from dashboard.store import files
from dashboard.store.changes import announce
from dashboard.store.engine import migrate, open_engine, writing
from dashboard.store.trouble import Trouble, trouble_of, unwritable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.settings import Settings

log = structlog.get_logger("stores")

LONGEST_CHECK_SECONDS = 20.0


def open_store(settings: Settings, store: str, *, check: bool = False) -> Engine:
    """The engine of a store of this version. ``check``: refuse one that cannot be written, look for damage and mend it from a
    backup, as a process does that will write.

    Raises ``StoreCorrupt`` for damage that no backup mends, ``StoreError`` for whatever else keeps it from being used.
    """
    file = settings.file_of(store)
    if file is not None:
        restoring.finish_interrupted(settings)
        if check:
            _require_writable(file)
            heal(settings, store)
    settings.data.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.url_of(store), store)
    try:
        migrate(engine, store)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _require_writable(file: Path) -> None:
    """Raises ``StoreUnwritable``, with owner and mode, for a store that this process could only read (F7)."""
    for path in (file.parent, file):
        if path.exists() and not os.access(path, os.W_OK):
            raise unwritable(file)


def damage(file: Path, *, seconds: float = LONGEST_CHECK_SECONDS) -> str:
    """What is wrong with a SQLite store, in the database's words; empty when nothing was found within ``seconds``.

    The daily backup looks at all of it, however long that takes.
    """
    if files.lost(file):
        return "the file is gone or empty"
    if not file.exists():
        return ""
    until = time.monotonic() + seconds
    try:
        with closing(sqlite3.connect(file, timeout=10)) as connection:
            connection.set_progress_handler(lambda: int(time.monotonic() > until), 10_000)
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            if found != ["ok"]:
                return "; ".join(found)
            born = files.born_marker(file).exists()
            if born and connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone() is None:
                return "it has no tables"
    except sqlite3.OperationalError as err:
        return str(err) if trouble_of(err) is Trouble.CORRUPT else ""
    except sqlite3.DatabaseError as err:
        return str(err)
    return ""


def heal(settings: Settings, store: str) -> Path | None:
    """Look at a SQLite store and, when it is damaged, put the newest verified backup in its place.

    Returns the folder of what was moved aside; ``None`` when nothing had to be done. Raises ``StoreCorrupt`` without a backup.
    """
    file = settings.file_of(store)
    if file is None or not (wrong := damage(file)):
        if file is not None:
            files.clear_suspect(file)
        return None
    with _alone(file.parent):
        if not (wrong := damage(file)):  # another process mended it meanwhile
            return None
        log.error("store is damaged", store=store, file=str(file), cause=wrong)
        now = clock.now()
        try:
            folder, manifest = restoring.choose(settings, None, [store])
            restoring.require_keys(settings, manifest)
            with restoring.prepared(settings, folder, manifest, stores=[store], reason=wrong, now=now) as ready:
                aside = restoring.put_in_place(settings, ready, now=now)
        except BackupError as err:
            marker = files.born_marker(file)
            raise StoreCorrupt(
                f"{file}: the store is damaged ({wrong}) and cannot be restored by itself: {err.en}. Nothing was changed. Restore "
                f"one with command-center restore FOLDER; or, to begin with an empty store and read all sources anew, move {file} "
                f"away and remove {marker}",
                f"{file}: penyimpanan rusak ({wrong}) dan tidak dapat dipulihkan sendiri: {err.id}. Tidak ada yang diubah. "
                "Pulihkan dengan command-center restore FOLDER; atau, untuk mulai dari kosong dan membaca ulang semua sumber, "
                f"pindahkan {file} dan hapus {marker}",
            ) from err
    if store != "figures":
        _note(settings, store, manifest, folder.name, wrong)
    log.error("store was rebuilt from a backup", store=store, backup=str(folder), taken_at=manifest.taken_at.isoformat(),
              moved_aside=str(aside))
    return aside


def _note(settings: Settings, store: str, manifest: Manifest, name: str, reason: str) -> None:
    """Tell the screens, through the figures store, that another store was rebuilt."""
    engine = open_engine(settings.url_of("figures"))
    try:
        with writing(engine).begin() as connection:
            restoring.note_rebuilt(connection, store, manifest, name, clock.epoch(clock.now()), reason)
            announce(connection, "", {"state"})
    except (DBAPIError, StoreError) as err:
        log.warning("cannot note the rebuilt store", store=store, error=type(err).__name__)
    finally:
        engine.dispose()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    number = os.open(folder / ".heal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
