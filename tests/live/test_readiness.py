"""`/readyz` of a real process: 200 and "ready" only when screens can be served, else one word that says what is missing."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashboard.live.readiness import Readiness
from tests.disks import fill, remount, small_disk
from tests.live.conftest import Served


def asked(served: Served, path: str = "/readyz") -> tuple[int, str]:
    """(status, body)."""
    try:
        with urllib.request.urlopen(served.base + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as err:
        return err.code, err.read().decode()


def becomes(served: Served, status: int, word: str, seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while (found := asked(served)) != (status, word):
        assert time.monotonic() < ends, found
        time.sleep(0.1)


def changed(served: Served, store: str, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(served.folder / "var" / f"{store}.sqlite", timeout=20)) as connection:
        connection.execute(statement)
        connection.commit()


def test_ready_is_said_only_when_all_panels_spoke_and_the_process_lives_all_along(served: Served) -> None:
    assert asked(served) == (200, "ready")
    assert asked(served, "/healthz") == (200, "ok")


def test_until_every_panel_said_something_it_is_starting(engine: Engine) -> None:
    spoke = False
    readiness = Readiness({"figures": engine}, lambda: spoke)
    assert readiness.word() == "starting"
    spoke = True
    assert readiness.word() == "ready"


@pytest.mark.parametrize("store", ["figures", "people", "recordings"])
@pytest.mark.short("figures")
def test_a_store_that_is_gone_is_not_ready_and_ready_again_when_it_is_back(served: Served, store: str) -> None:
    file = served.folder / "var" / f"{store}.sqlite"
    file.rename(file.with_suffix(".away"))
    becomes(served, 503, "stores")
    assert asked(served, "/healthz") == (200, "ok")
    file.with_suffix(".away").rename(file)
    becomes(served, 200, "ready")


@pytest.mark.parametrize("store", ["figures", "people", "recordings"])
@pytest.mark.short("figures")
def test_a_store_of_another_version_is_not_ready(served: Served, store: str) -> None:
    changed(served, store, "UPDATE alembic_version SET version_num = 'x' || version_num")
    becomes(served, 503, "version")
    changed(served, store, "UPDATE alembic_version SET version_num = substr(version_num, 2)")
    becomes(served, 200, "ready")


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Iterator[Served]:
    with small_disk(tmp_path / "var", 64):
        found = Served(tmp_path)
        try:
            found.start()
            yield found
        finally:
            found.close()


def test_a_full_disk_is_not_ready_although_the_screens_go_on(on_a_small_disk: Served) -> None:
    served = on_a_small_disk
    ballast = fill(served.folder / "var", leave=200_000)
    becomes(served, 503, "disk")
    assert asked(served, "/healthz") == (200, "ok")
    ballast.unlink()
    becomes(served, 200, "ready")


def test_a_disk_that_takes_no_writes_is_not_ready(on_a_small_disk: Served) -> None:
    served = on_a_small_disk
    for engine in served.engines.values():
        engine.dispose()
    served.kill()
    served.start()
    served.kill()
    remount(served.folder / "var", "ro")
    readiness = Readiness(served.engines, lambda: True)
    assert readiness.word() == "disk"
    remount(served.folder / "var", "rw")
