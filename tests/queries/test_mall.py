"""The service mall, on both databases: counters, people waiting, calls, waits, and when nobody is called."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from config.declarations import Mall
from dashboard.alarms.rules import open_alarms
from dashboard.cases import Codes, Outcome, Sighting
from dashboard.clock import day_end, epoch
from dashboard.queries.agencies import agency_rows
from dashboard.queries.answers import Level, State
from dashboard.queries.ecosystem import ecosystem
from dashboard.queries.mall import MallNow, Tenant, mall_now
from dashboard.store.derived import fill_gauges
from dashboard.store.read import Read
from dashboard.store.readings import ReadingRow, store_readings
from tests import small
from tests.small import Told, World, wita

NOW = wita("2026-11-24 10:53")  # a Tuesday
LOADED = NOW - timedelta(seconds=30)
VISIT = {"mpp": small.service("15 minutes", kind="visit")}


def regency() -> small.Regency:
    fields = {"agency": {"from": "agency", "otherwise": "discover"}, "ticket": "number"}
    counters = {
        "id": "counters", "owner": "capil", "connector": "rest", "feeds": "readings", "timezone": "Asia/Makassar",
        "fields": {"metric": {"value": "counters_open"}, "period": {"from": "at", "format": "iso"}, "value": "open", "scope": "who"},
    }
    sources = [small.source("capil", id="queue", kind="visit", fields=fields), counters, small.source("capil")]
    agencies = {
        "capil": small.agency("Capil", {"ktp": small.service("1 working day"), **VISIT}, id="capil"),
        "bpjs": small.agency("BPJS", VISIT, id="bpjs", outside=True),
        "imigrasi": small.agency("Imigrasi", VISIT, id="imigrasi", outside=True, calendar="midweek"),
        "kemenag": small.agency("Kemenag", VISIT, id="kemenag", outside=True),
    }
    tenants = {"capil": {"counters": 4}, "bpjs": {"counters": 3}, "imigrasi": {"counters": 1}, "kemenag": {"counters": 1}}
    return small.regency(
        agencies=agencies, sources={one["id"]: one for one in sources},
        calendars={"midweek": {"hours": {"wed": [["07:30", "16:00"]], "thu": [["07:30", "16:00"]]}}},
        mall=Mall.model_validate({"queue": "queue", "counters": "counters", "tenants": tenants}),
    )


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, regency())


def visit(name: str, came: str, called: str = "", left: str = "", *, agency: str = "capil", gone: bool = False) -> Told:
    """A visit of today; moments of the day's clock."""
    def on_day(text: str) -> datetime | None:
        return wita(f"2026-11-24 {text}") if text else None

    return Told(
        name, wita(f"2026-11-24 {came}"), on_day(left), service="mpp", accepted=on_day(called), agency=agency,
        status="cancelled" if gone else "", channel="counter",
    )


def deliver(world: World, *told: Told, at: datetime = LOADED, tickets: dict[str, str] | None = None) -> None:
    world.deliver("queue", told, at=at, since=NOW - timedelta(days=1))
    if tickets:
        read = Read.begin(world.engine, world.regency.sources["queue"], mode="window", token=None, now=at, zone=world.regency.zone)
        keys = {hashlib.blake2b(name.encode(), digest_size=16).digest(): ticket for name, ticket in tickets.items()}
        read.tickets = keys, day_end(NOW.date(), world.regency.zone)
        read.finish(outcome=Outcome.EMPTY, now=at, data_until=epoch(at), covered=None, complete=True)


def counters(world: World, at: datetime = LOADED, **opened: int) -> None:
    read = Read.begin(world.engine, world.regency.sources["counters"], mode="snapshot", token=None, now=at, zone=world.regency.zone)
    store_readings(read, [ReadingRow("counters_open", who, "instant", epoch(at), who, count, None) for who, count in opened.items()], [])
    read.finish(outcome=Outcome.OK, now=at, data_until=epoch(at), covered=None, complete=True)


def asked(world: World, at: datetime = NOW) -> MallNow:
    return mall_now(world.asked(at))


def tenant(answer: MallNow, agency: str) -> Tenant:
    return next(one for one in answer.tenants if one.agency == agency)


def test_without_a_declared_mall_there_is_nothing(engine: Engine) -> None:
    answer = mall_now(World(engine).asked(NOW))
    assert (answer.waiting.state, answer.waiting.value, answer.tenants, answer.counters.open) == (State.NONE, None, (), None)


def test_before_the_queue_was_heard_nobody_is_integrated_and_nothing_is_zero(world: World) -> None:
    answer = asked(world)
    assert (answer.waiting.value, answer.served.value, answer.wait.value, answer.online.state) == (None, None, None, State.NONE)
    assert [one.integrated for one in answer.tenants] == [False] * 4


def test_who_waits_was_called_served_and_has_gone(world: World) -> None:
    deliver(
        world, visit("a", "10:00", "10:10", "10:30"), visit("b", "10:20", "10:50"), visit("c", "10:40"), visit("d", "10:45"),
        visit("e", "09:00", left="09:30", gone=True), visit("f", "10:50", agency="bpjs"), tickets={"a": "A-001", "b": "A-002"},
    )
    answer = asked(world)
    capil = tenant(answer, "capil")
    assert (capil.waiting, capil.called, capil.served, capil.gone) == (2, 2, 1, 1)
    assert (capil.waits, capil.longest, capil.standard, capil.level) == (20.0, 13.0, 15.0, Level.NORMAL)
    assert (capil.ticket, capil.last_call_at) == ("A-002", epoch(wita("2026-11-24 10:50")))
    assert (answer.waiting.value, answer.wait.value, answer.called, answer.gone, answer.served.value) == (3.0, 20.0, 2, 1, 1.0)
    assert [one.agency for one in answer.tenants if one.integrated] == ["capil", "bpjs"]
    assert answer.changes_at == epoch(wita("2026-11-24 10:54"))


