"""The districts' map: joined by code or spelling, simplified, honest about what does not fit; tiles where there is no file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.declarations import DistrictMap, Regency
from config.loading import load
from dashboard.geography import NotAMap, RegencyMap, map_of, problems
from dashboard.outlines import TOLERANCE, area, inside, outline_of, simplified
from tests.layouts.district_answers import CONFIG, DECLARED, OUTLINES, regency_with

needs_outlines = pytest.mark.skipif(not OUTLINES.exists(), reason="the shared outlines are not beside the checkout")
SQUARE = [[120.0, -2.0], [120.2, -2.0], [120.2, -2.2], [120.0, -2.2], [120.0, -2.0]]


def feature(told: dict[str, Any], rings: list[Any] | None = None, kind: str = "Polygon") -> dict[str, Any]:
    """One feature of a GeoJSON file."""
    return {"type": "Feature", "properties": told, "geometry": {"type": kind, "coordinates": rings or [SQUARE]}}


def regency(path: Path, content: Any) -> Regency:
    """Three districts and a map file with this content."""
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return Regency.model_validate({
        "name": "Uji", "code": "73.22", "timezone": "Asia/Makassar", "map": DistrictMap(file=str(path)),
        "districts": {code: DECLARED[code] for code in ("73.22.02", "73.22.03", "73.22.07")},
    })


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    """A FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


def said(found: Regency) -> list[tuple[str, bool]]:
    """What ``check`` says of the map, and whether it is only a warning."""
    return [(one.message, one.warning) for one in problems(found, "regency.toml")]


def test_shapes_are_joined_by_code_by_name_and_by_spelling(tmp_path: Path) -> None:
    found = map_of(regency(tmp_path / "map.json", collection(
        feature({"kode": "732203"}), feature({"nama": "BONE BONE"}), feature({"kode": "", "nama": "Kecamatan Seko"}),
    )))
    assert (sorted(found.outlines), found.without_shape, found.unknown, found.tiles) == (
        ["73.22.02", "73.22.03", "73.22.07"], (), (), False,
    )


def test_check_names_districts_without_a_shape_and_shapes_without_a_district(tmp_path: Path) -> None:
    found = regency(tmp_path / "map.json", collection(feature({"kode": "73.22.03"}), feature({"kode": "73.17.01", "nama": "Larompong"})))
    assert said(found) == [
        ("district 73.22.02 Bone-Bone has no shape in map.json", True),
        ("district 73.22.07 Seko has no shape in map.json", True),
        ("shape '73.17.01 Larompong' is no declared district; add a spelling to districts.toml", True),
    ]


@pytest.mark.parametrize(("content", "why"), [
    ("{", "is not GeoJSON"), ("[]", "is no FeatureCollection"), ({"type": "Point"}, "is no FeatureCollection"),
    (collection(feature({"kode": "1"})), "no shape is a declared district"),
    (collection(feature({"kode": "73.22.03"}, [[[780000, 9735000], [790000, 9735000], [790000, 9745000], [780000, 9735000]]])),
     "no degrees of longitude and latitude"),
    (collection(feature({"kode": "73.22.03"}, [[["a", "b"], [1, 2], [2, 3], [3, 4]]])), "no numbers"),
])
def test_a_file_that_is_no_map_is_an_error_and_the_wall_shows_tiles(tmp_path: Path, content: Any, why: str) -> None:
    found = regency(tmp_path / "map.json", content)
    ((message, warning),) = said(found)
    assert why in message
    assert not warning
    assert map_of(found).tiles


def test_a_file_that_is_gone_is_an_error_and_the_wall_shows_tiles(tmp_path: Path) -> None:
    found = regency(tmp_path / "map.json", collection(feature({"kode": "73.22.03"})))
    os.remove(tmp_path / "map.json")
    assert "cannot be read" in said(found)[0][0]
    assert map_of(found).tiles


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    found = regency(tmp_path / "map.json", collection(feature({"kode": "73.22.03"})))
    assert map_of(found) is map_of(found.model_copy())
    (tmp_path / "map.json").write_text(json.dumps(collection(feature({"kode": "73.22.07"}))), encoding="utf-8")
    os.utime(tmp_path / "map.json", ns=(1, 1))
    assert list(map_of(found).outlines) == ["73.22.07"]


