"""State shapes: one silhouette per state, so that they differ in outline and not only in colour.

A shape is one empty element whose background is cut out by a mask, so that a state changes by its class alone; the masks
are ``assets/shapes.css``, written from here (``python -m layouts.components.shapes``; a test compares them).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from layouts.components import elements as el
from layouts.components.attributes import aria
from layouts.components.elements import Element


class Shape(NamedTuple):
    """What is filled, what is drawn, with which width and dashes (units of the 24 × 24 box)."""

    fill: str
    line: str = ""
    width: float = 0
    dashes: str = "none"


def _ring(radius: float) -> str:
    half = f"a{radius:g} {radius:g} 0 1 0"
    return f"M{12 - radius:g} 12{half} {2 * radius:g} 0{half} {-2 * radius:g} 0Z"


SHAPES = {
    "fresh": Shape(_ring(7)),
    "normal": Shape(_ring(8)),
    "attention": Shape("M12 1 23 12 12 23 1 12Z"),
    "warning": Shape("M12 1.5 23.5 22H.5ZM10.6 8.5h2.8l-.5 7h-1.8ZM10.5 17h3v2.7h-3Z"),
    "critical": Shape("M7 .5h10L23.5 7v10L17 23.5H7L.5 17V7ZM10.3 5h3.4l-.6 9h-2.2ZM10.2 16h3.6v3.2h-3.6Z"),
    "late": Shape("M12 3a9 9 0 0 1 0 18Z", _ring(9.3), 2.6),
    "stale": Shape("M4 1h16v3.2L13.8 12 20 19.8V23H4v-3.2L10.2 12 4 4.2Z"),
    "offline": Shape("", _ring(9.6) + "M7.6 7.6l8.8 8.8M16.4 7.6l-8.8 8.8", 2.8),
    "part": Shape("M12 12V2.6A9.4 9.4 0 1 0 21.4 12Z", "M14.4 1.6a9 9 0 0 1 8 8h-8Z", 1.8),
    "none": Shape("", _ring(9.4), 2.4, "3.6 3.8"),
    "suppressed": Shape("M2 3h20v18H2ZM14.6 6.6 7 12l7.6 5.4 1.4-2L11.2 12 16 8.6Z"),
}


def shape(kind: str, id: str | None = None, more: str = "") -> Element:
    """The shape of a state in the current colour; with an ``id`` it can become another one. ``more``: further classes."""
    named = {"id": id} if id else {}
    return el.i(className=f"{shaped(kind, 'shape')}{more}", **named, **aria(hidden="true"))


def shaped(kind: str, how: str = "shaped") -> str:
    """The classes of a text that has the shape of ``kind`` before it."""
    return f"{how} shape-{kind}"


def _drawing(look: Shape) -> str:
    fill = f"<path d='{look.fill}' fill-rule='evenodd'/>" if look.fill else ""
    dashes = "" if look.dashes == "none" else f" stroke-dasharray='{look.dashes}'"
    line = f"<path d='{look.line}' fill='none' stroke='#000' stroke-width='{look.width:g}'{dashes}/>" if look.line else ""
    return f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>{fill}{line}</svg>"


def sheet() -> str:
    """The style sheet of the shapes. A wall whose clock says *late* shows the half disc in the age line of a fresh tile."""
    late = ", :is(.is-lost, .is-late-by-clock) .age.c-fresh > .shape"
    rules = [
        f'.shape-{kind}{late * (kind == "late")} {{ --shape: url("data:image/svg+xml,{quote(_drawing(look), safe=SAFE)}"); }}'
        for kind, look in SHAPES.items()
    ]
    return "\n".join(["/* Written by layouts/components/shapes.py. */", CUT_OUT, *rules]) + "\n"


SAFE = " ='/:,."
CUT_OUT = (
    ".shape, .shaped::before { display: inline-block; flex: none; width: .9em; height: .9em; vertical-align: -.08em; "
    "background: currentColor; mask: var(--shape) center / contain no-repeat; } .shaped::before { content: \"\"; }"
)


if __name__ == "__main__":
    (Path(__file__).parents[2] / "assets" / "shapes.css").write_text(sheet(), encoding="utf-8")
