"""The suite that every connector inherits: one line in the table, and it is tried in good days and bad."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

import collectors.runner  # noqa: F401  (registers the connectors)
from collectors.connector import CONNECTORS
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable
from tests.agency_api import Agency
from tests.collectors import labs
from tests.collectors.conftest import Readings
from tests.servers import mariadb, postgres

TABLE: dict[str, tuple[str, Any]] = {  # a connector's name → the way in, by the table's line
    "rest": ("rest", labs.Rest),
    "ckan": ("ckan", labs.Ckan),
    "open311 JSON": ("open311", labs.Open311),
    "open311 XML": ("open311", labs.Open311Xml),
    "antrean": ("antrean", labs.Antrean),
    "sql on SQLite": ("sql", labs.SqliteFile),
    "sql on MariaDB": ("sql", labs.Maria),
    "sql on PostgreSQL": ("sql", labs.Postgres),
    "tabular CSV": ("tabular", labs.Csv),
    "tabular XLSX": ("tabular", labs.Xlsx),
    "tabular by address": ("tabular", labs.CsvByAddress),
}


@pytest.fixture(scope="module")
def maria() -> Iterator[labs.Maria]:
    with mariadb() as server:
        lab = labs.Maria(server)
        lab.prepare()
        yield lab


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Postgres]:
    with postgres() as url:
        lab = labs.Postgres(int(url.rpartition(":")[2].partition("/")[0]))
        lab.prepare(tmp_path_factory.mktemp("pg"))
        yield lab


@pytest.fixture(params=list(TABLE))
def lab(request: pytest.FixtureRequest, agency: Agency, reading: Readings) -> Any:
    """A way in, from the table."""
    kind = TABLE[request.param][1]
    of_module = {labs.Maria: "maria", labs.Postgres: "postgresql"}
    return request.getfixturevalue(of_module[kind]) if kind in of_module else kind(agency, reading.drop)


def test_every_connector_has_its_line_in_the_table() -> None:
    assert {name for name, _ in TABLE.values()} == set(CONNECTORS)


@pytest.mark.parametrize("count", [1, 7001])
def test_all_rows_come_and_come_again(lab: Any, reading: Readings, count: int) -> None:
    options = lab.good(count)
    first = reading.rows(lab.kind, options, labs.WANTED)
    assert [(row["id"], row["masuk"]) for row in first] == [(row["id"], row["masuk"]) for row in labs.made(count)]
    assert reading.rows(lab.kind, options, labs.WANTED) == first


def test_an_empty_source_gives_no_rows_and_no_error(lab: Any, reading: Readings) -> None:
    assert reading.rows(lab.kind, lab.good(0), labs.WANTED) == []


@pytest.mark.parametrize(("fault", "errors", "outcomes"), [
    ("unreachable", SourceUnavailable, {"unavailable"}),
    ("refused", (SourceRejected, SourceChanged), {"rejected", "changed"}),
    ("malformed", SourceChanged, {"changed"}),
])
def test_a_fault_has_its_name_in_both_languages_and_no_secret_in_it(
    lab: Any, reading: Readings, fault: str, errors: Any, outcomes: set[str]
) -> None:
    options = getattr(lab, fault)()
    with pytest.raises(errors) as caught:
        reading.rows(lab.kind, options, labs.WANTED)
    error = caught.value
    assert error.outcome in outcomes
    assert error.step in ("connect", "read", "parse")
    assert error.id != error.en
    for text in (error.en, error.id, str(error)):
        assert labs.SECRET not in text
        assert "Canary" not in text


def test_a_source_that_never_ends_is_left_at_the_deadline(lab: Any, reading: Readings) -> None:
    options = lab.stuck()
    began = time.monotonic()
    with pytest.raises(CollectError):
        reading.rows(lab.kind, options, labs.WANTED, deadline=time.monotonic() + 1.5)
    assert time.monotonic() - began < 6


@pytest.mark.short("rest", "sql on SQLite")
def test_rows_stream_so_that_memory_does_not_grow_with_the_source(lab: Any, reading: Readings) -> None:
    count = getattr(lab, "huge", labs.HUGE) if lab.streams else 2_000
    options = lab.good(count)
    held = getattr(lab, "agency", None)
    tracemalloc.start()
    try:
        seen = 0
        for page in CONNECTORS[lab.kind].read(reading(lab.kind, options, labs.WANTED, deadline=time.monotonic() + 120)):
            seen += len(page.rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == count
    assert peak < (24 if held is None else 40) * 1_048_576


def test_a_reader_who_stops_early_leaves_nothing_open(lab: Any, reading: Readings) -> None:
    pages = CONNECTORS[lab.kind].read(reading(lab.kind, lab.good(7001), labs.WANTED))
    assert next(iter(pages)).rows
    began = time.monotonic()
    pages.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 2


def test_an_address_outside_the_sources_network_is_not_reached(lab: Any, reading: Readings) -> None:
    options = lab.good(1)
    outside = reading(lab.kind, options, labs.WANTED, networks=())
    reaches = lab.kind == "rest" or ("url" in options and not options["url"].startswith("sqlite"))
    error: CollectError | None = None
    try:
        list(CONNECTORS[lab.kind].read(outside))
    except SourceChanged as err:
        error = err
    assert (error is not None) is reaches
    assert "private" in (error.en if error else "private")


def test_the_connectors_tell_columns_or_stay_silent_and_never_values_of_unwanted_ones(lab: Any, reading: Readings) -> None:
    page = reading.pages(lab.kind, lab.good(3), labs.WANTED)[0]
    assert page.columns in (None, frozenset({"id", "masuk", "nama"}))
    assert page.columns is None or all(set(row) == labs.WANTED for row in page.rows)


