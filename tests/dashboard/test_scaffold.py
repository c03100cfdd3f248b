"""What `new connector` and `new panel` make works as it is: its test passes in a copy of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.errors import ConfigError
from dashboard.scaffold import HOME, new_connector, new_panel


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree without what is not part of it."""
    for name in ("collectors", "config", "dashboard", "layouts", "tests", "assets"):
        shutil.copytree(HOME / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy(HOME / "pyproject.toml", tmp_path)
    return tmp_path


def test_what_is_made_passes_its_own_test_and_the_linter(copy: Path) -> None:
    made = [*new_connector("sistem_baru", copy), *new_panel("pertanyaan_baru", copy)]
    tests = [str(path) for path in made if path.name.startswith("test_")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests], cwd=copy, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(copy)},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-500:]
    assert "....." in done.stdout
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", *(str(path) for path in made if path.suffix == ".py")]
    assert subprocess.run(ruff, cwd=copy, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("name", ["rest", "../x", "Nama", "a b", ""])
def test_a_name_that_is_taken_or_none_is_refused(copy: Path, name: str) -> None:
    before = sorted(copy.rglob("*.py"))
    with pytest.raises(ConfigError):
        new_connector(name, copy)
    assert sorted(copy.rglob("*.py")) == before
