"""The wall as it is declared, made ready for the live layer: panel instances, the plan of each screen and audience, pages.

A part of the serve process: it is what imports ``layouts`` there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from dashboard.live.frames import plain
from dashboard.live.hub import ScreenPlan, plan_name
from dashboard.live.scenes import Planned
from dashboard.live.snapshot import Instance
from dashboard.live.zone import Zone, address, layout_hash
from dashboard.queries.audience import critical, not_asked, nothing_counted
from dashboard.timetable import PEOPLE, ROOM, Modes
from dashboard.words import Say
from layouts import states, wall
from layouts.components.omitted import omitted, title_of
from layouts.components.tile import failed as failed_panel
from layouts.panels import panel
from layouts.sheets import ASSETS

if TYPE_CHECKING:
    from config.declarations import Regency, Screen


def wall_zone(regency: Regency) -> Zone:
    """The wall as declared: every distinct panel instance of all screens, the plan and page of each screen and audience."""
    says = {language: Say(regency, language) for language in ("id", "en")}
    modes_now = Modes(regency)
    nobody = partial(_nobody, modes_now, tuple(regency.screens))
    instances: dict[str, Instance] = {}
    plans: dict[str, ScreenPlan] = {}
    for name, screen in regency.screens.items():
        for audience in (ROOM, PEOPLE) if wall.modes_of(regency, name, PEOPLE) else (ROOM,):
            declared = wall.instances(regency, name, audience)
            for found in declared:
                if found.id not in instances:
                    instances[found.id] = _instance(found, says[found.language], nobody)
            empty = plain(wall.page(regency, name, {}, says[screen.language], audience))
            modes = {
                mode: tuple(_planned(regency, screen, scene, audience) for scene in wall.scenes_in(regency, name, mode))
                for mode in wall.modes_of(regency, name, audience)
            }
            everything = tuple(_planned(regency, screen, scene, audience) for scene in wall.scenes_of(regency, name, audience))
            own = everything[:len(screen.scenes)] if audience == ROOM else everything
            hashed = [screen.model_dump(mode="json"), {mode: [one.name for one in scenes] for mode, scenes in modes.items()}]
            plan = ScreenPlan(
                plan_name(name, audience), tuple(dict.fromkeys(found.id for found in declared)), own, layout_hash(hashed, empty),
                screen=name, audience=audience, modes=modes, everything=everything,
            )
            plans[plan.name] = plan

    def page(name: str, drawn: Mapping[str, Any]) -> Any:
        plan = plans[name]
        return plain(wall.page(regency, plan.screen, drawn, says[regency.screens[plan.screen].language], plan.audience))

    def explained(screen: str, path: str) -> tuple[str, str] | None:
        found = states.asked(path, regency.screens[screen].language if screen in regency.screens else "id")
        if found is None:
            return None
        number, language = found
        sheets = [f"/wall/{address(ASSETS, sheet.name)}" for sheet in sorted(ASSETS.glob("*.css"))]
        return states.document(number, says[language], sheets), f"{language}/{number % states.PAGES + 1}"

    return Zone("wall", tuple(instances.values()), plans, page, modes_now, explained)


def _planned(regency: Regency, screen: Screen, scene: str, audience: str) -> Planned:
    declared = regency.scenes[scene]
    return Planned(
        scene, int(declared.dwell.total_seconds() * 1000),
        tuple(wall.instance(each.panel, each.params, screen.language, audience).id for each in declared.panels),
        frozenset(rule for each in declared.panels for rule in getattr(panel(each.panel), "ALARMS", ())),
    )


def _nobody(modes: Modes, screens: tuple[str, ...], now: float) -> bool:
    """Whether people are present before no screen."""
    return all(modes.of(screen, int(now * 1000)).audience != PEOPLE for screen in screens)


def _instance(found: Any, say: Say, nobody: Callable[[float], bool] | None = None) -> Instance:
    """A panel made ready. For people present it draws what it may tell them, or only that it is not shown; it rests while there
    is ``nobody``."""
    module, params = panel(found.panel), dict(found.params)
    query, told = module.query, nothing_counted if found.audience == ROOM else getattr(module, "for_people", None)
    failed = partial(failed_panel, say)
    if told is None:
        title = title_of(found.panel, say)
        return Instance(found.id, ask=not_asked, draw=lambda _: omitted(title, say), failed=failed, reads=frozenset())
    return Instance(
        found.id, ask=lambda context: query(context, **params), draw=lambda answer: module.draw(told(answer), say), failed=failed,
        reads=query.reads, at_most_every=query.at_most_every, rests=nobody if found.audience == PEOPLE else None,
        question=(query, json.dumps(params, sort_keys=True, default=str)),
        pins=critical if found.panel == wall.HEADER else None,
    )
