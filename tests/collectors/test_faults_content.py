"""Faults of content and format (group B of the catalogue): whole runs, by id. What stands, what is put aside, what is said.

Those of one answer, one row or one file alone are in ``test_http.py``, ``test_rest.py``, ``test_mapping.py``, ``test_tabular.py``.
"""

from __future__ import annotations

import json
import os
import re
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from collectors.runner import run_source
from collectors.workbooks import glance
from dashboard.cases import Flags, Outcome
from dashboard.queries.answers import Context
from dashboard.queries.export import write
from dashboard.queries.figures import figures
from dashboard.store.tables import case
from dashboard.store.verify import verify
from tests.agency_api import Agency, body, rows
from tests.collectors import labs
from tests.collectors.conftest import NOW, Site
from tests.collectors.test_faults_network import heals, survives
from tests.collectors.test_runner import FIELDS, request, source
from tests.servers import mariadb

Sites = Callable[..., Site]
FOUND = [request(n) for n in range(30)]
JSON = "application/json"


@pytest.fixture
def loaded(agency: Agency, site: Sites) -> Site:
    """A source with thirty cases of an agency."""
    agency.answers["/a"] = rows(FOUND)
    here = site(**source(agency, options={"message": "error.message"}))
    assert here.run().rows_new == 30
    return here


def said_in(here: Site, result: Any, word: str) -> None:
    """The run's message has a word, in both languages there is a text, and nobody's name is in it."""
    assert word in result.en, result.en
    assert result.id not in ("", result.en)
    assert "Canary" not in result.en
    assert "7322010101900001" not in result.en


@pytest.mark.parametrize(("data", "kind", "outcome", "said"), [
    (b"<!doctype html><title>Masuk</title>", "text/html", Outcome.CHANGED, "got HTML or XML (title 'Masuk')"),
    (b'{"error": {"message": "<b>kuota</b> habis, hubungi 0812-3456-7890"}}', JSON, Outcome.CHANGED, "‹b›kuota‹/b› habis"),
    (json.dumps({"data": FOUND}).encode()[:-40], JSON, Outcome.CHANGED, "not JSON from character"),
    (b'{"data": []}', JSON, Outcome.HELD, "count fell: 100 %"), (b"null", JSON, Outcome.CHANGED, "no list under"),
    (b"", JSON, Outcome.CHANGED, "not JSON from character 0"), (b"[]", JSON, Outcome.CHANGED, "no list under"),
    (json.dumps({"data": [request(1, jenis="Sé")]}, ensure_ascii=False).encode("cp1252"), JSON, Outcome.CHANGED, "not UTF-8"),
    (b"[" * 100_000 + b"]" * 100_000, JSON, Outcome.CHANGED, "nested too deeply"),
    (json.dumps({"data": FOUND}).encode("utf-16")[:-7], JSON, Outcome.CHANGED, "not utf-16 text"),
], ids=["B1 a page for people", "B2 an error in an envelope", "B3 truncated", "B4 empty list", "B4 null", "B4 empty body",
        "B4 bare empty list", "B6 another charset", "B12 nested deeply", "B7 broken UTF-16"])
def test_an_answer_of_another_form_keeps_the_last_figures_and_heals(
    agency: Agency, loaded: Site, data: bytes, kind: str, outcome: Outcome, said: str
) -> None:
    agency.answers["/a"] = body(data, kind)
    told = survives(loaded, outcome, said)
    assert "0812" not in told
    heals(loaded, agency)


@pytest.mark.parametrize(("encoded", "options"), [
    (lambda text: b"\xef\xbb\xbf" + text.encode(), {}), (lambda text: text.encode("utf-16"), {}),
    (lambda text: text.encode("cp1252"), {"charset": "cp1252"}),
], ids=["B5 byte order mark", "B7 UTF-16", "B6 a declared charset"])
def test_a_text_in_another_coat_is_read(agency: Agency, site: Sites, encoded: Any, options: dict[str, str]) -> None:
    agency.answers["/a"] = body(encoded(json.dumps({"data": [request(1, jenis="Sé")]}, ensure_ascii=False)))
    here = site(**source(agency, options=options))
    assert here.run().outcome is Outcome.OK
    assert "Sé" in str(here.value(select(case.c.codes)))


