"""What ``command-center check`` says of modes and groups of screens: names that are not there, gaps, overlaps, who is in two."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from config.terms import DeclarationError
from dashboard.timetable import gaps_and_overlaps
from dashboard.worktime import calendars

if TYPE_CHECKING:
    from config.declarations import Regency
    from config.groups import Group


def groups(regency: Regency, file: str, declared: Mapping[str, Any]) -> Iterator[DeclarationError]:
    """Every error of the modes and groups that a folder's ``screens.toml`` declares."""
    for name in declared.get("modes", {}):
        for number, scene in enumerate(regency.modes[name].scenes):
            if scene not in regency.scenes:
                yield _unknown(file, f"modes.{name}.scenes.{number}", "scene", "adegan", scene, regency.scenes)
    for name in declared.get("screens", {}):
        for mode, scenes in regency.screens[name].modes.items():
            key = f"screens.{name}.modes.{mode}"
            if mode not in regency.modes:
                yield _unknown(file, key, "mode", "mode", mode, regency.modes)
            for number, scene in enumerate(scenes):
                if scene not in regency.scenes:
                    yield _unknown(file, f"{key}.{number}", "scene", "adegan", scene, regency.scenes)
    seen: dict[str, str] = {}
    for name, group in regency.groups.items():
        yield from _group(regency, name, group, file)
        for number, screen in enumerate(group.screens):
            other = seen.setdefault(screen, name)
            if other != name:
                yield DeclarationError(
                    f"screen {screen!r} is in group {other!r} already; take one away", file=file,
                    key=f"groups.{name}.screens.{number}",
                    id=f"layar {screen!r} sudah ada di grup {other!r}; hapus salah satunya",
                )


def _group(regency: Regency, name: str, group: Group, file: str) -> Iterator[DeclarationError]:
    key = f"groups.{name}"
    for number, screen in enumerate(group.screens):
        if screen not in regency.screens:
            yield _unknown(file, f"{key}.screens.{number}", "screen", "layar", screen, regency.screens)
    known = calendars(regency)
    if group.calendar not in known:
        yield _unknown(file, f"{key}.calendar", "calendar", "kalender", group.calendar, known)
    if group.otherwise is not None and group.otherwise not in regency.modes:
        yield _unknown(file, f"{key}.otherwise", "mode", "mode", group.otherwise, regency.modes)
    for number, slot in enumerate(group.schedule):
        if slot.mode not in regency.modes:
            yield _unknown(file, f"{key}.schedule.{number}.mode", "mode", "mode", slot.mode, regency.modes)
    for day, begins, ends, modes in gaps_and_overlaps(group):
        span = f"{day} {_clock(begins)}-{_clock(ends)}"
        yield DeclarationError(
            f"{span}: two slots at once ({modes}); take one away" if modes else f"{span}: no mode; add a slot, or set otherwise",
            file=file, key=f"{key}.schedule",
            id=f"{span}: dua jadwal bersamaan ({modes}); hapus salah satunya" if modes
            else f"{span}: tanpa mode; tambah jadwal, atau isi otherwise",
        )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _unknown(file: str, key: str, en: str, id: str, name: str, known: Collection[str]) -> DeclarationError:
    others = ", ".join(sorted(known)) or "-"
    return DeclarationError(
        f"no {en} {name!r}; known: {others}", file=file, key=key, id=f"tidak ada {id} {name!r}; yang ada: {others}"
    )
