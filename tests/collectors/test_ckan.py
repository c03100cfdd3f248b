"""CKAN: the shipped example from a portal to figures, and a portal in its bad days."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.ckan import CkanOptions
from dashboard.cases import Outcome
from dashboard.errors import SourceChanged, SourceRejected, SourceUnavailable
from tests.agency_api import Agency, Request, body
from tests.collectors.conftest import Readings, Site
from tests.collectors.examples import example
from tests.collectors.portals import DATASTORE, SHOW, Portal

TOKEN = "s3cret-canary"
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
PERMITS, INDEX = "6f1e1b1c-54a2-4a0e-9d3a-2f0c6f0f7322", "0b7d0a55-1f0e-4a7f-8a53-5f2d1d3c7322"


def permit(number: int, **more: Any) -> dict[str, Any]:
    """A row of a permits table as a province's portal publishes it, with what nobody should see."""
    return {
        "nomor_permohonan": f"P-{number:04d}", "kabupaten": "Luwu Utara", "jenis_izin": "NIB", "nama_pemohon": "Andi Canary",
        "tanggal_permohonan": f"2026-{10 + number % 2}-0{1 + number % 9}T09:00:00", "tanggal_terbit": "-", "status": "Proses",
        "kanal": "OSS", "kecamatan": "Masamba", **more,
    }


def options(agency: Agency, **more: Any) -> dict[str, Any]:
    return {"url": agency.url(""), "resource": "tabel", "size": 10, **more}


def declared(agency: Agency, **more: Any) -> dict[str, Any]:
    """A source of cases on the table."""
    fields = {"case_id": "nomor_permohonan", "submitted_at": "tanggal_permohonan", "service": {"from": "jenis_izin", "otherwise": "discover"}}
    return {"connector": "ckan", "options": options(agency), "fields": fields, **more}


def test_the_shipped_example_goes_from_a_portal_to_figures(agency: Agency, tmp_path: Path) -> None:
    issued = {"tanggal_terbit": "2026-11-10T10:00:00", "status": "Terbit", "jenis_izin": "PBG"}
    table = [permit(n) for n in range(2500)] + [permit(9000 + n, **issued) for n in range(40)]
    permits = Portal([*table, permit(1, kabupaten="Luwu Timur")], token=TOKEN, resource=PERMITS)
    values = [{"unit": "Kabupaten", "periode_mulai": "2025-01-01", "nilai_ikm": "86,17"}, {"unit": "RSUD", "periode_mulai": "2025-01-01", "nilai_ikm": ""}]
    index = Portal(values, token=TOKEN, resource=INDEX)
    agency.answers[SHOW] = permits
    agency.answers[DATASTORE] = lambda request: {PERMITS: permits, INDEX: index}[request.query["resource_id"]](request)
    here = example("ckan", agency.url(""), tmp_path, NOW, {"satu_data_token": TOKEN})

    result = here.run("satu-data-perizinan")
    assert (result.outcome, result.rows_new) == (Outcome.OK, 2540)
    asked = {"grain": "month", "by": ["service"], "since": date(2026, 10, 1)}
    assert here.figures(["received"], **asked) == [
        ("2026-10-01", "NIB", "received", 1250.0), ("2026-10-01", "PBG", "received", 20.0),
        ("2026-11-01", "NIB", "received", 1250.0), ("2026-11-01", "PBG", "received", 20.0),
    ]
    assert ("2026-11-01", "PBG", "completed", 40.0) in here.figures(["completed"], **asked)
    assert here.run("satu-data-perizinan").rows_changed == 0

    assert here.run("satu-data-ikm").outcome is Outcome.OK
    assert here.figures(["satisfaction"], grain="year", agency="dpmptsp", since=date(2025, 1, 1), until=date(2025, 12, 31)) == [
        ("2025-01-01", "satisfaction", 86.17)
    ]
    stored = b"".join(path.read_bytes() for path in here.settings.data.rglob("*") if path.is_file())
    assert b"Canary" not in stored
    assert TOKEN.encode() not in stored


