"""A value against what is typical by this hour: box = middle half of comparable weeks, upright = median, wedge = now.

The number of elements never changes; only their positions, texts and classes do.
"""

from __future__ import annotations

from dashboard.queries.answers import Band
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.elements import Element

WIDTH, HEIGHT = 398, 72
GLYPH = 15.0
"""Width of a digit at 26 px; labels keep this much room."""


def scale(band: Band, value: float | None) -> tuple[float, float]:
    """The values at the ends of the line: the box keeps at least a tenth of it; what lies beyond stands at the end."""
    span = max(band.high - band.low, abs(band.median) * 0.05, 0.5)
    low, high = band.low - 1.2 * span, band.high + 1.2 * span
    if value is not None:
        low = max(min(low, value - 0.1 * span), band.low - 5 * span)
        high = min(max(high, value + 0.1 * span), band.high + 5 * span)
    return low, high


def label_places(low: float, high: float, texts: tuple[str, str]) -> tuple[float, float]:
    """Where the two labels stand (their middles), apart from each other and inside the drawing."""
    halves = [len(text) * GLYPH / 2 for text in texts]
    short = halves[0] + halves[1] + GLYPH - (high - low)
    if short > 0:
        low, high = low - short / 2, high + short / 2
    low = max(low, halves[0])
    high = min(max(high, low + halves[0] + halves[1] + GLYPH), WIDTH - halves[1])
    return round(min(low, high - halves[0] - halves[1] - GLYPH), 1), round(high, 1)


def bullet(id: str, band: Band | None, value: float | None, say: Say, *, decimals: int, tone: str) -> Element:
    """The bullet band of a headline tile. Without a band it is there, invisible. ``tone``: plain, warning…"""
    known = band or Band(0, 0, 0, 0)
    start, end = scale(known, value)

    def place(v: float) -> float:
        return round(min(max((v - start) / (end - start), 0), 1) * WIDTH, 1)

    low, high, median = place(known.low), place(known.high), place(known.median)
    now = min(max(place(known.median if value is None else value), 3), WIDTH - 3)
    texts = (say.number(known.low, decimals), say.number(known.high, decimals))
    left, right = label_places(low, high, texts)
    return el.svg(
        [
            el.line(x1=0, y1=26, x2=WIDTH, y2=26, className="axis"),
            el.rect(id=f"{id}-box", x=low, y=10, width=round(max(high - low, 2), 1), height=32, className="box"),
            el.line(id=f"{id}-median", x1=median, y1=10, x2=median, y2=42, className="median"),
            el.path(
                id=f"{id}-now",
                d=f"M{now:g} 22l13 -22h-26ZM{now - 3:g} 20h6v22h-6Z",
                className=f"now c-{tone}" + ("" if value is not None else " is-absent"),
            ),
            el.text(texts[0], id=f"{id}-low", x=left, y=68, textAnchor="middle"),
            el.text(texts[1], id=f"{id}-high", x=right, y=68, textAnchor="middle"),
        ],
        id=id,
        className="bullet" + ("" if band else " is-absent"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
    )
