"""The serve process: one server for the wall, its live layer, and the guard around both.

It reads figures, writes people's work (sessions, audit) and recordings. Several may run: none keeps what another needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from dash import Dash, html
from fastapi import FastAPI

from dashboard import clock, heartbeat
from dashboard.access import devices, viewings
from dashboard.access.devices import Principal
from dashboard.backup.opening import open_store
from dashboard.errors import ConfigError
from dashboard.guard import PRINCIPAL, App, Guard, Receive, Rules, Scope, Send
from dashboard.live import stage
from dashboard.live.endpoints import Endpoints
from dashboard.live.feed import Feed
from dashboard.live.hub import Hub, Pace
from dashboard.live.kept import Kept
from dashboard.live.readiness import Readiness
from dashboard.live.receipts import Receipts
from dashboard.live.recorder import Recorder
from dashboard.live.snapshot import Said, Snapshot
from dashboard.live.switch import Switch
from dashboard.live.zone import Pages, Zone, address
from dashboard.store import overrides
from dashboard.store.lease import holder_name
from dashboard.walls import wall_zone

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency
    from config.settings import Settings

log = structlog.get_logger("serve")

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "assets"
STORES = ("figures", "people", "recordings")
GRACE_SECONDS = 1
AUDITED_EVERY_SECONDS = 600
BEAT_TICKS = 50
UNREAD_MILLISECONDS = 20_000
"""After so long without a sign of reading, the operating system ends a connection (zero window, dead cable)."""
CALLBACK_ROLES: Mapping[str, Mapping[str, frozenset[str]]] = {"wall": {}, "replay": {}}
"""Zone → Dash callback's output → roles that may call it. A registered callback that is not here stops the start."""


def build_id(root: Path = ROOT) -> str:
    """The name of this build: its version and the content of its sources and assets. Pages of another build reload."""
    whole = hashlib.sha256(version("dash").encode())
    for folder, kinds in (("dashboard", ".py .js .css"), ("layouts", ".py"), ("assets", ".js .css .woff2 .svg")):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in kinds.split() and path.is_file():
                whole.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:16]


class ZoneDash(Dash):
    """Dash with addresses of assets that carry their content's hash, so that they may be kept for ever (V32).

    ``language()`` is that of the page being asked for.
    """

    language: Callable[[], str]

    def _config(self) -> dict[str, Any]:
        """Without the address of the WebSocket: it is closed, and the page would knock there again and again."""
        config: dict[str, Any] = super()._config()  # type: ignore[no-untyped-call]
        config.pop("websocket", None)
        return config

    def interpolate_index(self, **parts: str) -> str:  # type: ignore[override]
        """The index; ``?m=<time of change>`` of our assets becomes ``?v=<hash of the content>``."""
        for key in ("css", "scripts", "favicon"):
            parts[key] = re.sub(r"assets/([\w./-]+)\?m=[\d.]+", lambda found: address(ASSETS, found[1]), parts[key])
        index = str(super().interpolate_index(**parts))  # type: ignore[no-untyped-call]
        return index.replace("<html>", f'<html lang="{self.language()}">')


WALL_LEAVES, STAGE_LEAVES = r"^(?!(?!replay\.).*\.(js|css|ico)$)", r"^(?!gather\.js$)"
"""Assets that a zone's page does not load by itself: on the stage of a replay neither today's styles nor the live client."""


