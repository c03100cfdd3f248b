"""A screen on a real socket that never reads: bounded, dropped, and nobody else notices (V21)."""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from dashboard import clock
from dashboard.access.devices import add_device, redeem
from dashboard.live.hub import Pace
from tests.live import toy
from tests.live.conftest import Served

LARGE = "x" * 200_000
CHANGES = 60


def cookie(served: Served) -> str:
    """The cookie of a new wall."""
    _, code = add_device(served.engines["people"], place="Uji", screen="west", zone="wall", now=clock.now())
    return f"__Host-cc-wall={redeem(served.engines['people'], code, zone='wall', now=clock.now())}"


@contextmanager
def silent(served: Served) -> Iterator[socket.socket]:
    """A screen that asked for the stream and reads nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", served.port))
        client.sendall(f"GET /wall/live HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {cookie(served)}\r\n\r\n".encode())
        yield client


@contextmanager
def reading(served: Served) -> Iterator[http.client.HTTPResponse]:
    """A screen that reads what it gets."""
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as connection:
        connection.request("GET", "/wall/live", headers={"Cookie": cookie(served)})
        with connection.getresponse() as stream:
            yield stream


def gauge(served: Served, name: str) -> float:
    with urllib.request.urlopen(f"{served.base}/metrics", timeout=10) as answer:
        found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found
    return float(found[1])


def resident(served: Served) -> int:
    """Megabytes of memory of the server's process."""
    assert served.process is not None
    with open(f"/proc/{served.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 // 1_000_000


@pytest.mark.long
def test_v21_a_screen_that_never_reads_is_dropped_and_the_others_miss_nothing(served: Served) -> None:
    ends = time.monotonic() + Pace().slow_seconds + 90
    with reading(served) as stream:
        flood(served, "warm", stream, ends)  # the process has its size
        before = resident(served)
        with silent(served):
            flood(served, "cold", stream, ends)
            assert resident(served) - before < CHANGES * len(LARGE) / 1e6, "what waits for it is one state, not all of them"
            while gauge(served, "command_center_screens_dropped_total") < 1:
                assert time.monotonic() < ends
                stream.read1(1 << 18)
            assert gauge(served, "command_center_screens_connected") == 1
            flood(served, "after it", stream, ends, changes=1)


def flood(served: Served, last: str, stream: http.client.HTTPResponse, ends: float, *, changes: int = CHANGES) -> None:
    """So many large states, and the last one read."""
    whole = b""
    for number in range(changes):
        toy.put(served.engines["figures"], "figure", f"{number}-{LARGE}")
        stream.read1(1 << 18)
    toy.put(served.engines["figures"], "figure", f"the {last}")
    while f"the {last}".encode() not in whole:
        assert time.monotonic() < ends
        whole = whole[-1000:] + stream.read1(1 << 18)
