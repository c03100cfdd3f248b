"""Connecting a source as an administrator would: a sample is read, a declaration is proposed, it passes `check` and collects."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from rich.console import Console
from sqlalchemy import func, select

from collectors.runner import run_source
from config.loading import load
from config.settings import Settings
from dashboard import onboarding
from dashboard.errors import CollectError, ConfigError, ProductError
from dashboard.onboarding import Ask, Proposed, proposed
from dashboard.store.engine import migrate, open_engine
from dashboard.store.tables import case
from layouts.panels import names
from tests.agency_api import Agency, Request, body, rows
from tests.product import SHARED, Product

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
START = datetime(2026, 3, 13, 8, 15)  # noqa: DTZ001 (stamps of sources without a zone)
PERSONS = ("Canary", "7322031234567890", "081234567890", "canary@surel.example", "Jl. Rahasia")
STATES = ("SELESAI", "PROSES", "DITOLAK")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A regency that extends the shipped declarations, and a drop root."""
    for name in ("config", "drop"):
        (tmp_path / name).mkdir()
    shipped = Path(onboarding.__file__).parents[1] / "config"
    (tmp_path / "config/regency.toml").write_text(f'extends = "{shipped}"\n')
    return Settings(config=tmp_path / "config", data=tmp_path / "var", drop=tmp_path / "drop", secrets=tmp_path / "secrets")


def try_(settings: Settings, origin: str, agency: str = "uji", **more: Any) -> Proposed:
    """The proposal for a sample."""
    return proposed(Ask(origin, agency, **more), settings, load(settings.config), now=lambda: NOW, panels=list(names()))


def printed(found: Proposed, language: str = "id") -> str:
    """What an administrator sees."""
    screen = io.StringIO()
    onboarding.show(found, Console(file=screen, width=200), language)
    return screen.getvalue()


def collected(settings: Settings, found: Proposed) -> tuple[str, int]:
    """Write the proposal, collect it; the outcome, and how many cases are stored."""
    onboarding.write(found)
    settings.data.mkdir(exist_ok=True)
    engine = open_engine(settings.url_of("figures"), "figures")
    migrate(engine, "figures")
    result = run_source(engine, load(settings.config), found.source.id, settings=settings, now=lambda: NOW)
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(case)).scalar_one()
    engine.dispose()
    return result.outcome.value, count


def register(number: int, form: str = "%d/%m/%Y %H:%M") -> dict[str, str]:
    """A row of an Indonesian register, with all that must not be taken."""
    masuk = START + timedelta(days=number, minutes=7 * number)
    return {
        "no_registrasi": f"REG/{number:04d}/2026", "nama_pemohon": f"Andi Canary {'abcdefgh'[number % 8]}",
        "nik": str(7322031234567890 + number), "no_hp": f"0812345678{90 + number % 10}", "alamat": f"Jl. Rahasia No. {number}",
        "jenis_layanan": ("KTP-el", "Akta Kelahiran", "Kartu Keluarga")[number % 3], "tgl_masuk": masuk.strftime(form),
        "tgl_selesai": (masuk + timedelta(hours=20)).strftime(form) if number % 3 != 1 else "-",
        "status": STATES[number % 3], "kanal": ("Loket", "Website", "WhatsApp")[number % 3],
        "kecamatan": ("Masamba", "Sabbang", "Bone-Bone")[number % 3], "keterangan": f"café, hubungi canary@surel.example soal {number}",
    }


def as_csv(found: list[dict[str, Any]], delimiter: str = ",", encoding: str = "utf-8", before: str = "") -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(found)
    return (before + text.getvalue()).encode(encoding)


def dropped(settings: Settings, name: str, data: bytes) -> str:
    """A file in the drop folder of the agency, a minute old; its path, as the sample."""
    path = settings.drop / "uji" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))
    return str(path)


