"""Faults of paging and of incremental reading (C1 to C14), each against a real server and judged by the oracle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from dashboard.cases import Outcome
from dashboard.queries.answers import Context
from dashboard.queries.revised import revised
from dashboard.queries.trail import revisions
from dashboard.store.derived import drop_old
from dashboard.store.tables import case, source_state, ticket
from dashboard.store.tickets import tickets_of
from tests.agency_api import Agency, rows
from tests.collectors.books import SIZE, Books
from tests.collectors.test_runner import FIELDS, Sites, request, source
from tests.invariants import Oracle
from tests.ledger import Ledger


class Repeating(Ledger):
    """Answers every page with the first one while ``broken``."""

    broken = False

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        return super().page({**query, "page": ["1"]} if self.broken else query)


class Moving(Ledger):
    """The newest first; ``between`` happens once, before the second page is given."""

    between: Callable[[], None] | None = None

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        happens = self.between
        if query["page"] == ["2"] and happens is not None:
            self.between = None
            happens()
        since, size, number = query.get("updated_since", [""])[0], int(query["per_page"][0]), int(query["page"][0])
        with self.lock:
            found = [row for row in self.cases.values() if not since or row["updated"] >= since]
            found.sort(key=lambda row: (row["updated"], row["id"]), reverse=True)
            return {"data": [dict(row) for row in found[(number - 1) * size : number * size]], "total": len(found)}


def test_c1_a_source_that_repeats_its_pages_ends_the_run_and_keeps_the_last_good(book: Books) -> None:
    here = book(Repeating())
    here.add(3 * SIZE)
    here.run()
    before = here.oracle.picture()
    here.ledger.broken = True
    here.add(2 * SIZE)
    assert here.run() is Outcome.UNAVAILABLE
    here.oracle.last_good_kept(before)
    here.oracle.clear_text()
    here.ledger.broken = False
    assert here.run() is Outcome.OK
    here.whole()


def test_c2_a_row_that_slips_to_the_next_page_is_stored_once(book: Books) -> None:
    here = book(Moving())
    here.add(3 * SIZE)
    here.ledger.between = lambda: here.add(7)
    here.run()
    here.run()
    here.whole()


@pytest.mark.parametrize("options", [{"total": "total"}, {}], ids=["with a total", "without"])
def test_c3_a_list_that_shrinks_between_two_pages_is_read_once_more(book: Books, options: dict[str, Any]) -> None:
    here = book(Moving(), options=options)
    here.add(4 * SIZE)
    gone = sorted(here.ledger.cases, reverse=True)[:5]
    there = dict(here.ledger.cases)
    here.ledger.between = lambda: [here.ledger.cases.pop(identity) for identity in gone] and None
    here.run()
    assert set(map(here.oracle.pseudonym, there)) - set(here.oracle.keys())  # five slipped to a page that was read already
    here.run()
    here.oracle.nothing_lost(here.ledger.cases)
    assert here.site.state.last_reconcile_at is not None
    here.oracle.verified()


def test_c5_ten_rows_short_of_the_total_is_tried_again(book: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    here = book(Moving(), options={"total": "total"})
    here.add(3 * SIZE)
    here.run()
    before = here.oracle.picture()
    whole = here.ledger.page
    monkeypatch.setattr(here.ledger, "page", lambda query: {**whole(query), "total": 3 * SIZE + 10})
    assert here.run(reconcile=True) is Outcome.UNAVAILABLE
    here.oracle.last_good_kept(before)
    here.oracle.clear_text()
    monkeypatch.undo()
    here.run(reconcile=True)
    here.whole()


def test_c6_a_late_row_comes_by_the_overlap_and_a_very_late_one_by_the_reconcile(book: Books) -> None:
    here = book(overlap="48 hours", reconcile="7 days")
    here.add(SIZE)
    here.run()
    here.run()
    here.ledger.add(3, now=here.site.now - timedelta(hours=40))
    here.run()
    here.whole()
    here.ledger.add(4, now=here.site.now - timedelta(days=5))
    here.run()
    assert here.oracle.figures()["received"] == SIZE + 3
    here.run(minutes=8 * 24 * 60)
    here.whole()


def test_c7_many_rows_with_one_stamp_across_a_page_edge_are_all_there(book: Books) -> None:
    here = book(overlap="0 minutes")
    here.add(SIZE)
    here.run()
    here.run()
    here.site.now += timedelta(minutes=1)
    here.add(2 * SIZE + 1)  # one stamp for all of them
    here.run()
    here.ledger.add(5, now=here.site.now - timedelta(minutes=5))  # the very stamp at which the cursor stands
    here.run()
    here.whole()


def test_c8_a_reopened_case_moves_the_counts_and_keeps_its_history(book: Books) -> None:
    here = book()
    here.add(30)
    row = here.ledger.cases["000004"]
    row |= {"status": "done", "ended": here.site.now.isoformat()}
    here.run()
    here.site.now += timedelta(hours=1)
    row |= {"status": "open", "updated": here.site.now.isoformat()}
    here.replace(here.ledger.cases)
    here.run()
    here.whole()
    assert here.oracle.figures()["completed"] == 0
    row |= {"status": "done", "ended": here.site.now.isoformat(), "updated": here.site.now.isoformat()}
    here.replace(here.ledger.cases)
    here.run()
    here.whole()
    found = revisions(Context(here.site.engine, here.site.regency, here.site.now))
    told = found[found["field"] == "ended_as"][["before", "after"]].values.tolist()
    assert told == [["", "completed"], ["completed", ""]]  # the newest first


def test_c9_a_deleted_case_is_counted_until_two_complete_reads_lacked_it(book: Books) -> None:
    here = book(mode="snapshot")
    here.add(40)
    here.run()
    here.run()
    gone = here.ledger.cases["000007"]
    here.replace({key: row for key, row in here.ledger.cases.items() if key != "000007"})
    here.run()
    assert here.oracle.figures()["received"] == 40
    here.run()
    here.whole()
    assert here.site.value(select(case.c.deleted_at).where(case.c.key == here.oracle.pseudonym(gone["id"]))) is not None
    found = revisions(Context(here.site.engine, here.site.regency, here.site.now))
    assert found["field"].tolist() == ["deleted_at"]


def test_c10_corrected_stamps_shift_the_past_and_are_listed_as_revisions(book: Books) -> None:
    here = book()
    here.add(40)
    here.run()
    here.change(30)
    here.run()
    here.site.now += timedelta(hours=1)
    for row in list(here.ledger.cases.values())[:3]:
        row |= {"submitted": "2026-10-05T02:00:00+00:00", "updated": here.site.now.isoformat()}
    here.replace(here.ledger.cases)
    here.run()
    here.whole()
    found = revisions(Context(here.site.engine, here.site.regency, here.site.now))
    assert (found["field"] == "submitted_at").sum() == 3
    assert set(found["before"]) != set(found["after"])
    marked = revised(Context(here.site.engine, here.site.regency, here.site.now), grain="month", since=date(2026, 9, 1))
    assert marked["2026-10-01"] == 3
    assert "2026-09-01" not in marked
    with here.site.engine.connect() as connection:  # as it was known before: what the revisions say, undone
        stamps = set(connection.execute(select(case.c.submitted_at)).scalars())
    assert not {int(value) for value in found[found["field"] == "submitted_at"]["before"]} & stamps


def test_c13_one_row_of_2099_is_put_aside_and_the_cursor_stays_with_our_clock(book: Books) -> None:
    here = book(overlap="1 hour")
    here.add(40)
    here.run()
    here.run()
    bad = here.ledger.cases["000003"]
    right = dict(bad)
    bad["updated"] = datetime(2099, 1, 1, tzinfo=UTC).isoformat()
    here.replace(here.ledger.cases)
    assert here.run() is Outcome.PARTIAL
    assert here.site.state.cursor["since"] <= here.site.now.timestamp() + 300
    here.oracle.put_aside(1)
    here.add(5)
    here.run()
    here.replace({**here.ledger.cases, "000003": {**right, "updated": here.site.now.isoformat()}})
    assert here.run() is Outcome.OK
    here.whole()


@pytest.mark.parametrize(("column", "text"), [
    ("cursor", "not JSON"), ("cursor", '{"since": "besok"}'), ("cursor", '{"since": 1, "version": 2}'), ("signature", "[]"),
])
def test_c14_a_state_of_another_making_is_an_error_with_a_text_and_never_a_new_start(book: Books, column: str, text: str) -> None:
    here = book()
    here.add(40)
    here.run()
    here.run()
    with here.site.engine.begin() as connection:
        connection.execute(update(source_state).values({column: text}))
    requests = here.ledger.requests
    assert here.run() is Outcome.FAILED
    here.oracle.clear_text()
    assert f"({column})" in here.site.state.message_en
    assert here.ledger.requests == requests
    assert here.site.value(select(source_state.c[column])) == text
    here.add(3)
    assert here.run(reconcile=True) is Outcome.OK
    here.whole()


@pytest.mark.parametrize("link", ["http://127.0.0.2:1/a?page=2", "/a?page=1", "/a"], ids=["another host", "a circle", "itself"])
def test_c4_a_next_link_that_leads_away_or_round_ends_the_run_and_keeps_the_last_good(
    agency: Agency, site: Sites, link: str
) -> None:
    found = [request(n) for n in range(40)]
    agency.answers["/a"] = lambda asked: asked.json({"data": found, "next_url": None})
    here = site(**source(agency, options={"pages": {"kind": "next-url", "key": "next_url"}}))
    here.run()
    judge = Oracle(here.engine, here.regency, here.source.id, here.settings.data)
    before = judge.picture()
    agency.answers["/a"] = lambda asked: asked.json({"data": [request(int(asked.query.get("page", 0)) + 90)], "next_url": link})
    here.now += timedelta(minutes=5)
    assert here.run().outcome is Outcome.UNAVAILABLE
    judge.last_good_kept(before)
    judge.clear_text()
    assert len(agency.requests) <= 5


class Ordered(Ledger):
    """Cuts the connection at a page, counted from the first request, as long as ``cuts`` says so."""

    cuts = False

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        self.fail_with = 503 if self.cuts and int(query["page"][0]) >= 3 else None
        return super().page(query)


def test_a_first_read_of_an_ordered_source_goes_on_where_it_broke_off(book: Books) -> None:
    ledger = Ordered()
    here = book(ledger, ordered=True, overlap="0 minutes", options={
        "pages": {"kind": "page", "param": "page", "size_param": "per_page", "size": 4000}})
    for hours in range(30, 0, -1):
        ledger.add(500, now=here.site.now - timedelta(hours=hours))
    ledger.cuts = True
    assert here.run() is Outcome.UNAVAILABLE
    position = here.site.state.position
    assert here.site.state.data_until == position["updated"]
    assert 0 < here.oracle.figures()["received"] < 15_000
    ledger.cuts, ledger.fail_with = False, None
    asked = ledger.requests
    assert here.run() is Outcome.OK
    assert ledger.requests - asked < 5  # not the first pages again
    here.whole()
    assert here.site.state.position is None


def test_a_ticket_is_kept_until_the_end_of_its_day(agency: Agency, site: Sites) -> None:
    fields = {**FIELDS, "ticket": "nomor"}
    agency.answers["/a"] = rows([
        request(1, masuk="2026-11-24 09:00:00", nomor="A-012"), request(2, masuk="2026-11-23 09:00:00", nomor="A-011"),
        request(3, masuk="2026-11-24 09:30:00", nomor="0812-3456-7890"),
    ])
    here = site(**source(agency, fields=fields))
    here.run()
    with here.engine.connect() as connection:
        told = tickets_of(connection, "uji", int(here.now.timestamp()))
    assert sorted(told.values()) == ["A-012", "[…]"]
    here.now += timedelta(days=1)
    agency.answers["/a"] = rows([])
    here.run()
    drop_old(here.engine, here.now, None)
    assert here.value(select(ticket.c.ticket)) is None
