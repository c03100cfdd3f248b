"""The guard: outermost, pure ASGI, default deny, for HTTP and WebSocket alike.

It knows every path by name (:mod:`dashboard.access.policy`), turns the cookie into a principal, lets a callback through
only when it is in the principal's list, and writes the security and cache headers of every answer.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from dashboard.access.devices import Principal
from dashboard.access.policy import Cache, Route, Who, route_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_CAP_BYTES = 1 << 20
LONGEST_TOKEN = 200
PRINCIPAL: ContextVar[Principal | None] = ContextVar("principal", default=None)
"""Who the request being answered is, for layouts and callbacks."""


@dataclass
class Rules:
    """What the guard is told. ``principal_of(token, zone)`` runs in the event loop and may wait; ``outside(who, address)`` is
    told of a principal that comes from outside its networks (and is refused).

    ``callbacks``: zone → callback's ``output`` → roles. ``script_hashes``: zone → Dash's hashes of its inline scripts.
    ``secure``: the browser reaches us by TLS (or by loopback), so that cookies may be ``__Host-``. ``proxied``: a proxy
    in front, so that the peer's address says nothing. ``token``: of the interface for programs, or ``None``. ``framing``:
    zones whose pages hold a frame of their own zone (the stage of a replay).
    """

    principal_of: Callable[[str, str], Awaitable[Principal | None]]
    pairing_page: App
    callbacks: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    script_hashes: dict[str, list[str]] = field(default_factory=dict)
    secure: bool = True
    tls: bool = False
    proxied: bool = False
    token: str | None = None
    outside: Callable[[Principal, str], None] = lambda who, address: None
    framing: frozenset[str] = frozenset()

    def cookie_name(self, zone: str) -> str:
        """The cookie of a zone; ``__Host-`` wherever the browser accepts it."""
        return f"{'__Host-' if self.secure else ''}cc-{zone}"

    def cookie(self, zone: str, token: str, *, max_age: int) -> bytes:
        """A ``Set-Cookie`` header."""
        secure = "; Secure" if self.secure else ""
        name = self.cookie_name(zone)
        return f"{name}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}".encode()


def security_headers(rules: Rules, zone: str) -> list[tuple[bytes, bytes]]:
    """The headers of every answer (faults.md 3.5)."""
    scripts = " ".join(["'self'", *rules.script_hashes.get(zone, [])])
    frames = "frame-src 'self'; frame-ancestors 'self'" if zone in rules.framing else "frame-ancestors 'none'"
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self'; connect-src 'self'; {frames}; base-uri 'none'; form-action 'self'; "
        "object-src 'none'"
    )
    headers = {
        "content-security-policy": policy, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }
    if rules.tls:
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def answer(
    send: Send, status: int, body: bytes = b"", *, kind: str = "text/plain; charset=utf-8",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """A whole small answer."""
    head = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


def header(scope: Scope, name: bytes) -> str:
    """A request header's only value; empty when there is none, or more than one (nobody honest sends two)."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else ""


