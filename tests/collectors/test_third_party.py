"""Servers that this project did not write, each with its own paging and credentials, collected by `rest` from a declaration.

Of each: all rows arrive over several pages, a second run changes nothing, a changed and a new row arrive by an incremental
read that asks for less than all. Datasette (next address in the answer) is in ``test_rest.py`` and ``tests/real``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.cases import Outcome
from dashboard.errors import CollectError
from tests import third_party
from tests.collectors.conftest import Readings, Site
from tests.third_party import ThirdParty

Sites = Callable[..., Site]
ROWS = 45
START = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)
"""A row a day from here on, so that an incremental read has few to ask for."""


def moment(number: int) -> datetime:
    """When row ``number`` came in, and changed last."""
    return START + timedelta(days=number)


def request(number: int, **more: Any) -> dict[str, Any]:
    """A request, open, with a person in it whom nobody may keep."""
    at = moment(number).isoformat()
    return {
        "nomor": f"R{number:03d}", "jenis": "KTP", "masuk": at, "selesai": None, "status": "PROSES", "diubah": at,
        "nama": "Andi Rahasia-Canary", **more,
    }


FIELDS: dict[str, Any] = {
    "case_id": "nomor", "service": {"from": "jenis", "otherwise": "discover"}, "submitted_at": "masuk", "ended_at": "selesai",
    "updated_at": "diubah", "status": {"from": "status", "map": {"SELESAI": "completed"}, "otherwise": "open"},
}


def declared(server: ThirdParty, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An incremental source at a server."""
    options = {"url": server.url, **more.pop("options")}
    return {"connector": "rest", "mode": "incremental", "overlap": "2 days", "options": options, "fields": fields, **more}


def collected(here: Site) -> tuple[Outcome, int, int, int]:
    """A run now, by the machine's clock: outcome, rows read, new, changed."""
    here.now = datetime.now(UTC)
    result = here.run()
    return result.outcome, result.rows_read, result.rows_new, result.rows_changed


@pytest.fixture
def json_server(tmp_path: Path) -> Iterator[ThirdParty]:
    with third_party.json_server([{"id": n, **request(n)} for n in range(ROWS)], tmp_path) as server:
        yield server


@pytest.mark.servers
def test_json_server_is_read_by_its_link_header(json_server: ThirdParty, site: Sites) -> None:
    options = {
        "pages": {"kind": "link-header"}, "params": {"_page": "1", "_limit": "10"}, "since": {"param": "diubah_gte", "format": "iso"},
    }
    here = site(**declared(json_server, FIELDS, options=options))
    assert collected(here) == (Outcome.OK, ROWS, ROWS, 0)
    assert (here.cases, here.received) == (ROWS, ROWS)
    assert collected(here) == (Outcome.OK, 3, 0, 0)  # the last row and two days before it

    later = moment(ROWS)
    json_server.write(7, status="SELESAI", selesai=later.isoformat(), diubah=later.isoformat())
    json_server.write(ROWS, **request(ROWS))
    assert collected(here) == (Outcome.OK, 5, 1, 1)
    assert here.run(reconcile=True).rows_changed == 0
    assert b"Canary" not in here.everything_on_disk()


@pytest.fixture
def kinto(tmp_path: Path) -> Iterator[ThirdParty]:
    found = [
        {"id": f"r-{n}", "last_modified": int(moment(n).timestamp() * 1000), **request(n)} for n in range(ROWS)
    ]
    with third_party.kinto(found, tmp_path) as server:
        yield server


@pytest.mark.servers
def test_kinto_is_read_by_its_next_page_header_behind_basic_authentication(
    kinto: ThirdParty, site: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMAND_CENTER_SECRET_KINTO", kinto.secret)
    options = {
        "records": "data", "auth": {"kind": "basic", "user": "pembaca", "secret": "kinto"},
        "pages": {"kind": "next-header", "key": "Next-Page"}, "params": {"_limit": "10", "_sort": "last_modified"},
        "since": {"param": "_since", "format": "epoch_ms"},
    }
    fields = {**FIELDS, "case_id": "id", "updated_at": {"from": "last_modified", "format": "epoch_ms"}}
    here = site(**declared(kinto, fields, options=options, where={"deleted": ""}))  # it tells its deletions among the changes
    assert collected(here) == (Outcome.OK, ROWS, ROWS, 0)
    assert here.received == ROWS
    assert collected(here) == (Outcome.OK, 2, 0, 0)  # "since" is later than, in Kinto

    kinto.write("r-7", **request(7, status="SELESAI", selesai=moment(ROWS).isoformat()))
    kinto.write("r-new", **request(ROWS))
    kinto.write("r-8")
    assert collected(here) == (Outcome.OK, 4, 1, 1)  # the tombstone of r-8 is no row of the source
    assert here.run(reconcile=True).rows_changed == 0
    assert here.run(reconcile=True).rows_deleted == 1
    assert here.cases == ROWS
    assert b"Canary" not in here.everything_on_disk()

    monkeypatch.setenv("COMMAND_CENTER_SECRET_KINTO", "an old password")
    assert collected(here)[0] is Outcome.REJECTED


@pytest.fixture
def roundup(tmp_path: Path) -> Iterator[ThirdParty]:
    found = [{"id": str(n + 1), "at": moment(n).strftime("%Y-%m-%d.%H:%M:%S")} for n in range(ROWS)]
    with third_party.roundup(found, tmp_path) as server:
        yield server


@pytest.mark.servers
def test_a_roundup_tracker_is_read_by_its_links_with_a_token(
    roundup: ThirdParty, site: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMAND_CENTER_SECRET_ROUNDUP", roundup.secret)
    stamp = "%Y-%m-%d.%H:%M:%S"
    options = {
        "records": "data.collection", "auth": {"kind": "bearer", "secret": "roundup"},
        "pages": {"kind": "next-url", "key": "data.@links.next.0.uri"},
        "params": {"@page_size": "10", "@page_index": "1", "@fields": "creation,activity,status", "@verbose": "2", "@sort": "id"},
        "since": {"param": "activity", "format": f"from {stamp}"},
    }
    fields = {
        "case_id": "id", "submitted_at": {"from": "creation", "format": stamp}, "ended_at": {"from": "activity", "format": stamp},
        "updated_at": {"from": "activity", "format": stamp},
        "status": {"from": "status.name", "map": {"resolved": "completed"}, "otherwise": "open"},
    }
    here = site(**declared(roundup, fields, options=options, timezone="UTC", kind="complaint"))
    assert collected(here) == (Outcome.OK, ROWS, ROWS, 0)
    assert here.received == ROWS
    assert collected(here) == (Outcome.OK, 3, 0, 0)

    roundup.write("8", "8")  # issue 8: resolved
    roundup.write("new")
    assert collected(here) == (Outcome.OK, 5, 1, 1)
    assert here.run(reconcile=True).rows_changed == 0


@pytest.mark.servers
def test_a_token_that_the_tracker_does_not_know_is_rejected_and_shown_nowhere(roundup: ThirdParty, reading: Readings) -> None:
    forged = roundup.secret[:-8] + base64.urlsafe_b64encode(b"forged").decode()
    reading.secrets["token"] = forged
    with pytest.raises(CollectError) as caught:
        reading.rows("rest", {"url": roundup.url, "auth": {"kind": "bearer", "secret": "token"}}, {"id"})
    assert caught.value.outcome == Outcome.REJECTED
    assert forged not in f"{caught.value.en} {caught.value.id}"
