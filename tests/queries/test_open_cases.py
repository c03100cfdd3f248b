"""Open cases are read again of the sources that moved, and always say what a read of everything says."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, event, update

from dashboard.clock import epoch
from dashboard.queries.open_cases import _read, next_due, open_by_part
from dashboard.queries.volumes import versions_of
from dashboard.store.changes import announce
from dashboard.store.engine import writing
from dashboard.store.tables import changed, meta
from tests.small import Told, World, wita

THEN = wita("2026-11-24 10:53")  # a Tuesday
SOURCES = ("capil-source", "dishub-source")


def told(chance: random.Random, count: int) -> list[Told]:
    """Cases some of which have ended, some are due soon, some late."""
    found = []
    for _ in range(count):
        submitted = THEN - timedelta(minutes=chance.randrange(1, 12_000))
        ended = submitted + timedelta(minutes=chance.randrange(1, 600)) if chance.random() < 0.4 else None
        found.append(Told(f"c{chance.randrange(30)}", submitted, ended, service=chance.choice(["ktp", "kk"])))
    return list({one.id: one for one in found}.values())


def test_they_are_what_a_read_of_everything_says_whatever_happened(engine: Engine) -> None:
    world, chance, now = World(engine), random.Random(11), THEN
    for _ in range(40):
        step = chance.random()
        if step < 0.5:
            world.deliver(chance.choice(SOURCES), told(chance, chance.randrange(1, 9)), at=now, since=wita("2026-11-01 00:00"))
        elif step < 0.6:
            with writing(engine).begin() as connection:
                announce(connection, "", {"state"})
        elif step < 0.7:  # what is old is dropped, or the store was put back to an earlier number
            with writing(engine).begin() as connection:
                connection.execute(delete(changed))
                connection.execute(update(meta).where(meta.c.key == "seq").values(value=str(chance.randrange(5))))
        now += timedelta(seconds=chance.choice([0, 1, 60, 3600, 20_000, -30]))
        context = world.asked(now)
        assert open_by_part(context, versions_of(context)) == _read(context, epoch(now))


def test_only_the_source_that_moved_is_read_and_nothing_until_a_case_is_due(engine: Engine) -> None:
    world, chance, asked = World(engine), random.Random(5), []
    for source in SOURCES:
        world.deliver(source, told(chance, 20), at=THEN, since=wita("2026-11-01 00:00"))
    context = world.asked(THEN)
    parts = open_by_part(context, versions_of(context))
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))

    def read() -> list[object]:
        return [values for statement, values in asked if "GROUP BY" in statement and "due_at" in statement]

    due = next_due(parts, ("request",))
    assert due is not None
    later = world.asked(THEN + timedelta(seconds=due - 1 - epoch(THEN)))
    open_by_part(later, versions_of(later))
    assert read() == []
    world.deliver("dishub-source", told(chance, 3), at=THEN, since=wita("2026-11-01 00:00"))
    open_by_part(context, versions_of(context))
    assert len(read()) == 1
    assert "capil-source" not in str(read())
    late = world.asked(THEN + timedelta(seconds=due - epoch(THEN)))
    assert open_by_part(late, versions_of(late)) == _read(late, due)


@pytest.mark.parametrize("minutes", [0, 30])
def test_as_due_at_an_earlier_instant_they_stand_for_a_minute(engine: Engine, minutes: int) -> None:
    world = World(engine)
    world.deliver("capil-source", told(random.Random(3), 20), at=THEN, since=wita("2026-11-01 00:00"))
    context, at = world.asked(THEN), epoch(THEN) - 60 * minutes
    assert open_by_part(context, versions_of(context), at) == _read(context, at)
