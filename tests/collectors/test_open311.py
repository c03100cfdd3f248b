"""Open311: the shipped example from a GeoReport server to figures, windows that lose nothing, and a server in its bad days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.open311 import Open311Options
from dashboard.cases import Outcome
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable
from tests.agency_api import Agency, Request, body
from tests.collectors.conftest import Readings, Site
from tests.collectors.examples import example
from tests.collectors.portals import GeoServer

KEY = "s3cret-canary"
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
START = datetime(2025, 3, 1, tzinfo=UTC)
JSON, XML = "/open311/v2/requests.json", "/open311/v2/requests.xml"


def report(number: int, at: datetime, **more: Any) -> dict[str, Any]:
    """A service request as the standard spells it, with what nobody should see."""
    stamp = at.isoformat()
    return {
        "service_request_id": f"SR-{number:05d}", "status": "open", "service_code": "jalan-rusak", "service_name": "Jalan rusak",
        "description": "Andi Canary 7322010101900001 <b>lubang</b> & air", "agency_responsible": "DPUTRKP2",
        "requested_datetime": stamp, "updated_datetime": stamp, "closed_datetime": None, "address": "Jl. Canary 5", **more,
    }


def options(agency: Agency, **more: Any) -> dict[str, Any]:
    return {"url": agency.url("/open311/v2"), "begins": "2025-01-01", **more}


def ids(rows: list[Any]) -> list[str]:
    return [row["service_request_id"] for row in rows]


def burst(count: int, seconds: float) -> list[dict[str, Any]]:
    """Requests that follow each other closely."""
    return [report(n, START + timedelta(seconds=n * seconds)) for n in range(count)]


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_shipped_example_goes_from_a_server_to_figures(agency: Agency, tmp_path: Path, form: str) -> None:
    first = datetime(2026, 10, 1, 1, 0, tzinfo=UTC)
    reports = [report(n, first + timedelta(minutes=n)) for n in range(3000)]
    for row in reports[:500]:
        row |= {"status": "closed", "closed_datetime": "2026-10-20T10:00:00+08:00", "agency_responsible": "DLH"}
    server = GeoServer(reports, key=KEY).serve(agency)
    here = example("open311", agency.url("/open311/v2"), tmp_path, NOW, {"aduan_api_key": KEY})
    declared = here.regency.sources["aduan-warga"]
    declared.options["format"] = form
    result = here.run("aduan-warga")
    assert (result.outcome, result.rows_new) == (Outcome.OK, 3000)
    asked = {"grain": "month", "by": ["agency"], "since": date(2026, 10, 1), "until": date(2026, 10, 31)}
    assert here.figures(["received", "completed"], **asked) == [
        ("2026-10-01", "dlh", "received", 500.0), ("2026-10-01", "dlh", "completed", 500.0),
        ("2026-10-01", "dputrkp2", "received", 2500.0), ("2026-10-01", "dputrkp2", "completed", 0.0),
    ]
    assert server.faults == []
    stored = b"".join(path.read_bytes() for path in here.settings.data.rglob("*") if path.is_file())
    assert [word for word in (b"Canary", b"7322010101900001", KEY.encode()) if word in stored] == []


def test_later_runs_ask_for_changes_only_and_a_case_that_is_reopened_moves_the_counts(agency: Agency, tmp_path: Path) -> None:  # C8
    reports = [report(n, NOW - timedelta(days=n, hours=1), status="closed") for n in range(20)]
    for row in reports:
        row["closed_datetime"] = row["requested_datetime"]
    server = GeoServer(reports, key=KEY).serve(agency)
    here = example("open311", agency.url("/open311/v2"), tmp_path, NOW, {"aduan_api_key": KEY})
    here.run("aduan-warga")
    asked = {"grain": "month", "since": date(2026, 11, 1), "until": date(2026, 11, 30)}
    assert here.figures(["completed"], **asked) == [("2026-11-01", "completed", 20.0)]
    reports[10] |= {"status": "open", "closed_datetime": None, "updated_datetime": (NOW + timedelta(minutes=5)).isoformat()}
    server.changed()
    agency.requests.clear()
    here.now += timedelta(minutes=10)
    result = here.run("aduan-warga")
    assert (result.rows_read, result.rows_changed) == (4, 1)  # three lie in the overlap of 48 hours
    assert {tuple(sorted({"start_date", "updated_after"} & set(request.query))) for request in agency.requests} == {("updated_after",)}
    assert here.figures(["completed"], **asked) == [("2026-11-01", "completed", 19.0)]


@pytest.mark.parametrize(("form", "most", "inclusive", "seconds"), [
    ("json", 1000, True, 20), ("xml", 1000, True, 20), ("json", 1000, False, 1), ("json", 200, True, 3), ("json", 50, False, 7200),
], ids=["json", "xml", "ends not included", "a cap of 200 that it does not tell", "a cap of 50, spread"])
def test_windows_are_halved_until_none_is_full_so_that_nothing_is_lost(
    agency: Agency, reading: Readings, form: str, most: int, inclusive: bool, seconds: float
) -> None:
    server = GeoServer(burst(2500, seconds), most=most, inclusive=inclusive).serve(agency)
    found = reading.rows("open311", options(agency, format=form), {"service_request_id"})
    assert ids(found) == ids(server.requests)
    assert server.faults == []


def test_what_two_windows_bring_in_the_same_words_comes_once(agency: Agency, reading: Readings) -> None:  # C2
    edge = datetime(2024, 12, 31, 16, tzinfo=UTC) + timedelta(days=90)  # where the first window ends and the second begins
    GeoServer([report(n, edge + timedelta(seconds=off)) for n, off in enumerate((-2, -1, 0, 1))]).serve(agency)
    assert ids(reading.rows("open311", options(agency), {"service_request_id"})) == [f"SR-{n:05d}" for n in range(4)]


def test_more_requests_in_a_second_than_an_answer_holds_are_told_not_cut(agency: Agency, reading: Readings) -> None:  # C5
    GeoServer(burst(1500, 0)).serve(agency)
    with pytest.raises(SourceUnavailable, match="1000 requests within a second") as caught:
        reading.rows("open311", options(agency), {"service_request_id"})
    assert "dalam satu detik" in caught.value.id


def test_a_server_with_pages_is_read_by_them_whatever_size_it_gives(agency: Agency, reading: Readings) -> None:
    server = GeoServer(burst(530, 0), most=60, paged=True).serve(agency)
    found = reading.pages("open311", options(agency, pages={"size": 100}), {"service_request_id"})
    assert ids([row for page in found for row in page.rows]) == ids(server.requests)
    assert max(len(page.rows) for page in found) == 60


def test_a_server_that_ignores_the_page_is_told_not_read_for_ever(agency: Agency, reading: Readings) -> None:  # C1
    GeoServer(burst(80, 1), most=50).serve(agency)
    with pytest.raises(SourceUnavailable, match="page 2 repeats"):
        reading.rows("open311", options(agency, pages={"size": 50}), {"service_request_id"})


def test_a_window_source_asks_for_late_submissions_only_after_its_first_load(agency: Agency, site: Callable[..., Site]) -> None:
    GeoServer([report(n, NOW - timedelta(days=n)) for n in range(40)]).serve(agency)
    here = site(
        connector="open311", mode="window", late_rows="7 days", options=options(agency),
        fields={"case_id": "service_request_id", "submitted_at": "requested_datetime", "agency": {"value": "uji"}},
    )
    assert here.run().rows_new == 40
    agency.requests.clear()
    assert here.run().rows_read == 8
    since = datetime.fromisoformat(agency.requests[0].query["start_date"])
    assert timedelta(0) <= NOW - timedelta(days=7) - since <= timedelta(seconds=1)
    assert here.cases == 40


def test_stamps_are_asked_in_the_sources_own_zone_with_its_offset(agency: Agency, reading: Readings) -> None:  # D2
    GeoServer([]).serve(agency)
    reading.rows("open311", options(agency, jurisdiction_id="x", status=["open", "closed"], service_code=["a", "b"]), set())
    query = agency.requests[0].query
    assert (query["start_date"], query["end_date"]) == ("2024-12-31T23:59:59+08:00", "2025-04-01T00:00:00+08:00")
    assert (query["jurisdiction_id"], query["status"], query["service_code"]) == ("x", "open,closed", "a,b")


ERROR_JSON = b'[{"code": %d, "description": "Kunci s3cret-canary <i>salah</i>"}]'
ERROR_XML = b"<?xml version='1.0'?><errors><error><code>%d</code><description>Kunci s3cret-canary salah</description></error></errors>"


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize(("code", "status", "error"), [
    (403, 200, SourceRejected), (400, 200, SourceChanged), (500, 200, SourceUnavailable), (404, 404, SourceChanged),
    (403, 403, SourceRejected), (400, 400, SourceChanged),
])
def test_the_errors_of_the_standard_are_told_without_the_key(
    agency: Agency, reading: Readings, form: str, code: int, status: int, error: type[CollectError]
) -> None:  # B2 A22
    said = {"json": ERROR_JSON, "xml": ERROR_XML}[form] % code
    agency.answers[f"/open311/v2/requests.{form}"] = lambda request: request.send(status, said, kind=f"text/{form}")
    with pytest.raises(error, match=rf"{code} Kunci \[…\] .?i?.?salah") as caught:
        reading.rows("open311", options(agency, format=form, api_key={"secret": "token"}), set())
    for text in (caught.value.en, caught.value.id):
        assert KEY not in text
        assert "<i>" not in text


BOMB = b"<!DOCTYPE x [<!ENTITY a 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (n, (b"&a%d;" % (n - 1) if n else b"&a;") * 10) for n in range(12)
) + b"]><service_requests><request><service_request_id>&a11;</service_request_id></request></service_requests>"


@pytest.mark.parametrize("document", [
    b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><service_requests><request><service_request_id>&f;"
    b"</service_request_id></request></service_requests>",
    b"<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'><service_requests/>", BOMB,
], ids=["a file", "an outer DTD", "a bomb"])
def test_entities_and_document_types_in_xml_are_refused(agency: Agency, reading: Readings, document: bytes) -> None:  # B18
    agency.answers[XML] = body(document, "text/xml")
    with pytest.raises(SourceChanged, match="entities, which are refused") as caught:
        reading.rows("open311", options(agency, format="xml"), set())
    assert "root:" not in caught.value.en


@pytest.mark.parametrize(("document", "said"), [
    (b"<service_requests><request>", "not XML from line 1"),  # B3
    (b"<html><body>Masuk</body></html>", "<html>".replace("<", "‹").replace(">", "›")),  # B1
    (b"", "not XML"), (b"[]", "not XML"), (b"<?xml version='1.0' encoding='x-none'?><a/>", "encoding that is not known|not XML"),
    (b"<?xml version='1.0' encoding='utf-8'?><service_requests>\xe9</service_requests>", "not XML from line 1"),  # B6
    (b"<a>" * 100_000 + b"</a>" * 100_000, "‹a›"),  # B12
], ids=["cut", "a page", "empty", "json", "no such encoding", "latin bytes", "deep"])
def test_what_is_no_xml_of_requests_is_a_change(agency: Agency, reading: Readings, document: bytes, said: str) -> None:
    agency.answers[XML] = body(document, "text/xml")
    with pytest.raises(SourceChanged, match=said):
        reading.rows("open311", options(agency, format="xml"), set())


@pytest.mark.parametrize("answer", [None, {"data": []}, "x", {"service_requests": None}, {"message": "kuota habis"}])
def test_what_is_no_list_of_requests_is_a_change(agency: Agency, reading: Readings, answer: Any) -> None:  # B4
    agency.answers[JSON] = lambda request: request.json(answer)
    with pytest.raises(SourceChanged, match="a list of service requests is expected"):
        reading.rows("open311", options(agency), set())


def _once(document: bytes, kind: str) -> Callable[[Request], None]:
    """The document for the first window, nothing for the others."""
    empty = {"application/json": b"[]", "text/xml": b"<service_requests/>"}[kind]
    told: list[int] = []

    def answer(request: Request) -> None:
        told.append(1)
        request.send(200, document if len(told) == 1 else empty, kind=kind)

    return answer


def test_a_request_that_says_two_things_is_put_aside_alone(agency: Agency, reading: Readings) -> None:  # B8 B9
    agency.answers[JSON] = _once(b'[{"service_request_id": 1}, {"service_request_id": 2, "lat": NaN}, {"a": 1, "a": 2}]', "application/json")
    page = reading.pages("open311", options(agency), set())[0]
    assert (ids(page.rows), page.broken) == ([1], [(2, "NaN is not a number"), (3, "a key stands twice")])
    twice = b"<request><service_request_id>2</service_request_id><service_request_id>3</service_request_id></request>"
    good = b"<request><service_request_id> 1 </service_request_id><status/></request>"
    agency.answers[XML] = _once(b"<x:service_requests xmlns:x='urn:y'>" + good + twice + b"</x:service_requests>", "text/xml")
    page = reading.pages("open311", options(agency, format="xml"), set())[0]
    assert page.rows == [{"service_request_id": "1", "status": None}]
    assert page.broken == [(2, "an element stands twice")]


@pytest.mark.parametrize("wrong", [
    {"begins": "kemarin"}, {"span_days": 91}, {"url": "http://x/?api_key=1"}, {"status": ["all"]}, {"format": "csv"},
    {"api_key": {"secret": ""}},
])
def test_a_wrong_option_is_refused_at_check(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Open311Options.model_validate({"url": "http://x/v2", "begins": "2025-01-01", **wrong})
