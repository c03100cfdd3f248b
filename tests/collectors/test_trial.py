"""A source tried without a trace: what a dry run says of the difference, and what a probe says of a first page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from collectors.trial import probe
from dashboard.cases import Outcome
from dashboard.store.tables import run
from tests.agency_api import Agency, rows, status
from tests.collectors.test_runner import Sites, request, source


def test_a_dry_run_says_what_is_new_changed_gone_and_put_aside_by_reason(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    later: list[dict[str, Any]] = [request(n, status="SELESAI" if n < 4 else "PROSES") for n in range(28)]
    later += [request(30), request(31, masuk=""), request(32, masuk=""), request(33, masuk="kemarin canary")]
    agency.answers["/a"] = rows(later)
    result = here.run(dry_run=True)
    counts = result.rows_read, result.rows_new, result.rows_changed, result.rows_deleted, result.rows_rejected
    assert counts == (32, 1, 4, 2, 3)
    assert result.outcome is Outcome.PARTIAL
    assert "2 x submitted_at: is missing; 1 x submitted_at: not a time of the declared format" in result.en
    assert "disisihkan: 2 x" in result.id
    assert "canary" not in result.en + result.id
    assert here.cases == 30
    assert here.value(select(func.count()).select_from(run)) == 1


def test_a_known_case_whose_row_is_put_aside_is_not_gone(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    agency.answers["/a"] = rows([request(n, **({"masuk": ""} if n == 3 else {})) for n in range(30)])
    assert here.run(dry_run=True).rows_deleted == 0


def test_a_dry_run_says_that_a_guard_would_hold_the_read(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    agency.answers["/a"] = rows([request(n) for n in range(10)])
    result = here.run(dry_run=True)
    assert result.outcome is Outcome.HELD
    assert result.en.startswith("uji: validate: count fell: 67 %")


def test_a_dry_run_and_a_probe_say_source_step_cause_and_what_to_do(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = status(401)
    here = site(**source(agency))
    for result in (here.run(dry_run=True), probe(here.regency, "uji", settings=here.settings)):
        assert result.outcome is Outcome.REJECTED
        assert result.en.startswith("uji: connect: http://127.0.0.1")
        assert "give a new one" in result.en
        assert "berikan yang baru" in result.id
