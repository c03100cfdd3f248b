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


GUIDES = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("operasi.md", "operations.md")]
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def headings(text: str) -> list[int]:
    """The levels of the headings, in order."""
    return [len(found) for found in re.findall(r"^(#+) ", FENCED.sub("", text), re.MULTILINE)]


def named(text: str) -> list[str]:
    """Commands of ours that a text names, in order: after ``command-center``, as the path of a program or alone."""
    return re.findall(r"(?:^|`|&& |/)command-center ([a-z]+(?: [a-z]+)?)", text, re.MULTILINE)


def test_both_guides_have_the_same_headings_tables_and_commands() -> None:
    first, second = GUIDES
    assert headings(first) == headings(second)
    assert first.count("\n|") == second.count("\n|")
    assert named(first) == named(second)


@pytest.mark.parametrize("text", GUIDES, ids=["id", "en"])
def test_every_command_that_a_guide_names_exists(text: str) -> None:
    known = commands()
    assert named(text)
    assert [words for words in named(text) if words not in known and words.split()[0] not in known] == []


@pytest.mark.parametrize("text", GUIDES, ids=["id", "en"])
def test_a_guide_explains_every_alarm_of_the_system_itself(text: str) -> None:
    code = (ROOT / "dashboard" / "alarms" / "stores.py").read_text(encoding="utf-8")
    rules = set(re.findall(r'"(disk_(?:full|read_only)|rebuilt\w*|store_\w+|declarations_wrong|no_backup)"', code)) | {"disk_low"}
    assert len(rules) >= 9
    assert rules == set(re.findall(r"^\| `(\w+)` \|", text.split("\n## ")[-1], re.MULTILINE))


@pytest.mark.parametrize("text", GUIDES, ids=["id", "en"])
def test_links_and_anchors_of_a_guide_lead_somewhere(text: str) -> None:
    anchors = {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert [link for link in links if link.startswith("#") and link[1:] not in anchors] == []
    assert [link for link in links if not link.startswith("#") and not (ROOT / "docs" / link).exists()] == []


@pytest.mark.parametrize("text", GUIDES, ids=["id", "en"])
def test_the_weights_in_a_guide_are_those_that_are_reckoned_with(text: str) -> None:
    from dashboard.installing import sizing

    table = text.replace("bita", "bytes")
    for weight in (sizing.CASE_BYTES, sizing.REVISION_BYTES, sizing.CELL_BYTES, sizing.RUN_BYTES):
        assert f"| {weight} bytes |" in table


@pytest.mark.parametrize("text", GUIDES, ids=["id", "en"])
def test_every_word_of_readyz_is_explained(text: str) -> None:
    from dashboard.live import readiness

    for word in (readiness.READY, readiness.STARTING, readiness.STORES, readiness.VERSION, readiness.DISK):
        assert f"`{word}`" in text
