"""PostgreSQL: one ``pg_dump`` of all schemas of one snapshot, and its restore. The counts are taken in the same snapshot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from dashboard.backup import manifest as manifests
from dashboard.backup.manifest import BackupError, Copy, Mark
from dashboard.store.engine import STORES, open_engine
from dashboard.store.files import synced

DUMP = "stores.dump"


def dump(url: str, folder: Path) -> tuple[dict[str, Copy], dict[str, Mark]]:
    """Dump all stores of a database into a folder: their copies and the marks of the sources. Raises ``BackupError``."""
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    path = folder / DUMP
    try:
        with engine.connect() as connection:
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            stores = [store for store in STORES if _has(connection, store)]
            schemas = [word for store in stores for word in ("--schema", store)]
            _run(url, "pg_dump", f"--dbname={make_url(url).database}", "--format=custom", f"--snapshot={snapshot}", *schemas,
                 f"--file={path}")
            synced(path)
            size, sha256 = path.stat().st_size, manifests.sha256(path)
            copies = {
                store: Copy(file=DUMP, bytes=size, sha256=sha256, revision=revision(connection, store),
                            rows=counts(connection, store))
                for store in stores
            }
            marks = _marks(connection)
    except DBAPIError as err:
        raise BackupError(f"the database cannot be read: {err.orig}", f"basis data tidak dapat dibaca: {err.orig}") from err
    finally:
        engine.dispose()
    _run(url, "pg_restore", "--list", str(path))  # a dump that cannot be listed is none
    return copies, marks


def _has(connection: Connection, store: str) -> bool:
    return connection.execute(text("SELECT to_regclass(:name)"), {"name": f"{store}.alembic_version"}).scalar() is not None


def revision(connection: Connection, store: str) -> str:
    """The version of a store's tables."""
    return str(connection.execute(text(f'SELECT version_num FROM "{store}".alembic_version')).scalar_one())


def counts(connection: Connection, store: str) -> dict[str, int]:
    """Rows of every table of a store."""
    tables = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = :store ORDER BY tablename"), {"store": store}
    ).scalars().all()
    return {
        table: int(connection.execute(text(f'SELECT count(*) FROM "{store}"."{table}"')).scalar_one()) for table in tables
    }


def _marks(connection: Connection) -> dict[str, Mark]:
    rows = connection.execute(text("SELECT source, data_until, cursor FROM figures.source_state ORDER BY source"))
    return {row.source: manifests.mark(row.data_until, row.cursor) for row in rows}


def load(url: str, path: Path) -> None:
    """Load a dump into a database that has none of its schemas, all of it or nothing. Raises ``BackupError``."""
    _run(url, "pg_restore", "--single-transaction", "--no-owner", "--exit-on-error", f"--dbname={make_url(url).database}",
         str(path))


def compare(connection: Connection, stores: dict[str, Copy]) -> None:
    """Whether loaded stores hold what the manifest says. Raises ``BackupError``."""
    for store, copy in stores.items():
        if revision(connection, store) != copy.revision or counts(connection, store) != copy.rows:
            raise BackupError(f"{store}: not what was backed up", f"{store}: bukan seperti yang dicadangkan")


@contextmanager
def scratch(url: str, path: Path, stores: dict[str, Copy]) -> Iterator[str]:
    """A database of its own with a dump in it, compared with the manifest, removed when the block ends. Raises
    ``BackupError``, also when this account may not make databases."""
    name = f"command_center_drill_{os.getpid()}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except DBAPIError as err:
        engine.dispose()
        raise BackupError(
            f"a drill needs a database of its own: {err.orig}", f"latihan memerlukan basis data tersendiri: {err.orig}"
        ) from err
    try:
        place = make_url(url).set(database=name).render_as_string(hide_password=False)
        load(place, path)
        _compared(place, stores)
        yield place
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def replace(
    url: str, path: Path, stores: dict[str, Copy], told: Callable[[Engine, str], None], now: datetime
) -> str:
    """Put a dump's schemas in place of the present ones, which are kept under other names; returns how those end.

    ``told(engine, store)`` finishes each store. When anything fails, the present schemas are back. Raises ``BackupError``.
    """
    end = f"_aside_{now:%Y%m%d%H%M%S}"
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            moved = [store for store in stores if _has_schema(connection, store)]
            for store in moved:
                connection.execute(text(f'ALTER SCHEMA "{store}" RENAME TO "{store}{end}"'))
        try:
            load(url, path)
            _compared(url, stores)
            for store in stores:
                each = open_engine(url, store)
                try:
                    told(each, store)
                finally:
                    each.dispose()
        except BaseException:
            with engine.begin() as connection:
                for store in stores:
                    connection.execute(text(f'DROP SCHEMA IF EXISTS "{store}" CASCADE'))
                for store in moved:
                    connection.execute(text(f'ALTER SCHEMA "{store}{end}" RENAME TO "{store}"'))
            raise
    finally:
        engine.dispose()
    return f"schemas ending in {end}"


def _has_schema(connection: Connection, store: str) -> bool:
    return connection.execute(text("SELECT to_regnamespace(:name)"), {"name": store}).scalar() is not None


def _compared(url: str, stores: dict[str, Copy]) -> None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            compare(connection, stores)
    finally:
        engine.dispose()


def tool(name: str) -> str:
    """The path of a PostgreSQL program: the newest installed one. Raises ``BackupError`` when there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4].split(".")[0]))
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        raise BackupError(
            f"{name} is not installed (Debian package postgresql-client)", f"{name} belum terpasang (paket postgresql-client)"
        )
    return found


def _run(url: str, name: str, *words: str) -> None:
    """Run a PostgreSQL program on a database. Its password travels by environment, never by command line."""
    parsed = make_url(url)
    done = subprocess.run(
        [tool(name), *(() if "--list" in words else _where(parsed)), *words], check=False, capture_output=True, text=True,
        env={**os.environ, "PGPASSWORD": parsed.password or os.environ.get("PGPASSWORD", "")}, stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        said = next((line for line in done.stderr.splitlines() if line.strip()), f"exit code {done.returncode}")
        raise BackupError(f"{name}: {said}", f"{name}: {said}")


def _where(url: URL) -> Sequence[str]:
    words = [f"--host={url.host or 'localhost'}", f"--port={url.port or 5432}", "--no-password"]
    if url.username:
        words.append(f"--username={url.username}")
    return words
