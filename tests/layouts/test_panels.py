"""The suite that every panel inherits: it is drawn from every example, in both languages, and keeps its contract."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layouts.panels import names, panel
from tests.layouts import answers
from tests.layouts.static_page import as_json

SNAPSHOTS = Path(__file__).parent / "snapshots"
CASES = [
    (name, example, language)
    for name, examples in answers.EXAMPLES.items()
    for example in examples
    for language in ("id", "en")
]
FRESH_PAIRS = [(name, "normal", "other-value") for name in answers.EXAMPLES]
STATES = [("received_today", "normal", state) for state in answers.FIGURES] + [
    ("needs_attention", "normal", "calm"),
    ("alarm_strip", "normal", "critical"),
    ("overall_state", "normal", "critical"),
    ("received_rolling", "normal", "stale"),
    ("received_rolling", "normal", "none"),
    ("sources_strip", "normal", "other-value"),
    ("districts", "real", "states"),
    ("districts", "normal", "none"),
    *[("reading", "normal", state) for state in ("other-value", "below", "zero", "late", "stale", "overdue", "offline", "missing")],
]


def drawn(name: str, example: str, language: str = "id") -> Any:
    """The JSON tree of a panel."""
    return as_json(panel(name).draw(answers.EXAMPLES[name][example], answers.say(language)))


def components(tree: Any) -> Iterator[dict[str, Any]]:
    """Every component of a JSON tree."""
    if isinstance(tree, list):
        for each in tree:
            yield from components(each)
    elif isinstance(tree, dict) and "props" in tree:
        yield tree["props"]
        yield from components(tree["props"].get("children"))


def texts(tree: Any) -> set[str]:
    """Every text that is shown or read aloud."""
    found = set()
    for props in components(tree):
        children = props.get("children")
        parts = children if isinstance(children, list) else [children]
        found |= {str(part) for part in [*parts, props.get("aria-label")] if isinstance(part, str | int | float)}
    return {text for text in found if text.strip()}


def shape(tree: Any) -> Any:
    """The tree without what may change: of a component with an id only the names of its props stay."""
    if isinstance(tree, list):
        return [shape(each) for each in tree]
    if not isinstance(tree, dict) or "props" not in tree:
        return tree
    props = tree["props"]
    inside = props.get("children")
    if "id" not in props:
        rest = {key: value for key, value in props.items() if key != "children"}
        return {"type": tree["type"], "props": {**rest, "children": shape(inside)}}
    kept = shape(inside) if isinstance(inside, list | dict) else None
    return {"type": tree["type"], "id": props["id"], "names": sorted(props), "children": kept}


def test_the_scripts_of_all_elements_that_are_drawn_are_served() -> None:
    ask = (
        "from layouts.components import elements; from dash.development.base_component import ComponentRegistry;"
        "print(*sorted(ComponentRegistry.registry))"
    )
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=SNAPSHOTS.parents[2])
    assert {"dash", "dash_svg"} <= set(found.stdout.split())


def test_every_panel_of_the_folder_has_examples() -> None:
    assert set(answers.EXAMPLES) == set(names())


@pytest.mark.parametrize("name", names())
def test_a_panel_asks_one_marked_question_and_says_in_its_docstring_which(name: str) -> None:
    module = panel(name)
    assert module.query.reads
    assert (module.__doc__ or "").strip().endswith("?")
    assert list(inspect.signature(module.draw).parameters) == ["answer", "say"]


@pytest.mark.parametrize("name", names())
def test_a_panel_stays_small(name: str) -> None:
    assert len(inspect.getsource(panel(name)).splitlines()) <= 80


@pytest.mark.parametrize(("name", "example", "language"), CASES)
def test_a_panel_is_drawn_as_json_with_ids_of_its_own(name: str, example: str, language: str) -> None:
    tree = drawn(name, example, language)
    json.dumps(tree)
    ids = Counter(props["id"] for props in components(tree) if "id" in props)
    assert [each for each, count in ids.items() if count > 1] == []


@pytest.mark.parametrize(("name", "one", "other"), FRESH_PAIRS + STATES)
def test_other_values_and_other_states_keep_the_shape(name: str, one: str, other: str) -> None:
    assert shape(drawn(name, one)) == shape(drawn(name, other))


@pytest.mark.parametrize("name", names())
def test_every_text_that_differs_between_two_answers_has_an_id(name: str) -> None:
    without_id = [
        [
            props.get("children")
            for props in components(drawn(name, example))
            if "id" not in props and "data-page" not in props
        ]
        for example in ("normal", "other-value")
    ]
    plain = [[each for each in found if isinstance(each, str)] for found in without_id]
    assert plain[0] == plain[1]


@pytest.mark.parametrize(
    ("name", "example"), [(name, example) for name, example, language in CASES if language == "id"]
)
def test_no_indonesian_word_is_left_on_an_english_screen(name: str, example: str) -> None:
    indonesian = texts(drawn(name, example)) & texts(drawn(name, example, "en"))
    words = {text for text in indonesian if re.search(r"[a-z]{3}", text)}
    names_and_data = re.compile(
        r"^(Dis|Din|DPUT|DP|Dep|Set|Insp|BKP|Kes|Kec|OPD|puskesmas|rawat jalan|\d+ layanan|Puskesmas|Satpol|BPJS|Samsat|Pertanahan"
        r"|Imigrasi|Kejaksaan|Pengadilan|KPP|Bank|Kominfo)"
    )
    plain = words - answers.PROPER_NAMES
    assert {text for text in plain if not names_and_data.match(text) and text != "data 10.51"} == set()


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "layouts").rglob("*.py")), ids=lambda path: path.stem
)
def test_no_shown_word_is_in_the_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    raised = {id(each) for node in ast.walk(tree) if isinstance(node, ast.Raise) for each in ast.walk(node)}
    raised |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    first_children = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and getattr(node.func.value, "id", "") in ("html", "svg", "el")
        and node.args
    ]
    shown = [
        each.value
        for child in first_children
        for each in ast.walk(child)
        if isinstance(child, ast.Constant | ast.JoinedStr)
        and isinstance(each, ast.Constant)
        and id(each) not in raised
        and isinstance(each.value, str)
        and re.search(r"[A-Za-z]{2}", each.value)
    ]
    assert shown == []


@pytest.mark.parametrize("example", ["none", "loading", "not-provided", "too-few", "suppressed", "not-applicable"])
def test_a_missing_value_is_words_and_never_a_number(example: str) -> None:
    figure = next(props for props in components(drawn("received_today", example)) if props.get("id") == "figure")
    assert figure["children"]
    assert figure["children"] == "<5" or not re.search(r"\d", figure["children"])


def test_a_true_zero_is_a_zero() -> None:
    figure = next(props for props in components(drawn("received_today", "zero")) if props.get("id") == "figure")
    assert figure["children"] == "0"


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ("without", "data 10.51 · tanpa Dishub, DLH"),
        ("partial", "sebagian, biasa 642"),
        ("too-few", "11 dari minimal 30"),
        ("no-band", "riwayat belum cukup"),
        ("loading", "memuat"),
        ("silent", "tidak ada data baru"),
        ("stale", "Disdukcapil: data 09.48"),
        ("offline", "SUMBER LURING"),
        ("late", "terlambat · data 10.51"),
        ("warning", "di atas biasa (31)"),
        ("suppressed", "disamarkan"),
    ],
)
def test_a_state_says_its_words(example: str, said: str) -> None:
    assert said in texts(drawn("received_today", example))


def test_agencies_that_are_not_connected_are_listed_by_name_on_a_page_of_their_own() -> None:
    tree = drawn("agencies", "all-unconnected")
    assert {"Dinas 1", "Dinas 37", "37 perangkat daerah belum terhubung", "Halaman 2/2"} <= texts(tree)
    assert [props["data-page"] for props in components(tree) if "data-page" in props] == ["1", "2"]


def test_forty_agencies_turn_seven_pages_and_nobody_is_lost() -> None:
    tree = drawn("agencies", "forty")
    pages = [props for props in components(tree) if "data-page" in props]
    assert [props["data-page"] for props in pages] == [str(number) for number in range(1, 9)]
    assert {f"OPD {number}" for number in range(1, 41)} | {"Halaman 7/8", "6 perangkat daerah belum terhubung"} <= texts(tree)


@pytest.mark.parametrize("number", range(1, 17))
def test_the_style_sheet_shows_every_page_up_to_sixteen(number: int) -> None:
    sheet = (Path(__file__).parents[2] / "assets" / "wall.css").read_text("utf-8")
    assert f'.is-shown[data-page-shown="{number}"] [data-page="{number}"]' in sheet


@pytest.mark.parametrize(("example", "said"), [
    ("normal", {"<5, disamarkan", "belum mutakhir", "14,8%", "rata-rata 7,3%", "tak dikenal 12", "luar daerah 34", "tanpa keterangan 211"}),
    ("states", {"disamarkan", "belum mutakhir; <5, disamarkan", "11 dari minimal 30", "belum ada yang selesai", "luring", "tidak tersedia"}),
    ("counts", {"tak dikenal <5", "bukan per penduduk"}), ("part-of-the-days", {"terlambat · data 10.51 · 12 dari 30 hari"}),
])
def test_a_district_that_is_no_plain_figure_says_why(example: str, said: set[str]) -> None:
    assert said <= texts(drawn("districts", example))


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("received_today", "normal"),
        ("received_today", "stale"),
        ("on_time_today", "too-few"),
        ("received_rolling", "normal"),
        ("needs_attention", "normal"),
        ("alarm_strip", "critical"),
        ("agencies", "one"),
        ("sources_strip", "normal"),
        ("districts", "normal"),
        ("reading", "normal"),
        ("reading", "overdue"),
        ("readings", "normal"),
    ],
)
def test_a_drawing_is_what_it_was(name: str, example: str, request: pytest.FixtureRequest) -> None:
    path = SNAPSHOTS / f"{name}-{example}.json"
    text = json.dumps(drawn(name, example), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    stored = text if request.config.getoption("--update-snapshots", default=False) else path.read_text(encoding="utf-8")
    path.write_text(stored, encoding="utf-8")
    assert text == stored, "the drawing changed: look at it, then run pytest with --update-snapshots"
