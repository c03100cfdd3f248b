"""One run of one source: modes, guards, outcomes, what is vouched for, what a killed run leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from collectors.connector import CONNECTORS, Connector, Options, Page, Reading
from collectors.trial import probe
from dashboard.cases import Outcome
from dashboard.store.tables import case, cell, covered, reading, run
from tests.agency_api import Agency, numbered, rows, status
from tests.collectors.conftest import NOW, Site

FIELDS: dict[str, Any] = {
    "case_id": "id", "service": {"from": "jenis", "otherwise": "discover"}, "submitted_at": {"from": "masuk", "format": "iso"},
    "ended_at": {"from": "selesai", "format": "iso", "missing": ["-"]},
    "status": {"from": "status", "map": {"SELESAI": "completed"}, "otherwise": "open"},
}
Sites = Callable[..., Site]


def request(number: int, **more: Any) -> dict[str, Any]:
    """A row of an agency, with a person in it that nobody may keep."""
    made = {
        "id": f"R{number:04d}", "jenis": "KTP", "masuk": f"2026-11-{1 + number % 20:02d} 09:00:00", "selesai": "-",
        "status": "PROSES", "nama": "Andi Rahasia-Canary", "nik": "7322010101900001",
    }
    return {**made, **more}


def source(agency: Agency, **more: Any) -> dict[str, Any]:
    """A declaration of a source at the agency's server."""
    options = {"url": agency.url("/a"), "records": "data", **more.pop("options", {})}
    return {"connector": "rest", "mode": "snapshot", "options": options, "fields": FIELDS, **more}


