"""A2, A3, A26: name servers that hang, lie, or put a dead address first. ``python -m tests.lab.name_servers`` as root."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dashboard.cases import Outcome
from tests.agency_api import Agency, agency_api, numbered
from tests.lab.packets import PAGED
from tests.lab.space import FOUND, own_network, resolver, rules, said, shell, site, taken, whole

A, AAAA = 1, 28


@contextmanager
def name_server(answer: Callable[[int], list[str]]) -> Iterator[list[int]]:
    """A name server on 127.0.0.1:53 that gives ``answer(kind)`` with a life of zero; gives the kinds that were asked for."""
    asked: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        server.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    question, client = server.recvfrom(512)
                except TimeoutError:
                    continue
                end = question.index(b"\0", 12) + 5
                kind = int.from_bytes(question[end - 4 : end - 2], "big")
                found = [ipaddress.ip_address(text).packed for text in answer(kind)]
                asked.append(kind)
                head = question[:2] + b"\x81\x80\0\1" + len(found).to_bytes(2, "big") + b"\0\0\0\0"
                records = b"".join(
                    b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\0" + len(packed).to_bytes(2, "big") + packed for packed in found
                )
                server.sendto(head + question[12:end] + records, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield asked
        finally:
            over.set()
            thread.join()


def named(agency: Agency) -> dict[str, object]:
    """A source at the agency by a name."""
    return {"url": f"http://dinas.uji.example:{agency.port}/a", "records": "data", "pages": PAGED}


def hangs(agency: Agency) -> None:
    """A2: questions to the name server are swallowed."""
    with site(options=named(agency), deadline="6 seconds") as here:
        with rules("INPUT -i lo -p udp --dport 53 -j DROP"):
            result, seconds = taken(here.run)
        said("A2", f"given up after {seconds:.1f} s: {result.outcome.value}",
             result.outcome is Outcome.UNAVAILABLE and "cannot be resolved" in result.en and seconds < 10)


def rebinds(agency: Agency) -> None:
    """A3: the second answer is the cloud's metadata address."""
    count = {"a": 0}

    def answer(kind: int) -> list[str]:
        if kind != A:
            return []
        count["a"] += 1
        return ["127.0.0.1"] if count["a"] == 1 else ["169.254.169.254"]

    with name_server(answer), site(options=named(agency)) as here:
        first = here.run()
        second = here.run()
        said("A3", f"two pages of the first run went to the checked address, the second run: {second.outcome.value}",
             first.outcome is Outcome.OK and second.outcome is Outcome.CHANGED and "is private" in second.en and whole(here, 200))


def six_first(agency: Agency) -> None:
    """A26: the name has an IPv6 address first, at which nobody listens, then packets to it are swallowed."""
    with name_server(lambda kind: ["::1"] if kind == AAAA else ["127.0.0.1"]), site(options=named(agency)) as here:
        closed, quick = taken(here.run)
        shell(f"ip6tables -A INPUT -i lo -p tcp --dport {agency.port} -j DROP")
        swallowed, slow = taken(here.run)
        shell(f"ip6tables -D INPUT -i lo -p tcp --dport {agency.port} -j DROP")
        good = closed.outcome is Outcome.OK and swallowed.outcome is Outcome.OK and slow < 9
        said("A26", f"falls back to IPv4: closed after {quick:.1f} s, swallowed after {slow:.1f} s", good and whole(here, 200))


if __name__ == "__main__":
    own_network("tests.lab.name_servers")
    with agency_api() as server, resolver():
        server.answers["/a"] = numbered(FOUND)
        hangs(server)
        rebinds(server)
        six_first(server)
