"""The wall's page: header, banner of a lost connection, scenes switched by visibility, alarm strip.

Text that the browser itself changes lives in elements without React children: ``data-live`` (clock, date,
lost-since) and ``data-age-since``; the words for it are JSON in ``#live-words``. A scene is seen by its class
``is-shown``, a page of it by ``data-page-shown`` on the scene's container; css does the rest, so nothing is to be
repeated after a panel is redrawn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dash import html

from config.declarations import Panel, Regency, Scene, Screen
from dashboard.errors import ConfigError
from dashboard.queries.audience import nothing_counted
from dashboard.timetable import PEOPLE, ROOM
from dashboard.words import Say
from layouts.components.attributes import data
from layouts.components.shapes import shape
from layouts.panels import panel

HEADER, FOOTER = "overall_state", "alarm_strip"
"""The panels on every scene."""

TIMES = ("seconds", "minutes_one", "minutes", "hours_one", "hours", "days_one", "days")


class Instance(NamedTuple):
    """A panel with its parameters in one language for an audience: what is asked, drawn and encoded once, whatever shows it."""

    id: str
    panel: str
    params: Mapping[str, Any]
    language: str
    audience: str = ROOM


def _screen(regency: Regency, screen: str | Screen) -> Screen:
    if isinstance(screen, Screen):
        return screen
    if screen not in regency.screens:
        known = ", ".join(sorted(regency.screens)) or "none"
        raise ConfigError(
            f"no screen {screen!r}; known: {known}",
            f"tidak ada layar {screen!r}; yang ada: {known}",
            file="screens.toml",
        )
    return regency.screens[screen]


def instance(name: str, params: Mapping[str, Any], language: str, audience: str = ROOM) -> Instance:
    """The instance of a panel: id ``<panel>``, with a hash of its parameters if any, and ``-en`` for English.

    For people present it is another one (``-people``), unless the panel holds no count of cases anyway.
    """
    found = name
    if params:
        text = json.dumps(dict(params), sort_keys=True, default=str)
        found += "-" + hashlib.sha256(text.encode()).hexdigest()[:8]
    if audience == PEOPLE and getattr(panel(name), "for_people", None) is nothing_counted:
        audience = ROOM
    found += "" if audience == ROOM else f"-{audience}"
    return Instance(found if language == "id" else f"{found}-{language}", name, params, language, audience)


def modes_of(regency: Regency, screen: str | Screen, audience: str = ROOM) -> tuple[str, ...]:
    """The modes for an audience that a screen's group can be in; none for a screen without a group."""
    if isinstance(screen, Screen) or not any(screen in group.screens for group in regency.groups.values()):
        return ()
    return tuple(name for name, mode in regency.modes.items() if mode.audience == audience)


def scenes_in(regency: Regency, screen: str | Screen, mode: str = "") -> tuple[str, ...]:
    """The scenes of a screen in a mode: its own for it, else the mode's, else those that it always shows."""
    declared = _screen(regency, screen)
    named = regency.modes[mode].scenes if mode in regency.modes else ()
    return declared.modes.get(mode) or named or declared.scenes


def scenes_of(regency: Regency, screen: str | Screen, audience: str = ROOM) -> tuple[str, ...]:
    """Every scene that a screen may show to an audience, in order; all of them are on its page."""
    modes = modes_of(regency, screen, audience)
    every = [scene for mode in modes or ("",) for scene in scenes_in(regency, screen, mode)]
    own = _screen(regency, screen).scenes if audience == ROOM else ()
    return tuple(dict.fromkeys([*own, *every]))


def _placed(regency: Regency, screen: str | Screen, audience: str) -> Iterator[tuple[str, Panel, Instance]]:
    """(scene, declared panel, instance) in order. Raises ``ConfigError`` for a scene that is not there."""
    language = _screen(regency, screen).language
    for name in scenes_of(regency, screen, audience):
        if name not in regency.scenes:
            known = ", ".join(sorted(regency.scenes))
            raise ConfigError(
                f"no scene {name!r}; known: {known}", f"tidak ada adegan {name!r}; yang ada: {known}", file="screens.toml",
                key="scenes",
            )
        for declared in regency.scenes[name].panels:
            yield name, declared, instance(declared.panel, declared.params, language, audience)


def instances(regency: Regency, screen: str | Screen, audience: str = ROOM) -> tuple[Instance, ...]:
    """Every panel instance of a screen, those of header and footer first; ``screen`` is its key or itself.

    Raises ``ConfigError`` for an unknown screen or scene, or when one instance would stand twice on the screen (an id
    stands once on a page).
    """
    declared = _screen(regency, screen)
    found = [instance(name, {}, declared.language, audience) for name in (HEADER, FOOTER)]
    for scene, _, each in _placed(regency, screen, audience):
        if each.id in {known.id for known in found}:
            raise ConfigError(
                f"panel {each.panel!r} stands twice on one screen with the same parameters; take one away",
                f"panel {each.panel!r} muncul dua kali di satu layar; hapus salah satunya",
                file="screens.toml",
                key=f"scenes.{scene}",
            )
        found.append(each)
    return tuple(found)


def _slot(each: Instance, drawn: Mapping[str, Any], area: str = "") -> html.Div:
    """The place of an instance. The browser adds ``is-stale-by-clock`` here at the limit."""
    style: dict[str, Any] = {"style": {"gridArea": area}} if area else {}
    return html.Div(drawn.get(each.id), id=f"slot-{each.id}", className="slot", **style, **data(panel=each.id))


