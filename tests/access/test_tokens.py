"""Tokens are replaced every 30 days, overlap by a day, and one that is used after that was copied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from dashboard.access import devices, tokens
from dashboard.access.devices import Principal
from dashboard.store.audit import broken_at
from dashboard.store.tables import audit, device

NOW = datetime(2026, 11, 24, 2, 53, tzinfo=UTC)
DUE = NOW + timedelta(days=30)


@pytest.fixture
def first(people: Engine) -> str:
    _, code = devices.add_device(people, place="Dinding Barat", screen="west", zone="wall", now=NOW)
    return devices.redeem(people, code, zone="wall", now=NOW)


def _who(people: Engine, token: str, now: datetime) -> Principal | None:
    return devices.principal(people, token, zone="wall", now=now)


def _rotated(people: Engine, token: str, now: datetime) -> str | None:
    who = _who(people, token, now)
    assert who is not None
    return tokens.rotate(people, who.session, now=now)


def test_a_token_is_not_replaced_before_thirty_days(people: Engine, first: str) -> None:
    assert _rotated(people, first, DUE - timedelta(minutes=1)) is None
    assert _rotated(people, first, DUE) is not None


def test_both_tokens_are_good_for_a_day_after_the_new_one_was_used(people: Engine, first: str) -> None:
    second = _rotated(people, first, DUE)
    assert second is not None
    used = DUE + timedelta(hours=5)
    assert _who(people, second, used)
    assert _who(people, first, used + timedelta(hours=23))
    assert _who(people, second, used + timedelta(days=2))


def test_a_lost_answer_costs_nothing_the_old_token_goes_on_until_the_new_one_was_used(people: Engine, first: str) -> None:
    lost = _rotated(people, first, DUE)
    later = DUE + timedelta(days=3)
    again = _rotated(people, first, later)
    assert again is not None
    assert again != lost
    assert _who(people, again, later)


def test_requests_that_run_beside_each_other_make_one_successor(people: Engine, first: str) -> None:
    assert _rotated(people, first, DUE) is not None
    assert _rotated(people, first, DUE + timedelta(seconds=1)) is None


def test_an_open_stream_under_the_old_token_lives_through_the_overlap(people: Engine, first: str) -> None:
    second = _rotated(people, first, DUE)
    assert second is not None
    assert _who(people, second, DUE)
    old = {tokens.hashed(first)}
    assert devices.living(people, old, now=DUE + timedelta(hours=23)) == old
    assert devices.living(people, old, now=DUE + timedelta(hours=25)) == set()


def test_a_rotated_token_that_is_used_again_cuts_the_device_off_and_is_audited(people: Engine, first: str) -> None:
    second = _rotated(people, first, DUE)
    assert second is not None
    assert _who(people, second, DUE)
    late = DUE + timedelta(hours=24)
    assert _who(people, first, late) is None
    assert _who(people, second, late) is None
    with people.connect() as connection:
        assert connection.execute(select(device.c.copied_at)).scalar_one() == int(late.timestamp())
        happened = [row.what for row in connection.execute(select(audit).order_by(audit.c.id))]
        assert broken_at(connection) is None
    assert happened[-3:] == ["device token rotated", "rotated token used again", "device revoked"]


def test_a_thief_who_rotates_first_is_noticed_by_the_walls_own_token(people: Engine, first: str) -> None:
    stolen = _rotated(people, first, DUE)
    assert stolen is not None
    assert _who(people, stolen, DUE)
    assert _who(people, first, DUE + timedelta(days=2)) is None
    assert _who(people, stolen, DUE + timedelta(days=2)) is None


def test_a_device_lives_through_years_of_rotations(people: Engine, first: str) -> None:
    token, at = first, NOW
    for _ in range(30):
        at += timedelta(days=31)
        new = _rotated(people, token, at)
        assert new is not None
        who = _who(people, new, at)
        assert who is not None
        devices.seen(people, who, now=at)
        token = new
    assert _who(people, token, at)
