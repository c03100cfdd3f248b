"""Keep the product's processes running: start, restart with growing pauses, stop together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("supervise")

GRACE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """In a child before exec (Linux): be sent SIGTERM when the parent dies, so that nothing is left running."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def command(*words: str) -> list[str]:
    """The product's own command line in this Python, for a child process."""
    return [sys.executable, "-m", "dashboard", *words]


@dataclass
class Child:
    """One process that must run, and how often it had to be started again."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    start_again_at: float = 0.0
    started_at: float = 0.0

    def start(self) -> None:
        """Start it now."""
        self.process = subprocess.Popen(
            list(self.words), env={**os.environ, **self.environment}, preexec_fn=die_with_parent
        )
        self.starts += 1
        self.started_at = time.monotonic()

    def tend(self) -> None:
        """Start it again when it ended, after a pause that grows while it does not stay up."""
        if self.process is not None and self.process.poll() is None:
            return
        at = time.monotonic()
        if self.process is not None:
            stayed = at - self.started_at
            pause = FIRST_PAUSE_SECONDS if stayed > LONGEST_PAUSE_SECONDS else min(
                FIRST_PAUSE_SECONDS * 2 ** min(self.starts, 8), LONGEST_PAUSE_SECONDS
            )
            log.warning("ended, starting again", process=self.name, code=self.process.returncode, in_seconds=pause)
            self.process = None
            self.start_again_at = at + pause
        if at >= self.start_again_at:
            self.start()


def supervise(children: Sequence[Child], stop: threading.Event) -> None:
    """Keep ``children`` running until ``stop`` is set; then SIGTERM to all, SIGKILL to those still there after 10 s."""
    try:
        while not stop.wait(0.2):
            for child in children:
                child.tend()
    finally:
        running = [child.process for child in children if child.process is not None and child.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
