"""BPJS Antrean: the shipped example from BPJS to readings, what is signed, and the service in its bad days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors.antrean import AntreanOptions
from collectors.auth import Auth, Signature, credentials
from dashboard.cases import Outcome
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable
from tests.agency_api import Agency, Behaviour, rows
from tests.collectors.conftest import Readings
from tests.collectors.examples import Example, example
from tests.collectors.portals import Bpjs, clinic, envelope

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 11, 24), date(2026, 11, 23)
SECRETS = {"bpjs_secret": "s3cret-canary", "bpjs_user_key": "kunci-canary"}
MIDNIGHT = int(datetime(2026, 11, 23, 16, tzinfo=UTC).timestamp())
"""The WITA midnight that begins the 24th."""


@pytest.fixture
def bpjs(agency: Agency) -> Bpjs:
    """The service, with two clinics on two days."""
    server = Bpjs(user="00000", user_key="kunci-canary").serve(agency, TODAY)
    server.days = {
        YESTERDAY.isoformat(): [clinic(YESTERDAY, "BED", "BEDAH", 10, 300, 120, 1800, 600, 0, 0)],
        TODAY.isoformat(): [
            clinic(TODAY, "BED", "BEDAH", 30, 0, 0, 3600, 600, 900, 0), clinic(TODAY, "INT", "PENYAKIT DALAM", 10, 0, 0, 1200, 300, 0, 0),
        ],
    }
    return server


@pytest.fixture
def hospital(agency: Agency, bpjs: Bpjs, tmp_path: Path) -> Example:
    """The shipped example, on that service."""
    return example("antrean", agency.url("/antreanrs"), tmp_path, NOW, SECRETS)


def options(agency: Agency, **more: Any) -> dict[str, Any]:
    auth = {"kind": "hmac", "user": "4711", "secret": "token", "also": {"user_key": {"secret": "token"}}}
    return {"url": agency.url("/antreanrs"), "days": 1, "auth": auth, **more}


def today(agency: Agency, behaviour: Behaviour) -> None:
    """Answer for today."""
    agency.answers[f"/antreanrs/dashboard/waktutunggu/tanggal/{TODAY}/waktu/rs"] = behaviour


def listed(*found: Any, **more: Any) -> Behaviour:
    """A good answer with these rows."""
    return lambda request: request.json({**envelope(200, "OK"), "response": {"list": list(found)}, **more})


def test_the_shipped_example_goes_from_bpjs_to_readings_in_minutes_by_clinic_and_day(hospital: Example) -> None:
    result = hospital.run("rsud-antrean")
    assert result.outcome is Outcome.OK
    found = hospital.readings()
    assert found["waiting_time_mean", "BED/task3", MIDNIGHT] == 60
    assert found["waiting_time_mean", "INT/task3", MIDNIGHT] == 20
    assert found["service_time_mean", "BED/task4", MIDNIGHT] == 10
    assert found["received", "jumlah_antrean", MIDNIGHT] == 40
    assert found["waiting_time_mean", "BED/task5", MIDNIGHT] == 15
    assert found["waiting_time_mean", "INT/task5", MIDNIGHT] is None  # nobody got there: no time, never 0
    assert found["waiting_time_mean", "BED/task1", MIDNIGHT - 86_400] == 5
    asked = {"grain": "day", "agency": "rsud", "since": YESTERDAY, "until": TODAY}
    assert hospital.figures(["waiting_time_mean"], **asked) == [
        ("2026-11-23", "waiting_time_mean", 30.0), ("2026-11-24", "waiting_time_mean", 50.0),  # (30 × 60 + 10 × 20) / 40
    ]
    stored = b"".join(path.read_bytes() for path in hospital.settings.data.rglob("*") if path.is_file())
    assert b"canary" not in stored


def test_a_day_is_read_again_until_its_figures_no_longer_change(hospital: Example, bpjs: Bpjs) -> None:  # C6 C10
    hospital.run("rsud-antrean")
    assert hospital.run("rsud-antrean").rows_changed == 0
    bpjs.days[YESTERDAY.isoformat()] = [clinic(YESTERDAY, "BED", "BEDAH", 12, 300, 120, 2400, 600, 0, 0)]
    result = hospital.run("rsud-antrean")
    assert (result.rows_new, result.rows_changed) == (0, 4)  # visitors and the wait, of the clinic and of the hospital
    assert hospital.readings()["waiting_time_mean", "BED/task3", MIDNIGHT - 86_400] == 40


def test_freshness_is_told_by_bpjs_own_stamp_not_by_our_read(hospital: Example) -> None:
    hospital.run("rsud-antrean")
    with hospital.engine.connect() as connection:
        until = connection.exec_driver_sql("SELECT data_until FROM source_state").scalar()
    assert until == int(datetime(2026, 11, 24, 8, 30, tzinfo=UTC).timestamp())


def test_a_hospital_without_visitors_is_empty_which_is_good(hospital: Example, bpjs: Bpjs) -> None:
    bpjs.days = {}
    assert hospital.run("rsud-antrean").outcome is Outcome.EMPTY


@pytest.mark.parametrize(("secret", "value"), [("bpjs_secret", "lama"), ("bpjs_user_key", "lama")])
def test_a_wrong_secret_or_user_key_is_rejected_and_the_last_good_readings_stay(
    hospital: Example, secret: str, value: str
) -> None:  # A22 I3
    hospital.run("rsud-antrean")
    before = hospital.readings()
    (hospital.settings.secrets / secret).write_text(value)
    result = hospital.run("rsud-antrean")
    assert result.outcome is Outcome.REJECTED
    assert "Unauthorized" in result.en
    assert not [text for text in (result.en, result.id) if "canary" in text or value in text]
    assert hospital.readings() == before
    (hospital.settings.secrets / secret).write_text(SECRETS[secret])  # a new secret needs no restart
    assert hospital.run("rsud-antrean").outcome is Outcome.OK


@pytest.mark.parametrize(("code", "message", "error"), [
    (401, "Signature expired", SourceRejected), (403, "User key not found", SourceRejected), (500, "Internal error", SourceUnavailable),
    (429, "Too many", SourceUnavailable), (201, "Format tanggal salah", SourceChanged), ("412", "x", SourceChanged),
])
def test_an_error_in_the_envelope_is_told_by_its_code(
    agency: Agency, reading: Readings, code: Any, message: str, error: type[CollectError]
) -> None:  # B2
    today(agency, lambda request: request.json(envelope(code, f"<b>{message} s3cret-canary")))
    with pytest.raises(error, match=f"code {code}: ‹b›{message}") as caught:
        reading.rows("antrean", options(agency), set())
    assert "s3cret" not in caught.value.en + caught.value.id


@pytest.mark.parametrize("answer", [[], None, {"response": {"list": []}}, "x"])
def test_an_answer_without_a_code_is_a_change(agency: Agency, reading: Readings, answer: Any) -> None:
    today(agency, lambda request: request.json(answer))
    with pytest.raises(SourceChanged, match=r"no metadata\.code"):
        reading.rows("antrean", options(agency), set())


def test_an_encrypted_answer_is_told(agency: Agency, reading: Readings) -> None:
    today(agency, lambda request: request.json({**envelope(200, "OK"), "response": "N4Ig5gTg9gVi=="}))
    with pytest.raises(SourceChanged, match="not encrypted"):
        reading.rows("antrean", options(agency), set())


@pytest.mark.parametrize("answer", [envelope(204, "No Content"), envelope(201, "Data tidak ditemukan"), {**envelope("200", "OK"), "response": None}])
def test_a_day_without_data_gives_no_rows_and_no_error(agency: Agency, reading: Readings, answer: Any) -> None:
    today(agency, lambda request: request.json(answer))
    assert reading.rows("antrean", options(agency), set()) == []


def test_a_service_that_answers_about_another_day_is_not_believed(agency: Agency, reading: Readings) -> None:  # C1
    today(agency, listed(clinic(YESTERDAY, "BED", "BEDAH", 1, 0, 0, 60, 0, 0, 0)))
    with pytest.raises(SourceChanged, match="asked about 2026-11-24, answered about 2026-11-23"):
        reading.rows("antrean", options(agency), set())


@pytest.mark.parametrize(("stamp", "expected"), [
    ("24-11-2026 11:32:49 WIB", "2026-11-24T04:32:49"), ("24-11-2026 11:32:49 WITA", "2026-11-24T03:32:49"),
    ("24-11-2026 11:32:49 WIT", "2026-11-24T02:32:49"), (1_795_494_769_000, "2026-11-24T04:32:49"), ("1795494769000", "2026-11-24T04:32:49"),
])
def test_a_stamp_on_wib_is_an_hour_later_than_the_same_one_on_wita(
    agency: Agency, reading: Readings, stamp: Any, expected: str
) -> None:  # D2 D8
    today(agency, listed(clinic(TODAY, "BED", "BEDAH", 1, 0, 0, 60, 0, 0, 0, insertdate=stamp)))
    row = reading.rows("antrean", options(agency, measures=["task3"], whole=False), set())[0]
    assert datetime.fromtimestamp(int(row["insertdate"]) / 1000, UTC).isoformat()[:19] == expected


def test_a_clinic_with_no_number_or_no_known_zone_is_put_aside_alone(agency: Agency, reading: Readings) -> None:  # B8 B11 D8
    def bad(**more: Any) -> dict[str, Any]:
        return clinic(TODAY, "X", "X", 1, 0, 0, 60, 0, 0, 0, **more)

    today(agency, listed(
        clinic(TODAY, "BED", "BEDAH", 1, 0, 0, 60, 0, 0, 0), bad(insertdate="24-11-2026 11:32:49 CET"), bad(avg_waktu_task3="lama"),
        bad(avg_waktu_task3=-5), bad(jumlah_antrean=float("nan")), bad(tanggal="2026-11-01"), ["x"],
    ))
    page = reading.pages("antrean", options(agency, measures=["task3", "jumlah_antrean"]), set())[0]
    assert [(row["scope"], row["value"]) for row in page.rows] == [("BED/task3", 1.0), ("BED/jumlah_antrean", 1.0)]
    assert sorted(page.broken) == [
        (2, "insertdate: neither a number nor a time with WIB, WITA or WIT"), (3, "avg_waktu_task3: not a number"),
        (4, "avg_waktu_task3: out of range"), (5, "NaN is not a number"), (6, "another day than asked"), (7, "not an object"),
    ]


def test_the_signature_is_written_as_it_is_declared(agency: Agency, reading: Readings) -> None:
    signature = {
        "text": "{stamp}:{user}", "stamp": "epoch_ms", "digest": "sha512", "encoding": "hex", "user_header": "X-Id", "stamp_header": "X-At",
        "signature_header": "X-Sign",
    }
    agency.answers["/a"] = rows([])
    auth = {"kind": "hmac", "user": "u", "secret": "token", "signature": signature, "also": {"X-Key": {"secret": "second"}}}
    reading.secrets["second"] = "dua"
    reading.rows("rest", {"url": agency.url("/a"), "records": "data", "auth": auth}, set())
    headers = agency.requests[0].headers
    assert (headers["x-id"], headers["x-key"], len(headers["x-sign"]), len(headers["x-at"])) == ("u", "dua", 128, 13)
    assert not {"x-cons-id", "x-timestamp", "x-signature"} & set(headers)


def test_the_signature_is_what_openssl_makes_of_it() -> None:
    """``printf '1234&433223232' | openssl dgst -sha256 -hmac rahasia -binary | base64``."""
    assert Signature().headers("1234", "rahasia", 433_223_232.9) == {
        "X-cons-id": "1234", "X-timestamp": "433223232", "X-signature": "LqcbwSC6eKtBdJiaLWmhCWffv1MnTu0xK/Zz9TYTGZE=",
    }


@pytest.mark.parametrize("wrong", [
    {"days": 0}, {"days": 94}, {"time": "wib"}, {"measures": ["task8"]}, {"measures": []},
    {"auth": {"kind": "hmac", "signature": {"text": "{user}"}}}, {"auth": {"kind": "hmac", "signature": {"digest": "md5"}}},
    {"auth": {"kind": "hmac", "also": {"user_key": {"secret": ""}}}}, {"auth": {"kind": "hmac", "also": {"user_key": "value"}}},
])
def test_a_wrong_option_is_refused_at_check(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AntreanOptions.model_validate({"url": "https://x/antreanrs", "auth": {"kind": "hmac"}, **wrong})


def test_secrets_are_read_anew_for_each_request() -> None:
    asked: list[str] = []

    def secret_of(name: str) -> str:
        asked.append(name)
        return "x"

    auth = Auth.model_validate({"kind": "bearer", "secret": "a", "also": {"k": {"secret": "b"}}})
    credentials(auth, secret_of)
    credentials(auth, secret_of)
    assert asked == ["b", "a", "b", "a"]
