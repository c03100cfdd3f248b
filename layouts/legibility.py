"""Can the wall be read (design §8)? Computed from the declarations and the style sheets, without a browser.

A text is as large as its capitals: ``CAPITAL`` of its size in Inter (capHeight 1490 of 2048 units per em), in arcminutes at
the eye. Far text needs 16′ at the screen's farthest viewer (ISO 9241-303 asks 16′ at least, 20′ to 22′ preferred), near text
16′ at half of that. Contrast as in WCAG 2.2, and more for figures; colours of levels must stay apart for red-green blind eyes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from math import atan, degrees, radians, tan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import SHIPPED
from config.terms import DeclarationError
from dashboard.queries.answers import Level, State
from layouts.colours import EYES, contrast, distance
from layouts.components.figures import shape_of
from layouts.components.shapes import SHAPES
from layouts.sheets import Rule, TextClass, shipped, text_classes, tokens

if TYPE_CHECKING:
    from config.declarations import Regency, Scene, Screen

CAPITAL = 1490 / 2048
LEAST_ARCMINUTES, AIM_ARCMINUTES = 16.0, 20.0
LEAST_PIXELS = {"far": 50.5, "near": 25.5}
"""The least sizes in a style sheet, pixels of a 1080p wall: 16′ on 55 inches (1218 mm) at 5 m and at 2.5 m."""
FIGURE_FLOOR, TEXT_FLOOR, MARK_FLOOR = 7.0, 4.5, 3.0
LEAST_DISTANCE = 20.0
"""ΔE*ab between the colours of two levels for every kind of eye: some nine just noticeable differences."""
SURFACES = ("bg", "tile", "raised", "void")
FIGURES = ("ink", "stale-figure")
TEXTS = ("ink-2", "ink-3", "normal", "attention", "warning", "critical", "stale", "offline", "suppressed")
MARKS = ("mark", "mark-2", "mark-strong", "band-edge")
LEVELS = ("normal", "attention", "warning", "critical")
FILLED = ("ink", "attention", "warning", "critical")
NAME_ROOM = 11
"""Letters of an agency's short name that are drawn as far text wherever it stands."""


def arcminutes(pixels: float, screen: Screen, metres: float) -> float:
    """The height of a capital at the eye, in arcminutes. ``pixels`` of a 1080p wall; ``metres`` from the screen."""
    long, short = max(screen.pixels), min(screen.pixels)
    pitch = min(length / count for length, count in zip(screen.millimetres, screen.pixels, strict=True))
    millimetres = pixels * CAPITAL * min(long / 1920, short / 1080) * pitch
    return degrees(atan(millimetres / (metres * 1000))) * 60


def readable_to(pixels: float, screen: Screen, least: float = LEAST_ARCMINUTES) -> float:
    """How many metres away a text of a size still has ``least`` arcminutes."""
    return tan(radians(arcminutes(pixels, screen, 1) / 60)) / tan(radians(least / 60))


def applies(media: str, screen: Screen) -> bool:
    """Whether a media condition holds on a screen; one that is not known is taken to hold."""
    width, height = screen.pixels
    if media == "(orientation: portrait)":
        return height > width
    if found := re.fullmatch(r"\(min-aspect-ratio: (\d+)/(\d+)\)", media):
        return width / height >= int(found[1]) / int(found[2])
    return True


def metres_of(screen: Screen, scene: Scene) -> float:
    """How far the farthest viewer of a scene on a screen is: the screen's, or the scene's nearer one."""
    return min(screen.farthest_metres, scene.farthest_metres or screen.farthest_metres)


def legibility(
    regency: Regency, rules: Collection[Rule], *, file: str = "screens.toml", shapes: Collection[str], agencies: str = "agencies"
) -> list[DeclarationError]:
    """Everything that cannot be read, each with file, key, the figure and what to do; ``warning`` where it can, but barely.

    ``file``: the folder's ``screens.toml``; ``shapes``: those that are drawn; ``agencies``: the folder of their files.
    """
    try:
        classes = text_classes(rules)
    except ValueError as err:
        return [DeclarationError(f"{err}", file="assets", id=f"{err}")]
    found = [*_too_small(classes)]
    if not found:
        for name, screen in regency.screens.items():
            found += _screen(regency, name, screen, classes, file)
    found += _contrasts(rules)
    found += _colours(rules)
    found += _states(regency.words, shapes)
    found += _names(regency, agencies)
    return found


