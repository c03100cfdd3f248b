"""Modes switched on by hand: kept in the people store, announced, audited, gone when they are over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, select

from dashboard.store import overrides
from dashboard.store.audit import broken_at
from dashboard.store.engine import migrate, open_engine
from dashboard.store.tables import audit, people_changed
from dashboard.timetable import Override
from tests.conftest import NOW

UNTIL = int((NOW + timedelta(hours=2)).timestamp() * 1000)


def test_an_override_holds_until_its_instant(people: Engine) -> None:
    overrides.switch_on(people, Override("room", "visit", UNTIL), who="Ani", now=NOW)
    overrides.switch_on(people, Override("hall", "night", UNTIL), who="Ani", now=NOW)
    overrides.switch_on(people, Override("room", "meeting", UNTIL - 1), who="Budi", now=NOW)
    held = {one.group: one.mode for one in overrides.holding(people, now=NOW)}
    assert held == {"room": "meeting", "hall": "night"}
    assert overrides.holding(people, now=NOW + timedelta(hours=2)) == []


def test_what_is_switched_and_cleared_is_announced_and_audited(people: Engine) -> None:
    overrides.switch_on(people, Override("room", "visit", UNTIL), who="Ani", now=NOW)
    assert overrides.clear(people, "room", who="Budi", now=NOW) == "visit"
    assert overrides.clear(people, "room", who="Budi", now=NOW) == ""
    with people.connect() as connection:
        assert connection.execute(select(people_changed.c.what)).scalars().all() == ["modes", "modes"]
        told = connection.execute(select(audit.c.who, audit.c.what).order_by(audit.c.id)).all()
        assert [tuple(row) for row in told] == [("Ani", "mode switched on"), ("Budi", "mode cleared")]
        assert broken_at(connection) is None


def test_an_override_survives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.sqlite'}"
    first = open_engine(url, "people")
    migrate(first, "people")
    overrides.switch_on(first, Override("room", "visit", UNTIL), who="Ani", now=NOW)
    first.dispose()
    again = open_engine(url, "people")
    migrate(again, "people")
    assert overrides.holding(again, now=NOW) == [Override("room", "visit", UNTIL)]
    again.dispose()
