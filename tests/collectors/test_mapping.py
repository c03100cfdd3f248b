"""The field grammar: what a raw row becomes, what is put aside and why, what is dropped."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.connector import Page
from collectors.keys import key_of
from collectors.mapping import Mapping, wanted_columns
from collectors.stamps import BadStamp, stamp
from collectors.texts import clean, plain, quoted, without_persons
from config.declarations import FieldMap, Source
from dashboard.errors import StoreError

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
WITA = ZoneInfo("Asia/Makassar")
ZONES = (WITA, ZoneInfo("America/Los_Angeles"), ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"))
FORMATS = ("%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%Y%m%d%H%M", "%H:%M %d/%m/%Y", "%d/%m/%y %H:%M", "%d-%m-%Y %H.%M")


def wita(*parts: int) -> int:
    """Epoch seconds of a local moment."""
    return int(datetime(*parts, tzinfo=WITA).timestamp())  # type: ignore[misc,arg-type]


def read(row: dict[str, Any], before: dict[str, int | None] | None = None, zone: ZoneInfo = WITA, **field: Any) -> int | None:
    """One stamp of a row by a field's declaration."""
    return stamp("ended_at", FieldMap.model_validate(field), zone)(row, before or {})


@pytest.mark.parametrize(("value", "field", "expected"), [
    ("2026-11-24 10:53:00", {}, wita(2026, 11, 24, 10, 53)),
    ("2026-11-24T10:53:00.999", {"format": "iso"}, wita(2026, 11, 24, 10, 53)),
    ("2026-11-24", {}, wita(2026, 11, 24)),
    ("2026-11-24T10:53:00Z", {}, wita(2026, 11, 24, 18, 53)),
    ("2026-11-24T10:53:00+07:00", {}, wita(2026, 11, 24, 11, 53)),
    ("2026-11-24T10:53:00+07:00", {"offset": "ignore"}, wita(2026, 11, 24, 10, 53)),
    ("24/11/2026 10:53", {"format": "%d/%m/%Y %H:%M"}, wita(2026, 11, 24, 10, 53)),
    ("4/1/2026 9:05", {"format": "%d/%m/%Y %H:%M"}, wita(2026, 1, 4, 9, 5)),
    ("  24/11/2026 10:53 ", {"format": "%d/%m/%Y %H:%M"}, wita(2026, 11, 24, 10, 53)),
    ("24/11/2026 24:00", {"format": "%d/%m/%Y %H:%M"}, wita(2026, 11, 25)),
    ("24 Nopember 2026", {"format": "%d %B %Y"}, wita(2026, 11, 24)),
    ("24 Agt 2026 08.15", {"format": "%d %b %Y %H.%M"}, wita(2026, 8, 24, 8, 15)),
    (1_795_000_000, {"format": "epoch"}, 1_795_000_000), ("1795000000", {"format": "epoch"}, 1_795_000_000),
    (1_795_000_000_500, {"format": "epoch_ms"}, 1_795_000_000),
    (datetime(2026, 11, 24, 10, 53), {}, wita(2026, 11, 24, 10, 53)),  # noqa: DTZ001  (as a database gives it)
    (datetime(2026, 11, 24, 10, 53, tzinfo=UTC), {}, wita(2026, 11, 24, 18, 53)),
    (date(2026, 11, 24), {"format": "%d/%m/%Y"}, wita(2026, 11, 24)),
    (None, {}, None), ("", {}, None), ("-", {"missing": ["-"]}, None), ("0000-00-00", {}, None),
    ("0000-00-00 00:00:00", {"format": "%d/%m/%Y"}, None), ("1970-01-01", {}, None), ("9999-12-31", {}, None),
    (datetime(9999, 12, 31), {}, None),  # noqa: DTZ001
    ("2000-01-01 00:00:00", {"missing": ["2000-01-01 00:00:00"]}, None),
])
def test_a_stamp_is_read_by_its_declaration(value: Any, field: dict[str, Any], expected: int | None) -> None:
    assert read({"a": value}, **{"from": "a"}, **field) == expected


@pytest.mark.parametrize(("value", "field"), [
    ("01/13/2026", {"format": "%d/%m/%Y"}), ("29/02/2026", {"format": "%d/%m/%Y"}), ("kemarin", {}), ("2026-11-24 25:00:00", {}),
    ("2026-11-24 10:53:60", {}), ("2026-11-24 10:53 WITA", {}), ("1899-12-30", {}), ("3026-01-01", {}), (45_000.5, {}),
    (True, {}), ("nan", {"format": "epoch"}), (float("nan"), {"format": "epoch"}), (1e300, {"format": "epoch"}), (["x"], {}),
])
def test_a_stamp_that_cannot_be_read_is_put_aside(value: Any, field: dict[str, Any]) -> None:
    with pytest.raises(BadStamp, match=r"^ended_at: "):
        read({"a": value}, **{"from": "a"}, **field)


