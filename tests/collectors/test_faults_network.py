"""Faults of network and transport (group A of the catalogue): whole runs against servers that misbehave, by id.

After each of them the last good figures stand (I3), the text is clear and harmless (I4), and the source heals by itself (I7).
Those of one request alone are in ``test_http.py``; those that need a network of their own are scripts in ``tests/lab``.
"""

from __future__ import annotations

import random
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.certificates import validity
from collectors.egress import Sockets
from collectors.http import Client
from dashboard.cases import Outcome
from dashboard.errors import SourceUnavailable
from dashboard.store.verify import verify
from tests.agency_api import Agency, agency_api, body, bomb, endless, moved, numbered, reset, rows, short, slow_headers, status
from tests.certificates import Authority, Issued
from tests.collectors.conftest import LOOPBACK, Site
from tests.collectors.test_runner import FIELDS, request, source

Sites = Callable[..., Site]
FOUND = [request(n) for n in range(30)]
SECRET = "s3cret-canary"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between tries are tested in ``test_http.py``; here they only cost time."""
    monkeypatch.setattr("collectors.http.FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def declared(url: str, **options: Any) -> dict[str, Any]:
    """A source at an address."""
    return {"connector": "rest", "mode": "snapshot", "options": {"url": url, "records": "data", **options}, "fields": FIELDS}


def survives(here: Site, outcome: Outcome, said: str) -> str:
    """One faulty run of a source with thirty good cases: they stay, the text is clear; gives the English text."""
    before = here.state
    here.now += timedelta(minutes=5)
    result = here.run()
    assert result.outcome is outcome, result.en
    assert said in result.en, result.en
    assert result.id not in ("", result.en)
    for text in (result.en, result.id):
        assert text.startswith("uji: ")
        assert SECRET not in text
        assert "Traceback" not in text
        assert "Canary" not in text
    assert here.cases == here.received == 30
    assert (here.state.data_until, here.state.cursor) == (before.data_until, before.cursor)
    assert verify(here.engine, here.regency) == []
    return result.en


def heals(here: Site, agency: Agency, path: str = "/a") -> None:
    """The fault is over: the next run is good and doubles nothing."""
    agency.answers[path] = rows(FOUND)
    here.now += timedelta(minutes=5)
    assert here.run().outcome is Outcome.OK
    assert here.cases == here.received == 30
    assert here.state.failures_in_row == 0


@pytest.fixture
def loaded(agency: Agency, site: Sites) -> Site:
    """A source with thirty cases of an agency."""
    agency.answers["/a"] = rows(FOUND)
    here = site(**source(agency))
    assert here.run().rows_new == 30
    return here


@pytest.mark.parametrize(("url", "said"), [
    ("http://nosuch.invalid/a", "'nosuch.invalid' cannot be resolved"), (f"http://127.0.0.1:{free_port()}/a", "refused"),
], ids=["A1 no such name", "A4 refused"])
def test_a_source_that_cannot_be_reached_keeps_its_last_figures_and_heals(
    agency: Agency, loaded: Site, url: str, said: str
) -> None:
    loaded.declare(options={"url": url, "records": "data"})
    assert "connect" in survives(loaded, Outcome.UNAVAILABLE, said)
    loaded.declare(options={"url": agency.url("/a"), "records": "data"})
    heals(loaded, agency)


@contextmanager
def blackhole() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel drops every further SYN, as a firewall does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        time.sleep(0.1)
        yield int(listening.getsockname()[1])
        for one in waiting:
            one.close()


def test_a5_packets_that_are_swallowed_are_given_up_after_the_connect_timeout(
    agency: Agency, loaded: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.http.CONNECT_SECONDS", 1.0)
    monkeypatch.setattr("collectors.egress.CONNECT_SECONDS", 1.0)
    with blackhole() as port:
        loaded.declare(options={"url": f"http://127.0.0.1:{port}/a", "records": "data"})
        began = time.monotonic()
        survives(loaded, Outcome.UNAVAILABLE, "no connection within 1 s")
        assert time.monotonic() - began < 10
    loaded.declare(options={"url": agency.url("/a"), "records": "data"})
    heals(loaded, agency)


def too_long(asked: Any) -> None:
    """More than its length says: what follows the length is cut off."""
    asked.head(200, **{"Content-Length": "30"})
    asked.raw(b'{"data": [{"id": "R0001", "masuk": "2026-11-24 08:00:00"}]}')
    asked.handler.close_connection = True


@pytest.mark.parametrize(("behaviour", "outcome", "said"), [
    (reset, Outcome.UNAVAILABLE, "cut after"), (short, Outcome.UNAVAILABLE, "cut after 10 bytes"),
    (too_long, Outcome.CHANGED, "not JSON from character"), (bomb(300), Outcome.CHANGED, "unpacks to more"),
    (bomb(1, "gzip, gzip, gzip, gzip, gzip, gzip"), Outcome.CHANGED, "encoding that was not asked for"),
    (moved("/a"), Outcome.CHANGED, "it redirects,"), (moved("file:///etc/passwd"), Outcome.CHANGED, "to another scheme"),
    (moved("http://127.0.0.2:1/meta"), Outcome.CHANGED, "to another host"),
    (status(401), Outcome.REJECTED, "credential is refused"), (status(407), Outcome.REJECTED, "credential is refused"),
], ids=["A6 reset", "A10 too short", "A10 too long", "A11 bomb", "A12 encodings", "A13 loop", "A14 file", "A15 other host",
        "A22 refused", "A23 proxy"])
def test_an_answer_that_is_none_keeps_the_last_figures_and_heals(
    agency: Agency, loaded: Site, behaviour: Any, outcome: Outcome, said: str
) -> None:
    agency.answers["/a"] = behaviour
    survives(loaded, outcome, said)
    heals(loaded, agency)


def test_a6_nothing_of_a_page_that_was_cut_is_kept_and_what_came_before_it_is(agency: Agency, site: Sites) -> None:
    everything = [request(n) for n in range(12_000)]

    def second_page_cut(asked: Any) -> None:
        page = numbered(everything)
        (reset if asked.query["page"] == "2" else page)(asked)

    agency.answers["/a"] = second_page_cut
    paged = {"pages": {"kind": "page", "param": "page", "size_param": "per_page", "size": 6000}}
    here = site(**source(agency, mode="incremental", options=paged))
    assert here.run().outcome is Outcome.UNAVAILABLE
    assert here.state.cursor is None, "I9: no cursor beyond what is committed"
    assert here.cases in (0, 5000)
    agency.answers["/a"] = numbered(everything)
    assert here.run().outcome is Outcome.OK
    assert here.cases == here.received == 12_000
    assert verify(here.engine, here.regency) == []


@pytest.mark.parametrize("slow", [slow_headers, lambda agency: endless], ids=["A7 headers", "A9 endless"])
def test_an_answer_without_end_is_bounded_in_time_and_memory(
    agency: Agency, loaded: Site, slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.declare(deadline="2 seconds")
    agency.answers["/a"] = slow(agency)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    loaded.now += timedelta(minutes=5)
    assert not loaded.run().outcome.good
    assert time.monotonic() - began < 8
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024, "I8"
    assert loaded.cases == 30
    heals(loaded, agency)


def dripping(pause: float, piece: bytes, after: int = 0) -> Any:
    """A body that comes in pieces with pauses, after so many bytes at once."""

    def answer(asked: Any) -> None:
        asked.head(200, **{"Content-Length": "1000000"})
        asked.raw(b" " * after)
        while not asked.handler.server.agency.ended.wait(pause):
            asked.raw(piece)

    return answer


@pytest.mark.parametrize(("pause", "piece", "after"), [(0.05, b" ", 0), (3600, b"", 20_000)], ids=["drips", "falls silent"])
def test_a8_a_body_slower_than_a_kilobyte_a_second_is_left_long_before_the_deadline(
    agency: Agency, pause: float, piece: bytes, after: int
) -> None:
    agency.answers["/a"] = dripping(pause, piece, after)
    began = time.monotonic()
    with (
        Client(agency.url("/a"), networks=LOOPBACK, deadline=time.monotonic() + 60, rate_seconds=0.5, pause=lambda _: None) as client,
        pytest.raises(SourceUnavailable, match="less than 1 kB a second"),
    ):
        client.get(agency.url("/a"))
    assert time.monotonic() - began < 10


def test_a8_a_steady_body_is_slow_and_good(agency: Agency) -> None:
    def steady(asked: Any) -> None:
        asked.head(200, **{"Content-Length": str(12 * 11_000)})
        for _ in range(12):
            asked.raw(b" " * 11_000)
            time.sleep(0.1)

    agency.answers["/a"] = steady
    with Client(agency.url("/a"), networks=LOOPBACK, deadline=time.monotonic() + 60, rate_seconds=0.25) as client:
        assert len(client.get(agency.url("/a")).body) == 12 * 11_000


@contextmanager
def secured(issued: Issued) -> Iterator[Agency]:
    """An agency behind TLS."""
    with agency_api(context=issued.context) as agency:
        agency.answers["/a"] = rows(FOUND)
        yield agency


def https(agency: Agency, host: str = "127.0.0.1") -> str:
    """The TLS address of an agency."""
    return f"https://{host}:{agency.port}/a"


def test_a18_a_private_authority_is_the_only_way_in(authority: Authority, site: Sites) -> None:
    with secured(authority.issue("baik")) as agency:
        here = site(**declared(https(agency), ca_file=str(authority.file)))
        assert here.run().outcome is Outcome.OK
        here.declare(**declared(https(agency)))
        survives(here, Outcome.UNAVAILABLE, "certificate is not accepted")
        assert len(agency.requests) == 1, "nothing is asked over a connection that is not trusted"


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2049, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("more", "said"), [
    ({"since": LONG_AGO, "until": LONG_AGO + timedelta(days=30)}, "valid 2020-01-01 to 2020-01-31"),
    ({"since": FAR_OFF, "until": FAR_OFF + timedelta(days=365)}, "valid 2049-01-01 to 2050-01-01"),
    ({"alternative": "DNS:lain.example"}, "IP address mismatch"),
], ids=["A17 expired", "A17 not yet valid", "A18 wrong host"])
def test_a_refused_certificate_is_told_with_its_dates_and_fingerprint(
    authority: Authority, site: Sites, more: dict[str, Any], said: str
) -> None:
    issued = authority.issue("salah", **more)
    with secured(issued) as agency:
        here = site(**declared(https(agency), ca_file=str(authority.file), auth={"kind": "bearer", "secret": "token"}))
        here.settings.secrets.mkdir()
        (here.settings.secrets / "token").write_text(SECRET)
        (here.settings.secrets / "token").chmod(0o600)
        result = here.run()
        assert result.outcome is Outcome.UNAVAILABLE
        assert said in result.en
        assert issued.fingerprint in result.en
        assert issued.fingerprint in result.id
        assert agency.requests == []


def test_a18_a_self_signed_certificate_is_refused_with_its_fingerprint(authority: Authority, site: Sites) -> None:
    issued = authority.self_signed("sendiri")
    with secured(issued) as agency:
        here = site(**declared(https(agency)))
        assert issued.fingerprint in here.run().en
        assert agency.requests == []
        here.declare(**declared(https(agency), ca_file=str(issued.certificate)))
        assert here.run().outcome is Outcome.OK


def test_the_dates_of_a_certificate_are_read_from_its_bytes(authority: Authority) -> None:
    issued = authority.issue("tanggal", since=LONG_AGO, until=datetime(2060, 5, 6, 7, 8, 9, tzinfo=UTC))
    found = validity(ssl.PEM_cert_to_DER_cert(issued.certificate.read_text()))
    assert found == (LONG_AGO, datetime(2060, 5, 6, 7, 8, 9, tzinfo=UTC))


def test_a16_a_redirect_from_tls_to_plain_is_refused_and_no_secret_leaves(authority: Authority, agency: Agency, site: Sites) -> None:
    with secured(authority.issue("turun")) as safe:
        here = site(**declared(https(safe), ca_file=str(authority.file), headers={"X-API-Key": SECRET}))
        assert here.run().outcome is Outcome.OK
        safe.answers["/a"] = moved(agency.url("/a"))
        survives(here, Outcome.CHANGED, "to an address without TLS")
        assert agency.requests == []
        heals(here, safe)


@contextmanager
def silent() -> Iterator[int]:
    """A port whose connections nobody takes up: the kernel says yes, and then nothing comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_a19_a_handshake_that_stalls_ends_in_time(loaded: Site) -> None:
    with silent() as port:
        loaded.declare(**declared(f"https://127.0.0.1:{port}/a"), deadline="2 seconds")
        began = time.monotonic()
        survives(loaded, Outcome.UNAVAILABLE, "")
        assert time.monotonic() - began < 8


