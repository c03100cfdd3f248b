"""The one HTTP client against a real server that misbehaves. Ids of faults are those of the catalogue."""

from __future__ import annotations

import ipaddress
import json
import resource
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.decoding import Unfit, decoded, strict_json
from collectors.egress import checked_addresses, origin, shown
from collectors.http import LONGEST_RETRY_AFTER, Client, retry_after
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable
from tests.agency_api import (
    Agency,
    body,
    bomb,
    endless,
    moved,
    reset,
    rows,
    short,
    slow_body,
    slow_headers,
    status,
)

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.fixture
def fetch(agency: Agency) -> Any:
    """``fetch(path, seconds=…)`` against the agency's server, without pauses between tries."""

    def get(path: str, seconds: float = 20.0, headers: dict[str, str] | None = None, **more: Any) -> Any:
        options = {"networks": LOOPBACK, "deadline": time.monotonic() + seconds, "pause": lambda _: None, **more}
        with Client(agency.url(path), **options) as client:
            return client.get(agency.url(path), headers=headers)

    return get


def test_a_good_answer_comes_whole(agency: Agency, fetch: Any) -> None:
    agency.answers["/a"] = rows([{"id": 1}])
    assert fetch("/a").json() == {"data": [{"id": 1}]}


def test_a_refused_connection_says_so_after_a_few_tries() -> None:  # A4
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/a"
    pauses: list[float] = []
    with (
        Client(url, networks=LOOPBACK, deadline=time.monotonic() + 20, pause=pauses.append) as client,
        pytest.raises(SourceUnavailable, match="refused") as caught,
    ):
        client.get(url)
    assert len(pauses) == 2
    assert caught.value.step == "connect"
    assert "ditolak" in caught.value.id


@pytest.mark.parametrize("behaviour", [reset, short], ids=["A6 reset", "A10 short"])
def test_a_cut_connection_gives_nothing_of_the_page(agency: Agency, fetch: Any, behaviour: Any) -> None:
    agency.answers["/a"] = behaviour
    with pytest.raises(SourceUnavailable, match=r"cut|broke off") as caught:
        fetch("/a")
    assert caught.value.step == "read"
    assert len(agency.requests) == 3, "it is worth another try"


@pytest.mark.parametrize("slow", [slow_headers, slow_body], ids=["A7 headers", "A8 body"])
def test_a_dripping_answer_ends_at_the_total_deadline(agency: Agency, fetch: Any, slow: Any) -> None:
    agency.answers["/a"] = slow(agency)
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="deadline"):
        fetch("/a", seconds=1.2)
    assert time.monotonic() - began < 3


def test_one_answer_may_not_take_the_whole_run(agency: Agency, fetch: Any) -> None:
    agency.answers["/a"] = slow_body(agency)
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="deadline"):
        fetch("/a", seconds=60, request_seconds=0.4)
    assert time.monotonic() - began < 5


def test_an_endless_answer_stops_at_the_cap_in_bounded_memory(agency: Agency, fetch: Any) -> None:  # A9
    agency.answers["/a"] = endless
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceChanged, match="more than 8 MB"):
        fetch("/a", most_wire=8 * 1024 * 1024)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@pytest.mark.parametrize("megabytes", [300, 30], ids=["past the cap", "past the ratio"])
def test_a_gzip_bomb_is_not_unpacked(agency: Agency, fetch: Any, megabytes: int) -> None:  # A11
    agency.answers["/a"] = bomb(megabytes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceChanged, match="unpacks to more"):
        fetch("/a")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "gzip, gzip, gzip, gzip, gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_refused(agency: Agency, fetch: Any, encoding: str) -> None:  # A12
    agency.answers["/a"] = bomb(1, encoding)
    with pytest.raises(CollectError):
        fetch("/a")


