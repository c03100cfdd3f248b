"""A tree of Dash components as a static page, with clock, ages and scene filled in as the browser's script would.

``python -m tests.layouts.static_page FOLDER`` writes the example walls as HTML, and as pictures with Chromium.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from dash.development.base_component import Component

from dashboard.words import Say
from layouts.panels import panel
from layouts.wall import instances, page
from tests.layouts import answers

ASSETS = Path(__file__).parents[2] / "assets"
CAMEL = {"viewBox", "preserveAspectRatio"}
NAMES = {"className": "class"}
VOID = {"br", "img"}
LOST_AT = answers.AT - 90


def as_json(tree: Any) -> Any:
    """The JSON form of a tree: what the live layer sends."""
    if isinstance(tree, Component):
        return as_json(tree.to_plotly_json())
    if isinstance(tree, dict):
        return {key: as_json(value) for key, value in tree.items()}
    return [as_json(each) for each in tree] if isinstance(tree, list | tuple) else tree


def prefixed(tree: Any, prefix: str) -> Any:
    """The JSON tree with every id prefixed."""
    if isinstance(tree, list):
        return [prefixed(each, prefix) for each in tree]
    if not isinstance(tree, dict):
        return tree
    changed = {key: prefixed(value, prefix) for key, value in tree.items()}
    if "props" in tree and "id" in tree["props"]:
        changed["props"]["id"] = f"{prefix}--{tree['props']['id']}"
    return changed


def _attribute(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    return name if name in CAMEL else re.sub(r"[A-Z]", lambda found: "-" + found[0].lower(), name)


def _style(value: dict[str, Any]) -> str:
    return ";".join(f"{_attribute(key)}:{each}" for key, each in value.items())


def to_html(tree: Any, say: Say) -> str:
    """HTML of a JSON tree."""
    if tree is None:
        return ""
    if isinstance(tree, list):
        return "".join(to_html(each, say) for each in tree)
    if not isinstance(tree, dict):
        return html.escape(str(tree))
    tag, props = tree["type"], dict(tree["props"])
    tag = tag[0].lower() + tag[1:] if tree["namespace"] == "dash_svg" else tag.lower()
    inside = to_html(props.pop("children", None), say)
    inside += _filled_by_the_browser(props, say)
    attributes = []
    for name, value in props.items():
        written = _style(value) if name == "style" else value
        if written is True:
            attributes.append(name)
        elif written is not None and written is not False:
            attributes.append(f'{_attribute(name)}="{html.escape(str(written))}"')
    return f"<{tag} {' '.join(attributes)}>{inside}</{tag}>"


def _filled_by_the_browser(props: dict[str, Any], say: Say) -> str:
    texts = {"clock": say.time(answers.AT), "date": say.date(answers.AT), "lost-since": say.time(LOST_AT)}
    if "data-live" in props:
        return texts[props["data-live"]]
    since = props.get("data-age-since")
    told = say.duration(answers.AT - int(since)) if since else ""
    return " ".join(told.split()[:2]) if props.get("data-age-short") else told


def seen(tree: Any, scene: str, number: int, *, by_clock: bool) -> Any:
    """The tree with one scene and page shown, and every slot stale by the browser's clock if so asked."""
    if isinstance(tree, list):
        return [seen(each, scene, number, by_clock=by_clock) for each in tree]
    if not isinstance(tree, dict):
        return tree
    changed = {key: seen(value, scene, number, by_clock=by_clock) for key, value in tree.items()}
    if "data-scene" in tree:
        shown = " is-shown" if tree["data-scene"] == scene else ""
        changed["className"] = tree["className"].removesuffix(" is-shown") + shown
    if "data-page-shown" in tree:
        changed["data-page-shown"] = str(number)
    if by_clock and "data-panel" in tree:
        changed["className"] = tree["className"] + " is-stale-by-clock"
    return changed


def document(
    chosen: dict[str, Any],
    *,
    screen: str = "west",
    scene: str = "today",
    number: int = 1,
    language: str = "id",
    lost: bool = False,
    by_clock: bool = False,
) -> str:
    """A whole page: ``chosen`` maps a panel to its answer. ``by_clock``: the browser itself says that all is stale."""
    regency = answers.regency()
    declared = regency.screens[screen].model_copy(update={"language": language})
    say = Say(regency, language)
    drawn = {
        each.id: prefixed(as_json(panel(each.panel).draw(chosen[each.panel], say)), each.id)
        for each in instances(regency, declared)
    }
    tree = seen(as_json(page(regency, declared, drawn, say)), scene, number, by_clock=by_clock)
    body = to_html(tree, say)
    sheets = "".join(f'<link rel="stylesheet" href="{path.as_uri()}">' for path in sorted(ASSETS.glob("*.css")))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Wall</title>{sheets}</head>'
        f'<body class="{"is-lost" if lost else ""}">{body}</body></html>'
    )


