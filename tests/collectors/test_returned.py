"""An agency without a system: a workbook is made, filled in, dropped, collected; a faulty one comes back marked."""

from __future__ import annotations

import csv
import io
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from tests.product import Product

REGENCY = """name = "Uji"
timezone = "Asia/Makassar"
locale = "id_ID"
"""
AGENCY = """name = { id = "Dinas Uji", en = "Test Office" }
short_name = "Uji"
[services.surat]
name = { id = "Surat keterangan", en = "Letter" }
[[services.surat.standards]]
from = 2020-01-01
promise = "2 days"
basis = "uji"
[services.aduan]
name = { id = "Pengaduan", en = "Complaint" }
kind = "complaint"
"""
DISTRICTS = """["73.22.03"]
name = "Masamba"
["73.22.04"]
name = "Sabbang"
"""
START = datetime(2026, 3, 2, 8, 15)  # noqa: DTZ001 (cells of a workbook have no zone)
HEAD = ["Nomor", "Layanan", "Tanggal masuk", "Tanggal diverifikasi", "Tanggal tanggapan pertama", "Status", "Tanggal selesai",
        "Kanal", "Kecamatan"]


@pytest.fixture
def product(tmp_path: Path) -> Product:
    """A regency with one agency whose source is what ``template`` printed."""
    made = Product(tmp_path)
    made.declare({"regency.toml": REGENCY, "agencies/uji.toml": AGENCY, "districts.toml": DISTRICTS})
    made.declare({"sources/uji-berkas.toml": made.run("template", "uji")})
    (made.drop / "uji").mkdir()
    return made


def row(number: int, **more: Any) -> list[Any]:
    """One rightly filled row; ``more`` names cells that are otherwise."""
    values = dict(zip(HEAD, [f"R-{number}", "Surat keterangan", START + timedelta(days=number), None, None, "Selesai",
                             START + timedelta(days=number, hours=20), "Daring", "Masamba"], strict=True))
    return list({**values, **{key.replace("_", " "): value for key, value in more.items()}}.values())


def fill(product: Product, rows: list[list[Any]], name: str = "maret.xlsx", head: list[str] = HEAD) -> Path:
    """A workbook as people save it, a minute old."""
    path = product.drop / "uji" / name
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm", "remove_timezone": True}) as book:
        book.set_properties({"author": "Andi Canary"})
        page = book.add_worksheet("Data")
        for line, cells in enumerate([head, *rows]):
            for place, cell in enumerate(cells):
                page.write(line, place, cell)
        book.add_worksheet("Catatan").write(0, 0, "Andi Canary")
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


def copies(product: Product) -> list[Path]:
    """What came back."""
    return sorted((product.drop / "kembali").rglob("*.*")) if (product.drop / "kembali").exists() else []


def received(product: Product, metric: str = "received", *more: str) -> dict[str, int]:
    """Service → a count of March 2026."""
    text = product.run("figures", "--metric", metric, "--grain", "year", "--by", "service", "--since", "2026-01-01", "--until",
                       "2026-12-31", "--format", "csv", *more)
    return {line["service"]: int(float(line["value"] or 0)) for line in csv.DictReader(io.StringIO(text))}


def remarks(path: Path) -> dict[str, str]:
    """Cell → its remark, of the sheet that was filled in."""
    page = openpyxl.load_workbook(path)["Data"]
    return {cell.coordinate: cell.comment.text for cells in page.iter_rows() for cell in cells if cell.comment}


def test_the_workbook_has_lists_checks_help_and_examples_that_are_not_read(product: Product) -> None:
    product.run("template", "uji", "--out", "isian.xlsx")
    book = openpyxl.load_workbook(product.folder / "isian.xlsx")
    assert book.sheetnames == ["Data", "Petunjuk", "Contoh", "Daftar"]
    assert [cell.value for cell in book["Data"][1]] == HEAD
    rules = {str(rule.sqref).split(":")[0]: rule for rule in book["Data"].data_validations.dataValidation}
    assert {place: rule.type for place, rule in rules.items()} == {
        "A2": "textLength", "B2": "list", "C2": "date", "D2": "date", "E2": "date", "F2": "list", "G2": "date", "H2": "list", "I2": "list"}
    assert all(rule.prompt and rule.error for rule in rules.values())
    lists = {cells[0].value: [cell.value for cell in cells if cell.value] for cells in book["Daftar"].iter_cols()}
    assert lists["Masamba"] == ["Masamba", "Sabbang"]
    assert lists["Diproses"] == ["Diproses", "Selesai", "Dibatalkan"]
    assert "TIDAK DIAMBIL" in str(book["Contoh"]["A1"].value)
    assert "NIK" in str([cell.value for cells in book["Petunjuk"].iter_rows() for cell in cells])


@pytest.mark.long
def test_a_workbook_that_is_dropped_as_made_is_no_fault_and_no_case(product: Product) -> None:
    product.run("check")
    product.run("template", "uji", "--out", "drop/uji/isian.xlsx")
    os.utime(product.drop / "uji/isian.xlsx", (time.time() - 60, time.time() - 60))
    assert "uji-berkas: empty" in product.run("collect")
    assert copies(product) == []


