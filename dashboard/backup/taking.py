"""Takes a backup while everything goes on: one snapshot of each store, all begun within a moment, copied, verified, named."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import clock
from dashboard.backup import manifest as manifests
from dashboard.backup import postgres
from dashboard.backup.manifest import BackupError, Copy, Manifest, Mark
from dashboard.store.engine import STORES
from dashboard.store.files import megabytes, room, synced

if TYPE_CHECKING:
    from config.declarations import Regency
    from config.settings import Settings

PARTIAL = ".partial-"
STEP_PAGES = 16_384
Progress = Callable[[str, int, int], None]


def take(
    settings: Settings, regency: Regency, *, to: Path | None = None, now: Callable[[], datetime] = clock.now,
    progress: Progress | None = None,
) -> tuple[Path, Manifest]:
    """Back all stores up into a new folder below ``to`` (default: the settings' folder): (folder, manifest).

    ``progress(store, pages done, pages in all)``. Raises ``BackupError`` when it cannot be made or does not hold what the
    stores held; then nothing of it stays.
    """
    place = (to or settings.backups_folder).resolve()
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(place):
            return _take(settings, regency, place, now, progress)
    except OSError as err:
        raise _no_place(place, err) from err


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One backup at a time at a place; what a killed one left is removed."""
    number = os.open(place / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        for left in place.glob(f"{PARTIAL}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(number)


def _take(
    settings: Settings, regency: Regency, place: Path, now: Callable[[], datetime], progress: Progress | None
) -> tuple[Path, Manifest]:
    begun = now()
    final = place / manifests.name_of(begun)
    if final.exists():
        raise BackupError(f"{final}: is there already", f"{final}: sudah ada")
    partial = place / f"{PARTIAL}{os.getpid()}-{final.name}"
    partial.mkdir(mode=0o700)
    try:
        engine, stores, sources = _copy(settings, partial, place, progress)
        whole = Manifest(
            engine=engine, taken_at=begun, regency=regency.name, declarations=regency.hash, stores=stores, sources=sources,
            keys=fingerprints(settings.data),
        ).sealed()
        path = partial / manifests.MANIFEST
        path.write_text(whole.model_dump_json(indent=1), encoding="utf-8")
        synced(path)
        manifests.verify(partial)
        synced(partial)
        partial.rename(final)
        synced(place)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return final, whole


def _copy(
    settings: Settings, partial: Path, place: Path, progress: Progress | None
) -> tuple[Any, dict[str, Copy], dict[str, Mark]]:
    """(engine, copies, marks of the sources), all of them as of the snapshots."""
    if settings.file_of("figures") is None:
        return ("postgresql", *postgres.dump(settings.url_of("figures"), partial))
    found = {store: file for store in STORES if (file := settings.file_of(store)) is not None and file.exists()}
    if "figures" not in found:
        raise BackupError(
            f"{settings.file_of('figures')}: there is no store yet", f"{settings.file_of('figures')}: belum ada penyimpanan"
        )
    _room_for(place, sum(file.stat().st_size for file in found.values()))
    stores: dict[str, Copy] = {}
    with _snapshots(found) as connections:
        sources = _marks(connections["figures"])
        for store, connection in connections.items():
            stores[store] = _copy_one(store, connection, partial / f"{store}.sqlite", progress)
    return "sqlite", stores, sources


@contextmanager
def _snapshots(found: dict[str, Path]) -> Iterator[dict[str, sqlite3.Connection]]:
    """A read transaction on each store, begun one right after the other: what is committed later is in none of them."""
    connections: dict[str, sqlite3.Connection] = {}
    try:
        for store, file in found.items():
            connections[store] = sqlite3.connect(file, isolation_level=None, timeout=10)
        for connection in connections.values():
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        yield connections
    except sqlite3.Error as err:
        raise BackupError(f"a store cannot be read: {err}", f"penyimpanan tidak dapat dibaca: {err}") from err
    finally:
        for connection in connections.values():
            connection.close()


def _copy_one(store: str, source: sqlite3.Connection, path: Path, progress: Progress | None) -> Copy:
    def step(_: int, remaining: int, total: int) -> None:
        if progress:
            progress(store, total - remaining, total)

    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        try:
            source.backup(target, pages=STEP_PAGES, progress=step)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, that any SQLite opens without writing beside it
        except sqlite3.OperationalError as err:
            raise _no_place(path, err) from err
    synced(path)
    return Copy(
        file=path.name, bytes=path.stat().st_size, sha256=manifests.sha256(path), revision=manifests.revision_of(source),
        rows=manifests.counts_of(source),
    )


def _marks(figures: sqlite3.Connection) -> dict[str, Mark]:
    try:
        rows = figures.execute("SELECT source, data_until, cursor FROM source_state ORDER BY source").fetchall()
    except sqlite3.OperationalError:
        return {}
    return {source: manifests.mark(until, cursor) for source, until, cursor in rows}


def fingerprints(data: Path) -> dict[str, str]:
    """Source → what its pseudonyms' key is recognised by. A key is 32 random bytes: its hash gives nothing away."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for path in sorted((data / "keys").iterdir()):
            if not path.name.startswith("."):
                found[path.name] = hashlib.sha256(b"command-center key" + path.read_bytes()).hexdigest()[:16]
    return found


def _room_for(place: Path, need: int) -> None:
    free, _ = room(place)
    if free < need * 1.02:
        (need_en, need_id), (free_en, free_id) = megabytes(need * 1.02), megabytes(free)
        raise BackupError(
            f"{place}: a backup needs {need_en} MB, {free_en} MB are free; older backups were left as they are",
            f"{place}: cadangan memerlukan {need_id} MB, bebas {free_id} MB; cadangan lama dibiarkan",
        )


def _no_place(place: Path, err: Exception) -> BackupError:
    what = err.strerror if isinstance(err, OSError) else str(err)
    try:
        free_en, free_id = megabytes(room(place if place.is_dir() else place.parent)[0])
    except OSError:
        free_en = free_id = "?"
    return BackupError(
        f"{place}: the backup cannot be written: {what} ({free_en} MB free)",
        f"{place}: cadangan tidak dapat ditulis: {what} ({free_id} MB bebas)",
    )