def test_a_longer_wait_than_promised_asks_for_attention_and_half_as_long_again_is_a_warning(world: World) -> None:
    deliver(world, visit("a", "10:37"), visit("x", "10:00", "10:52"))
    assert tenant(asked(world), "capil").level is Level.ATTENTION
    deliver(world, visit("b", "10:29"))
    assert tenant(asked(world), "capil").level is Level.WARNING


def test_nobody_called_while_people_wait_is_said_by_the_rule_of_the_alarm(world: World) -> None:
    deliver(world, visit("a", "10:20", "10:25"), visit("b", "10:22", agency="capil"), visit("c", "10:48", agency="bpjs"))
    answer = asked(world)
    assert (tenant(answer, "capil").uncalled, tenant(answer, "bpjs").uncalled) == (28, None)
    alarms = [alarm for alarm in open_alarms(world.asked(NOW)).alarms if alarm.rule == "uncalled"]
    assert [(alarm.subject, alarm.value) for alarm in alarms] == [("Capil", 28.0)]


def test_open_counters_stand_against_those_planned_for_who_is_open_today(world: World) -> None:
    deliver(world, visit("a", "10:40"), visit("b", "10:41", agency="bpjs"))
    counters(world, capil=4, bpjs=2, imigrasi=0)
    answer = asked(world)
    assert (answer.counters.open, answer.counters.planned, answer.counters.later, answer.counters.level) == (6, 8, 1, Level.ATTENTION)
    assert tenant(answer, "imigrasi").opens_on == ("wed", "thu")
    counters(world, at=NOW, capil=4, bpjs=4)
    assert asked(world, NOW + timedelta(seconds=5)).counters.level is Level.NORMAL
    night = wita("2026-11-24 20:00")
    deliver(world, at=night)
    counters(world, at=night, capil=0, bpjs=0, imigrasi=0)
    assert (asked(world, night).counters.planned, asked(world, night).counters.level) == (0, Level.NORMAL)


def test_without_a_source_of_counters_none_are_told(world: World) -> None:
    deliver(world, visit("a", "10:40"))
    answer = asked(world)
    assert (answer.counters.open, tenant(answer, "capil").open, tenant(answer, "capil").planned) == (None, None, 4)


def test_a_stale_queue_tells_how_it_stood_and_counts_no_minutes_further(world: World) -> None:
    deliver(world, visit("a", "10:40"))
    later = NOW + timedelta(hours=1)
    answer = asked(world, later)
    assert (answer.waiting.state, answer.waiting.value) == (State.STALE, 1.0)
    assert tenant(answer, "capil").longest == pytest.approx(12.5)
    assert tenant(answer, "capil").uncalled is None


def test_a_new_day_begins_empty(world: World) -> None:
    deliver(world, visit("a", "10:40"))
    tomorrow = wita("2026-11-25 07:00")
    deliver(world, at=tomorrow)
    answer = asked(world, tomorrow)
    assert (answer.waiting.value, answer.served.value, answer.wait.state) == (0.0, 0.0, State.NOT_APPLICABLE)


def test_people_waiting_now_stand_on_what_is_usual_at_this_hour(world: World) -> None:
    past = [
        Sighting(
            hashlib.blake2b(f"{week}-{number}".encode(), digest_size=16).digest(), epoch(came), epoch(came) + 1800, None, epoch(came) + 2400,
            Codes(agency="capil", service="mpp", status="completed"),
        )
        for week in range(1, 6) for number in range(week) for came in [wita("2026-11-24 10:40") - timedelta(days=7 * week)]
    ]
    world.deliver_sightings("queue", past, at=LOADED, since=NOW - timedelta(days=60))
    fill_gauges(world.engine, world.regency, NOW, None)
    band = asked(world).waiting.band
    assert band is not None
    assert (band.low, band.median, band.high, band.days) == (0, 1.5, 3.25, 8)


def test_submissions_online_are_those_of_the_tenants_own_requests(world: World) -> None:
    deliver(world, visit("v", "10:40"))
    told = [
        Told(f"r{number}", wita("2026-11-24 09:00"), service="ktp", channel="online" if number < 24 else "counter") for number in range(40)
    ]
    world.deliver("capil-source", told[:20], at=LOADED)
    few = asked(world).online
    assert (few.state, few.share, few.received) == (State.TOO_FEW, None, 20)
    world.deliver("capil-source", told[20:], at=LOADED)
    online = asked(world).online
    assert (online.state, online.share, online.online, online.received) == (State.NORMAL, 60.0, 24, 40)
    assert asked(world, NOW + timedelta(hours=1)).online.state is State.STALE


def test_a_tenant_from_outside_is_on_no_list_of_agencies(world: World) -> None:
    deliver(world, visit("a", "10:40", agency="bpjs"))
    rows = agency_rows(world.asked(NOW))
    units = ecosystem(world.asked(NOW))
    assert ([row.agency for row in rows.rows], rows.not_connected) == (["capil"], ())
    assert ([unit.agency for unit in units.units], units.not_connected) == (["capil"], ())
