"""The smallest declared things: durations, zones, words in two languages, promises, calendars' rules; and what is wrong.

:mod:`config.declarations` is built from them and gives them on; import them from there.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?\s*$")
_CLOCK = re.compile(r"^([0-2]?\d):([0-5]\d)$")
_PROMISE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(working )?(minute|hour|day)s?\s*$")


class DeclarationError(Exception):
    """A declaration is wrong; ``file`` and ``key`` say where. The kernel shows it as a ``ConfigError``.

    ``warning``: what is declared is right, but something outside it (a secret) is not there yet.
    """

    def __init__(self, message: str, *, file: str = "", key: str = "", id: str = "", warning: bool = False) -> None:
        super().__init__(": ".join(part for part in (file, key, message) if part))
        self.message, self.message_id, self.file, self.key, self.warning = message, id or message, file, key, warning


def duration(text: str) -> timedelta:
    """A span as declarations write it, ``"5 minutes"``. Raises ``ValueError``."""
    found: timedelta = _duration(text)
    return found


def _duration(value: Any) -> Any:
    """``"5 minutes"`` → timedelta(minutes=5)."""
    if isinstance(value, str):
        found = _DURATION.match(value)
        if not found:
            raise ValueError(f"{value!r} is not a duration such as '5 minutes', '30 seconds', '7 days'")
        return timedelta(**{found[2] + "s": float(found[1])})
    return value


def _zone(value: str) -> str:
    """A time zone's name that the machine knows."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise ValueError(f"{value!r} is not a time zone such as 'Asia/Makassar'") from err
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Zone = Annotated[str, AfterValidator(_zone)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Declared(BaseModel):
    """Base: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Words(Declared):
    """The same words in both languages."""

    id: str
    en: str


class StandardUnit(StrEnum):
    """Units of a promise. Working ones run on the agency's calendar."""

    MINUTES = "minutes"
    WORKING_MINUTES = "working minutes"
    HOURS = "hours"
    WORKING_HOURS = "working hours"
    DAYS = "days"
    WORKING_DAYS = "working days"


@lru_cache(maxsize=4096)
def _promised(promise: str) -> tuple[float, StandardUnit]:
    found = _PROMISE.match(promise)
    if not found:
        units = ", ".join(unit.value for unit in StandardUnit)
        raise ValueError(f"{promise!r} is not a number and one of: {units}")
    amount, unit = float(found[1]), StandardUnit(f"{found[2] or ''}{found[3]}s")
    if unit is StandardUnit.WORKING_DAYS and not amount.is_integer():
        raise ValueError(f"{promise!r}: working days are whole; promise working hours instead")
    if not amount:
        raise ValueError(f"{promise!r}: a promise is longer than nothing")
    return amount, unit


class Standard(Declared):
    """A service standard in force from a day on: ``promise`` as in "1 working day", ``basis`` the decree behind it."""

    from_: date = Field(alias="from")
    promise: str
    basis: str

    @field_validator("promise")
    @classmethod
    def _promise_is_a_time(cls, value: str) -> str:
        _promised(value)
        return value

    @property
    def amount(self) -> float:
        """How many of :attr:`unit`."""
        return _promised(self.promise)[0]

    @property
    def unit(self) -> StandardUnit:
        """The unit of the promise."""
        return _promised(self.promise)[1]


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = dict[Weekday, tuple[tuple[str, str], ...]]
"""Open spans of a weekday on the local clock, half-open: ``[["07:30", "12:00"], ["13:00", "16:00"]]``."""


def clock_minutes(clock: str) -> int:
    """``"07:30"`` → 450; ``"24:00"`` is the end of the day."""
    found = _CLOCK.match(clock)
    if not found or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > 24 * 60:
        raise ValueError(f"{clock!r} is not a time such as '07:30' (the end of the day is '24:00')")
    return int(found[1]) * 60 + int(found[2])


class CalendarRules(Declared):
    """When an agency works: see ``config/calendars.toml``. ``always``: day and night, but for its ``closed_days``.

    ``like`` names another calendar whose keys hold where this one has none. ``open_days`` open on a holiday or, with
    Monday's hours, on a day without any. ``ramadan`` (first and last days) stands in its years in place of the estimate.
    """

    like: str | None = None
    always: bool = False
    hours: Hours = {}
    ramadan_hours: Hours = {}
    ramadan: tuple[tuple[date, date], ...] = ()
    holidays: bool = True
    open_on_cuti_bersama: bool = False
    open_days: tuple[date, ...] = ()
    closed_days: tuple[date, ...] = ()

    @field_validator("hours", "ramadan_hours")
    @classmethod
    def _spans_follow_each_other(cls, value: Hours) -> Hours:
        for day, spans in value.items():
            edges = [clock_minutes(clock) for span in spans for clock in span]
            if any(later <= earlier for earlier, later in pairwise(edges)):
                raise ValueError(f"{day}: each time must be later than the one before it")
        return value

    @field_validator("ramadan")
    @classmethod
    def _ramadan_ends_after_it_begins(cls, value: tuple[tuple[date, date], ...]) -> tuple[tuple[date, date], ...]:
        for first, last in value:
            if not timedelta(27) < last - first < timedelta(31):
                raise ValueError(f"{first} to {last} is not a month of fasting: its first and its last day")
        return value

    @model_validator(mode="after")
    def _opens_at_some_time(self) -> CalendarRules:
        if not self.always and not self.like and not any(self.hours.values()):
            raise ValueError("a calendar needs hours, or always = true, or like = another calendar")
        return self
