"""The authorisation matrix: every path of the zone, and some that do not exist, for every role, method and protocol."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from config.settings import Settings
from dashboard import clock
from dashboard.access import devices, joining, viewings
from dashboard.access.policy import ROUTES, Who
from dashboard.errors import ConfigError, ProductError
from dashboard.guard import Guard, Rules
from dashboard.live.hub import Hub
from dashboard.serve import CALLBACK_ROLES, Serving, allowed_address, app, zone_dash
from dashboard.store.tables import audit
from tests.live import toy
from tests.loops import run

BASE = "127.0.0.1:8100"
PATHS = {  # one example of each route of the table
    "healthz": "/healthz", "readyz": "/readyz", "metrics": "/metrics", "api": "/api/v1/figures", "mode": "/api/v1/mode",
    "wall-index": "/wall/",
    "wall-enter": "/wall/enter", "wall-assets": "/wall/assets/live.js",
    "wall-suites": "/wall/_dash-component-suites/dash/html/dash_html_components.v4_4_1m1.min.js",
    "wall-layout": "/wall/_dash-layout", "wall-dependencies": "/wall/_dash-dependencies",
    "wall-callback": "/wall/_dash-update-component", "wall-favicon": "/wall/_favicon.ico", "wall-live": "/wall/live",
    "wall-panel": "/wall/panel/figure", "wall-pair": "/wall/pair", "wall-receipt": "/wall/receipt",
    "wall-states": "/wall/states/en/2",
    "replay-index": "/replay/", "replay-enter": "/replay/enter", "replay-style": f"/replay/assets/recorded-{'0' * 32}.css",
    "replay-assets": "/replay/assets/replay.js",
    "replay-suites": "/replay/_dash-component-suites/dash/html/dash_html_components.v4_4_1m1.min.js",
    "replay-layout": "/replay/_dash-layout", "replay-dependencies": "/replay/_dash-dependencies",
    "replay-favicon": "/replay/_favicon.ico", "replay-stage": "/replay/stage", "replay-moment": "/replay/moment/0",
    "replay-since": "/replay/since/1795488780000",
}
NOWHERE = (
    "/", "/wall", "/wall/x", "/wall/_dash-ws-callback", "/wall/_reload-hash", "/wall/_alive_", "/docs", "/openapi.json",
    "/redoc", "/desk/", "/tour/", "/wall/assets/fetch.py", "/wall/assets/../serve.py", "/wall/assets/%2e%2e/x.js",
    "/wall//live", "/wall/live/", "/WALL/", "/_dash-layout", "/api/v1", "/metrics/", "/wall/panel/", "/wall/panel/a/b",
    "/wall/receipt/", "/wall/receipts", "/wall/pair/", "/wall/pair/claim", "/pair", "/receipt", "/desk/receipt",
    "/wall/states/", "/wall/states/fr", "/wall/states/10", "/wall/states/en/2/1",
    "/replay", "/replay/live", "/replay/panel/figure", "/replay/_dash-update-component", "/replay/moment/", "/replay/moment/-1",
    "/replay/moment/1/2", "/replay/moment/999999999999999", "/wall/replay", "/wall/stage",
)
ROLES = ("none", "device", "replay", "replay over", "replay ended", "other zone", "revoked", "local", "local by another name", "token")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE")


class House:
    """The server in this process, its people, and requests to it as plain ASGI."""

    def __init__(self, folder: Path) -> None:
        regency = toy.declare(folder / "config")
        secrets = folder / "secrets"
        secrets.mkdir()
        (secrets / "api_token").write_text("programs-token")
        (secrets / "api_token").chmod(0o600)
        self.serving: Serving = app(
            Settings(config=folder / "config", data=folder / "var", secrets=secrets), regency, zone=toy.zone(regency),
            build="b",
        )
        people = self.people
        self.tokens = {}
        for role, zone in (("device", "wall"), ("other zone", "tour"), ("revoked", "wall")):
            identity, code = devices.add_device(people, place=role, screen="west", zone=zone, now=clock.now())
            self.tokens[role] = devices.redeem(people, code, zone=zone, now=clock.now())
        devices.revoke(people, identity, now=clock.now())
        for role, begun in (("replay", timedelta(0)), ("replay over", timedelta(minutes=11)), ("replay ended", timedelta(0))):
            at = clock.now() - begun
            identity, code = viewings.grant(people, screen="west", at=1, who="Andi", lasts_seconds=600, now=at)
            self.tokens[role] = viewings.enter(people, code, now=at)[0]
        viewings.end(people, identity, who="Andi", now=clock.now())

    @property
    def people(self) -> Engine:
        return self.serving.people

    def scope(self, role: str, method: str, path: str, kind: str = "http", **headers: str) -> dict[str, Any]:
        own = {"host": BASE if role != "local by another name" else "rebound.example:8100", **headers}
        if role in self.tokens:
            own["cookie"] = "; ".join(f"__Host-cc-{zone}={self.tokens[role]}" for zone in ("wall", "replay"))
        if role == "token":
            own["authorization"] = "Bearer programs-token"
        return {
            "type": kind, "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "scheme": "http",
            "headers": [(key.replace("_", "-").encode(), value.encode()) for key, value in own.items()],
            "client": ("127.0.0.1" if role.startswith("local") else "10.1.2.3", 5), "server": ("127.0.0.1", 8100),
            "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
        }

    def ask(
        self, role: str, method: str, path: str, body: bytes = b"", kind: str = "http", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body); a WebSocket's status is its close code. A stream is left after its first bytes."""
        return run(self._ask(self.scope(role, method, path, kind, **headers), body))

    async def _ask(self, scope: dict[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        sent: list[dict[str, Any]] = []
        given = False
        first = asyncio.Event()

        async def receive() -> dict[str, Any]:
            nonlocal given
            if not given:
                given = True
                return {"type": "http.request", "body": body, "more_body": False}
            await first.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body":
                first.set()

        await asyncio.wait_for(self.serving(scope, receive, send), 20)
        if sent[0]["type"] == "websocket.close":
            return sent[0]["code"], {}, b""
        headers = {key.decode().lower(): value.decode() for key, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])

    def post(self, role: str, path: str, body: bytes, **headers: str) -> int:
        """A POST as a page of ours sends it."""
        sure = {"origin": f"http://{BASE}", "content_type": "application/json", **headers}
        return self.ask(role, "POST", path, body, **sure)[0]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    found = House(tmp_path_factory.mktemp("house"))
    found.serving.feed.seen_alive["work"] = float("inf")  # the feed is not started: its answers are given here
    found.serving.hub.publish(found.serving.snapshot.refresh(
        toy.Context(found.serving.feed.engines["figures"], found.serving.feed.regency, clock.now()), {"cases"}
    ))
    return found


def _policy(name: str, who: Who, role: str) -> set[int]:
    """What a request that is right in its form gets: the policy table in one place."""
    inside = {
        "readyz": {503}, "api": {404}, "mode": {200, 400}, "wall-enter": {400}, "wall-callback": {403}, "wall-receipt": {400},
        "wall-suites": {200, 304}, "replay-suites": {200, 304}, "replay-enter": {400}, "replay-style": {404},
    }.get(name, {200})
    if who == Who.LOCAL:
        return inside if role in ("local", "token") else {403}
    if who == Who.PROGRAM:
        return inside if role == "token" else {403}
    if who == Who.DEVICE:
        return inside if role == ("replay" if name.startswith("replay-") else "device") else {401}
    return inside


def test_the_examples_are_of_every_route() -> None:
    assert set(PATHS) == {route.name for route in ROUTES}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_path_and_role_is_as_the_policy_says(house: House, route: Any, role: str) -> None:
    house.serving.endpoints.tries, house.serving.endpoints.asks = devices.Tries(), devices.Tries()
    house.serving.receipts._came.clear()
    for method in METHODS:
        extra = {"origin": f"http://{BASE}", "content_type": "application/json"}
        host = {"origin": "http://rebound.example:8100"} if role == "local by another name" else {}
        status = house.ask(role, method, PATHS[route.name], b"{}", **{**extra, **host})[0]
        wanted = _policy(route.name, route.who, role) if method in route.methods else {405}
        assert status in wanted, (route.name, role, method, status)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_not_in_the_table_does_not_exist(house: House, role: str, path: str) -> None:
    for method in ("GET", "POST"):
        form = {"origin": f"http://{BASE}", "content_type": "application/json"}
        assert house.ask(role, method, path, b"{}", **form)[0] == 404


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", [*PATHS.values(), "/wall/_dash-ws-callback"])
def test_no_websocket_is_open(house: House, role: str, path: str) -> None:
    assert house.ask(role, "GET", path, kind="websocket", origin=f"http://{BASE}")[0] == 4403


def test_without_a_principal_the_index_is_the_pairing_page_and_tells_nothing(house: House) -> None:
    for role in ("none", "revoked", "other zone"):
        status, headers, body = house.ask(role, "GET", "/wall/")
        assert status == 200
        assert b"data-pairing" in body
        assert b"_dash" not in body
        assert headers["cache-control"] == "no-store"


def test_the_principal_gets_the_page_of_the_screen(house: House) -> None:
    _, headers, body = house.ask("device", "GET", "/wall/")
    assert b"_dash-config" in body
    assert "Max-Age=34560000" in headers["set-cookie"]
    words = ("__Host-cc-wall=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/")
    assert all(word in headers["set-cookie"] for word in words)


@pytest.mark.parametrize("headers", [
    {"origin": "http://evil.example"}, {"origin": f"https://{BASE}"}, {"origin": "null"},
    {"sec_fetch_site": "cross-site"},
    {"content_type": "application/json-evil"}, {"content_type": "text/plain"},
    {"content_type": "application/json; charset=utf-8"},
])
def test_a_post_that_is_not_ours_is_refused(house: House, headers: dict[str, str]) -> None:
    assert house.post("device", "/wall/_dash-update-component", b"{}", **headers) == 403
    assert house.post("none", "/wall/enter", b'{"code":"x"}', **headers) == 403


def test_a_post_without_an_origin_is_refused(house: House) -> None:
    assert house.ask("none", "POST", "/wall/enter", b"{}", content_type="application/json")[0] == 403


def test_a_body_over_the_cap_is_refused(house: House) -> None:
    assert house.post("none", "/wall/enter", b" " * ((1 << 20) + 1)) == 413


def test_codes_are_refused_alike_and_then_later(house: House) -> None:
    house.serving.endpoints.tries = devices.Tries(per_minute=4)
    body = json.dumps({"code": "AAAAA-AAAAA"}).encode()
    assert [house.post("none", "/wall/enter", body) for _ in range(6)] == [403] * 4 + [429] * 2
    house.serving.endpoints.tries = devices.Tries()


def test_a_code_becomes_the_cookie(house: House) -> None:
    _, code = devices.add_device(house.people, place="x", screen="west", zone="wall", now=clock.now())
    status, headers, _ = house.ask(
        "none", "POST", "/wall/enter", json.dumps({"code": code}).encode(), origin=f"http://{BASE}",
        content_type="application/json",
    )
    assert status == 204
    assert headers["set-cookie"].startswith("__Host-cc-wall=")


def _pair(house: House, body: bytes = b"{}") -> tuple[int, dict[str, str], bytes]:
    return house.ask("none", "POST", "/wall/pair", body, origin=f"http://{BASE}", content_type="application/json")


def test_a_stranger_gets_a_code_and_once_it_is_approved_the_cookie(house: House) -> None:
    house.serving.endpoints.asks, house.serving.endpoints.claims = devices.Tries(), devices.Tries()
    status, headers, body = _pair(house)
    told = json.loads(body)
    assert status == 200
    assert "set-cookie" not in headers
    assert (told["seconds"], len(told["code"])) == (600, 9)
    claim = json.dumps({"secret": told["secret"]}).encode()
    assert _pair(house, claim)[0] == 202
    joining.approve(house.people, told["code"], place="x", screen="west", zone="wall", now=clock.now())
    status, headers, _ = _pair(house, claim)
    assert status == 204
    assert headers["set-cookie"].startswith("__Host-cc-wall=")
    assert _pair(house, claim)[0] == 410


def test_codes_are_asked_for_and_fetched_at_a_limited_rate(house: House) -> None:
    house.serving.endpoints.asks, house.serving.endpoints.claims = devices.Tries(3), devices.Tries(2)
    assert [_pair(house)[0] for _ in range(4)] == [200] * 3 + [429]
    claim = json.dumps({"secret": "x" * 43}).encode()
    assert [_pair(house, claim)[0] for _ in range(3)] == [410] * 2 + [429]
    house.serving.endpoints.asks, house.serving.endpoints.claims = devices.Tries(), devices.Tries()


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"secret": ', b'"x"', b'{"code": "x"}'])
def test_a_bad_request_for_a_code_is_refused(house: House, body: bytes) -> None:
    house.serving.endpoints.asks, house.serving.endpoints.claims = devices.Tries(), devices.Tries()
    assert _pair(house, body)[0] == 400


def test_a_receipt_is_taken_from_its_device_alone(house: House) -> None:
    now = clock.now().timestamp() * 1000
    body = json.dumps({
        "screen": "west", "build": "b", "layout": "x", "seq": 1, "painted": {}, "torn": 0, "age_seconds": None, "frame_ms": 16,
        "heap_bytes": None, "clock_ms": now, "shown_ms": now, "width": 1920, "height": 1080, "ratio": 1,
    }).encode()
    house.serving.receipts._came.clear()
    assert [house.post(role, "/wall/receipt", body) for role in ("none", "other zone", "revoked")] == [401] * 3
    assert [house.post("device", "/wall/receipt", body) for _ in range(2)] == [204, 429]
    assert list(house.serving.receipts.last) == [
        found.id for found in devices.list_devices(house.people) if found.place == "device"
    ]


def test_a_device_outside_its_network_is_nobody_keeps_its_cookie_and_is_noted(house: House) -> None:
    _, code = devices.add_device(
        house.people, place="bound", screen="west", zone="wall", networks=("10.1.2.0/24",), now=clock.now()
    )
    house.tokens["bound"] = devices.redeem(house.people, code, zone="wall", now=clock.now())
    try:
        assert house.ask("bound", "GET", "/wall/_dash-layout")[0] == 200
        scope = {**house.scope("bound", "GET", "/wall/"), "client": ("10.9.9.9", 5)}
        _, headers, body = run(house._ask(dict(scope), b""))
        assert b"data-pairing" in body
        assert "set-cookie" not in headers
        assert run(house._ask({**scope, "path": "/wall/live", "raw_path": b"/wall/live"}, b""))[0] == 401
        with house.people.connect() as connection:
            noted = connection.execute(select(audit.c.what).where(audit.c.what == "device outside its network")).all()
        assert len(noted) <= 1
    finally:
        del house.tokens["bound"]


def test_the_security_headers_are_on_every_answer(house: House) -> None:
    for path in ("/healthz", "/nowhere", "/wall/", "/wall/_dash-layout"):
        _, headers, _ = house.ask("device", "GET", path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers


def test_data_is_not_kept_and_versioned_assets_for_ever(house: House) -> None:
    """V32."""
    for path in ("/wall/", "/wall/_dash-layout", "/wall/panel/figure", "/wall/live"):
        assert house.ask("device", "GET", path)[1]["cache-control"] == "no-store"
    scope = house.scope("device", "GET", "/wall/assets/live.js")
    for query, wanted in ((b"v=0123", "public, max-age=31536000, immutable"), (b"", "no-cache")):
        assert run(house._ask({**scope, "query_string": query}, b""))[1]["cache-control"] == wanted


def test_versioned_assets_are_packed_once_and_only_for_a_principal(house: House) -> None:
    scope = {**house.scope("device", "GET", "/wall/assets/live.js", accept_encoding="gzip"), "query_string": b"v=77"}
    first, again = (run(house._ask(dict(scope), b"")) for _ in range(2))
    assert first == again
    assert first[1]["content-encoding"] == "gzip"
    nobody = {**house.scope("none", "GET", "/wall/assets/live.js", accept_encoding="gzip"), "query_string": b"v=77"}
    assert run(house._ask(nobody, b""))[0] == 401
    plain = {**house.scope("device", "GET", "/wall/assets/live.js"), "query_string": b"v=77"}
    assert run(house._ask(plain, b""))[2].startswith(b"// The live client")


def test_the_addresses_of_assets_carry_their_hash(house: House) -> None:
    """V32."""
    body = house.ask("device", "GET", "/wall/")[2].decode()
    assert "assets/live.js?v=" in body
    assert "?m=" not in body


OUTPUTS = [
    ({"id": "a", "property": "children"}, "a.children"),
    ([{"id": "a", "property": "children"}, {"id": "b", "property": "value"}], "..a.children...b.value.."),
]


def _guarded(allowed: dict[str, frozenset[str]]) -> tuple[Guard, list[str]]:
    reached: list[str] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def principal_of(token: str, zone: str) -> Any:
        return devices.Principal(token, "d", ("west",), zone)

    return Guard(inside, Rules(principal_of, inside, {"wall": allowed})), reached


async def _call(guard: Guard, role: str, body: bytes) -> int:
    headers = {"host": BASE, "origin": f"http://{BASE}", "content-type": "application/json"}
    headers["cookie"] = f"__Host-cc-wall={role}"
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await guard({
        "type": "http", "method": "POST", "path": "/wall/_dash-update-component", "query_string": b"",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()], "client": ("10.1.1.1", 1),
    }, receive, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize(("outputs", "output"), OUTPUTS)
def test_a_callback_is_for_its_roles_only(outputs: Any, output: str) -> None:
    guard, _ = _guarded({output: frozenset({"operator"})})
    body = json.dumps({"output": output, "outputs": outputs}).encode()
    assert run(_call(guard, "operator", body)) == 200
    assert run(_call(guard, "device", body)) == 403


def test_an_output_that_says_one_thing_and_asks_another_is_refused() -> None:
    guard, reached = _guarded({"a.children": frozenset({"device"})})
    body = json.dumps({"output": "a.children", "outputs": {"id": "secret", "property": "children"}}).encode()
    assert run(_call(guard, "device", body)) == 403
    assert reached == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.one_of(st.binary(max_size=200), st.recursive(
    st.one_of(st.none(), st.text(max_size=9), st.integers()), lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["output", "outputs", "id", "property", "inputs"]), inner, max_size=4),
    )).map(lambda value: json.dumps(value).encode())))