def zone_dash(
    server: FastAPI, zone: str, title: str, layout: Callable[[], Any], language: Callable[[], str] = lambda: "id",
    leaves: str = WALL_LEAVES,
) -> Dash:
    """The Dash instance of a zone (design §3, "Dash settings that worked"). Raises ``ConfigError`` for a callback
    without a role."""
    dash = ZoneDash(
        f"command-center-{zone}", server=server,  # type: ignore[arg-type]
        url_base_pathname=f"/{zone}/", assets_folder=str(ASSETS), use_pages=False, compress=True, title=title,
        update_title="", serve_locally=True, include_pages_meta=False, assets_ignore=leaves,
    )
    dash.language, dash.layout = language, layout
    dash._setup_server()  # type: ignore[no-untyped-call]  # now rather than with the first request: what is wrong stops the start
    unnamed = sorted(set(dash.callback_map) - set(CALLBACK_ROLES[zone]))
    if unnamed:
        raise ConfigError(
            f"callback {unnamed[0]!r} of zone {zone} has no role; add it to CALLBACK_ROLES",
            f"callback {unnamed[0]!r} di zona {zone} belum punya peran; tambahkan ke CALLBACK_ROLES",
        )
    return dash


@dataclass(frozen=True)
class Reach:
    """How a browser reaches us: ``secure`` (TLS or loopback, so that cookies may be ``__Host-``), ``tls`` (ours),
    ``proxied`` (a proxy's)."""

    secure: bool = True
    tls: bool = False
    proxied: bool = False


