"""The alarm that ended last: what was seen open and then no longer, today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import create_engine

from dashboard.alarms.ended import last_ended
from dashboard.queries.answers import Context
from tests.layouts import answers

NOW = datetime(2026, 11, 24, 2, 53, tzinfo=UTC)
ONE, OTHER = answers.FIVE[0], answers.FIVE[1]


def test_an_alarm_that_is_no_longer_open_ended_when_that_was_noticed_and_is_forgotten_the_next_day() -> None:
    context = Context(create_engine("sqlite://"), answers.regency(), NOW)
    later, tomorrow = (context._replace(now=NOW + timedelta(minutes=minutes)) for minutes in (20, 1440))
    assert last_ended(context, [ONE, OTHER]) == (None, None)
    assert last_ended(later, [ONE]) == (OTHER, int(later.now.timestamp()))
    assert last_ended(context, [ONE, OTHER]) == (None, None), "an earlier instant knows nothing of what came later"
    assert last_ended(later, []) == (ONE, int(later.now.timestamp()))
    assert last_ended(tomorrow, []) == (None, None)


def test_figures_of_another_store_have_alarms_of_their_own() -> None:
    one, other = (Context(create_engine("sqlite://"), answers.regency(), NOW) for _ in range(2))
    last_ended(one, [ONE])
    assert last_ended(other, []) == (None, None)
    assert last_ended(one, []) == (ONE, int(NOW.timestamp()))