def test_whatever_is_posted_nothing_gets_through_and_nothing_breaks(body: bytes) -> None:
    guard, reached = _guarded({"a.children": frozenset({"operator"})})
    assert run(_call(guard, "device", body)) == 403
    assert reached == []


def test_a_callback_without_a_role_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    import dash
    from fastapi import FastAPI

    from dashboard.serve import ZoneDash

    setup = ZoneDash._setup_server

    def with_one_more(self: Any) -> None:
        self.callback(dash.Output("a", "children"), dash.Input("b", "value"))(lambda value: value)
        setup(self)

    monkeypatch.setattr(ZoneDash, "_setup_server", with_one_more)
    assert CALLBACK_ROLES["wall"] == {}
    with pytest.raises(ConfigError, match="no role"):
        zone_dash(FastAPI(), "wall", "x", lambda: dash.html.Div())


@pytest.mark.parametrize(("host", "how", "allowed"), [
    ("127.0.0.1", {}, True), ("::1", {}, True), ("localhost", {}, True), ("0.0.0.0", {}, False),
    ("10.1.2.3", {}, False),
    ("10.1.2.3", {"behind_proxy": True}, True), ("0.0.0.0", {"insecure_lan": True}, True),
])
def test_an_address_beyond_this_machine_needs_tls(host: str, how: dict[str, bool], allowed: bool) -> None:
    said = {"behind_proxy": False, "insecure_lan": False, **how}
    outcome = "allowed"
    try:
        allowed_address(host, None, None, **said)
    except ConfigError:
        outcome = "refused"
    assert outcome == ("allowed" if allowed else "refused")


