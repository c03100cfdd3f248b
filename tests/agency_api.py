"""A real HTTP server on loopback that plays an agency's system, in good days and bad: each path has a behaviour of its own."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Behaviour = Callable[["Request"], None]


@dataclass
class Request:
    """One request and how to answer it."""

    handler: BaseHTTPRequestHandler
    path: str
    query: dict[str, str]
    headers: dict[str, str]

    def send(self, status: int, body: bytes, *, kind: str = "application/json", **headers: str) -> None:
        """A whole answer."""
        self.head(status, kind=kind, **{"Content-Length": str(len(body)), **headers})
        self.handler.wfile.write(body)

    def head(self, status: int, *, kind: str = "application/json", **headers: str) -> None:
        """Status and headers only."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def json(self, value: Any, status: int = 200, **headers: str) -> None:
        """A JSON answer."""
        self.send(status, json.dumps(value).encode(), **headers)

    def raw(self, data: bytes) -> None:
        """Bytes on the wire as they are."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()


@dataclass
class Agency:
    """The server: set ``answers[path]`` to a behaviour; ``requests`` remembers what was asked."""

    port: int = 0
    answers: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    agency: Agency

    def handle_error(self, *_: Any) -> None:
        """Clients that cut their connection are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: without this each answer waits 40 ms
    server: _Server

    def do_GET(self) -> None:
        """Look the behaviour up by path."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        request = Request(self, parts.path, query, {name.lower(): value for name, value in self.headers.items()})
        self.server.agency.requests.append(request)
        behaviour = self.server.agency.answers.get(parts.path)
        if behaviour is None:
            request.json({"message": "no such path"}, 404)
        else:
            behaviour(request)

    def log_message(self, *_: Any) -> None:
        """Silence."""


@contextmanager
def agency_api(address: str = "127.0.0.1", context: Any = None) -> Iterator[Agency]:
    """Serve an agency until the block ends; ``context``: an SSL context for https."""
    agency = Agency()
    server = _Server((address, 0), _Handler)
    server.agency = agency
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    agency.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield agency
    finally:
        agency.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


# --- behaviours --------------------------------------------------------------------------------------------------------------


def rows(found: list[Any], key: str = "data") -> Behaviour:
    """All rows in one answer."""
    return lambda request: request.json({key: found})


def numbered(found: list[Any], key: str = "data") -> Behaviour:
    """Pages by ``page`` and ``per_page``."""

    def answer(request: Request) -> None:
        number, size = int(request.query["page"]), int(request.query["per_page"])
        request.json({key: found[(number - 1) * size : number * size], "total": len(found)})

    return answer


def status(code: int, **headers: str) -> Behaviour:
    """Only a status."""
    return lambda request: request.json({"message": f"status {code}"}, code, **headers)


def body(data: bytes, kind: str = "application/json", **headers: str) -> Behaviour:
    """These bytes."""
    return lambda request: request.send(200, data, kind=kind, **headers)


def moved(target: str, code: int = 302) -> Behaviour:
    """A redirect."""
    return lambda request: request.send(code, b"", Location=target)


def slow_headers(agency: Agency) -> Behaviour:
    """One byte of a header at a time, for ever (A7)."""

    def answer(request: Request) -> None:
        request.raw(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not agency.ended.wait(0.05):
            request.raw(b"x")

    return answer


def slow_body(agency: Agency) -> Behaviour:
    """One byte of the body at a time, for ever (A8)."""

    def answer(request: Request) -> None:
        request.head(200, **{"Content-Length": "1000000"})
        while not agency.ended.wait(0.05):
            request.raw(b" ")

    return answer


def endless(request: Request) -> None:
    """Chunks without end (A9)."""
    request.head(200, **{"Transfer-Encoding": "chunked"})
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    while True:
        request.raw(chunk)


def short(request: Request) -> None:
    """Less than its length says (A10)."""
    request.head(200, **{"Content-Length": "1000"})
    request.raw(b'{"data": [')
    request.handler.close_connection = True


def bomb(megabytes: int, encoding: str = "gzip") -> Behaviour:
    """A small answer that unpacks to much (A11)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join([packer.compress(b" " * 1_048_576) for _ in range(megabytes)]) + packer.flush()
    return lambda request: request.send(200, packed, **{"Content-Encoding": encoding})


def reset(request: Request) -> None:
    """A hard reset in the middle of the body (A6)."""
    request.head(200, **{"Content-Length": "1000000"})
    request.raw(b'{"data": [' + b" " * 1000)
    time.sleep(0.05)
    connection = request.handler.connection
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    request.handler.close_connection = True