def of_folder(regency: Regency, folder: Path) -> list[DeclarationError]:
    """The same for the declarations of a folder and the shipped style sheets."""
    own = folder / "screens.toml"
    file = str(own if own.is_file() else SHIPPED / "screens.toml")
    return legibility(regency, shipped(), file=file, shapes=SHAPES, agencies=str(folder / "agencies"))


def _reader(text: TextClass) -> str:
    return "near" if text.shrunk else text.reader


def _too_small(classes: Collection[TextClass]) -> Iterator[DeclarationError]:
    for text in classes:
        if text.reader not in LEAST_PIXELS:
            yield DeclarationError(
                f"--read: {text.reader} is not known; far or near", file=f"assets/{text.rule.file}", key=text.key,
                id=f"--read: {text.reader} tidak dikenal; far atau near",
            )
        elif text.pixels < LEAST_PIXELS["near" if text.scenes else _reader(text)]:  # a scene may have a nearer viewer
            least = LEAST_PIXELS[_reader(text)] + 0.5
            yield DeclarationError(
                f"{_reader(text)} text of {text.pixels:g} px; at least {least:g} px of a 1080p wall (16′ at "
                f"{5 if _reader(text) == 'far' else 2.5:g} m on 55 inches): make it larger",
                file=f"assets/{text.rule.file}", key=text.key,
                id=f"teks {'jauh' if _reader(text) == 'far' else 'dekat'} {text.pixels:g} px; sedikitnya {least:g} px pada dinding "
                f"1080p (16′ pada {5 if _reader(text) == 'far' else 2.5:g} m, 55 inci): perbesar",
            )


def _screen(
    regency: Regency, name: str, screen: Screen, classes: Collection[TextClass], file: str
) -> Iterator[DeclarationError]:
    """The worst far and the worst near text of a screen: refused under 16′; far text under 20′ is said."""
    seen: dict[str, list[tuple[float, float, str, TextClass]]] = {"far": [], "near": []}
    for scene_name in screen.scenes:
        scene = regency.scenes.get(scene_name)
        for text in classes if scene else ():
            if (text.scenes and scene_name not in text.scenes) or not applies(text.rule.media, screen):
                continue
            metres = metres_of(screen, scene) / (1 if _reader(text) == "far" else 2)  # type: ignore[arg-type]
            seen[_reader(text)].append((arcminutes(text.pixels, screen, metres), metres, scene_name, text))
    for reader, texts in seen.items():
        if not texts:
            continue
        arc, metres, scene_name, text = min(texts, key=lambda each: each[0])
        least = LEAST_ARCMINUTES if arc < LEAST_ARCMINUTES else AIM_ARCMINUTES
        if arc < LEAST_ARCMINUTES or (reader == "far" and arc < AIM_ARCMINUTES):
            yield _unreadable(name, screen, file, scene_name, text, reader, arc, metres, least)


def _unreadable(
    name: str, screen: Screen, file: str, scene: str, text: TextClass, reader: str, arc: float, metres: float, least: float
) -> DeclarationError:
    times = 1 if reader == "far" else 2
    reach, width = readable_to(text.pixels, screen, least) * times, screen.millimetres[0] * least / arc
    refused = least == LEAST_ARCMINUTES
    return DeclarationError(
        f"{reader} text ({text.key}, {text.pixels:g} px, scene {scene}) has {arc:.1f}′ at {metres:g} m, "
        f"{'at least 16' if refused else '20 is aimed at'}: let the farthest viewer sit within {reach:.1f} m, or take a screen "
        f"{width:.0f} mm wide",
        file=file, key=f"screens.{name}.farthest_metres", warning=not refused,
        id=f"teks {'jauh' if reader == 'far' else 'dekat'} ({text.key}, {text.pixels:g} px, adegan {scene}) hanya {arc:.1f}′ pada "
        f"{metres:g} m, {'sedikitnya 16' if refused else 'sebaiknya 20'}: dudukkan penonton terjauh dalam {reach:.1f} m, atau "
        f"pakai layar selebar {width:.0f} mm",
    )


def _colour(value: str, known: Mapping[str, str]) -> str | None:
    """``#rrggbb`` of a value that is a token or such a colour; ``None`` for anything else."""
    token = re.fullmatch(r"var\((--[\w-]+)\)", value)
    value = known.get(token[1], "") if token else value
    return value if re.fullmatch(r"#[0-9a-f]{6}", value) else None