def test_a25_a_peer_that_is_gone_without_a_word_ends_the_run_and_its_connection_is_not_used_again(agency: Agency, site: Sites) -> None:
    over = threading.Event()

    def second_page_never(asked: Any) -> None:
        if asked.query["page"] == "2" and len(agency.requests) < 4:
            over.wait(30)
            asked.handler.close_connection = True
            return
        numbered(FOUND)(asked)

    agency.answers["/a"] = second_page_never
    paged = {"pages": {"kind": "page", "param": "page", "size_param": "per_page", "size": 20}, "timeout": 0.5}
    here = site(**source(agency, options=paged))
    assert here.run().outcome is Outcome.OK, "the third try, over a connection of its own, is answered"
    over.set()
    assert here.cases == 30


def test_a26_an_address_of_ipv6_that_is_dead_costs_no_more_than_the_connect_timeout(agency: Agency) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    sockets = Sockets(["::1", "127.0.0.1"])
    sockets.until = time.monotonic() + 5
    began = time.monotonic()
    made = sockets.connect(agency.port)
    assert made.getpeername()[0] == "127.0.0.1"
    assert time.monotonic() - began < 5
    made.close()
    sockets.close()


@pytest.mark.parametrize(("header", "seconds"), [
    ("120", 120), ("315360000", 3600), ("-5", None), ("Tue, 24 Nov 2099 04:00:00 GMT", 3600),
], ids=["seconds", "ten years", "negative", "a far date"])
def test_a20_a_rate_limit_is_obeyed_within_an_hour(agency: Agency, loaded: Site, header: str, seconds: float | None) -> None:
    agency.answers["/a"] = status(429, **{"Retry-After": header})
    asked = len(agency.requests)
    loaded.now += timedelta(minutes=5)
    result = loaded.run()
    assert (result.outcome, result.retry_after_seconds) == (Outcome.UNAVAILABLE, seconds)
    assert len(agency.requests) - asked == (3 if seconds is None else 1)
    heals(loaded, agency)


