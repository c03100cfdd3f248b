"""The periods that hold many instants at once are those of each of them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.clock import floors
from dashboard.store.contributions import starts

INSTANTS = st.lists(st.integers(0, 4_000_000_000), max_size=50)


@pytest.mark.parametrize("name", ["Asia/Makassar", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
@given(instants=INSTANTS)
def test_starts_of_an_array_are_the_floors_of_each_instant(name: str, instants: list[int]) -> None:
    zone = ZoneInfo(name)
    found = np.column_stack(starts(np.array(instants, dtype=np.int64), zone))
    assert [tuple(row) for row in found.tolist()] == [floors(at, zone)[1:] for at in instants]


@pytest.mark.parametrize("name", ["America/Los_Angeles", "Australia/Lord_Howe"])
def test_on_the_days_on_which_clocks_change_too(name: str) -> None:
    zone = ZoneInfo(name)
    instants = np.arange(1_710_000_000, 1_735_000_000, 1_717, dtype=np.int64)  # March to December 2024
    found = np.column_stack(starts(instants, zone))
    assert [tuple(row) for row in found.tolist()] == [floors(at, zone)[1:] for at in instants.tolist()]
