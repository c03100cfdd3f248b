"""The clocks of complaints, on both databases: by stage and class, in working time, right with nothing and with stale sources."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from dashboard.cases import Codes, Sighting
from dashboard.clock import epoch
from dashboard.queries.answers import State
from dashboard.queries.complaints import Clock, Complaints, complaint_clocks
from dashboard.queries.complaints_closed import complaints_closed
from dashboard.queries.figures import figures
from tests import small
from tests.small import World, wita

NOW = wita("2026-11-24 10:53")  # a Tuesday
LOADED = NOW - timedelta(minutes=1)
CLASSES = {"not-supervised": "aduan", "supervised": "aduan-berat", "information": "info"}


def regency() -> small.Regency:
    services = {
        "aduan": small.service("14 working days", kind="complaint", **{"class": "not-supervised"}),
        "aduan-berat": small.service("60 working days", kind="complaint", **{"class": "supervised"}),
        "info": small.service("5 working days", kind="complaint", **{"class": "information"}),
    }
    fields = {
        "agency": {"from": "agency", "otherwise": "discover"}, "first_response_at": "answered",
        "class": {"from": "class", "map": {name: name for name in CLASSES}},
        "closed_by": {"from": "closed", "map": {"follow-up": "follow-up", "silence": "silence"}},
    }
    sources = [small.source("kominfo", id="lapor", kind="complaint", fields=fields), small.source("capil")]
    return small.regency(
        agencies={
            "capil": small.agency("Capil", {"ktp": small.service("1 working day"), **services}, id="capil"),
            "pu": small.agency("PU", services, id="pu"), "kominfo": small.agency("Kominfo", {}, id="kominfo"),
        },
        sources={one["id"]: one for one in sources},
    )


def told(
    name: str, submitted: str, *, class_: str = "", agency: str = "pu", accepted: str = "", answered: str = "", ended: str = "",
    closed_by: str | None = None,
) -> Sighting:
    """One complaint as its source tells it; moments of the regency's clock."""
    stamps = [epoch(wita(text)) if text else None for text in (accepted, answered, ended)]
    return Sighting(
        hashlib.blake2b(name.encode(), digest_size=16).digest(), epoch(wita(submitted)), *stamps,
        Codes(agency=agency, service=CLASSES.get(class_, "aduan"), status="completed" if ended else "open", class_=class_,
              closed_by=closed_by),
    )


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, regency())


def deliver(world: World, *seen: Sighting, at: datetime = LOADED) -> None:
    world.deliver_sightings("lapor", seen, at=at, since=NOW - timedelta(days=200))


def asked(world: World, at: datetime = NOW) -> Complaints:
    return complaint_clocks(world.asked(at))


def row(answer: Complaints, name: str) -> Clock:
    return next(clock for clock in answer.clocks if clock.row == name)


def counts(answer: Complaints) -> dict[str, tuple[int, int, int]]:
    return {clock.row: (len(clock.marks), clock.soon, clock.past) for clock in answer.clocks}


def test_before_anything_ran_there_is_no_figure_but_every_declared_clock(world: World) -> None:
    answer = asked(world)
    assert (answer.figure.value, answer.figure.state) == (None, State.NONE)
    assert [(clock.row, clock.days) for clock in answer.clocks] == [
        ("verify", (3, 3)), ("answer", (5, 5)), ("information", (5, 5)), ("ordinary", (14, 14)), ("supervised", (60, 60)),
    ]
    assert complaints_closed(world.asked(NOW)).figure.value is None


def test_a_loaded_source_without_open_complaints_is_a_true_zero(world: World) -> None:
    deliver(world, told("a", "2026-11-20 09:00", class_="information", accepted="2026-11-20 10:00", answered="2026-11-20 11:00",
                        ended="2026-11-20 12:00"))
    answer = asked(world)
    assert (answer.figure.value, answer.figure.state, answer.late) == (0.0, State.NORMAL, ())
    assert set(counts(answer).values()) == {(0, 0, 0)}


