"""Servers that others wrote, on loopback, private to a test: json-server (Node), Kinto and Roundup (Python).

They are installed once per machine into a folder of the temporary directory that is named by their pinned versions: their
dependencies would clash with ours. json-server needs npm; without it the tests say that they are skipped.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port, wait_until

JSON_SERVER = ("json-server@0.17.4",)
PYTHON = Path(__file__).with_suffix(".txt")
JWT_SECRET = "0123456789abcdef0123456789abcdef"
_STRAIGHT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def installed(kind: str, pins: Sequence[str], install: Callable[[Path], None]) -> Path:
    """The folder with these pins, made when it is not there; a half-made one is never used."""
    name = hashlib.sha256(" ".join((sys.version, *pins)).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"command-center-tests-{os.getuid()}" / f"{kind}-{name}"
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        install(folder)
        ready.touch()
    return folder


def _run(*words: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"{words[0]}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def _python() -> Path:
    """The interpreter of an environment with Kinto and Roundup."""

    def install(folder: Path) -> None:
        python = folder / "venv/bin/python"
        _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
        _run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "-r", PYTHON)

    return installed("python", PYTHON.read_text().split(), install) / "venv/bin/python"


def ask(url: str, method: str = "GET", body: Any = None, **headers: str) -> Any:
    """One request to a server of this module; its JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    with _STRAIGHT.open(request, timeout=20) as answer:
        return json.load(answer)


@contextmanager
def _process(words: list[str | Path], folder: Path, url: str, what: str) -> Iterator[None]:
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until(lambda: _STRAIGHT.open(url, timeout=5).close(), process, what)
        yield
    finally:
        process.terminate()
        process.wait(30)


@dataclass
class ThirdParty:
    """A running server: where its list is, what proves who we are, how its owner writes one record."""

    url: str
    secret: str
    write: Callable[..., None]


@contextmanager
def json_server(rows: list[dict[str, Any]], folder: Path) -> Iterator[ThirdParty]:
    """json-server with a list ``permohonan`` of rows with an ``id``; ``write(id, **changes)`` changes or adds one."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not installed: json-server cannot be")

    def install(target: Path) -> None:
        _run(npm, "install", "--prefix", target, "--no-package-lock", "--no-audit", "--no-fund", "--silent", *JSON_SERVER)

    program = installed("node", JSON_SERVER, install) / "node_modules/json-server/lib/cli/bin.js"
    (folder / "db.json").write_text(json.dumps({"permohonan": rows}))
    port = free_port()
    url = f"http://127.0.0.1:{port}/permohonan"

    def write(identity: int, **changes: Any) -> None:
        known = any(row["id"] == identity for row in ask(url))
        ask(f"{url}/{identity}" if known else url, "PATCH" if known else "POST", changes if known else {"id": identity, **changes})

    with _process([node, program, "--host", "127.0.0.1", "--port", str(port), "db.json"], folder, url, "json-server"):
        yield ThirdParty(url, "", write)


KINTO = """
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.includes = kinto.plugins.accounts
kinto.account_create_principals = system.Everyone
kinto.bucket_create_principals = system.Authenticated
kinto.userid_hmac_secret = only-of-a-test
kinto.batch_max_requests = 100
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.authentication.AccountsAuthenticationPolicy
"""


@contextmanager
def kinto(rows: list[dict[str, Any]], folder: Path) -> Iterator[ThirdParty]:
    """Kinto in memory, for user ``pembaca``; ``write(id, **record)`` replaces or adds a record, ``write(id)`` deletes it."""
    port, password = free_port(), "sandi-pembaca"
    (folder / "kinto.ini").write_text(KINTO.format(port=port))
    host = f"http://127.0.0.1:{port}/v1"
    records = "/buckets/dukcapil/collections/permohonan/records"
    login = "Basic " + base64.b64encode(f"pembaca:{password}".encode()).decode()
    with _process([_python().parent / "kinto", "start", "--ini", "kinto.ini"], folder, f"{host}/", "Kinto"):
        ask(f"{host}/accounts/pembaca", "PUT", {"data": {"password": password}})
        for place in ("/buckets/dukcapil", "/buckets/dukcapil/collections/permohonan"):
            ask(host + place, "PUT", Authorization=login)
        ask(f"{host}/batch", "POST", Authorization=login, body={
            "defaults": {"method": "PUT"},
            "requests": [{"path": f"/v1{records}/{row['id']}", "body": {"data": row}} for row in rows],
        })

        def write(identity: str, **record: Any) -> None:
            how = ("PUT", {"data": record}) if record else ("DELETE", None)
            ask(f"{host}{records}/{identity}", *how, Authorization=login)

        yield ThirdParty(host + records, password, write)


SEED = """
import json, sys
from roundup import date, instance
db = instance.open(sys.argv[1]).open("admin")
user = db.user.create(username="pembaca", roles="User")
for row in json.loads(sys.argv[2]):
    at = date.Date(row["at"]).get_tuple()
    issue = {"id": row["id"], "title": "Laporan", "status": "1", "creation": at, "activity": at, "creator": "1", "actor": "1"}
    issue.update(dict.fromkeys(("keyword", "nosy", "messages", "files", "superseder"), []))
    db.issue.import_list(list(issue), [repr(value) for value in issue.values()])
db.setid("issue", "1000")
db.commit()
print(user)
"""
WRITE = """
import sys
from roundup import instance
db = instance.open(sys.argv[1]).open("admin")
if sys.argv[2] == "new":
    db.issue.create(title="Laporan baru", status="1")
else:
    db.issue.set(sys.argv[2], status=sys.argv[3])
db.commit()
"""
SERVE = """
import sys, waitress
from roundup.cgi.wsgi_handler import RequestDispatcher
waitress.serve(RequestDispatcher(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]))
"""


@contextmanager
def roundup(rows: list[dict[str, Any]], folder: Path) -> Iterator[ThirdParty]:
    """A Roundup tracker with an issue per row (``id``, ``at``); ``write(id, status)`` changes one, ``write("new")`` adds one."""
    python, home, port = _python(), folder / "tracker", free_port()
    url = f"http://127.0.0.1:{port}/"
    admin = (python, "-m", "roundup.scripts.roundup_admin", "-i", home)
    _run(*admin, "install", "classic", "sqlite")
    file = home / "config.ini"
    text = file.read_text()
    for name, value in {"web": url, "domain": "localhost", "host": "localhost", "jwt_secret": JWT_SECRET}.items():
        text = re.sub(rf"(?m)^#?{name} = .*", f"{name} = {value}", text, count=1)
    file.write_text(text)
    _run(*admin, "initialise", "sandi-admin")
    user = _run(python, "-c", SEED, home, json.dumps(rows))
    with _process([python, "-c", SERVE, home, str(port)], folder, url, "Roundup"):
        yield ThirdParty(f"{url}rest/data/issue", token(user, url), lambda *words: _run(python, "-c", WRITE, home, *words) and None)


def token(user: str, issuer: str) -> str:
    """A JSON web token that a Roundup tracker trusts for an hour."""
    now = int(time.time())
    claims = {"sub": user, "iss": issuer, "aud": issuer, "roles": ["User"], "iat": now, "exp": now + 3600}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = hmac.digest(JWT_SECRET.encode(), b".".join(parts), "sha256")
    return b".".join((*parts, base64.urlsafe_b64encode(signed).rstrip(b"="))).decode()
