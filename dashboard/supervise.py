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
from pathlib import Path

import structlog

from config.declarations import DeclarationError
from config.loading import load, places

log = structlog.get_logger("supervise")

GRACE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
LOOK_EVERY_SECONDS = 2.0
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


class Declared:
    """A declarations folder under watch (F19): another good content is news, a bad one is said once and nothing follows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._content = load(folder).model_dump_json()
        except DeclarationError:  # the children go on with the last good ones: whatever is good is news
            self._content = ""
        self._looks = self._before = self._stamps()
        self._look_at = time.monotonic() + LOOK_EVERY_SECONDS

    def _stamps(self) -> frozenset[tuple[str, int, int]]:
        found = [path for place in places(self.folder) for path in place.rglob("*.toml")]
        stats = [(str(path), path.stat()) for path in found if path.is_file()]
        return frozenset((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)

    def renewed(self) -> bool:
        """Whether the declarations are others than before, good ones. A file that is still being written is waited for."""
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
        try:
            stamps, settled = self._stamps(), self._before
            self._before = stamps
            if stamps == self._looks or stamps != settled:
                return False
            self._looks = stamps
            content = load(self.folder).model_dump_json()
        except DeclarationError as err:
            log.warning("declarations are wrong; the old ones stay in force", error=str(err))
            return False
        except OSError:  # a file went away between two looks
            return False
        changed, self._content = content != self._content, content
        return changed


def supervise(children: Sequence[Child], stop: threading.Event, declared: Declared | None = None) -> None:
    """Keep ``children`` running until ``stop`` is set, and start them anew when the declarations are renewed."""
    try:
        while not stop.wait(0.2):
            if declared is not None and declared.renewed():
                log.info("declarations are renewed, starting again", folder=str(declared.folder))
                end(children)
                for child in children:
                    child.start()
            for child in children:
                child.tend()
    finally:
        end(children)


def end(children: Sequence[Child]) -> None:
    """SIGTERM to all; SIGKILL to those still there after 10 s."""
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
