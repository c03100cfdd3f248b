"""Writing by difference: whatever happens to cases, the cells are what the cases say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text

from config.declarations import Regency
from dashboard.cases import Case, Outcome
from dashboard.clock import epoch
from dashboard.errors import LeaseLost
from dashboard.store.backlog import backlog_at
from dashboard.store.changes import changes_after, last_seq
from dashboard.store.derived import derive_histograms
from dashboard.store.engine import migrate, open_engine
from dashboard.store.lease import Lease
from dashboard.store.read import Read
from dashboard.store.state import states
from dashboard.store.tables import GRAINS, case, cell, covered, revision
from dashboard.store.verify import verify
from tests.conftest import NOW
from tests.store.cases import SOURCE, at, made

ZONE = ZoneInfo("Asia/Makassar")
REGENCY = Regency(name="Uji", timezone="Asia/Makassar")


def begin(engine: Engine, now: datetime = NOW, token: int | None = None) -> Read:
    return Read.begin(engine, SOURCE, mode="snapshot", token=token, now=now, zone=ZONE)


def collect(engine: Engine, cases: list[Case], *, now: datetime = NOW, whole: bool = True, rejects: tuple = ()) -> Read:  # type: ignore[type-arg]
    """One good read of these cases, in one page and a last one."""
    read = begin(engine, now)
    read.page(cases[: len(cases) // 2])
    read.finish(
        outcome=Outcome.OK, now=now, data_until=epoch(now), covered=(at("2026-11-01T00:00"), epoch(now)), complete=True,
        span=(None, None) if whole else None, last_page=(cases[len(cases) // 2 :], rejects),
    )
    return read


def total(engine: Engine, name: str, grain: str = "month") -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.sum(cell.c[name])).where(cell.c.grain == GRAINS[grain])).scalar() or 0)


def test_every_grain_counts_the_same(engine: Engine) -> None:
    collect(engine, [made(n, at("2026-11-20T01:00") + 3600 * n, at("2026-11-21T01:00") + 3600 * n) for n in range(50)])
    assert {grain: total(engine, "received", grain) for grain in GRAINS} == dict.fromkeys(GRAINS, 50)
    assert {grain: total(engine, "completed", grain) for grain in GRAINS} == dict.fromkeys(GRAINS, 50)
    assert verify(engine, REGENCY) == []


def test_collecting_twice_changes_nothing(engine: Engine) -> None:
    cases = [made(n, at("2026-11-20T01:00") + n, at("2026-11-21T01:00")) for n in range(20)]
    collect(engine, cases)
    read = collect(engine, cases)
    assert (read.counts["rows_new"], read.counts["rows_changed"]) == (0, 0)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(revision)).scalar() == 0


def test_a_correction_takes_the_old_contribution_back_and_leaves_a_revision(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-10-20T01:00"), at("2026-10-21T01:00"))])
    collect(engine, [made(1, at("2026-10-20T01:00"), at("2026-11-02T01:00"), channel="counter")])
    assert total(engine, "completed") == 1
    assert verify(engine, REGENCY) == []
    with engine.connect() as connection:
        fields = set(connection.execute(select(revision.c.field)).scalars())
    assert {"ended_at", "dim", "elapsed_seconds"} <= fields


def test_a_reopened_case_is_back_in_the_backlog(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00"), at("2026-11-21T01:00"))])
    collect(engine, [made(1, at("2026-11-20T01:00"))])
    with engine.connect() as connection:
        assert backlog_at(connection, epoch(NOW), ZONE) == {(): 1}
    assert total(engine, "completed") == 0
    assert verify(engine, REGENCY) == []


def test_a_case_is_tombstoned_by_the_second_complete_read_that_lacks_it_and_can_come_back(engine: Engine) -> None:
    one, two = made(1, at("2026-11-20T01:00")), made(2, at("2026-11-20T02:00"))
    collect(engine, [one, two])
    collect(engine, [one])
    assert total(engine, "received") == 2
    collect(engine, [one])
    assert total(engine, "received") == 1
    assert verify(engine, REGENCY) == []
    collect(engine, [one, two])
    assert total(engine, "received") == 2
    assert verify(engine, REGENCY) == []


def test_a_read_that_did_not_see_its_span_deletes_nothing(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00")), made(2, at("2026-11-20T02:00"))])
    for _ in range(3):
        collect(engine, [made(1, at("2026-11-20T01:00"))], whole=False)
    assert total(engine, "received") == 2


def test_a_case_that_ended_without_a_date_is_in_no_backlog(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00"), None, ended_as="cancelled")])
    with engine.connect() as connection:
        assert backlog_at(connection, epoch(NOW), ZONE) == {}
    assert total(engine, "received") == 1
    assert verify(engine, REGENCY) == []


def test_a_case_that_ended_before_it_was_submitted_counts_but_never_waits(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00"), at("2026-11-19T01:00"))])
    assert (total(engine, "received"), total(engine, "completed")) == (1, 1)
    with engine.connect() as connection:
        for moment in ("2026-11-18T00:00", "2026-11-19T12:00", "2026-11-20T01:00", "2026-11-21T00:00"):
            assert backlog_at(connection, at(moment), ZONE) == {}
    assert verify(engine, REGENCY) == []


def test_a_failed_read_moves_neither_cursor_nor_freshness(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00"))])
    with engine.connect() as connection:
        before = states(connection)["uji"]
    begin(engine, NOW + timedelta(hours=1)).fail(Outcome.UNAVAILABLE, now=NOW + timedelta(hours=1), step="read", en="x", id="y")
    with engine.connect() as connection:
        after = states(connection)["uji"]
    assert (after.data_until, after.cursor, after.loaded_at) == (before.data_until, before.cursor, before.loaded_at)
    assert (after.outcome, after.failures_in_row, after.message_id) == ("unavailable", 1, "y")


def test_offline_after_three_failures_past_the_limit_and_back_after_two_good_reads(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00"))])

    def offline_since() -> int | None:
        with engine.connect() as connection:
            return states(connection)["uji"].offline_since

    for minutes in (5, 10, 15):
        moment = NOW + timedelta(minutes=minutes)
        begin(engine, moment).fail(Outcome.UNAVAILABLE, now=moment, step="read", en="x", id="x")
    assert offline_since() is None  # still inside its limit of 30 minutes
    moment = NOW + timedelta(minutes=31)
    begin(engine, moment).fail(Outcome.UNAVAILABLE, now=moment, step="read", en="x", id="x")
    assert offline_since() == epoch(moment)
    collect(engine, [made(1, at("2026-11-20T01:00"))], now=NOW + timedelta(minutes=40))
    assert offline_since() == epoch(moment)
    collect(engine, [made(1, at("2026-11-20T01:00"))], now=NOW + timedelta(minutes=45))
    assert offline_since() is None


def test_coverage_joins_and_a_day_is_complete_once_it_has_passed(engine: Engine) -> None:
    collect(engine, [made(1, at("2026-11-20T01:00"))])
    with engine.connect() as connection:
        rows = connection.execute(select(covered).order_by(covered.c.day)).all()
    assert [row.complete for row in rows] == [False, *[True] * 22, False]
    collect(engine, [made(1, at("2026-11-20T01:00"))], now=NOW + timedelta(days=1))
    with engine.connect() as connection:
        rows = connection.execute(select(covered).order_by(covered.c.day)).all()
    assert [row.complete for row in rows] == [False, *[True] * 23, False]


def test_changes_are_numbered_in_the_order_of_commits(engine: Engine) -> None:
    with engine.connect() as connection:
        start = last_seq(connection)
    collect(engine, [made(n, at("2026-11-20T01:00")) for n in range(4)])
    with engine.connect() as connection:
        found = changes_after(connection, start)
    assert [change.seq for change in found] == [start + 1, start + 2]
    assert found[0].what == {"cases", "history"}
    assert "state" in found[1].what


def test_a_late_write_of_a_former_leader_is_fenced_off(engine: Engine) -> None:
    first = Lease(engine, "one@elsewhere:1", ttl_seconds=10)
    token = first.acquire(NOW)
    read = begin(engine, token=token)
    second = Lease(engine, "two@elsewhere:2", ttl_seconds=10)
    assert second.acquire(NOW + timedelta(seconds=5)) is None
    assert second.acquire(NOW + timedelta(seconds=11)) == 2
    with pytest.raises(LeaseLost):
        read.page([made(1, at("2026-11-20T01:00"))])
    assert not first.renew(NOW + timedelta(seconds=12))
    assert total(engine, "received") == 0


def test_a_page_is_all_or_nothing(engine: Engine) -> None:
    read = begin(engine)
    bad = made(2, at("2026-11-20T01:00"))._replace(codes=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null"):
        read.page([made(1, at("2026-11-20T01:00")), bad])
    assert total(engine, "received") == 0
    read.page([made(1, at("2026-11-20T01:00"))])
    assert verify(engine, REGENCY) == []


def test_verify_finds_what_was_altered(engine: Engine) -> None:
    collect(engine, [made(n, at("2026-11-20T01:00") + n, at("2026-11-21T01:00")) for n in range(5)])
    derive_histograms(engine, REGENCY, limit=10)
    assert verify(engine, REGENCY) == []
    with engine.begin() as connection:
        connection.execute(text("UPDATE cell SET received = received + 1 WHERE grain = 2 AND received > 0"))
        connection.execute(text("UPDATE histogram SET n = n + 1 WHERE measure = 'elapsed' AND slice = ''"))
    found = Counter(difference.what for difference in verify(engine, REGENCY))
    assert found == {"cell received": 1, "histogram": 1}


MOMENTS = st.integers(at("2026-07-01T00:00"), epoch(NOW))
ENDS = st.one_of(st.none(), MOMENTS)
STEP = st.dictionaries(
    st.integers(0, 12), st.tuples(MOMENTS, ENDS, st.sampled_from(["completed", "cancelled", "undated"]), st.sampled_from("ab")),
    min_size=1, max_size=10,
)


@contextmanager
def fresh() -> Iterator[Engine]:
    with TemporaryDirectory() as folder:
        made_engine = open_engine(f"sqlite:///{Path(folder) / 'figures.sqlite'}")
        migrate(made_engine)
        yield made_engine
        made_engine.dispose()


def stored(number: int, told: tuple[int, int | None, str, str]) -> Case:
    submitted, ended, how, service = told
    undated = how == "undated"
    return made(
        number, submitted, None if undated else ended, service=service,
        ended_as="cancelled" if undated else how if ended is not None else None,
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=1, max_size=5))
def test_after_any_history_the_cells_are_what_the_cases_say(steps: list[dict[int, tuple[int, int | None, str, str]]]) -> None:
    with fresh() as store:
        last: dict[int, Case] = {}
        for hour, step in enumerate(steps):
            cases = {number: stored(number, told) for number, told in step.items()}
            collect(store, list(cases.values()), now=NOW + timedelta(hours=hour), whole=False)
            last |= cases
        assert verify(store, REGENCY) == []
        naive = sum(
            1 for item in last.values()
            if (item.ended_at is not None or item.ended_as is None)
            and item.submitted_at <= epoch(NOW) < (item.left_at if item.left_at is not None else 2**40)
        )
        with store.connect() as connection:
            assert sum(backlog_at(connection, epoch(NOW), ZONE).values()) == naive
            assert connection.execute(select(func.count()).select_from(case)).scalar() == len(last)


def test_ten_minute_cells_are_kept_for_fourteen_weeks_only(engine: Engine) -> None:
    old = epoch(datetime(2026, 6, 1, tzinfo=UTC))
    collect(engine, [made(1, old), made(2, at("2026-11-20T01:00"))])
    assert total(engine, "received", "ten") == 1
    assert total(engine, "received", "hour") == 2
