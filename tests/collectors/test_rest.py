"""JSON sources: every kind of paging, every shape of a list, what is asked and what is never followed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.rest import RestOptions, links
from dashboard.errors import CollectError, SourceChanged, SourceUnavailable
from tests.agency_api import Agency, Request, body, numbered, rows, status
from tests.collectors.conftest import Readings
from tests.servers import datasette

FOUND = [{"id": n} for n in range(25)]


def by_offset(request: Request) -> None:
    """``offset`` and ``limit``."""
    start, size = int(request.query["offset"]), int(request.query["limit"])
    request.json({"data": FOUND[start : start + size]})


def by_cursor(request: Request) -> None:
    """A cursor in ``meta.next``."""
    start = int(request.query.get("cursor", "0"))
    following = str(start + 10) if start + 10 < len(FOUND) else None
    request.json({"data": FOUND[start : start + 10], "meta": {"next": following}})


def by_link(request: Request) -> None:
    """A ``Link`` header with a relative address."""
    start = int(request.query.get("from", "0"))
    header = {"Link": f'</a?from={start + 10}>; rel="next", </a>; rel="first"'} if start + 10 < len(FOUND) else {}
    request.json({"data": FOUND[start : start + 10]}, **header)


def by_next_url(request: Request) -> None:
    """The address of the next page in the answer."""
    start = int(request.query.get("from", "0"))
    host = request.headers["host"]
    following = f"http://{host}/a?from={start + 10}" if start + 10 < len(FOUND) else None
    request.json({"data": FOUND[start : start + 10], "next_url": following})


def by_next_header(request: Request) -> None:
    """The address of the next page in a header of its own."""
    start = int(request.query.get("from", "0"))
    header = {"Next-Page": f"http://{request.headers['host']}/a?from={start + 10}"} if start + 10 < len(FOUND) else {}
    request.json({"data": FOUND[start : start + 10]}, **header)


def by_list_of_links(request: Request) -> None:
    """The address of the next page in a list of links."""
    start = int(request.query.get("from", "0"))
    following = [{"href": f"/a?from={start + 10}"}] if start + 10 < len(FOUND) else []
    request.json({"data": FOUND[start : start + 10], "links": {"next": following}})


@pytest.mark.parametrize(("behaviour", "pages", "asked"), [
    (rows(FOUND), {}, 1),
    (numbered(FOUND), {"kind": "page", "param": "page", "size_param": "per_page", "size": 10}, 3),
    (numbered(FOUND), {"kind": "page", "param": "page", "size_param": "per_page", "size": 25}, 2),
    (by_offset, {"kind": "offset", "param": "offset", "size_param": "limit", "size": 10}, 3),
    (by_cursor, {"kind": "cursor", "param": "cursor", "next": "meta.next"}, 3),
    (by_link, {"kind": "link-header"}, 3),
    (by_next_url, {"kind": "next-url", "key": "next_url"}, 3),
    (by_next_header, {"kind": "next-header", "key": "Next-Page"}, 3),
    (by_list_of_links, {"kind": "next-url", "key": "links.next.0.href"}, 3),
], ids=["none", "page", "page, last one full", "offset", "cursor", "link-header", "next-url", "next-header", "links in a list"])
def test_all_pages_are_read(agency: Agency, reading: Readings, behaviour: Any, pages: dict[str, Any], asked: int) -> None:
    agency.answers["/a"] = behaviour
    found = reading.rows("rest", {"url": agency.url("/a"), "records": "data", "pages": pages}, {"id"})
    assert found == FOUND
    assert len(agency.requests) == asked


def test_a_server_that_caps_its_pages_is_read_to_its_total(agency: Agency, reading: Readings) -> None:
    def capped(request: Request) -> None:
        start = (int(request.query["page"]) - 1) * 10
        request.json({"data": FOUND[start : start + 10], "meta": {"total": 25}})

    agency.answers["/a"] = capped
    pages = {"kind": "page", "param": "page", "size_param": "per_page", "size": 500}
    options = {"url": agency.url("/a"), "records": "data", "total": "meta.total", "pages": pages}
    assert reading.rows("rest", options, {"id"}) == FOUND


def test_a_source_that_ignores_the_page_is_told_not_read_for_ever(agency: Agency, reading: Readings) -> None:  # C1
    agency.answers["/a"] = lambda request: request.json({"data": FOUND[:10], "page": request.query["page"]})
    pages = {"kind": "page", "param": "page", "size_param": "per_page", "size": 10}
    with pytest.raises(SourceUnavailable, match="page 2 repeats"):
        reading.rows("rest", {"url": agency.url("/a"), "records": "data", "pages": pages}, {"id"})


@pytest.mark.parametrize(("following", "said"), [
    ("http://127.0.0.2:1/a", "another host"), ("https://169.254.169.254/", "another host"), ("/a?b", "repeats"),
    ("file:///etc/passwd", "another host"),
])
def test_a_next_link_is_followed_at_home_and_only_once(
    agency: Agency, reading: Readings, following: str, said: str
) -> None:  # C4
    agency.answers["/a"] = lambda request: request.json({"data": [{"id": len(agency.requests)}], "next_url": following})
    options = {
        "url": agency.url("/a"), "records": "data", "pages": {"kind": "next-url"}, "auth": {"kind": "bearer", "secret": "token"},
    }
    with pytest.raises(SourceUnavailable, match=said):
        reading.rows("rest", options, {"id"})


@pytest.mark.parametrize(("options", "answer"), [
    ({}, [{"id": 1}]), ({"records": "a.b"}, {"a": {"b": [{"id": 1}]}}),
    ({"records": "rows", "columns": "columns"}, {"columns": ["id"], "rows": [[1]]}),
])
def test_the_list_may_stand_anywhere(agency: Agency, reading: Readings, options: dict[str, Any], answer: Any) -> None:
    agency.answers["/a"] = lambda request: request.json(answer)
    assert reading.rows("rest", {"url": agency.url("/a"), **options}, {"id"}) == [{"id": 1}]


@pytest.mark.parametrize("answer", [{"data": None}, None, {"data": {"id": 1}}, {"data": [[1], [2]]}, {"data": ["x"]}, {}, [1]])
def test_what_is_no_list_of_objects_is_a_change(agency: Agency, reading: Readings, answer: Any) -> None:  # B4
    agency.answers["/a"] = lambda request: request.json(answer)
    with pytest.raises(SourceChanged, match=r"no list under|no objects"):
        reading.rows("rest", {"url": agency.url("/a"), "records": "data"}, {"id"})


def test_an_error_in_an_envelope_is_shown_short_and_harmless(agency: Agency, reading: Readings) -> None:  # B2
    said = "<a href='x'>Kuota habis</a> hubungi 081234567890 " + "x" * 500
    agency.answers["/a"] = lambda request: request.json({"success": False, "error": {"message": said}, "rows": "rahasia"})
    with pytest.raises(SourceChanged, match="Kuota habis") as caught:
        reading.rows("rest", {"url": agency.url("/a"), "records": "data", "message": "error.message"}, {"id"})
    for text in (caught.value.en, caught.value.id):
        assert len(text) < 400
        assert "<" not in text
        assert "081234567890" not in text
        assert "rahasia" not in text


def test_a_row_with_nan_or_a_key_twice_is_put_aside_alone(agency: Agency, reading: Readings) -> None:  # B8 B9
    agency.answers["/a"] = body(b'{"data": [{"id": 1}, {"id": 2, "lat": NaN}, {"id": 3, "id": 4}, {"id": 5}]}')
    page = reading.pages("rest", {"url": agency.url("/a"), "records": "data"}, {"id"})[0]
    assert page.rows == [{"id": 1}, {"id": 5}]
    assert page.lines == [1, 4]
    assert page.broken == [(2, "NaN is not a number"), (3, "a key stands twice")]


@pytest.mark.parametrize(("how", "expected"), [
    ("iso", "2026-11-24T04:00:00+00:00"), ("date", "2026-11-24"), ("epoch", "1795492800"), ("epoch_ms", "1795492800000"),
    ("%d/%m/%Y %H.%M", "24/11/2026 12.00"), ("from %Y-%m-%d", "from 2026-11-24"),
])
def test_since_is_asked_in_the_declared_format(agency: Agency, reading: Readings, how: str, expected: str) -> None:
    agency.answers["/a"] = rows([])
    options = {"url": agency.url("/a?x=1"), "records": "data", "since": {"param": "sejak", "format": how}, "params": {"y": "2"}}
    reading.rows("rest", options, {"id"}, since=1_795_492_800.0)
    assert agency.requests[0].query == {"x": "1", "y": "2", "sejak": expected}


@pytest.mark.parametrize(("auth", "header", "expected"), [
    ({"kind": "bearer", "secret": "token"}, "authorization", "Bearer s3cret-canary"),
    ({"kind": "basic", "secret": "token", "user": "a"}, "authorization", "Basic " + base64.b64encode(b"a:s3cret-canary").decode()),
    ({"kind": "header", "secret": "token", "name": "X-Token"}, "x-token", "s3cret-canary"),
    ({"kind": "none"}, "authorization", None),
])
def test_a_request_proves_who_we_are(
    agency: Agency, reading: Readings, auth: dict[str, str], header: str, expected: str | None
) -> None:
    agency.answers["/a"] = rows([])
    reading.rows("rest", {"url": agency.url("/a"), "records": "data", "auth": auth}, {"id"})
    assert agency.requests[0].headers.get(header) == expected


def test_hmac_signs_the_id_and_the_time(agency: Agency, reading: Readings) -> None:
    agency.answers["/a"] = rows([])
    auth = {"kind": "hmac", "secret": "token", "user": "7322"}
    reading.rows("rest", {"url": agency.url("/a"), "records": "data", "auth": auth}, {"id"})
    headers = agency.requests[0].headers
    signed = hmac.new(b"s3cret-canary", f"7322&{headers['x-timestamp']}".encode(), hashlib.sha256).digest()
    assert headers["x-signature"] == base64.b64encode(signed).decode()


@pytest.mark.parametrize("url", ["ftp://x/a", "http://user:pass@x/a", "file:///etc/passwd", "x"])
def test_an_address_that_is_none_or_holds_a_credential_is_refused_at_check(url: str) -> None:
    with pytest.raises(ValidationError):
        RestOptions(url=url)


def test_a_secret_is_in_no_error_whatever_goes_wrong(agency: Agency, reading: Readings) -> None:
    said: list[str] = []
    behaviours = [status(code) for code in (400, 401, 404, 429, 500)] + [body(b"s3cret-canary"), body(b"<b>s3cret-canary")]
    for behaviour in behaviours:
        agency.answers["/a"] = behaviour
        options = {"url": agency.url("/a?k=s3cret-canary"), "records": "data", "auth": {"kind": "bearer", "secret": "token"}}
        with pytest.raises(CollectError) as caught:
            reading.rows("rest", options, {"id"})
        said += [caught.value.en, caught.value.id]
    assert not [text for text in said if "s3cret-canary" in text]


def test_link_headers_are_read() -> None:
    assert links('<https://a/b?c=1>; rel="next", <https://a/>; rel="last"') == {"next": "https://a/b?c=1", "last": "https://a/"}
    assert links("") == {}


@pytest.mark.servers
@pytest.mark.parametrize(("shape", "options"), [
    ("_shape=objects", {}), ("", {"columns": "columns"}),
], ids=["objects", "lists"])
def test_a_real_datasette_is_read_by_its_next_url(
    tmp_path: Path, reading: Readings, shape: str, options: dict[str, Any]
) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("id,jenis\n" + "".join(f"R{n},KTP\n" for n in range(250)))
    with datasette(table, tmp_path) as url:
        declared = {"url": f"{url}?_size=100&{shape}", "records": "rows", "pages": {"kind": "next-url", "key": "next_url"}}
        pages = reading.pages("rest", {**declared, **options}, {"id"})
    assert [len(page.rows) for page in pages] == [100, 100, 50]
    assert [row["id"] for page in pages for row in page.rows] == [f"R{n}" for n in range(250)]
