"""Answers built by hand for the scenes of one topic: complaints, the service mall, the emergency line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dashboard.queries.answers import Figure, Level, State
from dashboard.queries.complaints import Clock, Complaints, Late, Mark
from dashboard.queries.complaints_closed import Closed
from dashboard.queries.emergency import Emergency, Tickets
from dashboard.queries.mall import MallNow, Tenant
from dashboard.queries.mall_counters import Counters
from dashboard.queries.mall_online import Online

DAYS = {"verify": 3, "answer": 5, "information": 5, "ordinary": 14, "supervised": 60}


def clock(row: str, running: tuple[float, ...] = (), soon: tuple[float, ...] = (), past: tuple[float, ...] = ()) -> Clock:
    """A clock from the shares of its marks."""
    marks = [*(Mark(one, "running") for one in running), *(Mark(one, "soon") for one in soon), *(Mark(one, "past") for one in past)]
    return Clock(row, (DAYS.get(row, 0), DAYS.get(row, 0)), tuple(sorted(marks)), len(soon), len(past))


def spread(count: int, low: float, high: float) -> tuple[float, ...]:
    """So many shares between two."""
    return tuple(low + (high - low) * (number + 0.5) / count for number in range(count))


class Topics:
    """The examples, built with the base of the other answers (instant, figures, sources)."""

    def __init__(self, at: int, figure: Any, source: Any) -> None:
        self.at, self.figure, self.source = at, figure, source
        self.out = source("Kominfo", State.STALE, age=3900)
        self.gone = source("Kominfo", State.OFFLINE, age=90_000)

    def states(self, one: Figure) -> dict[str, Figure]:
        """A figure in every state that its sources can have."""
        return {
            "late": replace(one, state=State.LATE),
            "partial": replace(one, state=State.PARTIAL, without=("Dishub", "DLH"), missing_share=0.1),
            "stale": replace(one, state=State.STALE, worst=self.out, without=("Kominfo",), missing_share=1.0),
            "offline": replace(one, state=State.OFFLINE, worst=self.gone, without=("Kominfo",), missing_share=1.0),
            "loading": replace(one, value=None, state=State.LOADING, data_until=None),
            "none": replace(one, value=None, state=State.NONE, data_until=None),
        }

    def complaints(self) -> dict[str, Complaints]:
        """The clocks: those of the mock-up, then short, long, empty, partly known, troubled."""
        clocks = (
            clock("verify", (0.07, 0.13, 0.3, 0.53)),
            clock("answer", (0.1, 0.22, 0.28, 0.44, 0.58, 0.66), (0.86,), (1.11, 1.27)),
            clock("information", (0.3, 0.5)),
            clock("ordinary", spread(14, 0.04, 0.73), (0.83, 0.86, 0.92, 0.96), (1.05, 1.16, 1.29)),
            clock("supervised", (0.23, 0.52), (0.87,)),
        )
        late = (Late("dputrkp2", "DPUTRKP2", 3, 4.4), Late("dinsos", "Dinsos", 2, 1.4))
        whole = Complaints(
            self.at, self.figure("backlog", 39.0, level=Level.ATTENTION), clocks, late, 0,
            (self.source("Kominfo"),), limits=self.figure("backlog", 1.0).limits,
        )
        empty = tuple(clock(row) for row in DAYS)
        other = (replace(clocks[0], marks=clocks[0].marks[:1]), *clocks[1:])
        many = tuple(
            clock(row, spread(900, 0, 0.8), spread(120, 0.8, 1), spread(1234, 1, 9)) for row in (*DAYS, "other")
        )
        long_names = tuple(
            Late(f"d{number}", name, 1204 - number, 412.5 + number) for number, name in enumerate((
                "DPUTRKP2", "DP3AP2KB", "Satpol PP Damkar", "Kecamatan Sukamaju Selatan", "Puskesmas Sukamaju", "BPKPD", "RSUD",
            ))
        )
        return {
            "normal": whole,
            "other-value": replace(
                whole, figure=replace(whole.figure, value=36.0), clocks=other, late=(late[0], replace(late[1], count=4, oldest_days=12.25)),
            ),
            "calm": replace(whole, figure=self.figure("backlog", 0.0), clocks=empty, late=()),
            "many": replace(whole, figure=self.figure("backlog", 13_524.0), clocks=many, late=long_names, unclocked=2117),
            **{name: replace(whole, figure=one, clocks=empty if one.value is None else clocks, late=() if one.value is None else late)
               for name, one in self.states(whole.figure).items()},
        }

    def closed(self) -> dict[str, Closed]:
        """Closed complaints."""
        whole = Closed(self.at, self.figure("completed", 47.0), 41, 6, 0, 29, limits=self.figure("completed", 1.0).limits)
        return {
            "normal": whole,
            "other-value": replace(whole, figure=replace(whole.figure, value=52.0), followed=31, silent=21),
            "untold": replace(whole, figure=self.figure("completed", 50.0), untold=3),
            "calm": replace(whole, figure=self.figure("completed", 0.0), followed=0, silent=0),
            "many": replace(whole, figure=self.figure("completed", 34_218.0), followed=20_118, silent=12_900, untold=1200),
            "short-history": replace(whole, figure=replace(whole.figure, state=State.PARTIAL), covered=8),
            **{name: replace(whole, figure=one, followed=41 if one.value else 0, silent=6 if one.value else 0)
               for name, one in self.states(whole.figure).items()},
        }

    def mall(self) -> dict[str, MallNow]:
        """The mall of the mock-up, then the rest."""
        def tenant(name: str, planned: int, opened: int, ticket: str, ago: int, waiting: int, longest: float, **more: Any) -> Tenant:
            return Tenant(
                name.lower(), name, True, planned, opened, True, waiting, waiting + 31, 26, 2, 8.5, longest or None, 15.0,
                self.at - 60 * ago, ticket, **more,
            )

        tenants = (
            tenant("Disdukcapil", 4, 4, "A-087", 1, 9, 14), tenant("BPJS Kesehatan", 3, 2, "C-031", 32, 7, 32, uncalled=32, level=Level.WARNING),
            tenant("DPMPTSP", 3, 3, "B-024", 4, 3, 8), tenant("BPKPD", 2, 2, "D-019", 3, 4, 11), tenant("Samsat", 2, 2, "E-042", 0, 6, 13),
            tenant("Pertanahan", 2, 1, "F-008", 6, 5, 16, level=Level.ATTENTION),
            Tenant("imigrasi", "Imigrasi", True, 1, 0, False, standard=15.0, opens_on=("wed", "thu")),
            Tenant("kemenag", "Kemenag", False, 1, None, True),
        )
        waiting = self.figure("waiting_now", 34.0, (22, 29, 38))
        whole = MallNow(
            self.at, waiting, self.figure("waiting_time_median", 12.0, cases=220), self.figure("completed", 186.0, (160, 178, 195)),
            Counters(State.NORMAL, 14, 16, 1, Level.ATTENTION, self.source("DPMPTSP")), Online(State.NORMAL, 132, 214, 61.7, 30),
            220, 9, 15.0, tenants, self.source("DPMPTSP"), 15, limits=waiting.limits,
        )
        long = replace(
            whole, waiting=self.figure("waiting_now", 1234.0, (900, 1000, 1100)), wait=self.figure("waiting_time_median", 128.0, level=Level.ATTENTION),
            served=self.figure("completed", 12_345.0), called=23_456, gone=1234,
            counters=Counters(State.NORMAL, 120, 134, 12, Level.ATTENTION, self.source("DPMPTSP")),
            online=Online(State.PARTIAL, 41_234, 112_345, 36.7, 30, ("Disdukcapil", "DPMPTSP")),
            tenants=tuple(
                replace(tenants[1], agency=f"t{number}", short_name=name, planned=12, open=number, ticket="AB-1234", waiting=213,
                        called=1204, served=1013, gone=118, longest=244.0, uncalled=None if number % 2 else 61)
                for number, name in enumerate(("Bank Sulselbar Cabang Masamba", "Kejaksaan Negeri", "BPJS Ketenagakerjaan", "PLN", "Pengadilan Agama", "Pos", "PDAM", "BPS", "KPP Pratama"))
            ),
        )
        closed = tuple(replace(one, is_open=False, open=0, waiting=0, longest=None, last_call_at=None, ticket="", called=0, served=0, gone=0,
                               uncalled=None, level=Level.NORMAL) for one in tenants)
        night = replace(
            whole, waiting=self.figure("waiting_now", 0.0), wait=replace(self.figure("waiting_time_median", None), state=State.NOT_APPLICABLE),
            served=self.figure("completed", 0.0), called=0, gone=0, tenants=closed,
            counters=Counters(State.NORMAL, 0, 0, 1, Level.NORMAL, self.source("DPMPTSP")), online=Online(State.TOO_FEW, 3, 7, None, 30),
        )

        def in_state(one: Figure) -> MallNow:
            known = one.value is not None
            return replace(
                whole, waiting=one, wait=replace(one, value=12.0 if known else None), served=replace(one, value=186.0 if known else None),
                tenants=tenants if known else (), online=replace(whole.online, state=one.state, share=61.7 if one.state is State.PARTIAL else None),
                counters=replace(whole.counters, state=one.state, open=14 if known else None, age=self.out if one.worst else whole.age),
            )

        return {
            "normal": whole,
            "other-value": replace(
                whole, waiting=replace(waiting, value=21.0), tenants=(replace(tenants[0], waiting=2, open=2, longest=3.0, ticket="A-090"), *tenants[1:]),
                counters=replace(whole.counters, open=16, level=Level.NORMAL), online=Online(State.NORMAL, 140, 230, 60.9, 30),
            ),
            "night": night, "long": long,
            "untold-counters": replace(whole, counters=Counters(), tenants=tuple(replace(one, open=None) for one in tenants)),
            **{name: in_state(one) for name, one in self.states(waiting).items()},
        }

    def emergency(self) -> dict[str, Emergency]:
        """The emergency line."""
        valid = self.figure("calls_valid", 32.0, (24, 29, 35))
        hours = (1, 0, 0, 1, 2, 1, 3, 4, 6, 9, 5, *(None,) * 13)
        agencies = (
            Tickets("rsud", "RSUD", 4, 3), Tickets("bpbd", "BPBD", 2, 1), Tickets("damkar", "Satpol PP Damkar", 2, 2), Tickets("dishub", "Dishub", 1, 0),
        )
        whole = Emergency(
            self.at, valid, 131, 39, 47, 13, 35.9, State.NORMAL, 30, hours, Tickets("", "", 9, 6), agencies, (self.source("Kominfo"),),
            limits=valid.limits,
        )
        nothing = {"offered": None, "abandoned": None, "ghost": None, "other": None, "ghost_share": None, "hours": (), "tickets": None, "agencies": ()}

        def in_state(one: Figure) -> Emergency:
            gone = nothing if one.value is None else {}
            return replace(whole, valid=one, ghost_state=one.state if one.value is not None else State.NONE, **gone)

        long = tuple(Tickets(f"a{number}", name, 1204 - number, 1013) for number, name in enumerate((
            "Satpol PP Damkar", "Kecamatan Sukamaju Selatan", "DPUTRKP2", "Puskesmas Baebunta", "BPBD", "RSUD", "Dishub", "DLH",
        )))
        return {
            "normal": whole,
            "other-value": replace(whole, valid=replace(valid, value=41.0), hours=(*hours[:10], 14, *hours[11:]), offered=160, agencies=tuple(
                replace(one, opened=one.opened + 2, followed=one.followed + 1) for one in agencies
            )),
            "calm": replace(
                whole, valid=replace(valid, value=0.0), offered=4, abandoned=1, ghost=3, other=0, ghost_share=None, ghost_state=State.TOO_FEW,
                hours=(0, *(None,) * 23), tickets=Tickets("", "", 0, 0), agencies=(),
            ),
            "untold": replace(whole, ghost=None, other=None, abandoned=None, ghost_share=None, ghost_state=State.NONE, tickets=None, agencies=()),
            "long": replace(
                whole, valid=self.figure("calls_valid", 12_345.0, (9000, 10_000, 11_000)), offered=123_456, abandoned=70_000, ghost=40_000,
                other=1111, ghost_share=32.4, hours=tuple(range(100, 2500, 100)), tickets=Tickets("", "", 8204, 6013), agencies=long,
            ),
            **{name: in_state(one) for name, one in self.states(valid).items()},
        }

    def examples(self) -> dict[str, dict[str, Any]]:
        """Panel → name of the example → answer."""
        complaints, mall, emergency = self.complaints(), self.mall(), self.emergency()
        return {
            "complaint_clocks": complaints, "complaints_late": complaints, "complaints_closed": self.closed(),
            "mall_figures": mall, "mall_tenants": mall,
            "emergency_figures": emergency, "emergency_calls": emergency, "emergency_tickets": emergency,
        }
