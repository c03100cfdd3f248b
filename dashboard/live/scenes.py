"""Which scene and page a screen shows: a function of the server's clock alone, so that the screens of a group agree.

The screens of a group go through their scenes together: the n-th scene of each begins and ends with the others', however many
pages each of them has. A critical alarm pins the scene with its panel until it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """A scene in a screen's order: how long one page of it stays (milliseconds) and which instances it holds.

    ``rules``: the alarms whose panel is in it; "*" for a panel of all alarms.
    """

    name: str
    dwell_ms: int
    instances: tuple[str, ...] = ()
    rules: frozenset[str] = frozenset()

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


def shown_at(
    plan: Sequence[Planned], pages_of: Mapping[str, int], now_ms: int, others: Sequence[Sequence[Planned]] = ()
) -> Shown:
    """The scene and page at an instant: scenes in order, each page for its scene's dwell, round and round.

    ``others``: the plans of the other screens of the group. A step lasts as long as the longest scene of it; where a screen has
    fewer scenes than another it begins again, and a scene that is through with its pages before the step ends shows them again.

    >>> shown_at([Planned("today", 20_000), Planned("agencies", 10_000)], {}, 1_000_020_000)
    Shown(scene='agencies', page=1, pages=1, until=1000030000)
    """
    every = [scenes for scenes in (plan, *others) if scenes]
    steps = [
        max(scene.dwell_ms * scene.pages(pages_of) for scene in (scenes[step % len(scenes)] for scenes in every))
        for step in range(max(len(scenes) for scenes in every))
    ]
    if len(plan) == 1 and plan[0].pages(pages_of) == 1:
        return Shown(plan[0].name, 1, 1, 0)
    at = now_ms % sum(steps)
    for step, length in enumerate(steps):
        if at < length:
            return _paged(plan[step % len(plan)], pages_of, now_ms, at, length - at)
        at -= length
    raise AssertionError("an instant outside the round")  # at < the sum of the steps


def _paged(scene: Planned, pages_of: Mapping[str, int], now_ms: int, at: int, left: int) -> Shown:
    """The page of a scene, ``at`` milliseconds after its step began and ``left`` before it ends."""
    pages = scene.pages(pages_of)
    turned = at // scene.dwell_ms
    return Shown(scene.name, turned % pages + 1, pages, now_ms + min(left, (turned + 1) * scene.dwell_ms - at))


def pinned(plan: Sequence[Planned], everything: Sequence[Planned], rule: str) -> Planned | None:
    """The scene with the panel of a critical alarm: one of the mode's scenes before any other, a panel of its own before the
    list of all alarms; ``None`` when no scene has either (the strip tells it anyway)."""
    for wanted in (rule, "*"):
        for scene in (*plan, *everything):
            if wanted in scene.rules:
                return scene
    return None


def pinned_at(scene: Planned, pages_of: Mapping[str, int], now_ms: int) -> Shown:
    """A pinned scene: its pages turn, it stays."""
    if scene.pages(pages_of) == 1:
        return Shown(scene.name, 1, 1, 0)
    return _paged(scene, pages_of, now_ms, now_ms % (scene.dwell_ms * scene.pages(pages_of)), scene.dwell_ms)
