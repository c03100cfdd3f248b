"""From a sighting to a case: codes to meanings, ends, districts, classes, due times."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.declarations import FieldMap, Regency, StandardUnit
from config.loading import load
from config.settings import SHIPPED
from dashboard.cases import Case, Codes, Flags, Sighting, kept_end
from dashboard.derive import Deriver, Districts, coded, standard_value
from dashboard.worktime import calendars

SMALL = load(Path(__file__).parents[1] / "config" / "small")
REAL = Districts(load(SHIPPED))
WITA = ZoneInfo("Asia/Makassar")


def wita(text: str) -> int:
    """Epoch seconds of a local stamp."""
    return int(datetime.fromisoformat(text).replace(tzinfo=WITA).timestamp())


def derive(
    source: str = "sipil-permohonan", *, submitted: str = "2026-11-24 10:00", ended: str | None = None, regency: Regency = SMALL,
    outcome: str = "status", without: str = "", **codes: str,
) -> Case:
    """One case of a source, which may have another outcome or lack a field."""
    declared = regency.sources[source]
    fields = {name: field for name, field in declared.fields.items() if name != without}
    changed = declared.model_copy(update={"outcome": outcome, "fields": fields})
    return Deriver(regency, changed).derive(Sighting(
        b"k" * 16, wita(submitted), None, None, wita(ended) if ended else None, Codes(**codes)
    ))


@pytest.mark.parametrize(("field", "code", "meaning"), [
    (None, "x", ("default", True)),
    ({"value": "fixed"}, "x", ("fixed", True)),
    ({"from": "a", "map": {"A": "one"}, "otherwise": "rest"}, " A ", ("one", True)),
    ({"from": "a", "map": {"A": "one"}, "otherwise": "rest"}, "B", ("rest", False)),
    ({"from": "a", "map": {"A": "one"}, "otherwise": "discover"}, "B", ("B", True)),
    ({"from": "a", "map": {"A": "one"}}, "B", ("default", False)),
    ({"from": "a", "map": {"": "blank"}, "otherwise": "rest"}, None, ("blank", True)),
    ({"from": "a", "otherwise": "discover"}, "", ("(kosong)", True)),
    ({"from": "a", "otherwise": "discover"}, None, ("(kosong)", True)),
    ({"from": "a"}, "B", ("B", True)),
    ({"from": "a"}, "", ("default", False)),
])
def test_a_code_means_what_the_map_says(field: dict[str, object] | None, code: str | None, meaning: tuple[str, bool]) -> None:
    assert coded(FieldMap.model_validate(field) if field else None, code, "default") == meaning


def test_a_case_has_all_that_the_declarations_say_about_it() -> None:
    case = derive(ended="2026-11-24 14:30", service="KTP", status="SELESAI", channel="web", district="73.22.03.2001")
    assert (case.agency, case.service, case.kind, case.channel, case.district) == ("sipil", "ktp", "request", "online", "73.22.03")
    assert (case.ended_as, case.standard, case.on_time) == ("completed", "4 working hours", True)
    assert case.due_at == wita("2026-11-24 15:00")
    assert (case.elapsed_seconds, case.worked_seconds) == (4.5 * 3600, 3.5 * 3600)
    assert Codes.loads(case.codes) == Codes(None, "KTP", "SELESAI", "web", "73.22.03.2001")
    assert case.flags == Flags.NONE


def test_the_standard_is_that_of_the_day_of_submission_in_the_regency() -> None:
    last = derive(submitted="2026-06-30 23:59", service="KTP")
    first = derive(submitted="2026-07-01 00:01", service="KTP")
    assert (last.standard, first.standard) == ("1 working day", "4 working hours")
    assert derive(submitted="2025-12-31 10:00", service="KTP").due_at is None


def test_on_time_means_ended_at_the_due_instant_at_the_latest() -> None:
    ends = ["2026-11-24 15:00", "2026-11-24 15:01"]
    assert [derive(ended=end, service="KTP", status="SELESAI").on_time for end in ends] == [True, False]


def test_without_a_standard_or_without_an_end_nothing_is_on_time_or_late() -> None:
    assert derive(ended="2026-11-25 15:00", service="lain", status="SELESAI").on_time is None
    assert derive(service="KTP").on_time is None
    assert derive(ended="2026-11-24 11:00", service="KTP", status="BATAL").on_time is None


@pytest.mark.parametrize(("outcome", "status", "ended", "ended_as", "flags"), [
    ("status", "SELESAI", "2026-11-24 11:00", "completed", Flags.NONE),
    ("status", "BATAL", "2026-11-24 11:00", "cancelled", Flags.NONE),             # a cancelling status wins
    ("status", "PROSES", None, None, Flags.STATUS_UNMAPPED),
    ("status", "PROSES", "2026-11-24 11:00", None, Flags.STATUS_UNMAPPED),        # reopened: the old date does not end it
    ("status", "SELESAI", None, "completed", Flags.ENDED_WITHOUT_DATE),
    ("status", "BATAL", None, "cancelled", Flags.ENDED_WITHOUT_DATE),
    ("dates", "BATAL", "2026-11-24 11:00", "completed", Flags.NONE),              # whatever the status
    ("dates", "PROSES", "2026-11-24 11:00", "completed", Flags.STATUS_UNMAPPED),
    ("dates", "BATAL", None, "cancelled", Flags.ENDED_WITHOUT_DATE),
    ("dates", "SELESAI", None, "completed", Flags.ENDED_WITHOUT_DATE),
    ("dates", "PROSES", None, None, Flags.STATUS_UNMAPPED),
])
def test_how_a_case_ended(outcome: str, status: str, ended: str | None, ended_as: str | None, flags: Flags) -> None:
    case = derive(outcome=outcome, status=status, ended=ended, service="KTP")
    assert (case.ended_as, case.flags) == (ended_as, flags)


def test_a_source_without_a_status_ends_its_cases_by_their_date() -> None:
    cases = [derive(without="status", ended=end, service="KTP") for end in (None, "2026-11-24 11:00")]
    assert [case.ended_as for case in cases] == [None, "completed"]


def test_an_end_that_does_not_count_stays_in_the_codes_for_a_better_map() -> None:
    case = derive(ended="2026-11-24 11:00", status="PROSES", service="KTP")
    assert (case.ended_at, case.left_at, case.elapsed_seconds) == (None, None, None)
    assert kept_end(case.codes) == wita("2026-11-24 11:00")
    assert Codes.loads(case.codes).status == "PROSES"


def test_a_case_that_ended_before_it_was_submitted_has_no_duration_and_leaves_at_once() -> None:
    case = derive(ended="2026-11-23 11:00", status="SELESAI", service="KTP")
    assert (case.elapsed_seconds, case.worked_seconds, case.flags) == (None, None, Flags.ENDED_BEFORE_SUBMITTED)
    assert case.left_at == case.submitted_at


@pytest.mark.parametrize(("said", "district"), [
    ("73.22.03", "73.22.03"), ("732203", "73.22.03"), ("7322120", "73.22.03"),
    ("73.22.03.2001", "73.22.03"), ("7322031001", "73.22.03"),
    ("7322030001", "73.22.01"),                                # BPS: a village of Malangke, not of Masamba (73.22.03)
    ("7322120004", "73.22.03"),
    ("Masamba", "73.22.03"), ("KEC. MASAMBA", "73.22.03"), ("kecamatan  masamba", "73.22.03"),
    ("bone bone", "73.22.02"), ("Tanalili", "73.22.12"), ("MAPPADECENG", "73.22.10"), ("Limbong", "73.22.05"),
    ("", ""), ("  ", ""), ("-", ""),
    ("Atlantis", "?"), ("73.22.99", "?"), ("7322035", "?"), ("732", "?"), ("²", "?"),
    ("73.17.01", "outside"), ("7373011001", "outside"),
])
def test_a_place_becomes_its_kecamatan(said: str, district: str) -> None:
    assert REAL.find(said) == district


@pytest.mark.parametrize(("said", "district", "flags"), [
    ("73.22.99.2001", "?", Flags.DISTRICT_UNKNOWN), ("73.17.01.2001", "outside", Flags.DISTRICT_OUTSIDE), ("", "", Flags.NONE),
])
def test_an_unknown_place_one_outside_and_none_are_three_things(said: str, district: str, flags: Flags) -> None:
    case = derive(district=said, status="SELESAI", ended="2026-11-24 11:00")
    assert (case.district, case.flags) == (district, flags)


def test_where_no_districts_are_declared_a_place_is_its_own_key() -> None:
    nowhere = SMALL.model_copy(update={"districts": {}})
    assert derive(regency=nowhere, district=" Ward 6 ").district == "Ward 6"
    assert derive(regency=nowhere, district="").district == "(kosong)"
    assert derive(without="district", district="Ward 6").district == ""


@pytest.mark.parametrize(("said", "flags"), [("merpati", Flags.CHANNEL_UNMAPPED), ("web", Flags.NONE), ("", Flags.NONE)])
def test_a_channel_that_no_map_knows_is_said_and_one_not_given_is_not(said: str, flags: Flags) -> None:
    assert derive(channel=said).flags == flags


def test_a_shared_source_gives_its_cases_to_the_agency_that_must_act() -> None:
    assert derive("lapor", agency="Kominfo").agency == "pengaduan"
    assert derive("lapor", agency="Dinas Baru").agency == "Dinas Baru"
    assert derive("lapor", agency="").agency == "(kosong)"


def test_a_complaint_falls_due_by_its_class_and_before_it_has_one_not_at_all() -> None:
    of_class = {code: derive("lapor", agency="Kominfo", service=code, class_=code) for code in ("", "TBK", "BK")}
    assert {code: (case.class_, case.standard) for code, case in of_class.items()} == {
        "": (None, None), "TBK": ("not-supervised", "14 working days"), "BK": ("supervised", "60 working days"),
    }
    assert of_class[""].due_at is None
    assert of_class[""].service == "aduan"


def test_a_complaint_of_a_source_that_tells_no_class_has_that_of_its_service() -> None:
    case = derive("lapor", without="class", agency="Kominfo", service="TBK")
    assert (case.class_, case.standard) == ("not-supervised", "14 working days")


@pytest.mark.parametrize(("said", "closed_by"), [("tindak lanjut", "follow-up"), ("otomatis", "silence"), ("", None), ("?", None)])
def test_how_a_complaint_was_closed(said: str, closed_by: str | None) -> None:
    assert derive("lapor", agency="Kominfo", closed_by=said).closed_by == closed_by


@pytest.mark.parametrize(("unit", "value"), [
    (StandardUnit.MINUTES, 5760.0), (StandardUnit.HOURS, 96.0), (StandardUnit.DAYS, 4.0),
    (StandardUnit.WORKING_MINUTES, 900.0), (StandardUnit.WORKING_HOURS, 15.0), (StandardUnit.WORKING_DAYS, 2.0),
])
def test_a_duration_in_the_unit_of_a_standard(unit: StandardUnit, value: float) -> None:
    assert standard_value(unit, 4 * 86_400, 15 * 3600, calendars(SMALL)["office"]) == value


def test_deriving_again_gives_the_same_case() -> None:
    deriver = Deriver(SMALL, SMALL.sources["sipil-permohonan"])
    codes = Codes(service="KTP", status="SELESAI")
    seen = Sighting(b"k" * 16, wita("2026-11-24 10:00"), None, None, wita("2026-11-25 10:00"), codes)
    assert deriver.derive(seen) == deriver.derive(seen) == Deriver(SMALL, SMALL.sources["sipil-permohonan"]).derive(seen)


@pytest.mark.parametrize(("called", "ended", "on_time"), [
    ("2026-11-24 10:59", "2026-11-24 12:30", True),
    ("2026-11-24 11:01", "2026-11-24 11:10", False),
    ("2026-11-24 10:30", None, True),
    (None, "2026-11-24 10:20", None),
])
def test_a_visit_is_judged_by_its_wait_until_it_was_called(called: str | None, ended: str | None, on_time: bool | None) -> None:
    regency = load(SHIPPED.parent / "config" / "demo")
    source = next(one for one in regency.sources.values() if one.owner == "rsud" and one.kind == "visit")
    fields = {**source.fields, "service": FieldMap.model_validate({"value": "poli-anak"}),
              "status": FieldMap.model_validate({"value": "completed" if ended else "open"})}
    seen = Sighting(
        b"k" * 16, wita("2026-11-24 10:00"), wita(called) if called else None, None, wita(ended) if ended else None, Codes()
    )
    case = Deriver(regency, source.model_copy(update={"fields": fields, "owner": "rsud"})).derive(seen)
    assert (case.kind, case.standard, case.on_time) == ("visit", "60 minutes", on_time)
