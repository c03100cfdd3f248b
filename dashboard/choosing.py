"""Modes that somebody chooses for a group of screens: what is meant, for how long, and what every group is in.

The command ``mode`` and the address ``/api/v1/mode`` say the same by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dashboard.errors import ProductError
from dashboard.store import overrides
from dashboard.timetable import Override, Timetable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency

LONGEST = timedelta(days=7)
_DURATION = re.compile(r"^\s*(\d+)\s*(minute|hour|day|menit|jam|hari)s?\s*$")
_UNITS = {"minute": "minutes", "menit": "minutes", "hour": "hours", "jam": "hours", "day": "days", "hari": "days"}


@dataclass(frozen=True)
class Standing:
    """What a group is in. ``until``: when that changes by itself, ``None`` for not within a week. ``by_hand``: chosen."""

    group: str
    mode: str
    until: datetime | None
    by_hand: bool


def choose(regency: Regency, people: Engine, name: str, *, group: str, lasts: str, who: str, now: datetime) -> None:
    """Switch a group to a mode for so long (``2 hours``, ``90 menit``; "": as the mode declares). ``group`` may be "" when there is
    only one. Raises ``ProductError`` for a name or a time that is none.
    """
    key = group_of(regency, group)
    if name not in regency.modes:
        known = ", ".join(regency.modes) or "-"
        raise ProductError(f"mode: no mode {name!r}; choose one of: {known}", f"mode: tidak ada mode {name!r}; pilih: {known}")
    until = now + (_time(lasts) if lasts else regency.modes[name].lasts)
    overrides.switch_on(people, Override(key, name, int(until.timestamp() * 1000)), who=who, now=now)


def group_of(regency: Regency, group: str) -> str:
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


def standing(regency: Regency, people: Engine, now: datetime) -> Iterator[Standing]:
    """Each group's mode."""
    held = {one.group: one for one in overrides.holding(people, now=now)}
    for name in regency.groups:
        found = Timetable(regency, name).at(int(now.timestamp() * 1000), held.get(name))
        until = datetime.fromtimestamp(found.until / 1000, regency.zone) if found.until else None
        yield Standing(name, found.mode, until, found.overridden)
