"""The whole life of a simulated case, drawn at once from (seed, service, day).

What a system shows of it depends on the hour: a case is a list of states, each with the instant from which the agency's
system says so: submitted, verified, done; later a correction, a reopening, a deletion.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from heapq import heapreplace
from random import Random
from statistics import NormalDist
from typing import NamedTuple

from dashboard.demo.hours import DAY, MINUTE, WORKING_DAY_MINUTES, add_worked, day_start, is_working_day
from dashboard.demo.places import place
from dashboard.demo.volumes import arrivals

SUBMITTED, VERIFIED, DONE, CANCELLED, DELETED = "submitted", "verified", "done", "cancelled", "deleted"


class State(NamedTuple):
    """What the agency's system says of a case from ``at`` on. Stamps are epoch seconds."""

    at: int
    status: str
    submitted: int
    accepted: int | None = None
    responded: int | None = None
    ended: int | None = None
    silent: bool = False
    class_: str | None = None


@dataclass(frozen=True)
class Stream:
    """One service of an agency: how many cases on a plain day, when they come, how long they take.

    ``promise`` minutes (of office hours if ``worked``); ``late`` share takes longer; ``spread`` is the sigma of the
    lognormal. ``counters`` serve a visit's queue, ``serving`` minutes each; ``stalls``: now and then they call nobody.
    ``preparing``: nobody is called before so many times 100 s, at most, were spent on finding the file.
    ``typed_up``: entered only when all is over. ``classes`` are (name, promise in working days, weight). Cases begin
    ``lead`` days before the history does, so that it begins with a backlog.
    """

    key: str
    per_day: float
    profile: str = "counter"
    kind: str = "request"
    promise: float = WORKING_DAY_MINUTES
    worked: bool = True
    late: float = 0.08
    spread: float = 0.7
    channels: tuple[tuple[str, float], ...] = (("", 1.0),)
    cancelled: float = 0.03
    outside: float = 0.0
    counters: int = 1
    serving: float = 6.0
    preparing: float = 1.0
    classes: tuple[tuple[str, float, float], ...] = ()
    agencies: tuple[tuple[str, float], ...] = ()
    fixed_place: int | None = None
    deletes: bool = True
    stalls: bool = False
    typed_up: bool = False
    lead: int = 14


class Case:
    """One case: its number, its service, where the applicant lives, and its states in order of time."""

    __slots__ = ("agency", "channel", "number", "place", "states", "stream")

    def __init__(
        self, number: str, stream: Stream, channel: str, where: int, states: list[State], agency: str = ""
    ) -> None:
        self.number, self.stream, self.channel, self.place = number, stream, channel, where
        self.states, self.agency = states, agency


@lru_cache
def _normal_above(share: float) -> float:
    """The point of the standard normal that a ``share`` lies above."""
    return NormalDist().inv_cdf(1 - share)


def _duration(rng: Random, stream: Stream, promise: float) -> float:
    """Minutes, lognormal: a share ``late`` of them lies above the promise."""
    middle = math.log(promise) - stream.spread * _normal_above(stream.late)
    return math.exp(rng.gauss(middle, stream.spread))


def _pick(rng: Random, weighted: tuple[tuple[str, float], ...]) -> str:
    if len(weighted) == 1:
        return weighted[0][0]
    left = rng.random() * sum(weight for _, weight in weighted)
    for name, weight in weighted:
        left -= weight
        if left <= 0:
            return name
    return weighted[-1][0]


def _request(rng: Random, stream: Stream, submitted: int) -> list[State]:
    first = State(submitted + int(rng.random() * 45), SUBMITTED, submitted)
    minutes = _duration(rng, stream, stream.promise)
    step: Callable[[int, float], int] = add_worked if stream.worked else (lambda at, span: int(at + span * MINUTE))
    verified = step(submitted, min(minutes * 0.2, 120) * rng.random())
    ended = step(submitted, minutes)
    status = CANCELLED if rng.random() < stream.cancelled else DONE
    return [
        first,
        State(max(verified, first.at), VERIFIED, submitted, verified, verified),
        State(max(ended, first.at) + int(rng.random() * 60), status, submitted, verified, verified, ended),
    ]


def _complaint(rng: Random, stream: Stream, submitted: int) -> list[State]:
    """Verified within three working days, answered in five, closed by follow-up or, ten working days later, by silence.
    """
    class_, days, _ = stream.classes[rng.choices(range(len(stream.classes)), [w for *_, w in stream.classes])[0]]
    day = WORKING_DAY_MINUTES
    verified = add_worked(submitted, _duration(rng, stream, min(3, 0.3 * days) * day))
    answered = add_worked(verified, _duration(rng, stream, min(5, 0.5 * days) * day))
    silent = days >= 14 and rng.random() < 0.4
    ended = add_worked(answered, 10 * day if silent else 0)
    if not silent:
        ended = max(ended, add_worked(submitted, _duration(rng, stream, days * day)))
    states = [State(submitted, SUBMITTED, submitted)]
    if rng.random() < stream.cancelled:
        return [*states, State(verified, CANCELLED, submitted, None, None, verified)]
    return [
        *states,
        State(verified, VERIFIED, submitted, verified, None, class_=class_),
        State(answered, VERIFIED, submitted, verified, answered, class_=class_),
        State(ended, DONE, submitted, verified, answered, ended, silent, class_),
    ]


