"""Which mode a group of screens is in: by its declared schedule, or by an override that ends by itself.

A function of the declarations, the override and the clock alone, so that every serve process says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from config.groups import WEEKDAYS
from dashboard.clock import day_start, local_day
from dashboard.worktime import calendars

if TYPE_CHECKING:
    from config.declarations import Regency
    from config.groups import Group, Slot

ROOM, PEOPLE = "room", "people"
"""The audiences of a wall: those who work with it, and people of outside who stand before it (design §8)."""
SEARCHED_DAYS = 8
"""A schedule of weekdays repeats after seven; one that says nothing new until then is not asked further."""
MINUTES = 24 * 60


@dataclass(frozen=True)
class Override:
    """Somebody's choice for a group until an instant (epoch milliseconds)."""

    group: str
    mode: str
    until: int


@dataclass(frozen=True)
class Now:
    """The mode of a group at an instant. ``until``: when it changes by itself, epoch milliseconds; 0 for not within a week.

    ``audience_until``: when the audience becomes another one by itself, 0 as before. A screen without a group is in the mode "".
    """

    mode: str = ""
    audience: str = ROOM
    dim: float = 1.0
    until: int = 0
    overridden: bool = False
    audience_until: int = 0


def of_day(group: Group, day: date, *, working: bool) -> list[tuple[int, int, str]]:
    """(first minute, end, mode) of a local day, in order; dates stand above weekdays, which fill what they leave."""
    found: list[tuple[int, int, str]] = []
    for slots in ([slot for slot in group.schedule if day in slot.dates], [slot for slot in group.schedule if not slot.dates]):
        spans = [
            (begins, ends, slot.mode) for slot in slots if slot.dates or _on(slot, day, working=working)
            for begins, ends in slot.minutes
        ]
        found += [piece for span in sorted(spans) for piece in _left(span, found)]
    return sorted(found)


def _on(slot: Slot, day: date, *, working: bool) -> bool:
    return WEEKDAYS[day.weekday()] in slot.days and slot.on in ("any", "working" if working else "closed")


