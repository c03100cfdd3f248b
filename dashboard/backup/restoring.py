"""Makes stores of a backup ready and puts them into place; the old files are moved aside, never deleted.

Ready means: copied beside the stores, verified there, brought to this version, and told what they are now: the lease's token
and the numbers of changes jump ahead of all that the lost store may have given, ``meta`` says from when the backup is, and
what one read of the sources must bring back. Putting into place is noted in a journal first, so that a start after a crash
ends it; every open connection notices by the file's identity.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text

from dashboard.backup import manifest as manifests
from dashboard.backup.manifest import BackupError, Manifest
from dashboard.backup.taking import fingerprints
from dashboard.clock import epoch
from dashboard.errors import StoreError
from dashboard.store import audit, files
from dashboard.store.dialect import upsert
from dashboard.store.engine import migrate, open_engine, writing
from dashboard.store.tables import meta

if TYPE_CHECKING:
    from config.settings import Settings

JOURNAL = ".restoring.json"


@dataclass(frozen=True)
class Answered:
    """A request of a command that the living leader answers by the restore itself: it must be there, done, afterwards."""

    id: int
    what: str
    arguments: str


def choose(settings: Settings, folder: Path | None, stores: Collection[str] | None = None) -> tuple[Path, Manifest]:
    """The backup to restore, verified: the given folder, else the newest good one that holds ``stores``.

    Raises ``BackupError``: the folder is none or damaged, or there is no good one.
    """
    if folder is not None:
        return folder, manifests.verify(folder)
    kind = "sqlite" if settings.file_of("figures") is not None else "postgresql"
    place = settings.backups_folder
    for found, manifest in manifests.verified(place):
        if manifest.engine == kind and set(stores or ()) <= set(manifest.stores):
            return found, manifest
    raise BackupError(
        f"{place}: no verified backup; make one with command-center backup, or name a folder",
        f"{place}: tidak ada cadangan yang terverifikasi; buat dengan command-center backup, atau sebutkan foldernya",
    )


def require_keys(settings: Settings, manifest: Manifest) -> None:
    """Raises ``BackupError`` unless the keys of the pseudonyms are those of the backup: with others no case would be known
    again. Keys are kept apart from backups, by people."""
    here = fingerprints(settings.data)
    wrong = sorted(source for source, key in manifest.keys.items() if here.get(source) != key)
    if wrong:
        folder = settings.data / "keys"
        raise BackupError(
            f"{folder}: the keys of {', '.join(wrong)} are missing or are others than at the time of the backup. Put the kept "
            "copy of this folder back first",
            f"{folder}: kunci {', '.join(wrong)} tidak ada atau bukan yang dipakai saat pencadangan. Kembalikan dulu salinan "
            "folder ini",
        )


@contextmanager
def prepared(
    settings: Settings, folder: Path, manifest: Manifest, *, now: datetime, stores: Sequence[str] | None = None, reason: str = "",
    answered: Answered | None = None,
) -> Iterator[dict[str, Path]]:
    """Store → file that is ready to be put into place, on the same disk; all of it is gone when the block ends.

    Raises ``BackupError`` when a copy is not what the manifest says, ``StoreError`` when it cannot be brought to this version.
    """
    home = _file(settings, "figures").parent
    home.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=".restoring-", dir=home))
    try:
        found: dict[str, Path] = {}
        for store in stores or list(manifest.stores):
            copy = manifest.stores[store]
            path = place / f"{store}.sqlite"
            try:
                shutil.copyfile(folder / copy.file, path)
            except OSError as err:
                raise BackupError(f"{path}: {err.strerror}", f"{path}: {err.strerror}") from err
            if manifests.sha256(path) != copy.sha256:
                raise BackupError(f"{folder / copy.file}: damaged", f"{folder / copy.file}: rusak")
            manifests.check_sqlite(store, path, copy)
            engine = open_engine(f"sqlite:///{path}", store)
            try:
                migrate(engine, store)
                with writing(engine).begin() as connection:
                    tell(connection, store, manifest, folder.name, now=now, reason=reason, answered=answered)
                _one_file(engine, path)
            finally:
                engine.dispose()
            files.synced(path)
            found[store] = path
        yield found
    finally:
        shutil.rmtree(place, ignore_errors=True)


def tell(
    connection: Connection, store: str, manifest: Manifest, name: str, *, now: datetime, reason: str, answered: Answered | None
) -> None:
    """Write into a restored store what it is."""
    at = epoch(now)
    if store == "figures":
        # Numbers that grow less than once a second are behind the clock, so the clock is ahead of whatever was lost: a paused
        # leader's token is not given out again, and no screen takes an old change for a known one.
        connection.execute(text(
            "INSERT INTO lease (name, holder, token, expires_at) VALUES ('leader', '', :at, 0) ON CONFLICT (name) DO UPDATE SET "
            "holder = '', expires_at = 0, token = CASE WHEN lease.token < excluded.token THEN excluded.token ELSE lease.token END"
        ), {"at": at})
        seq = int(connection.execute(text("SELECT value FROM meta WHERE key = 'seq'")).scalar() or 0)
        for key in ("seq", "history"):
            upsert(connection, meta, ("key",), {"key": key, "value": str(max(seq, at))})
        note_rebuilt(connection, store, manifest, name, at, reason)
        # What a window no longer reaches is read whole once; an incremental read goes on from its cursor.
        connection.execute(text(
            "UPDATE source_state SET last_reconcile_at = NULL WHERE source IN (SELECT source FROM run WHERE mode = 'window')"
        ))
        connection.execute(text(
            "UPDATE request SET taken_at = :at, done_at = :at, result = '{}' WHERE done_at IS NULL"
        ), {"at": at})
        if answered is not None:
            connection.execute(text(
                "INSERT INTO request (id, what, arguments, asked_at, taken_at, done_at, result) "
                "VALUES (:id, :what, :arguments, :at, :at, :at, :result) ON CONFLICT (id) DO UPDATE SET result = excluded.result"
            ), {"id": answered.id, "what": answered.what, "arguments": answered.arguments, "at": at,
                "result": json.dumps({"restored": name})})
            if connection.dialect.name == "postgresql":  # numbers go on after the one that came from the lost store
                connection.execute(text("SELECT setval(pg_get_serial_sequence('request', 'id'), (SELECT max(id) FROM request))"))
    elif store == "people":
        audit.append(connection, "command center", "store restored", {"backup": name, "reason": reason}, now)


def note_rebuilt(connection: Connection, store: str, manifest: Manifest, name: str, at: int, reason: str) -> None:
    """Remember in the figures store that a store was rebuilt, from what and why: a screen must say so."""
    upsert(connection, meta, ("key",), {"key": f"rebuilt.{store}", "value": json.dumps({
        "at": at, "taken_at": epoch(manifest.taken_at), "backup": name, "reason": reason,
        "sources": {source: mark.data_until for source, mark in manifest.sources.items()} if store == "figures" else {},
    })})


def _one_file(engine: Engine, path: Path) -> None:
    """Bring everything into the file itself, so that it can be moved alone."""
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        connection.exec_driver_sql("BEGIN")
    if files.wal_bytes(path):
        raise BackupError(f"{path}: cannot be closed", f"{path}: tidak dapat ditutup")


def put_in_place(settings: Settings, ready: dict[str, Path], *, now: datetime) -> Path:
    """Move the present files aside and the ready ones into their place: the folder of what was moved aside."""
    home = _file(settings, "figures").parent
    aside = home / "aside" / f"{now:%Y%m%dT%H%M%SZ}"
    aside.mkdir(parents=True, exist_ok=True, mode=0o700)
    steps = [{"from": str(path), "to": str(_file(settings, store))} for store, path in ready.items()]
    with files.swap_lock(home, exclusive=True):
        journal = home / JOURNAL
        fresh = journal.with_suffix(".new")
        fresh.write_text(json.dumps({"aside": str(aside), "steps": steps}), encoding="utf-8")
        files.synced(fresh)
        fresh.rename(journal)
        files.synced(home)
        _finish(home)
    return aside


def finish_interrupted(settings: Settings) -> bool:
    """End a restore that a crash interrupted; whether there was one. What it was putting into place is complete."""
    file = settings.file_of("figures")
    if file is None or not (file.parent / JOURNAL).exists():
        return False
    with files.swap_lock(file.parent, exclusive=True):
        return _finish(file.parent)


def _finish(home: Path) -> bool:
    """Do the steps of the journal; each may have been done already."""
    journal = home / JOURNAL
    try:
        found: dict[str, Any] = json.loads(journal.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    aside = Path(found["aside"])
    for step in found["steps"]:
        new, file = Path(step["from"]), Path(step["to"])
        if new.exists():
            for end in ("-wal", "-shm"):  # a log of the old file must never be taken for one of the new
                _aside(file.with_name(file.name + end), aside)
            if file.exists() and not (aside / file.name).exists():
                os.link(file, aside / file.name)  # the path is never without a file
            os.replace(new, file)
        files.mark_born(file)
        files.clear_suspect(file)
    files.synced(aside)
    files.synced(home)
    journal.unlink()
    files.synced(home)
    return True


def _aside(path: Path, aside: Path) -> None:
    if path.exists():
        path.rename(aside / path.name)


def _file(settings: Settings, store: str) -> Path:
    found = settings.file_of(store)
    if found is None:
        raise StoreError(
            f"the {store} store is not a SQLite file; restore a PostgreSQL store with pg_restore",
            f"penyimpanan {store} bukan berkas SQLite; pulihkan penyimpanan PostgreSQL dengan pg_restore",
        )
    return found.resolve()


def checkable(settings: Settings, ready: dict[str, Path]) -> Settings:
    """Settings under which the ready stores are the stores: for a drill, which looks at them with all that the product has."""
    return settings.model_copy(update={"database_url": f"sqlite:///{ready['figures']}"})
