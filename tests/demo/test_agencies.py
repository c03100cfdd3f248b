"""Each simulated agency as a real process: its protocol, its pages, its people that nobody may collect."""

from __future__ import annotations

import csv
import io
import urllib.error
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from dashboard.demo.hours import day_of
from dashboard.demo.launch import Agencies
from dashboard.demo.people import NIK_PREFIX, PHONE_PREFIX, SURNAME
from dashboard.demo.systems.khanza import TABLE
from dashboard.demo.systems.satudata import RESOURCE
from tests.demo.conftest import (
    clinic_lines,
    get,
    ledger,
    open_data,
    permits,
    potholes,
    registrations,
    reports,
    seekers,
    status_of,
    table,
    tickets,
    transport,
    visits,
)


def letters(agencies: Agencies) -> list[dict[str, Any]]:
    return table(agencies, "dpmd", "SELECT * FROM permohonan_surat ORDER BY id")


def queue(agencies: Agencies) -> list[dict[str, Any]]:
    return table(agencies, "khanza", "SELECT * FROM pasien ORDER BY no_rawat")


LISTS: dict[str, tuple[Callable[..., list[dict[str, Any]]], str]] = {
    "dpmptsp": (permits, "id"),
    "rsud": (visits, "no_rawat"),
    "lapor": (reports, "tracking_id"),
    "dishub": (transport, "no"),
    "disdukcapil": (registrations, "no_registrasi"),
    "disnakertrans": (seekers, "nomor"),
    "dputrkp2": (potholes, "service_request_id"),
    "satudata": (open_data, "nomor"),
    "dpmd": (letters, "id"),
    "khanza": (queue, "no_rawat"),
    "mpp": (tickets, "id"),
}


def sheet_rows(file: Path) -> list[list[Any]]:
    with file.open("rb") as opened:
        return CalamineWorkbook.from_filelike(opened).get_sheet_by_name("Register").to_python(skip_empty_area=False)


@pytest.mark.parametrize("name", LISTS)
def test_all_pages_together_are_what_the_ledger_counts(agencies: Agencies, name: str) -> None:
    read, key = LISTS[name]
    numbers = [row[key] for row in read(agencies)]
    assert len(numbers) == len(set(numbers)) == ledger(agencies, name)["cases"] > 150


@pytest.mark.parametrize("name", LISTS)
def test_reading_twice_gives_the_same(agencies: Agencies, name: str) -> None:
    read, _ = LISTS[name]
    assert read(agencies) == read(agencies)


@pytest.mark.parametrize("name", ["dpmptsp", "rsud", "lapor", "dishub", "disnakertrans", "dputrkp2", "satudata", "mpp"])
def test_the_size_of_pages_does_not_change_what_they_hold(agencies: Agencies, name: str) -> None:
    read, _ = LISTS[name]
    assert read(agencies, 1000) == read(agencies, 37)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dpmptsp", "/api/permohonan"), ("rsud", "/api/v1/kunjungan"), ("lapor", "/api/laporan"), ("dishub", "/layanan"),
        ("disnakertrans", "/api/pencaker"), ("dputrkp2", "/open311/v2/requests.json"),
        ("antrean", "/antreanrs/dashboard/waktutunggu/tanggal/2026-11-24/waktu/rs"),
    ],
)
def test_without_its_token_an_agency_says_nothing(agencies: Agencies, name: str, path: str) -> None:
    assert status_of(agencies, name, path) == 200
    assert status_of(agencies, name, path, known=False) == 401
    assert status_of(agencies, name, path + "x") == 404


def test_a_cursor_or_a_stamp_that_means_nothing_is_refused(agencies: Agencies) -> None:
    assert status_of(agencies, "rsud", "/api/v1/kunjungan?cursor=zzzz") == 400
    assert status_of(agencies, "dpmptsp", "/api/permohonan?updated_since=kemarin") == 400


def test_only_what_changed_since_is_told(agencies: Agencies) -> None:
    since = "2026-11-24T02:00:00+00:00"
    changed = permits(agencies, updated_since=since)
    everything = permits(agencies)
    assert changed == [row for row in everything if row["tgl_diubah"] >= "2026-11-24T10:00:00"]
    assert 0 < len(changed) < len(everything) / 10