def test_a_proxy_in_front_makes_loopback_prove_nothing() -> None:
    guard, _ = _guarded({})
    guard.rules.proxied = True
    assert not guard._local({"client": ("127.0.0.1", 1), "headers": [(b"host", b"127.0.0.1:8100")]})


def test_a_trial_without_tls_uses_an_unprefixed_cookie() -> None:
    guard, _ = _guarded({})
    guard.rules.secure = False
    assert guard.rules.cookie("wall", "t", max_age=1).startswith(b"cc-wall=t;")
    assert b"Secure" not in guard.rules.cookie("wall", "t", max_age=1)


def test_the_hub_is_told_by_the_principal_what_a_stream_carries(house: House) -> None:
    assert isinstance(house.serving.hub, Hub)
    status, _, body = house.ask("device", "GET", "/wall/live", query="screen=other")
    assert status == 200
    assert body.count(b"event: frame") == 3


def test_a_look_is_of_its_zone_only_and_its_page_may_hold_a_frame_of_itself(house: House) -> None:
    _, headers, body = house.ask("replay", "GET", "/replay/")
    assert b"REKAMAN" in body
    assert b"RECORDING" in body
    assert "frame-src 'self'; frame-ancestors 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in house.ask("device", "GET", "/wall/")[1]["content-security-policy"]
    for role in ("none", "device", "replay over", "replay ended", "revoked"):
        _, _, closed = house.ask(role, "GET", "/replay/")
        assert b"data-pairing" in closed
        assert b"REKAMAN \xc2\xb7" not in closed
    assert b"data-pairing" in house.ask("replay", "GET", "/wall/")[2]