@pytest.mark.parametrize("target", ["/a", "file:///etc/passwd", "http://127.0.0.2:1/a", "http://169.254.169.254/", "ftp://x/"])
def test_no_redirect_is_followed(agency: Agency, fetch: Any, target: str) -> None:  # A13 A14 A15 A16
    agency.answers["/a"] = moved(target)
    with pytest.raises(SourceChanged, match="redirects"):
        fetch("/a", headers={"X-API-Key": "s3cret-canary"})
    assert len(agency.requests) == 1


@pytest.mark.parametrize(("header", "seconds"), [
    ("120", 120), ("0", None), ("-5", None), ("315360000", LONGEST_RETRY_AFTER), ("soon", None), ("inf", LONGEST_RETRY_AFTER),
    ("nan", None), (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
    (format_datetime(NOW - timedelta(days=1), usegmt=True), None), (None, None),
])
def test_retry_after_is_honoured_within_reason(header: str | None, seconds: float | None) -> None:  # A20
    assert retry_after(header, NOW) == seconds


def test_a_rate_limit_is_told_and_not_tried_again_at_once(agency: Agency, fetch: Any) -> None:  # A20
    agency.answers["/a"] = status(429, **{"Retry-After": "120"})
    with pytest.raises(SourceUnavailable, match="wait 120 s") as caught:
        fetch("/a")
    assert caught.value.retry_after_seconds == 120
    assert len(agency.requests) == 1


def test_a_server_that_flaps_is_tried_again(agency: Agency, fetch: Any) -> None:  # A21
    def flap(request: Any) -> None:
        request.json({"data": []}, 503 if len(agency.requests) < 3 else 200)

    agency.answers["/a"] = flap
    assert fetch("/a").json() == {"data": []}


@pytest.mark.parametrize("code", [401, 403, 407])
def test_a_refused_credential_is_tried_once(agency: Agency, fetch: Any, code: int) -> None:  # A22
    agency.answers["/a"] = status(code)
    with pytest.raises(SourceRejected, match="credential is refused"):
        fetch("/a", headers={"Authorization": "Bearer s3cret-canary"})
    assert len(agency.requests) == 1


def test_proxies_and_netrc_of_the_environment_are_ignored(
    agency: Agency, fetch: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # A23
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password s3cret-canary")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    agency.answers["/a"] = rows([])
    fetch("/a")
    assert "authorization" not in agency.requests[0].headers


@pytest.mark.parametrize(("host", "networks", "allowed"), [
    ("127.0.0.1", (), False), ("127.0.0.1", LOOPBACK, True), ("169.254.169.254", LOOPBACK, False), ("10.0.0.5", LOOPBACK, False),
    ("10.0.0.5", (ipaddress.ip_network("10.0.0.0/8"),), True), ("::1", LOOPBACK, False), ("::ffff:127.0.0.1", (), False),
    ("224.0.0.1", (), False), ("0.0.0.0", (), False), ("1.1.1.1", (), True),
])
def test_private_addresses_need_an_entry(host: str, networks: Any, allowed: bool) -> None:
    found: Any
    try:
        found = checked_addresses(host, 80, networks, "uji")
    except SourceChanged:
        found = None
    assert bool(found) is allowed


def test_a_name_is_resolved_once_so_that_a_second_answer_reaches_nothing(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:  # A3
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr("collectors.egress.socket.getaddrinfo", resolve)
    agency.answers["/a"] = rows([])
    url = f"http://agency.invalid:{agency.port}/a"
    monkeypatch.setattr("collectors.egress.socket.create_connection", lambda to, **more: _direct(to, **more))
    with Client(url, networks=LOOPBACK, deadline=time.monotonic() + 10) as client:
        client.get(url)
        client.get(url)
    assert asked == ["agency.invalid"]
    assert agency.requests[0].headers["host"] == f"agency.invalid:{agency.port}"


def _direct(to: tuple[str, int], timeout: float) -> socket.socket:
    made = socket.socket()
    made.settimeout(timeout)
    made.connect(to)
    return made


def test_a_name_server_that_hangs_does_not_outlast_the_run(monkeypatch: pytest.MonkeyPatch) -> None:  # A2
    monkeypatch.setattr("collectors.egress.socket.getaddrinfo", lambda *_, **__: time.sleep(3))
    url = "http://agency.invalid/a"
    began = time.monotonic()
    with (
        Client(url, networks=(), deadline=time.monotonic() + 0.5) as client,
        pytest.raises(SourceUnavailable, match="cannot be resolved"),
    ):
        client.get(url)
    assert time.monotonic() - began < 2


def test_another_origin_is_not_asked(agency: Agency) -> None:
    with (
        Client(agency.url("/a"), networks=LOOPBACK, deadline=time.monotonic() + 5) as client,
        pytest.raises(SourceChanged, match="another origin"),
    ):
        client.get("http://127.0.0.2:1/a")


def test_messages_carry_no_query_and_no_credential() -> None:
    assert shown("https://user:s3cret@host:81/a/b?token=s3cret#x") == "https://host:81/a/b"
    assert origin("HTTPS://Host/a") == ("https", "host", 443)


@pytest.mark.parametrize(("data", "kind", "said"), [
    (b"<!doctype html><title>Masuk</title>", "text/html; charset=utf-8", "expected JSON, got HTML"),  # B1
    (b"  <html>", "application/json", "expected JSON, got HTML"),
    (b'{"data": [{"id": 1}, {"i', "application/json", "not JSON from character"),  # B3
    (b"", "application/json", "not JSON from character 0"),  # B4
    ('{"nama": "Andi é"}'.encode("cp1252"), "application/json", "not UTF-8 text at byte"),  # B6
    (b"[" * 100_000 + b"]" * 100_000, "application/json", "nested too deeply"),  # B12
    (b'{"n": ' + b"9" * 5000 + b"}", "application/json", "too long"),  # B10
])
def test_what_is_no_json_is_a_change_of_the_source(agency: Agency, fetch: Any, data: bytes, kind: str, said: str) -> None:
    agency.answers["/a"] = body(data, kind)
    with pytest.raises(SourceChanged, match=said):
        fetch("/a").json()


def test_a_byte_order_mark_is_no_fault(agency: Agency, fetch: Any) -> None:  # B5
    agency.answers["/a"] = body(b"\xef\xbb\xbf" + b'{"a": 1}')
    assert fetch("/a").json() == {"a": 1}


def test_a_declared_charset_is_the_fallback_and_strict() -> None:  # B6 B7
    assert decoded("é".encode("cp1252"), "cp1252", "uji") == "é"
    assert decoded("é".encode(), "cp1252", "uji") == "é"
    assert decoded("é".encode("utf-16"), None, "uji") == "é"
    with pytest.raises(SourceChanged, match="not cp1252"):
        decoded(b"\x81\xff", "cp1252", "uji")
    with pytest.raises(SourceChanged, match="not no-such text"):
        decoded(b"\xff", "no-such", "uji")


@pytest.mark.parametrize(("text", "reason"), [
    ('[{"a": NaN}, {"a": 1}]', "NaN is not a number"), ('[{"a": -Infinity}, {"a": 1}]', "NaN is not a number"),  # B8
    ('[{"a": 1, "a": 2}, {"a": 1}]', "a key stands twice"), ('[{"b": {"a": 1, "a": 2}}, {"a": 1}]', "a key stands twice"),  # B9
])
def test_an_object_that_says_two_things_is_marked_and_its_neighbour_is_not(text: str, reason: str) -> None:
    first, second = strict_json(text, "uji")
    assert isinstance(first, Unfit)
    assert first.reason == reason
    assert type(second) is dict


def test_a_whole_good_json_is_not_marked() -> None:
    value = {"data": [{"id": 1, "b": {"c": [1.5, None, True]}}]}
    assert strict_json(json.dumps(value), "uji") == value
