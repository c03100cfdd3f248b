"""Splits a drawn panel into what changes (props by id) and what stays (its shape).

Trees are plain JSON: a component is ``{"type", "namespace", "props"}``, as Dash sends it to the browser. *Props* are
every prop but ``id`` of the components that have an id, ``children`` only when text or number; complete, never a delta.
The *shape* is the rest of the tree with the names of those props, hashed: a prop that comes or goes is another shape.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Tree = Any
"""A component, a list of trees, text, a number, or nothing."""
SEPARATOR = "--"
"""Between the panel instance's name and the id inside the panel."""


class Lasting(dict[str, Any]):
    """A component that is drawn once and given again as it is: what ``split`` made of it is kept with it, by the prefix."""

    __slots__ = ("taken",)

    def __init__(self, component: Mapping[str, Any]) -> None:
        super().__init__(component)
        self.taken: dict[str, tuple[Any, dict[str, dict[str, Any]]]] = {}


@dataclass(frozen=True)
class Drawn:
    """A drawn panel in its parts. ``skeleton`` is the tree without its props; ids are prefixed.

    ``shape`` is the hash of the skeleton, 32 hexadecimal digits.
    """

    shape: str
    props: dict[str, dict[str, Any]]
    skeleton: Tree

    @property
    def tree(self) -> Tree:
        """The whole tree, put together when somebody asks: a page that is loaded, a shape that is new to a page."""
        return assemble(self.skeleton, self.props)


def encode(value: Any) -> bytes:
    """JSON as sent and stored: compact, UTF-8, keys in order (components name their props in the order of a
    set, so that two processes would disagree about the same tree). Raises ``ValueError`` for NaN and infinity."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, sort_keys=True).encode()


def digest(body: bytes) -> str:
    """The name of a body: 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(body).hexdigest()[:32]


def plain(drawn: Any) -> Tree:
    """Components (anything with ``to_plotly_json``) as the JSON tree that Dash sends."""
    if hasattr(drawn, "to_plotly_json"):
        drawn = drawn.to_plotly_json()
    if isinstance(drawn, Mapping):
        return {str(key): plain(value) for key, value in drawn.items()}
    if isinstance(drawn, list | tuple):
        return [plain(value) for value in drawn]
    return drawn


def is_component(value: Any) -> bool:
    """Whether a JSON value is a component."""
    return isinstance(value, dict) and "props" in value and "type" in value and "namespace" in value


def _is_text(children: Any) -> bool:
    return isinstance(children, str | int | float) and not isinstance(children, bool)


def split(drawn: Any, instance: str) -> Drawn:
    """Props and shape of a drawn panel (components or their JSON), every id prefixed by the instance's name.

    One pass that changes nothing it is given: panels may keep and give again what they drew. Raises ``ValueError`` when two
    components share an id or an id is not text: ``set_props`` could not tell them apart.
    """
    props: dict[str, dict[str, Any]] = {}
    skeleton = _take(drawn, instance + SEPARATOR, props)
    return Drawn(digest(encode(skeleton)), props, skeleton)


def _take(value: Any, prefix: str, props: dict[str, dict[str, Any]]) -> Any:
    """The skeleton of a tree; what belongs to components with an id moves into ``props``."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_take(item, prefix, props) for item in value]
    if isinstance(value, Lasting):
        return _taken_before(value, prefix, props)
    if not isinstance(value, dict) and hasattr(value, "to_plotly_json"):
        value = value.to_plotly_json()
    if not is_component(value):
        return _inside(value, prefix)
    own = value["props"]
    if "id" not in own:
        kept = {key: _take(item, prefix, props) if key == "children" else _inside(item, prefix) for key, item in own.items()}
        return {"type": value["type"], "namespace": value["namespace"], "props": kept}
    name = _named(own["id"], prefix)
    if name in props:
        raise ValueError(f"the id {name!r} occurs twice in one panel")
    mine = props[name] = {key: _inside(item, prefix) for key, item in own.items() if key not in ("id", "children")}
    rest: dict[str, Any] = {"id": name}
    if "children" in own:
        if _is_text(own["children"]):
            mine["children"] = own["children"]
        else:
            rest["children"] = _take(own["children"], prefix, props)
    return {"type": value["type"], "namespace": value["namespace"], "props": rest, "names": sorted(mine)}


def _taken_before(value: Lasting, prefix: str, props: dict[str, dict[str, Any]]) -> Any:
    if prefix not in value.taken:
        own: dict[str, dict[str, Any]] = {}
        value.taken[prefix] = _take(dict(value), prefix, own), own
    skeleton, own = value.taken[prefix]
    if not props.keys().isdisjoint(own):
        raise ValueError(f"the id {next(iter(props.keys() & own.keys()))!r} occurs twice in one panel")
    props.update(own)
    return skeleton


def _named(name: Any, prefix: str) -> str:
    if not isinstance(name, str):
        raise ValueError(f"the id {name!r} is not text")  # noqa: TRY004  (as for an id that occurs twice)
    return prefix + name


def _inside(value: Any, prefix: str) -> Any:
    """The value of a prop that is not ``children``, as JSON; components in it stay in it, with their ids prefixed."""
    if value is None or isinstance(value, str | int | float):
        return value
    return _prefixed(plain(value), prefix)


def _prefixed(value: Any, prefix: str) -> Any:
    if isinstance(value, list):
        return [_prefixed(item, prefix) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _prefixed(item, prefix) for key, item in value.items()}
    if is_component(value) and "id" in value["props"]:
        found["props"]["id"] = _named(value["props"]["id"], prefix)
    return found


def assemble(skeleton: Tree, props: Mapping[str, Mapping[str, Any]]) -> Tree:
    """The whole tree again: a skeleton with its props. Raises ``ValueError`` when their names do not fit together."""
    if isinstance(skeleton, list):
        return [assemble(item, props) for item in skeleton]
    if not is_component(skeleton):
        return skeleton
    own = dict(skeleton["props"])
    if "children" in own:
        own["children"] = assemble(own["children"], props)
    tree = {key: value for key, value in skeleton.items() if key != "names"}
    if "names" in skeleton:
        found = props.get(own["id"], {})
        if sorted(found) != skeleton["names"]:
            raise ValueError(f"the props of {own['id']!r} do not fit the shape")
        own |= found
    return {**tree, "props": own}


def pages_in(drawn: Drawn) -> int:
    """How many pages a panel turns through: the number of different ``data-page`` marks in it, at least 1."""
    found = {str(props["data-page"]) for props in drawn.props.values() if "data-page" in props}
    if drawn.shape not in _pages_of_shape:  # the same shape again and again: its tree is walked once
        if len(_pages_of_shape) >= _SHAPES_KEPT:
            _pages_of_shape.clear()
        marks: set[str] = set()
        _pages(drawn.skeleton, marks)
        _pages_of_shape[drawn.shape] = frozenset(marks)
    return max(1, len(found | _pages_of_shape[drawn.shape]))


_SHAPES_KEPT = 1024
_pages_of_shape: dict[str, frozenset[str]] = {}


def _pages(value: Any, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _pages(item, found)
    elif is_component(value):
        if "data-page" in value["props"]:
            found.add(str(value["props"]["data-page"]))
        _pages(value["props"].get("children"), found)