def test_holes_parts_heights_and_collections_are_understood(tmp_path: Path) -> None:
    hole = [[120.05, -2.05], [120.15, -2.05], [120.15, -2.15], [120.05, -2.05]]
    islands = [[SQUARE, hole], [[[121.0, -2.0, 7.0], [121.1, -2.0, 7.0], [121.1, -2.1, 7.0], [121.0, -2.0, 7.0]]]]
    whole = {"type": "Feature", "properties": {"kode": "73.22.07"}, "geometry": {"type": "GeometryCollection", "geometries": [
        {"type": "Polygon", "coordinates": [SQUARE]}, {"type": "Point", "coordinates": [120, -2]}]}}
    empty = {"type": "Feature", "properties": None, "geometry": None}
    found = map_of(regency(tmp_path / "map.json", collection(feature({"kode": "73.22.03"}, islands, "MultiPolygon"), whole, empty)))
    assert found.outlines["73.22.03"].d.count("M") == 3
    assert found.outlines["73.22.07"].d.count("M") == 1
    assert found.unknown == ("#3",)


@needs_outlines
def test_the_real_outlines_fit_their_districts_and_stay_small() -> None:
    found = map_of(regency_with(OUTLINES))
    assert (len(found.outlines), found.without_shape, found.unknown) == (15, (), ())
    assert max(found.width, found.height) <= 800
    assert sum(len(one.d) for one in found.outlines.values()) < 12_000
    assert list(problems(regency_with(OUTLINES), "")) == []


def test_the_shipped_tiles_are_fifteen_places_of_their_own() -> None:
    found = map_of(load(CONFIG))
    assert found.tiles
    assert len({(one.x, one.y) for one in found.outlines.values()}) == 15
    at = {DECLARED[code].name: (one.x, one.y) for code, one in found.outlines.items()}
    assert at["Seko"][0] < at["Rampi"][0] < at["Tana Lili"][0]
    assert at["Rampi"][1] < at["Masamba"][1] < at["Malangke"][1]


def test_districts_without_a_tile_follow_below_and_two_on_one_tile_are_an_error() -> None:
    declared = {"1": {"name": "A", "tile": (0, 0)}, "2": {"name": "B"}, "3": {"name": "C", "tile": (0, 0)}}
    found = Regency.model_validate({"name": "Uji", "timezone": "Asia/Makassar", "districts": declared})
    assert said(found) == [("stands on the same tile as 1", False)]
    assert map_of(found).outlines["2"].y > map_of(found).outlines["1"].y


def test_no_districts_are_an_empty_map() -> None:
    assert map_of(Regency(name="Uji", timezone="Asia/Makassar")) == RegencyMap(0.0, 0.0, {}, tiles=True)


def test_a_map_is_found_beside_the_folder_that_names_it(tmp_path: Path) -> None:
    for name, text in {
        "below/regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\n[map]\nfile = "peta.json"\n', "below/agencies/a.toml":
        'name = { id = "A", en = "A" }\nshort_name = "A"\n', "above/regency.toml": 'extends = "../below"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    declared = load(tmp_path / "above").map
    assert declared is not None
    assert Path(declared.file) == tmp_path / "below" / "peta.json"


def test_a_simplified_line_stays_within_its_tolerance() -> None:
    angles = np.linspace(0, 2 * np.pi, 2000)
    circle = np.column_stack([100 * np.cos(angles), 100 * np.sin(angles)])
    fewer = simplified(circle)
    assert len(fewer) < 100
    assert abs(area(fewer) - area(circle)) < 2 * np.pi * 100 * TOLERANCE


def test_a_label_stands_inside_and_hatch_and_dots_do_too() -> None:
    shape = np.array([[0, 0], [200, 0], [200, 40], [40, 40], [40, 200], [0, 200], [0, 0]], dtype=float)
    drawn = outline_of([shape])
    assert inside(np.array([[drawn.x, drawn.y]]), [shape]).all()
    points = np.array([[float(number) for number in one.split("h")[0].split()] for one in drawn.dots.split("M")[1:]])
    assert inside(points, [shape]).all()
    assert drawn.hatch.count("M") > 10


def test_the_error_carries_both_languages() -> None:
    error = NotAMap("is no map", "bukan peta")
    assert (error.en, error.id) == ("is no map", "bukan peta")
