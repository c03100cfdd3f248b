"""How many cases arrive on a day, and at which minutes of it: weekday, holidays, season, the hour.

A profile says when people come. Weights are per half hour of the day, from midnight; only their ratio counts.
"""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random

from dashboard.demo.hours import DAY, day_start, is_holiday, is_working_day

HALF_HOUR = 1800
_SEASON = (1.05, 0.98, 0.96, 1.0, 0.98, 1.06, 1.12, 1.03, 1.0, 1.0, 1.02, 0.86)
"""By month: school starts in July, offices thin out in December."""


def _hours(**weights: tuple[float, ...]) -> tuple[float, ...]:
    """48 half-hour weights from runs that begin at an hour: ``h07=(…)`` starts at 07.00."""
    day = [0.0] * 48
    for name, run in weights.items():
        first = int(name[1:]) * 2
        day[first : first + len(run)] = run
    return tuple(day)


@dataclass(frozen=True)
class Profile:
    """When people come: factors by weekday (Monday first) and on a free day, weights by half hour."""

    weekdays: tuple[float, ...]
    holiday: float
    weights: tuple[float, ...]
    friday: tuple[float, ...] | None = None


_COUNTER = _hours(h07=(0, 3, 7, 9, 10, 10.5, 10, 9, 7.5, 6, 3, 2.5, 5.5, 6, 5, 4, 2.5, 1.2))
_COUNTER_FRIDAY = _hours(h07=(0, 3, 8, 10, 11, 11, 10, 8, 5, 1.5, 0.5, 0.5, 4, 5, 5, 4, 2.5, 1.5))
_CLINIC = _hours(h07=(2, 9, 13, 13, 12, 10, 9, 7, 6, 4.5, 3, 2, 2, 1.5, 0.8))
_CLINIC_FRIDAY = _hours(h07=(2, 11, 15, 15, 13, 11, 8, 5, 3))
_ONLINE = (
    1.2, 0.8, 0.5, 0.4, 0.3, 0.3, 0.3, 0.3, 0.4, 0.5, 0.8, 1, 1.5, 2, 3, 4, 6, 7, 8, 8.5, 8.5, 8, 7, 6,
    5, 4.5, 5.5, 6.5, 7, 6.5, 6, 5, 4, 3.5, 3, 2.5, 2.5, 3, 4, 4.5, 5, 5, 4.5, 4, 3.5, 3, 2.2, 1.6,
)
_EMERGENCY = (
    2, 1.8, 1.6, 1.5, 1.4, 1.4, 1.4, 1.4, 1.5, 1.6, 1.8, 2, 2.4, 2.6, 2.8, 3, 3.2, 3.4, 3.5, 3.5, 3.4, 3.3, 3.2, 3.1,
    3, 3, 3, 3, 3, 3, 3.1, 3.2, 3.3, 3.5, 3.8, 4, 4.3, 4.5, 4.6, 4.5, 4.3, 4, 3.7, 3.4, 3, 2.7, 2.4, 2.2,
)

PROFILES = {
    "counter": Profile((1.17, 1.06, 1.0, 0.97, 0.80, 0.0, 0.0), 0.0, _COUNTER, _COUNTER_FRIDAY),
    "midweek": Profile((0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0), 0.0, _COUNTER),
    "clinic": Profile((1.15, 1.05, 1.0, 0.98, 0.82, 0.0, 0.0), 0.0, _CLINIC, _CLINIC_FRIDAY),
    "online": Profile((1.10, 1.05, 1.02, 1.0, 0.83, 0.42, 0.36), 0.38, _ONLINE),
    "emergency": Profile((1.02, 0.97, 0.96, 0.97, 0.98, 1.05, 1.08), 1.06, _EMERGENCY),
}


@lru_cache(maxsize=16)
def _running(weights: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(accumulate(weights))


def expected(profile: str, per_day: float, day: date) -> float:
    """The mean number of cases of ``day``; ``per_day`` is an ordinary Wednesday in October."""
    shape = PROFILES[profile]
    if is_holiday(day):
        factor = shape.holiday
    else:
        factor = shape.weekdays[day.weekday()]
        before = day - timedelta(days=1)
        if shape.holiday == 0 and day.weekday() not in (0, 5, 6) and not is_working_day(before):
            factor *= 1.15  # what waited for the offices to open again
    return per_day * factor * _SEASON[day.month - 1]


def count(rng: Random, mean: float) -> int:
    """A number drawn around ``mean``, a little wider than Poisson: days differ by more than chance."""
    mean *= math.exp(rng.gauss(0, 0.06))
    if mean > 40:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, number, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        number += 1
        product *= rng.random()
    return number


def arrivals(rng: Random, profile: str, per_day: float, day: date) -> list[int]:
    """The instants, in order, at which the cases of ``day`` arrive."""
    number = count(rng, expected(profile, per_day, day))
    shape = PROFILES[profile]
    running = _running(shape.friday if shape.friday and day.weekday() == 4 else shape.weights)
    start, total = day_start(day), running[-1]
    found = []
    for _ in range(number):
        slot = bisect(running, rng.random() * total)
        found.append(start + min(int((slot + rng.random()) * HALF_HOUR), DAY - 1))
    found.sort()
    return found
