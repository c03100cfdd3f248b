"""The simulated agencies as real processes: at 10.53 WITA on an ordinary Tuesday, with three weeks of history."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from collectors.rest import links
from dashboard.demo.launch import DATABASES, SECRETS, Agencies
from dashboard.demo.systems.antrean import CONS_ID, USER_KEY
from dashboard.demo.systems.dishub import USER
from dashboard.demo.systems.satudata import RESOURCE

NOW = "2026-11-24T10:53:00"
OPTIONS = ("--now", NOW, "--speed", "0")
DAYS = 20


@pytest.fixture(scope="session")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agencies]:
    home = tmp_path_factory.mktemp("agencies")
    with Agencies(home / "agencies", home / "drop", home / "secrets", days=DAYS, options=OPTIONS) as running:
        yield running


def headers(agencies: Agencies, name: str) -> dict[str, str]:
    """What a client must send to be let in."""
    if name not in SECRETS:
        return {}
    secret = (agencies.secrets / SECRETS[name]).read_text()
    basic = b64encode(f"{USER}:{secret}".encode()).decode()
    return {
        "rsud": {"X-Token": secret}, "dishub": {"Authorization": f"Basic {basic}"}, "disnakertrans": {"X-Api-Key": secret},
        "dputrkp2": {"X-Api-Key": secret}, "satudata": {"Authorization": secret}, "antrean": signed(secret),
        "mpp": {"X-Kunci": secret},
    }.get(name, {"Authorization": f"Bearer {secret}"})


def signed(secret: str) -> dict[str, str]:
    """The headers of BPJS's services."""
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"{CONS_ID}&{stamp}".encode(), hashlib.sha256).digest()
    return {"X-cons-id": CONS_ID, "X-timestamp": stamp, "X-signature": b64encode(digest).decode(), "user_key": USER_KEY}


def get(agencies: Agencies, name: str, path: str, *, known: bool = True, **query: str) -> Any:
    """The JSON of an answer; raises ``HTTPError`` as urllib does."""
    address = path if path.startswith("http") else f"http://127.0.0.1:{agencies.ports[name]}{path}"
    if query:
        address += "?" + urlencode(query)
    request = urllib.request.Request(address, headers=headers(agencies, name) if known else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def status_of(agencies: Agencies, name: str, path: str, *, known: bool = True) -> int:
    """The status code of an answer; 0 where the connection was cut."""
    try:
        get(agencies, name, path, known=known)
    except urllib.error.HTTPError as err:
        with err:
            return err.code
    except OSError:
        return 0
    return 200


def ledger(agencies: Agencies, name: str) -> dict[str, Any]:
    return dict(get(agencies, name, "/_ledger"))


def permits(agencies: Agencies, size: int = 300, **query: str) -> list[dict[str, Any]]:
    """All numbered pages of DPMPTSP."""
    first = get(agencies, "dpmptsp", "/api/permohonan", page="1", per_page=str(size), **query)
    rest = [
        get(agencies, "dpmptsp", "/api/permohonan", page=str(number), per_page=str(size), **query)["data"]
        for number in range(2, first["last_page"] + 1)
    ]
    return sum(rest, first["data"])


def visits(agencies: Agencies, size: int = 500, **query: str) -> list[dict[str, Any]]:
    """All pages of RSUD by their cursors."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        body = get(agencies, "rsud", "/api/v1/kunjungan", limit=str(size), **query, **more)
        found += body["kunjungan"]
        if body["meta"]["next_cursor"] is None:
            return found
        more = {"cursor": body["meta"]["next_cursor"]}


def reports(agencies: Agencies, size: int = 50, **query: str) -> list[dict[str, Any]]:
    """All pages of the complaints system by their next addresses."""
    body = get(agencies, "lapor", "/api/laporan", limit=str(size), **query)
    found = list(body["results"])
    while body["next_url"]:
        body = get(agencies, "lapor", body["next_url"])
        found += body["results"]
    return found


def transport(agencies: Agencies, size: int = 200) -> list[dict[str, Any]]:
    """All pages of Dishub by offset."""
    found: list[dict[str, Any]] = []
    while rows := get(agencies, "dishub", "/layanan", offset=str(len(found)), limit=str(size))["rows"]:
        found += rows
    return found


def seekers(agencies: Agencies, size: int = 50) -> list[dict[str, Any]]:
    """All pages of Disnakertrans by their ``Link`` headers."""
    found: list[dict[str, Any]] = []
    address: str | None = f"http://127.0.0.1:{agencies.ports['disnakertrans']}/api/pencaker?jumlah={size}"
    while address:
        request = urllib.request.Request(address, headers=headers(agencies, "disnakertrans"))
        with urllib.request.urlopen(request, timeout=20) as answer:
            found += json.load(answer)
            address = links(answer.headers.get("Link", "")).get("next")
    return found


def potholes(agencies: Agencies, size: int = 100, **query: str) -> list[dict[str, Any]]:
    """All pages of DPUTRKP2 by Open311."""
    found: list[dict[str, Any]] = []
    while rows := get(
        agencies, "dputrkp2", "/open311/v2/requests.json", page=str(len(found) // size + 1), page_size=str(size), **query
    ):
        found += rows
        if len(rows) < size:
            break
    return found


def open_data(agencies: Agencies, size: int = 100) -> list[dict[str, Any]]:
    """All slices of the portal's table."""
    found: list[dict[str, Any]] = []
    while rows := get(
        agencies, "satudata", "/api/3/action/datastore_search", resource_id=RESOURCE, limit=str(size), offset=str(len(found))
    )["result"]["records"]:
        found += rows
    return found


def tickets(agencies: Agencies, size: int = 500, **query: str) -> list[dict[str, Any]]:
    """All pages of the service mall's queue."""
    found: list[dict[str, Any]] = []
    while rows := get(agencies, "mpp", "/antrean", halaman=str(len(found) // size + 1), jumlah=str(size), **query)["antrean"]:
        found += rows
        if len(rows) < size:
            break
    return found


def table(agencies: Agencies, name: str, query: str) -> list[dict[str, Any]]:
    """What an agency's own database answers, read as its users could."""
    file = agencies.folder / name / DATABASES[name]
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def registrations(agencies: Agencies) -> list[dict[str, Any]]:
    """The rows of Disdukcapil's database."""
    return table(agencies, "disdukcapil", "SELECT * FROM permohonan ORDER BY no_registrasi")


def clinic_lines(agencies: Agencies) -> list[str]:
    """The lines of all of Dinkes' daily files, without their headings."""
    files = sorted(Path(agencies.drop).glob("p*/kunjungan_*.csv"))
    return [line for file in files for line in file.read_text(encoding="utf-8-sig").splitlines()[1:]]
