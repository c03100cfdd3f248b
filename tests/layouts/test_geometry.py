"""V14, V15, V29, V31: every declared scene in Chromium: nothing is cut, overlaps, leaves the screen or is under its size.

Discovered from ``screens.toml``: a new scene is measured without a line here. ``make test`` takes the five kinds of data on
three screens in Indonesian and the extremes in English; ``make long`` every example in both languages at every size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.layouts.geometry import (
    HD,
    SCREENS,
    SMALL,
    TALL,
    UHD,
    WIDE,
    Stage,
    View,
    by_example,
    by_kind,
    examine,
    scenes,
    stage,
)

pytestmark = pytest.mark.browser
ZOOMS = (0.8, 0.9, 1.1, 1.25, 1.5, 1.75, 2.0)
RATIOS = (1.0, 1.5, 2.0)
BOXES = """() => [...document.querySelectorAll('.tile, .strip, .alarm, .head, .rows, .fig, h2')]
  .map((e) => e.getBoundingClientRect()).map((b) => [b.x, b.y, b.width, b.height].map((v) => Math.round(v * 10) / 10))"""


@pytest.fixture
def on(browser: Browser, tmp_path: Path) -> Iterator[Stage]:
    """A stage for views."""
    with stage(browser, tmp_path) as found:
        yield found


def views(scene: str, *kinds: str, languages: tuple[str, ...] = ("id",)) -> list[View]:
    """Views of a scene with these kinds of data, or all."""
    return [view for view in by_kind(languages) if view.scene == scene and (not kinds or view.kind in kinds)]


@pytest.mark.parametrize("scene", scenes())
def test_v29_a_scene_holds_every_kind_of_data_on_every_form_of_screen(on: Stage, scene: str) -> None:
    """V14 too: the four forms of screen."""
    assert [fault for view in views(scene) for fault in examine(on, view, (HD, TALL, WIDE), looks=("",))] == []


@pytest.mark.parametrize("scene", scenes())
@pytest.mark.long
def test_a_scene_holds_when_the_connection_is_lost_or_the_browsers_clock_says_stale(on: Stage, scene: str) -> None:
    chosen = views(scene, "short", "troubled")
    assert [fault for view in chosen for fault in examine(on, view, (HD, TALL), looks=("lost", "by-clock"))] == []


@pytest.mark.parametrize("scene", scenes())
def test_v31_a_scene_holds_in_english(on: Stage, scene: str) -> None:
    chosen = views(scene, "short", "long", "partly", languages=("en",))
    assert [fault for view in chosen for fault in examine(on, view, (HD, TALL), looks=("",))] == []


@pytest.mark.parametrize("scene", scenes())
@pytest.mark.long
def test_v14_a_scene_holds_at_every_zoom(on: Stage, scene: str) -> None:
    assert [fault for view in views(scene, "short") for fault in examine(on, view, (HD, SMALL), zooms=(0.8, 2.0), looks=("",))] == []


@pytest.mark.parametrize("scene", scenes())
def test_v15_every_pixel_ratio_has_the_same_layout_and_nothing_is_drawn_in_pixels(on: Stage, scene: str) -> None:
    on.open(views(scene, "short")[0])
    boxes = []
    for ratio in RATIOS:
        on.size(HD, ratio=ratio)
        boxes.append(on.page.evaluate(BOXES))
    assert boxes[0] == boxes[1] == boxes[2]
    assert on.page.locator("img, canvas, video").count() == 0


@pytest.mark.long
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("scene", scenes())
def test_v29_v31_a_scene_holds_every_example_at_every_size_in_both_languages(on: Stage, scene: str, language: str) -> None:
    chosen = [view for view in by_example((language,)) if view.scene == scene]
    assert [fault for view in chosen for fault in examine(on, view, SCREENS)] == []


@pytest.mark.long
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("scene", scenes())
def test_v14_v15_a_scene_holds_at_every_zoom_and_pixel_ratio_in_both_languages(on: Stage, scene: str, language: str) -> None:
    chosen = views(scene, languages=(language,))
    assert [fault for view in chosen for fault in examine(on, view, (HD, TALL, SMALL), zooms=ZOOMS, looks=("",))] == []
    assert [fault for view in chosen for fault in examine(on, view, (HD, UHD, WIDE), ratios=RATIOS[1:], looks=("",))] == []
