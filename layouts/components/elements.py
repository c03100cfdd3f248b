"""Elements in the JSON form that Dash sends (``{"type", "namespace", "props"}``), built without Dash's classes.

A Dash class checks every name against its list each time; where hundreds of elements are drawn after each commit that is
most of the time. Names of props are Dash's (``className``, ``viewBox``); what is given is not to be changed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash.html
import dash_svg

SERVED = (dash.html, dash_svg)
"""The libraries behind these elements: a page gets the scripts of those that are imported, and no others."""
Element = dict[str, Any]
"""A component as Dash sends it; the live layer splits it as it splits Dash's own."""


def _maker(kind: str, namespace: str) -> Callable[..., Element]:
    def make(children: Any = None, **props: Any) -> Element:
        if children is not None:
            props["children"] = children
        return {"type": kind, "namespace": namespace, "props": props}

    make.__doc__ = f"``<{kind.lower()}>``: its children, then its props by name."
    return make


def _html(kind: str) -> Callable[..., Element]:
    return _maker(kind, "dash_html_components")


def _svg(kind: str) -> Callable[..., Element]:
    return _maker(kind, "dash_svg")


div, section, span, small, b, i = (_html(kind) for kind in ("Div", "Section", "Span", "Small", "B", "I"))
h2, ol, ul, li = (_html(kind) for kind in ("H2", "Ol", "Ul", "Li"))
svg, g, path, line, rect, text = (_svg(kind) for kind in ("Svg", "G", "Path", "Line", "Rect", "Text"))
