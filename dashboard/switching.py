"""The command ``mode``: what the groups of screens are in, and switching one by hand for a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import Settings

if TYPE_CHECKING:
    from config.declarations import Regency


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
        from dashboard.choosing import choose, group_of, standing
        from dashboard.store import overrides

        settings, now = Settings(), clock.now()
        regency = self.declared(settings)
        people = open_store(settings, "people")
        if clear:
            key = group_of(regency, group)
            held = overrides.clear(people, key, who=who, now=now)
            self.say(f"{key}: {held} cleared" if held else f"{key}: nothing to clear")
        elif name:
            choose(regency, people, name, group=group, lasts=for_, who=who, now=now)
        for one in standing(regency, people, now):
            until = f" until {one.until:%Y-%m-%d %H:%M}" if one.until else ""
            self.say(f"{one.group}: {one.mode or '-'}{until}" + (" (by hand)" if one.by_hand else ""))