def test_each_open_complaint_stands_once_at_its_stage(world: World) -> None:
    deliver(
        world,
        told("unverified", "2026-11-23 09:00"),
        told("verified", "2026-11-19 09:00", class_="not-supervised", accepted="2026-11-20 09:00"),
        told("answered", "2026-11-19 09:00", class_="supervised", accepted="2026-11-19 10:00", answered="2026-11-19 11:00"),
        told("info", "2026-11-23 08:00", class_="information", accepted="2026-11-23 09:00", answered="2026-11-23 10:00"),
    )
    answer = asked(world)
    assert counts(answer) == {
        "verify": (1, 0, 0), "answer": (1, 0, 0), "information": (1, 0, 0), "ordinary": (0, 0, 0), "supervised": (1, 0, 0),
    }
    assert answer.figure.value == sum(len(clock.marks) for clock in answer.clocks) == 4


def test_until_its_class_is_known_only_the_clock_of_verification_runs(world: World) -> None:
    deliver(world, told("old", "2026-10-01 09:00"))  # far past 14 working days, but nobody knows whether these hold
    assert counts(asked(world))["verify"] == (1, 0, 1)
    assert counts(asked(world))["ordinary"] == (0, 0, 0)
    deliver(world, told("old", "2026-10-01 09:00", class_="not-supervised", accepted="2026-11-23 09:00"))
    assert counts(asked(world))["ordinary"] == (1, 0, 1)  # its last limit is over: there it stands
    deliver(world, told("old", "2026-10-01 09:00", class_="supervised", accepted="2026-11-23 09:00"))
    assert counts(asked(world)) == {
        "verify": (0, 0, 0), "answer": (1, 0, 0), "information": (0, 0, 0), "ordinary": (0, 0, 0), "supervised": (0, 0, 0),
    }


def test_ages_are_shares_of_the_limit_in_working_time_whatever_the_weekend(world: World) -> None:
    deliver(world, told("a", "2026-11-20 16:30"))  # Friday at closing time: three working days from Monday on
    before, after = (asked(world, wita(text)) for text in ("2026-11-21 12:00", "2026-11-23 07:30"))
    assert row(before, "verify").marks == row(after, "verify").marks
    (mark,) = row(asked(world, wita("2026-11-24 07:30")), "verify").marks
    assert mark.share == pytest.approx(1 / 4)  # until Thursday at closing time are four working days


def test_a_mark_turns_at_80_percent_and_past_its_limit_and_the_answer_says_when(world: World) -> None:
    deliver(world, told("a", "2026-11-19 09:00"), at=wita("2026-11-23 07:31"))  # Thursday: due on Tuesday the 24th at 16.00
    answer = asked(world, wita("2026-11-23 07:31"))
    assert counts(answer)["verify"] == (1, 0, 0)
    assert answer.changes_at == epoch(wita("2026-11-23 07:38:31"))  # late by then: one and a half rhythms
    deliver(world, at=wita("2026-11-24 15:58"))
    assert asked(world, wita("2026-11-24 15:59")).changes_at == epoch(wita("2026-11-24 16:00"))
    assert counts(asked(world, wita("2026-11-24 16:00")))["verify"] == (1, 1, 0)
    assert asked(world, wita("2026-11-24 16:00")).changes_at == epoch(wita("2026-11-24 16:00")) + 1
    assert counts(asked(world, wita("2026-11-24 16:00:01")))["verify"] == (1, 0, 1)


