"""Can the wall be read: what `check` computes without a browser, and that a browser measures the same."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from config.declarations import Regency, Screen
from config.loading import load
from config.settings import SHIPPED
from layouts import theme
from layouts.colours import distance
from layouts.components.shapes import SHAPES
from layouts.legibility import LEVELS, arcminutes, legibility, of_folder, readable_to
from layouts.sheets import rules, shipped, split_selectors, text_classes, tokens
from tests.layouts import answers
from tests.layouts.geometry import HD, TALL, UHD, WIDE, by_kind, stage

WEST = Screen(name="Dinding", scenes=("today",))
MEASURED = (Path(__file__).parent / "legibility.js").read_text(encoding="utf-8")


def judged(regency: Regency | None = None, css: str = "", **more: Any) -> list[tuple[str, str, bool]]:
    """(file, key, warning) of everything found; ``css`` is a sheet of a scene's own, after the shipped ones."""
    added = rules([("scene-extra.css", css)])
    return [
        (error.file, error.key, error.warning)
        for error in legibility(regency or answers.regency(), [*shipped(), *added], shapes=more.get("shapes", SHAPES))
    ]


def refused(found: list[tuple[str, str, bool]]) -> list[tuple[str, str]]:
    return [(file, key) for file, key, warning in found if not warning]


def with_screen(**changes: Any) -> Regency:
    """The example regency with one screen, changed."""
    return answers.regency().model_copy(update={"screens": {"west": WEST.model_copy(update=changes)}})


@pytest.mark.parametrize(("pixels", "metres", "arc"), [(120, 5, 38.1), (64, 5, 20.3), (52, 5, 16.5), (26, 2.5, 16.5), (28, 5, 8.9)])
def test_a_capital_has_the_arcminutes_of_the_mock_ups_table(pixels: float, metres: float, arc: float) -> None:
    assert arcminutes(pixels, WEST, metres) == pytest.approx(arc, abs=0.06)


def test_a_4k_screen_of_the_same_size_shows_the_same_and_a_larger_one_is_read_from_farther() -> None:
    uhd, large = WEST.model_copy(update={"pixels": (3840, 2160)}), WEST.model_copy(update={"millimetres": (1660.0, 934.0)})
    assert arcminutes(52, uhd, 5) == pytest.approx(arcminutes(52, WEST, 5))
    assert readable_to(52, large) == pytest.approx(readable_to(52, WEST) * 1660 / 1218, rel=0.01)


def test_what_is_shipped_can_be_read_and_far_text_under_twenty_is_said() -> None:
    found = of_folder(load(SHIPPED), SHIPPED)
    assert [error for error in found if not error.warning] == []
    assert {error.key for error in found} >= {"screens.west.farthest_metres", "screens.lobby.farthest_metres"}


@pytest.mark.parametrize(
    "changes", [{"farthest_metres": 8.0}, {"millimetres": (700.0, 394.0)}, {"pixels": (3840, 1080)}],
    ids=["sits too far", "small screen", "half the height"],
)
def test_far_text_under_sixteen_arcminutes_is_refused_with_the_figure_and_what_to_do(changes: dict[str, Any]) -> None:
    regency = with_screen(**changes)
    found = [error for error in legibility(regency, shipped(), shapes=SHAPES) if not error.warning]
    assert {error.key for error in found} == {"screens.west.farthest_metres"}
    assert {error.file for error in found} == {"screens.toml"}
    assert all("at least 16: let the farthest viewer sit within" in error.message for error in found)
    assert all("sedikitnya 16: dudukkan penonton terjauh dalam" in error.message_id for error in found)


def test_a_scene_with_a_nearer_viewer_is_judged_by_it() -> None:
    regency = answers.regency()
    far = regency.scenes["ecosystem"].model_copy(update={"farthest_metres": None})
    screens = {"west": WEST.model_copy(update={"scenes": ("ecosystem",)})}
    assert refused(judged(regency.model_copy(update={"screens": screens}))) == []
    without = regency.model_copy(update={"screens": screens, "scenes": {**regency.scenes, "ecosystem": far}})
    assert refused(judged(without)) == [("screens.toml", "screens.west.farthest_metres")]


@pytest.mark.parametrize(
    ("css", "key"),
    [
        (".note { font-size: calc(20 * var(--px)); }", ".note"),
        (".big { --read: far; font-size: calc(20 * var(--px)); }", ".big"),
        (".odd { --read: nearly; font-size: var(--fs-xl); }", ".odd"),
        (".faint { color: var(--line); background: var(--tile); }", ".faint"),
        (".faint { color: #444444; background: #232f3c; }", ".faint"),
    ],
)
def test_a_style_sheet_that_cannot_be_read_is_refused_by_file_and_selector(css: str, key: str) -> None:
    assert refused(judged(css=css)) == [("assets/scene-extra.css", key)]


