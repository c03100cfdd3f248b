"""The design tokens for Python, which cannot read CSS. ``assets/tokens.css`` has the same; a test compares them."""

from __future__ import annotations

WALL = {
    "bg": "#1a232d", "tile": "#232f3c", "raised": "#2c3a49", "void": "#161e27", "line": "#3b4b5c",
    "ink": "#f1f5f9", "ink-2": "#c5d0db", "ink-3": "#a3b2c1",
    "mark": "#8fa3b7", "mark-2": "#71869b", "mark-strong": "#e3eaf1", "band": "#34465a", "band-edge": "#7a90a6",
    "normal": "#a9b8c7", "attention": "#6ec6f7", "warning": "#f6c444", "critical": "#ff7a66",
    "stale": "#d8c58a", "stale-figure": "#c0cbd5", "offline": "#cfd8e1", "suppressed": "#c6bddd",
    "on-state": "#10171e", "hatch": "#48596b",
}  # fmt: skip
"""Colours of the wall (dark)."""

REVIEW = {
    "bg": "#eef1f4", "tile": "#ffffff", "raised": "#f4f6f8", "void": "#e4e9ee", "line": "#ccd5dd",
    "ink": "#14202b", "ink-2": "#3a4a59", "ink-3": "#566573",
    "mark": "#6b8094", "mark-2": "#6f8294", "mark-strong": "#22384d", "band": "#dde4eb", "band-edge": "#6f8294",
    "normal": "#4f6275", "attention": "#005f9e", "warning": "#8f5a00", "critical": "#8e0a3a",
    "stale": "#6d5a14", "stale-figure": "#3f4b58", "offline": "#3d4c5a", "suppressed": "#5a4a86",
    "on-state": "#ffffff", "hatch": "#d5dce3",
}  # fmt: skip
"""Colours of the review and of print (light)."""

SIZES = {
    "fs-xl": 120,
    "fs-l": 88,
    "fs-m": 64,
    "fs-far": 52,
    "fs-title": 40,
    "fs-label": 34,
    "fs-note": 28,
    "fs-min": 26,
}
"""Text sizes of a wall in pixels of a 1080p screen; nothing on a wall is smaller than ``fs-min``."""