def test_who_must_act_is_the_desk_before_verification_and_the_agency_after_it(world: World) -> None:
    deliver(
        world,
        told("desk", "2026-11-10 09:00"),
        told("a", "2026-10-20 09:00", class_="not-supervised", accepted="2026-10-20 10:00", answered="2026-10-20 11:00"),
        told("b", "2026-11-10 09:00", class_="supervised", accepted="2026-11-10 10:00"),
    )
    late = asked(world).late
    assert [(one.short_name, one.count) for one in late] == [("PU", 2), ("Kominfo", 1)]
    assert late[1].oldest_days == pytest.approx(6 + (3 * 3600 + 23 * 60) / 27_000)  # since Friday the 13th, 16.30


def test_figures_count_the_same_as_the_rows(world: World) -> None:
    deliver(
        world,
        told("u1", "2026-11-10 09:00"), told("u2", "2026-11-24 09:00"),
        told("v", "2026-11-12 09:00", class_="supervised", accepted="2026-11-12 10:00"),
        told("w", "2026-11-23 09:00", class_="supervised", accepted="2026-11-23 10:00"),
        told("o", "2026-10-20 09:00", class_="not-supervised", accepted="2026-10-20 10:00", answered="2026-10-21 10:00"),
    )
    past = {name: found[2] for name, found in counts(asked(world)).items()}
    frame = figures(
        world.asked(NOW), metrics=["complaints_unverified", "complaints_unanswered", "complaints_overdue"], grain="month",
        since=date(2026, 11, 1), until=date(2026, 11, 30), everything=True,
    )
    assert frame["value"].tolist() == [past["verify"], past["answer"], past["ordinary"]] == [1, 1, 1]


def test_a_stale_source_tells_how_it_stood_and_counts_no_further(world: World) -> None:
    deliver(world, told("a", "2026-11-19 09:00"), at=wita("2026-11-24 15:50"))
    later = wita("2026-11-24 18:00")
    answer = asked(world, later)
    assert (answer.figure.state, answer.figure.value) == (State.STALE, 1.0)
    assert counts(answer)["verify"] == (1, 1, 0)  # its limit passed at 16.00, but nobody knows what happened since 15.50
    world.fail("lapor", at=later, times=3)
    assert asked(world, later).figure.state is State.OFFLINE


def test_what_is_closed_by_silence_is_told_apart_and_days_that_nobody_covers_make_it_partial(world: World) -> None:
    closed = [
        told(f"c{number}", "2026-11-02 09:00", class_="not-supervised", accepted="2026-11-02 10:00", answered="2026-11-03 10:00",
             ended="2026-11-20 10:00", closed_by=how)
        for number, how in enumerate(["follow-up", "follow-up", "silence", None])
    ]
    early = told("before", "2026-09-02 09:00", class_="information", ended="2026-10-20 10:00", closed_by="follow-up")
    today = told("today", "2026-11-23 09:00", class_="information", ended="2026-11-24 09:00", closed_by="silence")
    deliver(world, *closed, early, today)
    answer = complaints_closed(world.asked(NOW))
    assert (answer.figure.value, answer.figure.state, answer.covered) == (5.0, State.NORMAL, 29)
    assert (answer.followed, answer.silent, answer.untold) == (2, 2, 1)
    short = World(world.engine, world.regency)
    short.deliver_sightings("lapor", [], at=NOW + timedelta(days=20), since=NOW + timedelta(days=19))
    later = complaints_closed(short.asked(NOW + timedelta(days=20, minutes=1)))
    assert (later.figure.state, later.covered < 29) == (State.PARTIAL, True)


def test_a_source_that_never_tells_of_verification_has_its_answer_clock_run_from_the_submission(engine: Engine) -> None:
    declared = regency()
    fields = {key: field for key, field in declared.sources["lapor"].fields.items() if key not in ("accepted_at", "class")}
    source = declared.sources["lapor"].model_copy(update={"fields": fields})
    world = World(engine, declared.model_copy(update={"sources": {**declared.sources, "lapor": source}}))
    deliver(world, told("a", "2026-11-16 09:00"))
    assert counts(asked(world))["verify"] == (0, 0, 0)
    assert counts(asked(world))["answer"] == (1, 0, 1)