def test_a_far_text_of_every_scene_must_be_as_large_as_the_wall_asks() -> None:
    text = (Path(theme.__file__).parents[1] / "assets/wall.css").read_text(encoding="utf-8")
    smaller = text.replace(".need .n { --read: far; font-size: var(--fs-far)", ".need .n { --read: far; font-size: var(--fs-title)")
    assert smaller != text
    sheets = [rule for rule in shipped() if rule.file != "wall.css"]
    found = legibility(answers.regency(), [*sheets, *rules([("wall.css", smaller)])], shapes=SHAPES)
    assert [(error.file, error.key) for error in found if not error.warning] == [("assets/wall.css", ".need .n")]


@pytest.mark.parametrize(
    ("token", "colour"), [("ink", "#8a8a8a"), ("ink-3", "#566573"), ("mark-2", "#3b4b5c"), ("warning", "#ff8a60"), ("critical", "#e8c050")]
)
def test_a_colour_that_cannot_be_read_or_told_apart_is_refused_by_its_token(token: str, colour: str) -> None:
    text = (Path(theme.__file__).parents[1] / "assets/tokens.css").read_text(encoding="utf-8")
    changed = text.replace(f"--{token}: {theme.WALL[token]}", f"--{token}: {colour}")
    sheets = [rule for rule in shipped() if rule.file != "tokens.css"]
    found = legibility(answers.regency(), [*sheets, *rules([("tokens.css", changed)])], shapes=SHAPES)
    assert any(error.file == "assets/tokens.css" and token in error.key + error.message for error in found if not error.warning)


def test_v30_a_state_without_a_shape_or_a_word_of_its_own_is_refused() -> None:
    regency = answers.regency()
    words = {language: {**regency.words[language]} for language in ("id", "en")}
    words["en"]["panels"] = {**words["en"]["panels"], "states": {**words["en"]["panels"]["states"], "stale": "offline"}}
    words["id"]["wall"] = {**words["id"]["wall"], "levels": {**words["id"]["wall"]["levels"], "critical": " "}}
    without = {name: shape for name, shape in SHAPES.items() if name != "late"}
    assert set(refused(judged(regency.model_copy(update={"words": words}), shapes=without))) == {
        ("layouts/components/shapes.py", "late"), ("words/en.toml", "panels.states.offline"), ("words/id.toml", "wall.levels.critical"),
    }


def test_v30_red_green_blind_eyes_tell_the_levels_apart_and_the_distances_are_the_mock_ups() -> None:
    found = [round(distance(theme.WALL["warning"], theme.WALL["critical"], eye)) for eye in ("normal", "deuteranopia", "protanopia")]
    assert found == [56, 30, 49]
    least = min(
        distance(theme.WALL[one], theme.WALL[other], eye)
        for one, other in combinations(LEVELS, 2) for eye in ("normal", "deuteranopia", "protanopia")
    )
    assert least >= 20


def test_long_short_names_are_said_once() -> None:
    regency = answers.regency()
    agency = next(iter(regency.agencies.values())).model_copy(update={"short_name": "Kec. Baebunta Selatan"})
    found = legibility(regency.model_copy(update={"agencies": {"a": agency}}), shipped(), shapes=SHAPES)
    assert [error.key for error in found if "Kec. Baebunta Selatan" in error.message] == ["short_name"]


def test_selectors_with_brackets_are_kept_whole() -> None:
    assert split_selectors(".a:is(.b, .c) > .d, .e") == [".a:is(.b, .c) > .d", ".e"]


def test_the_tokens_of_the_sheets_are_the_walls() -> None:
    found = tokens(shipped())
    assert {name: found[f"--{name}"] for name in theme.WALL} == theme.WALL


@pytest.mark.browser
@pytest.mark.parametrize("screen", [HD, UHD, TALL, WIDE], ids=["hd", "uhd", "tall", "wide"])
@pytest.mark.short("hd")
def test_a_browser_gives_every_text_the_size_and_the_reader_that_check_says(
    browser: Browser, tmp_path: Path, screen: tuple[int, int]
) -> None:
    classes = [
        {"selector": text.rule.selector, "media": text.rule.media, "pixels": text.pixels, "file": text.rule.file,
         "relative": "em" in text.rule.declared["font-size"]}
        for text in text_classes(shipped())
    ]
    readers = [
        {"selector": rule.selector, "media": rule.media, "reader": rule.declared["--read"].split()[0]}
        for rule in shipped() if "--read" in rule.declared
    ]
    with stage(browser, tmp_path) as on:
        for view in by_kind(("id",)):
            on.open(view)
            pixel = on.size(screen)
            found = on.page.evaluate(MEASURED, {"classes": classes, "readers": readers, "pixel": pixel})
            assert found["wrong"] == [], str(view)
            assert found["far"] >= 3, f"{view} shows hardly any far text"
            assert found["texts"] > 10
