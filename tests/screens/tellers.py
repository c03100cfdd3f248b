"""Agencies' systems that keep a ledger of what they really said and when; they stop, hang, lie, and come back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DECLARATION = """
name = {{ id = "Dinas {name}", en = "Agency {name}" }}
short_name = "{name}"
calendar = "always"

[services.layanan]
name = {{ id = "Layanan", en = "Service" }}

[[sources]]
id = "{key}"
connector = "rest"
every = "1 second"
stale_after = "{limit} seconds"
timezone = "UTC"
network = ["127.0.0.1/32"]
mode = "snapshot"
[sources.options]
url = "http://127.0.0.1:{port}/"
records = "data"
[sources.fields]
case_id = "id"
service = {{ value = "layanan" }}
submitted_at = {{ from = "submitted", format = "iso" }}
"""


@dataclass
class Teller:
    """One system. ``said``: (epoch seconds, how many cases its list has from then on, up to now); ``answered``: its last good answer.

    ``way``: well · gone (503) · page (HTML with 200) · hangs (takes the question and keeps silent).
    """

    name: str
    limit: int
    port: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    said: list[tuple[float, int]] = field(default_factory=list)
    answered: float = 0.0
    way: str = "well"
    aside: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> str:
        return self.name.lower()

    def add(self, count: int, *, ago: timedelta = timedelta(seconds=1)) -> None:
        """New cases, submitted a while ago: long ago is a burst that comes late, less than nothing is a wrong stamp."""
        with self.lock:
            at = datetime.now(UTC) - ago
            first = len(self.rows) + len(self.aside)
            self.rows += [{"id": f"{self.key}{first + n}", "submitted": at.isoformat()} for n in range(count)]
            self._note()

    def halve(self) -> None:
        """Half of the list is not told any more: a read of it is held."""
        with self.lock:
            half = len(self.rows) // 2
            self.rows, self.aside = self.rows[:half], self.rows[half:] + self.aside
            self._note()

    def whole(self) -> None:
        """All of it again."""
        with self.lock:
            self.rows, self.aside = self.rows + self.aside, []
            self._note()

    def _note(self) -> None:
        """What "received today, so far" is by this list: a case that says it comes in later today has not come in yet."""
        now = datetime.now(UTC).isoformat()
        self.said.append((time.time(), sum(row["submitted"] <= now for row in self.rows)))

    def told(self, since: float, until: float) -> set[int]:
        """Every count that it told in a span of time, that in force at its beginning included."""
        with self.lock:
            before = [count for at, count in self.said if at <= since][-1:]
            return {*before, *(count for at, count in self.said if since < at <= until)}

    def answer(self, handler: BaseHTTPRequestHandler, stopped: threading.Event) -> None:
        """Answer one question in its present way."""
        way = self.way
        if way == "hangs":
            stopped.wait(60)
            return
        with self.lock:
            body = b"<html>masuk</html>" if way == "page" else json.dumps({"data": self.rows}).encode()
            if way == "well":
                self.answered = time.time()
        handler.send_response(503 if way == "gone" else 200)
        handler.send_header("Content-Type", "text/html" if way == "page" else "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def telling(tellers: list[Teller]) -> Iterator[None]:
    """Serve all of them, each on a port of its own."""
    stopped = threading.Event()
    servers = [_server(teller, stopped) for teller in tellers]
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def _server(teller: Teller, stopped: threading.Event) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            teller.answer(self, stopped)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A collector that gave up, or was killed, cut its connection."""

    server = Server(("127.0.0.1", 0), Handler)
    teller.port = server.server_address[1]
    return server
