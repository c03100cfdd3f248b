"""A source of the test's own behind real HTTP that keeps a ledger: which cases it served, and how each stands now."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

DECLARATION = """
id = "ledger"
connector = "rest"
every = "1 second"
stale_after = "10 seconds"
timezone = "UTC"
network = ["127.0.0.1/32"]
mode = "incremental"
[sources.options]
url = "http://127.0.0.1:{port}/cases"
records = "data"
pages = {{ kind = "page", param = "page", size_param = "per_page", size = 500 }}
since = {{ param = "updated_since", format = "iso" }}
[sources.fields]
case_id = "id"
service = {{ from = "service", otherwise = "discover" }}
submitted_at = {{ from = "submitted", format = "iso" }}
ended_at = {{ from = "ended", format = "iso", missing = ["", "-"] }}
status = {{ from = "status", map = {{ done = "completed", dropped = "cancelled" }}, otherwise = "open" }}
updated_at = {{ from = "updated", format = "iso" }}
"""


class Ledger:
    """Cases by id, changed under a lock; ``grow`` adds new ones and changes old ones."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.cases: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.fail_with: int | None = None
        self.requests = 0
        self._delivered: tuple[str, int, list[dict[str, Any]]] = ("", -1, [])  # since, how many changes, in order of change
        self._changes = 0

    def add(self, count: int, *, now: datetime | None = None, age: timedelta = timedelta(days=30)) -> None:
        """``count`` new open cases, submitted at random in the last ``age``."""
        at = now or datetime.now(UTC)
        with self.lock:
            self._changes += 1
            for _ in range(count):
                submitted = at - age * self.random.random()
                identity = f"{len(self.cases):06d}"
                self.cases[identity] = {
                    "id": identity, "service": self.random.choice(["ktp", "kk", ""]), "submitted": submitted.isoformat(),
                    "ended": "-", "status": "open", "updated": at.isoformat(), "name": "Andi Rahasia", "nik": "7322010101900001",
                }

    def change(self, count: int, *, now: datetime | None = None) -> None:
        """Complete, cancel, reopen or correct ``count`` cases at random."""
        at = now or datetime.now(UTC)
        with self.lock:
            self._changes += 1
            for case in self.random.sample(list(self.cases.values()), min(count, len(self.cases))):
                submitted = datetime.fromisoformat(case["submitted"])
                case["status"] = self.random.choice(["done", "done", "dropped", "open"])
                ended = submitted + (at - submitted) * self.random.random()
                case["ended"] = "-" if case["status"] == "open" else ended.isoformat()
                case["updated"] = at.isoformat()

    def counts(self) -> Counter[str]:
        """Cases per status as the product names it: received, completed, cancelled, backlog."""
        with self.lock:
            by_status = Counter(case["status"] for case in self.cases.values())
        return Counter({
            "received": sum(by_status.values()), "completed": by_status["done"], "cancelled": by_status["dropped"],
            "backlog": by_status["open"],
        })

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """One page, in order of change, of what changed since."""
        size, number = int(query["per_page"][0]), int(query["page"][0])
        since = query.get("updated_since", [""])[0]
        with self.lock:
            self.requests += 1
            if self._delivered[:2] != (since, self._changes):  # ordered once, not for each page
                wanted = [case for case in self.cases.values()
                          if not since or datetime.fromisoformat(case["updated"]) >= datetime.fromisoformat(since)]
                wanted.sort(key=lambda case: (case["updated"], case["id"]))
                self._delivered = since, self._changes, wanted
            return {"data": [dict(case) for case in self._delivered[2][(number - 1) * size : number * size]]}


@contextmanager
def served(ledger: Ledger, port: int = 0) -> Iterator[int]:
    """Serve a ledger on a loopback port, given to the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if ledger.fail_with:
                self.send_error(ledger.fail_with)
                return
            body = json.dumps(ledger.page(parse_qs(urlsplit(self.path).query))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A killed collector cuts its connection: no news."""

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
