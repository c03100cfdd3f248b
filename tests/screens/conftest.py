"""The toy wall of the live layer, for the faults of screens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.live.conftest import Served, context, served, wall

PATIENCE, PLAYWRIGHTS = 20_000, 5_000
"""Milliseconds: the machine may be busy; what is told by the clock says so itself."""


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=PLAYWRIGHTS)


__all__ = ["Served", "context", "served", "wall"]
