"""Gauges: what stood at each ten-minute mark, written by the leader or derived from the cases later."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select

from dashboard.cases import Case
from dashboard.clock import DAY, day_start, epoch, local_day
from dashboard.store.derived import drop_old, fill_gauges, last_mark, write_gauges
from dashboard.store.gauges import MARK
from dashboard.store.tables import gauge
from dashboard.store.verify import verify
from tests.conftest import NOW
from tests.store.cases import at, made
from tests.store.reading import REGENCY, ZONE, collect

LAST = last_mark(NOW)
Key = tuple[int, str]


def stored(engine: Engine, **wanted: object) -> Counter[Key]:
    """(mark, metric) → value, of rows with these columns; zeros left out."""
    with engine.connect() as connection:
        rows = connection.execute(select(gauge).where(*(gauge.c[name] == value for name, value in wanted.items())))
        return +Counter({(row.at, row.metric): int(row.value) for row in rows if row.source and row.at})


def standing(cases: list[Case], mark: int) -> Counter[Key]:
    """What a naive count finds at a mark."""
    found: Counter[Key] = Counter()
    for one in cases:
        left = one.left_at if one.left_at is not None else 2**40
        if (one.ended_at is None and one.ended_as is not None) or not one.submitted_at <= mark < left:
            continue
        found[mark, "backlog"] += 1
        if one.kind == "visit":
            today = day_start(local_day(one.submitted_at, ZONE), ZONE) + DAY
            found[mark, "waiting"] += mark < min(today, one.accepted_at or 2**40)
        else:
            due = one.due_at or 0
            found[mark, "overdue"] += mark > due
            found[mark, "due_soon"] += due >= mark >= one.submitted_at + int((due - one.submitted_at) * 0.8)
    return +found


def some_cases(count: int) -> list[Case]:
    """Cases over the last days: open, ended, cancelled, visits called and not called, ended without a date."""
    random = Random(5)
    cases = []
    for number in range(count):
        submitted = epoch(NOW) - random.randrange(5 * DAY)
        ended = random.choice([None, submitted + random.randrange(-3600, 2 * DAY)])
        kind = random.choice(["request", "visit"])
        called = random.choice([None, submitted + random.randrange(3600)])
        cases.append(made(number, submitted, ended, kind=kind, accepted_at=called if kind == "visit" else None,
                          due_at=submitted + random.randrange(1, 2 * DAY)))
    return [*cases, made(count, epoch(NOW) - DAY, None, ended_as="cancelled")]


def test_the_last_mark_is_written_once_and_says_what_stood_then(engine: Engine) -> None:
    cases = some_cases(200)
    collect(engine, cases)
    assert write_gauges(engine, REGENCY, NOW, None)
    assert not write_gauges(engine, REGENCY, NOW + timedelta(seconds=30), None)
    assert stored(engine) == standing(cases, LAST)


def test_a_loaded_source_gets_fourteen_weeks_derived_from_its_cases(engine: Engine) -> None:
    cases = some_cases(200)
    collect(engine, cases)
    assert fill_gauges(engine, REGENCY, NOW, None) == 1
    assert fill_gauges(engine, REGENCY, NOW, None) == 0
    found = stored(engine, derived=True)
    marks = range(LAST - 6 * DAY, LAST, MARK)
    assert {key: value for key, value in found.items() if key[0] in marks} == sum(
        (standing(cases, mark) for mark in marks), Counter[Key]())
    assert min(mark for mark, _ in found) >= LAST - 5 * DAY - MARK


def test_marks_that_no_leader_wrote_are_filled_and_those_written_are_kept(engine: Engine) -> None:
    collect(engine, [made(1, LAST - 2 * DAY)])
    write_gauges(engine, REGENCY, NOW, None)
    fill_gauges(engine, REGENCY, NOW, None)
    collect(engine, [made(2, LAST + 2 * MARK), made(3, LAST - DAY)])  # the third was not known at LAST
    later = NOW + timedelta(seconds=6 * MARK)
    write_gauges(engine, REGENCY, later, None)
    assert fill_gauges(engine, REGENCY, later, None) == 1
    assert fill_gauges(engine, REGENCY, later, None) == 0
    backlog = {mark: value for (mark, metric), value in stored(engine).items() if metric == "backlog" and mark >= LAST}
    assert backlog == {LAST: 1, **{LAST + k * MARK: 2 if k < 2 else 3 for k in range(1, 7)}}
    assert {mark for mark, _ in stored(engine, derived=False)} == {LAST, LAST + 6 * MARK}


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_case_is_overdue_only_after_its_due_time(engine: Engine, step: int) -> None:
    collect(engine, [made(1, LAST - DAY, due_at=LAST + step)])
    write_gauges(engine, REGENCY, NOW, None)
    expected = {(LAST, "backlog"): 1, (LAST, "overdue" if step < 0 else "due_soon"): 1}
    assert stored(engine) == expected


def test_verify_is_right_after_tidying_though_no_run_came_since(engine: Engine) -> None:
    collect(engine, [made(1, epoch(NOW) - 14 * 7 * DAY + 3600), made(2, at("2026-11-20T01:00"))])
    drop_old(engine, NOW + timedelta(days=5), None)
    assert verify(engine, REGENCY) == []
