"""nginx as `install` prints it, between a real browser and the product's real processes (V6, V20)."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from dashboard.installing.certificate import Made, certificate
from dashboard.installing.place import Place
from dashboard.installing.proxy import IDLE_SECONDS, nginx
from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product, end
from tests.servers import free_port, wait_until

NGINX = Path("/usr/sbin/nginx")
FIGURE = "#received_today--figure"
SCREENS = """
[scenes.today]
name = { id = "Hari ini", en = "Today" }
panels = [{ panel = "received_today", area = "received" }, { panel = "sources_strip", area = "sources" }]
[screens.west]
name = "Dinding Barat"
scenes = ["today"]
"""
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
    scgi_temp_path {folder}/s;
    include {folder}/site.conf;
}}
"""

pytestmark = pytest.mark.skipif(not NGINX.exists(), reason="nginx is not installed (Debian package nginx-light)")


@dataclass
class House:
    """The product behind nginx. ``port``: nginx's with TLS; ``inner``: serve's."""

    product: Product
    ledger: Ledger
    port: int
    inner: int
    made: Made
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"https://localhost:{self.port}"

    def serve(self) -> subprocess.Popen[bytes]:
        """Start serve behind the proxy, and wait until it is ready by way of nginx."""
        process = self.product.start("serve", "--behind-proxy", "--port", str(self.inner), log="serve")
        self.started.append(process)
        until(lambda: self.get("/readyz")[0] == 200, 60)
        return process

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Status and body, by TLS that is verified."""
        connection = self.connection()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.made.authority))
        return http.client.HTTPSConnection("localhost", self.port, context=context, timeout=30)

    def link(self) -> str:
        """A new wall's link."""
        return self.product.run("device", "add", "--place", "Uji", "--base", self.base).split()[-1]

    def paired(self) -> str:
        """A new wall's cookie, as a program gets it."""
        connection = self.connection()
        connection.request("POST", "/wall/enter", body=json.dumps({"code": self.link().partition("#")[2]}), headers={
            "Content-Type": "application/json", "Origin": self.base})
        answer = connection.getresponse()
        assert answer.status == 204, answer.status
        cookie = str(answer.getheader("set-cookie"))
        connection.close()
        assert "Secure" in cookie
        return cookie.partition(";")[0]


def site(folder: Path, port: int, inner: int, made: Made, idle: int) -> str:
    """The printed site on free ports, with idle time-outs of ``idle`` seconds."""
    text = nginx(Place("localhost", Path("/opt/command-center"), inner))[0].text
    assert text.count(f"{IDLE_SECONDS}s;") == 3
    text = text.replace(f"{IDLE_SECONDS}s;", f"{idle}s;").replace("/etc/command-center/tls", str(made.certificate.parent))
    text = re.sub(r"\n    listen \[::\].*", "", text)
    return text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};").replace("listen 443 ", f"listen 127.0.0.1:{port} ")


@contextmanager
def behind_nginx(folder: Path, idle: int = 4) -> Iterator[House]:
    """A product whose one source is a ledger, collected every second, and nginx; serve is not started yet."""
    product, ledger = Product(folder), Ledger(20)
    made = certificate(folder / "tls", ["localhost"], datetime.now(UTC))
    outer, inner = free_port(), free_port()
    with served(ledger) as source:
        product.declare({
            "regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n', "screens.toml": SCREENS,
            "agencies/uji.toml":
                'name = { id = "Dinas Uji", en = "Test" }\nshort_name = "Uji"\ncalendar = "always"\n\n[[sources]]\n'
                + DECLARATION.format(port=source),
        })
        ledger.add(5, age=timedelta(seconds=1))
        place = folder / "nginx"
        place.mkdir(mode=0o755)
        (place / "site.conf").write_text(site(place, outer, inner, made, idle))
        (place / "nginx.conf").write_text(("user root;\n" if os.geteuid() == 0 else "") + MAIN.format(folder=place))
        house = House(product, ledger, outer, inner, made)
        proxy = subprocess.Popen([NGINX, "-p", place, "-c", place / "nginx.conf", "-e", place / "error.log"])
        house.started += [proxy, product.start("schedule", log="schedule")]
        try:
            wait_until(lambda: socket.create_connection(("127.0.0.1", outer), 1).close(), proxy, "nginx")
            yield house
        finally:
            for process in house.started:
                end(process) if process is not proxy else proxy.send_signal(signal.SIGTERM)
            proxy.wait(20)


def until(what: Callable[[], Any], seconds: float = 30) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come about")


