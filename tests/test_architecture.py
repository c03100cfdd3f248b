"""The walls of the house: import contracts, file sizes, no print, no shown word outside the words files."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("dashboard", "collectors", "layouts", "config")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)
LONGEST_FILE = 400


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_function_and_class_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = [
        node.name for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_importing_the_panels_loads_neither_requests_nor_the_scheduler() -> None:
    code = (
        "import sys, importlib, layouts.panels\n"
        "[importlib.import_module('layouts.panels.' + n) for n in layouts.panels.names()]\n"
        "sys.exit([m for m in ('requests', 'apscheduler', 'collectors') if m in sys.modules] != [])"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_importing_the_runner_loads_neither_dash_nor_pandas() -> None:
    code = "import sys, collectors.runner\nsys.exit([m for m in ('dash', 'plotly', 'pandas') if m in sys.modules] != [])"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_no_registry_address_and_no_path_of_a_machine_is_in_the_tree() -> None:
    needles = ("pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "deb." + "debian", "/" + "work/")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = [
        (name, needle) for name in files if (ROOT / name).is_file()
        for needle in needles if needle.encode() in (ROOT / name).read_bytes()
    ]
    assert found == []
