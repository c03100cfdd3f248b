"""The certificate for the LAN: what it vouches for, its renewal, and a server and a browser that use it."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import stat
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.errors import ConfigError
from dashboard.installing.certificate import SERVER_DAYS, certificate
from tests.product import Product
from tests.servers import free_port

NOW = datetime.now(UTC)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def test_a_certificate_names_what_was_asked_for_and_keys_are_the_owners_alone(tmp_path: Path) -> None:
    made = certificate(tmp_path / "tls", ["Wall.Example", "10.20.0.5", "10.20.0.5"], NOW)
    assert made.new
    assert timedelta(days=SERVER_DAYS - 2) < made.until - NOW < timedelta(days=SERVER_DAYS + 1)
    assert [stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) for name in ("ca.key", "server.key")] == [0o600, 0o600]
    said = text_of(made.certificate)
    assert "DNS:wall.example, IP Address:10.20.0.5" in said
    assert "CA:FALSE" in said
    assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == ["ca.key", "ca.pem", "server.key", "server.pem"]


def text_of(file: Path) -> str:
    return subprocess.run(["openssl", "x509", "-in", file, "-noout", "-text"], capture_output=True, text=True, check=True).stdout


def test_it_is_renewed_in_time_under_the_same_authority_and_left_alone_before(tmp_path: Path) -> None:
    first = certificate(tmp_path, ["wall.example"], NOW)
    authority, before = first.authority.read_bytes(), first.certificate.read_bytes()
    assert not certificate(tmp_path, [], NOW + timedelta(days=300)).new
    assert first.certificate.read_bytes() == before
    assert certificate(tmp_path, [], NOW + timedelta(days=350)).new
    assert first.certificate.read_bytes() != before
    assert first.authority.read_bytes() == authority


def test_the_authority_can_vouch_for_nothing_else(tmp_path: Path) -> None:
    """A stolen key of it opens no other site: another name is refused, by us and by whoever verifies."""
    made = certificate(tmp_path, ["wall.example"], NOW)
    before = made.certificate.read_bytes()
    with pytest.raises(ConfigError, match=r"may not vouch for bank\.example"):
        certificate(tmp_path, ["bank.example"], NOW)
    assert made.certificate.read_bytes() == before
    assert certificate(tmp_path, ["wall.example", "west.wall.example"], NOW).new, "what lies below its name it may"


@pytest.mark.parametrize("names", [[], ["a b"], ["https://wall.example"], ["-x"], ["wall.example,DNS:bank.example"]])
def test_missing_and_wrong_names_are_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(ConfigError):
        certificate(tmp_path, names, NOW)
    assert list(tmp_path.iterdir()) == []


def shown(port: int, authority: Path, name: str = "localhost") -> str:
    """The serial number of the certificate that a client who trusts only ``authority`` gets. Raises ``ssl.SSLError``."""
    context = ssl.create_default_context(cafile=str(authority))
    with socket.create_connection(("127.0.0.1", port), 5) as plain, context.wrap_socket(plain, server_hostname=name) as secured:
        return str(secured.getpeercert()["serialNumber"])  # type: ignore[index]


def until_listening(port: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("nobody listens")


def test_serve_uses_it_and_takes_a_renewed_one_up_without_a_restart(tmp_path: Path) -> None:
    product, port = Product(tmp_path), free_port()
    product.declare({"regency.toml": 'extends = "' + str(Path(__file__).parents[2] / "config") + '"\n'})
    said = product.run("certificate", "localhost", "127.0.0.1", "--to", "tls")
    assert "server.pem: new, until " in said
    assert "still good" in product.run("certificate", "--to", "tls")
    tls = tmp_path / "tls"
    with product.running("serve", "--port", str(port), "--tls-cert", str(tls / "server.pem"), "--tls-key", str(tls / "server.key")):
        until_listening(port)
        first = shown(port, tls / "ca.pem")
        assert shown(port, tls / "ca.pem", "127.0.0.1") == first
        with pytest.raises(ssl.SSLError):
            shown(port, tls / "ca.pem", "other.example")
        time.sleep(6)  # it looks every five seconds
        certificate(tls, [], NOW + timedelta(days=350))
        until(lambda: shown(port, tls / "ca.pem") != first)


def until(what: object, seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.3)


@pytest.mark.browser
def test_a_browser_that_trusts_the_authority_opens_the_wall_and_another_does_not(tmp_path: Path) -> None:
    """As a wall PC does: the authority goes into the user's NSS store (certutil), nothing is ignored."""
    if shutil.which("certutil") is None or not Path("/usr/bin/chromium").exists():
        pytest.skip("needs certutil (Debian package libnss3-tools) and /usr/bin/chromium")
    product, port = Product(tmp_path), free_port()
    product.declare({"regency.toml": 'extends = "' + str(Path(__file__).parents[2] / "config") + '"\n'})
    made = certificate(tmp_path / "tls", ["localhost"], NOW)
    store = tmp_path / "home" / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "Command Center", "-i", str(made.authority)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, capture_output=True)
    (tmp_path / "other").mkdir()
    with product.running("serve", "--port", str(port), "--tls-cert", str(made.certificate), "--tls-key", str(made.key)):
        until_listening(port)
        assert '<html lang="id">' in page(tmp_path / "home", port)
        assert '<html lang="id">' not in page(tmp_path / "other", port)


def page(home: Path, port: int) -> str:
    """The wall's index as a fresh Chromium of this home sees it."""
    return subprocess.run(
        ["/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={home}/profile",
         "--dump-dom", f"https://localhost:{port}/wall/"],
        env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, timeout=90, check=False,
    ).stdout
