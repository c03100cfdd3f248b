"""V31: every shown word is in both languages, and none is in the code, the style sheets or the scripts."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.layouts import answers
from tests.layouts.geometry import View, by_kind
from tests.layouts.static_page import document

ROOT = Path(__file__).parents[2]
SAME_IN_BOTH = {"NORMAL", "normal", "Status", "Command Center", "Data", "data", "MB", "rupiah"}
"""Words that are the same in Indonesian and English."""
ON_SCENES = ("wall.", "panels.", "alarms.", "outcomes.", "times.", "units.")
SHOWN_BY = ("title", "alt", "placeholder", "aria-label", "label", "content")
FIELD, LETTER = re.compile(r"\{\w*\}"), re.compile("[A-Za-z]")


def leaves(language: str) -> dict[str, str]:
    """Dotted key → shown word, of the words that screens show."""

    def walk(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", str(value)

    return dict(walk(tomllib.loads((ROOT / f"config/words/{language}.toml").read_text(encoding="utf-8")), ""))


WORDS = {language: leaves(language) for language in ("id", "en")}


def seen(view: View) -> set[str]:
    """The texts of a view's page."""
    chosen = {name: answers.EXAMPLES[name][example] for name, example in view.chosen}
    page = document(chosen, scene=view.scene, scenes=(view.scene,), language=view.language)
    return {unescape(text).strip() for text in re.findall(r">([^<>]+)<", page)}


def test_both_languages_fill_in_the_same_names() -> None:
    names = {language: {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in words.items()} for language, words in WORDS.items()}
    assert names["id"] == names["en"]


def test_no_word_was_left_untranslated() -> None:
    same = {key: FIELD.sub("", text).strip() for key, text in WORDS["id"].items() if WORDS["en"][key] == text}
    assert {key: text for key, text in same.items() if LETTER.search(text) and text not in SAME_IN_BOTH} == {}


@pytest.mark.parametrize("view", [view for view in by_kind(("id",)) if view.kind in ("partly", "troubled", "empty")], ids=str)
def test_v31_a_scene_speaks_one_language(view: View) -> None:
    only = {
        language: {
            text for key, text in WORDS[language].items() if key.startswith(ON_SCENES) and "{" not in text and len(text) > 2
        } - set(WORDS[other].values())
        for language, other in (("id", "en"), ("en", "id"))
    }
    assert seen(view) & only["en"] == set()
    assert seen(View(view.scene, view.kind, "en", view.chosen)) & only["id"] == set()


def shown_literals(tree: ast.AST) -> Iterator[str]:
    """Text that is given to an element: its children, at any depth of lists, and what is read aloud."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func
        if isinstance(name, ast.Attribute) and getattr(name.value, "id", "") in ("html", "svg", "el"):
            yield from _texts(node.args[0] if node.args else None)
            yield from (text for word in node.keywords if word.arg in (*SHOWN_BY, "children") for text in _texts(word.value))
        if isinstance(name, ast.Name) and name.id in ("aria", "data"):
            yield from (text for word in node.keywords if word.arg == "label" for text in _texts(word.value))


def _texts(value: ast.AST | None) -> Iterator[str]:
    if isinstance(value, ast.List | ast.Tuple):
        for each in value.elts:
            yield from _texts(each)
    elif isinstance(value, ast.Starred):
        yield from _texts(value.value)
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.BinOp):
        yield from _texts(value.left)
        yield from _texts(value.right)
    elif isinstance(value, ast.JoinedStr):
        yield from (str(part.value) for part in value.values if isinstance(part, ast.Constant))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value


@pytest.mark.parametrize("path", sorted((ROOT / "layouts").rglob("*.py")), ids=lambda path: path.stem)
def test_v31_no_shown_word_stands_in_a_drawing(path: Path) -> None:
    found = shown_literals(ast.parse(path.read_text(encoding="utf-8")))
    assert [text for text in found if re.search(r"[A-Za-z]{2}", text)] == []


def test_a_word_in_a_drawing_would_be_found() -> None:
    code = "el.div([el.span('Halo' if a else b), *[f'{n} kasus'], 'menit ' + x], **aria(label='hari ini'))"
    assert {text.strip() for text in shown_literals(ast.parse(code))} == {"Halo", "kasus", "menit", "hari ini"}


@pytest.mark.parametrize("path", sorted((ROOT / "assets").glob("*.css")), ids=lambda path: path.name)
def test_no_shown_word_stands_in_a_style_sheet(path: Path) -> None:
    found = re.findall(r"""content:\s*["']([^"']*)["']""", path.read_text(encoding="utf-8"))
    assert [text for text in found if re.search(r"[A-Za-z]{2}", text)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "assets").glob("*.js")), ids=lambda path: path.name)
def test_no_shown_word_stands_in_a_script_of_the_wall(path: Path) -> None:
    found = re.findall(r"""(?:textContent|innerText|innerHTML|title)\s*=\s*["'`]([^"'`]*)["'`]""", path.read_text(encoding="utf-8"))
    assert [text for text in found if re.search(r"[A-Za-z]{2}", text)] == []


def test_numbers_dates_and_the_zone_are_right_in_both_languages() -> None:
    at = answers.AT
    said = {
        language: (say.number(1234567.5, 1), say.percent(94.2), say.clock(at), say.date(at), say.moment(at - 86400, at), say.duration(3900))
        for language in ("id", "en") for say in [answers.say(language)]
    }
    assert said["id"] == ("1.234.567,5", "94,2%", "10.53 WITA", "Selasa, 24 November 2026", "23 Nov 10.53", "1 jam 5 menit")
    assert said["en"] == ("1,234,567.5", "94.2%", "10:53 WITA", "Tuesday, 24 November 2026", "23 Nov 10:53", "1 hour 5 minutes")
