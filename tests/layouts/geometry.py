"""Every declared scene as it would be seen, and what is wrong with it: measured in Chromium by boxes (``geometry.js``).

Scenes are discovered from ``screens.toml``, answers from ``answers.EXAMPLES``: a new scene or example is covered at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page

from layouts.theme import SIZES as TEXT_SIZES
from tests.layouts import answers
from tests.layouts.static_page import document

FAULTS = (Path(__file__).parent / "geometry.js").read_text(encoding="utf-8")
HD, UHD, TALL, WIDE, SMALL = (1920, 1080), (3840, 2160), (1080, 1920), (3840, 1080), (1280, 720)
SCREENS = (HD, UHD, TALL, WIDE, SMALL)
"""Pixels of the screens that a wall is shown on."""

KINDS = {
    "short": ("short", "one", "normal"),
    "long": ("long", "long-names", "huge", "many", "big", "large"),
    "empty": ("empty", "none", "nobody", "nothing", "calm", "all-unconnected", "loading", "zero"),
    "partly": ("partly", "old", "partial", "partial-many", "without", "odd", "too-few", "suppressed"),
    "troubled": ("troubled", "trouble", "critical", "every-problem", "stale", "offline", "stale-many", "silent"),
}
"""Kind of data → names of examples that are of it; a panel without one shows its ``normal``."""
LOOKS = ("", "lost", "by-clock")
"""The connection as it is, lost, and every panel stale by the browser's own clock."""


@dataclass(frozen=True)
class View:
    """A scene with chosen examples in one language."""

    scene: str
    kind: str
    language: str
    chosen: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.scene}-{self.kind}-{self.language}"


def panels_of(scene: str) -> tuple[str, ...]:
    """The panels of a scene with those of header and footer, each once, in declared order."""
    declared = [each.panel for each in answers.regency().scenes[scene].panels]
    return tuple(dict.fromkeys([*declared, "overall_state", "alarm_strip"]))


def scenes() -> tuple[str, ...]:
    """Every scene that is declared."""
    return tuple(answers.regency().scenes)


def _of_kind(panel: str, kind: str, place: int) -> str:
    examples = answers.EXAMPLES[panel]
    fitting = [name for name in KINDS[kind] if name in examples] or ["normal" if "normal" in examples else next(iter(examples))]
    return fitting[place % len(fitting)]


def by_kind(languages: tuple[str, ...] = ("id", "en")) -> Iterator[View]:
    """Every scene with each kind of data; tiles that share their examples show different ones."""
    for scene, kind, language in product(scenes(), KINDS, languages):
        yield View(scene, kind, language, tuple((name, _of_kind(name, kind, at)) for at, name in enumerate(panels_of(scene))))


def by_example(languages: tuple[str, ...] = ("id", "en")) -> Iterator[View]:
    """Every scene so often that each example of each of its panels was seen."""
    for scene, language in product(scenes(), languages):
        panels = panels_of(scene)
        for turn in range(max(len(answers.EXAMPLES[name]) for name in panels)):
            chosen = ((name, list(answers.EXAMPLES[name])) for name in panels)
            named = tuple((name, names[(turn + 3 * at) % len(names)]) for at, (name, names) in enumerate(chosen))
            yield View(scene, f"example{turn}", language, named)


class Stage:
    """A page of Chromium that shows views at any size, zoom and pixel ratio."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.path = page, folder / "wall.html"
        self.client: CDPSession = page.context.new_cdp_session(page)

    def open(self, view: View) -> int:
        """Show a view; how many pages its scene has."""
        chosen = {name: answers.EXAMPLES[name][example] for name, example in view.chosen}
        html = document(chosen, scene=view.scene, scenes=(view.scene,), language=view.language)
        self.path.write_text(html, encoding="utf-8")
        self.page.goto(self.path.as_uri())
        self.page.evaluate("() => document.fonts.ready.then(() => 0)")
        return int(self.page.evaluate(
            "() => Math.max(1, ...[...document.querySelectorAll('.scene [data-page]')].map(e => Number(e.dataset.page)))"
        ))

    def size(self, screen: tuple[int, int], *, zoom: float = 1, ratio: float = 1) -> float:
        """The screen's pixels, the browser's zoom, the pixel ratio; returns one pixel of a 1080p wall in CSS pixels."""
        width, height = round(screen[0] / zoom), round(screen[1] / zoom)
        self.client.send("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": zoom * ratio, "mobile": False,
        })
        long, short = max(width, height), min(width, height)
        return min(long / 1920, short / 1080)

    def look(self, look: str, page: int) -> None:
        """Lost or not, stale by the clock or not, and which page of the scene."""
        self.page.evaluate("""([look, page]) => {
          document.body.classList.toggle('is-lost', look === 'lost');
          for (const e of document.querySelectorAll('[data-panel]')) e.classList.toggle('is-stale-by-clock', look === 'by-clock');
          document.querySelector('.scene').dataset.pageShown = String(page);
        }""", [look, page])

    def faults(self, pixel: float, *, cut_allowed: bool) -> list[str]:
        """What is wrong with what is seen."""
        found: list[str] = self.page.evaluate(FAULTS, {"floor": TEXT_SIZES["fs-min"] * pixel, "cutAllowed": cut_allowed})
        return found


@contextmanager
def stage(browser: Browser, folder: Path) -> Iterator[Stage]:
    """A stage in a context of its own."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    yield Stage(context.new_page(), folder)
    context.close()


def examine(
    on: Stage, view: View, screens: tuple[tuple[int, int], ...], *, zooms: tuple[float, ...] = (1.0,), ratios: tuple[float, ...] = (1.0,),
    looks: tuple[str, ...] = LOOKS,
) -> list[str]:
    """All that is wrong with a view at these sizes, each with where it was seen."""
    pages = on.open(view)
    found = []
    for screen, zoom, ratio in product(screens, zooms, ratios):
        pixel = on.size(screen, zoom=zoom, ratio=ratio)
        for look, page in product(looks, range(1, pages + 1)):
            on.look(look, page)
            where = f"{view} {screen[0]}x{screen[1]} zoom {zoom:g} ratio {ratio:g} {look or 'connected'} page {page}"
            found += [f"{where}: {fault}" for fault in on.faults(pixel, cut_allowed=view.kind not in ("short", "empty", "partly", "troubled"))]
    return found
