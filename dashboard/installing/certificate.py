"""A certificate for the LAN: a local authority that may vouch for the server's own names only, and the server's certificate.

Made by the ``openssl`` command. The authority is constrained (RFC 5280 §4.2.1.10) to the names given, so that a stolen key of it
opens nothing else; wall PCs trust the authority once, and the server's certificate is renewed under it without touching them.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dashboard.errors import ConfigError

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
"""Browsers refuse longer ones of public authorities; of a local one they take it, and a yearly renewal is a tried one."""
RENEW_BEFORE = timedelta(days=60)
_NAME = re.compile(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$")


@dataclass(frozen=True)
class Made:
    """What lies in the folder now. ``until``: the end of the server's certificate; ``new``: whether it was made just now."""

    authority: Path
    certificate: Path
    key: Path
    until: datetime
    new: bool


def certificate(folder: Path, names: Sequence[str], now: datetime) -> Made:
    """The server's certificate for ``names`` (DNS names, addresses) in ``folder``, made or renewed when it is due.

    Without names those of the present certificate stay. Raises ``ConfigError`` when names are missing or wrong, lie outside what
    the authority may vouch for, or openssl is not there.
    """
    if shutil.which("openssl") is None:
        raise ConfigError("openssl is missing; add it with apt-get install openssl",
                          "openssl tidak ada; tambahkan dengan apt-get install openssl")
    authority, found, key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    present = _of_file(found)
    wanted = tuple(dict.fromkeys(_checked(name) for name in names)) or (present[0] if present else ())
    if not wanted:
        raise ConfigError(
            f"{folder}: no certificate yet; give the server's names: command-center certificate wall.example 10.20.0.5",
            f"{folder}: belum ada sertifikat; sebutkan nama server: command-center certificate wall.example 10.20.0.5",
        )
    if present and set(present[0]) == set(wanted) and present[1] - now > RENEW_BEFORE and key.is_file():
        return Made(authority, found, key, present[1], new=False)
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    if not authority.is_file():
        _authority(folder, wanted)
    _server(folder, wanted)
    made = _of_file(found)
    assert made is not None  # openssl verified it
    return Made(authority, found, key, made[1], new=True)


def _checked(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if _NAME.match(name.lower()) and len(name) < 254:
            return name.lower()
    raise ConfigError(
        f"{name!r} is neither a host's name nor an address; give one such as wall.example or 10.20.0.5",
        f"{name!r} bukan nama host dan bukan alamat; berikan misalnya wall.example atau 10.20.0.5",
    )


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def _of_file(file: Path) -> tuple[tuple[str, ...], datetime] | None:
    """(names, end) of a certificate; ``None`` when there is none that can be read."""
    if not file.is_file():
        return None
    try:
        said = _openssl(file.parent, "x509", "-in", file.name, "-noout", "-enddate", "-ext", "subjectAltName")
    except ConfigError:  # not a certificate: it is made anew
        return None
    ends = re.search(r"notAfter=(.+)", said)
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", said)
    if ends is None:
        return None
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends[1].strip()), UTC)
    return tuple(str(ipaddress.ip_address(name)) if _is_address(name) else name for name in names), until


def _authority(folder: Path, names: Sequence[str]) -> None:
    constraints = ",".join(["critical", *(_permitted(name) for name in names)])
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as made:  # on the same disk: what is ready is renamed
        work = Path(made)
        _openssl(
            work, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-days", str(AUTHORITY_DAYS), "-sha256", "-subj", "/O=Command Center/CN=LAN", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign", "-addext", f"nameConstraints={constraints}",
        )
        _put(work, folder, ("ca.key", 0o600), ("ca.pem", 0o644))


def _permitted(name: str) -> str:
    """A name as a constraint: a host's name permits itself and what lies below it."""
    if not _is_address(name):
        return f"permitted;DNS:{name}"
    address = ipaddress.ip_address(name)
    return f"permitted;IP:{name}/{ipaddress.ip_network(address).netmask}"


def _server(folder: Path, names: Sequence[str]) -> None:
    alternative = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in names)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as made:  # on the same disk: what is ready is renamed
        work = Path(made)
        (work / "ext").write_text(
            f"subjectAltName={alternative}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            "extendedKeyUsage=serverAuth\n", encoding="ascii",
        )
        _openssl(work, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key",
                 "-out", "server.csr", "-subj", "/O=Command Center/CN=server")
        _openssl(work, "x509", "-req", "-in", "server.csr", "-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"),
                 "-set_serial", str(int.from_bytes(os.urandom(16)) >> 1), "-days", str(SERVER_DAYS), "-sha256", "-extfile", "ext",
                 "-out", "server.pem")
        try:
            _openssl(work, "verify", "-CAfile", str(folder / "ca.pem"), "server.pem")
        except ConfigError as err:
            listed = ", ".join(names)
            raise ConfigError(
                f"{folder}/ca.pem may not vouch for {listed}. Choose other names, or move ca.pem and ca.key away for a new "
                "authority, which every wall PC must then trust anew",
                f"{folder}/ca.pem tidak berwenang untuk {listed}. Pilih nama lain, atau pindahkan ca.pem dan ca.key untuk otoritas "
                "baru, yang lalu harus dipercaya lagi oleh setiap PC dinding",
            ) from err
        _put(work, folder, ("server.key", 0o600), ("server.pem", 0o644))


def _put(work: Path, folder: Path, *files: tuple[str, int]) -> None:
    for name, mode in files:
        (work / name).chmod(mode)
        (work / name).replace(folder / name)


def _openssl(work: Path, *words: str) -> str:
    """Its standard output. Raises ``ConfigError`` with its last line when it refuses."""
    done = subprocess.run(["openssl", *words], cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-1:])
        raise ConfigError(f"openssl {words[0]}: {reason}", f"openssl {words[0]}: {reason}")
    return done.stdout