def test_b7_zero_bytes_and_lone_surrogates_are_stripped_and_counted_on_each_engine(
    engine: Engine, agency: Agency, site: Sites
) -> None:
    agency.answers["/a"] = body(
        b'{"data": [{"id": "R1\\u0000", "jenis": "KTP\\u0000\\u0007", "masuk": "2026-11-20 09:00:00"}, '
        b'{"id": "R2", "jenis": "KK\\ud800", "masuk": "2026-11-20 09:00:00"}]}'
    )
    here = site(**source(agency))
    result = run_source(engine, here.regency, "uji", settings=here.settings, now=lambda: NOW)
    assert result.outcome is Outcome.OK
    said_in(here, result, "2 values held control or zero characters")
    with engine.connect() as connection:
        codes = connection.execute(select(case.c.codes).order_by(case.c.id)).scalars().all()
    assert [json.loads(found)[1] for found in codes] == ["KTP", "KK"]


ROW = b'{"id": "%d", "jenis": "KTP", "masuk": "2026-11-20 09:00:00", "status": "SELESAI"%s}'


@pytest.mark.parametrize("more", [b', "lat": NaN', b', "lat": -Infinity', b', "jenis": "KK"', b', "masuk": 123456789012345678901234567890'],
                         ids=["B8 NaN", "B8 Infinity", "B9 a key twice", "B10 thirty digits"])
def test_a_row_that_says_two_things_or_none_is_put_aside_and_its_neighbours_count(agency: Agency, site: Sites, more: bytes) -> None:
    agency.answers["/a"] = body(b'{"data": [' + ROW % (1, b"") + b", " + ROW % (2, more) + b", " + ROW % (3, b"") + b"]}")
    here = site(**source(agency))
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 2, 1)
    said_in(here, result, "1 rows put aside")
    assert len(here.put_aside) == 1
    assert here.put_aside[0].reason


def test_b10_an_id_of_thirty_digits_is_text_and_stays_one_case(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = body(b'{"data": [' + (ROW % (1, b"")).replace(b'"1"', b"123456789012345678901234567890") + b"]}")
    here = site(**source(agency))
    assert (here.run().rows_new, here.run().rows_new, here.cases) == (1, 0, 1)


READINGS = {
    "metric": {"value": "satisfaction"}, "scope": "unit", "period": {"from": "bulan", "format": "%Y-%m"},
    "grain": {"value": "month"}, "value": {"from": "nilai", "missing": ["-"]},
}


@pytest.mark.parametrize(("value", "stored"), [
    ("12,5", 12.5), (-0.0, 0.0), ("88.25", 88.25), (1e308, None), ("1.234,5", None), ("entah", None), (10**30, None), ("1e400", None),
])
def test_b11_numbers_are_read_by_one_rule_or_put_aside(agency: Agency, site: Sites, value: Any, stored: float | None) -> None:
    from dashboard.store.tables import reading

    agency.answers["/a"] = rows([{"unit": "MPP", "bulan": "2026-10", "nilai": value}])
    here = site(**source(agency, feeds="readings", fields=READINGS))
    result = here.run()
    assert result.outcome is (Outcome.PARTIAL if stored is None else Outcome.OK)
    assert here.value(select(reading.c.value)) == stored
    assert len(here.put_aside) == (stored is None)


def test_b13_a_text_of_ten_megabytes_is_cut_with_a_mark_and_said(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = body(json.dumps({"data": [request(1, jenis="K" * 10_000_000), request(2)]}).encode())
    here = site(**source(agency))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = here.run()
    assert result.outcome is Outcome.OK
    said_in(here, result, "1 values were longer than 200 characters and were cut")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    with here.engine.connect() as connection:
        service = json.loads(connection.execute(select(case.c.codes).order_by(case.c.id)).scalars().all()[0])[1]
    assert (len(service), service[-1]) == (200, "…")


@pytest.mark.parametrize("mode", ["snapshot", "incremental"])
def test_b14_b15_a_renamed_field_or_a_changed_type_of_the_ids_makes_no_second_set_of_cases(
    agency: Agency, site: Sites, mode: str
) -> None:
    numbers = [request(n, id=n) for n in range(1, 31)]
    agency.answers["/a"] = rows(numbers)
    here = site(**source(agency, mode=mode, options={"since": {"param": "sejak"}}))
    here.run()
    agency.answers["/a"] = rows([{**row, "id": f"{row['id']:05d}"} for row in numbers])
    survives(here, Outcome.HELD, "padded with zeros")
    agency.answers["/a"] = rows([{("nomor" if key == "id" else key): value for key, value in row.items()} for row in numbers])
    survives(here, Outcome.HELD, "'id' of case_id is in no row")
    agency.answers["/a"] = rows([{**row, "id": str(row["id"])} for row in numbers])
    assert here.run().outcome is Outcome.OK
    assert here.cases == here.received == 30


def test_b16_a_new_status_is_counted_said_once_and_kept_for_a_better_map(agency: Agency, loaded: Site) -> None:
    agency.answers["/a"] = rows([*FOUND, request(77, status="DIKEMBALIKAN"), request(78, status="DIKEMBALIKAN")])
    result = loaded.run()
    assert result.outcome is Outcome.OK
    said_in(loaded, result, "1 values new to the map ('status: DIKEMBALIKAN')")
    assert loaded.cases == loaded.received == 32
    with loaded.engine.connect() as connection:
        flagged = [row for row in connection.execute(select(case.c.flags, case.c.codes)) if row.flags & Flags.STATUS_UNMAPPED]
    assert sum("DIKEMBALIKAN" in row.codes for row in flagged) == 2
    assert loaded.run().en == "", "a known one is no news"


def test_b17_a_row_without_what_a_case_needs_is_put_aside(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(1), request(2, id=None), request(3, masuk=None), request(4)])
    here = site(**source(agency))
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 2, 2)
    assert {(row.field, row.reason) for row in here.put_aside} == {("case_id", "is missing"), ("submitted_at", "is missing")}