def test_a_filled_workbook_is_collected_like_any_source(product: Product) -> None:
    fill(product, [row(1), row(2), row(3, Layanan="Pengaduan", Status="Diproses", Tanggal_selesai=None), row(4, Status="Dibatalkan")])
    assert "uji-berkas: ok: 4 read, 4 new" in product.run("collect")
    assert received(product) == {"surat": 3, "aduan": 1}
    assert received(product, "completed") == {"surat": 2}
    assert copies(product) == []
    assert "no difference" in product.run("verify")


def test_a_faulty_workbook_comes_back_marked_and_its_good_rows_are_collected(product: Product) -> None:  # B22
    fill(product, [
        row(1), row(2, Tanggal_masuk="kemarin"), row(3, Status="sudah"), row(4, Nomor=None), row(5, Layanan=None),
        row(6, Tanggal_masuk=datetime(2126, 3, 2)), row(7, Tanggal_selesai=START), row(8, Kecamatan="Bandung"),  # noqa: DTZ001
        row(9, Tanggal_selesai=None), row(1, Kanal=None),
    ])
    said = product.run("collect")
    assert "uji-berkas: partial: 10 read, 3 new" in said
    assert received(product) == {"surat": 3}
    found = copies(product)
    assert [path.suffix for path in found] == [".xlsx"]
    told = remarks(found[0])
    assert set(told) == {"C3", "F4", "A5", "B6", "C7", "G8", "I9", "G10", "A11"}
    assert all(text.startswith("Baris ini TIDAK diambil.") for place, text in told.items() if place not in ("G8", "G10", "A11"))
    assert "24/11/2026 08:15" in told["C3"]
    assert "Pilih salah satu: Dibatalkan; Diproses; Selesai" in told["F4"]
    assert "masa depan" in told["C7"]
    assert "sebelum tanggal masuk" in told["G8"]
    page = openpyxl.load_workbook(found[0])["Data"]
    assert {page[place].fill.start_color.rgb[-6:] for place in ("C3", "F4", "A5")} == {"FFC7CE"}
    assert {page[place].fill.start_color.rgb[-6:] for place in ("G8", "G10", "A11")} == {"FFEB9C"}


def test_a_copy_is_never_collected_never_written_twice_and_goes_when_its_file_is_mended(product: Product) -> None:
    fill(product, [row(1), row(2, Status="sudah")])
    product.run("collect")
    first = copies(product)[0]
    first.write_bytes(first.read_bytes() + b" ")  # somebody is mending it
    before = first.stat()
    assert "partial: 2 read, 1 rejected" in product.run("collect")
    assert first.stat() == before
    assert received(product) == {"surat": 1}

    fill(product, [row(1), row(2)])
    assert "uji-berkas: ok" in product.run("collect")
    assert copies(product) == []
    assert received(product) == {"surat": 2}


def test_a_mended_copy_that_is_dropped_is_collected(product: Product) -> None:
    path = fill(product, [row(1), row(2, Status="sudah")])
    product.run("collect")
    book = openpyxl.load_workbook(copies(product)[0])
    book["Data"]["F3"] = "Selesai"
    book.save(path)
    os.utime(path, (time.time() - 60, time.time() - 60))
    product.run("collect")
    assert received(product, "completed") == {"surat": 2}
    assert copies(product) == []


def test_a_copy_keeps_no_person_and_no_column_that_is_not_declared(product: Product) -> None:
    head = [*HEAD, "Nama pemohon"]
    fill(product, [[*row(1), "Andi Canary"], [*row(2, Status="sudah", Nomor="7322031234567890"), "Andi Canary"]], head=head)
    product.run("collect")
    found = copies(product)[0]
    book = openpyxl.load_workbook(found)
    everything = str([cell.value for page in book for cells in page.iter_rows() for cell in cells]) + str(book.properties)
    assert "Canary" not in everything
    assert "7322031234567890" not in everything
    assert "tidak dibaca" in remarks(found)["J1"]
    assert "tidak" not in remarks(found).get("J2", "")


@pytest.mark.parametrize(("data", "told"), [
    (b"PK\x03\x04abc", "belum utuh"), (b"<html>Masuk</html>", "HTML"),
], ids=["half copied", "HTML"])
def test_a_file_that_is_no_workbook_comes_back_as_a_letter(product: Product, data: bytes, told: str) -> None:  # B24 B25
    path = product.drop / "uji" / "rusak.xlsx"
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))
    product.run("collect", code=1)
    assert [path.suffix for path in copies(product)] == [".txt"]
    assert told in copies(product)[0].read_text()


def test_a_heading_that_was_changed_is_marked(product: Product) -> None:
    fill(product, [row(1)], head=[*HEAD[:5], "Keadaan", *HEAD[6:]])
    assert "uji-berkas: changed" in product.run("collect", code=1)
    assert "Kolom Status tidak ada" in remarks(copies(product)[0])["A1"]


def test_a_folder_of_copies_that_leads_elsewhere_is_not_written_to(product: Product, tmp_path: Path) -> None:  # B27
    outside = tmp_path / "outside"
    outside.mkdir()
    (product.drop / "kembali").symlink_to(outside)
    fill(product, [row(1), row(2, Status="sudah")])
    assert "uji-berkas: partial" in product.run("collect")
    assert list(outside.iterdir()) == []


def test_an_agency_without_services_is_told_what_to_declare(product: Product) -> None:
    product.declare({"agencies/kosong.toml": 'name = { id = "Kosong", en = "Empty" }\nshort_name = "Kosong"\n'})
    product.run("template", "kosong", code=1)
    product.run("template", "tidak-ada", code=1)
    assert not (product.folder / "kosong.xlsx").exists()