def test_a_window_of_visits_begins_where_it_is_asked_to(agencies: Agencies) -> None:
    found = visits(agencies, terdaftar_sejak="2026-11-23T00:00:00+08:00")
    assert found == [row for row in visits(agencies) if row["waktu_daftar"] >= "2026-11-23"]


def test_people_are_waiting_and_being_served_at_this_hour(agencies: Agencies) -> None:
    standing = {row["stts"] for row in visits(agencies) if row["waktu_daftar"].startswith("2026-11-24")}
    assert standing == {"Belum", "Dilayani", "Sudah", "Batal"}
    assert all(row["waktu_panggil"] for row in visits(agencies) if row["stts"] == "Dilayani")


def test_a_licence_without_an_end_has_zero_dates(agencies: Agencies) -> None:
    open_ones = [row for row in permits(agencies) if row["status"] in ("Diajukan", "Proses")]
    assert {(row["tgl_selesai"], row["tgl_selesai_time"]) for row in open_ones} == {("0000-00-00", "00:00:00")}


def test_the_class_of_a_complaint_is_known_only_once_it_is_verified(agencies: Agencies) -> None:
    rows = reports(agencies)
    assert {row["klasifikasi"] for row in rows if row["status"] == "Belum Diverifikasi"} == {None}
    assert all(row["klasifikasi"] and row["waktu_verifikasi"] for row in rows if row["status"] in ("Proses", "Selesai"))
    assert {row["ditutup"] for row in rows if row["status"] == "Selesai"} <= {"tindak lanjut", "otomatis"}
    assert len({row["instansi_tujuan"] for row in rows}) >= 7


def test_a_daily_file_has_semicolons_and_local_dates(agencies: Agencies) -> None:
    file = agencies.drop / "puskesmas" / "kunjungan_2026-11-24.csv"
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")), delimiter=";"))
    stamps = [datetime.strptime(row["TGL DAFTAR"], "%d/%m/%Y %H:%M") for row in rows]  # noqa: DTZ007
    assert {stamp.date().isoformat() for stamp in stamps} == {"2026-11-24"}
    assert len(rows) > 100


def test_daily_files_and_those_of_the_mountains_hold_what_the_ledger_counts(agencies: Agencies) -> None:
    lines = clinic_lines(agencies)
    assert len(lines) == len({line.split(";")[0] for line in lines})
    assert len(lines) == ledger(agencies, "dinkes")["cases"]
    assert len(list((agencies.drop / "pegunungan").glob("*.csv"))) > 15


def test_monthly_workbooks_have_a_title_headings_in_the_third_row_and_real_dates(agencies: Agencies) -> None:
    files = sorted((agencies.drop / "dinsos").glob("layanan_*.xlsx"))
    tables = [sheet_rows(file) for file in files]
    assert [file.name for file in files] == [f"layanan_2026-{month}.xlsx" for month in ("09", "10", "11")]
    assert tables[0][2][0] == "No Register"
    assert {type(row[8]) for row in tables[0][3:]} == {datetime}
    assert sum(len(table) - 3 for table in tables) == ledger(agencies, "dinsos")["cases"]


def test_no_half_written_file_is_left_in_the_drop_folder(agencies: Agencies) -> None:
    assert list(agencies.drop.rglob(".*")) == []


def test_every_system_holds_names_and_numbers_that_may_never_be_collected(agencies: Agencies) -> None:
    texts = {
        **{name: str(read(agencies)) for name, (read, _) in LISTS.items()},
        "dinkes": "\n".join(clinic_lines(agencies)),
        "dinsos": str(sheet_rows(agencies.drop / "dinsos" / "layanan_2026-11.xlsx")),
    }
    assert {name for name, text in texts.items() if SURNAME not in text or NIK_PREFIX not in text} == {"satudata"}
    assert {name for name, text in texts.items() if PHONE_PREFIX not in text} == {"dinkes", "satudata"}


def test_a_ledger_agrees_with_the_statuses_that_were_served(agencies: Agencies) -> None:
    statuses = [row["status_permohonan"] for row in registrations(agencies)]
    said = ledger(agencies, "disdukcapil")
    assert said["completed"] == statuses.count("SELESAI")
    assert said["cancelled"] == statuses.count("BATAL")
    assert said["backlog"] == statuses.count("DIAJUKAN") + statuses.count("DIPROSES")