def test_what_is_asked_is_filters_order_and_a_token_in_the_header_alone(agency: Agency, reading: Readings) -> None:
    Portal([{"id": n, "x": "a" if n % 2 else "b"} for n in range(30)], token=TOKEN).serve(agency)
    auth = {"kind": "header", "name": "Authorization", "secret": "token"}
    found = reading.rows("ckan", options(agency, filters={"x": ["a", "c"]}, auth=auth, sort="id desc"), {"id"})
    assert found == [{"id": n} for n in range(1, 30, 2)]
    assert [request.query["offset"] for request in agency.requests] == ["0", "10"]
    first = agency.requests[0]
    assert json.loads(first.query["filters"]) == {"x": ["a", "c"]}
    assert (first.query["sort"], first.headers["authorization"]) == ("id desc", TOKEN)
    assert TOKEN not in str(first.query)


def test_a_portal_that_caps_its_pages_is_read_to_its_total(agency: Agency, reading: Readings) -> None:
    Portal([{"id": n} for n in range(95)], most=7).serve(agency)
    assert reading.rows("ckan", options(agency, size=1000), {"id"}) == [{"id": n} for n in range(95)]


@pytest.mark.parametrize(("kind", "error"), [
    ("Authorization Error", SourceRejected), ("Not Found Error", SourceChanged), ("Validation Error", SourceChanged),
    ("Internal Server Error", SourceUnavailable), (None, SourceUnavailable),
])
def test_success_false_with_status_200_is_an_error_by_its_kind(
    agency: Agency, reading: Readings, kind: str | None, error: type[Exception]
) -> None:  # B31 B2
    said = {"__type": kind, "message": f"<b>Gagal</b> {TOKEN} 081234567890 " + "x" * 400}
    agency.answers[DATASTORE] = lambda request: request.json({"success": False, "error": said})
    auth = {"kind": "header", "name": "Authorization", "secret": "token"}
    with pytest.raises(error, match="Gagal") as caught:
        reading.rows("ckan", options(agency, auth=auth), {"id"})
    for text in (caught.value.en, caught.value.id):  # type: ignore[attr-defined]
        assert not [part for part in ("<b>", TOKEN, "081234567890") if part in text]
        assert len(text) < 500


@pytest.mark.parametrize(("more", "error", "said"), [
    ({"resource": "lain"}, SourceChanged, "HTTP 404: Not found: Resource 'lain' was not found"),
    ({"auth": {"kind": "header", "name": "Authorization", "secret": "old"}}, SourceRejected, "HTTP 403: the credential is refused: Access denied"),
])
def test_an_error_status_is_told_in_the_portals_own_words(
    agency: Agency, reading: Readings, more: dict[str, Any], error: type[Exception], said: str
) -> None:  # A22 B2
    Portal([{"id": 1}], token=TOKEN).serve(agency)
    reading.secrets["old"] = "kedaluwarsa"
    auth = {"kind": "header", "name": "Authorization", "secret": "token"}
    with pytest.raises(error, match=said):
        reading.rows("ckan", options(agency, **{"auth": auth, **more}), {"id"})


@pytest.mark.parametrize("total", [990, 1010])
def test_a_total_that_is_not_what_came_is_no_read_and_the_last_good_figures_stay(
    agency: Agency, site: Callable[..., Site], total: int
) -> None:  # B31 C5
    portal = Portal([permit(n) for n in range(1000)]).serve(agency)
    here = site(**declared(agency, options=options(agency, size=1000)))
    assert here.run().outcome is Outcome.OK
    before = here.state.last_complete_at
    portal.rows, portal.total = [permit(n, jenis_izin="PBG") for n in range(1000)], total
    result = here.run()
    assert result.outcome is Outcome.UNAVAILABLE
    assert f"1000 rows came where the portal tells {total}" in result.en
    assert "akan dicoba lagi" in result.id
    assert (here.cases, here.state.last_complete_at) == (1000, before)
    portal.total = None
    assert here.run().rows_changed == 1000


def test_a_first_load_that_is_short_vouches_for_nothing(agency: Agency, site: Callable[..., Site]) -> None:  # B31 I3
    portal = Portal([permit(n) for n in range(100)], total=120).serve(agency)
    here = site(**declared(agency))
    assert here.run().outcome is Outcome.UNAVAILABLE
    assert here.state.loaded_at is None
    portal.total = None
    assert here.run().outcome is Outcome.OK
    assert here.cases == 100


