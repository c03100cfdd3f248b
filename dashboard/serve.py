"""The serve process: one server for the wall, its live layer, and the guard around both.

It reads figures, writes people's work (sessions, audit) and recordings. Several may run: none keeps what another needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
import re
import socket
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

from dashboard import clock
from dashboard.access import devices, pairing, viewings
from dashboard.access.devices import Principal
from dashboard.backup.opening import open_store
from dashboard.errors import ConfigError
from dashboard.guard import PRINCIPAL, App, Guard, Receive, Rules, Scope, Send
from dashboard.live import replay_page
from dashboard.live.endpoints import Endpoints
from dashboard.live.feed import Feed
from dashboard.live.frames import encode, plain
from dashboard.live.hub import Hub, Pace, ScreenPlan
from dashboard.live.kept import Kept
from dashboard.live.recorder import Recorder, Surroundings
from dashboard.live.replaying import Replaying
from dashboard.live.scenes import Planned
from dashboard.live.snapshot import Instance, Said, Snapshot
from dashboard.live.zone import Pages, Zone, layout_hash
from dashboard.store.lease import holder_name
from dashboard.words import Say

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency, Screen
    from config.settings import Settings

log = structlog.get_logger("serve")

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "assets"
STORES = ("figures", "people", "recordings")
GRACE_SECONDS = 1
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


WALL_LEAVES, STAGE_LEAVES = r"^(?!(?!replay\.).*\.(js|css|ico)$)", r"^(?!gather\.js$)"
"""Assets that a zone's page does not load by itself: on the stage of a replay neither today's styles nor the live client."""


def wall_zone(regency: Regency) -> Zone:
    """The wall as declared: every distinct panel instance of all screens, each screen's plan and page."""
    from layouts import wall
    from layouts.panels import panel

    says = {language: Say(regency, language) for language in ("id", "en")}
    instances: dict[str, Instance] = {}
    plans: dict[str, ScreenPlan] = {}
    for name, screen in regency.screens.items():
        declared = wall.instances(regency, name)
        for found in declared:
            if found.id not in instances:
                instances[found.id] = _instance(found, panel(found.panel), says[found.language])
        ids = tuple(dict.fromkeys(found.id for found in declared))
        scenes = tuple(
            Planned(scene, int(regency.scenes[scene].dwell.total_seconds() * 1000), _of_scene(regency, screen, scene))
            for scene in screen.scenes
        )
        empty = plain(wall.page(regency, name, {}, says[screen.language]))
        plans[name] = ScreenPlan(name, ids, scenes, layout_hash(screen.model_dump(mode="json"), empty))

    def page(screen: str, drawn: Mapping[str, Any]) -> Any:
        return plain(wall.page(regency, screen, drawn, says[regency.screens[screen].language]))

    return Zone("wall", tuple(instances.values()), plans, page)


def _of_scene(regency: Regency, screen: Screen, scene: str) -> tuple[str, ...]:
    from layouts.wall import instance

    return tuple(instance(each.panel, each.params, screen.language).id for each in regency.scenes[scene].panels)


def _instance(found: Any, module: Any, say: Say) -> Instance:
    query, params = module.query, dict(found.params)
    return Instance(
        found.id, ask=lambda context: query(context, **params), draw=lambda answer: module.draw(answer, say),
        failed=lambda: html.Div(say("access.panel_failed"), className="panel-failed"), reads=query.reads,
        at_most_every=query.at_most_every, question=(query, json.dumps(params, sort_keys=True, default=str)),
    )


class ZoneDash(Dash):
    """Dash with addresses of assets that carry their content's hash, so that they may be kept for ever (V32)."""

    def _config(self) -> dict[str, Any]:
        """Without the address of the WebSocket: it is closed, and the page would knock there again and again."""
        config: dict[str, Any] = super()._config()  # type: ignore[no-untyped-call]
        config.pop("websocket", None)
        return config

    def interpolate_index(self, **parts: str) -> str:  # type: ignore[override]
        """The index; ``?m=<time of change>`` of our assets becomes ``?v=<hash of the content>``."""
        for key in ("css", "scripts", "favicon"):
            parts[key] = re.sub(r"assets/([\w./-]+)\?m=[\d.]+", _versioned, parts[key])
        return str(super().interpolate_index(**parts))  # type: ignore[no-untyped-call]


def _versioned(found: re.Match[str]) -> str:
    return asset(found[1])


def asset(name: str) -> str:
    """The address of an asset, relative to its zone, with the version of its content."""
    return f"assets/{name}?v={hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:16]}"


