"""Groups of screens and their modes: what a room's screens show at which time of which day, and to whom.

``[modes.<name>]`` and ``[groups.<name>]`` stand in ``screens.toml``. A mode is a list of scenes for an audience; a group is some
screens that switch together, by its schedule or because somebody says so.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from config.terms import Declared, Duration, Weekday, Words, clock_minutes

LEAST_DIM = 0.72
"""The darkest level of a night: under it figures fall below a contrast of 4.5 to 1 on some surface (a test computes it)."""
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _spans(value: Any) -> Any:
    """``["07:30", "10:00"]`` is one span; a list of such lists are several."""
    return [value] if isinstance(value, list | tuple) and value and isinstance(value[0], str) else value


class Mode(Declared):
    """What the screens of a group show while it is on.

    ``scenes``: of every screen, unless the screen has its own for this mode; none: the screen's own scenes. ``audience``: "people"
    while people of outside stand before the wall (design §8): no small number is shown. ``dim``: brightness, 1 is full.
    ``lasts``: how long it stays when somebody switches it on by hand and does not say.
    """

    name: Words
    scenes: tuple[str, ...] = ()
    audience: Literal["room", "people"] = "room"
    dim: float = Field(1.0, ge=LEAST_DIM, le=1.0)
    lasts: Duration = timedelta(hours=2)

    @field_validator("lasts")
    @classmethod
    def _lasts_for_a_time(cls, value: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= value <= timedelta(days=7):
            raise ValueError("between a minute and seven days")
        return value


class Slot(Declared):
    """When a group is in a mode: ``hours`` (half-open spans of the local clock) of weekdays, or of single ``dates``.

    ``on``: only on the working, or only on the closed, days of the group's calendar. Dates stand above weekdays.
    """

    mode: str
    hours: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_spans)] = (("00:00", "24:00"),)
    days: tuple[Weekday, ...] = WEEKDAYS
    dates: tuple[date, ...] = ()
    on: Literal["any", "working", "closed"] = "any"

    @field_validator("hours")
    @classmethod
    def _spans_follow_each_other(cls, value: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        edges = [clock_minutes(clock) for span in value for clock in span]
        if not value or any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError("each time must be later than the one before it; a night is two spans, before and after midnight")
        return value

    @property
    def minutes(self) -> tuple[tuple[int, int], ...]:
        """The spans in minutes of the day."""
        return tuple((clock_minutes(begins), clock_minutes(ends)) for begins, ends in self.hours)


class Group(Declared):
    """Screens that switch together. ``otherwise``: the mode whenever the schedule names none; without it there must be no gap."""

    name: Words
    screens: tuple[str, ...]
    calendar: str = "office"
    otherwise: str | None = None
    schedule: tuple[Slot, ...] = ()