def _second_thoughts(rng: Random, stream: Stream, states: list[State]) -> None:
    """Some cases are corrected afterwards, opened again, or deleted as entered twice."""
    chance, last = rng.random(), states[-1]
    if chance < 0.02 and last.ended is not None and not last.silent:  # the clerk had typed a later hour
        earlier = last.ended - int((last.ended - last.submitted) * 0.4 * rng.random())
        states.append(
            last._replace(at=last.at + int(rng.expovariate(1 / DAY)) + 60, ended=max(earlier, last.submitted))
        )
    elif chance < 0.03:  # the date on the form was an earlier one
        hours = 0.25 if stream.kind == "visit" else 5
        earlier, at = last.submitted - int(rng.random() * hours * 3600), last.at + int(rng.expovariate(1 / DAY)) + 60
        states.append(last._replace(at=at, submitted=earlier))
    elif chance < 0.04 and last.status == DONE:  # wrongly printed, open again, done again
        again = add_worked(last.at, 200 + 900 * rng.random())
        ended = add_worked(again, 30 + 400 * rng.random())
        states.append(last._replace(at=again, status=VERIFIED, ended=None))
        states.append(last._replace(at=ended + 30, ended=ended))
    elif chance < 0.045 and stream.deletes:
        states.append(states[0]._replace(at=states[0].at + 600 + int(rng.random() * 36000), status=DELETED))
        states.sort(key=lambda state: state.at)
        del states[[state.status for state in states].index(DELETED) + 1 :]


def _stall(rng: Random, day: date) -> tuple[int, int]:
    """On one working day in thirty nobody is called for 20-35 minutes: (from, until); else an empty span."""
    if not is_working_day(day) or rng.random() > 1 / 30:
        return 0, 0
    begins = day_start(day) + (540 + int(rng.random() * 120)) * MINUTE
    return begins, begins + (20 + int(rng.random() * 16)) * MINUTE


def _visits(rng: Random, stream: Stream, day: date, arrived: list[int], stall: tuple[int, int]) -> list[list[State]]:
    """A queue with ``counters``, first come first served; each is called, or found absent, and served."""
    free = [0] * stream.counters
    lives = []
    for submitted in arrived:
        called = max(submitted + 20 + int(rng.random() * 100 * stream.preparing), free[0])
        if stall[0] <= called < stall[1]:
            called = stall[1] + int(rng.random() * 60)
        absent = rng.random() < stream.cancelled
        minutes = min(math.exp(rng.gauss(math.log(stream.serving), 0.35)), 1.6 * stream.serving)
        done = called + int((0.7 if absent else minutes) * MINUTE)
        heapreplace(free, done)
        states = [State(submitted, SUBMITTED, submitted)]
        if absent:
            states.append(State(done, CANCELLED, submitted, None, None, done))
        else:
            stay = done + int(rng.random() * 0.3 * stream.promise * MINUTE * (stream.promise < 240))
            states += [State(called, VERIFIED, submitted, called), State(stay, DONE, submitted, called, None, stay)]
        lives.append(states[-1:] if stream.typed_up else states)
    return lives


def cases_of(seed: int, system: str, stream: Stream, day: date) -> list[Case]:
    """All cases of a service that are submitted on ``day``, in order, with their whole lives; the same ones every time.
    """
    rng = Random(f"{seed}/{system}/{stream.key}/{day.isoformat()}")
    arrived = arrivals(rng, stream.profile, stream.per_day, day)
    if stream.kind == "visit":
        nobody_calls = Random(f"{seed}/{system}/{stream.key}/stall/{day.isoformat()}")
        stall = _stall(nobody_calls, day) if stream.stalls else (0, 0)
        lives = _visits(rng, stream, day, arrived, stall)
    else:
        life = _complaint if stream.kind == "complaint" else _request
        lives = [life(rng, stream, submitted) for submitted in arrived]
    cases = []
    for number, states in enumerate(lives, 1):
        _second_thoughts(rng, stream, states)
        cases.append(
            Case(
                f"{stream.key}-{day:%y%m%d}-{number:04d}",
                stream,
                _pick(rng, stream.channels),
                stream.fixed_place if stream.fixed_place is not None else place(rng, stream.outside),
                states,
                _pick(rng, stream.agencies) if stream.agencies else "",
            )
        )
    return cases