def surroundings(regency: Regency, zone: Zone, build: str) -> Surroundings:
    """What the recorder keeps beside the panels: each screen's page without panels, the style sheets of this build."""
    sheets = [path.read_bytes() for path in sorted(ASSETS.glob("*.css")) if not path.name.startswith("replay.")]
    pages = {}
    for name, plan in zone.plans.items():
        screen = regency.screens[plan.name]
        pages[name] = encode({
            "page": zone.page(name, {}), "layout": plan.layout, "instances": plan.instances, "pixels": screen.pixels,
            "language": screen.language,
        })
    return Surroundings(build, b"\n".join(sheets), pages)


def replay_zone(inner: App, regency: Regency, engines: Mapping[str, Engine], now: Callable[[], datetime]) -> Replaying:
    """The zone of recordings: its outer page and the one without a right, in both languages."""
    words = {language: regency.words[language]["replay"] for language in ("id", "en")}
    assets = {name: asset(name) for name in ("tokens.css", "replay.css", "ages.js", "replay.js")}
    return Replaying(
        inner, recordings=engines["recordings"], figures=engines["figures"], people=engines["people"], regency=regency, now=now,
        page=replay_page.page(words, zone=regency.timezone, zone_name=Say(regency).zone_name, assets=assets),
        entry=pairing.page("replay", {language: words[language]["enter"] for language in words}), entry_policy=pairing.policy(),
    )


def zone_dash(server: FastAPI, zone: str, title: str, layout: Callable[[], Any], leaves: str = WALL_LEAVES) -> Dash:
    """The Dash instance of a zone (design §3, "Dash settings that worked"). Raises ``ConfigError`` for a callback
    without a role."""
    dash = ZoneDash(
        f"command-center-{zone}", server=server,  # type: ignore[arg-type]
        url_base_pathname=f"/{zone}/", assets_folder=str(ASSETS), use_pages=False, compress=True, title=title,
        update_title="", serve_locally=True, include_pages_meta=False, assets_ignore=leaves,
    )
    dash.index_string = dash.index_string.replace("<html>", '<html lang="id">')
    dash.layout = layout
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
            engines["recordings"], holder_name("serve"), now=now, around=surroundings(regency, zone, build)
        )
        self.hub = Hub(
            zone.plans, build=build, living=lambda sessions: devices.living(self.people, sessions, now=now()),
            now_ms=lambda: int(now().timestamp() * 1000), pace=pace, on_turn=self.recorder.show,
        )
        self.feed = Feed(
            self.snapshot, figures=engines["figures"], people=self.people, regency=regency, now=now,
            publish=self._publish, on_people=self._people_changed,
        )
        self.pages = Pages(zone, build)
        self._known: dict[str, tuple[float, Principal]] = {}
        server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        dash = zone_dash(server, zone.name, regency.title.id, self._layout)
        stage = zone_dash(server, "replay", regency.title.id, lambda: html.Div(id="replayed"), STAGE_LEAVES)
        self.replaying = replay_zone(server, regency, engines, now)
        words = {language: regency.words[language]["access"] for language in ("id", "en")}
        self.endpoints = Endpoints(
            Kept(server), pages=self.pages, hub=self.hub, snapshot=self.snapshot, people=self.people, ready=self.ready,
            words=words, now=now,
        )
        self.endpoints.add(self.replaying.routes)
        hashes = {name: [str(value) for value in each.csp_hashes()] for name, each in ((zone.name, dash), ("replay", stage))}
        rules = Rules(
            principal_of=self._principal_of, pairing_page=self._without_principal, callbacks=CALLBACK_ROLES,
            script_hashes=hashes, secure=reach.secure, tls=reach.tls, proxied=reach.proxied,
            token=settings.secret("api_token"), framing=frozenset({"replay"}),
        )
        self.endpoints.rules = self.replaying.rules = rules
        self.guard = Guard(self.endpoints, rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self.guard(scope, receive, send)

    def ready(self) -> bool:
        """Whether every panel said something and both stores are being watched."""
        return self.snapshot.complete and bool(self.hub.states or not self.snapshot.instances) and self.feed.alive

    async def stop_streams(self) -> None:
        """End the open streams; the screens come back by themselves."""
        await self.hub.stop()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.hub.start()
                self.recorder.start()
                self.feed.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.hub.stop()
                await asyncio.to_thread(self.feed.stop)
                await asyncio.to_thread(self.recorder.stop)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _publish(self, new: list[Said]) -> None:
        self.hub.publish_soon(new)
        self.recorder.keep(new)

    def _people_changed(self) -> None:
        self._known = {}
        self.hub.check_soon()

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
        if who is None or who.screens[0] not in self.pages.zone.plans:
            return html.Div()
        return html.Div(self.pages.layout(who.screens[0], self.hub.states))


class _Server(uvicorn.Server):
    """Ends the streams first, so that a stop does not wait for screens that never hang up."""

    serving: Serving

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