def drop(here: Site, name: str, data: str | bytes, age: timedelta = timedelta(minutes=1)) -> Path:
    """A file in the drop folder, so old."""
    path = here.settings.drop / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    at = (here.now - age).timestamp()
    os.utime(path, (at, at))
    return path


def table(count: int, status: str = "PROSES", mark: str = "") -> str:
    """A CSV of a source."""
    lines = [f"R{n:04d},KTP{mark},2026-11-20 09:00:00,-,{status}" for n in range(count)]
    return "\n".join(["id,jenis,masuk,selesai,status", *lines]) + "\n"


def delivered(site: Sites, path: str, **options: Any) -> Site:
    """A source of delivered files."""
    return site(connector="tabular", mode="snapshot", options={"path": path, **options}, fields=FIELDS)


def test_b19_b20_ragged_rows_and_formulas_of_a_csv_are_put_aside_or_kept_as_text(site: Sites) -> None:
    here = delivered(site, "a.csv")
    drop(here, "a.csv", table(3) + 'R9\n"R8"x,KTP,a,-,PROSES\n"=HYPERLINK(""http://x"")",=1+1,2026-11-20 09:00:00,-,PROSES\n')
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 4, 2)
    assert [(row.reason, row.line) for row in here.put_aside] == [("1 cells instead of 5", 5), ("broken quotes", 6)]
    assert '"=1+1"' in str(here.value(select(case.c.codes).order_by(case.c.id.desc())))


def workbook(path: Path, lines: list[list[Any]], **options: Any) -> None:
    """An XLSX file, a minute old."""
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm", **options}) as book:
        sheet = book.add_worksheet("Register")
        for number, line in enumerate(lines):
            for column, value in enumerate(line):
                sheet.write(number, column, value)
    at = (NOW - timedelta(minutes=1)).timestamp()
    os.utime(path, (at, at))