class Guard:
    """Wraps the whole server. 404 for what does not exist, 401 without a principal, 403 for what is not allowed."""

    def __init__(self, app: App, rules: Rules) -> None:
        self.app, self.rules = app, rules
        self._headers: dict[str, list[tuple[bytes, bytes]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or pass on one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403})  # no WebSocket is open to anybody
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = route_of(scope["path"]) if scope.get("raw_path", b"").find(b"%") < 0 else None
        send = self._dressed(scope, route, send)
        if route is None:
            await answer(send, 404, b"not found")
            return
        if scope["method"] not in route.methods:
            allowed = ", ".join(sorted(route.methods)).encode()
            await answer(send, 405, b"method not allowed", headers=[(b"allow", allowed)])
            return
        if not self._may_knock(scope, route):
            await answer(send, 403, b"forbidden")
            return
        who = await self._principal(scope, route.zone) if route.who in (Who.DEVICE, Who.INDEX) else None
        if who is None and route.who == Who.INDEX:
            await self.rules.pairing_page(scope, receive, send)
            return
        if who is None and route.who == Who.DEVICE:
            await answer(send, 401, b"unauthorized")
            return
        if scope["method"] == "POST":
            body = await self._body(scope, receive, send)
            if body is None:
                return
            if route.name.endswith("-callback") and not self._may_call(route.zone, who, body):
                await answer(send, 403, b"forbidden")
                return
            receive = _replay(body, receive)
        scope = {**scope, "principal": who, "route": route}
        token = PRINCIPAL.set(who)
        try:
            await self.app(scope, receive, send)
        finally:
            PRINCIPAL.reset(token)

    async def _principal(self, scope: Scope, zone: str) -> Principal | None:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(header(scope, b"cookie"))
        except CookieError:
            return None
        found = jar.get(self.rules.cookie_name(zone))
        if found is None or len(found.value) > LONGEST_TOKEN:
            return None
        who = await self.rules.principal_of(found.value, zone)
        if who is not None and not who.may_come_from(address := scope["client"][0] if scope.get("client") else ""):
            scope["outside"] = True  # its cookie is not taken away: it may come home
            self.rules.outside(who, address)
            return None
        return who

    def _may_knock(self, scope: Scope, route: Route) -> bool:
        """What a request must show whoever asks. Programs send the token in a header that no other site's page can send for them,
        so that their requests need not come from a page of ours."""
        if route.who == Who.PROGRAM:
            return self._has_token(scope) and (scope["method"] != "POST" or header(scope, b"content-type") == "application/json")
        if route.who == Who.LOCAL and not self._local(scope):
            return False
        return scope["method"] != "POST" or self._ours(scope)

    def _ours(self, scope: Scope) -> bool:
        """Whether a POST comes from a page of ours and is exactly JSON (faults.md 3.4)."""
        origin = urlsplit(header(scope, b"origin"))
        scheme = "https" if self.rules.tls or self.rules.proxied else "http"
        host = header(scope, b"host")
        site = header(scope, b"sec-fetch-site")
        return (
            bool(host) and origin.netloc == host and origin.scheme == scheme and site in ("", "same-origin")
            and header(scope, b"content-type") == "application/json"
        )

    def _local(self, scope: Scope) -> bool:
        """Whether the caller is this machine (asking for it by a loopback name), or shows the interface's token."""
        if self._has_token(scope):
            return True
        if self.rules.proxied or not scope.get("client"):
            return False
        name = urlsplit(f"//{header(scope, b'host')}").hostname or ""
        return _loopback(scope["client"][0]) and (name == "localhost" or _loopback(name))

    def _has_token(self, scope: Scope) -> bool:
        given = header(scope, b"authorization").removeprefix("Bearer ")
        return bool(self.rules.token and given) and hmac.compare_digest(given.encode(), str(self.rules.token).encode())

    async def _body(self, scope: Scope, receive: Receive, send: Send) -> bytes | None:
        """The whole body, or ``None`` after refusing one that is too long or was cut off."""
        declared = header(scope, b"content-length")
        parts, size = [], 0
        while True:
            if size > BODY_CAP_BYTES or (declared.isdigit() and int(declared) > BODY_CAP_BYTES):
                await answer(send, 413, b"too large", headers=[(b"connection", b"close")])
                return None
            message = await receive()
            if message["type"] != "http.request":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if not message.get("more_body") and size <= BODY_CAP_BYTES:
                return b"".join(parts)

    def _may_call(self, zone: str, who: Principal | None, body: bytes) -> bool:
        """Whether a callback's body names one output that is in the principal's list, and agrees with itself."""
        try:
            asked = json.loads(body)
            output = asked["output"]
            if not isinstance(output, str) or _output_of(asked["outputs"]) != output:
                return False
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        return who is not None and who.role in self.rules.callbacks.get(zone, {}).get(output, frozenset())

    def _dressed(self, scope: Scope, route: Route | None, send: Send) -> Send:
        zone = route.zone if route else ""
        if zone not in self._headers or not self.rules.script_hashes.get(zone):
            self._headers[zone] = security_headers(self.rules, zone)
        extra = self._headers[zone]
        keep = Cache.NEVER
        if route is not None and route.versioned:
            keep = Cache.ALWAYS if versioned(scope) else Cache.ASK

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = Cache.NEVER if message["status"] >= 400 else keep
                own = {name for name, _ in message["headers"]}
                message = {**message, "headers": [
                    *((name, value) for name, value in message["headers"] if name.lower() != b"cache-control"),
                    *((name, value) for name, value in extra if name not in own),
                    (b"cache-control", kept.value.encode()),
                ]}
            await send(message)

        return dressed


def versioned(scope: Scope) -> bool:
    """Whether the address carries its content's version: ours in the query, Dash's in the name."""
    return bool(scope["query_string"].startswith(b"v=")) or ".v" in scope["path"].rsplit("/", 1)[-1]


def _loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _output_of(outputs: Any) -> str:
    """Dash's name of a callback by its outputs: ``a.children``, or ``..a.x...b.y..`` for several."""
    if isinstance(outputs, list):
        return ".." + "...".join(_output_of(each) for each in outputs) + ".."
    if not isinstance(outputs["id"], str) or not isinstance(outputs["property"], str):
        raise TypeError("an id by pattern")  # no callback of ours has one
    return outputs["id"].replace(".", "\\.") + "." + outputs["property"]


def _replay(body: bytes, receive: Receive) -> Receive:
    """``receive`` again for those inside: the body first, then what the connection says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
