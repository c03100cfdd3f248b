"""What a backup says of itself, and whether that is true.

A backup is a folder ``cc-<UTC stamp>`` with ``manifest.json`` and one SQLite file for each store (or one ``stores.dump`` of
PostgreSQL). It gets that name only after it was verified, so a folder of that name is whole or was damaged later. It holds no
secret: neither tokens nor the keys of the pseudonyms, of which the manifest only knows fingerprints.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import create_engine

from dashboard.errors import StoreError
from dashboard.store import audit

PREFIX, STAMP = "cc-", "%Y%m%dT%H%M%SZ"
MANIFEST = "manifest.json"


class BackupError(StoreError):
    """A backup cannot be made or is not good."""


class Copy(BaseModel):
    """One store in a backup. ``file`` holds it ("stores.dump" for PostgreSQL); ``rows``: table → number of rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    bytes: int
    sha256: str
    revision: str
    rows: dict[str, int]


class Mark(BaseModel):
    """How far a source had come: until when its data was known, and where an incremental read goes on (epoch seconds)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_until: int | None
    cursor: float | None


class Manifest(BaseModel):
    """What a backup holds. ``hash`` is that of all the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    engine: Literal["sqlite", "postgresql"]
    taken_at: datetime
    regency: str
    declarations: str
    stores: dict[str, Copy]
    sources: dict[str, Mark]
    keys: dict[str, str]
    hash: str = ""

    def digest(self) -> str:
        """The hash of everything but the hash."""
        parts = self.model_dump(mode="json", exclude={"hash"})
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def sealed(self) -> Manifest:
        """The same with its hash."""
        return self.model_copy(update={"hash": self.digest()})

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum({copy.file: copy.bytes for copy in self.stores.values()}.values())


def mark(data_until: int | None, cursor: str | None) -> Mark:
    """A source's mark from its state's columns."""
    since = (json.loads(cursor) or {}).get("since") if cursor else None
    return Mark(data_until=data_until, cursor=since)


def name_of(taken_at: datetime) -> str:
    """The name of a backup's folder."""
    return f"{PREFIX}{taken_at.astimezone(UTC):{STAMP}}"


def stamp_of(folder: Path) -> datetime | None:
    """When a backup of that name was taken; ``None`` for a folder that is none of ours."""
    try:
        return datetime.strptime(folder.name, f"{PREFIX}{STAMP}").replace(tzinfo=UTC)
    except ValueError:
        return None


def folders(place: Path) -> list[Path]:
    """The backups at a place, newest first."""
    if not place.is_dir():
        return []
    return sorted((path for path in place.iterdir() if path.is_dir() and stamp_of(path)), reverse=True)


def read(folder: Path) -> Manifest:
    """A backup's manifest, whole and unchanged. Raises ``BackupError``."""
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise BackupError(f"{path}: {err.strerror}: not a backup", f"{path}: {err.strerror}: bukan cadangan") from err
    except ValidationError as err:
        raise BackupError(f"{path}: not a manifest of this program", f"{path}: bukan manifes program ini") from err
    if manifest.hash != manifest.digest():
        raise BackupError(f"{path}: was changed after the backup", f"{path}: berubah setelah pencadangan")
    return manifest


def sha256(path: Path) -> str:
    """The hash of a file's content."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            whole.update(part)
    return whole.hexdigest()


def check_files(folder: Path, manifest: Manifest) -> None:
    """Whether the files are those that the manifest names, byte by byte. Raises ``BackupError``."""
    for copy in {copy.file: copy for copy in manifest.stores.values()}.values():
        path = folder / copy.file
        try:
            good = path.stat().st_size == copy.bytes and sha256(path) == copy.sha256
        except OSError as err:
            raise BackupError(f"{path}: {err.strerror}", f"{path}: {err.strerror}") from err
        if not good:
            raise BackupError(f"{path}: damaged after the backup", f"{path}: rusak setelah pencadangan")


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """The tables of a SQLite store, in order of name."""
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return [name for (name,) in found]


def counts_of(connection: sqlite3.Connection) -> dict[str, int]:
    """Rows of every table of a SQLite store."""
    return {
        table: int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])
        for table in tables_of(connection)
    }


def revision_of(connection: sqlite3.Connection) -> str:
    """The version of a store's tables; empty when it has none."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return ""
    return str(row[0]) if row else ""


def check_sqlite(store: str, path: Path, expected: Copy) -> None:
    """Look into a copied SQLite store: integrity, tables, rows, version, the audit's chain. Raises ``BackupError``."""
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            wrong = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            if wrong != ["ok"]:
                raise BackupError(f"{path}: {wrong[0]}", f"{path}: rusak ({wrong[0]})")
            counts, revision = counts_of(connection), revision_of(connection)
    except sqlite3.DatabaseError as err:
        raise BackupError(f"{path}: {err}", f"{path}: rusak ({err})") from err
    if (counts, revision) != (expected.rows, expected.revision):
        differs = next((name for name in expected.rows if counts.get(name) != expected.rows[name]), "version")
        raise BackupError(f"{path}: {differs} is not as it was", f"{path}: {differs} tidak seperti aslinya")
    if store == "people":
        broken = _broken_audit(path)
        if broken is not None:
            raise BackupError(
                f"{path}: the audit's chain is broken at row {broken}", f"{path}: rantai audit putus di baris {broken}"
            )


def _broken_audit(path: Path) -> int | None:
    engine = create_engine(f"sqlite:///{path.resolve().as_uri()}?mode=ro&immutable=1&uri=true")
    try:
        with engine.connect() as connection:
            return audit.broken_at(connection)
    finally:
        engine.dispose()


def verify(folder: Path) -> Manifest:
    """Everything about a backup, bytes and content. Raises ``BackupError`` for what is wrong."""
    manifest = read(folder)
    check_files(folder, manifest)
    if manifest.engine == "sqlite":
        for store, copy in manifest.stores.items():
            check_sqlite(store, folder / copy.file, copy)
    return manifest


def verified(place: Path) -> Iterator[tuple[Path, Manifest]]:
    """The backups at a place that hold what they say, newest first; each looked at only when it is asked for."""
    for folder in folders(place):
        try:
            yield folder, verify(folder)
        except BackupError:
            continue
