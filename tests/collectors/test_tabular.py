"""Delivered files: what is read from them, and all that lies in a drop folder and must not be read."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from pydantic import ValidationError

from collectors.connector import CONNECTORS
from collectors.tabular import TabularOptions
from dashboard.errors import CollectError, SourceChanged, SourceUnavailable
from tests.collectors.conftest import Readings

WANTED = {"id", "masuk"}


def drop(reading: Readings, name: str, data: bytes | str, age: float = 60) -> Path:
    """A file in the drop folder, ``age`` seconds old."""
    path = reading.drop / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.mark.parametrize(("data", "options"), [
    ("id,masuk,nama\n1,a,x\n2,b,y\n", {}),
    ("id;masuk;nama\r\n1;a;x\r\n2;b;y\r\n", {"delimiter": ";"}),
    ("\ufeffid\tmasuk\n1\ta\n\n2\tb\n", {"delimiter": "\t"}),
    ("Laporan\n\nid,masuk\n1,a\n2,b\n", {"header_row": 3}),
    ('"id","masuk"\n"1","a"\n"2","b"\n', {}),
    ("id,masuk\n1,a\nid,masuk\n2,b\n", {}),  # the header twice
    ("id,masuk\r1,a\r2,b\r", {}),
])
def test_a_csv_is_read_by_its_declaration(reading: Readings, data: str, options: dict[str, Any]) -> None:  # B19
    drop(reading, "a.csv", data)
    assert reading.rows("tabular", {"path": "a.csv", **options}, WANTED) == [{"id": "1", "masuk": "a"}, {"id": "2", "masuk": "b"}]


def test_ragged_and_broken_rows_are_put_aside_with_their_line(reading: Readings) -> None:  # B19
    drop(reading, "a.csv", 'id,masuk\n1,a\n2\n3,c,d\n4,"d"x\n5,e\n')
    page = reading.pages("tabular", {"path": "a.csv"}, WANTED)[0]
    assert [row["id"] for row in page.rows] == ["1", "5"]
    assert page.lines == [2, 6]
    assert page.broken == [(3, "1 cells instead of 2"), (4, "3 cells instead of 2"), (5, "broken quotes")]


def test_a_formula_is_text(reading: Readings) -> None:  # B20
    drop(reading, "a.csv", 'id,masuk\n"=HYPERLINK(""http://x"")",+cmd|a\n')
    assert reading.rows("tabular", {"path": "a.csv"}, WANTED) == [{"id": '=HYPERLINK("http://x")', "masuk": "+cmd|a"}]


def test_another_encoding_needs_a_declaration(reading: Readings) -> None:  # B6
    drop(reading, "a.csv", "id,masuk\n1,Sé\n".encode("cp1252"))
    with pytest.raises(SourceChanged, match="not utf-8-sig text"):
        reading.rows("tabular", {"path": "a.csv"}, WANTED)
    assert reading.rows("tabular", {"path": "a.csv", "encoding": "cp1252"}, WANTED) == [{"id": "1", "masuk": "Sé"}]


@pytest.mark.parametrize(("data", "said"), [
    ("no;tgl\n1;2\n", "none of the mapped columns"), ("id,masuk,id\n1,2,3\n", "stands twice"), ("", "0 bytes"),
    ("id,masuk\n", None),
])
def test_a_file_that_is_not_as_declared_says_how(reading: Readings, data: str, said: str | None) -> None:
    drop(reading, "a.csv", data)
    message = ""
    try:
        reading.rows("tabular", {"path": "a.csv"}, WANTED)
    except SourceChanged as err:
        message = err.en
    assert (said or "") in message
    assert bool(message) is bool(said)


def test_a_folder_is_read_oldest_first_and_newest_mtime_is_told(reading: Readings) -> None:
    drop(reading, "f/b.csv", "id,masuk\n1,alt\n", age=500)
    newest = drop(reading, "f/a.csv", "id,masuk\n1,neu\n", age=100)
    drop(reading, "f/.hidden.csv", "x\n")
    drop(reading, "f/c.csv.part", "x\n")
    drop(reading, "f/readme.md", "x\n")
    pages = reading.pages("tabular", {"path": "f"}, WANTED)
    assert [row["masuk"] for page in pages for row in page.rows] == ["alt", "neu"]
    assert pages[-1].published_at == newest.stat().st_mtime


def test_a_pattern_takes_only_what_it_means(reading: Readings) -> None:
    drop(reading, "a_1.csv", "id,masuk\n1,a\n")
    drop(reading, "b_1.csv", "id,masuk\n2,b\n")
    assert reading.rows("tabular", {"path": "a_*.csv"}, WANTED) == [{"id": "1", "masuk": "a"}]


def test_a_done_marker_is_waited_for_where_declared(reading: Readings) -> None:
    drop(reading, "f/a.csv", "id,masuk\n1,a\n")
    with pytest.raises(SourceUnavailable, match="delivered"):
        reading.rows("tabular", {"path": "f", "done_marker": True}, WANTED)
    drop(reading, "f/a.csv.done", "")
    assert reading.rows("tabular", {"path": "f", "done_marker": True}, WANTED)


def test_a_column_that_a_newer_file_lacks_is_a_change_and_that_an_older_one_lacked_is_none(reading: Readings) -> None:
    drop(reading, "f/a.csv", "id\n1\n", age=500)
    drop(reading, "f/b.csv", "id,masuk\n2,b\n", age=300)
    assert len(reading.rows("tabular", {"path": "f"}, WANTED)) == 2
    drop(reading, "f/c.csv", "id,tanggal\n3,c\n", age=100)
    with pytest.raises(SourceChanged, match="'masuk' is gone"):
        reading.rows("tabular", {"path": "f"}, WANTED)


def test_a_file_that_is_still_being_written_waits(reading: Readings) -> None:  # B25
    path = drop(reading, "a.csv", "id,masuk\n1,a\n", age=0)
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.1):
            with path.open("a") as file:
                file.write("2,b\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(SourceUnavailable, match="still being written"):
            reading.rows("tabular", {"path": "a.csv"}, WANTED, deadline=time.monotonic() + 1.5)
    finally:
        over.set()
        writer.join()


def test_a_file_replaced_while_it_is_read_stays_the_one_that_was_opened(reading: Readings) -> None:  # B26
    drop(reading, "a.csv", "id,masuk\n" + "".join(f"{n},alt\n" for n in range(5000)))
    pages = iter(_pages(reading, {"path": "a.csv"}))
    first = next(pages)
    fresh = drop(reading, "fresh", "id,masuk\n1,neu\n")
    fresh.replace(reading.drop / "a.csv")
    rest = [row["masuk"] for page in pages for row in page.rows]
    assert {row["masuk"] for row in first.rows} | set(rest) == {"alt"}
    assert len(first.rows) + len(rest) == 5000


def _pages(reading: Readings, options: dict[str, Any]) -> Any:
    return CONNECTORS["tabular"].read(reading("tabular", options, WANTED))


@pytest.mark.parametrize("what", ["link", "linked folder", "pipe", "folder", "device"])
def test_what_is_no_regular_file_below_the_root_is_refused(reading: Readings, tmp_path: Path, what: str) -> None:  # B27
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.csv").write_text("id,masuk\n1,rahasia\n")
    place, path = reading.drop / "x.csv", "x.csv"
    if_what = {
        "link": lambda: place.symlink_to(outside / "x.csv"), "linked folder": lambda: (reading.drop / "f").symlink_to(outside),
        "pipe": lambda: os.mkfifo(place), "folder": lambda: place.mkdir(), "device": lambda: place.symlink_to("/dev/zero"),
    }
    if_what[what]()
    path = {"linked folder": "f/x.csv"}.get(what, path)
    began = time.monotonic()
    with pytest.raises(CollectError):
        reading.rows("tabular", {"path": path}, WANTED)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.csv", "a/../../x.csv"])
def test_a_path_outside_the_root_is_refused_at_check(path: str) -> None:  # B27
    with pytest.raises(ValidationError):
        TabularOptions(path=path)


def workbook(path: Path, rows: list[list[Any]], sheet: str = "Register", **options: Any) -> None:
    """An XLSX file with native dates."""
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm", **options}) as book:
        page = book.add_worksheet(sheet)
        formats = {clock: book.add_format({"num_format": "hh:mm"}), date: book.add_format({"num_format": "dd/mm/yyyy"})}
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                page.write(number, column, value, *([formats[type(value)]] if type(value) in formats else []))
    os.utime(path, (time.time() - 60, time.time() - 60))


@pytest.mark.parametrize("system", [{}, {"date_1904": True}], ids=["1900", "1904"])
def test_a_workbook_gives_native_dates_and_numbers(reading: Readings, system: dict[str, bool]) -> None:  # B22
    moment = datetime(2026, 11, 24, 10, 53)  # noqa: DTZ001
    workbook(reading.drop / "a.xlsx", [
        ["Register layanan", None, None], [], ["id", "masuk", "jam"], [7, moment, clock(10, 53)], ["007", date(2026, 11, 24), None],
    ], **system)
    options = {"path": "a.xlsx", "format": "xlsx", "sheet": "Register", "header_row": 3}
    page = reading.pages("tabular", options, {"id", "masuk", "jam"})[0]
    assert [row["id"] for row in page.rows] == [7.0, "007"]
    assert page.rows[0]["masuk"] == moment
    assert page.rows[0]["jam"] in (clock(10, 53), timedelta(hours=10, minutes=53))
    assert page.rows[1]["masuk"] in (date(2026, 11, 24), datetime(2026, 11, 24))  # noqa: DTZ001
    assert page.lines == [4, 5]


def test_a_missing_sheet_names_those_that_are_there(reading: Readings) -> None:
    workbook(reading.drop / "a.xlsx", [["id", "masuk"]])
    with pytest.raises(SourceChanged, match="no sheet 'Lain'; there are: Register"):
        reading.rows("tabular", {"path": "a.xlsx", "format": "xlsx", "sheet": "Lain"}, WANTED)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(reading: Readings) -> None:  # B21
    path = reading.drop / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("xl/sharedStrings.xml", b" " * 100_000_000)
    os.utime(path, (time.time() - 60, time.time() - 60))
    with pytest.raises(SourceChanged, match="unpacks to 100 MB"):
        reading.rows("tabular", {"path": "a.xlsx", "format": "xlsx"}, WANTED)


@pytest.mark.parametrize(("data", "error", "said"), [
    (b"<html>Masuk</html>", SourceChanged, "HTML"), (b"id,masuk\n1,2\n", SourceChanged, "text"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, SourceChanged, "cannot be read"),
    (b"PK\x03\x04abc", SourceUnavailable, "not whole"),
], ids=["HTML", "text", "encrypted or broken", "half copied"])
def test_a_workbook_that_is_none_says_what_it_is(
    reading: Readings, data: bytes, error: type[CollectError], said: str
) -> None:  # B24 B25
    drop(reading, "a.xlsx", data)
    with pytest.raises(error, match=said):
        reading.rows("tabular", {"path": "a.xlsx", "format": "xlsx"}, WANTED)


