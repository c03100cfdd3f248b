"""Log lines that never stop the work: a full log disk or a pipe that nobody reads drops lines, counted and said later (F20).

One JSON object a line on standard error (line breaks and escapes of whatever was logged stay inside it), or coloured text on a
terminal. A thread writes; whoever logs only puts the line into a bounded queue.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import queue
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import structlog

MOST_WAITING = 5_000
LAST_WORDS_SECONDS = 1.0


class Lines:
    """Writes lines to a file descriptor in a thread of its own. ``dropped``: how many lines were lost so far."""

    def __init__(self, descriptor: int, *, most: int = MOST_WAITING) -> None:
        self.descriptor = descriptor
        self.dropped = 0
        self._said = 0
        self._waiting: queue.Queue[str] = queue.Queue(most)
        self._lock = threading.Lock()
        threading.Thread(target=self._work, name="log", daemon=True).start()

    def put(self, line: str) -> None:
        """Hand a line over; never waits."""
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._drop()

    def _drop(self) -> None:
        with self._lock:
            self.dropped += 1

    def _work(self) -> None:
        while True:
            line = self._waiting.get()
            try:
                if self.dropped > self._said:
                    lost = self.dropped
                    self._write(_plain("log", "warning", "log lines were dropped", lines=lost - self._said))
                    self._said = lost
                self._write(line)
            except OSError:
                self._drop()
            finally:
                self._waiting.task_done()

    def _write(self, line: str) -> None:
        rest = (line + "\n").encode("utf-8", errors="backslashreplace")
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def last_words(self, seconds: float = LAST_WORDS_SECONDS) -> None:
        """At the end: wait for what still waits, but not for ever."""
        until = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)


def _plain(logger: str, level: str, event: str, **more: Any) -> str:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"event": event, **more, "logger": logger, "level": level, "timestamp": at}, ensure_ascii=False, default=str)


class _Logger:
    """What structlog writes to."""

    def __init__(self, lines: Lines, name: str) -> None:
        self._lines, self.name = lines, name

    def msg(self, text: str) -> None:
        self._lines.put(text)

    debug = info = warning = error = critical = msg


class _Handler(logging.Handler):
    """Lines of libraries, in the same form; of an exception only its kind, for its text may hold anything."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        more = {"error": kind.__name__} if kind else {}
        self._lines.put(_plain(record.name, record.levelname.lower(), record.getMessage(), **more))


def configure(descriptor: int | None = None) -> Lines:
    """Log to standard error (or ``descriptor``) from now on."""
    lines = Lines(sys.stderr.fileno() if descriptor is None else descriptor)
    terminal = descriptor is None and sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars, structlog.stdlib.add_logger_name,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        logger_factory=lambda name="": _Logger(lines, name), cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Handler(lines)]
    atexit.register(lines.last_words)
    return lines