def workbook(settings: Settings, name: str) -> str:
    """A workbook with native dates below two rows of titles, and another sheet."""
    path = settings.drop / "uji" / name
    path.parent.mkdir(exist_ok=True)
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm", "remove_timezone": True}) as book:
        book.add_worksheet("Sampul").write(0, 0, "Register")
        page = book.add_worksheet("Register")
        page.write(0, 0, "REGISTER LAYANAN")
        for line in range(40):
            row: dict[str, Any] = register(line)
            row["tgl_masuk"] = START + timedelta(days=line)
            row["tgl_selesai"] = START + timedelta(days=line, hours=3) if line % 3 != 1 else None
            for place, (heading, value) in enumerate(row.items()):
                page.write(2, place, heading)
                page.write(line + 3, place, value)
    os.utime(path, (time.time() - 60, time.time() - 60))
    return str(path)


REGISTER = [register(number) for number in range(60)]
CSVS: dict[str, Callable[[], bytes]] = {
    "semicolons in cp1252": lambda: as_csv(REGISTER, ";", "cp1252"),
    "tabs": lambda: as_csv(REGISTER, "\t"),
    "a mark at the start": lambda: as_csv(REGISTER, encoding="utf-8-sig"),
    "utf-16": lambda: as_csv(REGISTER, encoding="utf-16"),
    "titles above": lambda: as_csv(REGISTER, ";", before="LAPORAN LAYANAN\r\nBulan Maret\r\n\r\n"),
    "iso stamps": lambda: as_csv([register(number, "%Y-%m-%d %H:%M:%S") for number in range(60)]),
    "month names": lambda: as_csv([register(number, "%d %B %Y %H:%M") for number in range(60)]),
    "hyphens": lambda: as_csv([register(number, "%d-%m-%Y %H:%M:%S") for number in range(60)]),
    "dates only": lambda: as_csv([register(number, "%d/%m/%Y") for number in range(60)]),
}


@pytest.mark.parametrize("name", CSVS)
def test_a_register_is_proposed_checked_and_collected(settings: Settings, name: str) -> None:
    found = try_(settings, dropped(settings, "register.csv", CSVS[name]()))
    fields = found.source.fields
    assert {key: field.from_ for key, field in fields.items()} == {
        "case_id": "no_registrasi", "service": "jenis_layanan", "submitted_at": "tgl_masuk", "ended_at": "tgl_selesai",
        "status": "status", "channel": "kanal", "district": "kecamatan",
    }
    assert fields["status"].map == {"SELESAI": "completed", "PROSES": "open", "DITOLAK": "cancelled"}
    assert fields["channel"].map == {"Loket": "counter", "Website": "online", "WhatsApp": "message"}
    assert dict(found.proposal.personal) == {
        "nama_pemohon": "person", "nik": "nik", "no_hp": "phone", "alamat": "address", "keterangan": "text"}
    assert found.mapped.rejected == []
    assert collected(settings, found) == ("ok", 60)


@pytest.mark.parametrize("language", ["id", "en"])
def test_what_is_shown_names_the_left_out_columns_and_none_of_their_values(settings: Settings, language: str) -> None:
    text = printed(try_(settings, dropped(settings, "register.csv", as_csv(REGISTER))), language)
    assert all(name in text for name in ("nama_pemohon", "nik", "no_hp", "alamat", "keterangan"))
    assert [value for value in (*PERSONS, "REG/0001/2026") if value in text] == []
    assert text.count("ktp-el") >= 7  # of twenty rows
    assert "Asia/Makassar" in text


def test_a_workbook_with_date_cells_is_proposed_and_collected(settings: Settings) -> None:  # B22
    found = try_(settings, workbook(settings, "register.xlsx"))
    assert found.source.options["sheet"] == "Register"
    assert found.source.options["header_row"] == 3
    assert found.source.fields["submitted_at"].format is None
    assert collected(settings, found) == ("ok", 40)


def test_dates_that_could_be_month_first_are_said_to_be_unsure(settings: Settings) -> None:
    some = [{**register(number), "tgl_masuk": f"{number % 12 + 1:02d}/03/2026 08:{number:02d}", "tgl_selesai": "-"} for number in range(30)]
    found = try_(settings, dropped(settings, "a.csv", as_csv(some)))
    assert found.source.fields["submitted_at"].format == "%d/%m/%Y %H:%M"
    assert "TANGGAL TIDAK PASTI" in printed(found)