def test_a_code_opens_one_look_once_for_as_long_as_was_granted(house: House) -> None:
    _, code = viewings.grant(house.people, screen="west", at=1, who="Andi", lasts_seconds=900, now=clock.now())
    form = {"origin": f"http://{BASE}", "content_type": "application/json"}
    body = json.dumps({"code": code.lower()}).encode()
    status, headers, _ = house.ask("none", "POST", "/replay/enter", body, **form)
    assert status == 204
    assert headers["set-cookie"].startswith("__Host-cc-replay=")
    assert "Max-Age=900" in headers["set-cookie"]
    assert house.post("none", "/replay/enter", body) == 403
    assert house.post("none", "/wall/enter", body) == 403
    with pytest.raises(ProductError, match="12 hours"):
        viewings.grant(house.people, screen="west", at=1, who="Andi", lasts_seconds=13 * 3600, now=clock.now())


def test_the_stage_alone_shows_nothing_and_loads_no_live_client(house: House) -> None:
    body = house.ask("replay", "GET", "/replay/stage")[2].decode()
    assert "gather.js" in body
    assert re.findall(r"assets/[\w.]+", body) == ["assets/gather.js"]
    assert json.loads(house.ask("replay", "GET", "/replay/_dash-layout")[2])["props"] == {"id": "replayed", "children": None}


def test_a_look_sees_its_screen_at_any_moment_and_styles_only_by_a_spans_hash(house: House) -> None:
    recorder = house.serving.recorder
    recorder.keep(list(house.serving.hub.states.values()))
    recorder.show("west", "west", {"scene": "one", "page": 1, "pages": 1, "until": 0})
    recorder._take_over()
    recorder._write()
    recorder._finish()
    at = recorder._marked
    found = json.loads(house.ask("replay", "GET", f"/replay/moment/{recorder._from}")[2])
    assert set(found["panels"]) == {"figure", "list", "frail"}
    assert found["ends_at"] <= clock.now().timestamp() + 600
    status, headers, style = house.ask("replay", "GET", f"/replay/assets/recorded-{found['style']}.css")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/css; charset=utf-8", "no-store")
    assert b"--fs-xl" in style
    assert house.ask("replay", "GET", f"/replay/assets/recorded-{found['page']}.css")[0] == 404
    assert json.loads(house.ask("replay", "GET", f"/replay/moment/{at + 60_000}")[2])["gap"]["why"] == "stopped"
    assert json.loads(house.ask("replay", "GET", f"/replay/since/{at + 60_000}")[2])["figures"] == []
