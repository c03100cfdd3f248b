"""What the tests of the drawings share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-snapshots`` writes the snapshot files anew."""
    parser.addoption("--update-snapshots", action="store_true", help="write the snapshots of drawings anew")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium without a connection to anywhere."""
    import shutil

    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs Chromium on the PATH")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()
