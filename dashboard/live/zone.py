"""A zone of screens as the live layer sees it: its instances, what each screen shows, and the first paint of a page."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.live.frames import Tree, digest, encode, is_component
from dashboard.live.hub import ScreenPlan
from dashboard.live.snapshot import Instance, Said
from dashboard.timetable import Modes

MARK = "live-page"
"""The id of the element that tells the page who it is: screen, build, layout."""


@dataclass(frozen=True)
class Zone:
    """``plans`` by their names; ``page(plan, drawn)`` gives the JSON tree of a whole page around the drawn panels (by instance).

    ``modes``: what the groups of screens are in; without it every screen is always in the same.
    """

    name: str
    instances: tuple[Instance, ...]
    plans: Mapping[str, ScreenPlan]
    page: Callable[[str, Mapping[str, Tree]], Tree]
    modes: Modes | None = None


def layout_hash(declared: Any, empty_page: Tree) -> str:
    """The name of a layout: what is declared of a screen and everything around its panels."""
    return digest(encode([declared, empty_page]))[:16]


class Pages:
    """The first paint of every plan: the page with what its panels say now, encoded once for each state."""

    def __init__(self, zone: Zone, build: str) -> None:
        self.zone, self.build = zone, build
        self._kept: dict[str, tuple[Mapping[str, Said], bytes, bytes]] = {}

    def layout(self, name: str, states: Mapping[str, Said]) -> Tree:
        """The page's JSON tree, every slot marked with the shape and the limits of what it holds."""
        plan = self.zone.plans[name]
        drawn = {each: states[each].drawn.tree for each in plan.instances if each in states}
        tree = _marked(self.zone.page(name, drawn), states)
        mark = {"type": "Div", "namespace": "dash_html_components", "props": {
            "id": MARK, "hidden": True, "data-build": self.build, "data-layout": plan.layout,
            "data-screen": plan.screen or plan.name, "data-audience": plan.audience,
        }}
        return {"type": "Div", "namespace": "dash_html_components", "props": {"id": "page", "children": [tree, mark]}}

    def body(self, name: str, states: Mapping[str, Said]) -> tuple[bytes, bytes]:
        """The same as JSON, and gzipped; made anew only when a state changed since."""
        kept = self._kept.get(name)
        if kept is None or kept[0] is not states:
            body = encode(self.layout(name, states))
            kept = self._kept[name] = (states, body, gzip.compress(body, 5, mtime=0))
        return kept[1], kept[2]


def _marked(value: Any, states: Mapping[str, Said]) -> Any:
    if isinstance(value, list):
        return [_marked(item, states) for item in value]
    if not is_component(value):
        return value
    props = value["props"]
    said = states.get(props.get("data-panel", "")) if str(props.get("id", "")).startswith("slot-") else None
    if said is not None:
        marks = {"data-shape": said.drawn.shape, "data-seq": said.seq, "data-said": said.said, "data-late": said.late,
                 "data-stale": said.stale}
        if said.failed:
            marks["data-failed"] = "1"
        return {**value, "props": {**props, **{key: item for key, item in marks.items() if item is not None}}}
    if "children" not in props:
        return value
    return {**value, "props": {**props, "children": _marked(props["children"], states)}}
