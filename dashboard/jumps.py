"""Notices when the machine's clock is set: the wall clock against the monotonic one (D4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LEAST_SECONDS = 30.0
LOOK_EVERY_SECONDS = 1.0


class ClockWatch(threading.Thread):
    """Calls ``jumped`` with the seconds by which the wall clock was set forth (positive) or back, until ``stop``."""

    def __init__(self, jumped: Callable[[float], None]) -> None:
        super().__init__(name="clock-watch", daemon=True)
        self._jumped, self._over = jumped, threading.Event()

    def run(self) -> None:
        """Look once a second."""
        apart = time.time() - time.monotonic()
        while not self._over.wait(LOOK_EVERY_SECONDS):
            now = time.time() - time.monotonic()
            if abs(now - apart) >= LEAST_SECONDS:
                self._jumped(now - apart)
                apart = now

    def stop(self) -> None:
        """End the thread; it needs no join."""
        self._over.set()