def _left(span: tuple[int, int, str], taken: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """What of a span is not taken yet."""
    pieces = [span]
    for first, end, _ in taken:
        pieces = [
            (begins, ends, mode) for a, b, mode in pieces for begins, ends in ((a, min(b, first)), (max(a, end), b))
            if begins < ends
        ]
    return pieces


class Timetable:
    """The schedule of one group."""

    def __init__(self, regency: Regency, name: str) -> None:
        self.regency, self.name = regency, name
        self.group, self.zone = regency.groups[name], regency.zone
        known = calendars(regency)
        self._calendar = known.get(self.group.calendar, known["office"])
        self._otherwise = self.group.otherwise or next(iter(regency.modes), "")

    def at(self, now_ms: int, override: Override | None = None) -> Now:
        """The mode now, and until when. An override of a mode that is not declared any more counts for nothing."""
        here = self._state(now_ms, override)
        until = audience_until = 0
        for edge in self._edges(now_ms, override):
            then = self._state(edge, override)
            if not until and (then.mode, then.overridden) != (here.mode, here.overridden):
                until = edge
            if then.audience != here.audience:
                audience_until = edge
                break
        return replace(here, until=until, audience_until=audience_until)

    def _state(self, at_ms: int, override: Override | None) -> Now:
        modes = self.regency.modes
        over = override is not None and override.mode in modes and at_ms < override.until
        name = override.mode if over and override is not None else self._scheduled(at_ms)
        declared = modes.get(name)
        return Now(name, overridden=over) if declared is None else Now(name, declared.audience, declared.dim, overridden=over)

    def _scheduled(self, at_ms: int) -> str:
        seconds = at_ms // 1000
        day = local_day(seconds, self.zone)
        for begins, ends, mode in self._spans(day):
            if begins <= seconds < ends:
                return mode
        return self._otherwise

    def _spans(self, day: date) -> Iterator[tuple[int, int, str]]:
        for first, end, mode in of_day(self.group, day, working=self._calendar.is_working_day(day)):
            yield self._second(day, first), self._second(day, end), mode

    def _second(self, day: date, minute: int) -> int:
        if minute == MINUTES:
            return day_start(day + timedelta(days=1), self.zone)
        return int(datetime.combine(day, time(minute // 60, minute % 60), self.zone).timestamp())

    def _edges(self, now_ms: int, override: Override | None) -> Iterator[int]:
        """The instants after now, in order, at which the mode may change."""
        ends = override.until if override is not None and override.until > now_ms else 0
        day = local_day(now_ms // 1000, self.zone)
        for number in range(SEARCHED_DAYS):
            spans = list(self._spans(day + timedelta(days=number)))
            for edge in sorted({1000 * second for begins, ends_at, _ in spans for second in (begins, ends_at)}):
                if ends and edge >= ends:
                    yield ends
                    ends = 0
                if edge > now_ms:
                    yield edge
        if ends:
            yield ends


def gaps_and_overlaps(group: Group) -> Iterator[tuple[str, int, int, str]]:
    """(kind of day, first minute, end, modes) where the schedule names no mode ("") or two ("night, visit").

    Every kind of day there can be is looked at: each weekday, working and closed, and each single date.
    """
    monday = date(2024, 1, 1)
    weekly = [slot for slot in group.schedule if not slot.dates]
    for number, name in enumerate(WEEKDAYS):
        for working in (True, False):
            slots = [slot for slot in weekly if _on(slot, monday + timedelta(days=number), working=working)]
            kind = f"{name} ({'working' if working else 'closed'})"
            yield from _judged(kind, [span for slot in slots for span in _named(slot)], gaps=group.otherwise is None)
    for day in sorted({day for slot in group.schedule for day in slot.dates}):
        dated = [span for slot in group.schedule if day in slot.dates for span in _named(slot)]
        yield from _judged(day.isoformat(), dated, gaps=False)


def _named(slot: Slot) -> list[tuple[int, int, str]]:
    return [(begins, ends, slot.mode) for begins, ends in slot.minutes]


def _judged(kind: str, spans: list[tuple[int, int, str]], *, gaps: bool) -> Iterator[tuple[str, int, int, str]]:
    reached, last = 0, ""
    for begins, ends, mode in sorted(spans):
        if begins < reached:
            yield kind, begins, min(reached, ends), f"{last}, {mode}"
        elif gaps and begins > reached:
            yield kind, reached, begins, ""
        if ends > reached:
            reached, last = ends, mode
    if gaps and reached < MINUTES:
        yield kind, reached, MINUTES, ""


class Modes:
    """Every screen's mode now. ``replace`` takes the overrides that hold (from any thread); the rest is the clock's."""

    def __init__(self, regency: Regency) -> None:
        tables = {name: Timetable(regency, name) for name in regency.groups}
        self._group_of = {screen: name for name, group in regency.groups.items() for screen in group.screens}
        self._tables = tables
        self._overrides: dict[str, Override] = {}
        self._kept: dict[str, tuple[Override | None, int, int, Now]] = {}

    def replace(self, overrides: Sequence[Override]) -> bool:
        """Take the overrides as they are now; whether anything is other than before."""
        found = {one.group: one for one in overrides if one.group in self._tables}
        if found == self._overrides:
            return False
        self._overrides = found
        return True

    def of(self, screen: str, now_ms: int) -> Now:
        """The mode of a screen's group; kept until it changes by itself."""
        name = self._group_of.get(screen)
        if name is None:
            return Now()
        override = self._overrides.get(name)
        kept = self._kept.get(name)
        if kept is not None and kept[0] == override and kept[1] <= now_ms < kept[2]:
            return kept[3]
        found = self._tables[name].at(now_ms, override)
        edges = [edge for edge in (found.until, found.audience_until) if edge]
        until = min([*edges, now_ms + 3_600_000])
        self._kept[name] = (override, now_ms, until, found)
        return found

    def group_of(self, screen: str) -> str:
        """The group of a screen; "" for none."""
        return self._group_of.get(screen, "")
