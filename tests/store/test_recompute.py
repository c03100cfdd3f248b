"""Recompute: today's declarations for stored cases, by the same differences, with revisions; verify agrees afterwards."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from config.declarations import Regency, Source
from dashboard.cases import Codes, Sighting
from dashboard.clock import HOUR, epoch
from dashboard.derive import Deriver
from dashboard.store.derived import derive_histograms
from dashboard.store.recompute import recompute
from dashboard.store.tables import case, meta, revision, run
from dashboard.store.verify import verify
from tests.conftest import NOW
from tests.store.cases import at
from tests.store.reading import collect, total

HOURS = {day: [["08:00", "16:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
SHORTER_FRIDAY = {**HOURS, "fri": [["08:00", "12:00"]]}
"""No case of these tests was open on a Friday: only what a working day is worth changes, the mean of the week's."""


def regency(*, promise: str = "1 working day", hours: dict[str, Any] = HOURS, ktp: str = "ktp-el", digest: str = "one") -> Regency:
    """One agency with one service, its standard and calendar; a source whose code KTP means ``ktp``."""
    source = Source.model_validate({
        "id": "uji", "owner": "uji", "connector": "rest", "timezone": "Asia/Makassar",
        "fields": {"case_id": "id", "submitted_at": "t", "ended_at": "u", "service": {"from": "s", "map": {"KTP": ktp}}},
    })
    name = {"id": "Uji", "en": "Test"}
    standard = {"from": "2020-01-01", "promise": promise, "basis": "SK"}
    return Regency.model_validate({
        "name": "Uji", "timezone": "Asia/Makassar", "hash": digest, "calendars": {"office": {"hours": hours}},
        "agencies": {"uji": {
            "id": "uji", "name": name, "short_name": "Uji", "calendar": "office",
            "services": {key: {"name": name, "standards": [standard]} for key in ("ktp-el", "kia")},
        }}, "sources": {"uji": source},
    })


def load(engine: Engine, under: Regency) -> None:
    """Forty cases, each an hour longer than the one before, collected and derived under some declarations."""
    deriver = Deriver(under, under.sources["uji"])
    start = at("2026-09-07T01:00")
    collect(engine, [
        deriver.derive(Sighting(bytes([number]) * 16, start, None, None, start + number * HOUR, Codes(service="KTP")))
        for number in range(40)
    ], source=under.sources["uji"])
    derive_histograms(engine, under, limit=100)
    assert verify(engine, under) == []


def test_a_changed_standard_changes_who_was_on_time_with_a_revision(engine: Engine) -> None:
    load(engine, regency())
    before = total(engine, "completed_on_time")
    number = recompute(engine, regency(promise="2 hours"), now=NOW)
    assert (before, total(engine, "completed_on_time")) == (32, 3)
    assert verify(engine, regency(promise="2 hours")) == []
    derive_histograms(engine, regency(promise="2 hours"), limit=100)
    assert verify(engine, regency(promise="2 hours")) == []
    with engine.connect() as connection:
        assert {"standard", "due_at", "on_time"} <= set(connection.execute(
            select(revision.c.field).where(revision.c.run == number)).scalars())
        assert connection.execute(select(run.c.what, run.c.outcome, run.c.rows_changed).where(run.c.id == number)).one() == (
            "recompute", "ok", 40)


def test_a_changed_calendar_leaves_no_histogram_of_the_former_one(engine: Engine) -> None:
    load(engine, regency())
    changed = regency(hours=SHORTER_FRIDAY)
    number = recompute(engine, changed, now=NOW)
    derive_histograms(engine, changed, limit=100)
    assert verify(engine, changed) == []
    with engine.connect() as connection:
        assert connection.execute(select(run.c.rows_changed).where(run.c.id == number)).scalar() == 0


def test_a_changed_map_moves_the_cases_to_the_other_service(engine: Engine) -> None:
    load(engine, regency())
    recompute(engine, regency(ktp="kia"), now=NOW)
    derive_histograms(engine, regency(ktp="kia"), limit=100)
    assert verify(engine, regency(ktp="kia")) == []
    assert total(engine, "received") == 40


def test_recomputing_under_the_same_declarations_changes_nothing(engine: Engine) -> None:
    load(engine, regency())
    number = recompute(engine, regency(), now=NOW)
    with engine.connect() as connection:
        assert connection.execute(select(run.c.rows_changed).where(run.c.id == number)).scalar() == 0
        assert connection.execute(select(revision)).all() == []


def test_only_a_recompute_of_everything_says_that_all_stands_under_the_new_declarations(engine: Engine) -> None:
    load(engine, regency())

    def under() -> str | None:
        with engine.connect() as connection:
            return connection.execute(select(meta.c.value).where(meta.c.key == "derived_under")).scalar()

    recompute(engine, regency(promise="2 hours", digest="two"), since=epoch(NOW), now=NOW)
    assert under() is None
    with engine.connect() as connection:
        assert set(connection.execute(select(case.c.standard)).scalars()) == {"1 working day"}
    recompute(engine, regency(promise="2 hours", digest="two"), now=NOW)
    assert under() == "two"
