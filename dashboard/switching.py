"""The command ``mode``: what the groups of screens are in, and switching one by hand for a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import Settings
from dashboard.errors import ProductError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency

LONGEST = timedelta(days=7)
_DURATION = re.compile(r"^\s*(\d+)\s*(minute|hour|day|menit|jam|hari)s?\s*$")
_UNITS = {"minute": "minutes", "menit": "minutes", "hour": "hours", "jam": "hours", "day": "days", "hari": "days"}


class Switching:
    """The command on one installation. ``declared`` reads its declarations when it runs; ``say`` prints a line."""

    def __init__(self, declared: Callable[[Settings], Regency], say: Callable[[str], None]) -> None:
        self.declared, self.say = declared, say

    def add_to(self, app: typer.Typer) -> None:
        """Register the command."""
        app.command()(self.mode)

    def mode(
        self,
        name: Annotated[str, typer.Argument(help="A mode of screens.toml; without it: what every group is in.")] = "",
        group: Annotated[str, typer.Option(help="The group of screens; may be left out when there is only one.")] = "",
        for_: Annotated[str, typer.Option("--for", help="For how long, as '2 hours'; default: as the mode declares.")] = "",
        clear: Annotated[bool, typer.Option("--clear", help="Back to the schedule now.")] = False,
        who: Annotated[str, typer.Option(help="Who decides; it is audited.")] = "command line",
    ) -> None:
        """Switch the walls of a group to a mode for a time; they return by themselves."""
        from dashboard import clock
        from dashboard.backup.opening import open_store
        from dashboard.store import overrides
        from dashboard.timetable import Override

        settings, now = Settings(), clock.now()
        regency = self.declared(settings)
        people = open_store(settings, "people")
        if clear:
            key = _group(regency, group)
            held = overrides.clear(people, key, who=who, now=now)
            self.say(f"{key}: {held} cleared" if held else f"{key}: nothing to clear")
        elif name:
            key = _group(regency, group)
            if name not in regency.modes:
                known = ", ".join(regency.modes) or "-"
                raise ProductError(
                    f"mode: no mode {name!r}; choose one of: {known}", f"mode: tidak ada mode {name!r}; pilih: {known}"
                )
            until = now + (_time(for_) if for_ else regency.modes[name].lasts)
            overrides.switch_on(people, Override(key, name, int(until.timestamp() * 1000)), who=who, now=now)
        for line in _standing(regency, people, now):
            self.say(line)


def _group(regency: Regency, group: str) -> str:
    """The group that is meant. Raises ``ProductError`` for an unknown one, or when there are several and none is named."""
    known = ", ".join(regency.groups) or "-"
    if not group and len(regency.groups) == 1:
        return next(iter(regency.groups))
    if group not in regency.groups:
        raise ProductError(
            f"mode: no group {group!r}; give --group, one of: {known}",
            f"mode: tidak ada grup {group!r}; beri --group, salah satu dari: {known}",
        )
    return group


def _time(text: str) -> timedelta:
    """``2 hours``, ``90 menit``. Raises ``ProductError``."""
    found = _DURATION.match(text)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found and len(found[1]) < 6 else timedelta()
    if not timedelta() < length <= LONGEST:
        raise ProductError(
            f"mode: --for {text!r} is not a time; give one such as '2 hours' or '90 minutes', seven days at most",
            f"mode: --for {text!r} bukan lama waktu; beri misalnya '2 jam' atau '90 menit', paling lama tujuh hari",
        )
    return length


def _standing(regency: Regency, people: Engine, now: datetime) -> Iterator[str]:
    """A line for each group: its mode, until when, and whether somebody chose it."""
    from dashboard.store.overrides import holding
    from dashboard.timetable import Timetable

    held = {one.group: one for one in holding(people, now=now)}
    for name in regency.groups:
        found = Timetable(regency, name).at(int(now.timestamp() * 1000), held.get(name))
        until = f" until {datetime.fromtimestamp(found.until / 1000, regency.zone):%Y-%m-%d %H:%M}" if found.until else ""
        yield f"{name}: {found.mode or '-'}{until}" + (" (by hand)" if found.overridden else "")
