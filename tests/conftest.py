"""Fixtures that every test may use: a figures store on each engine, a fixed instant, the shared data's place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine, text

from dashboard.store.engine import migrate, open_engine
from tests.servers import postgres

NOW = datetime(2026, 11, 24, 2, 53, tzinfo=UTC)
"""Tuesday, 24 November 2026, 10.53 WITA: the instant of the mock-ups."""


settings.register_profile("suite", deadline=None)  # a timed test fails when the machine is busy, not when the code is wrong
settings.load_profile("suite")

CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]


SLOWEST = (
    "test_killed_writes.py", "test_soak.py", "test_many_updates.py", "test_killed.py", "test_unmarked_stale.py", "test_real_data.py",
    "test_geometry.py", "test_upgrade.py", "test_power_cut.py", "test_pictures.py", "test_replay_in_chromium.py", "test_bench.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-snapshots`` writes the snapshots of drawings anew."""
    parser.addoption("--update-snapshots", action="store_true", help="write the snapshots of drawings anew")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Variants that the mark ``short`` does not name, by a value or by the whole id, are ``long``. The slowest files come first,
    so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: SLOWEST.index(item.path.name) if item.path.name in SLOWEST else len(SLOWEST))
    for item in items:
        chosen, made = item.get_closest_marker("short"), getattr(item, "callspec", None)
        if chosen is None:
            continue
        names = {made.id, *(str(value) for value in made.params.values())} if made is not None else set()
        if not names & set(chosen.args):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium: one for the whole session, for a thread can hold only one Playwright."""
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("needs /usr/bin/chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield found
        found.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One PostgreSQL for the session."""
    with postgres() as url:
        yield url


ENGINES = ("sqlite", "postgresql")


def _empty(request: pytest.FixtureRequest, folder: Path, store: str) -> Iterator[Engine]:
    """An empty store of this name: a SQLite file, or a PostgreSQL schema."""
    url = f"sqlite:///{folder / store}.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        before = open_engine(url, store)
        with before.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {store} CASCADE"))
        before.dispose()
    made = open_engine(url, store)
    migrate(made, store)
    yield made
    made.dispose()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty figures store, on each engine."""
    yield from _empty(request, tmp_path, "figures")


@pytest.fixture(params=ENGINES)
def people(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty people store, on each engine."""
    yield from _empty(request, tmp_path, "people")


@pytest.fixture(params=ENGINES)
def recordings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty recordings store, on each engine."""
    yield from _empty(request, tmp_path, "recordings")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_machine() -> None:
    """The suite sees no settings of the machine that it runs on."""
    for name in [name for name in os.environ if name.startswith("COMMAND_CENTER_") and name != "COMMAND_CENTER_SHARED"]:
        del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
