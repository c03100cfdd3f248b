"""The HTTP face of a simulated agency: its own pages behind a token, and ``/_ledger`` and ``/_ready`` for tests."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dashboard.demo.hours import OFFSET

MOST_ROWS = 1000
DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Request:
    """What was asked: path, query (the last of doubled parameters), headers (names in lower case), own address."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    origin: str

    def size(self, name: str, otherwise: int) -> int:
        """A page size between 1 and 1,000."""
        return max(1, min(MOST_ROWS, self.number(name, otherwise)))

    def number(self, name: str, otherwise: int) -> int:
        """A whole number of the query; ``otherwise`` where it is missing or none."""
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else otherwise


@dataclass(frozen=True)
class Answer:
    """A status and a body that is sent as JSON, or ``raw`` bytes. Status 0: the connection is cut without a word.

    ``drips``: the body comes byte by byte, twenty a second, as long as the other side has patience.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drips: bool = False


DENIED = Answer({"success": False, "message": "Token tidak dikenal"}, 401)
NOT_FOUND = Answer({"success": False, "message": "Tidak ditemukan"}, 404)


def bearer(request: Request, token: str) -> bool:
    """Whether the request carries the bearer token."""
    return request.headers.get("authorization") == f"Bearer {token}"


def basic(request: Request, user: str, password: str) -> bool:
    """Whether the request carries this user and password."""
    wanted = base64.b64encode(f"{user}:{password}".encode()).decode()
    return request.headers.get("authorization") == f"Basic {wanted}"


def instant(text: str) -> float:
    """Epoch seconds of an ISO stamp (WITA where it states no offset), of a day, or of a number. Raises ``ValueError``.
    """
    if text.replace(".", "", 1).isdecimal() and len(text) > 8:
        return float(text)
    moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return moment.replace(tzinfo=UTC).timestamp() - OFFSET if moment.tzinfo is None else moment.timestamp()


def serve(port: int, answer: Callable[[Request], Answer]) -> ThreadingHTTPServer:
    """Serve on loopback in threads of its own; port 0 takes a free one (``server_address`` tells)."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            host = headers.get("host", "127.0.0.1")
            try:
                said = answer(Request(parts.path, dict(parse_qsl(parts.query)), headers, f"http://{host}"))
            except ValueError as err:
                said = Answer({"success": False, "message": f"Permintaan tidak dimengerti: {err}"}, 400)
            if not said.status:
                self.close_connection = True
                return
            body = said.raw
            if body is None:
                body = json.dumps(said.body, ensure_ascii=False, separators=(",", ":")).encode()
            self.send_response(said.status)
            headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body)), **said.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for at in range(0, len(body), 1 if said.drips else max(1, len(body))):
                self.wfile.write(body[at : at + 1] if said.drips else body)
                if said.drips:
                    time.sleep(DRIP_SECONDS)

        def log_message(self, *_: Any) -> None:
            """Silence: a simulated agency has no reader for its access log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A collector that was killed cuts its connection: no news."""

    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True, name="web").start()
    return server