def _contrasts(rules: Collection[Rule]) -> Iterator[DeclarationError]:
    known = {key.removeprefix("--"): value for key, value in tokens(rules).items()}
    asked = [
        (role, under, floor) for roles, floor in ((FIGURES, FIGURE_FLOOR), (TEXTS, TEXT_FLOOR), (MARKS, MARK_FLOOR))
        for role in roles for under in SURFACES
    ] + [("on-state", under, TEXT_FLOOR) for under in FILLED]
    for role, under, floor in asked:
        found = contrast(known[role], known[under])
        if found < floor:
            yield _faint("tokens.css", f"--{role}", f"--{under}", found, floor)
    for rule in rules:
        ink, ground = (_colour(rule.declared.get(key, ""), tokens(rules)) for key in ("color", "background"))
        if ink and ground and contrast(ink, ground) < TEXT_FLOOR:
            yield _faint(rule.file, rule.selector, rule.declared["background"], contrast(ink, ground), TEXT_FLOOR)


def _faint(file: str, key: str, under: str, found: float, floor: float) -> DeclarationError:
    return DeclarationError(
        f"contrast of {found:.1f}:1 on {under}, at least {floor:g}:1: choose a lighter or darker colour", file=f"assets/{file}",
        key=key, id=f"kontras {found:.1f}:1 di atas {under}, sedikitnya {floor:g}:1: pilih warna lebih terang atau lebih gelap",
    )


def _colours(rules: Collection[Rule]) -> Iterator[DeclarationError]:
    """Levels whose colours a kind of eye cannot tell apart."""
    known = tokens(rules)
    for (one, other), eye in ((pair, eye) for pair in combinations(LEVELS, 2) for eye in EYES):
        apart = distance(known[f"--{one}"], known[f"--{other}"], eye)
        if apart < LEAST_DISTANCE:
            yield DeclarationError(
                f"only {apart:.0f} (ΔE*ab) from --{other} for {eye} eyes, at least {LEAST_DISTANCE:g}: choose another colour",
                file="assets/tokens.css", key=f"--{one}",
                id=f"hanya {apart:.0f} (ΔE*ab) dari --{other} bagi mata {eye}, sedikitnya {LEAST_DISTANCE:g}: pilih warna lain",
            )


def _states(words: Mapping[str, Mapping[str, Any]], shapes: Collection[str]) -> Iterator[DeclarationError]:
    """States by colour alone: every one needs a shape that is drawn and a word of its own in each language."""
    for kind in sorted({*(shape_of(state) for state in State), *(level.value for level in Level)} - set(shapes)):
        yield DeclarationError(
            f"the state {kind!r} has no shape: draw one", file="layouts/components/shapes.py", key=kind,
            id=f"keadaan {kind!r} tidak punya bentuk: gambarkan",
        )
    for language in ("id", "en"):
        for table, names in (("panels.states", [*State]), ("wall.levels", [*Level])):
            section: Any = words[language]
            for part in table.split("."):
                section = section.get(part, {})
            said: dict[str, str] = {}
            for name in names:
                word = str(section.get(name.value, "")).strip()
                if not word or word.casefold() in said:
                    same = said.get(word.casefold(), "")
                    yield DeclarationError(
                        f"a state needs a word of its own{f'; {same} has the same' if same else ''}: colour alone says nothing",
                        file=f"words/{language}.toml", key=f"{table}.{name.value}",
                        id=f"keadaan perlu kata sendiri{f'; {same} memakai kata ini juga' if same else ''}: warna saja tidak cukup",
                    )
                said[word.casefold()] = name.value


def _names(regency: Regency, file: str) -> Iterator[DeclarationError]:
    """One warning for the short names that are too long to be drawn as far text."""
    long = sorted(
        (agency.short_name for agency in regency.agencies.values() if agency.serves and len(agency.short_name) > NAME_ROOM),
        key=len, reverse=True,
    )
    if long:
        listed = ", ".join(long[:3]) + (f" +{len(long) - 3}" if len(long) > 3 else "")
        yield DeclarationError(
            f"{len(long)} short names are longer than {NAME_ROOM} letters and are drawn smaller, for near viewers: {listed}; "
            "shorten them where people know a shorter one", file=file, key="short_name", warning=True,
            id=f"{len(long)} nama pendek lebih dari {NAME_ROOM} huruf dan digambar lebih kecil, untuk penonton dekat: {listed}; "
            "pendekkan bila ada sebutan yang lebih pendek",
        )
