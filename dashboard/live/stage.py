"""The zone of recordings: what the recorder keeps beside the panels, and the pages on which it is shown again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.access import pairing
from dashboard.live import replay_page
from dashboard.live.frames import encode
from dashboard.live.recorder import Surroundings
from dashboard.live.replaying import Replaying
from dashboard.live.zone import Zone, address
from dashboard.words import Say

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency
    from dashboard.guard import App


def surroundings(regency: Regency, zone: Zone, build: str, assets: Path) -> Surroundings:
    """What the recorder keeps beside the panels: each plan's page without panels, the style sheets of this build."""
    sheets = [path.read_bytes() for path in sorted(assets.glob("*.css")) if not path.name.startswith("replay.")]
    pages = {}
    for name, plan in zone.plans.items():
        screen = regency.screens.get(plan.screen or plan.name)
        pages[name] = encode({
            "page": zone.page(name, {}), "layout": plan.layout, "instances": plan.instances,
            "pixels": screen.pixels if screen else (1920, 1080), "language": screen.language if screen else "id",
        })
    return Surroundings(build, b"\n".join(sheets), pages)


def replay_zone(
    inner: App, regency: Regency, engines: Mapping[str, Engine], now: Callable[[], datetime], assets: Path
) -> Replaying:
    """The zone of recordings: its outer page and the one without a right, in both languages."""
    words = {language: regency.words[language]["replay"] for language in ("id", "en")}
    found = {name: address(assets, name) for name in ("tokens.css", "replay.css", "ages.js", "replay.js")}
    return Replaying(
        inner, recordings=engines["recordings"], figures=engines["figures"], people=engines["people"], regency=regency, now=now,
        page=replay_page.page(words, zone=regency.timezone, zone_name=Say(regency).zone_name, assets=found),
        entry=pairing.page("replay", {language: words[language]["enter"] for language in words}, asks=False),
        entry_policy=pairing.policy(),
    )
