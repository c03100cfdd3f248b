"""One screen that never reads, among a hundred: what the others' p95 does (V21). Windows with and without it take turns."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.fan_out import PATH, received, window
from tests.bench.house import House, Server, house, served
from tests.bench.lines import Line, Options, at_most, median, number, quantile, told

SCREENS = 100
ROUNDS = 3


def measure(options: Options) -> list[Line]:
    """The medians of the p95s, with it against without."""
    count, rounds = (5, 1) if options.quick else (SCREENS, ROUNDS)
    late: dict[bool, list[float]] = {False: [], True: []}
    with house(5_000 if options.quick else 40_000) as where:
        where.sessions(count + 1)
        for turn in range(rounds):
            for slow in (False, True) if turn % 2 == 0 else (True, False):
                print(f"  {'with' if slow else 'without'} a slow screen …", file=sys.stderr)
                late[slow].append(_p95(where, count, slow=slow))
    before, after = median(late[False]), median(late[True])
    told_all = " / ".join(" ".join(number(one) for one in late[slow]) for slow in (False, True))
    return [
        at_most("one screen that never reads: p95 of the others", (after / before - 1) * 100, 5, "%", measured=f"{number(after)} against "
                f"{number(before)} ms", ratio=f"{after / before:.2f} ×", method=f"publish to receipt of {count} screens, medians of "
                f"{rounds} windows each of 20 s with a commit a second, in turns on the same store"),
        told("the same, every window", measured=f"{told_all} ms", method="without / with; how much they differ among themselves is this "
             "machine's own unrest"),
    ]


def _p95(where: House, count: int, *, slow: bool) -> float:
    with served(where) as server:
        cookies = [f"{server.cookie}={token}" for token in where.sessions(count + 1)]
        with _stuck(server, cookies[-1] if slow else ""):
            found, cpu = window(where.folder, server.port, cookies[:-1], server.pid, lambda _: where.touch())
            return quantile(received(count, cpu, found, server.published()).delays, 0.95)


@contextmanager
def _stuck(server: Server, cookie: str) -> Iterator[None]:
    """A screen that asks for the stream and never reads a byte of it."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if cookie:
            client.connect(("127.0.0.1", server.port))
            client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {cookie}\r\n\r\n".encode())
        yield
