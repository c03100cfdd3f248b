"""A drawn tree as HTML, for pages that no script fills: ``/wall/states``, and the example walls of the tests."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

CAMEL = {"viewBox", "preserveAspectRatio"}
NAMES = {"className": "class"}
Filled = Callable[[Mapping[str, Any]], str]
"""The props of an element → the text that the browser's script would write into it."""


def _attribute(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    return name if name in CAMEL else re.sub(r"[A-Z]", lambda found: "-" + found[0].lower(), name)


def _style(value: Mapping[str, Any]) -> str:
    return ";".join(f"{_attribute(key)}:{each}" for key, each in value.items())


def markup(tree: Any, filled: Filled) -> str:
    """The HTML of a JSON tree (components as ``plain`` of the live layer gives them, text, lists)."""
    if tree is None:
        return ""
    if isinstance(tree, list | tuple):
        return "".join(markup(each, filled) for each in tree)
    if not isinstance(tree, dict):
        return html.escape(str(tree))
    tag, props = tree["type"], dict(tree["props"])
    tag = tag[0].lower() + tag[1:] if tree["namespace"] == "dash_svg" else tag.lower()
    inside = markup(props.pop("children", None), filled) + html.escape(filled(props))
    attributes = []
    for name, value in props.items():
        written = _style(value) if name == "style" else value
        if written is True:
            attributes.append(f" {_attribute(name)}")
        elif written is not None and written is not False:
            attributes.append(f' {_attribute(name)}="{html.escape(str(written))}"')
    return f"<{tag}{''.join(attributes)}>{inside}</{tag}>"
