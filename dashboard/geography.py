"""The districts as a map: a GeoJSON file (RFC 7946) that the administrator names, projected and simplified once into small
SVG paths; without one, a map of tiles. No map service is asked.

Projection: plate carrée scaled by the cosine of the middle latitude; over the one or two degrees of a regency its error lies
far below a screen's pixel. Lengths of a map are units of its drawing, at most :data:`WIDTH` × :data:`HEIGHT`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from config.declarations import DeclarationError
from dashboard.cases import OUTSIDE_DISTRICT, UNKNOWN_DISTRICT
from dashboard.derive import Districts
from dashboard.outlines import Outline, Points, outline_of

if TYPE_CHECKING:
    from config.declarations import DistrictMap, Regency

WIDTH, HEIGHT = 800.0, 700.0
TILE, GAP = 128.0, 8.0
MOST_BYTES = 64_000_000
"""A larger file is no map of districts but a mistake (or needs to be simplified before)."""


@dataclass(frozen=True)
class RegencyMap:
    """The outlines by district code, and the drawing's size. ``tiles``: squares in place of outlines.

    ``without_shape``: codes of declared districts that the file has no shape for; ``unknown``: names of shapes that are no
    district's.
    """

    width: float
    height: float
    outlines: Mapping[str, Outline]
    tiles: bool = False
    without_shape: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass
class _Shapes:
    """What a file holds: rings in degrees by district, and the names of shapes that belong to none."""

    rings: dict[str, list[Points]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


class NotAMap(Exception):
    """The file is no map of districts: why, in English and Indonesian."""

    def __init__(self, en: str, id: str) -> None:
        super().__init__(en)
        self.en, self.id = en, id


def map_of(regency: Regency) -> RegencyMap:
    """The regency's map as declared; tiles where no file is named, or where it cannot be read any more (``check`` says why)."""
    if regency.map is not None:
        with_file = _read(regency, regency.map)
        if isinstance(with_file, RegencyMap):
            return with_file
    return tile_map(regency)


def problems(regency: Regency, file: str) -> Iterator[DeclarationError]:
    """What is wrong with the map that a folder declares (``file``: where it does): a file that is none is an error; a district
    without a shape and a shape without a district are warnings, each named. Two districts on one tile are an error."""
    if regency.map is not None:
        read = _read(regency, regency.map)
        if isinstance(read, NotAMap):
            yield DeclarationError(read.en, file=file, key="map.file", id=read.id)
        else:
            for code in read.without_shape:
                name = regency.districts[code].name
                yield DeclarationError(
                    f"district {code} {name} has no shape in {Path(regency.map.file).name}", file=file, key="map.file",
                    id=f"kecamatan {code} {name} tidak ada bentuknya di {Path(regency.map.file).name}", warning=True,
                )
            for name in read.unknown:
                yield DeclarationError(
                    f"shape {name!r} is no declared district; add a spelling to districts.toml", file=file, key="map.file",
                    id=f"bentuk {name!r} bukan kecamatan yang dinyatakan; tambahkan ejaannya di districts.toml", warning=True,
                )
    places: dict[tuple[int, int], str] = {}
    for code, district in regency.districts.items():
        first = places.setdefault(district.tile, code) if district.tile else code
        if first != code:
            yield DeclarationError(
                f"stands on the same tile as {first}", file="districts.toml", key=f"{code}.tile",
                id=f"menempati petak yang sama dengan {first}",
            )


def _read(regency: Regency, declared: DistrictMap) -> RegencyMap | NotAMap:
    """The file's map, read once for the declarations and the file's time of change."""
    path = Path(declared.file)
    try:
        changed = path.stat().st_mtime_ns
    except OSError as err:
        return NotAMap(f"cannot be read: {err.strerror}: {path}", f"tidak dapat dibaca: {err.strerror}: {path}")
    known = tuple((code, one.name, one.bps, one.spellings) for code, one in regency.districts.items())
    return _read_once(_Declared(regency, declared, (regency.code, known, declared, changed)))


class _Declared:
    """Declarations that are the same where what decides about the map is (``key``)."""

    def __init__(self, regency: Regency, map: DistrictMap, key: tuple[Any, ...]) -> None:
        self.regency, self.map, self.key = regency, map, key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Declared) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=4)
def _read_once(one: _Declared) -> RegencyMap | NotAMap:
    try:
        shapes = _shapes(Path(one.map.file), one.map, Districts(one.regency))
        outlines, width, height = _projected(shapes.rings)
    except NotAMap as err:
        return err
    return RegencyMap(
        width, height, {code: outlines[code] for code in one.regency.districts if code in outlines},
        without_shape=tuple(code for code in one.regency.districts if code not in outlines), unknown=tuple(shapes.unknown),
    )


