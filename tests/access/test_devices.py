"""Devices, link codes, tokens: what opens a wall and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from dashboard.access import devices
from dashboard.access.devices import AccessRefused, TooManyTries, Tries
from dashboard.errors import ProductError
from dashboard.store.audit import broken_at
from dashboard.store.tables import audit, device_session, link_code

NOW = datetime(2026, 11, 24, 2, 53, tzinfo=UTC)


def _added(people: Engine) -> tuple[str, str]:
    return devices.add_device(people, place="Dinding Barat", screen="west", zone="wall", now=NOW)


def test_a_code_opens_one_screen_of_one_zone(people: Engine) -> None:
    identity, code = _added(people)
    token = devices.redeem(people, code, zone="wall", now=NOW)
    who = devices.principal(people, token, zone="wall", now=NOW)
    assert who is not None
    assert (who.role, who.device, who.screens, who.zone) == ("device", identity, ("west",), "wall")
    assert devices.principal(people, token, zone="tour", now=NOW) is None


def test_a_code_works_once(people: Engine) -> None:
    _, code = _added(people)
    assert devices.code_is_open(people, code, now=NOW)
    devices.redeem(people, code, zone="wall", now=NOW)
    assert not devices.code_is_open(people, code, now=NOW)
    with pytest.raises(AccessRefused):
        devices.redeem(people, code, zone="wall", now=NOW)


def test_a_code_lasts_ten_minutes(people: Engine) -> None:
    _, code = _added(people)
    with pytest.raises(AccessRefused):
        devices.redeem(people, code, zone="wall", now=NOW + timedelta(minutes=10))


def test_a_code_of_another_zone_is_refused_and_stays_open(people: Engine) -> None:
    _, code = _added(people)
    with pytest.raises(AccessRefused):
        devices.redeem(people, code, zone="tour", now=NOW)
    assert devices.code_is_open(people, code, now=NOW)


def test_a_code_may_be_typed_carelessly(people: Engine) -> None:
    _, code = _added(people)
    typed = " " + code.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert devices.redeem(people, typed, zone="wall", now=NOW)


def test_only_hashes_are_stored(people: Engine) -> None:
    _, code = _added(people)
    token = devices.redeem(people, code, zone="wall", now=NOW)
    with people.connect() as connection:
        kept = str(connection.execute(select(link_code)).all()) + str(connection.execute(select(device_session)).all())
        kept += str(connection.execute(select(audit)).all())
    assert code not in kept
    assert code.replace("-", "") not in kept
    assert token not in kept


def test_a_revoked_device_is_nobody_and_gets_no_code(people: Engine) -> None:
    identity, code = _added(people)
    token = devices.redeem(people, code, zone="wall", now=NOW)
    spare = devices.new_code(people, identity, now=NOW)
    who = devices.principal(people, token, zone="wall", now=NOW)
    assert who is not None
    devices.revoke(people, identity, now=NOW)
    assert devices.principal(people, token, zone="wall", now=NOW) is None
    assert devices.living(people, {who.session}, now=NOW) == set()
    with pytest.raises(AccessRefused):
        devices.redeem(people, spare, zone="wall", now=NOW)
    with pytest.raises(ProductError, match="revoked"):
        devices.new_code(people, identity, now=NOW)


def test_revoking_leaves_other_devices_alone(people: Engine) -> None:
    identity, _ = _added(people)
    _, code = _added(people)
    token = devices.redeem(people, code, zone="wall", now=NOW)
    devices.revoke(people, identity, now=NOW)
    who = devices.principal(people, token, zone="wall", now=NOW)
    assert who is not None
    assert devices.living(people, {who.session}, now=NOW) == {who.session}


def test_a_session_lasts_400_days_from_the_last_page(people: Engine) -> None:
    _, code = _added(people)
    token = devices.redeem(people, code, zone="wall", now=NOW)
    late = NOW + timedelta(days=399)
    who = devices.principal(people, token, zone="wall", now=late)
    assert who is not None
    devices.seen(people, who, now=late)
    assert devices.principal(people, token, zone="wall", now=NOW + timedelta(days=700)) is not None
    assert devices.principal(people, token, zone="wall", now=NOW + timedelta(days=800)) is None


def test_everything_that_happens_to_a_device_is_in_the_audit(people: Engine) -> None:
    identity, code = _added(people)
    devices.redeem(people, code, zone="wall", now=NOW)
    devices.revoke(people, identity, now=NOW)
    with pytest.raises(AccessRefused):
        devices.redeem(people, code, zone="wall", now=NOW)
    with people.connect() as connection:
        happened = [row.what for row in connection.execute(select(audit).order_by(audit.c.id))]
        assert broken_at(connection) is None
    assert happened == ["device added", "device paired", "device revoked", "device code refused"]


def test_codes_cannot_be_tried_without_end() -> None:
    tries = Tries(per_minute=3)
    for _ in range(3):
        tries.count("10.0.0.9")
    with pytest.raises(TooManyTries):
        tries.count("10.0.0.9")
    tries.count("10.0.0.10")


def test_all_addresses_together_are_limited_too() -> None:
    tries = Tries(per_minute=1)
    for number in range(10):
        tries.count(f"10.0.0.{number}")
    with pytest.raises(TooManyTries):
        tries.count("10.0.0.99")
