"""The worked declarations below config/examples: each passes check, and says which connector it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.connector import CONNECTORS
from collectors.runner import run_source
from config.loading import load
from config.settings import SHIPPED
from dashboard.checking import check
from layouts.panels import names

EXAMPLES = sorted(path.parent for path in (SHIPPED / "examples").glob("*/regency.toml"))
assert run_source  # importing it registers the connectors


@pytest.mark.parametrize("folder", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_an_example_passes_check_and_connects_somebody(folder: Path) -> None:
    options = {kind: CONNECTORS[kind].options for kind in CONNECTORS}
    assert [str(error) for error in check(folder, options_of=options, panels=names())] == []
    assert load(folder).sources


def test_there_are_examples_of_the_connectors_that_are_not_in_the_demo() -> None:
    shown = {source.connector for folder in EXAMPLES for source in load(folder).sources.values()}
    assert {"ckan", "open311", "antrean"} <= shown
