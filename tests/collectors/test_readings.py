"""Readings: the guards that cases have, and a dry run that writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from dashboard.cases import Outcome
from dashboard.store.tables import reading
from tests.agency_api import Agency, rows
from tests.collectors.conftest import NOW, Site

FIELDS = {
    "metric": {"value": "satisfaction"}, "scope": "unit", "period": {"from": "bulan", "format": "%Y-%m"}, "grain": {"value": "month"},
    "value": {"from": "nilai", "missing": ["-"]},
}


def found(count: int, **more: Any) -> list[dict[str, Any]]:
    """Values as an agency publishes them."""
    return [{"unit": f"U{n}", "bulan": "2026-10", "nilai": 80 + n / 10, "terbit": "2026-11-02 08:00", **more} for n in range(count)]


@pytest.fixture
def here(agency: Agency, site: Callable[..., Site]) -> Site:
    """A source of readings that tells its total and when it was published."""
    published = {"from": "terbit", "format": "%Y-%m-%d %H:%M"}
    options = {"url": agency.url("/a"), "records": "data", "total": "total"}
    return site(connector="rest", feeds="readings", options=options, fields={**FIELDS, "published_at": published})


def stored(here: Site) -> int:
    """How many readings there are."""
    return int(here.value(select(func.count()).select_from(reading)))


def test_a_dry_run_of_readings_counts_and_writes_nothing(agency: Agency, here: Site) -> None:
    agency.answers["/a"] = rows(found(20))
    result = here.run(dry_run=True)
    assert (result.outcome, result.rows_read, result.rows_new, stored(here)) == (Outcome.OK, 20, 20, 0)
    here.run()
    agency.answers["/a"] = rows([*found(19), {"unit": "U19", "bulan": "2026-10", "nilai": 1}, {"unit": "X", "bulan": "kapan", "nilai": 1}])
    result = here.run(dry_run=True)
    assert (result.outcome, result.rows_new, result.rows_changed, result.rows_rejected) == (Outcome.PARTIAL, 0, 1, 1)
    assert stored(here) == 20


def test_readings_of_which_none_can_be_mapped_are_another_format_and_the_last_good_ones_stay(agency: Agency, here: Site) -> None:  # B15 I3
    agency.answers["/a"] = rows(found(20))
    here.run()
    agency.answers["/a"] = rows(found(20, bulan="Oktober"))
    result = here.run()
    assert result.outcome is Outcome.CHANGED
    assert "no row can be mapped: period" in result.en
    assert stored(here) == 20


def test_fewer_readings_than_the_source_tells_are_no_complete_read(agency: Agency, here: Site) -> None:  # C5
    agency.answers["/a"] = lambda request: request.json({"data": found(20), "total": 25})
    result = here.run()
    assert result.outcome is Outcome.UNAVAILABLE
    assert "5 of 25 rows" in result.en


def test_a_source_that_stops_telling_when_it_published_does_not_look_fresh(agency: Agency, here: Site) -> None:  # E8 I3
    agency.answers["/a"] = rows(found(20))
    here.run()
    until = here.state.data_until
    assert until == int((NOW - timedelta(days=22, hours=4)).timestamp())
    agency.answers["/a"] = rows(found(20, terbit=None))
    here.now += timedelta(days=1)
    here.run()
    assert here.state.data_until == until