def rewritten(path: Path, change: Callable[[str], str]) -> None:
    """The first sheet of a workbook with its XML changed."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = change(parts[sheet].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    at = (NOW - timedelta(minutes=1)).timestamp()
    os.utime(path, (at, at))


HEAD = ["id", "jenis", "masuk", "selesai", "status"]
MOMENT = datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001


@pytest.mark.parametrize("cell", ["XFD1048576", "XFC900000"])
def test_b21_one_cell_in_the_last_corner_does_not_become_a_sheet_of_gigabytes(site: Sites, cell: str) -> None:
    here = delivered(site, "a.xlsx", format="xlsx")
    workbook(here.settings.drop / "a.xlsx", [HEAD, ["R1", "KTP", MOMENT, "-", "PROSES"]])
    row = re.sub("[A-Z]", "", cell)
    far = f'<row r="{row}"><c r="{cell}"><v>1</v></c></row></sheetData>'
    rewritten(here.settings.drop / "a.xlsx", lambda xml: xml.replace("</sheetData>", far))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    result = here.run()
    assert result.outcome is Outcome.CHANGED
    said_in(here, result, "spans more than 20 million cells")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert time.monotonic() - began < 5


def test_b21_a_row_that_is_formatted_to_the_last_column_is_no_fault(site: Sites) -> None:
    here = delivered(site, "a.xlsx", format="xlsx")
    workbook(here.settings.drop / "a.xlsx", [HEAD, ["R1", "KTP", MOMENT, "-", "PROSES"]])
    empty = "".join(f'<c r="{letters}3" s="1"/>' for letters in ("A", "ZZ", "XFD"))
    rewritten(here.settings.drop / "a.xlsx", lambda xml: xml.replace("</sheetData>", f'<row r="3">{empty}</row></sheetData>'))
    assert here.run().outcome is Outcome.OK
    assert here.cases == 1


def test_b21_a_bomb_of_shared_strings_is_refused_before_it_is_unpacked(site: Sites) -> None:
    here = delivered(site, "a.xlsx", format="xlsx")
    workbook(here.settings.drop / "a.xlsx", [HEAD, ["R1", "KTP", MOMENT, "-", "PROSES"]])
    with zipfile.ZipFile(here.settings.drop / "a.xlsx", "a", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("xl/more.xml", b" " * 300_000_000)
    at = (NOW - timedelta(minutes=1)).timestamp()
    os.utime(here.settings.drop / "a.xlsx", (at, at))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = here.run()
    assert result.outcome is Outcome.CHANGED
    said_in(here, result, "unpacks to")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@pytest.mark.parametrize("system", [{}, {"date_1904": True}], ids=["1900", "1904"])
def test_b22_dates_of_each_base_are_read_and_dates_as_text_among_them_are_put_aside(site: Sites, system: dict[str, bool]) -> None:
    fields = {**FIELDS, "submitted_at": {"from": "masuk", "format": "%d/%m/%Y %H:%M"}}
    here = site(connector="tabular", mode="snapshot", options={"path": "a.xlsx", "format": "xlsx"}, fields=fields)
    workbook(here.settings.drop / "a.xlsx", [
        HEAD, ["R1", "KTP", MOMENT, "-", "PROSES"], ["R2", "KTP", "20/11/2026 09:00", "-", "PROSES"],
        ["R3", "KTP", "11-20-2026", "-", "PROSES"], ["R4", "KTP", "20 Nov", "-", "PROSES"],
    ], **system)
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 2, 2)
    with here.engine.connect() as connection:
        found = set(connection.execute(select(case.c.submitted_at)).scalars())
    assert found == {int(datetime(2026, 11, 20, 1, 0, tzinfo=UTC).timestamp())}


@pytest.mark.parametrize("empty", ["<v></v>", "<v/>", ""])
def test_b23_a_formula_that_was_never_computed_is_put_aside_by_name(site: Sites, empty: str) -> None:
    here = delivered(site, "a.xlsx", format="xlsx")
    lines = [[f"R{n}", "KTP", MOMENT, "-", "PROSES"] for n in range(1, 4)]
    workbook(here.settings.drop / "a.xlsx", [HEAD, *lines])
    rewritten(here.settings.drop / "a.xlsx", lambda xml: re.sub(
        r'<c r="B3"[^>]*><v>[^<]*</v></c>', f'<c r="B3"><f>VLOOKUP(1,A:B,2)</f>{empty}</c>', xml))
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 2, 1)
    assert (here.put_aside[0].reason, here.put_aside[0].line) == ("formula without a value in column B", 3)


def test_b23_a_formula_that_says_an_empty_text_is_a_value(site: Sites) -> None:
    here = delivered(site, "a.xlsx", format="xlsx")
    workbook(here.settings.drop / "a.xlsx", [HEAD, ["R1", "KTP", MOMENT, "-", "PROSES"]])
    rewritten(here.settings.drop / "a.xlsx", lambda xml: re.sub(
        r'<c r="D2"[^>]*><v>[^<]*</v></c>', '<c r="D2" t="str"><f>IF(1,"","")</f><v></v></c>', xml))
    assert here.run().outcome is Outcome.OK


def test_the_glance_at_a_large_sheet_is_quick_and_sees_its_size(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [HEAD, *([n, "KTP", MOMENT, "-", "PROSES"] for n in range(20_000))], constant_memory=True)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as packed:
        found = glance(packed, "a.xlsx", "Register")
        assert glance(packed, "a.xlsx", "Lain") is None
    assert found is not None
    assert found[:2] == (20_001, 5)
    assert found.uncomputed == {}


@pytest.mark.parametrize(("data", "said"), [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600, "encrypted"),
    (b"<html><table><tr><td>id</td></tr></table></html>", "not a workbook but HTML"), (table(2).encode(), "not a workbook but text"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "cannot be read"),
], ids=["encrypted", "HTML", "text", "broken .xls"])
def test_b24_a_file_of_another_kind_is_called_by_its_true_name(site: Sites, data: bytes, said: str) -> None:
    here = delivered(site, "a.xlsx", format="xlsx")
    drop(here, "a.xlsx", data)
    result = here.run()
    assert result.outcome is Outcome.CHANGED
    said_in(here, result, said)


def test_b25_b26_a_file_half_there_waits_and_the_whole_one_is_taken(site: Sites) -> None:
    here = delivered(site, "a.xlsx", format="xlsx")
    workbook(here.settings.drop / "a.xlsx", [HEAD, ["R1", "KTP", MOMENT, "-", "PROSES"]])
    whole = (here.settings.drop / "a.xlsx").read_bytes()
    drop(here, "a.xlsx", whole[: len(whole) // 2])
    assert here.run().outcome is Outcome.UNAVAILABLE
    fresh = drop(here, "b.xlsx", whole)
    fresh.replace(here.settings.drop / "a.xlsx")
    assert here.run().outcome is Outcome.OK
    assert here.cases == 1


@pytest.mark.parametrize("what", ["link", "pipe", "nothing"])
def test_b27_what_is_no_file_keeps_the_last_figures(site: Sites, what: str) -> None:
    here = delivered(site, "a.csv")
    place = drop(here, "a.csv", table(30))
    here.run()
    place.unlink()
    {"link": lambda: place.symlink_to("/etc/passwd"), "pipe": lambda: os.mkfifo(place), "nothing": lambda: place.touch()}[what]()
    began = time.monotonic()
    assert here.run().outcome is Outcome.CHANGED
    assert time.monotonic() - began < 10, "a pipe does not hang"
    assert here.cases == here.received == 30


def test_b28_a_file_dropped_twice_doubles_nothing_and_an_old_one_never_overwrites_newer_data(site: Sites) -> None:
    here = delivered(site, "f")
    (here.settings.drop / "f").mkdir()
    drop(here, "f/oktober.csv", table(20), timedelta(days=2))
    drop(here, "f/november.csv", table(30, "SELESAI", " baru"), timedelta(days=1))
    assert here.run().rows_new == 30
    until = here.state.data_until
    drop(here, "f/salinan november.csv", table(30, "SELESAI", " baru"), timedelta(hours=2))
    drop(here, "f/oktober (1).csv", table(20), timedelta(hours=1))
    result = here.run()
    assert (result.outcome, result.rows_new, result.rows_changed) == (Outcome.OK, 0, 0)
    assert (here.cases, here.state.data_until) == (30, until)
    for path in (here.settings.drop / "f").iterdir():
        path.unlink()
    drop(here, "f/oktober lagi.csv", table(20), timedelta(minutes=5))
    survives(here, Outcome.CHANGED, "an older file again")
    drop(here, "f/desember.csv", table(30, "SELESAI", " baru") + "R0099,KTP,2026-11-21 09:00:00,-,PROSES\n", timedelta(minutes=1))
    assert here.run().rows_new == 1


@pytest.fixture(scope="module")
def maria() -> Iterator[labs.Maria]:
    with mariadb() as server:
        lab = labs.Maria(server)
        lab.prepare()
        yield lab


STRANGE = "Layanan 👍 e\u0301 \u202ekebalik\u202c nol\u200blebar"


@pytest.mark.servers
def test_b29_strange_letters_of_an_old_mysql_table_are_stored_clean(maria: labs.Maria, site: Sites) -> None:
    with maria.server.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS agency.lama")
        cursor.execute("CREATE TABLE agency.lama (id INT, jenis VARCHAR(99) CHARACTER SET utf8mb3, jenis4 VARCHAR(99) CHARACTER SET utf8mb4)")
        cursor.execute("INSERT INTO agency.lama VALUES (1, %s, %s)", (STRANGE.replace("👍", ""), STRANGE))
    fields = {"case_id": "id", "service": {"from": "jenis4", "otherwise": "discover"}, "channel": "jenis",
              "submitted_at": {"from": "masuk", "format": "iso"}}
    here = site(connector="sql", mode="snapshot", fields=fields, options=maria.options(
        "SELECT id, jenis, jenis4, '2026-11-20 09:00:00' AS masuk FROM agency.lama"))
    secret(here)
    result = here.run()
    assert result.outcome is Outcome.OK, result.en
    said_in(here, result, "held control or zero characters")
    codes = json.loads(here.value(select(case.c.codes)))
    assert codes[1] == "Layanan 👍 \u00e9 kebalik nollebar"
    assert codes[3] == "Layanan  \u00e9 kebalik nollebar"


def secret(here: Site) -> None:
    """The password of the lab's reader."""
    here.settings.secrets.mkdir(exist_ok=True)
    (here.settings.secrets / "token").write_text(labs.SECRET)
    (here.settings.secrets / "token").chmod(0o600)