def _names(regency: Regency, screen: str | Screen, audience: str, say: Say) -> Iterator[html.Div]:
    """The name of each scene with its place among those of its mode. One is seen: that of the scene and the mode shown, the
    first before the server has said which."""
    look = "where is-shown"
    title = say("wall.centre", title=say.name(regency.title), regency=regency.short_name or regency.name)
    for mode in modes_of(regency, screen, audience) or ("",):
        listed = scenes_in(regency, screen, mode)
        for scene in scenes_of(regency, screen, audience):
            place = listed.index(scene) + 1 if scene in listed else 0
            below = [html.Span(title, className="centre"), html.Span(**data(live="mode"), className="mode-mark")]
            if place:
                below.append(html.Span(say("wall.scene_of", centre="", n=place, of=len(listed)), className="place"))
            yield html.Div(
                [html.B(say.name(regency.scenes[scene].name)), html.Div(below, className="below")], className=look,
                **data(scene=scene, **({"mode": mode} if mode else {})),
            )
            look = "where"


def _header(regency: Regency, screen: str | Screen, audience: str, drawn: Mapping[str, Any], say: Say) -> html.Header:
    badge = [html.Div(say("wall.simulated"), className="sim")] if regency.simulated else []
    return html.Header(
        [
            html.Div(list(_names(regency, screen, audience, say)), className="names"),
            html.Div([html.Div(**data(live="date")), *badge], className="when"),
            html.Div([html.Span(**data(live="clock")), html.Small(say.zone_name)], className="clock"),
            _slot(instance(HEADER, {}, say.language, audience), drawn),
        ],
        className="head",
    )


def _lost(say: Say) -> html.Div:
    """The banner of a lost connection; seen when the body is ``is-lost``."""
    inside: list[Any] = [
        shape("offline"),
        html.B([html.Span(say("wall.lost")), " ", html.Span(**data(live="lost-since"))]),
        html.Div(
            [
                html.Div([html.Span(say("wall.lost_from")), " ", html.Span(**data(live="lost-since"))]),
                html.Div(say("wall.lost_retry")),
            ],
            className="lost-note",
        ),
    ]
    return html.Div(inside, className="lost", id="live-lost", role="status")


def live_words(say: Say) -> str:
    """The words that the browser needs for clock and ages, as JSON; ``{n}`` is filled in there."""
    separator = "." if say.language == "id" else ":"
    times = {key: say(f"times.{key}") for key in TIMES}
    modes = {
        name: {
            "by_hand": say("wall.mode_by_hand", name=say.name(mode.name), time="{time}"),
            "scheduled": say("wall.mode_scheduled", name=say.name(mode.name), time="{time}"),
            "plain": say.name(mode.name),
        }
        for name, mode in say.regency.modes.items()
    }
    words = {
        "language": say.language, "zone": say.regency.timezone, "separator": separator, "times": times, "modes": modes,
        "wiped": say("wall.wiped"),
    }
    return json.dumps(words, ensure_ascii=False)


def _grid(scene: Scene) -> dict[str, str]:
    """The areas of a scene for both orientations, as the style sheet reads them where it has no grid of the scene's name."""
    areas = list(dict.fromkeys(panel.area for panel in scene.panels))
    across = 1 if len(areas) == 1 else 2 if len(areas) in (2, 4) else 3

    def rows(across: int) -> tuple[str, ...]:
        cut = [areas[start : start + across] for start in range(0, len(areas), across)]
        return tuple(" ".join([*row, *row[-1:] * (across - len(row))]) for row in cut)  # the last takes the rest of its row

    wide = scene.grid or rows(across)
    tall = scene.tall or rows(1 if len(areas) <= 3 else 2)
    return {name: " ".join(f'"{row}"' for row in found) for name, found in (("--areas", wide), ("--areas-tall", tall))}


def page(
    regency: Regency, screen: str | Screen, drawn: Mapping[str, Any], say: Say, audience: str = ROOM
) -> html.Div:
    """The whole page of a screen for an audience. ``drawn``: instance id → its tree (a component or its JSON, ids already
    prefixed).

    Raises ``ConfigError`` as :func:`instances` does.
    """
    declared = _screen(regency, screen)
    instances(regency, screen, audience)
    slots: dict[str, list[html.Div]] = {name: [] for name in scenes_of(regency, screen, audience)}
    for scene, placed, each in _placed(regency, screen, audience):
        slots[scene].append(_slot(each, drawn, placed.area))
    scenes = [
        html.Section(
            inside,
            id=f"scene-{name}",
            className=f"scene scene-{name}" + (" is-shown" if number == 0 else ""),
            style=_grid(regency.scenes[name]),
            **data(scene=name, page_shown="1"),
        )
        for number, (name, inside) in enumerate(slots.items())
    ]
    return html.Div(
        [
            _header(regency, screen, audience, drawn, say),
            _lost(say),
            html.Main(scenes, className="scenes"),
            html.Footer(_slot(instance(FOOTER, {}, declared.language, audience), drawn)),
            html.Div(id="live-words", hidden=True, **data(words=live_words(say))),
        ],
        className="wall",
        id="wall",
    )