def test_a_sentinel_stays_one_when_its_day_was_seen() -> None:
    one = stamp("x", FieldMap.model_validate({"from": "a", "missing": ["2000-01-01 00:00:00"]}), WITA)
    assert [one({"a": text}, {}) for text in ("2000-01-02 00:00:00", "2000-01-01 10:00:00", "2000-01-01 00:00:00")] == [
        wita(2000, 1, 2), wita(2000, 1, 1, 10), None,
    ]


@pytest.mark.parametrize(("day", "clock", "expected"), [
    ("2026-11-24", "10:53:00", wita(2026, 11, 24, 10, 53)), ("0000-00-00", "00:00:00", None), (None, "10:00:00", None),
    ("", "10:00:00", None), (date(2026, 11, 24), time(10, 53), wita(2026, 11, 24, 10, 53)),
    (datetime(2026, 11, 24), timedelta(hours=10), wita(2026, 11, 24, 10)),  # noqa: DTZ001
    ("2026-11-24", "", wita(2026, 11, 24)),
])
def test_a_stamp_may_stand_in_two_columns(day: Any, clock: Any, expected: int | None) -> None:
    assert read({"d": day, "t": clock}, **{"from": ["d", "t"]}) == expected


@pytest.mark.parametrize(("field", "value", "expected"), [
    ({"minutes": "m"}, 90, 90 * 60), ({"minutes": "m"}, "1,5", 90), ({"minutes": "m"}, "", None), ({"minutes": "m"}, None, None),
    ({"minutes": "m", "missing": ["-"]}, "-", None), ({"time": "m"}, "23:30", 30 * 60), ({"time": "m"}, "00:15", 75 * 60),
    ({"time": "m"}, time(23, 0), 0), ({"time": "m"}, timedelta(hours=1), 2 * 3600),
])
def test_a_stamp_may_follow_another(field: dict[str, str], value: Any, expected: int | None) -> None:
    start = wita(2026, 11, 23, 23, 0)
    found = read({"m": value}, {"submitted_at": start}, after="submitted_at", **field)
    assert found == (None if expected is None else start + expected)
    assert read({"m": value}, {"submitted_at": None}, after="submitted_at", **field) is None


@pytest.mark.parametrize("value", ["-5", "banyak", "nan", 1e12])
def test_minutes_that_cannot_be_are_put_aside(value: Any) -> None:
    with pytest.raises(BadStamp):
        read({"m": value}, {"submitted_at": 1_795_000_000}, after="submitted_at", minutes="m")


NAIVE = st.datetimes(datetime(1971, 1, 2), datetime(2068, 1, 1))  # noqa: DTZ001
READERS = {
    (zone.key, pattern): stamp("x", FieldMap.model_validate({"from": "a", "format": pattern}), zone)
    for zone in ZONES for pattern in FORMATS
}
ISO = {zone.key: stamp("x", FieldMap.model_validate({"from": "a"}), zone) for zone in ZONES}


@given(NAIVE, st.sampled_from(ZONES), st.sampled_from(FORMATS))
def test_every_format_reads_as_strptime_does(moment: datetime, zone: ZoneInfo, pattern: str) -> None:
    text = moment.strftime(pattern)
    expected = int(datetime.strptime(text, pattern).replace(tzinfo=zone).timestamp())
    assert [READERS[zone.key, pattern]({"a": text}, {}) for _ in range(2)] == [expected, expected]


