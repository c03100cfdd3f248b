"""What all simulated agencies' systems have in common: a book, a folder, and a lock around both."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dashboard.demo.book import Book
from dashboard.demo.cases import Case, State, Stream
from dashboard.demo.web import NOT_FOUND, Answer, Request


@dataclass(frozen=True)
class Premises:
    """Where an agency keeps its things: its own folder, the drop folder it delivers into, its token."""

    folder: Path
    drop: Path
    token: str
    seed: int
    started: float


class System:
    """One agency's system. Subclasses say which streams it has, and show the book by files, a database or HTTP."""

    name: ClassVar[str]
    streams: ClassVar[tuple[Stream, ...]]
    history: ClassVar[str] = ""
    """Whose cases it tells of, when these are another system's; its own name where it tells sums and no cases."""

    def __init__(self, book: Book, premises: Premises) -> None:
        self.book, self.premises = book, premises
        self.lock = threading.Lock()
        self.now = 0.0
        self.misbehaviour = ""
        self._kept_back: set[int] = set()

    def advance(self, now: float) -> None:
        """Let time pass up to ``now`` (the caller holds ``lock``) and show what changed."""
        self.now = max(self.now, now)
        changed = self.book.advance(self.now)
        if self.misbehaviour == "late-burst":
            self._kept_back.update(changed)
            return
        if self._kept_back:
            changed = sorted(self._kept_back.union(changed))
            self._kept_back = set()
        self.show(changed)

    def behave(self, kind: str) -> None:
        """Misbehave in this way from now on (``""``: no more); the caller holds ``lock``."""
        if kind != self.misbehaviour:
            before, self.misbehaviour = self.misbehaviour, kind
            self.manners(before)

    def manners(self, before: str) -> None:
        """What a change of manners does to a file or a database; nothing for those that answer by HTTP."""

    def show(self, changed: list[int]) -> None:
        """Write what changed to where the agency's users read it; nothing for those that answer by HTTP."""

    def answer(self, request: Request) -> Answer:
        """An answer to a request of the agency's own interface."""
        return NOT_FOUND

    def row(self, case: Case, state: State) -> dict[str, object]:
        """The case as this system shows it."""
        raise NotImplementedError

    def rows(self, entries: list[int]) -> list[dict[str, object]]:
        """Entries of the book as rows."""
        return [self.row(self.book.cases[entry], self.book.states[entry]) for entry in entries]
