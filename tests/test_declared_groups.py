"""Modes and groups of screens in `check`: names that are not there, gaps, overlaps, a night that is too dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.groups import LEAST_DIM
from config.loading import load
from layouts import theme, wall
from layouts.colours import contrast
from layouts.legibility import TEXT_FLOOR
from tests.test_declarations import folder, found

SCREENS = """
[scenes.s]
name = { id = "S", en = "S" }
panels = []
[screens.a]
name = "A"
scenes = ["s"]
[screens.b]
name = "B"
scenes = ["s"]
[modes.calm]
name = { id = "Tenang", en = "Calm" }
[groups.g]
name = { id = "G", en = "G" }
screens = ["a", "b"]
otherwise = "calm"
"""


@pytest.mark.parametrize(("before", "after", "key"), [
    ('otherwise = "calm"', "", "groups.g.schedule"),
    ('otherwise = "calm"', 'otherwise = "loud"', "groups.g.otherwise"),
    ('"a", "b"', '"a", "c"', "groups.g.screens.1"),
    ('otherwise = "calm"', 'otherwise = "calm"\ncalendar = "none"', "groups.g.calendar"),
    ('otherwise = "calm"', 'otherwise = "calm"\nschedule = [{ mode = "loud" }]', "groups.g.schedule.0.mode"),
    ('otherwise = "calm"', 'otherwise = "calm"\nschedule = [{ mode = "calm" }, { mode = "calm", days = ["mon"] }]', "groups.g.schedule"),
    ('otherwise = "calm"', 'otherwise = "calm"\nschedule = [{ mode = "calm", hours = ["22:00", "06:00"] }]', "groups.g.schedule.0.hours"),
    ('otherwise = "calm"', 'otherwise = "calm"\nschedule = [{ mode = "calm", days = ["monday"] }]', "groups.g.schedule.0.days.0"),
    ('otherwise = "calm"', 'otherwise = "calm"\n[groups.h]\nname = { id = "H", en = "H" }\nscreens = ["b"]\notherwise = "calm"',
     "groups.h.screens.0"),
    ("[groups.g]", 'scenes = ["none"]\n[groups.g]', "modes.calm.scenes.0"),
    ("[groups.g]", "dim = 0.5\n[groups.g]", "modes.calm.dim"),
    ("[groups.g]", 'audience = "everybody"\n[groups.g]', "modes.calm.audience"),
    ("[groups.g]", 'lasts = "30 days"\n[groups.g]', "modes.calm.lasts"),
    ('[modes.calm]', 'modes.loud = ["s"]\n[modes.calm]', "screens.b.modes.loud"),
    ('[modes.calm]', 'modes.calm = ["none"]\n[modes.calm]', "screens.b.modes.calm.0"),
])
def test_check_names_what_is_wrong_with_groups_and_modes(tmp_path: Path, before: str, after: str, key: str) -> None:
    assert ("screens.toml", key) in found(folder(tmp_path, screens=SCREENS.replace(before, after, 1)))


def test_a_group_that_is_right_passes(tmp_path: Path) -> None:
    assert found(folder(tmp_path, screens=SCREENS)) == []


def test_a_folder_with_screens_of_its_own_has_none_of_the_shipped_modes_and_groups(tmp_path: Path) -> None:
    declared = load(folder(tmp_path, screens=SCREENS.partition("[modes.calm]")[0]))
    assert (declared.groups, declared.modes) == ({}, {})
    assert set(load(folder(tmp_path, screens="")).modes) >= {"morning", "meeting", "visit", "night"}


def test_each_screen_of_a_group_has_its_own_scenes_in_a_mode(tmp_path: Path) -> None:
    more = SCREENS.replace("[scenes.s]", '[scenes.t]\nname = { id = "T", en = "T" }\npanels = []\n[scenes.s]')
    own = more.replace("[modes.calm]", 'modes.calm = ["t"]\n[modes.calm]', 1)
    declared = load(folder(tmp_path, screens=own))
    assert [wall.scenes_in(declared, screen, "calm") for screen in ("a", "b")] == [("s",), ("t",)]
    assert wall.scenes_of(declared, "b") == ("s", "t")


def _dimmed(colour: str, level: float) -> str:
    return "#" + "".join(f"{round(int(colour[at : at + 2], 16) * level):02x}" for at in (1, 3, 5))


@pytest.mark.parametrize("figure", ["ink", "stale-figure"])
@pytest.mark.parametrize("under", ["bg", "tile", "raised", "void"])
def test_figures_keep_their_contrast_in_the_darkest_night_that_may_be_declared(figure: str, under: str) -> None:
    one, other = (_dimmed(theme.WALL[name], LEAST_DIM) for name in (figure, under))
    assert contrast(one, other) >= TEXT_FLOOR
