"""The page of the wall: which instances it has, where they stand, what the browser fills in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.declarations import Panel, Scene, Screen, Words
from dashboard.errors import ConfigError
from layouts.panels import names, panel
from layouts.wall import Instance, instance, instances, page
from tests.layouts import answers
from tests.layouts.static_page import as_json
from tests.layouts.test_panels import components, texts

REGENCY = answers.regency()
TODAY = (
    "received_today",
    "completed_today",
    "on_time_today",
    "overdue_now",
    "received_rolling",
    "needs_attention",
    "sources_strip",
)


def built(**more: Any) -> Any:
    """The JSON tree of the wall *west* without any panel drawn yet."""
    return as_json(page(REGENCY.model_copy(update=more), "west", {}, answers.say()))


def test_a_screen_has_the_panels_of_its_scenes_and_those_of_header_and_footer() -> None:
    found = [each.id for each in instances(REGENCY, "west")]
    complaints = ["complaint_clocks", "complaints_closed", "complaints_late"]
    districts = instance("districts", {"measure": "late", "days": 30}, "id").id
    rest = ["mall_figures", "mall_tenants", "emergency_figures", "emergency_calls", "emergency_tickets", "ecosystem"]
    assert found == ["overall_state", "alarm_strip", *TODAY, "agencies", *complaints, districts, *rest]


def test_the_shipped_screens_name_panels_that_exist() -> None:
    named = {each.panel for screen in REGENCY.screens for each in instances(REGENCY, screen)}
    assert named == set(names()) - {"reading", "readings"}  # what those show is declared by the regency that has it


def test_an_instance_is_named_by_its_parameters_and_its_language() -> None:
    plain, other = instance("agencies", {}, "id"), instance("agencies", {"group": "health"}, "id")
    assert plain == Instance("agencies", "agencies", {}, "id")
    assert other.id.startswith("agencies-")
    assert instance("agencies", {"group": "health"}, "en").id == f"{other.id}-en"


def test_an_unknown_screen_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"known: .*lobby.*west"):
        instances(REGENCY, "east")


def test_the_same_panel_twice_on_one_screen_is_refused() -> None:
    scene = Scene(
        name=Words(id="Dua", en="Two"), panels=(Panel(panel="agencies", area="a"), Panel(panel="agencies", area="b"))
    )
    screen = Screen(name="x", scenes=("two",))
    with pytest.raises(ConfigError, match="twice"):
        instances(REGENCY.model_copy(update={"scenes": {"two": scene}}), screen)


def test_an_unknown_panel_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="received_today"):
        panel("weather")


def test_every_instance_has_a_slot_and_only_one() -> None:
    slots = [props["data-panel"] for props in components(built()) if "data-panel" in props]
    assert sorted(slots) == sorted(each.id for each in instances(REGENCY, "west"))


def test_the_first_scene_is_seen_before_the_server_says_which() -> None:
    shown = [props["data-scene"] for props in components(built()) if "is-shown" in props.get("className", "")]
    assert shown == ["today", "today"]


def test_what_the_browser_fills_in_is_empty_and_has_its_words() -> None:
    filled = [props for props in components(built()) if "data-live" in props]
    assert {props["data-live"] for props in filled} == {"clock", "date", "lost-since", "mode"}
    assert [props for props in filled if props.get("children")] == []
    words = next(json.loads(props["data-words"]) for props in components(built()) if "data-words" in props)
    assert words["zone"] == "Asia/Makassar"
    assert words["times"]["minutes"] == "{n} menit"


def test_simulated_data_are_marked_on_every_page() -> None:
    assert "DATA SIMULASI" in texts(built())
    assert "DATA SIMULASI" not in texts(built(simulated=False))


def test_a_drawn_panel_stands_in_its_slot() -> None:
    tree = {"type": "Div", "namespace": "dash_html_components", "props": {"children": "43"}}
    whole = as_json(page(REGENCY, "west", {"overdue_now": tree}, answers.say()))
    slot = next(props for props in components(whole) if props.get("id") == "slot-overdue_now")
    assert slot["children"] == tree
    assert slot["style"] == {"gridArea": "overdue"}


def test_a_scene_without_a_grid_of_its_own_places_its_panels_in_order_for_both_orientations() -> None:
    panels = tuple(Panel(panel="agencies", area=f"a{at}", params={"at": at}) for at in range(5))
    scenes = {
        "plain": Scene(name=Words(id="A", en="A"), panels=panels),
        "own": Scene(name=Words(id="B", en="B"), panels=(
            Panel(panel="agencies", area="a0", params={"at": 8}), Panel(panel="agencies", area="a1", params={"at": 9}),
        ), grid=("a0 a1 a1",), tall=("a0", "a1")),
    }
    tree = built(scenes=scenes, groups={}, screens={"west": REGENCY.screens["west"].model_copy(update={"scenes": ("plain", "own")})})
    styles = [found["style"] for found in sections(tree)]
    assert styles == [
        {"--areas": '"a0 a1 a2" "a3 a4 a4"', "--areas-tall": '"a0 a1" "a2 a3" "a4 a4"'},
        {"--areas": '"a0 a1 a1"', "--areas-tall": '"a0" "a1"'},
    ]


def sections(tree: Any) -> list[dict[str, Any]]:
    """The props of the scenes of a page, in order."""
    inside = tree if isinstance(tree, list) else tree["props"].get("children", []) if isinstance(tree, dict) else []
    found = [tree["props"]] if isinstance(tree, dict) and "data-page-shown" in tree["props"] else []
    return found + [one for each in (inside if isinstance(inside, list) else [inside]) for one in sections(each)]


@pytest.mark.parametrize(("grid", "why"), [(("a b", "a"), "as many areas"), (("b c",), "no area 'a'")])
def test_a_grid_that_has_no_place_for_a_panel_is_refused(grid: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Scene(name=Words(id="A", en="A"), panels=(Panel(panel="agencies", area="a"),), grid=grid)
