"""The files of SQLite stores: which file a connection has open, what lies beside it, how much room is left.

Beside ``figures.sqlite`` lie ``.figures.sqlite.born`` (there was a store: a missing or empty file is a loss, not a beginning)
and, after a failed read, ``.figures.sqlite.suspect`` (somebody met damage: the leader looks).
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from dashboard.errors import StoreUnwritable

MEGABYTE = 1_048_576
RESERVE_BYTES = 32 * MEGABYTE
RESERVE_SHARE = 0.02
"""Collecting stops while less is free (the smaller of both), so that people's work can still be written (F5)."""

LOW_SHARE = 0.10
"""Of the disk free: below it a warning."""
WAL_ALARM_BYTES = 256 * MEGABYTE
"""A log of this size means that somebody keeps an old read open; a checkpoint is tried from a quarter of it (F9)."""

Identity = tuple[int, int]


def file_of(engine: Engine) -> Path | None:
    """The SQLite file of an engine; ``None`` for PostgreSQL."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    return Path(engine.url.database)


def identity(file: Path) -> Identity | None:
    """Which file lies at a path now: (device, inode); ``None`` when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def swap_lock(folder: Path, *, exclusive: bool) -> Iterator[None]:
    """Held shared while a connection is opened, exclusive while files are put in place: nobody opens half a change.

    Where the folder cannot be written nothing can be put in place either, and there is no lock.
    """
    try:
        number = os.open(folder / ".stores.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(number)


def _beside(file: Path, what: str) -> Path:
    return file.with_name(f".{file.name}.{what}")


def born_marker(file: Path) -> Path:
    """The file that says that a store was there."""
    return _beside(file, "born")


def mark_born(file: Path) -> None:
    """Remember that the store exists, once it has its tables."""
    with suppress(OSError):  # the folder cannot be written: a later start will
        if not born_marker(file).exists():
            born_marker(file).write_text(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n", encoding="ascii")


def suspect_marker(file: Path) -> Path:
    """The file that says that somebody met damage in the store."""
    return _beside(file, "suspect")


def mark_suspect(file: Path) -> None:
    """Tell the leader, which may be another process, that the store gave an error that means damage."""
    with suppress(OSError):
        suspect_marker(file).touch()


def clear_suspect(file: Path) -> None:
    """The store was looked at."""
    with suppress(OSError):
        if suspect_marker(file).exists():
            suspect_marker(file).unlink()


def lost(file: Path) -> bool:
    """Whether there was a store and there is none now: no file, or an empty one."""
    if not born_marker(file).exists():
        return False
    try:
        return file.stat().st_size == 0
    except FileNotFoundError:
        return True


def wal_bytes(file: Path) -> int:
    """Size of the write-ahead log; 0 when there is none."""
    try:
        return file.with_name(f"{file.name}-wal").stat().st_size
    except OSError:
        return 0


def is_read_only(folder: Path) -> bool:
    """Whether the disk that holds a folder takes no writes at all."""
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def room(folder: Path) -> tuple[int, int]:
    """(free, total) bytes of the disk that holds a folder, as this process may use them."""
    found = shutil.disk_usage(folder)
    return found.free, found.total


def reserve(total: int) -> int:
    """How many bytes collecting leaves free on a disk of ``total`` bytes."""
    return int(min(RESERVE_BYTES, RESERVE_SHARE * total))


def megabytes(count: float) -> tuple[str, str]:
    """Bytes as (English, Indonesian) megabytes: whole ones, below ten with one decimal."""
    value = count / MEGABYTE
    text = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return text, text.replace(".", ",")


def require_room(engine: Engine) -> None:
    """Raises ``StoreUnwritable`` while the disk of the store has less free than the reserve (F5)."""
    file = file_of(engine)
    if file is None:
        return
    try:
        free, total = room(file.parent)
    except OSError:
        return
    if free < reserve(total):
        raise full(file.parent, free, total)


def full(folder: Path, free: int, total: int) -> StoreUnwritable:
    """What a full disk says: where, how many megabytes are free, what goes on and what to do."""
    (free_en, free_id), (total_en, total_id) = megabytes(free), megabytes(total)
    return StoreUnwritable(
        f"{folder}: the disk is full: {free_en} MB free of {total_en} MB. Collecting stops, the screens go on. "
        "Free some space on this disk; collecting then goes on by itself",
        f"{folder}: disk penuh: {free_id} MB bebas dari {total_id} MB. Pengumpulan berhenti, layar tetap jalan. "
        "Kosongkan ruang di disk ini; pengumpulan lalu berjalan lagi dengan sendirinya",
    )


def synced(path: Path) -> None:
    """Make a file or folder last through a power cut."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
