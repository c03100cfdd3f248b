"""Outlines of areas as a screen draws them: simplified, as SVG paths, with the point where a label has most room.

Plain geometry on the plane, made once when a map is loaded. A *ring* is an (n, 2) array of x and y, closed or not; a hole is
a ring inside another one (even-odd rule). Units are those of the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
TOLERANCE = 0.6
"""How far a simplified line may lie from the true one: less than half of a border's width."""
LEAST_AREA = 4.0
"""Islets smaller than this are not drawn, but for the largest ring of an area."""
HATCH_STEP, DOT_STEP = 18.0, 16.0
STEPS = 40


@dataclass(frozen=True)
class Outline:
    """One area. ``d``: its border; ``hatch`` and ``dots``: marks all over it (lines of 45 degrees; points to be drawn with
    round caps); ``x``, ``y``: where a label has most room, and ``room``: how far the border is from there."""

    d: str
    hatch: str
    dots: str
    x: float
    y: float
    room: float


def simplified(ring: Points, tolerance: float = TOLERANCE) -> Points:
    """The ring with fewer points, none farther than ``tolerance`` from where it was (Douglas and Peucker, 1973)."""
    if len(ring) < 5:
        return ring
    keep = np.zeros(len(ring), dtype=bool)
    far = int(np.argmax(((ring - ring[0]) ** 2).sum(axis=1)))  # a closed ring begins where it ends: cut it in two
    keep[[0, far, -1]] = True
    stack = [(0, far), (far, len(ring) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        between = ring[first + 1 : last]
        away = _to_segment(between, ring[first], ring[last])
        worst = int(np.argmax(away))
        if away[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            stack += [(first, middle), (middle, last)]
    return ring[keep]


def _to_segment(points: Points, start: Points, end: Points) -> Points:
    """Distance of each point to one segment."""
    along = end - start
    length = float((along**2).sum()) or 1.0
    place = np.clip(((points - start) @ along) / length, 0, 1)[:, None]
    distance: Points = np.sqrt(((points - start - place * along) ** 2).sum(axis=1))
    return distance


def area(ring: Points) -> float:
    """The area inside a ring (shoelace formula), whatever its direction."""
    x, y = ring[:, 0], ring[:, 1]
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2


def _edges(rings: Sequence[Points]) -> tuple[Points, Points]:
    """Starts and ends of all edges of the closed rings."""
    closed = [ring if np.array_equal(ring[0], ring[-1]) else np.vstack([ring, ring[:1]]) for ring in rings]
    return np.vstack([ring[:-1] for ring in closed]), np.vstack([ring[1:] for ring in closed])


def inside(points: Points, rings: Sequence[Points]) -> NDArray[np.bool_]:
    """Which points lie inside (even-odd)."""
    start, end = _edges(rings)
    x, y = points[:, :1], points[:, 1:]
    crosses = (start[:, 1] > y) != (end[:, 1] > y)
    rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    at = start[:, 0] + (end[:, 0] - start[:, 0]) * (y - start[:, 1]) / rise
    found: NDArray[np.bool_] = (crosses & (x < at)).sum(axis=1) % 2 == 1
    return found


def roomiest(rings: Sequence[Points]) -> tuple[float, float, float]:
    """The point inside that is farthest from the border, on a grid of 39 × 39, and how far."""
    whole = np.vstack(rings)
    low, high = whole.min(axis=0), whole.max(axis=0)
    steps = np.arange(1, STEPS) / STEPS
    grid = np.stack(np.meshgrid(*(low[axis] + (high[axis] - low[axis]) * steps for axis in (0, 1))), axis=-1).reshape(-1, 2)
    grid = grid[inside(grid, rings)]
    if not len(grid):
        middle = (low + high) / 2
        return float(middle[0]), float(middle[1]), 0.0
    away = np.full(len(grid), np.inf)
    for start, end in zip(*_edges(rings), strict=True):
        away = np.minimum(away, _to_segment(grid, start, end))
    best = int(np.argmax(away))
    return float(grid[best, 0]), float(grid[best, 1]), float(away[best])


def _hatch(rings: Sequence[Points]) -> str:
    """Lines of 45 degrees all over the area, cut at its border."""
    start, end = _edges(rings)
    from_, to = start.sum(axis=1), end.sum(axis=1)  # x + y is what a line of 45 degrees keeps
    parts = []
    for kept in np.arange(np.ceil(from_.min() / HATCH_STEP) * HATCH_STEP, from_.max(), HATCH_STEP):
        crossing = (from_ > kept) != (to > kept)
        share = (kept - from_[crossing]) / (to[crossing] - from_[crossing])
        x = np.sort(start[crossing, 0] + (end[crossing, 0] - start[crossing, 0]) * share)
        parts += [f"M{a:.0f} {kept - a:.0f}L{b:.0f} {kept - b:.0f}" for a, b in zip(x[::2], x[1::2], strict=True)]
    return "".join(parts)


def _dots(rings: Sequence[Points]) -> str:
    """Points all over the area."""
    whole = np.vstack(rings)
    axes = zip(whole.min(axis=0), whole.max(axis=0), strict=True)
    marks = [np.arange(np.ceil(low / DOT_STEP) * DOT_STEP, high, DOT_STEP) for low, high in axes]
    grid = np.stack(np.meshgrid(*marks), axis=-1).reshape(-1, 2)
    return "".join(f"M{a:.0f} {b:.0f}h0" for a, b in grid[inside(grid, rings)]) if len(grid) else ""


def outline_of(rings: Sequence[Points]) -> Outline:
    """An area as it is drawn. ``rings``: at least one, in the drawing's units, y downwards."""
    drawn = [simplified(ring) for ring in rings]
    largest = max(area(ring) for ring in drawn)
    drawn = [ring for ring in drawn if area(ring) >= min(LEAST_AREA, largest)]
    x, y, room = roomiest(drawn)
    return Outline(
        d="".join("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in ring) + "Z" for ring in drawn),
        hatch=_hatch(drawn), dots=_dots(drawn), x=round(x, 1), y=round(y, 1), room=round(room, 1),
    )