def heard(house: House, cookie: str, seconds: float) -> tuple[list[float], bytes]:
    """The live stream for so long on one connection: when something came, and all of it."""
    connection = house.connection()
    connection.request("GET", "/wall/live", headers={"Cookie": cookie, "Accept": "text/event-stream", "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("content-encoding")) == (200, None)
    began, times, whole = time.monotonic(), [], b""
    while time.monotonic() - began < seconds:
        got = answer.read1(1 << 16)
        assert got, "nginx or the server hung up"
        times.append(time.monotonic() - began)
        whole += got
    connection.close()
    return times, whole


def test_v20_a_stream_outlives_the_proxys_idle_time_out_and_each_event_comes_at_once(tmp_path: Path) -> None:
    """Idle time-outs of 4 s, three times over: the heartbeat of 2 s keeps it, unbuffered and unpacked."""
    with behind_nginx(tmp_path, idle=4) as house:
        house.serve()
        times, whole = heard(house, house.paired(), 13)
        assert whole.count(b"event: tick") >= 5
        assert max(later - one for one, later in pairwise(times)) < 3.9
        assert whole.startswith(b"event: hello")


@pytest.mark.long
def test_v20_the_same_with_the_printed_sixty_seconds(tmp_path: Path) -> None:
    with behind_nginx(tmp_path, idle=IDLE_SECONDS) as house:
        house.serve()
        times, _ = heard(house, house.paired(), 2.2 * IDLE_SECONDS)
        assert times[-1] > 2 * IDLE_SECONDS


def test_addresses_are_the_clients_and_a_claimed_one_does_not_count(tmp_path: Path) -> None:
    """Tries of codes are counted by client: a new claimed address for each try does not get round it."""
    with behind_nginx(tmp_path) as house:
        house.serve()
        statuses = []
        for number in range(40):
            connection = house.connection()
            connection.request("POST", "/wall/enter", body=json.dumps({"code": f"WRONG{number}"}), headers={
                "Content-Type": "application/json", "Origin": house.base, "X-Forwarded-For": f"10.0.0.{number}"})
            statuses.append(connection.getresponse().status)
            connection.close()
        assert statuses[0] == 403
        assert statuses[-1] == 429
        assert house.get("/metrics")[0] == 403, "by way of a proxy nobody is this machine"
        status, _ = house.get("/wall/live")
        assert status == 401


@pytest.mark.browser
@pytest.mark.long
def test_v6_v20_a_wall_behind_nginx_says_that_serve_is_gone_and_loses_no_update(tmp_path: Path, browser: Browser) -> None:
    """Bad gateways while serve is down; nginx started anew in the middle of updates; in the end the wall shows all of them."""
    with behind_nginx(tmp_path) as house:
        serving = house.serve()
        context = browser.new_context(viewport={"width": 1920, "height": 1080}, ignore_https_errors=True)
        try:
            wall = context.new_page()
            wall.goto(house.link())
            expect(wall.locator(FIGURE)).to_have_text("5", timeout=30_000)
            assert wall.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"

            end(serving)
            expect(wall.locator("body")).to_have_class(re.compile("is-lost"), timeout=15_000)
            assert house.get("/wall/live")[0] == 502
            expect(wall.locator(FIGURE)).to_have_text("5")
            house.ledger.add(4, age=timedelta(seconds=1))
            house.serve()
            expect(wall.locator("body")).not_to_have_class(re.compile("is-lost"), timeout=40_000)
            expect(wall.locator(FIGURE)).to_have_text("9", timeout=15_000)

            for _ in range(6):  # each reload ends the streams of the old workers while figures go on
                house.ledger.add(1, age=timedelta(seconds=1))
                os.kill(house.started[0].pid, signal.SIGHUP)
                time.sleep(1.5)
            expect(wall.locator(FIGURE)).to_have_text("15", timeout=30_000)
            expect(wall.locator("body")).not_to_have_class(re.compile("is-lost"), timeout=30_000)
        finally:
            context.close()


def test_nginx_finds_no_fault_in_the_site(tmp_path: Path) -> None:
    made = certificate(tmp_path / "tls", ["localhost"], datetime.now(UTC))
    (tmp_path / "site.conf").write_text(site(tmp_path, free_port(), 8100, made, IDLE_SECONDS))
    (tmp_path / "nginx.conf").write_text(MAIN.format(folder=tmp_path))
    done = subprocess.run(
        [NGINX, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"], capture_output=True, text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.replace('the "user" directive', "")
    assert shutil.which("nginx") or NGINX.exists()
