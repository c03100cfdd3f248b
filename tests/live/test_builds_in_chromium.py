"""A server of another build or layout: every wall takes it once, at the end of a scene, past every cache (V18, V19, V32)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from config.loading import load
from config.settings import SHIPPED
from dashboard.serve import ASSETS, ROOT, build_id, wall_zone
from tests.live import toy
from tests.live.conftest import Served

FIGURE = "#figure--value"
NOTED = """
  const set = Storage.prototype.setItem, shown = () => document.querySelector("[data-scene].is-shown")?.dataset.scene;
  let seen = null;
  setInterval(() => { seen = shown(); }, 100);
  Storage.prototype.setItem = function (key, value) {
    if (key === "reloads") set.call(localStorage, "left", JSON.stringify([...JSON.parse(localStorage.getItem("left") || "[]"), [seen, shown()]]));
    return set.call(this, key, value);
  };
"""
"""Notes at each reload which scene was up a moment ago and which is up now."""


def _wall(context: BrowserContext, served: Served) -> tuple[Page, list[str]]:
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(served.pair()[1])
    page.locator("#slot-figure .tile").wait_for()
    return page, errors


@pytest.mark.browser
def test_a_new_build_reaches_a_wall_at_a_scenes_end_and_once_v18(context: BrowserContext, served: Served) -> None:
    """V18: between two scenes, after a time of the wall's own, and never again for the same build."""
    served.stop()
    served.start(dwell="3000", jitter="40000")
    context.add_init_script(NOTED + "Math.random = () => 0.02;")
    page, errors = _wall(context, served)
    served.stop()
    served.start(build="two", dwell="3000", jitter="40000")
    expect(page.locator("#live-page")).to_have_attribute("data-build", "two", timeout=40_000)
    page.wait_for_timeout(4000)
    left = page.evaluate("() => JSON.parse(localStorage.getItem('left'))")
    assert sorted(map(sorted, left)) == [["one", "two"]]
    assert errors == []


@pytest.mark.browser
def test_a_page_of_panels_that_are_gone_takes_the_new_layout_without_an_error_v19(
    context: BrowserContext, served: Served
) -> None:
    """V19: what an old page asks for does not exist any more; it reloads once instead of failing."""
    page, errors = _wall(context, served)
    served.stop()
    served.start(panels="figure")
    expect(page.locator("#slot-list")).to_have_count(0, timeout=30_000)
    assert page.request.get(f"{served.base}/wall/panel/list").status == 404
    toy.put(served.engines["figures"], "figure", "5")
    expect(page.locator(FIGURE)).to_have_text("5")
    assert page.evaluate("() => JSON.parse(sessionStorage.getItem('reloads')).length") == 1
    assert errors == []


@pytest.mark.browser
@pytest.mark.long
def test_a_changed_style_sheet_reaches_a_wall_past_its_cache_v32(
    context: BrowserContext, served: Served, tmp_path: Path
) -> None:
    """V32: assets are kept for ever under the hash of their content, so a changed one is another address."""
    assets = tmp_path / "assets"
    shutil.copytree(ASSETS, assets)
    served.stop()
    served.start(assets=str(assets))
    page, _ = _wall(context, served)
    expect(page.locator(FIGURE)).not_to_have_css("color", "rgb(1, 2, 3)")
    with (assets / "live.css").open("a", encoding="utf-8") as sheet:
        sheet.write("#figure--value { color: rgb(1, 2, 3) !important; }\n")
    served.stop()
    served.start(build="two", assets=str(assets))
    expect(page.locator(FIGURE)).to_have_css("color", "rgb(1, 2, 3)", timeout=30_000)


def test_a_changed_style_sheet_script_or_panel_is_another_build(tmp_path: Path) -> None:
    for folder in ("assets", "layouts", "dashboard/access"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("third_party", "__pycache__"))
    built = [build_id(tmp_path)]
    for changed in ("assets/scene-walls.css", "assets/receipts.js", "layouts/panels/walls.py"):
        with (tmp_path / changed).open("a", encoding="utf-8") as file:
            file.write("\n")
        built.append(build_id(tmp_path))
    assert len(set(built)) == 4


@pytest.mark.parametrize(("file", "before", "after"), [
    ("screens.toml", 'scenes = ["walls"]', 'scenes = ["ecosystem"]'),
    ("screens.toml", 'area = "walls"', 'area = "other"'),
    ("words/id.toml", 'lost = "PUTUS"', 'lost = "TERPUTUS"'),
])
def test_changed_screens_and_words_are_another_layout(tmp_path: Path, file: str, before: str, after: str) -> None:
    declared = {
        "regency.toml": f'extends = "{SHIPPED}"\n', "words/id.toml": '[wall]\nlost = "PUTUS"\n',
        "screens.toml": '[scenes.walls]\nname = { id = "a", en = "a" }\npanels = [{ panel = "walls", area = "walls" }]\n'
                        '[scenes.ecosystem]\nname = { id = "b", en = "b" }\npanels = [{ panel = "ecosystem", area = "e" }]\n'
                        '[screens.west]\nname = "w"\nscenes = ["walls"]\n',
    }
    for name, text in declared.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    one = wall_zone(load(tmp_path)).plans["west"].layout
    (tmp_path / file).write_text(declared[file].replace(before, after), encoding="utf-8")
    assert wall_zone(load(tmp_path)).plans["west"].layout != one
