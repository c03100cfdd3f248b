"""The documents name what exists, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import collectors.runner  # noqa: F401  (registers the connectors)
from collectors.connector import CONNECTORS
from dashboard.__main__ import app
from dashboard.metrics import METRICS
from layouts.panels import names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text between a heading of level 2 or 3 and the next one."""
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##+ |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, f"README has no section {heading!r}"
    return found[1]


def listed(heading: str) -> set[str]:
    """The names in the first column of the section's table."""
    return set(re.findall(r"^\| `([^`]+)`", section(heading), re.MULTILINE))


def commands() -> set[str]:
    """Every command of the command line, sub-commands as "device add"."""
    plain = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    nested = {
        f"{group.name} {command.name}" for group in app.registered_groups
        for command in (group.typer_instance.registered_commands if group.typer_instance else [])
    }
    alone = {
        str(group.name) for group in app.registered_groups
        if group.typer_instance and group.typer_instance.info.invoke_without_command is True
    }
    return plain | nested | alone


@pytest.mark.parametrize(("heading", "exists"), [
    ("Commands", commands()),
    ("Connectors", set(CONNECTORS)),
    ("Metrics", set(METRICS)),
    ("Panels", set(names())),
])
def test_the_readme_lists_what_exists_and_no_other(heading: str, exists: set[str]) -> None:
    assert listed(heading) == exists


def test_every_make_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    texts = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z]+)`", texts))
    assert named
    assert named <= targets


def test_files_that_the_documents_name_exist() -> None:
    texts = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:dashboard|collectors|layouts|assets|config|tests|docs)/[\w./-]+\.\w+)`", texts))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
