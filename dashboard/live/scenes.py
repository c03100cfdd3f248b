"""Which scene and page a screen shows: a function of the server's clock alone, so that a group of screens agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """A scene in a screen's order: how long one page of it stays (milliseconds) and which instances it holds."""

    name: str
    dwell_ms: int
    instances: tuple[str, ...] = ()

    def pages(self, pages_of: Mapping[str, int]) -> int:
        """As many as the panel with the most pages has."""
        return max((pages_of.get(instance, 1) for instance in self.instances), default=1)


@dataclass(frozen=True)
class Shown:
    """The scene shown, its page (from 1), how many it has, and until when (epoch milliseconds); 0 for always."""

    scene: str
    page: int
    pages: int
    until: int


def shown_at(plan: Sequence[Planned], pages_of: Mapping[str, int], now_ms: int) -> Shown:
    """The scene and page at an instant: scenes in order, each page for its scene's dwell, round and round.

    >>> shown_at([Planned("today", 20_000), Planned("agencies", 10_000)], {}, 1_000_020_000)
    Shown(scene='agencies', page=1, pages=1, until=1000030000)
    """
    pages = [scene.pages(pages_of) for scene in plan]
    lengths = [scene.dwell_ms * count for scene, count in zip(plan, pages, strict=True)]
    whole = sum(lengths)
    if len(plan) == 1 and pages[0] == 1:
        return Shown(plan[0].name, 1, 1, 0)
    at = now_ms % whole
    for scene, count, length in zip(plan, pages, lengths, strict=True):
        if at < length:
            page = at // scene.dwell_ms + 1
            return Shown(scene.name, page, count, now_ms - at + page * scene.dwell_ms)
        at -= length
    raise AssertionError("an instant outside the round")  # at < whole = the sum of the lengths
