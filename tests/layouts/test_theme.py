"""Colours and sizes: css and Python agree, and everything can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layouts import theme
from layouts.components.shapes import SHAPES, sheet

ASSETS = Path(__file__).parents[2] / "assets"
TOKENS = (ASSETS / "tokens.css").read_text(encoding="utf-8")
WALL_CSS = (ASSETS / "wall.css").read_text(encoding="utf-8")
SURFACES = ("bg", "tile", "raised", "void")
TEXT = ("ink-2", "ink-3", "normal", "attention", "warning", "critical", "stale", "offline", "suppressed")
MARKS = ("mark", "mark-2", "mark-strong", "band-edge")


def block(selector: str) -> str:
    """The declarations after a selector of tokens.css."""
    start = TOKENS.index(selector)
    return TOKENS[start : TOKENS.index("}", start)]


@pytest.mark.parametrize(
    ("selector", "colours"),
    [
        ('[data-theme="wall"]', theme.WALL),
        ('[data-theme="review"]', theme.REVIEW),
    ],
)
def test_css_and_python_have_the_same_colours(selector: str, colours: dict[str, str]) -> None:
    assert dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block(selector))) == colours


def test_css_and_python_have_the_same_sizes() -> None:
    sizes = {name: int(size) for name, size in re.findall(r"--(fs-[\w-]+): calc\((\d+) \* var\(--px\)\)", TOKENS)}
    assert sizes == theme.SIZES


@pytest.mark.parametrize("under", SURFACES)
@pytest.mark.parametrize(
    ("role", "floor"),
    [
        *[(role, theme.FIGURE_FLOOR) for role in ("ink", "stale-figure")],
        *[(role, theme.TEXT_FLOOR) for role in TEXT],
        *[(role, theme.MARK_FLOOR) for role in MARKS],
    ],
)
def test_a_colour_of_the_wall_can_be_read_on_every_surface(role: str, floor: float, under: str) -> None:
    assert theme.contrast(theme.WALL[role], theme.WALL[under]) >= floor


@pytest.mark.parametrize("role", ["attention", "warning", "critical", "ink"])
def test_ink_on_a_filled_state_can_be_read(role: str) -> None:
    assert theme.contrast(theme.WALL["on-state"], theme.WALL[role]) >= theme.TEXT_FLOOR


def test_the_shapes_of_the_states_differ_from_each_other() -> None:
    drawn = [(shape.fill, shape.line) for name, shape in SHAPES.items() if name != "normal"]
    assert len(set(drawn)) == len(drawn)


def test_the_style_sheet_of_the_shapes_is_what_python_draws() -> None:
    assert (ASSETS / "shapes.css").read_text(encoding="utf-8") == sheet(), "run python -m layouts.components.shapes"


def test_the_wall_has_no_size_outside_its_own_pixel() -> None:
    sizes = re.findall(r"font-size: ([^;}]+)", WALL_CSS)
    outside = [size for size in sizes if "--px" not in size and "--fs" not in size and not size.strip().endswith("em")]
    assert set(outside) == {"26px"}  # inside a viewBox, which has the same scale


def test_every_token_that_the_wall_uses_exists() -> None:
    used = set(re.findall(r"var\((--[\w-]+)\)", WALL_CSS))
    known = set(re.findall(r"(--[\w-]+):", TOKENS + WALL_CSS)) | {"--areas", "--areas-tall"}  # a scene's own, set by layouts/wall.py
    assert used - known == set()


def test_nothing_moves_and_nothing_comes_from_outside() -> None:
    assert re.findall(r"animation|transition|@import|https?:", WALL_CSS + TOKENS) == []