def test_a_total_that_is_only_estimated_proves_nothing(agency: Agency, reading: Readings) -> None:
    Portal([{"id": n} for n in range(25)], total=40_000, result={"total_was_estimated": True}).serve(agency)
    assert len(reading.rows("ckan", options(agency), {"id"})) == 25


def test_a_table_that_nobody_renews_grows_stale_however_often_it_is_read(agency: Agency, site: Callable[..., Site]) -> None:  # E8 I3
    portal = Portal([permit(n) for n in range(30)]).serve(agency)
    here = site(**declared(agency, options=options(agency, published="last_modified")))
    assert here.run().outcome is Outcome.OK
    assert here.state.data_until == int(datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC).timestamp())
    here.now += timedelta(hours=5)
    here.run()
    assert here.state.data_until == int(datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC).timestamp())
    portal.last_modified = None
    result = here.run()
    assert result.outcome is Outcome.CHANGED
    assert "tells no last_modified" in result.en


def test_a_portal_that_ignores_the_offset_is_told_not_read_for_ever(agency: Agency, reading: Readings) -> None:  # C1
    portal = Portal([{"id": n} for n in range(30)])
    agency.answers[DATASTORE] = lambda request: portal(Request(request.handler, request.path, {**request.query, "offset": "0"}, {}))
    with pytest.raises(SourceUnavailable, match="page 2 repeats"):
        reading.rows("ckan", options(agency), {"id"})


def test_a_table_that_shrinks_between_pages_is_read_again_not_believed(agency: Agency, site: Callable[..., Site]) -> None:  # C3
    portal = Portal([permit(n) for n in range(30)])

    def shrinking(request: Request) -> None:
        portal(request)
        portal.rows = portal.rows[1:] if len(portal.rows) == 30 else portal.rows

    agency.answers[DATASTORE] = shrinking
    here = site(**declared(agency))
    result = here.run()
    assert result.outcome is Outcome.UNAVAILABLE
    assert "shrank from 30 to 29 rows" in result.en
    assert here.run().outcome is Outcome.OK
    ids = {request.query["offset"] for request in agency.requests}
    assert ids == {"0", "10", "20"}
    assert here.received >= 29


@pytest.mark.parametrize(("change", "said"), [
    (lambda rows: [], "count fell"),
    (lambda rows: [{("jenis_perizinan" if key == "jenis_izin" else key): value for key, value in row.items()} for row in rows],
     "'jenis_izin' of service is in no row; is it now 'jenis_perizinan'?"),
], ids=["emptied", "a column renamed"])
def test_a_table_that_was_loaded_anew_in_another_shape_is_held(
    agency: Agency, site: Callable[..., Site], change: Any, said: str
) -> None:  # B4 B14
    portal = Portal([permit(n) for n in range(30)]).serve(agency)
    here = site(**declared(agency))
    here.run()
    portal.rows = change(portal.rows)
    result = here.run()
    assert result.outcome is Outcome.HELD
    assert said in result.en
    assert here.cases == 30


def test_a_row_that_is_none_is_put_aside_alone(agency: Agency, reading: Readings) -> None:  # B8 B9
    agency.answers[DATASTORE] = body(
        b'{"success": true, "result": {"total": 4, "records": [{"id": 1}, {"id": NaN}, {"id": 2, "id": 3}, [4]]}}'
    )
    page = reading.pages("ckan", options(agency), {"id"})[0]
    assert (page.rows, page.lines) == ([{"id": 1}], [1])
    assert page.broken == [(2, "NaN is not a number"), (3, "a key stands twice"), (4, "not an object")]


@pytest.mark.parametrize("answer", [{"success": True}, {"success": True, "result": {"records": None}}, [], {"result": {"records": []}}, None])
def test_what_is_no_datastore_answer_is_a_change(agency: Agency, reading: Readings, answer: Any) -> None:  # B1 B4
    agency.answers[DATASTORE] = lambda request: request.json(answer)
    with pytest.raises(SourceChanged, match="no datastore records"):
        reading.rows("ckan", options(agency), {"id"})


@pytest.mark.parametrize("wrong", [
    {"url": "https://user:pass@data.example"}, {"url": "https://data.example/?a=1"}, {"url": "file:///etc"}, {"size": 32_001},
    {"resource": ""}, {"offset": 3},
])
def test_a_wrong_option_is_refused_at_check(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CkanOptions.model_validate({"url": "https://data.example", "resource": "x", **wrong})