def choose(**names: str) -> dict[str, Any]:
    """The answers of every panel: the example called ``normal``, or the one named for it."""
    return {name: examples[names.get(name, "normal")] for name, examples in answers.EXAMPLES.items()}


def tiles(*figures: str) -> dict[str, str]:
    """Four examples of figures for the four headline tiles."""
    return dict(zip(("received_today", "completed_today", "on_time_today", "overdue_now"), figures, strict=True))


def topic(scene: str, example: str) -> dict[str, Any]:
    """Everything normal but the panels of a scene, which show one example where they have it."""
    names = [declared.panel for declared in answers.regency().scenes[scene].panels]
    return choose(**{name: example for name in names if example in answers.EXAMPLES[name]})


CALM = {
    "needs_attention": "calm-after",
    "overall_state": "calm",
    "alarm_strip": "calm-after",
    "sources_strip": "other-value",
}
TROUBLE = {"needs_attention": "critical", "overall_state": "critical", "alarm_strip": "critical"}
LONG = {"needs_attention": "long", "overall_state": "critical", "alarm_strip": "long", "sources_strip": "many"}

PAGES: dict[str, dict[str, Any]] = {
    "today": {"chosen": choose(**tiles("normal", "without", "partial", "warning"))},
    "calm": {"chosen": choose(**tiles("normal", "other-value", "normal", "zero"), **CALM)},
    "lost": {"chosen": choose(**tiles("stale", "normal", "offline", "warning"), **TROUBLE), "lost": True},
    "out": {
        "chosen": choose(
            **tiles("stale-many", "silent", "stale-yesterday", "offline"), **TROUBLE, received_rolling="stale"
        )
    },
    "nothing": {
        "chosen": choose(
            **tiles("none", "loading", "too-few", "suppressed"),
            received_rolling="none",
            needs_attention="calm",
            alarm_strip="calm",
            overall_state="calm",
            sources_strip="one",
        )
    },
    "nothing-2": {
        "chosen": choose(
            **tiles("not-provided", "not-applicable", "no-band", "late"),
            received_rolling="no-band",
            needs_attention="one",
            sources_strip="none",
        )
    },
    "big": {"chosen": choose(**tiles("huge", "large", "thousands", "partial-many"), **LONG, received_rolling="huge")},
    "odd": {"chosen": choose(**tiles("attention", "critical", "below", "far-outside"), received_rolling="evening")},
    "by-clock": {"chosen": choose(**tiles("normal", "without", "none", "offline")), "by_clock": True},
    "agencies": {"chosen": choose(), "scene": "agencies"},
    "agencies-by-clock": {"chosen": choose(), "scene": "agencies", "by_clock": True},
    "agencies-odd": {"chosen": choose(agencies="odd"), "scene": "agencies"},
    "agencies-lost": {"chosen": choose(agencies="odd", **TROUBLE), "scene": "agencies", "lost": True},
    "agencies-unconnected": {"chosen": choose(), "scene": "agencies", "number": 2},
    "agencies-many": {"chosen": choose(agencies="many"), "scene": "agencies", "number": 5},
    "ecosystem": {"chosen": choose(), "scene": "ecosystem"},
    "ecosystem-problems": {"chosen": choose(ecosystem="every-problem"), "scene": "ecosystem"},
    "ecosystem-many": {"chosen": choose(ecosystem="many"), "scene": "ecosystem", "number": 2},
    "ecosystem-long": {"chosen": choose(ecosystem="long-names"), "scene": "ecosystem"},
    "ecosystem-unconnected": {"chosen": choose(ecosystem="all-unconnected"), "scene": "ecosystem", "number": 2},
    "ecosystem-lost": {"chosen": choose(**TROUBLE), "scene": "ecosystem", "lost": True},
    "ecosystem-by-clock": {"chosen": choose(ecosystem="many"), "scene": "ecosystem", "by_clock": True},
    "ecosystem-en": {"chosen": choose(ecosystem="every-problem"), "scene": "ecosystem", "language": "en"},
    "complaints": {"chosen": choose(), "scene": "complaints"},
    "complaints-calm": {"chosen": topic("complaints", "calm"), "scene": "complaints"},
    "complaints-many": {"chosen": topic("complaints", "many"), "scene": "complaints"},
    "complaints-late": {"chosen": topic("complaints", "late"), "scene": "complaints"},
    "complaints-partial": {"chosen": topic("complaints", "partial"), "scene": "complaints"},
    "complaints-stale": {"chosen": topic("complaints", "stale"), "scene": "complaints"},
    "complaints-offline": {"chosen": topic("complaints", "offline"), "scene": "complaints"},
    "complaints-none": {"chosen": topic("complaints", "none"), "scene": "complaints"},
    "complaints-by-clock": {"chosen": choose(), "scene": "complaints", "by_clock": True},
    "complaints-lost": {"chosen": choose(**TROUBLE), "scene": "complaints", "lost": True},
    "complaints-en": {"chosen": topic("complaints", "many"), "scene": "complaints", "language": "en"},
    "mall": {"chosen": choose(), "scene": "mall"},
    "mall-night": {"chosen": topic("mall", "night"), "scene": "mall"},
    "mall-long": {"chosen": topic("mall", "long"), "scene": "mall"},
    "mall-long-2": {"chosen": topic("mall", "long"), "scene": "mall", "number": 2},
    "mall-untold": {"chosen": topic("mall", "untold-counters"), "scene": "mall"},
    "mall-partial": {"chosen": topic("mall", "partial"), "scene": "mall"},
    "mall-stale": {"chosen": topic("mall", "stale"), "scene": "mall"},
    "mall-offline": {"chosen": topic("mall", "offline"), "scene": "mall"},
    "mall-none": {"chosen": topic("mall", "none"), "scene": "mall"},
    "mall-by-clock": {"chosen": choose(), "scene": "mall", "by_clock": True},
    "mall-lost": {"chosen": choose(**TROUBLE), "scene": "mall", "lost": True},
    "mall-en": {"chosen": topic("mall", "long"), "scene": "mall", "language": "en"},
    "emergency": {"chosen": choose(), "scene": "emergency"},
    "emergency-calm": {"chosen": topic("emergency", "calm"), "scene": "emergency"},
    "emergency-untold": {"chosen": topic("emergency", "untold"), "scene": "emergency"},
    "emergency-long": {"chosen": topic("emergency", "long"), "scene": "emergency"},
    "emergency-partial": {"chosen": topic("emergency", "partial"), "scene": "emergency"},
    "emergency-stale": {"chosen": topic("emergency", "stale"), "scene": "emergency"},
    "emergency-offline": {"chosen": topic("emergency", "offline"), "scene": "emergency"},
    "emergency-none": {"chosen": topic("emergency", "none"), "scene": "emergency"},
    "emergency-by-clock": {"chosen": choose(), "scene": "emergency", "by_clock": True},
    "emergency-lost": {"chosen": choose(**TROUBLE), "scene": "emergency", "lost": True},
    "emergency-en": {"chosen": topic("emergency", "long"), "scene": "emergency", "language": "en"},
    "today-en": {"chosen": choose(**tiles("normal", "without", "partial", "warning")), "language": "en"},
    "out-en": {"chosen": choose(**tiles("stale-many", "silent", "stale-yesterday", "offline")), "language": "en"},
    "nothing-en": {"chosen": choose(**tiles("too-few", "not-applicable", "no-band", "late"), **CALM), "language": "en"},
    "agencies-en": {"chosen": choose(agencies="odd"), "scene": "agencies", "language": "en"},
}
"""The example walls: every state is on one of them."""

SIZES = {
    "hd": (1920, 1080, "west"), "uhd": (3840, 2160, "west"), "tall": (1080, 1920, "lobby"), "wide": (3840, 1080, "west"),
}
ONLY = {"uhd": ("today", "ecosystem", "complaints", "mall", "emergency"), "wide": ("complaints", "mall", "emergency")}
"""At these sizes not every example: the larger one is the smaller one scaled, and few walls are so wide."""


def main(folder: Path, wanted: list[str]) -> None:
    """Write the examples and their pictures into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    for name in wanted or PAGES:
        for size, (width, height, screen) in SIZES.items():
            if name not in ONLY.get(size, PAGES):
                continue
            path = folder / f"{name}-{size}.html"
            path.write_text(document(**{"screen": screen, **PAGES[name]}), encoding="utf-8")
            if chromium:
                subprocess.run(
                    [
                        chromium,
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--hide-scrollbars",
                        "--allow-file-access-from-files",
                        f"--window-size={width},{height}",
                        f"--screenshot={path.with_suffix('.png')}",
                        path.as_uri(),
                    ],
                    check=True,
                    capture_output=True,
                    timeout=60,
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