def test_dates_that_can_only_be_month_first_are_read_so(settings: Settings) -> None:
    some = [{**row, "tgl_masuk": f"03/{number % 28 + 1:02d}/2026 08:15", "tgl_selesai": "-"} for number, row in enumerate(REGISTER)]
    found = try_(settings, dropped(settings, "a.csv", as_csv(some)))
    assert found.source.fields["submitted_at"].format == "%m/%d/%Y %H:%M"
    assert "TANGGAL TIDAK PASTI" not in printed(found)


def test_date_and_time_in_two_columns_without_an_id_are_put_together(settings: Settings) -> None:
    some = [
        {"tanggal": (date(2026, 3, 1) + timedelta(days=number)).strftime("%d/%m/%Y"), "jam_masuk": f"{8 + number % 6}:{number % 60:02d}",
         "layanan": ("Rawat jalan", "Gigi")[number % 2]} for number in range(40)
    ]
    found = try_(settings, dropped(settings, "a.csv", as_csv(some)))
    assert found.source.fields["submitted_at"].from_ == ("tanggal", "jam_masuk")
    assert found.source.fields["case_id"].from_ == ("tanggal", "jam_masuk", "layanan")
    assert collected(settings, found) == ("ok", 40)


def test_a_peak_at_night_makes_one_ask_for_the_zone(settings: Settings) -> None:
    some = [{**row, "tgl_masuk": f"{number % 28 + 1:02d}/03/2026 {number % 5:02d}:30", "tgl_selesai": "-"} for number, row in enumerate(REGISTER)]
    assert "zonanya mungkin keliru" in printed(try_(settings, dropped(settings, "a.csv", as_csv(some))))


def test_what_would_be_rejected_is_shown_by_reason_without_its_content(settings: Settings) -> None:
    some = [dict(row) for row in REGISTER]
    some[7]["tgl_masuk"] = "kemarin Canary"
    some[9]["no_registrasi"] = some[9]["no_registrasi"]
    text = printed(try_(settings, dropped(settings, "a.csv", as_csv(some))))
    assert "submitted_at: not a time of the declared format (1 baris, misalnya baris 9)" in text
    assert "kemarin" not in text


def test_an_agency_that_is_declared_gets_a_source_whose_services_are_its_own(settings: Settings) -> None:
    some = [{**row, "jenis_layanan": "Kartu Keluarga"} for row in REGISTER]
    path = settings.drop / "disdukcapil" / "kk.csv"
    path.parent.mkdir()
    path.write_bytes(as_csv(some))
    os.utime(path, (time.time() - 60, time.time() - 60))
    found = try_(settings, str(path), "disdukcapil")
    assert found.path == settings.config / "sources/disdukcapil-kk.toml"
    assert found.source.owner == "disdukcapil"
    assert found.source.fields["service"].map == {"Kartu Keluarga": "kk"}
    assert collected(settings, found) == ("ok", 60)


def test_nothing_is_written_unasked_and_nothing_over_another_file(settings: Settings) -> None:
    found = try_(settings, dropped(settings, "a.csv", as_csv(REGISTER)))
    assert not found.path.exists()
    onboarding.write(found)
    before = found.path.read_text()
    with pytest.raises(ConfigError, match="there already"):
        onboarding.write(found)
    assert found.path.read_text() == before


PAGE = {"data": {"data": [{"id": number, "layanan": {"nama": ("NIB", "PBG")[number % 2]}, "status": STATES[number % 3],
                           "tgl_pengajuan": f"2026-03-{number % 28 + 1:02d}T08:15:00+08:00", "pemohon": {"nama": "Andi Canary"},
                           "riwayat": [{"x": 1}]} for number in range(50)], "count": [{"data": 50}]}}


def test_a_nested_json_file_is_proposed_and_its_address_collected(settings: Settings, agency: Agency, tmp_path: Path) -> None:
    file = tmp_path / "jawaban.json"
    file.write_text(json.dumps(PAGE))
    agency.answers["/api"] = body(json.dumps(PAGE).encode())
    found = try_(settings, str(file), address=agency.url("/api"), network=["127.0.0.0/8"])
    assert found.source.options["records"] == "data.data"
    assert found.source.fields["service"].from_ == "layanan.nama"
    assert dict(found.proposal.personal) == {"pemohon.nama": "person"}
    assert collected(settings, found) == ("ok", 50)


