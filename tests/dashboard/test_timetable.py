"""Which mode a group is in: hours, weekdays, the calendar, single dates, an override that ends by itself."""

from __future__ import annotations

from typing import Any

import pytest

from config.declarations import Regency
from dashboard.timetable import PEOPLE, ROOM, Modes, Now, Override, Timetable, gaps_and_overlaps
from tests.small import wita

NIGHT = {"mode": "night", "hours": [["00:00", "06:30"], ["18:30", "24:00"]]}


def regency(*schedule: dict[str, Any], **more: Any) -> Regency:
    """A group of one screen with a schedule, otherwise in "day"."""
    named = {"name": {"id": "x", "en": "x"}}
    group = {**named, "screens": ["west"], "otherwise": "day", "schedule": list(schedule), **more}
    return Regency.model_validate({
        "name": "Uji", "timezone": "Asia/Makassar", "groups": {"room": group},
        "scenes": {"one": {**named, "panels": []}}, "screens": {"west": {"name": "Barat", "scenes": ["one"]}},
        "modes": {
            "day": named, "morning": named, "meeting": named, "visit": {**named, "audience": "people"}, "night": {**named, "dim": 0.75},
        },
    })


def ms(text: str) -> int:
    """Epoch milliseconds of a moment of the regency's clock."""
    return int(wita(text).timestamp() * 1000)


def mode(found: Regency, text: str, override: Override | None = None) -> str:
    """The mode at a moment."""
    return Timetable(found, "room").at(ms(text), override).mode


@pytest.mark.parametrize(("at", "name"), [
    ("2026-11-24 06:29", "night"), ("2026-11-24 06:30", "morning"), ("2026-11-24 08:30", "day"), ("2026-11-24 18:30", "night"),
    ("2026-11-22 06:30", "day"), ("2026-12-25 07:00", "day"),
])
def test_hours_and_the_calendar_decide(at: str, name: str) -> None:
    """22 November 2026 is a Sunday, 25 December a holiday on a Friday."""
    found = regency(NIGHT, {"mode": "morning", "hours": ["06:30", "08:30"], "on": "working"})
    assert mode(found, at) == name


def test_a_single_date_stands_above_the_days_of_the_week() -> None:
    found = regency(NIGHT, {"mode": "visit", "dates": ["2026-11-24"], "hours": ["17:00", "20:00"]})
    told = [mode(found, f"2026-11-24 {at}") for at in ("16:59", "17:00", "19:59", "20:00")]
    assert told == ["day", "visit", "visit", "night"]
    assert mode(found, "2026-11-25 17:30") == "day"


def test_an_override_holds_until_its_instant_and_returns_by_itself() -> None:
    found, until = regency(NIGHT), ms("2026-11-24 12:00")
    chosen = Override("room", "visit", until)
    during = Timetable(found, "room").at(ms("2026-11-24 10:00"), chosen)
    assert during == Now("visit", PEOPLE, 1.0, until, overridden=True, audience_until=until)
    after = Timetable(found, "room").at(until, chosen)
    assert after == Now("day", ROOM, 1.0, ms("2026-11-24 18:30"), overridden=False)


def test_an_override_into_the_night_returns_to_the_night() -> None:
    chosen = Override("room", "meeting", ms("2026-11-24 19:00"))
    assert mode(regency(NIGHT), "2026-11-24 18:45", chosen) == "meeting"
    assert Timetable(regency(NIGHT), "room").at(ms("2026-11-24 19:00"), chosen) == Now("night", ROOM, 0.75, ms("2026-11-25 06:30"))


def test_an_override_of_a_mode_that_is_gone_counts_for_nothing() -> None:
    assert mode(regency(NIGHT), "2026-11-24 10:00", Override("room", "party", ms("2026-11-24 12:00"))) == "day"


def test_the_instant_at_which_the_audience_changes_is_known_before() -> None:
    found = regency(NIGHT, {"mode": "meeting", "hours": ["08:30", "10:00"]}, {"mode": "visit", "hours": ["13:00", "14:00"]})
    now = Timetable(found, "room").at(ms("2026-11-24 09:00"))
    assert (now.until, now.audience_until) == (ms("2026-11-24 10:00"), ms("2026-11-24 13:00"))


@pytest.mark.parametrize(("before", "after"), [
    ("2026-11-24 23:59", "2026-11-25 00:00"), ("2026-11-30 23:59", "2026-12-01 00:00"), ("2026-12-31 23:59", "2027-01-01 00:00"),
])
def test_a_night_goes_through_midnight_the_months_end_and_the_new_year(before: str, after: str) -> None:
    """V13."""
    table = Timetable(regency(NIGHT), "room")
    first, second = table.at(ms(before)), table.at(ms(after))
    assert (first.mode, second.mode) == ("night", "night")
    assert first.until == second.until == ms(after[:10] + " 06:30")


def test_a_screen_without_a_group_is_in_no_mode_and_a_group_follows_its_override() -> None:
    modes = Modes(regency(NIGHT))
    at = ms("2026-11-24 10:00")
    assert modes.of("east", at) == Now()
    assert modes.of("west", at).mode == "day"
    assert modes.replace([Override("room", "visit", at + 1000), Override("gone", "visit", at + 1000)])
    assert [modes.of("west", at + later).mode for later in (0, 999, 1000)] == ["visit", "visit", "day"]
    assert not modes.replace([Override("room", "visit", at + 1000)])


def test_overlaps_are_found_on_the_kind_of_day_on_which_they_are() -> None:
    found = regency(NIGHT, {"mode": "morning", "hours": ["06:00", "08:00"], "on": "working", "days": ["mon"]})
    assert list(gaps_and_overlaps(found.groups["room"])) == [("mon (working)", 360, 390, "night, morning")]


def test_a_gap_is_found_unless_there_is_an_otherwise() -> None:
    open_ended = regency({"mode": "day", "hours": ["06:00", "24:00"]}, otherwise=None)
    found = list(gaps_and_overlaps(open_ended.groups["room"]))
    assert ("sun (closed)", 0, 360, "") in found
    assert len(found) == 14
    assert list(gaps_and_overlaps(regency({"mode": "day", "hours": ["06:00", "24:00"]}).groups["room"])) == []


def test_two_slots_of_one_date_overlap() -> None:
    dated = {"dates": ["2026-11-24"], "hours": ["09:00", "12:00"]}
    found = regency(NIGHT, {"mode": "visit", **dated}, {"mode": "meeting", **dated})
    assert list(gaps_and_overlaps(found.groups["room"])) == [("2026-11-24", 540, 720, "meeting, visit")]
