"""The bench itself: every measurement can be imported, and, in its small form, comes to an end with figures."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.bench.__main__ import NAMES
from tests.bench.lines import Options


@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_is_there(name: str) -> None:
    assert callable(import_module(f"tests.bench.{name}").measure)


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.servers
@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_comes_to_an_end_in_its_small_form(name: str) -> None:
    lines = import_module(f"tests.bench.{name}").measure(Options(full=False, quick=True))
    assert lines
    assert all(line.what and line.measured and line.method for line in lines)
