"""The threads that keep the snapshot current: one watches each store, one asks. Results go to the event loop."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Engine

from config.declarations import Regency
from dashboard.live.snapshot import EVERYTHING, Said, Snapshot
from dashboard.queries.answers import Context
from dashboard.queries.volumes import pinned
from dashboard.store.changes import Change
from dashboard.store.watch import Watcher

log = structlog.get_logger("feed")

ALIVE_SECONDS = 10.0
HANGS_AFTER_SECONDS = 120.0
LONGEST_WAIT_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0


class Feed:
    """Watches figures and people, asks what changed or is due, and hands what is new to ``publish``.

    ``publish`` is called in the worker's thread; ``on_people`` is told that something in the people store
    changed (a device was revoked).
    """

    def __init__(
        self, snapshot: Snapshot, *, figures: Engine, people: Engine, regency: Regency, now: Callable[[], datetime],
        publish: Callable[[list[Said]], None], on_people: Callable[[], None],
    ) -> None:
        self.snapshot, self.regency, self.now = snapshot, regency, now
        self.engines = {"figures": figures, "people": people}
        self.publish, self.on_people = publish, on_people
        self.seen_alive: dict[str, float] = {}
        self._changes: queue.SimpleQueue[tuple[str, list[Change]]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=("figures",), name="watch-figures", daemon=True),
            threading.Thread(target=self._watch, args=("people",), name="watch-people", daemon=True),
            threading.Thread(target=self._work, name="snapshot", daemon=True),
        ]

    def start(self) -> None:
        """Start watching and asking."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop, and wait for what is being asked."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5)

    @property
    def works(self) -> bool:
        """Whether panels are being asked: one that hangs would leave all of them as they are, without a word."""
        return time.monotonic() - self.seen_alive.get("work", -ALIVE_SECONDS) < ALIVE_SECONDS

    @property
    def alive(self) -> bool:
        """Whether both stores were heard within the last seconds and the worker goes round."""
        at = time.monotonic()
        heard = [self.seen_alive.get(name, -ALIVE_SECONDS) for name in ("figures", "people", "work")]
        return min(heard) > at - ALIVE_SECONDS

    @property
    def turns(self) -> bool:
        """Whether the worker still goes round; one that waits for a store gets its time."""
        return time.monotonic() - self.seen_alive.get("work", time.monotonic()) < HANGS_AFTER_SECONDS

    def _watch(self, store: str) -> None:
        """Pass changes on, until stopped; a store that cannot be read is tried again with growing pauses."""
        pause = 0.1
        while not self._stop.is_set():
            watcher = None
            try:
                watcher = Watcher(self.engines[store], store)
                if store == "figures":  # what was committed before the watch began is not announced: ask for all of it
                    self._changes.put((store, [Change(watcher.seq, 0, "", EVERYTHING)]))
                while not self._stop.is_set():
                    found = watcher.wait(LONGEST_WAIT_SECONDS)
                    self.seen_alive[store], pause = time.monotonic(), 0.1
                    if found:
                        self._changes.put((store, found))
            except Exception as err:  # noqa: BLE001  (any failure of the store: say so, try again)
                log.warning("store cannot be watched", store=store, error=f"{type(err).__name__}: {err}")
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            finally:
                if watcher is not None:
                    watcher.close()

    def _work(self) -> None:
        while not self._stop.is_set():
            self.seen_alive["work"] = time.monotonic()
            due = self.snapshot.next_due()
            wait = LONGEST_WAIT_SECONDS if due is None else due - self.now().timestamp()
            changes = self._take(min(LONGEST_WAIT_SECONDS, max(0.0, wait)))
            what = frozenset().union(*(change.what for change in changes))
            at = [change.at_ms for change in changes if change.at_ms]
            try:
                for new in self.snapshot.refreshing(
                    pinned(Context(self.engines["figures"], self.regency, self.now(), self.engines["people"])),
                    EVERYTHING if what & EVERYTHING else what,
                    min(at) if at else None,
                ):
                    self.publish(new)
            except Exception as err:  # noqa: BLE001  (the worker must go on)
                log.warning("snapshot fails", error=f"{type(err).__name__}: {err}")
                self._stop.wait(1)

    def _take(self, timeout: float) -> list[Change]:
        """All changes that wait, or those of the next ``timeout`` seconds."""
        found: list[Change] = []
        try:
            store, changes = self._changes.get(timeout=timeout)
            while True:
                if store == "people" and any(change.what - {"walls"} for change in changes):  # receipts change nobody's rights
                    self.on_people()
                found += changes
                store, changes = self._changes.get_nowait()
        except queue.Empty:
            return found
