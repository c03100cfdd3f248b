"""Elements in the JSON form that Dash sends (``{"type", "namespace", "props"}``), built without Dash's classes.

A Dash class checks every name against its list each time; where hundreds of elements are drawn after each commit that is
most of the time. Names of props are Dash's (``className``, ``viewBox``); what is given is not to be changed afterwards.
"""

from __future__ import annotations

from typing import Any

Element = dict[str, Any]
HTML, SVG = "dash_html_components", "dash_svg"


def _element(type_: str, namespace: str, children: Any, props: dict[str, Any]) -> Element:
    if children is not None:
        props["children"] = children
    return {"type": type_, "namespace": namespace, "props": props}


def div(children: Any = None, **props: Any) -> Element:
    """``<div>``."""
    return _element("Div", HTML, children, props)


def span(children: Any = None, **props: Any) -> Element:
    """``<span>``."""
    return _element("Span", HTML, children, props)


def i(children: Any = None, **props: Any) -> Element:
    """``<i>``."""
    return _element("I", HTML, children, props)


def svg(children: Any = None, **props: Any) -> Element:
    """``<svg>``."""
    return _element("Svg", SVG, children, props)


def path(**props: Any) -> Element:
    """``<path>``."""
    return _element("Path", SVG, None, props)
