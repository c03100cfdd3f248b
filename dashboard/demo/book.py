"""An agency's book: every case as its system shows it at this moment. Time moves it on; nothing else does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from heapq import heappop, heappush

from dashboard.demo.cases import DELETED, Case, State, Stream, cases_of
from dashboard.demo.hours import DAY, day_of, day_start


class Book:
    """Cases in the order in which they were entered, each with its present state.

    ``advance(now)`` draws the days that have begun since, applies every state whose hour has come and says which
    entries changed. The same (seed, first day, now) gives the same book, however often it was advanced on the way.
    """

    def __init__(self, system: str, streams: Iterable[Stream], *, seed: int, first: date) -> None:
        self.system, self.streams, self.seed = system, tuple(streams), seed
        self.cases: list[Case] = []
        self.states: list[State] = []
        self.deleted = 0
        self._first = first
        self._next_day = first - timedelta(days=max(stream.lead for stream in self.streams))
        self._coming: list[tuple[int, int, int, int, Case]] = []
        self._serial = 0

    def advance(self, now: float) -> list[int]:
        """Entries (indexes into ``cases``) that were entered, changed or deleted up to ``now``, each once, in order."""
        changed: set[int] = set()
        today = day_of(now)
        while self._next_day <= today:
            for stream in self._running(self._next_day):
                for case in cases_of(self.seed, self.system, stream, self._next_day):
                    self._serial += 1
                    heappush(self._coming, (case.states[0].at, self._serial, 0, -1, case))
            end = day_start(self._next_day) + DAY
            self._next_day += timedelta(days=1)
            self._apply(min(now, end - 1), changed)
        self._apply(now, changed)
        return sorted(changed)

    def _running(self, day: date) -> list[Stream]:
        return [stream for stream in self.streams if day >= self._first - timedelta(days=stream.lead)]

    def _apply(self, now: float, changed: set[int]) -> None:
        coming = self._coming
        while coming and coming[0][0] <= now:
            _, serial, step, entry, case = heappop(coming)
            state = case.states[step]
            if entry < 0:
                entry = len(self.cases)
                self.cases.append(case)
                self.states.append(state)
            else:
                self.states[entry] = state
            self.deleted += state.status == DELETED
            changed.add(entry)
            if step + 1 < len(case.states):
                heappush(coming, (max(case.states[step + 1].at, state.at), serial, step + 1, entry, case))

    def entries(self, after: int = -1) -> Iterator[int]:
        """Entries that are not deleted, beyond ``after``."""
        return (entry for entry in range(after + 1, len(self.cases)) if self.states[entry].status != DELETED)

    def ledger(self) -> dict[str, object]:
        """What the system holds: cases, by status and by service; deleted ones apart. For tests to compare with."""
        alive = [(self.cases[entry], self.states[entry]) for entry in self.entries()]
        by_status = Counter(state.status for _, state in alive)
        return {
            "system": self.system,
            "cases": len(alive),
            "deleted": self.deleted,
            "received": len(alive),
            "completed": by_status["done"],
            "cancelled": by_status["cancelled"],
            "backlog": by_status["submitted"] + by_status["verified"],
            "by_status": dict(by_status),
            "by_service": dict(Counter(case.stream.key for case, _ in alive)),
        }
