"""Scenes and pages as a function of the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.live.scenes import Planned, Shown, shown_at

PLAN = [Planned("today", 20_000, ("a", "b")), Planned("agencies", 10_000, ("c",))]
ROUND = 50_000  # today once, agencies three pages
PAGES = {"c": 3}


@pytest.mark.parametrize(("at", "shown"), [
    (0, Shown("today", 1, 1, 20_000)), (19_999, Shown("today", 1, 1, 20_000)),
    (20_000, Shown("agencies", 1, 3, 30_000)),
    (30_000, Shown("agencies", 2, 3, 40_000)), (49_999, Shown("agencies", 3, 3, 50_000)),
])
def test_scenes_and_their_pages_follow_one_another(at: int, shown: Shown) -> None:
    base = ROUND * 1000
    assert shown_at(PLAN, PAGES, base + at) == replace(shown, until=shown.until + base)


def test_a_single_scene_of_one_page_stays_for_ever() -> None:
    assert shown_at(PLAN[:1], {}, 12_345) == Shown("today", 1, 1, 0)
