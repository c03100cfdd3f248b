"""The four built-in rules: what raises them, since when, and that a source's silence neither raises nor clears them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.alarms.rules import open_alarms
from dashboard.clock import epoch
from dashboard.queries.answers import Level, State
from dashboard.store.derived import fill_gauges, write_gauges
from tests import small
from tests.small import Told, World, wita

NOW = wita("2026-11-24 10:53")  # a Tuesday
MONTH = NOW - timedelta(days=30)
WARD = {"quiet_after": "30 days", "stale_after": "2 hours"}


def visiting(world_engine) -> World:
    """A hospital whose visits come with their calls."""
    return World(world_engine, small.regency(
        agencies={"rsud": small.agency("RSUD", {"poli": small.service("60 minutes", kind="visit")}, id="rsud")},
        sources={"rsud-source": small.source("rsud", kind="visit", **WARD)},
    ))


def requesting(world_engine) -> World:
    """Capil alone, whose limit is two hours."""
    return World(world_engine, small.regency(sources={"capil-source": small.source("capil", **WARD)}))


def rules(world: World, at) -> list[tuple[str, Level, State]]:
    return [(alarm.rule, alarm.level, alarm.source_state) for alarm in open_alarms(world.asked(at)).alarms]


@pytest.mark.parametrize("at", ["2026-11-24 00:01", "2026-11-24 10:53"])
def test_an_empty_store_has_no_alarm(engine, at: str) -> None:
    answer = open_alarms(World(engine).asked(wita(at)))
    assert (answer.alarms, answer.overall, answer.agencies_watched) == ((), Level.NORMAL, 3)


def test_a_stale_source_asks_for_attention_since_its_limit(engine) -> None:
    world = requesting(engine)
    world.deliver("capil-source", [Told("a", NOW - timedelta(hours=1))], at=NOW)
    before = open_alarms(world.asked(NOW + timedelta(hours=2)))
    assert before.alarms == ()
    after = open_alarms(world.asked(NOW + timedelta(hours=2, seconds=1)))
    assert [(one.rule, one.level, one.since, one.value, one.subject) for one in after.alarms] == [
        ("stale", Level.ATTENTION, epoch(NOW) + 7200, 120.0, "Capil"),
    ]
    assert (after.overall, after.changes_at) == (Level.ATTENTION, epoch(NOW) + 7260)  # its age in minutes


def test_an_offline_source_is_a_warning_since_it_went(engine) -> None:
    world = requesting(engine)
    world.deliver("capil-source", [Told("a", NOW - timedelta(hours=1))], at=NOW)
    world.fail("capil-source", at=NOW + timedelta(hours=3), times=3)
    (one,) = open_alarms(world.asked(NOW + timedelta(hours=4))).alarms
    assert (one.rule, one.level, one.since, one.source_state) == (
        "offline", Level.WARNING, epoch(NOW) + 3 * 3600, State.OFFLINE,
    )


def test_more_overdue_than_typical_is_a_warning_since_the_mark_at_which_it_rose(engine) -> None:
    world = requesting(engine)
    late = [Told(f"l{number}", wita("2026-11-24 07:35"), service="kk") for number in range(5)]  # due at 10:35
    usual = [Told(f"u{week}", NOW - timedelta(days=7 * week, hours=4), NOW - timedelta(days=7 * week, minutes=-10), service="kk")
             for week in range(1, 10)]
    world.deliver("capil-source", [*late, *usual], at=NOW - timedelta(hours=2), since=NOW - timedelta(days=80))
    fill_gauges(engine, world.regency, NOW, None)
    write_gauges(engine, world.regency, NOW, None)
    world.deliver("capil-source", [], at=NOW, since=NOW - timedelta(hours=2))
    (one,) = open_alarms(world.asked(NOW)).alarms
    assert (one.rule, one.level, one.value, one.since) == ("overdue", Level.WARNING, 5.0, epoch(wita("2026-11-24 10:40")))
    assert one.params == {"count": 5, "typical": 1.0}


def test_fewer_overdue_than_three_or_without_history_are_no_alarm(engine) -> None:
    world = requesting(engine)
    late = [Told(f"l{number}", wita("2026-11-24 07:35"), service="kk") for number in range(2)]
    world.deliver("capil-source", late, at=NOW, since=NOW - timedelta(days=80))
    fill_gauges(engine, world.regency, NOW, None)
    assert rules(world, NOW) == []
    new = World(engine, world.regency)
    new.deliver("capil-source", [Told(f"m{n}", wita("2026-11-24 07:35"), service="kk") for n in range(9)], at=NOW, since=NOW)
    assert [rule for rule, _, _ in rules(new, NOW)] == ["overdue"]


def test_where_nobody_looked_at_the_past_nothing_is_above_it(engine) -> None:
    world = requesting(engine)
    late = [Told(f"l{number}", wita("2026-11-24 07:35"), service="kk") for number in range(5)]
    world.deliver("capil-source", late, at=NOW, since=NOW - timedelta(days=80))
    assert rules(world, NOW) == []  # no gauges were ever written: unknown, not zero


def test_the_overdue_alarm_stays_when_its_source_goes_stale_and_none_comes_of_silence(engine) -> None:
    world = requesting(engine)
    late = [Told(f"l{number}", wita("2026-11-24 07:35"), service="kk") for number in range(5)]
    world.deliver("capil-source", late, at=NOW, since=NOW - timedelta(days=80))
    fill_gauges(engine, world.regency, NOW, None)
    assert rules(world, NOW) == [("overdue", Level.WARNING, State.NORMAL)]
    later = NOW + timedelta(hours=3)
    assert rules(world, later) == [("overdue", Level.WARNING, State.STALE), ("stale", Level.ATTENTION, State.STALE)]


def test_what_falls_due_in_the_silence_of_a_source_raises_nothing(engine) -> None:
    world = requesting(engine)
    soon = [Told(f"l{number}", wita("2026-11-24 10:00"), service="kk") for number in range(5)]  # due at 14:00, after the last word
    world.deliver("capil-source", soon, at=NOW, since=NOW - timedelta(days=80))
    fill_gauges(engine, world.regency, NOW, None)
    assert rules(world, wita("2026-11-24 15:00")) == [("stale", Level.ATTENTION, State.STALE)]


def slow(day: str, count: int, prefix: str) -> list[Told]:
    """``count`` requests of one day that took four days each."""
    at = wita(f"2026-{day} 08:00")
    return [Told(f"{prefix}{number}", at, at + timedelta(days=4)) for number in range(count)]


def test_the_ninetieth_percentile_over_the_standard_is_a_warning_since_the_first_midnight(engine) -> None:
    world = requesting(engine)
    world.deliver("capil-source", slow("11-16", 40, "s"), at=NOW, since=MONTH)  # completed on the 20th
    (one,) = open_alarms(world.asked(NOW)).alarms
    assert (one.rule, one.level, one.since) == ("standard", Level.WARNING, epoch(wita("2026-11-21 00:00")))
    assert (one.params["unit"], one.params["standard"], one.params["cases"]) == ("working days", 1.0, 40)
    assert one.value == pytest.approx(4.0, rel=0.1)
    assert rules(world, NOW + timedelta(hours=3)) == [
        ("standard", Level.WARNING, State.STALE), ("stale", Level.ATTENTION, State.STALE),
    ]


def test_a_few_slow_cases_are_no_alarm(engine) -> None:
    world = requesting(engine)
    world.deliver("capil-source", slow("11-16", 29, "s"), at=NOW, since=MONTH)
    assert rules(world, NOW) == []


def waiting(world: World, *, at, called=None) -> None:
    """Three came at 09:00, 10:00 and 10:50; one of 08:00 was called at ``called``."""
    first = Told("v0", wita("2026-11-24 08:00"), service="poli", accepted=called or wita("2026-11-24 08:05"))
    came = [Told(f"v{number}", wita(f"2026-11-24 {hour}"), service="poli") for number, hour in ((1, "09:00"), (2, "10:00"), (3, "10:50"))]
    world.deliver("rsud-source", [first, *came], at=at, since=at - timedelta(hours=11))


def test_nobody_called_while_people_wait_is_critical_since_the_quarter_of_an_hour_was_over(engine) -> None:
    world = visiting(engine)
    waiting(world, at=NOW)
    answer = open_alarms(world.asked(NOW))
    (one,) = answer.alarms
    assert (one.rule, one.level, one.since, one.value) == ("uncalled", Level.CRITICAL, epoch(wita("2026-11-24 09:15")), 113.0)
    assert (one.params["waiting"], one.params["minutes"], answer.overall) == (3, 113, Level.CRITICAL)
    assert answer.changes_at == epoch(NOW) + 60


def test_the_clock_runs_from_the_last_call_and_says_when_it_will_be_over(engine) -> None:
    world = visiting(engine)
    waiting(world, at=NOW, called=wita("2026-11-24 10:40"))
    answer = open_alarms(world.asked(NOW))
    assert answer.alarms == ()
    assert answer.changes_at == epoch(wita("2026-11-24 10:55"))
    assert rules(world, wita("2026-11-24 10:55")) == [("uncalled", Level.CRITICAL, State.NORMAL)]


def test_in_the_break_nobody_has_to_call_and_the_clock_begins_again_after_it(engine) -> None:
    world = visiting(engine)
    waiting(world, at=wita("2026-11-24 12:30"))
    answer = open_alarms(world.asked(wita("2026-11-24 12:30")))
    assert answer.alarms == ()
    assert answer.changes_at is not None
    assert answer.changes_at <= epoch(wita("2026-11-24 13:00"))
    assert rules(world, wita("2026-11-24 13:14")) == []
    assert rules(world, wita("2026-11-24 13:15")) == [("uncalled", Level.CRITICAL, State.NORMAL)]


def test_the_critical_alarm_stays_when_its_source_goes_silent_and_none_comes_of_silence(engine) -> None:
    world = visiting(engine)
    waiting(world, at=NOW)
    stale = wita("2026-11-24 15:00")
    assert rules(world, stale) == [("uncalled", Level.CRITICAL, State.STALE), ("stale", Level.ATTENTION, State.STALE)]
    calm = visiting(engine)
    waiting(calm, at=NOW, called=wita("2026-11-24 10:50"))
    assert rules(calm, stale) == [("stale", Level.ATTENTION, State.STALE)]


def test_a_source_that_does_not_tell_of_calls_is_not_judged(engine) -> None:
    world = visiting(engine)
    waiting(world, at=NOW)
    fields = {name: one for name, one in world.regency.sources["rsud-source"].fields.items() if name != "accepted_at"}
    mute = world.regency.sources["rsud-source"].model_copy(update={"fields": fields})
    world.regency = world.regency.model_copy(update={"sources": {"rsud-source": mute}})
    assert rules(world, NOW) == []


def test_the_worst_alarm_comes_first_and_is_the_overall_state(engine) -> None:
    base = small.regency()
    world = World(engine, base.model_copy(update={
        "agencies": {**base.agencies, **visiting(engine).regency.agencies},
        "sources": {**base.sources, **visiting(engine).regency.sources},
    }))
    world.deliver("capil-source", slow("11-16", 40, "s"), at=NOW, since=MONTH)
    world.deliver("dishub-source", [Told("k", NOW - timedelta(hours=3), service="kir")], at=NOW - timedelta(hours=2))
    waiting(world, at=NOW)
    answer = open_alarms(world.asked(NOW))
    assert [one.rule for one in answer.alarms] == ["uncalled", "standard", "stale"]
    assert (answer.overall, answer.agencies_watched) == (Level.CRITICAL, 4)
