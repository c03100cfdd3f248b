"""Every example wall in Chromium: nothing is cut, overlaps or leaves the screen, nothing is too small to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from layouts.theme import SIZES as TEXT_SIZES
from tests.layouts.geometry import FAULTS
from tests.layouts.static_page import ONLY, PAGES, SIZES, document

pytestmark = pytest.mark.browser
SCALES = {"hd": 1, "uhd": 2, "tall": 1, "wide": 1}
CASES = [(name, size) for name in PAGES for size in SIZES if name in ONLY.get(size, PAGES)]


def opened(browser: Any, tmp_path: Path, size: str, **chosen: Any) -> Any:
    """A page of Chromium with an example wall."""
    width, height, screen = SIZES[size]
    path = tmp_path / "wall.html"
    path.write_text(document(**{"screen": screen, **chosen}), encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.goto(path.as_uri())
    tab.evaluate("() => document.fonts.ready.then(() => 0)")
    return tab


@pytest.mark.parametrize(("name", "size"), CASES)
@pytest.mark.short("today", "lost")
def test_a_wall_can_be_read(browser: Any, tmp_path: Path, name: str, size: str) -> None:
    tab = opened(browser, tmp_path, size, **PAGES[name])
    faults = tab.evaluate(FAULTS, {"floor": TEXT_SIZES["fs-min"] * SCALES[size], "cutAllowed": True})
    tab.close()
    assert faults == []


def test_without_the_typeface_nothing_breaks(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "wall.html"
    path.write_text(
        document(**PAGES["today"]).replace("<body", "<style>:root{--font: 'DejaVu Sans'}</style><body"),
        encoding="utf-8",
    )
    tab = browser.new_page(viewport={"width": 1920, "height": 1080})
    tab.goto(path.as_uri())
    boxes = tab.evaluate(
        "() => [...document.querySelectorAll('.tile')].map(e => e.getBoundingClientRect())"
        ".map(b => [b.right, b.bottom])"
    )
    tab.close()
    assert max(right for right, _ in boxes) <= 1920
    assert max(bottom for _, bottom in boxes) <= 1080


def figures_of(tab: Any) -> list[str]:
    """The colours of the key figures that are seen."""
    found: list[str] = tab.evaluate(
        "() => [...document.querySelectorAll('.scene.is-shown .fig:not(.in-words)')]"
        ".filter(e => e.getClientRects().length)"
        ".map(e => getComputedStyle(e).color)"
    )
    return found


@pytest.mark.parametrize("name", ["lost", "out", "by-clock"])
def test_a_stale_or_frozen_figure_is_never_white(browser: Any, tmp_path: Path, name: str) -> None:
    tab = opened(browser, tmp_path, "hd", **PAGES[name])
    colours = figures_of(tab)
    tab.close()
    assert set(colours) == {"rgb(192, 203, 213)"}


def test_stale_by_the_browsers_clock_looks_as_stale_by_the_servers_word(browser: Any, tmp_path: Path) -> None:
    look = (
        "() => ['border', 'backgroundImage']"
        ".map(k => getComputedStyle(document.querySelector('#received_today--tile'))[k])"
        ".concat([...document.querySelectorAll('#received_today--tile > *')].map(e => getComputedStyle(e).display))"
    )
    server = opened(browser, tmp_path, "hd", **PAGES["out"])
    said = server.evaluate(look)
    server.close()
    clock = opened(browser, tmp_path, "hd", **PAGES["by-clock"])
    counted = clock.evaluate(look)
    clock.close()
    assert counted == said


def test_the_standard_is_at_one_place_in_every_row(browser: Any, tmp_path: Path) -> None:
    tab = opened(browser, tmp_path, "hd", **PAGES["agencies"])
    places = tab.evaluate(
        "() => [...document.querySelectorAll('.scene-agencies [data-page=\"1\"] .standard')]"
        ".map(e => Math.round(e.getBoundingClientRect().left))"
    )
    tab.close()
    assert len(places) == 6
    assert len(set(places)) == 1
