"""Errors provoked by real servers, files and databases: each message names source, step, cause and what to do, in both languages."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from dashboard.cases import Outcome
from tests.agency_api import Agency, body, bomb, endless, moved, reset, rows, short, slow_body, slow_headers, status
from tests.collectors.test_runner import Sites, request, source
from tests.test_error_texts import ACTION

CANARIES = ("Canary", "canary", "7322010101900001", "Traceback", "s3cret", 'File "')
ANSWERS: dict[str, Callable[[Agency], Any]] = {
    "401": lambda agency: status(401), "403": lambda agency: status(403), "404": lambda agency: status(404),
    "410": lambda agency: status(410), "429": lambda agency: status(429, Retry_After="120"), "500": lambda agency: status(500),
    "503": lambda agency: status(503), "redirect": lambda agency: moved("http://127.0.0.1/canary"),
    "HTML": lambda agency: body(b"<html>Andi Canary</html>", kind="text/html"), "cut JSON": lambda agency: body(b'{"data": [{"id": "Canary"'),
    "not text": lambda agency: body(b'{"data": "\xff\xfe Canary"}'), "no list": lambda agency: body(b'{"galat": "Canary"}'),
    "no objects": lambda agency: body(b'{"data": ["Canary"]}'), "deep": lambda agency: body(b"[" * 100_000),
    "long number": lambda agency: body(b'{"data": [{"id": ' + b"9" * 5_000 + b"}]}"), "reset": lambda agency: reset,
    "short": lambda agency: short, "bomb": lambda agency: bomb(300), "endless": lambda agency: endless,
    "slow head": slow_headers, "slow body": slow_body, "other encoding": lambda agency: body(b"Canary", Content_Encoding="br"),
    "no field": lambda agency: rows([{"nama": "Andi Canary"}] * 30),
    "no row fits": lambda agency: rows([request(n, masuk="Canary") for n in range(30)]),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_failed_run_names_source_step_cause_and_what_to_do(agency: Agency, site: Sites, name: str) -> None:
    agency.answers["/a"] = ANSWERS[name](agency)
    here = site(**source(agency, deadline="3 seconds"))
    result = here.run()
    assert not result.outcome.good
    well_told(result.en, result.id)


def well_told(en: str, id: str) -> None:
    """The rule of every message of a run."""
    assert re.match(r"uji: (connect|read|parse|map|validate|store|prepare): \S", en), en
    assert re.match(r"uji: (connect|read|parse|map|validate|store|prepare): \S", id), id
    assert en != id
    assert ACTION["en"].search(en), en
    assert ACTION["id"].search(id), id
    assert [canary for canary in CANARIES if canary in en + id] == []
    assert "\n" not in en + id


def _file(site: Sites, data: bytes | None, **options: Any) -> Any:
    made = site(connector="tabular", mode="snapshot", options={"path": "a.csv", **options},
                fields={"case_id": "id", "submitted_at": {"from": "masuk", "format": "iso"}})
    place = made.settings.drop / "a.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    if data is not None:
        place.write_bytes(data)
        os.utime(place, (time.time() - 60, time.time() - 60))
    return made


FILES: dict[str, tuple[bytes | None, dict[str, Any]]] = {
    "none": (None, {}), "empty": (b"", {}), "other encoding": ("id,masuk\n1,Canary é\n".encode("cp1252"), {}),
    "other columns": (b"a;b\nAndi Canary;2\n", {}), "one column": (b"id,nama\n1,Canary\n", {}), "twice": (b"id,masuk,id\n1,Canary,2\n", {}),
    "no heading": (b"id,masuk\n", {"header_row": 9}), "broken quotes": (b"id,masuk\n" + b'"a"b,Canary\n' * 200, {}),
    "no row fits": (b"id,masuk\n" + b"1,Canary\n" * 30, {}), "no workbook": (b"Andi Canary", {"format": "xlsx"}),
    "half a workbook": (b"PK\x03\x04Canary", {"format": "xlsx"}), "encrypted": (b"\xd0\xcf\x11\xe0" + b"Canary" * 99, {"format": "xlsx"}),
}


@pytest.mark.parametrize("name", FILES)
def test_a_faulty_file_names_source_step_cause_and_what_to_do(site: Sites, name: str) -> None:
    data, options = FILES[name]
    result = _file(site, data, **options).run()
    assert not result.outcome.good
    well_told(result.en, result.id)


def test_a_missing_sheet_and_a_link_are_told_so_too(site: Sites) -> None:
    here = _file(site, None, format="xlsx", sheet="Lain")
    with xlsxwriter.Workbook(here.settings.drop / "a.csv") as book:
        book.add_worksheet("Register").write(0, 0, "Canary")
    well_told(*_told(here))
    (here.settings.drop / "a.csv").unlink()
    (here.settings.drop / "a.csv").symlink_to("/etc/hostname")
    well_told(*_told(here))


def _told(here: Any) -> tuple[str, str]:
    result = here.run()
    assert not result.outcome.good
    return result.en, result.id


@pytest.mark.parametrize(("options", "outcome"), [
    ({"url": "sqlite:///tidak-ada.sqlite", "query": "SELECT id, masuk FROM p"}, Outcome.UNAVAILABLE),
    ({"url": "postgresql://u@127.0.0.1:1/x", "query": "SELECT id, masuk FROM p", "secret": "tidak_ada"}, Outcome.FAILED),
    ({"url": "mysql://u@127.0.0.1:1/x", "query": "SELECT id, masuk FROM p"}, Outcome.UNAVAILABLE),
])
def test_a_database_that_is_not_there_is_told_so_too(site: Sites, options: dict[str, Any], outcome: Outcome) -> None:
    here = site(connector="sql", mode="snapshot", options=options, fields={"case_id": "id", "submitted_at": "masuk"})
    result = here.run()
    assert result.outcome is outcome
    well_told(result.en, result.id)


def test_a_wrong_option_and_a_secret_that_others_may_read_are_told_so_too(agency: Agency, site: Sites) -> None:
    well_told(*_told(site(**source(agency, options={"nonsens": 1}))))
    here = site(**source(agency, options={"auth": {"kind": "bearer", "secret": "umum"}}))
    here.settings.secrets.mkdir(parents=True, exist_ok=True)
    (here.settings.secrets / "umum").write_text("s3cret")
    (here.settings.secrets / "umum").chmod(0o644)
    well_told(*_told(here))