def _shapes(path: Path, declared: DistrictMap, districts: Districts) -> _Shapes:
    """The file's shapes by district: joined by code, or by a declared name or spelling. Raises :class:`NotAMap`."""
    found = _Shapes()
    for number, feature in enumerate(_features(path), 1):
        told = feature.get("properties")
        told = told if isinstance(told, dict) else {}
        names = [str(told[key]).strip() for key in (declared.code, declared.name) if told.get(key) not in (None, "")]
        codes = [districts.find(name) for name in names]
        code = next((code for code in codes if code not in (UNKNOWN_DISTRICT, OUTSIDE_DISTRICT, "")), None)
        rings = list(_rings(feature.get("geometry")))
        if code is None:
            found.unknown.append(" ".join(names) or f"#{number}")
        elif rings:
            found.rings.setdefault(code, []).extend(rings)
    if not found.rings:
        raise NotAMap(
            f"no shape is a declared district (properties {declared.code!r} and {declared.name!r}): {path}",
            f"tidak ada bentuk yang merupakan kecamatan yang dinyatakan (isian {declared.code!r} dan {declared.name!r}): {path}",
        )
    return found


def _features(path: Path) -> list[dict[str, Any]]:
    """The features of a GeoJSON file. Raises :class:`NotAMap`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise NotAMap(
                f"is larger than {MOST_BYTES // 1_000_000} MB; simplify it first: {path}",
                f"lebih besar dari {MOST_BYTES // 1_000_000} MB; sederhanakan dahulu: {path}",
            )
        whole = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as err:
        raise NotAMap(f"cannot be read: {err.strerror}: {path}", f"tidak dapat dibaca: {err.strerror}: {path}") from err
    except (ValueError, RecursionError) as err:
        raise NotAMap(f"is not GeoJSON: {path}", f"bukan GeoJSON: {path}") from err
    features = whole.get("features") if isinstance(whole, dict) else None
    if not isinstance(features, list) or not features:
        raise NotAMap(f"is no FeatureCollection of GeoJSON: {path}", f"bukan FeatureCollection GeoJSON: {path}")
    return [feature for feature in features if isinstance(feature, dict)]


def _rings(geometry: Any) -> Iterator[Points]:
    """The rings of a polygon, of several, or of a collection of them, in degrees. Raises :class:`NotAMap`."""
    if not isinstance(geometry, dict):
        return
    kind, inside = geometry.get("type"), geometry.get("coordinates")
    if kind == "GeometryCollection":
        for part in geometry.get("geometries") or ():
            yield from _rings(part)
    elif kind in ("Polygon", "MultiPolygon"):
        try:
            polygons: Any = inside if kind == "MultiPolygon" else [inside]
            rings = [np.array([point[:2] for point in ring], dtype=np.float64) for polygon in polygons for ring in polygon]
        except (TypeError, ValueError, IndexError) as err:
            raise NotAMap("holds coordinates that are no numbers", "memuat koordinat yang bukan angka") from err
        for ring in rings:
            if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 4:
                continue
            if not np.isfinite(ring).all() or abs(ring[:, 0]).max() > 180 or abs(ring[:, 1]).max() > 90:
                raise NotAMap(
                    "coordinates are no degrees of longitude and latitude (WGS84); convert the file",
                    "koordinatnya bukan derajat bujur dan lintang (WGS84); ubah dahulu berkasnya",
                )
            yield ring


def _projected(rings: Mapping[str, Iterable[Points]]) -> tuple[dict[str, Outline], float, float]:
    """The outlines in a drawing of at most WIDTH × HEIGHT, and the size really used."""
    whole = np.vstack([ring for parts in rings.values() for ring in parts])
    (west, south), (east, north) = whole.min(axis=0), whole.max(axis=0)
    squeeze = math.cos(math.radians(float(south + north) / 2))
    wide, tall = max(float(east - west) * squeeze, 1e-9), max(float(north - south), 1e-9)
    scale = min(WIDTH / wide, HEIGHT / tall)
    return (
        {
            code: outline_of([
                np.column_stack([(ring[:, 0] - west) * squeeze * scale, (north - ring[:, 1]) * scale]) for ring in parts
            ])
            for code, parts in rings.items()
        },
        round(wide * scale, 1), round(tall * scale, 1),
    )


def tile_map(regency: Regency) -> RegencyMap:
    """A square for each district, where ``tile`` puts it; those without one follow below, six in a row."""
    return _tiles(tuple((code, one.tile) for code, one in regency.districts.items()))


@lru_cache(maxsize=4)
def _tiles(declared: tuple[tuple[str, tuple[int, int] | None], ...]) -> RegencyMap:
    places = {code: tile for code, tile in declared if tile is not None}
    columns = max([5, *(column for column, _ in places.values())]) + 1
    row = max((row for _, row in places.values()), default=-1) + 1
    rest = [code for code, tile in declared if tile is None]
    places |= {code: (at % columns, row + at // columns) for at, code in enumerate(rest)}
    left = min((column for column, _ in places.values()), default=0)
    side = TILE - GAP
    outlines = {}
    for code, (column, line) in places.items():
        x, y = (column - left) * TILE, line * TILE
        outlines[code] = outline_of([np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], dtype=np.float64)])
    return RegencyMap(
        max(((column - left + 1) * TILE - GAP for column, _ in places.values()), default=0.0),
        max(((line + 1) * TILE - GAP for _, line in places.values()), default=0.0), outlines, tiles=True,
    )
