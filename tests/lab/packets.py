"""A5, A24, A25: packets that are swallowed, lost, slow, or cease in the middle. ``python -m tests.lab.packets`` as root."""

from __future__ import annotations

from dashboard.cases import Outcome
from tests.agency_api import Agency, agency_api, numbered, rows
from tests.lab.space import FOUND, own_network, rules, said, shell, site, taken, whole

PAGED = {"kind": "page", "param": "page", "size_param": "per_page", "size": 100}


def swallowed(agency: Agency) -> None:
    """A5: SYN packets are dropped, then let through."""
    agency.answers["/a"] = rows(FOUND)
    with site(options={"url": agency.url("/a"), "records": "data"}) as here:
        with rules(f"INPUT -i lo -p tcp --dport {agency.port} --syn -j DROP"):
            result, seconds = taken(here.run)
        good = result.outcome is Outcome.UNAVAILABLE and "no connection within 5 s" in result.en and seconds < 25
        result, _ = taken(here.run)
        said("A5", f"given up after {seconds:.1f} s in three tries, healed at once", good and whole(here, 200))


def lossy(agency: Agency) -> None:
    """A24: one packet in twenty is lost, and the line carries 64 kbit/s."""
    agency.answers["/a"] = numbered(FOUND)
    with site(options={"url": agency.url("/a"), "records": "data", "pages": PAGED}, deadline="2 minutes") as here:
        shell("tc qdisc add dev lo root tbf rate 64kbit burst 8kb latency 2s")
        try:
            with rules("INPUT -i lo -m statistic --mode random --probability 0.05 -j DROP"):
                result, seconds = taken(here.run)
                second = here.run()
        finally:
            shell("tc qdisc del dev lo root")
        ended = {Outcome.OK, Outcome.UNAVAILABLE}
        good = result.outcome in ended and second.outcome in ended
        here.run()
        said("A24", f"{result.outcome.value} after {seconds:.0f} s for 50 kB, then {second.outcome.value}; nothing doubled", good and whole(here, 200))


def ceases(agency: Agency) -> None:
    """A25: after the first page every packet of the open connection is dropped, as after a peer's reboot."""
    state = {"rules": False}
    drop = (f"INPUT -i lo -p tcp --dport {agency.port} -j DROP", f"INPUT -i lo -p tcp --sport {agency.port} -j DROP")
    page = numbered(FOUND)

    def answer(asked: object) -> None:
        if asked.query["page"] == "2" and not state["rules"]:  # type: ignore[attr-defined]
            state["rules"] = True
            for rule in drop:
                shell(f"iptables -A {rule}")
        page(asked)  # type: ignore[arg-type]

    agency.answers["/a"] = answer
    options = {"url": agency.url("/a"), "records": "data", "pages": PAGED, "timeout": 4}
    with site(options=options, deadline="20 seconds") as here:
        result, seconds = taken(here.run)
        for rule in drop:
            shell(f"iptables -D {rule}")
        good = result.outcome is Outcome.UNAVAILABLE and seconds < 25
        again = here.run()
        said("A25", f"left at the deadline ({seconds:.0f} s), healed by the next run", good and again.outcome is Outcome.OK and whole(here, 200))


if __name__ == "__main__":
    own_network("tests.lab.packets")
    with agency_api() as server:
        swallowed(server)
        lossy(server)
        ceases(server)