NAMES = ['<a href="http://x/">Klik</a>', "<script>alert(1)</script>", r"$\href{javascript:alert(1)}{x}$", "{{ 7*7 }}", "%s %(x)s {0}", "=1+1"]


def test_b30_names_that_look_like_code_are_stored_exported_and_logged_as_they_are(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(n, jenis=name) for n, name in enumerate(NAMES)])
    here = site(**source(agency))
    with capture_logs() as lines:
        assert here.run().outcome is Outcome.OK
    frame = figures(Context(here.engine, here.regency, NOW), metrics=("received",), grain="year", by=("service",))
    assert set(frame["service"]) == set(NAMES)
    csv, told, shown = (write(frame, kind) for kind in ("csv", "json", "table"))
    assert "'=1+1" in csv
    assert {row["service"] for row in json.loads(told)} == set(NAMES)
    assert "{{ 7*7 }}" in shown
    assert lines == []


def test_b30_nothing_that_draws_takes_text_for_markup() -> None:
    root = Path(__file__).parents[2]
    found = [
        (path.name, word) for folder in ("layouts", "dashboard") for path in (root / folder).rglob("*.py")
        for word in ("dangerously", "dcc.Markdown", "html.Iframe", "srcDoc", "dcc.Location") if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
    scripts = [path.name for path in (root / "assets").glob("*.js") if re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text())]
    assert scripts == []


def test_b12_the_process_lives_on_after_json_that_is_nested_a_hundred_thousand_deep(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = body(b'{"data": ' * 100_000 + b"1" + b"}" * 100_000)
    here = site(**source(agency))
    assert here.run().outcome is Outcome.CHANGED
    agency.answers["/a"] = rows(FOUND)
    assert here.run().rows_new == 30
    assert verify(here.engine, here.regency) == []