def test_nothing_is_served_from_the_future(agencies: Agencies) -> None:
    now = ledger(agencies, "rsud")["now"]
    assert day_of(now).isoformat() == "2026-11-24"
    assert max(row["waktu_daftar"] for row in visits(agencies)) <= "2026-11-24T10:53:00+08:00"
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(agencies, "rsud", "/nothing")
    caught.value.close()


def test_a_portals_table_names_its_columns_and_counts_its_rows(agencies: Agencies) -> None:
    path = "/api/3/action/datastore_search"
    said = get(agencies, "satudata", path, resource_id=RESOURCE, limit="7", offset="3")
    result = said["result"]
    assert (said["success"], len(result["records"]), result["total"]) == (True, 7, ledger(agencies, "satudata")["cases"])
    assert {column["id"] for column in result["fields"]} == set(result["records"][0])
    assert status_of(agencies, "satudata", f"{path}?resource_id={RESOURCE}", known=False) == 403
    assert status_of(agencies, "satudata", f"{path}?resource_id=other") == 404


def test_open311_tells_of_a_span_and_of_what_changed_the_newest_first(agencies: Agencies) -> None:
    rows = potholes(agencies)
    stamps = [row["requested_datetime"] for row in rows]
    day = potholes(agencies, start_date="2026-11-23T00:00:00+08:00", end_date="2026-11-24T00:00:00+08:00")
    assert stamps[0] > stamps[-1]
    assert day == [row for row in rows if row["requested_datetime"].startswith("2026-11-23")]
    assert {row["status"] for row in rows} == {"open", "closed"}
    changed = potholes(agencies, updated_after="2026-11-24T00:00:00+08:00")
    assert 0 < len(changed) < len(rows) / 2


def test_a_pharmacys_visit_is_one_row_for_each_stage(agencies: Agencies) -> None:
    rows = table(agencies, "khanza", f"SELECT taskid, count(*) n FROM {TABLE} GROUP BY taskid ORDER BY taskid")
    counts = {row["taskid"]: row["n"] for row in rows}
    said = ledger(agencies, "khanza")
    assert (counts["5"], counts["7"], counts["99"]) == (said["cases"], said["completed"], said["cancelled"])


def test_bpjs_tells_the_waiting_times_of_the_hospitals_own_visits_by_day(agencies: Agencies) -> None:
    path = "/antreanrs/dashboard/waktutunggu/tanggal/2026-11-23/waktu/rs"
    told = {row["kodepoli"]: row["jumlah_antrean"] for row in get(agencies, "antrean", path)["response"]["list"]}
    own: dict[str, int] = {}
    for row in visits(agencies):
        if row["waktu_daftar"].startswith("2026-11-23") and row["stts"] == "Sudah" and row["waktu_selesai"] < "2026-11-24":
            own[row["kd_poli"]] = own.get(row["kd_poli"], 0) + 1
    assert told == own
    assert told


def test_the_malls_tickets_have_a_letter_for_their_tenant_and_its_counters_are_published_with_their_minute(agencies: Agencies) -> None:
    letters_of = {(row["gerai"], row["nomor"][0]) for row in tickets(agencies)}
    assert letters_of >= {("Disdukcapil", "A"), ("BPJS Kesehatan", "C"), ("Imigrasi", "G")}
    counters = get(agencies, "mpp", "/loket")["loket"]
    assert {row["per"] for row in counters} == {"2026-11-24T10:53:00+08:00"}
    assert {row["gerai"]: row["buka"] for row in counters}["Imigrasi"] == 0  # a Tuesday
    assert sum(row["buka"] for row in counters) >= 8
    assert status_of(agencies, "mpp", "/loket", known=False) == 401


def test_the_emergency_line_tells_sums_by_the_hour_and_nobody_who_called(agencies: Agencies) -> None:
    rows = get(agencies, "darurat", "/api/rekap", hari="2")["rekap"]
    hours = sorted({row["jam"] for row in rows})
    assert (len(hours), hours[-1]) == (35, "2026-11-24T10:00:00+08:00")
    sums = {name: sum(row["nilai"] for row in rows if row["ukuran"] == name) for name in ("ditawarkan", "sah", "palsu", "putus")}
    assert sums["ditawarkan"] > sums["palsu"] > sums["sah"] > 0
    assert sums["sah"] + sums["palsu"] + sums["putus"] <= sums["ditawarkan"]
    assert SURNAME not in str(rows)
    assert status_of(agencies, "darurat", "/api/rekap", known=False) == 401
