"""The table of states: every one is drawn on `/wall/states`, by shape and word, in both languages."""

from __future__ import annotations

import pytest

from dashboard.live.frames import plain
from dashboard.queries.answers import Level, State
from layouts import states
from layouts.components.shapes import SHAPES
from tests.layouts import answers
from tests.layouts.test_panels import components, texts

TABLE = (
    "normal", "attention", "warning", "critical", "late", "stale", "silent", "offline", "partial", "none", "loading", "zero",
    "too_few", "suppressed", "not_applicable", "not_provided",
)


def test_every_state_and_level_is_drawn_in_the_order_of_the_table() -> None:
    assert tuple(each.key for each in states.EXAMPLES) == TABLE
    assert {state.value for state in State} | {level.value for level in Level} <= set(TABLE)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("example", states.EXAMPLES, ids=lambda each: each.key)
def test_v30_a_state_is_said_by_its_shape_and_its_word_and_its_meaning(example: states.Example, language: str) -> None:
    say = answers.say(language)
    number = states.EXAMPLES.index(example) // states.PER_PAGE + 1
    tree = states.tree(number, say)
    assert {say(example.word), say(f"states.meaning.{example.key}")} <= texts(tree)
    drawn = {name for props in components(tree) for name in str(props.get("className", "")).split() if name.startswith("shape-")}
    assert f"shape-{example.kind}" in drawn or example.kind == "zero"
    assert example.kind in SHAPES or example.kind == "zero"


@pytest.mark.parametrize("number", range(1, states.PAGES + 1))
def test_a_page_of_the_states_has_ids_of_its_own_and_no_script(number: int) -> None:
    ids = [props["id"] for props in components(plain(states.tree(number, answers.say()))) if "id" in props]
    assert len(ids) == len(set(ids))
    page = states.document(number, answers.say("en"), ["/wall/assets/wall.css"])
    assert "<script" not in page
    assert '<html lang="en">' in page


@pytest.mark.parametrize(
    ("path", "found"),
    [("", (1, "id")), ("2", (2, "id")), ("en", (1, "en")), ("en/3", (3, "en")), ("9", None), ("id/4", None)],
)
def test_a_page_of_the_states_is_asked_for_by_language_and_number(path: str, found: tuple[int, str] | None) -> None:
    assert states.asked(path, "id") == found