def test_a_first_read_is_complete_and_vouches_from_its_earliest_submission(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    result = here.run()
    assert (result.outcome, result.rows_read, result.rows_new) == (Outcome.OK, 30, 30)
    assert here.cases == here.received == 30
    state = here.state
    assert state.loaded_at is not None
    assert state.data_until == state.last_complete_at == int(NOW.timestamp())
    with here.engine.connect() as connection:
        days = connection.execute(select(covered.c.day).order_by(covered.c.day)).scalars().all()
    first = datetime.fromtimestamp(days[0], UTC).strftime("%d.%m. %H:%M")
    assert (first, len(days)) == ("31.10. 16:00", 24)  # local midnight of 1 November, to the 24th


def test_reading_twice_changes_nothing(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_changed) == (Outcome.OK, 0, 0)


def test_nobody_reaches_the_disk(agency: Agency, site: Sites) -> None:
    found = [request(n) for n in range(30)]
    found[3]["masuk"] = "bukan waktu"
    found[4]["jenis"] = "tanya 0812-3456-7890 atau a@b.go.id"
    agency.answers["/a"] = rows(found)
    here = site(**source(agency))
    assert here.run().outcome is Outcome.PARTIAL
    here.run()
    told = here.everything_on_disk()
    for secret in (b"Canary", b"7322010101900001", b"R0003", b"0812-3456", b"a@b.go.id"):
        assert secret not in told
    assert json.loads(here.put_aside[0].raw) == {"jenis": "KTP", "masuk": "bukan waktu", "selesai": "-", "status": "PROSES"}


def test_an_incremental_read_asks_for_changes_and_never_deletes(agency: Agency, site: Sites) -> None:
    everything = [request(n) for n in range(30)]
    agency.answers["/a"] = lambda asked: asked.json({"data": everything if "sejak" not in asked.query else [request(99)]})
    here = site(**source(agency, mode="incremental", overlap="10 minutes", options={"since": {"param": "sejak"}}))
    assert here.run().rows_new == 30
    here.now += timedelta(minutes=5)
    result = here.run()
    assert (result.outcome, result.rows_read, result.rows_new) == (Outcome.OK, 1, 1)
    assert agency.requests[-1].query["sejak"] == (NOW - timedelta(minutes=10)).isoformat()
    assert here.cases == 31


def test_an_incremental_read_without_rows_is_empty_and_good(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = lambda asked: asked.json({"data": [] if "sejak" in asked.query else [request(1)]})
    here = site(**source(agency, mode="incremental", options={"since": {"param": "sejak"}}))
    here.run()
    here.now += timedelta(minutes=5)
    assert here.run().outcome is Outcome.EMPTY
    assert here.state.data_until == int(here.now.timestamp())


def test_the_cursor_is_the_newest_change_told_but_never_beyond_our_clock(agency: Agency, site: Sites) -> None:
    fields = {**FIELDS, "updated_at": {"from": "ubah", "format": "iso"}}
    agency.answers["/a"] = rows([request(1, ubah="2026-11-24 09:00:00"), request(2, ubah="2026-11-24 08:00:00")])
    here = site(**source(agency, mode="incremental", fields=fields, options={"since": {"param": "sejak"}}))
    here.run()
    assert here.state.cursor == {"since": int(datetime(2026, 11, 24, 1, tzinfo=UTC).timestamp())}
    agency.answers["/a"] = rows([request(3, ubah="2026-11-24 23:00:00"), request(4, ubah="2099-01-01 00:00:00")])  # C13
    here.now += timedelta(minutes=5)
    assert here.run().outcome is Outcome.PARTIAL
    assert here.state.cursor["since"] <= here.now.timestamp() + 300
    before = here.state.cursor
    agency.answers["/a"] = rows([])  # E8: a copy that lags brings nothing; the cursor waits for it
    here.now += timedelta(hours=5)
    here.run()
    assert here.state.cursor == before


def test_an_incremental_source_is_reconciled_when_it_is_due_and_then_loses_what_is_gone_twice(agency: Agency, site: Sites) -> None:
    here = site(**source(agency, mode="incremental", reconcile="7 days", options={"since": {"param": "sejak"}}))
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here.run()
    agency.answers["/a"] = rows([request(n) for n in range(29)])
    here.now += timedelta(days=1)
    here.run()
    assert agency.requests[-1].query.get("sejak")
    for _ in range(2):
        assert here.cases == 30
        here.now += timedelta(days=8)
        here.run()
        assert "sejak" not in agency.requests[-1].query
    assert here.cases == here.received == 29


def test_a_window_reads_what_was_submitted_lately_and_leaves_the_rest_alone(agency: Agency, site: Sites) -> None:
    everything = [request(n, masuk=f"2026-11-{1 + n % 24:02d}T08:00:00") for n in range(96)]

    def answer(asked: Any) -> None:
        since = asked.query.get("sejak", "")[:10]
        asked.json({"data": [row for row in everything if row["masuk"] >= since]})

    agency.answers["/a"] = answer
    here = site(**source(agency, mode="window", late_rows="7 days", options={"since": {"param": "sejak", "format": "date"}}))
    here.run()
    everything[:] = [row for row in everything if row["id"] not in ("R0000", "R0023")]  # 1 November, and 24 November
    for _ in range(2):
        here.now += timedelta(minutes=5)
        assert here.run().outcome is Outcome.OK
    assert here.cases == 95, "only the one inside the window is gone"


def test_a_deleted_case_is_taken_back_after_two_complete_reads_and_comes_again(agency: Agency, site: Sites) -> None:  # C9
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    agency.answers["/a"] = rows([request(n) for n in range(29)])
    here.run()
    assert here.cases == 30
    assert here.run().rows_deleted == 1
    assert here.cases == here.received == 29
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here.run()
    assert here.cases == here.received == 30


def test_a_row_that_became_unreadable_is_no_deletion(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    agency.answers["/a"] = rows([request(n, **({"masuk": "rusak"} if n == 7 else {})) for n in range(30)])
    for _ in range(3):
        assert here.run().outcome is Outcome.PARTIAL
    assert here.cases == 30


@pytest.mark.parametrize(("found", "said"), [
    ([], "count fell: 100 %"),  # B4
    ([request(n) for n in range(20)], "count fell: 33 %"),
    ([request(n) for n in range(500, 530)], "every one of 30 ids is new"),  # C12
    ([{("nama_layanan" if key == "jenis" else key): value for key, value in request(n).items()} for n in range(30)],
     "'jenis' of service is in no row"),  # B14
], ids=["empty", "a third gone", "all ids new", "a field renamed"])
def test_a_guard_holds_the_last_good_figures(agency: Agency, site: Sites, found: list[Any], said: str) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    before = here.state
    agency.answers["/a"] = rows(found)
    here.now += timedelta(hours=1)
    result = here.run()
    assert result.outcome is Outcome.HELD
    assert said in result.en
    assert result.id
    assert here.cases == here.received == 30
    assert (here.state.data_until, here.state.cursor, here.state.failures_in_row) == (before.data_until, before.cursor, 0)
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    assert here.run().outcome is Outcome.OK


def test_a_renamed_field_is_held_even_on_a_small_incremental_page_and_names_the_new_one(agency: Agency, site: Sites) -> None:
    here = site(**source(agency, mode="incremental", options={"since": {"param": "sejak"}}))
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here.run()
    renamed = {("tgl_selesai" if key == "selesai" else key): value for key, value in request(5).items()}
    agency.answers["/a"] = rows([renamed])
    result = here.run()
    assert result.outcome is Outcome.HELD
    assert "is it now 'tgl_selesai'?" in result.en
    assert here.value(select(case.c.ended_as).where(case.c.ended_as.is_not(None))) is None


def test_a_required_field_that_never_was_there_is_a_change(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([{"nomor": 1, "jenis": "KTP"} for _ in range(3)])
    result = site(**source(agency)).run()
    assert result.outcome is Outcome.CHANGED
    assert "'id' of case_id" in result.en or "'masuk' of submitted_at" in result.en


def test_a_page_of_which_no_row_can_be_mapped_is_a_change_and_moves_nothing(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n, masuk="24 November") for n in range(12)])
    here = site(**source(agency))
    assert here.run().outcome is Outcome.CHANGED
    assert here.cases == 0
    assert here.state.loaded_at is None


def test_a_source_that_delivers_less_than_it_says_missed_pages(agency: Agency, site: Sites) -> None:  # C5
    agency.answers["/a"] = lambda asked: asked.json({"data": [request(n) for n in range(9)], "total": 12})
    result = site(**source(agency, options={"total": "total"})).run()
    assert result.outcome is Outcome.UNAVAILABLE
    assert "3 of 12 rows" in result.en


@pytest.mark.parametrize(("code", "outcome"), [(503, "unavailable"), (401, "rejected"), (404, "changed"), (302, "changed")])
def test_a_failed_run_keeps_the_last_good_data_and_says_one_word(agency: Agency, site: Sites, code: int, outcome: str) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    before = here.state
    agency.answers["/a"] = status(code)
    here.now += timedelta(minutes=5)
    result = here.run()
    assert result.outcome == outcome
    assert result.en.startswith("uji: ")
    assert result.id.startswith("uji: ")
    assert here.cases == 30
    assert (here.state.data_until, here.state.cursor, here.state.outcome) == (before.data_until, before.cursor, outcome)


def test_a_missing_secret_fails_with_its_name(agency: Agency, site: Sites) -> None:
    result = site(**source(agency, options={"auth": {"kind": "bearer", "secret": "tak_ada"}})).run()
    assert not result.outcome.good
    assert "COMMAND_CENTER_SECRET_TAK_ADA" in result.en


class _NoOptions(Options):
    how: str = "exit"


def _breaks(reading: Reading) -> Any:
    yield Page(rows=[request(1)])
    raise {"exit": SystemExit(3), "bug": KeyError("nik 7322010101900001")}[reading.options.how]


@pytest.mark.parametrize("how", ["exit", "bug"])
def test_a_broken_connector_is_this_sources_failure(
    site: Sites, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:  # F14
    monkeypatch.setitem(CONNECTORS._things, "breaks", Connector(_NoOptions, _breaks))
    here = site(connector="breaks", mode="snapshot", options={"how": how}, fields=FIELDS)
    result = here.run()
    assert result.outcome is Outcome.FAILED
    assert "7322" not in result.en
    assert here.state.failures_in_row == 1


def test_one_line_when_a_source_breaks_and_one_when_it_is_back(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(1)])
    here = site(**source(agency))
    with capture_logs() as lines:
        here.run()
        agency.answers["/a"] = status(503)
        here.run()
        here.run()
        agency.answers["/a"] = rows([request(1)])
        here.run()
        here.run()
    assert [line["event"] for line in lines] == ["source breaks", "source is back"]


def test_offline_after_three_failures_past_the_limit_and_back_after_two_good_ones(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(1)])
    here = site(**source(agency, stale_after="30 minutes"))
    here.run()
    agency.answers["/a"] = status(503)
    for offline in (False, False, True):
        here.now += timedelta(minutes=20)
        here.run()
        assert (here.state.offline_since is not None) is offline
    agency.answers["/a"] = rows([request(1)])
    for offline in (True, False):
        here.run()
        assert (here.state.offline_since is not None) is offline


def test_a_dry_run_counts_and_writes_nothing(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    here.run()
    changed = [request(n, status="SELESAI" if n < 4 else "PROSES") for n in range(32)]
    agency.answers["/a"] = rows(changed)
    runs = here.value(select(run.c.id).order_by(run.c.id.desc()))
    result = here.run(dry_run=True)
    assert (result.rows_read, result.rows_new, result.rows_changed) == (32, 2, 4)
    assert here.cases == 30
    assert here.value(select(run.c.id).order_by(run.c.id.desc())) == runs


def test_a_probe_maps_twenty_rows_and_writes_nothing(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here = site(**source(agency))
    result = probe(here.regency, "uji", settings=here.settings)
    assert (result.outcome, result.rows_read) == (Outcome.OK, 20)
    assert "20 of 20" in result.en
    assert here.cases == 0


def test_since_reads_again_from_a_day_without_tombstones(agency: Agency, site: Sites) -> None:
    here = site(**source(agency, mode="incremental", options={"since": {"param": "sejak"}}))
    agency.answers["/a"] = rows([request(n) for n in range(30)])
    here.run()
    agency.answers["/a"] = rows([request(31)])
    day = datetime(2026, 6, 1, tzinfo=UTC)
    assert here.run(since=day).outcome is Outcome.OK
    assert agency.requests[-1].query["sejak"] == day.isoformat()
    assert here.cases == 31


def test_the_column_of_change_may_be_named_by_the_connector(site: Sites) -> None:
    here = site(
        connector="sql", fields=FIELDS,
        options={"url": "sqlite:///a.sqlite", "query": "SELECT * FROM t WHERE ubah >= :since", "updated_at": "ubah"},
    )
    with contextlib.closing(sqlite3.connect(here.settings.drop / "a.sqlite")) as database:
        database.execute("CREATE TABLE t (id, jenis, masuk, selesai, status, ubah)")
        database.execute("INSERT INTO t VALUES (1, 'KTP', '2026-11-20', '-', 'PROSES', '2026-11-24 09:00:00')")
        database.commit()
    assert here.source.reading_mode == "incremental"
    assert here.run().rows_new == 1
    assert here.state.cursor == {"since": int(datetime(2026, 11, 24, 1, tzinfo=UTC).timestamp())}


class _Killed(BaseException):
    """In the place of SIGKILL: nothing of ours may catch it."""


def test_a_read_killed_between_two_pages_is_whole_after_the_next(
    agency: Agency, site: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:  # F1
    found = [request(n) for n in range(12_000)]
    agency.answers["/a"] = numbered(found)
    pages = {"kind": "page", "param": "page", "size_param": "per_page", "size": 4000}
    here = site(**source(agency, options={"pages": pages, "total": "total"}))
    real = CONNECTORS["rest"].read

    def until_killed(reading: Reading) -> Any:
        for number, page in enumerate(real(reading)):
            if number == 2:
                raise _Killed
            yield page

    with monkeypatch.context() as patched:
        patched.setitem(CONNECTORS._things, "rest", Connector(CONNECTORS["rest"].options, until_killed))
        with pytest.raises(_Killed):
            here.run()
    assert here.state.loaded_at is None
    assert 0 < here.cases < 12_000
    assert list((here.settings.data / "spool").iterdir()) == []
    assert here.run().outcome is Outcome.OK
    assert here.cases == here.received == 12_000


def test_a_folder_is_as_new_as_its_newest_file_and_covers_to_its_latest_stamp(site: Sites) -> None:
    here = site(
        connector="tabular", options={"path": "kirim", "format": "csv"}, fields=FIELDS, stale_after="1 hour",
    )
    folder = here.settings.drop / "kirim"
    folder.mkdir()
    for number, hour in ((1, 2), (2, 3)):
        file = folder / f"hari_{number}.csv"
        file.write_text(f"id,jenis,masuk,selesai,status,nama\nR{number},KTP,2026-11-2{number} 08:00:00,-,PROSES,Andi\n")
        at = (NOW - timedelta(hours=hour)).timestamp()
        os.utime(file, (at, at))
    assert here.run().rows_new == 2
    assert here.state.data_until == int((NOW - timedelta(hours=2)).timestamp())
    until = here.value(select(covered.c.to_at).order_by(covered.c.to_at.desc()))
    assert until == int(datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC).timestamp())


EVENTS: dict[str, Any] = {
    "case_id": "kodebooking", "service": {"from": "poli", "otherwise": "discover"},
    "submitted_at": {"from": "waktu", "format": "iso", "where": {"taskid": "1"}},
    "accepted_at": {"from": "waktu", "format": "iso", "where": {"taskid": "4"}},
    "ended_at": {"from": "waktu", "format": "iso", "where": {"taskid": "7"}, "take": "last"},
}


def event(booking: str, task: int, at: str, poli: str = "INT") -> dict[str, Any]:
    """One row of a queue's log."""
    return {"kodebooking": booking, "taskid": task, "waktu": at, "poli": poli}


def test_the_rows_of_an_event_log_become_one_case_each(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([
        event("B1", 4, "2026-11-24 08:30:00"), event("B1", 1, "2026-11-24 08:00:00"), event("B1", 7, "2026-11-24 08:40:00"),
        event("B1", 7, "2026-11-24 08:50:00"), event("B2", 1, "2026-11-24 09:00:00"),
    ])
    here = site(**source(agency, mode=None, kind="visit", fields=EVENTS))
    assert here.source.reading_mode == "window"
    assert here.run().outcome is Outcome.OK
    with here.engine.connect() as connection:
        found = connection.execute(
            select(case.c.accepted_at - case.c.submitted_at, case.c.ended_at - case.c.submitted_at).order_by(case.c.submitted_at)
        ).all()
    assert [tuple(row) for row in found] == [(1800, 3000), (None, None)]


def test_a_later_row_of_an_older_case_is_merged_with_what_is_stored(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([event(f"B{n}", 1, "2026-11-10 08:00:00") for n in range(3)])
    here = site(**source(
        agency, mode="window", late_rows="7 days", kind="visit", fields=EVENTS, options={"since": {"param": "sejak"}}
    ))
    here.run()
    agency.answers["/a"] = rows([
        event("B1", 7, "2026-11-23 08:00:00"), event("B7", 7, "2026-11-23 08:00:00"), event("B9", 1, "2026-11-23 09:00:00"),
    ])
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_changed, result.rows_rejected) == (Outcome.PARTIAL, 1, 1, 1)
    assert here.value(select(case.c.elapsed_seconds).where(case.c.ended_at.is_not(None))) == 13 * 86_400
    assert here.put_aside[0].reason == "no row of its submission"


def test_memory_does_not_grow_with_an_event_log(agency: Agency, site: Sites, tmp_path: Path) -> None:
    here = site(connector="tabular", kind="visit", options={"path": "log.csv"}, fields=EVENTS)
    with (here.settings.drop / "log.csv").open("w") as file:
        file.write("kodebooking,taskid,waktu,poli\n")
        for task, hour in ((1, 8), (4, 9), (7, 10)):
            file.writelines(f"B{n},{task},2026-11-2{n % 4} {hour:02d}:00:00,INT\n" for n in range(6_000))
    assert here.run().rows_new == 6_000
    assert here.value(select(cell.c.completed).where(cell.c.grain == 3)) == 6_000


def test_readings_are_stored_by_their_key(agency: Agency, site: Sites) -> None:
    fields = {
        "metric": {"value": "satisfaction"}, "scope": "unit", "period": {"from": "bulan", "format": "%Y-%m"},
        "grain": {"value": "month"}, "value": {"from": "nilai", "missing": ["-"]},
    }
    here = site(**source(agency, feeds="readings", fields=fields))
    agency.answers["/a"] = rows([
        {"unit": "MPP", "bulan": "2026-10", "nilai": "88,5"}, {"unit": "MPP", "bulan": "2026-09", "nilai": "-"},
        {"unit": "MPP", "bulan": "kapan", "nilai": 1},
    ])
    assert here.run().outcome is Outcome.PARTIAL
    agency.answers["/a"] = rows([{"unit": "MPP", "bulan": "2026-10", "nilai": 90}])
    result = here.run()
    assert (result.rows_new, result.rows_changed) == (0, 1)
    assert here.value(select(reading.c.value).order_by(reading.c.period.desc())) == 90


def test_gaps_between_new_rows_are_counted_in_service_hours(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(1)])
    here = site(**source(agency))
    here.run()
    agency.answers["/a"] = rows([request(1), request(2)])
    here.now = NOW + timedelta(days=1)
    here.run()
    assert here.state.gaps == (27_000.0,)  # from Tuesday to Wednesday, 10:53: one working day of 7.5 hours