class Serving:
    """The whole server as one ASGI application, with its threads; started and stopped by the server's lifespan."""

    def __init__(
        self, settings: Settings, regency: Regency, engines: Mapping[str, Engine], zone: Zone, *, build: str,
        reach: Reach | None = None, now: Callable[[], datetime] = clock.now, pace: Pace | None = None,
    ) -> None:
        reach = reach or Reach()
        self.people, self.now = engines["people"], now
        self.snapshot = Snapshot(zone.instances)
        self.recorder = Recorder(
            engines["recordings"], holder_name("serve"), now=now, around=stage.surroundings(regency, zone, build, ASSETS)
        )
        self.hub = Hub(
            zone.plans, build=build, living=self._living, now_ms=lambda: int(now().timestamp() * 1000), pace=pace, modes=zone.modes,
            speaks=lambda: self.feed.works, on_turn=self.recorder.show,
        )
        declared = {name: screen.pixels for name, screen in regency.screens.items()}
        self.receipts = Receipts(  # a wall of the demo is a window on somebody's desk, of any size
            self.people, self.hub, {} if regency.simulated else declared, now=now
        )
        self.feed = Feed(
            self.snapshot, figures=engines["figures"], people=self.people, regency=regency, now=now,
            publish=self._publish, on_people=self._people_changed,
        )
        self.pages = Pages(zone, build)
        self._known: dict[str, tuple[float, Principal]] = {}
        self._refused: dict[str, float] = {}
        server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        dash = zone_dash(server, zone.name, regency.title.id, self._layout, lambda: _language(regency))
        bare = zone_dash(server, "replay", regency.title.id, lambda: html.Div(id="replayed"), leaves=STAGE_LEAVES)
        self.replaying = stage.replay_zone(server, regency, engines, now, ASSETS)
        words = {language: regency.words[language]["access"] for language in ("id", "en")}
        self.endpoints = Endpoints(
            Kept(server), pages=self.pages, hub=self.hub, snapshot=self.snapshot, receipts=self.receipts,
            people=self.people, ready=Readiness(engines, self.going).word, words=words, now=now,
        )
        self.endpoints.add({**self.replaying.routes, "mode": Switch(regency, self.people, now)})
        hashes = {name: [str(value) for value in each.csp_hashes()] for name, each in ((zone.name, dash), ("replay", bare))}
        rules = Rules(
            principal_of=self._principal_of, pairing_page=self._without_principal, callbacks=CALLBACK_ROLES,
            script_hashes=hashes, secure=reach.secure, tls=reach.tls, proxied=reach.proxied,
            token=settings.secret("api_token"), outside=self._outside, framing=frozenset({"replay"}),
        )
        self.endpoints.rules = self.replaying.rules = rules
        self.guard = Guard(self.endpoints, rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self.guard(scope, receive, send)

    def going(self) -> bool:
        """Whether every panel said something and both stores are being watched."""
        return self.snapshot.complete and bool(self.hub.states or not self.snapshot.instances) and self.feed.alive

    async def stop_streams(self) -> None:
        """End the open streams; the screens come back by themselves."""
        await self.hub.stop()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(self._read_overrides)
                self.hub.start()
                self.receipts.start()
                self.recorder.start()
                self.feed.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.hub.stop()
                await self.receipts.stop()
                await asyncio.to_thread(self.feed.stop)
                await asyncio.to_thread(self.recorder.stop)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _publish(self, new: list[Said]) -> None:
        self.receipts.published(new)
        self.hub.publish_soon(new)
        self.recorder.keep(new)

    def _people_changed(self) -> None:
        self._known = {}
        self.hub.check_soon()
        self._read_overrides()

    def _living(self, sessions: set[bytes]) -> set[bytes]:
        """Which sessions still are somebody's; with them, should a change not have been heard, the modes chosen by hand."""
        self._read_overrides()
        return devices.living(self.people, sessions, now=self.now())

    def _read_overrides(self) -> None:
        """Take the modes that were chosen by hand as they are now; one that cannot be read stays as it was."""
        modes = self.pages.zone.modes
        if modes is None:
            return
        try:
            found = overrides.holding(self.people, now=self.now())
        except Exception as err:  # noqa: BLE001  (asked again with the next check)
            log.warning("modes cannot be read", error=f"{type(err).__name__}: {err}")
            return
        if modes.replace(found):
            self.hub.modes_changed()

    def _outside(self, who: Principal, address: str) -> None:
        """Note, once in a while for each device, that its token came from elsewhere."""
        at = time.monotonic()
        if at - self._refused.get(who.device, -AUDITED_EVERY_SECONDS) < AUDITED_EVERY_SECONDS:
            return
        self._refused[who.device] = at
        log.warning("device outside its network", device=who.device, address=address)
        work = asyncio.to_thread(devices.refused, self.people, who, address, now=self.now())
        self._kept = asyncio.ensure_future(work)

    async def _without_principal(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The index of a zone for somebody without a principal of it."""
        closed = self.replaying.closed if scope["path"].startswith("/replay/") else self.endpoints.pairing
        await closed(scope, receive, send)

    async def _principal_of(self, token: str, zone: str) -> Principal | None:
        """Who a token is. A good answer is kept for a second: a page asks for some twenty things at once."""
        at = self.now().timestamp()
        kept = self._known.get(f"{zone} {token}")
        if kept is not None and 0 <= at - kept[0] < 1:
            return kept[1]
        if zone == viewings.ZONE:
            found = await asyncio.to_thread(viewings.principal, self.people, token, now=self.now())
        else:
            found = await asyncio.to_thread(devices.principal, self.people, token, zone=zone, now=self.now())
        if found is not None:
            if len(self._known) > 2000:
                self._known = {}
            self._known[f"{zone} {token}"] = (at, found)
        return found

    def _layout(self) -> Any:
        """Dash's layout: that of the principal's screen (the guard set it); without one there is nothing to see."""
        who = PRINCIPAL.get()
        plan = self.hub.showing(who.screens[0]) if who is not None else None
        if plan is None:
            return html.Div()
        return html.Div(self.pages.layout(plan.name, self.hub.states))


def _language(regency: Regency) -> str:
    """The language of the screen of the principal whose request is being answered."""
    who = PRINCIPAL.get()
    screen = regency.screens.get(who.screens[0]) if who is not None and who.screens else None
    return screen.language if screen is not None else "id"


class _Server(uvicorn.Server):
    """Ends the streams first, so that a stop does not wait for screens that never hang up; tells systemd that it lives; takes
    up a renewed certificate."""

    serving: Serving
    _certified = ""

    async def on_tick(self, counter: int) -> bool:
        """Uvicorn's own turn, ten a second, on the event loop: one that hangs sends no sign of life."""
        if counter % BEAT_TICKS == 0:
            if self.serving.feed.turns:
                heartbeat.beat()
            self._renew_certificate()
        return await super().on_tick(counter)

    def _renew_certificate(self) -> None:
        """New connections get the certificate that lies there now; a pair that does not fit yet is tried again."""
        found, context = self.config.ssl_certfile, self.config.ssl
        if found is None or context is None:
            return
        try:
            stamp = str(Path(found).stat().st_mtime_ns)
            if self._certified and stamp != self._certified:
                context.load_cert_chain(found, self.config.ssl_keyfile)
                log.info("certificate is renewed", file=str(found))
            self._certified = stamp
        except (OSError, ssl.SSLError) as err:
            log.warning("certificate cannot be taken up", file=str(found), error=f"{type(err).__name__}: {err}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.serving.stop_streams()
        await super().shutdown(sockets)


def allowed_address(
    host: str, tls_cert: Path | None, tls_key: Path | None, *, behind_proxy: bool, insecure_lan: bool
) -> None:
    """Refuse an address that would show the screens without TLS. Raises ``ConfigError``."""
    if bool(tls_cert) != bool(tls_key):
        raise ConfigError(
            "--tls-cert and --tls-key belong together; give both", "--tls-cert dan --tls-key harus bersama; berikan keduanya"
        )
    for path in (tls_cert, tls_key):
        if path is not None and not path.is_file():
            raise ConfigError(f"{path}: no such file; check the path", f"{path}: berkas tidak ada; periksa jalurnya")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not (loopback or tls_cert or behind_proxy or insecure_lan):
        raise ConfigError(
            f"{host} is not this machine alone: give --tls-cert and --tls-key, --behind-proxy, or, for a trial, "
            "--insecure-lan",
            f"{host} bukan hanya mesin ini: beri --tls-cert dan --tls-key, --behind-proxy, atau, untuk uji coba, "
            "--insecure-lan",
        )


def listening(host: str, port: int) -> socket.socket:
    """A socket whose connections end by themselves when the other side stops reading."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
    try:
        bound.bind((host, port))
    except OSError as err:
        raise ConfigError(
            f"{host}:{port}: cannot be listened on ({err.strerror}); choose another --host or --port",
            f"{host}:{port}: tidak dapat dipakai ({err.strerror}); pilih --host atau --port lain",
        ) from err
    return bound


def app(settings: Settings, regency: Regency, *, zone: Zone | None = None, build: str = "", **how: Any) -> Serving:
    """The server on migrated stores. ``how``: of :class:`Serving`."""
    engines = {name: open_store(settings, name, check=True) for name in STORES}
    return Serving(settings, regency, engines, zone or wall_zone(regency), build=build or build_id(), **how)


def run_serve(
    settings: Settings, regency: Regency, *, host: str = "127.0.0.1", port: int = 8100, tls_cert: Path | None = None,
    tls_key: Path | None = None, behind_proxy: bool = False, insecure_lan: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``ConfigError`` for an address that is not allowed or not free."""
    allowed_address(host, tls_cert, tls_key, behind_proxy=behind_proxy, insecure_lan=insecure_lan)
    serving = app(settings, regency, reach=Reach(not insecure_lan, tls_cert is not None, behind_proxy))
    run_server(
        serving, listening(host, port), proxy_headers=behind_proxy, ssl_certfile=tls_cert and str(tls_cert),
        ssl_keyfile=tls_key and str(tls_key),
    )


def run_server(serving: Serving | App, bound: socket.socket, **options: Any) -> None:
    """Run on a bound socket until told to stop by a signal."""
    config = uvicorn.Config(
        serving, **{"proxy_headers": False, **options}, server_header=False, access_log=False, log_level="error", log_config=None,
        ws="none", lifespan="on", backlog=2048, timeout_graceful_shutdown=GRACE_SECONDS, timeout_keep_alive=30,
    )
    server = _Server(config)
    server.serving = serving  # type: ignore[assignment]
    server.run(sockets=[bound])