def test_a_json_file_without_an_address_asks_for_it(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "jawaban.json"
    file.write_text(json.dumps(PAGE))
    assert "options.url" in printed(try_(settings, str(file)))


ITEMS = [{"id": f"P-{n}", "layanan": ("NIB", "PBG")[n % 2], "dibuat": f"2026-03-{n % 28 + 1:02d} 08:15:00", "nama": "Andi Canary"}
         for n in range(95)]


def _by_page(request: Request) -> None:
    size, number = int(request.query.get("per_page", 20)), int(request.query.get("page", 1))
    request.json({"data": ITEMS[(number - 1) * size : number * size], "meta": {"current_page": number, "per_page": size, "total": 95}})


def _by_offset(request: Request) -> None:
    start = int(request.query.get("offset", 0))
    request.json({"records": ITEMS[start : start + int(request.query["limit"])], "total": 95})


def _by_cursor(request: Request) -> None:
    start = int(request.query.get("cursor", 0))
    request.json({"items": ITEMS[start : start + 20], "next_cursor": str(start + 20) if start + 20 < 95 else ""})


def _by_url(request: Request) -> None:
    start = int(request.query.get("start_at", 0))
    following = f"/api?start_at={start + 20}" if start + 20 < 95 else None
    request.json({"rows": ITEMS[start : start + 20], "next_url": following})


def _by_link(request: Request) -> None:
    start = int(request.query.get("_start", 0))
    more = {"Link": f'</api?_start={start + 20}>; rel="next"'} if start + 20 < 95 else {}
    request.json(ITEMS[start : start + 20], **more)


def _as_lists(request: Request) -> None:
    request.json({"columns": list(ITEMS[0]), "rows": [list(item.values()) for item in ITEMS]})


@pytest.mark.parametrize(("path", "answer", "kind"), [
    ("/api?page=1&per_page=20", _by_page, "page"), ("/api?offset=0&limit=20", _by_offset, "offset"), ("/api", _by_cursor, "cursor"),
    ("/api", _by_url, "next-url"), ("/api", _by_link, "link-header"), ("/api", _as_lists, None),
])
def test_an_address_is_read_and_its_paging_recognised(
    settings: Settings, agency: Agency, path: str, answer: Callable[[Request], None], kind: str | None
) -> None:
    agency.answers["/api"] = answer
    found = try_(settings, agency.url(path), network=["127.0.0.0/8"])
    assert found.source.options.get("pages", {}).get("kind") == kind
    assert [name for name, _ in found.proposal.personal] == ["nama"]
    assert collected(settings, found) == ("ok", 95)


def test_a_total_that_is_larger_than_the_sample_is_said(settings: Settings, agency: Agency) -> None:
    agency.answers["/api"] = lambda request: request.json({"data": ITEMS[:20], "total": 95})
    assert "Tambahkan pages" in printed(try_(settings, agency.url("/api"), network=["127.0.0.0/8"]))


def test_a_csv_at_an_address_is_collected_from_there(settings: Settings, agency: Agency) -> None:
    agency.answers["/a.csv"] = body(as_csv(REGISTER, ";"), kind="text/csv")
    found = try_(settings, agency.url("/a.csv"), network=["127.0.0.0/8"])
    assert collected(settings, found) == ("ok", 60)


def test_an_address_that_asks_for_a_token_gets_it_and_it_is_never_shown(settings: Settings, agency: Agency) -> None:
    settings.secrets.mkdir()
    (settings.secrets / "token").write_text("s3cret-canary")
    (settings.secrets / "token").chmod(0o600)
    agency.answers["/api"] = rows(ITEMS)
    found = try_(settings, agency.url("/api"), network=["127.0.0.0/8"], auth={"kind": "bearer", "secret": "token"})
    assert agency.requests[0].headers["authorization"] == "Bearer s3cret-canary"
    assert "s3cret" not in printed(found)
    assert collected(settings, found) == ("ok", 95)


@pytest.mark.parametrize(("data", "told"), [
    (b"", "empty"), (b"<html>Masuk</html>", "HTML"), (b'{"data": 1}', "no list"), (b"{", "not JSON"), (b"PK\x03\x04abc", "not whole"),
    (b"1,2026-03-01,Andi Canary\n2,2026-03-02,Budi Canary\n", "no row of headings"), (b"id,masuk\n", "no row"),
    (b"tahun,jumlah\n2024,5\n2025,7\n", "added up"),
], ids=["empty", "HTML", "no list", "cut", "half copied", "no headings", "no rows", "figures"])
def test_a_sample_that_cannot_be_used_says_why_and_shows_nothing_of_it(settings: Settings, data: bytes, told: str) -> None:
    with pytest.raises(ProductError) as caught:
        try_(settings, dropped(settings, "a.csv", data))
    assert told in caught.value.en
    assert "Canary" not in caught.value.en + caught.value.id
    assert caught.value.en != caught.value.id


def test_a_private_address_needs_its_range(settings: Settings, agency: Agency) -> None:  # A21
    with pytest.raises(CollectError, match="private"):
        try_(settings, agency.url("/api"))


REAL = {
    "sf311/sf311_requests.csv": ("unique_key", "created_date", "closed_date", "category"),
    "calgary_permits/calgary_permits.csv": ("permitnum", "applieddate", "completeddate", "permittype"),
    "la311_week/la311_2017w52.csv": ("SRNumber", "CreatedDate", "ClosedDate", "RequestType"),
    "jakarta_damkar_2013/jakarta_damkar_2013.csv": ("no", ("tanggal", "waktu_informasi"), None, "kategori_objek_bencana"),
}


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the shared real data is not there")
@pytest.mark.parametrize("name", REAL)
def test_real_open_data_is_proposed_and_collected(settings: Settings, name: str) -> None:
    with (SHARED / "data" / name).open("rb") as file:
        head = b"".join(file.readline() for _ in range(1001))
    found = try_(settings, dropped(settings, Path(name).name, head))
    fields = found.source.fields
    told = tuple(fields[key].from_ if key in fields else None for key in ("case_id", "submitted_at", "ended_at", "service"))
    assert told == REAL[name]
    assert found.mapped.rejected == []
    assert collected(settings, found) == ("ok", 1000)


def test_the_command_proposes_writes_and_the_written_source_is_collected(tmp_path: Path) -> None:
    product = Product(tmp_path)
    product.declare({"regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\n',
                     "agencies/lain.toml": 'name = { id = "Lain", en = "Other" }\nshort_name = "Lain"\n'})
    (product.drop / "register").mkdir()
    path = product.drop / "register" / "register.csv"
    path.write_bytes(as_csv(REGISTER, ";", "cp1252"))
    os.utime(path, (time.time() - 60, time.time() - 60))
    product.run("new", "agency", "--from", str(path))
    assert not (product.config / "agencies/register.toml").exists()
    assert "check --probe" in product.run("new", "agency", "--from", str(path), "--write")
    assert "register-data: ok: 20 of 20 rows mapped" in product.run("check", "--probe")
    assert "60 new" in product.run("collect", "--dry-run")
    assert "register-data: ok" in product.run("collect")
    product.run("new", "agency", "--from", str(path), "--write", "--id", "../x", code=1)
    assert sorted(file.name for file in product.config.rglob("*.toml")) == ["lain.toml", "regency.toml", "register.toml"]


@pytest.mark.long
@pytest.mark.parametrize("wrong", [["--network", "10/x"], ["--auth", "magic"], ["--language", "fr"], ["--zone", "Mars"]])
def test_a_wrong_option_is_refused_and_writes_nothing(tmp_path: Path, wrong: list[str]) -> None:
    product = Product(tmp_path)
    product.declare({"regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\n',
                     "agencies/lain.toml": 'name = { id = "Lain", en = "Other" }\nshort_name = "Lain"\n'})
    path = product.drop / "register.csv"
    path.write_bytes(as_csv(REGISTER, ";", "cp1252"))
    product.run("new", "agency", "--from", str(path), "--write", *wrong, code=1)
    assert sorted(file.name for file in product.config.rglob("*.toml")) == ["lain.toml", "regency.toml"]
