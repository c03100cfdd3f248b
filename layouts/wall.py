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

from config.declarations import Panel, Regency, Screen
from dashboard.errors import ConfigError
from dashboard.words import Say
from layouts.components.attributes import data
from layouts.components.shapes import shape

HEADER, FOOTER = "overall_state", "alarm_strip"
"""The panels on every scene."""

TIMES = ("seconds", "minutes_one", "minutes", "hours_one", "hours", "days_one", "days")


class Instance(NamedTuple):
    """A panel with its parameters in one language: what is asked, drawn and encoded once, whatever shows it."""

    id: str
    panel: str
    params: Mapping[str, Any]
    language: str


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


def instance(panel: str, params: Mapping[str, Any], language: str) -> Instance:
    """The instance of a panel: id ``<panel>``, with a hash of its parameters if any, and ``-en`` for English."""
    name = panel
    if params:
        text = json.dumps(dict(params), sort_keys=True, default=str)
        name += "-" + hashlib.sha256(text.encode()).hexdigest()[:8]
    return Instance(name if language == "id" else f"{name}-{language}", panel, params, language)


def _placed(regency: Regency, screen: Screen) -> Iterator[tuple[str, Panel, Instance]]:
    """(scene, declared panel, instance) in order. Raises ``ConfigError`` for a scene that is not there."""
    for name in screen.scenes:
        if name not in regency.scenes:
            known = ", ".join(sorted(regency.scenes))
            raise ConfigError(
                f"no scene {name!r}; known: {known}", f"tidak ada adegan {name!r}; yang ada: {known}", file="screens.toml",
                key="scenes",
            )
        for declared in regency.scenes[name].panels:
            yield name, declared, instance(declared.panel, declared.params, screen.language)


def instances(regency: Regency, screen: str | Screen) -> tuple[Instance, ...]:
    """Every panel instance of a screen, those of header and footer first; ``screen`` is its key or itself.

    Raises ``ConfigError`` for an unknown screen or scene, or when one instance would stand twice on the screen (an id
    stands once on a page).
    """
    declared = _screen(regency, screen)
    found = [instance(name, {}, declared.language) for name in (HEADER, FOOTER)]
    for scene, _, each in _placed(regency, declared):
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


def _header(regency: Regency, screen: Screen, drawn: Mapping[str, Any], say: Say) -> html.Header:
    title = say("wall.centre", title=say.name(regency.title), regency=regency.short_name or regency.name)
    total = len(screen.scenes)
    names = [
        html.Div(
            [
                html.B(say.name(regency.scenes[scene].name)),
                html.Span(say("wall.scene_of", centre=title, n=number, of=total)),
            ],
            className="where" + (" is-shown" if number == 1 else ""),
            **data(scene=scene),
        )
        for number, scene in enumerate(screen.scenes, 1)
    ]
    badge = [html.Div(say("wall.simulated"), className="sim")] if regency.simulated else []
    return html.Header(
        [
            html.Div(names, className="names"),
            html.Div([html.Div(**data(live="date")), *badge], className="when"),
            html.Div([html.Span(**data(live="clock")), html.Small(say.zone_name)], className="clock"),
            _slot(instance(HEADER, {}, screen.language), drawn),
        ],
        className="head",
    )


def lost_banner(say: Say) -> html.Div:
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
    words = {"language": say.language, "zone": say.regency.timezone, "separator": separator, "times": times}
    return json.dumps(words, ensure_ascii=False)


def page(regency: Regency, screen: str | Screen, drawn: Mapping[str, Any], say: Say) -> html.Div:
    """The whole page of a screen. ``drawn``: instance id → its tree (a component or its JSON, ids already prefixed).

    Raises ``ConfigError`` as :func:`instances` does.
    """
    declared = _screen(regency, screen)
    instances(regency, declared)
    slots: dict[str, list[html.Div]] = {name: [] for name in declared.scenes}
    for scene, panel, each in _placed(regency, declared):
        slots[scene].append(_slot(each, drawn, panel.area))
    scenes = [
        html.Section(
            inside,
            id=f"scene-{name}",
            className=f"scene scene-{name}" + (" is-shown" if number == 0 else ""),
            **data(scene=name, page_shown="1"),
        )
        for number, (name, inside) in enumerate(slots.items())
    ]
    return html.Div(
        [
            _header(regency, declared, drawn, say),
            lost_banner(say),
            html.Main(scenes, className="scenes"),
            html.Footer(_slot(instance(FOOTER, {}, declared.language), drawn)),
            html.Div(id="live-words", hidden=True, **data(words=live_words(say))),
        ],
        className="wall",
        id="wall",
    )
