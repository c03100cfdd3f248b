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


@dataclass(frozen=True)
class Drawn:
    """A drawn panel in its parts. ``tree`` is whole (ids prefixed); ``skeleton`` is the tree without its props.

    ``assemble(skeleton, props) == tree``; ``shape`` is the hash of the skeleton, 32 hexadecimal digits.
    """

    shape: str
    props: dict[str, dict[str, Any]]
    tree: Tree
    skeleton: Tree


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


def split(tree: Tree, instance: str) -> Drawn:
    """Props and shape of a panel's JSON tree, every id prefixed by the instance's name.

    Raises ``ValueError`` when two components share an id or an id is not text: ``set_props`` could not tell them apart.
    """
    props: dict[str, dict[str, Any]] = {}
    whole = _prefixed(tree, instance + SEPARATOR)
    skeleton = _take(whole, props)
    return Drawn(digest(encode(skeleton)), props, whole, skeleton)


def _prefixed(value: Any, prefix: str) -> Any:
    if isinstance(value, list):
        return [_prefixed(item, prefix) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _prefixed(item, prefix) for key, item in value.items()}
    if is_component(value) and "id" in value["props"]:
        name = value["props"]["id"]
        if not isinstance(name, str):
            raise ValueError(f"the id {name!r} is not text")
        found["props"]["id"] = prefix + name
    return found


def _take(value: Any, props: dict[str, dict[str, Any]]) -> Any:
    """The skeleton of a tree; what belongs to components with an id moves into ``props``."""
    if isinstance(value, list):
        return [_take(item, props) for item in value]
    if not is_component(value):
        return value
    own = value["props"]
    name = own.get("id")
    if name is None:
        kept = {key: _take(item, props) if key == "children" else item for key, item in own.items()}
        return {**value, "props": kept}
    if name in props:
        raise ValueError(f"the id {name!r} occurs twice in one panel")
    props[name] = {key: item for key, item in own.items() if key not in ("id", "children")}
    rest: dict[str, Any] = {"id": name}
    if "children" in own:
        if _is_text(own["children"]):
            props[name]["children"] = own["children"]
        else:
            rest["children"] = _take(own["children"], props)
    names = sorted(props[name])
    return {**value, "props": rest, "names": names}


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


def pages_in(tree: Tree) -> int:
    """How many pages a panel turns through: the number of different ``data-page`` marks in it, at least 1."""
    found: set[str] = set()
    _pages(tree, found)
    return max(1, len(found))


def _pages(value: Any, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _pages(item, found)
    elif is_component(value):
        if "data-page" in value["props"]:
            found.add(str(value["props"]["data-page"]))
        _pages(value["props"].get("children"), found)