@given(NAIVE, st.sampled_from(ZONES), st.none() | st.integers(-56, 56), st.sampled_from("T "))
def test_iso_reads_as_python_does(moment: datetime, zone: ZoneInfo, quarters: int | None, between: str) -> None:
    offset = zone if quarters is None else timezone(timedelta(minutes=15 * quarters))
    text = (moment if quarters is None else moment.replace(tzinfo=offset)).isoformat(between)
    expected = int(moment.replace(tzinfo=offset).timestamp() // 1)
    assert [ISO[zone.key]({"a": text}, {}) for _ in range(2)] == [expected, expected]


FIELDS: dict[str, Any] = {
    "case_id": "id", "service": {"from": "jenis", "missing": ["-"]}, "submitted_at": "masuk", "ended_at": "selesai",
    "district": "lokasi.kecamatan", "channel": {"value": "online"},
}


def mapping(fields: dict[str, Any] = FIELDS, key: bytes = b"k" * 32) -> Mapping:
    """A compiled mapping."""
    source = Source.model_validate({
        "id": "uji", "owner": "uji", "connector": "rest", "timezone": "Asia/Makassar", "fields": fields,
    })
    return Mapping(source, key, lambda: NOW)


def row(**more: Any) -> dict[str, Any]:
    """A raw row with more in it than anybody declared."""
    return {
        "id": "7", "jenis": "KTP", "masuk": "2026-11-20 08:00:00", "selesai": None, "lokasi": {"kecamatan": "Masamba"},
        "nama": "Andi", "nik": "7322010101900001", **more,
    }


def test_only_declared_fields_survive() -> None:
    found = mapping().page(Page(rows=[row()]), 1).sightings[0]
    assert found[1:] == (wita(2026, 11, 20, 8), None, None, None, (None, "KTP", None, None, "Masamba", None, None), None, None)
    assert len(found.key) == 16


def test_the_columns_wanted_are_those_of_all_fields() -> None:
    fields = {**FIELDS, "accepted_at": {"after": "submitted_at", "minutes": "m"}, "status": {"from": "s", "where": {"t": "1"}}}
    assert wanted_columns(mapping(fields).source) == {"id", "jenis", "masuk", "selesai", "lokasi.kecamatan", "m", "s", "t"}


def test_ids_are_text_and_pseudonyms_depend_on_the_key() -> None:
    one = mapping()
    keys = [one.pseudonym(row(id=value)) for value in ("7", 7, 7.0, " 7 ", "007", "7\u202e")]
    assert keys[0] == keys[1] == keys[2] == keys[3] == keys[5]
    assert keys[4] != keys[0]
    assert mapping(key=b"x" * 32).pseudonym(row()) != keys[0]
    assert one.pseudonym(row(id="x" * 300 + "a")) != one.pseudonym(row(id="x" * 300 + "b"))
    assert one.pseudonym(row(id=10**30)) == one.pseudonym(row(id=str(10**30)))  # B10


def test_an_id_of_two_columns_keeps_them_apart() -> None:
    one = mapping({**FIELDS, "case_id": {"from": ["unit", "no"]}})
    assert one.pseudonym({"unit": "a", "no": "bc"}) != one.pseudonym({"unit": "ab", "no": "c"})


@pytest.mark.parametrize(("changes", "field", "reason"), [
    ({"id": None}, "case_id", "is missing"), ({"id": " "}, "case_id", "is missing"), ({"id": ["x"]}, "case_id", "is missing"),
    ({"id": "x" * 20_000}, "case_id", "is too long"),
    ({"masuk": None}, "submitted_at", "is missing"), ({"masuk": "0000-00-00"}, "submitted_at", "is missing"),  # B17
    ({"masuk": "2026-11-26 00:00:00"}, "submitted_at", "lies in the future"),
    ({"selesai": "2099-01-01"}, "ended_at", "lies in the future"),
    ({"selesai": "entah"}, "ended_at", "not a time of the declared format"), ({"jenis": ["KTP"]}, "codes", "not a plain value"),
])
def test_a_bad_row_is_put_aside_with_its_field_and_reason(changes: dict[str, Any], field: str, reason: str) -> None:
    found = mapping().page(Page(rows=[row(), row(**changes)], lines=[41, 42]), 3)
    assert len(found.sightings) == 1
    rejected = found.rejected[0]
    assert (rejected.field, rejected.reason, rejected.page, rejected.line) == (field, reason, 3, 42)


def test_a_row_put_aside_keeps_declared_fields_without_the_id_and_without_persons() -> None:
    one = mapping()
    found = one.page(Page(rows=[row(masuk="tanya 081234567890", jenis="x" * 500)]), 1).rejected[0]
    assert set(found.raw) == {"masuk", "jenis", "lokasi.kecamatan"}
    assert found.raw["masuk"] == "tanya […]"
    assert len(found.raw["jenis"]) == 200
    assert found.key == one.pseudonym(row())


def test_rows_that_the_connector_could_not_read_are_put_aside_too() -> None:
    found = mapping().page(Page(rows=[], broken=[(9, "3 cells instead of 4")]), 2).rejected[0]
    assert (found.reason, found.page, found.line, found.raw) == ("3 cells instead of 4", 2, 9, {})


def test_codes_are_clean_text_and_a_sentinel_is_blank() -> None:
    one = mapping()
    codes = [one.coded(row(jenis=value)).service for value in (1, 1.0, "-", "", None, "KTP\u202e\x00\ud800", "e\u0301", b"KTP")]
    assert codes == ["1", "1", "", "", None, "KTP", "\u00e9", "KTP"]  # B7 B29


def test_a_code_that_is_a_persons_is_blotted_and_counted() -> None:
    one = mapping()
    assert one.coded(row(jenis="hub 0812-3456-7890")).service == "hub […]"
    assert one.coded(row(jenis="7322010101900001")).service == "[…]"
    assert one.coded(row(jenis="a.b@contoh.go.id")).service == "[…]"
    assert one.blotted == 3


@pytest.mark.parametrize("text", ["7322012001", "73.22.01.2001", "6203012001", "KTP-2026-0081", "01.02.08", "2026-11-24 08:12:33"])
def test_codes_of_places_and_cases_are_no_telephones(text: str) -> None:
    assert without_persons(text) == text


@pytest.mark.parametrize("text", ["+62 812 3456 7890", "0812-3456-7890", "6281234567890", "7322010101900001", "x@y.id"])
def test_persons_are_blotted_out(text: str) -> None:
    assert without_persons(f"a {text} b") == "a […] b"


def test_markup_of_an_error_is_shown_and_not_live() -> None:
    assert quoted("<a href='x'>Galat</a> 081234567890") == "‹a href='x'›Galat‹/a› […]"
    assert len(quoted("x" * 1000)) == 200


@given(st.text())
def test_clean_text_is_stable_bounded_and_storable(text: str) -> None:
    found = clean(text)
    assert found is not None
    assert len(found) <= 200
    found.encode()
    assert plain(plain(text)) == plain(text)


def test_stamps_follow_each_other_in_any_order_of_declaration() -> None:
    one = mapping({
        "ended_at": {"after": "accepted_at", "minutes": "layan"}, "accepted_at": {"after": "submitted_at", "minutes": "tunggu"},
        "case_id": "id", "submitted_at": "masuk",
    })
    found = one.sighting(row(tunggu=10, layan="5"))
    assert (found.accepted_at, found.ended_at) == (found.submitted_at + 600, found.submitted_at + 900)


@pytest.mark.parametrize(("first", "second", "expected"), [
    ("2026-11-24 10:53:00", "2026-11-23", wita(2026, 11, 24, 10, 53)), ("0000-00-00 00:00:00", "2026-11-23", wita(2026, 11, 23)),
    (None, "2026-11-23", wita(2026, 11, 23)), ("-", "2026-11-23", wita(2026, 11, 23)), ("", "0000-00-00", None),
])
def test_a_stamp_falls_back_on_another_column(first: Any, second: Any, expected: int | None) -> None:  # D7
    assert read({"a": first, "b": second}, **{"from": "a", "fallback": ["b"], "missing": ["-"]}) == expected


def test_a_stamp_that_cannot_be_read_does_not_fall_back() -> None:
    with pytest.raises(BadStamp):
        read({"a": "31-02-2026", "b": "2026-11-23"}, **{"from": "a", "fallback": ["b"]})


def test_rows_that_a_source_leaves_out_are_as_if_not_there() -> None:
    source = Source.model_validate({
        "id": "uji", "owner": "uji", "connector": "rest", "timezone": "Asia/Makassar", "fields": FIELDS,
        "where": {"aktif": "1", "del": ["", "0"]},
    })
    found = Mapping(source, b"k" * 32, lambda: NOW).page(Page(rows=[
        row(aktif=1), row(aktif="1", **{"del": 0}), row(aktif=0), row(aktif=1, **{"del": "1"}), row(masuk="?"),
    ]), 1)
    assert (len(found.sightings), found.rejected) == (2, [])
    assert wanted_columns(source) >= {"aktif", "del"}


def test_a_key_is_made_once_for_the_owner_alone(tmp_path: Any) -> None:
    first = key_of(tmp_path, "uji")
    assert key_of(tmp_path, "uji") == first
    assert key_of(tmp_path, "lain") != first
    assert (tmp_path / "keys" / "uji").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["lain", "uji"]
    (tmp_path / "keys" / "uji").write_bytes(b"short")
    with pytest.raises(StoreError, match="not a key"):
        key_of(tmp_path, "uji")
