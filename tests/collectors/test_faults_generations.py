"""Faults that an operator decides about (C11, C12, B4): held, released, released as a new generation of ids, rejected."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from dashboard import clock, holding
from dashboard.cases import Outcome
from dashboard.errors import SourceUnavailable
from dashboard.queries.answers import Context
from dashboard.queries.trail import held
from dashboard.store.audit import broken_at
from dashboard.store.engine import open_engine
from dashboard.store.holds import ACCEPT, NEW_GENERATION, REJECT
from dashboard.store.read import Read
from dashboard.store.tables import audit
from tests.collectors.books import Book, Books


def decide(here: Book, decision: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command does when it leads, at the site's time; the outcome's word."""
    monkeypatch.setattr(clock, "now", lambda: here.site.now)
    run = holding.run_source
    monkeypatch.setattr(holding, "run_source", lambda *given, **more: run(*given, **more, now=lambda: here.site.now))
    arguments = {"source": here.site.source.id, "decision": decision, "who": "operator", "why": "uji"}
    return str(holding.decide(here.site.engine, here.site.regency, here.site.settings, arguments, None)["outcome"])


def restored(here: Book) -> Counter[str]:
    """The source is restored from a backup that lacks its last 51 cases, whose ids go to others then. All that happened."""
    happened = here.ledger.counts()
    here.replace({key: row for key, row in here.ledger.cases.items() if int(key) < 900})
    here.site.now += timedelta(hours=2)
    here.add(60)
    return happened + Counter({"received": 60, "backlog": 60})


def test_c11_ids_used_again_after_a_restore_are_held_and_a_new_generation_keeps_both_apart(
    book: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = book()
    here.add(951)
    here.run()
    here.run()
    happened = restored(here)
    before = here.oracle.picture()
    for _ in range(2):
        assert here.run() is Outcome.HELD
        here.oracle.last_good_kept(before)
        here.oracle.clear_text()
    assert "changed identity" in here.site.state.message_en
    assert held(Context(here.site.engine, here.site.regency, here.site.now))[["guard", "decision"]].values.tolist() == [
        ["identity", ""]]
    assert decide(here, NEW_GENERATION, monkeypatch) == "ok"
    assert here.site.state.generation == 1
    here.oracle.nothing_doubled(happened)
    here.oracle.nothing_lost(here.ledger.cases)
    here.oracle.verified()
    here.change(50)
    here.run()
    here.run(reconcile=True)
    counts = here.ledger.counts()
    here.oracle.nothing_doubled({**counts, "received": counts["received"] + 51, "backlog": counts["backlog"] + 51})
    here.oracle.verified()
    assert held(Context(here.site.engine, here.site.regency, here.site.now)).empty


def renumbered(here: Book) -> None:
    """The source moves to a new system, which gives every case another id."""
    here.replace({f"N{key}": {**row, "id": f"N{key}"} for key, row in here.ledger.cases.items()})


@pytest.mark.parametrize("decision", [ACCEPT, NEW_GENERATION])
def test_c12_a_migrated_source_with_new_ids_is_held_and_counts_once_after_the_release(
    book: Books, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = book(mode="snapshot")
    here.add(120)
    here.change(60)
    here.run()
    before = here.oracle.picture()
    renumbered(here)
    assert here.run() is Outcome.HELD
    assert "every one of 120 ids is new" in here.site.state.message_en
    here.oracle.last_good_kept(before)
    assert decide(here, decision, monkeypatch) == "ok"
    here.whole()
    here.add(5)
    here.run()
    here.whole()


def test_a_rejected_hold_keeps_the_last_good_and_ends_when_the_source_is_right_again(
    book: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = book(mode="snapshot")
    here.add(60)
    here.run()
    before, kept = here.oracle.picture(), here.ledger.cases
    here.replace({})
    assert here.run() is Outcome.HELD  # B4
    assert decide(here, REJECT, monkeypatch) == "held"
    assert here.run() is Outcome.HELD
    asked = Context(here.site.engine, here.site.regency, here.site.now)
    assert held(asked)[["decision", "who", "why"]].values.tolist() == [["reject", "operator", "uji"]]
    here.oracle.last_good_kept(before)
    here.replace(kept)
    assert here.run() is Outcome.OK
    assert held(asked).empty
    here.whole()
    people = open_engine(here.site.settings.url_of("people"), "people")
    with people.connect() as connection:
        assert connection.execute(select(audit.c.who, audit.c.what)).all() == [("operator", "reject held read")]
        assert broken_at(connection) is None
    people.dispose()


def test_an_accepted_fall_takes_back_what_is_gone_at_once(book: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    here = book(mode="snapshot")
    here.add(60)
    here.run()
    here.replace({key: row for key, row in here.ledger.cases.items() if int(key) >= 40})
    assert here.run() is Outcome.HELD
    assert decide(here, ACCEPT, monkeypatch) == "ok"
    here.whole()


def test_a_new_generation_that_was_killed_goes_on_as_one(book: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    here = book(mode="snapshot")
    here.add(120)
    here.run()
    renumbered(here)
    here.run()
    here.ledger.fail_with = 503
    assert decide(here, NEW_GENERATION, monkeypatch) == "unavailable"
    here.ledger.fail_with = None
    assert here.run() is Outcome.OK
    assert here.site.state.generation == 1
    here.whole()


def test_a_read_that_began_before_a_new_generation_stores_nothing_into_it(book: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    here = book(mode="snapshot")
    here.add(120)
    here.run()
    renumbered(here)
    here.run()
    source = here.site.source
    late = Read.begin(here.site.engine, source, mode="snapshot", token=None, now=here.site.now, zone=here.site.regency.zone)
    assert decide(here, NEW_GENERATION, monkeypatch) == "ok"
    with pytest.raises(SourceUnavailable, match="new generation"):
        late.page([])
    late.fail(Outcome.UNAVAILABLE, now=here.site.now, step="store", en=f"{source.id}: it is late", id=f"{source.id}: terlambat")
    assert here.site.state.generation == 1
    here.run()
    here.whole()