def test_a21_a_source_that_fails_at_random_is_loaded_in_the_end_and_is_not_called_offline(agency: Agency, site: Sites) -> None:
    chance = random.Random(21)

    def flap(asked: Any) -> None:
        (status(503) if chance.random() < 0.5 else numbered(FOUND))(asked)

    agency.answers["/a"] = flap
    paged = {"pages": {"kind": "page", "param": "page", "size_param": "per_page", "size": 10}}
    here = site(**source(agency, mode="incremental", stale_after="60 minutes", options=paged))
    outcomes, offline = [], []
    for _ in range(24):
        here.now += timedelta(minutes=5)
        outcomes.append(here.run().outcome)
        offline.append(here.state.offline_since is not None)
    assert {Outcome.OK, Outcome.UNAVAILABLE} <= set(outcomes)
    assert not any(offline)
    assert here.cases == here.received == 30
    assert verify(here.engine, here.regency) == []


def test_a22_a_new_secret_is_taken_without_a_restart(agency: Agency, site: Sites) -> None:
    def guarded(asked: Any) -> None:
        (rows(FOUND) if asked.headers.get("authorization") == "Bearer baru" else status(401))(asked)

    agency.answers["/a"] = guarded
    here = site(**source(agency, options={"auth": {"kind": "bearer", "secret": "token"}}))
    here.settings.secrets.mkdir()
    file = here.settings.secrets / "token"
    file.write_text("lama")
    file.chmod(0o600)
    assert here.run().outcome is Outcome.REJECTED
    assert len(agency.requests) == 1, "no storm of tries: an account may be locked"
    file.write_text("baru")
    assert here.run().outcome is Outcome.OK
    assert here.cases == 30


def test_a23_proxies_and_netrc_of_the_environment_play_no_part_in_a_run(
    agency: Agency, site: Sites, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login a password {SECRET}")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    agency.answers["/a"] = rows(FOUND)
    assert site(**source(agency)).run().outcome is Outcome.OK
    assert "authorization" not in agency.requests[0].headers


def test_b1_a_page_for_people_is_no_empty_list(agency: Agency, loaded: Site) -> None:
    agency.answers["/a"] = body(b"<html><head><title>Silakan <b>masuk</b>\n dulu</title></head></html>", "text/html")
    survives(loaded, Outcome.CHANGED, "(title 'Silakan ‹b›masuk‹/b› dulu')")
    heals(loaded, agency)
