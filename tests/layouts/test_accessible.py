"""V30: axe-core finds nothing serious or critical on any scene, nor on the page of the states; nothing moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from layouts import states
from layouts.theme import SIZES
from tests.axe import findings
from tests.layouts import answers
from tests.layouts.geometry import FAULTS, HD, SMALL, TALL, UHD, WIDE, by_kind, scenes, stage

pytestmark = pytest.mark.browser
SHEETS = [path.as_uri() for path in sorted((Path(states.__file__).parents[1] / "assets").glob("*.css"))]
MOVING = """() => [...document.querySelectorAll("body *")].filter((e) => { const s = getComputedStyle(e);
  return s.animationName !== "none" || parseFloat(s.transitionDuration) > 0; }).length + document.getAnimations().length"""


@pytest.mark.parametrize("scene", scenes())
def test_v30_axe_finds_nothing_serious_on_a_scene(browser: Browser, tmp_path: Path, scene: str) -> None:
    chosen = [view for view in by_kind() if view.scene == scene and view.kind in ("partly", "troubled")]
    with stage(browser, tmp_path) as on:
        for view in chosen:
            on.open(view)
            assert findings(on.page) == [], str(view)
        assert on.page.evaluate(MOVING) == 0


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("number", range(1, states.PAGES + 1))
def test_v30_the_page_of_the_states_holds_at_every_size_and_axe_finds_nothing_serious(
    browser: Browser, tmp_path: Path, number: int, language: str
) -> None:
    path = tmp_path / "states.html"
    path.write_text(states.document(number, answers.say(language), SHEETS), encoding="utf-8")
    with stage(browser, tmp_path) as on:
        on.page.goto(path.as_uri())
        on.page.evaluate("() => document.fonts.ready.then(() => 0)")
        for screen in (HD, UHD, TALL, WIDE, SMALL):
            found = on.page.evaluate(FAULTS, {"floor": SIZES["fs-min"] * on.size(screen), "cutAllowed": False})
            assert found == [], screen
        assert findings(on.page) == []
