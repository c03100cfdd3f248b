"""Figures stores for tests, on SQLite and on PostgreSQL: migrated once, then copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from dashboard.store.engine import migrate, open_engine
from tests.servers import postgres

EMPTY = "figures_empty"


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite store without data, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "figures.db"
    engine = open_engine(f"sqlite:///{file}", "figures")
    migrate(engine, "figures")
    engine.dispose()  # the last connection folds the write-ahead log into the file
    return file


@pytest.fixture(scope="session")
def empty_database() -> Iterator[str]:
    """The address of a PostgreSQL with a migrated store to be copied (database ``figures_empty``)."""
    with postgres() as url:
        _command(url, f"CREATE DATABASE {EMPTY}")
        engine = open_engine(_database(url, EMPTY), "figures")
        migrate(engine, "figures")
        engine.dispose()
        yield url


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _command(url: str, words: str) -> None:
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(words))
    admin.dispose()


@pytest.fixture
def sqlite_engine(empty_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty figures store of the test's own, on SQLite."""
    file = tmp_path / "figures.db"
    shutil.copy(empty_file, file)
    engine = open_engine(f"sqlite:///{file}", "figures")
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(empty_database: str, tmp_path: Path) -> Iterator[Engine]:
    """An empty figures store of the test's own, on PostgreSQL."""
    name = f"test_{abs(hash(str(tmp_path)))}"
    _command(empty_database, f"CREATE DATABASE {name} TEMPLATE {EMPTY}")
    engine = open_engine(_database(empty_database, name), "figures")
    yield engine
    engine.dispose()
    _command(empty_database, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty figures store, on each of the two databases."""
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found
