"""docs/faults.md: every fault of the catalogue once, and what it says to show it exists; of screens, that it names the fault."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-FV]\d+) \| ([^|]+) \| (.+) \|$", TABLE, re.MULTILINE)
COUNTS = {"A": 26, "B": 31, "C": 14, "D": 9, "E": 11, "F": 22, "V": 32}
EXPECTED = [f"{group}{number}" for group, count in COUNTS.items() for number in range(1, count + 1)]
SHOWN = sorted({test for _, _, where in ROWS for test in re.findall(r"\*shown\* `([^`]+)`", where)})
OF_SCREENS = [(id_, test) for id_, _, where in ROWS if id_[0] == "V" for test in re.findall(r"\*shown\* `([^`]+)`", where)]
LABS = sorted({lab for _, _, where in ROWS for lab in re.findall(r"\*lab\* `([^`]+)`", where)})


@lru_cache
def words_of(file: Path) -> dict[str, str]:
    """The test functions of a file, those of classes too: name → name and docstring in words."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name: f"{node.name} {ast.get_docstring(node) or ''}".replace("_", " ").lower() for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_each_of_the_145_faults_has_one_row_in_order() -> None:
    assert len(EXPECTED) == 113 + 32
    assert [id_ for id_, _, _ in ROWS] == EXPECTED
    assert max(Counter(id_ for id_, _, _ in ROWS).values()) == 1


@pytest.mark.parametrize(("id_", "where"), [(id_, where) for id_, _, where in ROWS])
def test_a_fault_is_shown_or_in_the_lab_or_open_with_a_reason(id_: str, where: str) -> None:
    assert re.match(r"\*shown\* `tests/|\*lab\* `tests/lab/[\w.]+`: .{8,}|\*open\*: .{8,}", where), f"{id_}: {where}"


@pytest.mark.parametrize("test", SHOWN)
def test_a_test_that_shows_a_fault_exists(test: str) -> None:
    file, _, name = test.partition("::")
    assert name.partition("[")[0] in words_of(ROOT / file)


@pytest.mark.parametrize(("id_", "test"), OF_SCREENS)
def test_a_test_that_shows_a_fault_of_screens_names_it(id_: str, test: str) -> None:
    file, _, name = test.partition("::")
    assert re.search(rf"\b{id_.lower()}\b", words_of(ROOT / file)[name.partition("[")[0]])


@pytest.mark.parametrize("lab", LABS)
def test_a_script_of_the_lab_exists(lab: str) -> None:
    assert (ROOT / lab).is_file()
