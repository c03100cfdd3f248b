"""Codes that unknown walls show: approved by an administrator, fetched once, limited in number and time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from dashboard.access import devices, joining
from dashboard.access.devices import AccessRefused, TooManyTries
from dashboard.errors import ProductError
from dashboard.store.audit import broken_at
from dashboard.store.tables import audit, device, device_session, pairing

NOW = datetime(2026, 11, 24, 2, 53, tzinfo=UTC)


def _approve(people: Engine, code: str, *, after: timedelta = timedelta(), networks: tuple[str, ...] = ()) -> str:
    return joining.approve(
        people, code, place="Dinding Barat", screen="west", zone="wall", networks=networks, now=NOW + after
    )


def test_a_wall_that_was_approved_fetches_its_token_once(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    assert joining.claim(people, asked.secret, zone="wall", now=NOW) is None
    identity = _approve(people, asked.code)
    token = joining.claim(people, asked.secret, zone="wall", now=NOW)
    assert token is not None
    who = devices.principal(people, token, zone="wall", now=NOW)
    assert who is not None
    assert (who.device, who.screens, who.zone) == (identity, ("west",), "wall")
    with pytest.raises(AccessRefused):
        joining.claim(people, asked.secret, zone="wall", now=NOW)


def test_a_code_has_forty_bits_and_may_be_typed_carelessly(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    assert len(asked.code.replace("-", "")) * 5 >= 40
    assert _approve(people, asked.code.lower().replace("-", " ").replace("1", "i").replace("0", "o"))


@pytest.mark.parametrize("after", [timedelta(minutes=10), timedelta(days=2)])
def test_a_code_lasts_ten_minutes(people: Engine, after: timedelta) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    with pytest.raises(ProductError, match="no wall shows this code"):
        _approve(people, asked.code, after=after)
    with pytest.raises(AccessRefused):
        joining.claim(people, asked.secret, zone="wall", now=NOW + after)
    with people.connect() as connection:
        assert connection.execute(select(device)).all() == []


def test_a_code_is_approved_once(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    _approve(people, asked.code)
    with pytest.raises(ProductError, match="work once"):
        _approve(people, asked.code)


def test_who_reads_the_code_from_the_wall_gets_nothing_with_it(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    _approve(people, asked.code)
    for tried in (asked.code, asked.code.replace("-", ""), ""):
        with pytest.raises(AccessRefused):
            joining.claim(people, tried, zone="wall", now=NOW)
    with pytest.raises(AccessRefused):
        devices.redeem(people, asked.code, zone="wall", now=NOW)
    with pytest.raises(AccessRefused):
        joining.claim(people, asked.secret, zone="tour", now=NOW)


def test_a_wall_revoked_before_it_came_gets_nothing(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    devices.revoke(people, _approve(people, asked.code), now=NOW)
    with pytest.raises(AccessRefused):
        joining.claim(people, asked.secret, zone="wall", now=NOW)


def test_so_many_walls_may_wait_and_no_more_and_old_codes_go_away(people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MOST_OPEN", 3)
    for _ in range(3):
        joining.ask(people, zone="wall", now=NOW)
    with pytest.raises(TooManyTries):
        joining.ask(people, zone="wall", now=NOW)
    joining.ask(people, zone="wall", now=NOW + timedelta(days=2))
    with people.connect() as connection:
        assert len(connection.execute(select(pairing)).all()) == 1


def test_only_hashes_of_code_secret_and_token_are_stored(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    _approve(people, asked.code)
    token = joining.claim(people, asked.secret, zone="wall", now=NOW)
    assert token is not None
    with people.connect() as connection:
        kept = "".join(str(connection.execute(select(table)).all()) for table in (pairing, device_session, audit, device))
    for told in (asked.code, asked.code.replace("-", ""), asked.secret, token):
        assert told not in kept


def test_what_happened_is_in_the_audit(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    identity = _approve(people, asked.code)
    joining.claim(people, asked.secret, zone="wall", now=NOW)
    devices.rename(people, identity, "Dinding Timur", now=NOW)
    with people.connect() as connection:
        assert [row.what for row in connection.execute(select(audit).order_by(audit.c.id))] == [
            "device added", "device approved", "device paired", "device renamed",
        ]
        assert broken_at(connection) is None
    assert [found.place for found in devices.list_devices(people)] == ["Dinding Timur"]


@pytest.mark.parametrize("place", ["", "   ", "x" * 41, "a\x00b"])
def test_a_place_has_a_name_that_fits(people: Engine, place: str) -> None:
    with pytest.raises(ProductError, match="--place"):
        devices.add_device(people, place=place, screen="west", zone="wall", now=NOW)


def test_a_network_that_is_none_is_refused(people: Engine) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    with pytest.raises(ProductError, match="not a network"):
        _approve(people, asked.code, networks=("10.20.0.0/99",))
    assert _approve(people, asked.code, networks=("10.20.4.0/24", "2001:db8::/48"))


@pytest.mark.parametrize(("address", "allowed"), [
    ("10.20.4.9", True), ("10.20.5.9", False), ("::ffff:10.20.4.9", True), ("2001:db8::7", True), ("fe80::1%eth0", False), ("", False),
])
def test_a_device_comes_from_its_networks_only(people: Engine, address: str, allowed: bool) -> None:
    asked = joining.ask(people, zone="wall", now=NOW)
    _approve(people, asked.code, networks=("10.20.4.0/24", "2001:db8::/48"))
    token = joining.claim(people, asked.secret, zone="wall", now=NOW)
    assert token is not None
    who = devices.principal(people, token, zone="wall", now=NOW)
    assert who is not None
    assert who.may_come_from(address) is allowed
