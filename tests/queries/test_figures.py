"""`figures`: values, states and rows by period and group, on both databases."""

from __future__ import annotations

import calendar
import csv
import hashlib
import io
import json
import math
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.cases import Codes, Sighting
from dashboard.clock import epoch
from dashboard.errors import ConfigError
from dashboard.metrics import METRICS
from dashboard.queries.answers import State
from dashboard.queries.export import write
from dashboard.queries.figures import figures
from dashboard.store.derived import derive_histograms
from tests import small
from tests.product import SHARED
from tests.small import Told, World, wita

NOW = wita("2026-11-24 10:53")
COLUMNS = ["period", "metric", "unit", "value", "state", "cases"]


@pytest.fixture
def world(engine) -> World:
    """Two months of Capil; Dishub only this month."""
    made = World(engine)
    made.deliver("capil-source", [
        Told("a", wita("2026-10-05 08:00"), wita("2026-10-05 11:00"), channel="online", district="73.22.01"),
        Told("b", wita("2026-10-06 08:00"), wita("2026-10-06 09:00"), status="cancelled"),
        Told("c", wita("2026-10-07 08:00"), wita("2026-11-03 11:00"), service="kk"),
        Told("d", wita("2026-10-30 08:00")),
    ], at=NOW, since=wita("2026-10-01 00:00"))
    made.deliver("dishub-source", [Told("k", wita("2026-11-10 08:00"), wita("2026-11-10 09:00"), service="kir")], at=NOW)
    return made


def table(frame, *names: str) -> list[tuple]:
    """Some columns, without missing values."""
    return [tuple(None if value != value else value for value in row) for row in frame[list(names)].itertuples(index=False)]


def test_counts_and_the_backlog_at_the_end_by_month(world: World) -> None:
    frame = figures(world.asked(NOW), metrics=["received", "completed", "cancelled", "backlog"], grain="month",
                    since=date(2026, 10, 1), until=date(2026, 11, 30))
    assert table(frame, "period", "metric", "value") == [
        ("2026-10-01", "received", 4.0), ("2026-10-01", "completed", 1.0), ("2026-10-01", "cancelled", 1.0),
        ("2026-10-01", "backlog", 2.0),
        ("2026-11-01", "received", 1.0), ("2026-11-01", "completed", 2.0), ("2026-11-01", "cancelled", 0.0),
        ("2026-11-01", "backlog", 1.0),
    ]
    # Dishub vouches for November from its first case on, so its counts are partial; a backlog is of an instant
    assert list(frame["state"]) == ["normal"] * 4 + ["partial"] * 3 + ["normal"]
    assert list(frame["cases"]) == [4, 1, 1, 2, 1, 2, 0, 1]


def test_a_month_with_nothing_but_a_backlog_is_there_and_one_of_zeros_is_not(world: World) -> None:
    asked = world.asked(NOW)
    rows = figures(asked, metrics=["received", "backlog"], grain="day", agency="capil", since=date(2026, 10, 8), until=date(2026, 10, 9))
    assert table(rows, "period", "metric", "value") == [
        ("2026-10-08", "received", 0.0), ("2026-10-08", "backlog", 1.0), ("2026-10-09", "received", 0.0), ("2026-10-09", "backlog", 1.0),
    ]
    assert figures(asked, metrics=["received", "completed"], grain="day", since=date(2026, 10, 8), until=date(2026, 10, 9)).empty


def test_all_tells_a_true_zero_from_what_nobody_vouches_for(world: World) -> None:
    frame = figures(world.asked(NOW), metrics=["received", "on_time_rate"], grain="month", by=["agency"], since=date(2026, 9, 1),
                    until=date(2026, 12, 31), everything=True)
    assert table(frame, "period", "agency", "metric", "value", "state") == [
        ("2026-09-01", "capil", "received", None, "not_provided"), ("2026-09-01", "capil", "on_time_rate", None, "not_provided"),
        ("2026-09-01", "dishub", "received", None, "not_provided"), ("2026-09-01", "dishub", "on_time_rate", None, "not_provided"),
        ("2026-10-01", "capil", "received", 4.0, "normal"), ("2026-10-01", "capil", "on_time_rate", None, "too_few"),
        ("2026-10-01", "dishub", "received", None, "not_provided"), ("2026-10-01", "dishub", "on_time_rate", None, "not_provided"),
        ("2026-11-01", "capil", "received", 0.0, "normal"), ("2026-11-01", "capil", "on_time_rate", None, "too_few"),
        ("2026-11-01", "dishub", "received", 1.0, "partial"), ("2026-11-01", "dishub", "on_time_rate", None, "too_few"),
        ("2026-12-01", "capil", "received", None, "not_provided"), ("2026-12-01", "capil", "on_time_rate", None, "not_provided"),
        ("2026-12-01", "dishub", "received", None, "not_provided"), ("2026-12-01", "dishub", "on_time_rate", None, "not_provided"),
    ]


def test_times_are_in_the_unit_of_the_standard_or_elapsed_and_two_units_are_hours(world: World) -> None:
    asked = world.asked(NOW)
    month = {"grain": "month", "since": date(2026, 10, 1), "until": date(2026, 10, 31), "metrics": ["processing_time_median"]}
    assert table(figures(asked, **month), "unit", "value", "cases") == [("working days", pytest.approx(0.4), 1)]
    assert table(figures(asked, **month, time="elapsed"), "unit", "value") == [("hours", 3.0)]
    world.deliver("capil-source", [Told("e", wita("2026-10-12 08:00"), wita("2026-10-12 09:00"), service="kk")], at=NOW, since=NOW)
    assert table(figures(asked, **month), "unit", "value", "cases") == [("hours", 2.0, 2)]


@pytest.mark.parametrize(("grain", "labels"), [
    ("hour", ["2026-11-10T08:00"]), ("day", ["2026-11-10"]), ("week", ["2026-11-09"]), ("month", ["2026-11-01"]),
    ("quarter", ["2026-10-01"]), ("year", ["2026-01-01"]),
])
def test_every_grain_has_its_label(world: World, grain: str, labels: list[str]) -> None:
    frame = figures(world.asked(NOW), metrics=["received"], grain=grain, agency="dishub", since=date(2026, 11, 9), until=date(2026, 11, 24))
    assert table(frame, "period", "value") == [(label, 1.0) for label in labels]


@pytest.mark.parametrize("by", ["agency", "service", "channel", "district"])
def test_groups_add_up_to_the_whole(world: World, by: str) -> None:
    span = {"metrics": ["received", "completed"], "grain": "year", "since": date(2026, 1, 1), "until": date(2026, 11, 24)}
    frame = figures(world.asked(NOW), **span, by=[by])
    assert frame.groupby("metric")["value"].sum().to_dict() == {"received": 5.0, "completed": 3.0}


def test_quarters_merge_histograms_and_months_that_were_touched_since(world: World) -> None:
    asked = world.asked(NOW)
    span = {"metrics": ["processing_time_p90"], "grain": "quarter", "since": date(2026, 10, 1), "until": date(2026, 11, 30), "time": "elapsed"}
    from_cases = figures(asked, **span)["value"][0]
    derive_histograms(world.engine, world.regency)
    assert figures(asked, **span)["value"][0] == pytest.approx(from_cases, rel=0.01)


def test_complaint_clocks_count_working_days(engine) -> None:
    world = World(engine)
    monday, now = wita("2026-11-16 09:00"), wita("2026-11-19 16:00")  # three working days later, at closing time
    world.deliver("lapor", [
        Told("a", monday, service="lapor", agency="capil"), Told("b", monday, service="lapor", agency="capil", accepted=now),
        Told("c", wita("2026-11-16 17:00"), service="lapor", agency="capil"),
        Told("d", monday, now - timedelta(hours=1), service="lapor", agency="capil", closed_by="silence"),
    ], at=now, since=wita("2026-11-16 00:00"))

    def told(at: datetime, metric: str) -> float:
        frame = figures(world.asked(at), metrics=[metric], grain="month", since=date(2026, 11, 1), until=date(2026, 11, 30), everything=True)
        return float(frame["value"][0])

    assert told(now - timedelta(seconds=1), "complaints_unverified") == 0
    assert told(now + timedelta(seconds=1), "complaints_unverified") == 1
    assert told(wita("2026-11-20 16:30"), "complaints_unverified") == 2  # Friday closes half an hour later
    assert (told(now, "complaints_received"), told(now + timedelta(hours=1), "complaints_overdue")) == (4, 2)
    assert told(now + timedelta(minutes=1), "complaints_closed_silent") == 1


@pytest.mark.parametrize("by", [[], ["agency", "service"]])
@pytest.mark.parametrize("everything", [False, True])
def test_an_empty_store_gives_typed_columns_for_every_metric(engine, by: list[str], everything: bool) -> None:
    wanted = [metric for metric in METRICS if metric != "coverage"]  # which is a true zero there
    frame = figures(World(engine).asked(NOW), metrics=wanted, grain="week", by=by, until=date(2026, 11, 24), everything=everything)
    assert list(frame.columns) == ["period", *by, *COLUMNS[1:]]
    assert set(frame["state"]) <= {"not_provided"}
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        **dict.fromkeys(["period", *by, "metric", "unit", "state"], "str"), "value": "float64", "cases": "int64",
    }


@pytest.mark.parametrize("wrong", [
    {"metrics": ["recieved"]}, {"metrics": ["received"], "by": ["village"]}, {"metrics": ["received"], "grain": "fortnight"},
    {"metrics": ["received"], "time": "wall"}, {"metrics": ["received"], "since": date(2026, 11, 2), "until": date(2026, 11, 1)},
])
def test_an_unknown_name_is_refused(sqlite_world: World, wrong: dict) -> None:
    with pytest.raises(ConfigError):
        figures(sqlite_world.asked(NOW), **wrong)


@pytest.fixture
def sqlite_world(engine) -> World:
    """Any store."""
    return World(engine)


def test_a_spreadsheet_takes_no_delivered_word_for_a_formula(engine) -> None:
    world = World(engine)
    names = ["=cmd|' /C calc'!A0", "+1-2", "-x", "@SUM(A1)", "[red]kir[/red]", "a,\"b\"\nc", "12"]
    world.deliver("capil-source", [Told(name, NOW - timedelta(hours=1), service=name) for name in names], at=NOW)
    frame = figures(world.asked(NOW), metrics=["received"], grain="day", by=["service"], until=date(2026, 11, 24))
    told = {row["service"] for row in csv.DictReader(io.StringIO(write(frame, "csv")))}
    assert told == {"'=cmd|' /C calc'!A0", "'+1-2", "'-x", "'@SUM(A1)", "[red]kir[/red]", "a,\"b\"\nc", "12"}
    assert "[red]kir[/red]" in write(frame, "table")
    assert {row["service"] for row in json.loads(write(frame, "json"))} == set(names)
    with pytest.raises(ConfigError):
        write(frame, "xml")


# --- real data -----------------------------------------------------------------------------------------------------------

METRICS_OF_TRUTH = {
    "received": "received", "completed": "completed", "backlog_end": "backlog", "median_hours": "processing_time_median",
    "p90_hours": "processing_time_p90",
}
SF311 = ("sf311", "sf311_requests.csv", "unique_key", "category", "created_date", "closed_date", "status", "status")
CALGARY = ("calgary_permits", "calgary_permits.csv", "permitnum", "permitclassgroup", "applieddate", "issueddate", "statuscurrent", "dates")


def seconds(text: str) -> int | None:
    return epoch(datetime.fromisoformat(text[:19] + "+00:00")) if text else None


def loaded(engine, name: str, file: str, identity: str, service: str, submitted: str, ended: str, status: str, outcome: str) -> World:
    """The real data through the store's own read, with hand-made sightings."""
    folder = SHARED / "data" / name
    if not folder.exists():
        pytest.skip(f"the shared data is not here ({folder})")
    words = dict.fromkeys(["Cancelled", "Refused", "Expired", "File Closed"], "cancelled") | {"Closed": "completed", "Completed": "completed"}
    source = small.source("real", timezone="UTC", outcome=outcome, fields={"status": {"from": status, "map": words, "otherwise": "open"}})
    regency = small.Regency.model_validate({
        "name": "Real", "timezone": "UTC", "agencies": {"real": small.agency("Real", {}, id="real")}, "sources": {"real-source": source},
    })
    world = World(engine, regency)
    with (folder / file).open(encoding="utf-8", newline="") as lines:
        seen = [
            Sighting(
                hashlib.blake2b(row[identity].encode(), digest_size=16).digest(), seconds(row[submitted]) or 0, None, None,
                seconds(row[ended]), Codes(service=row[service], status=row[status]),
            ) for row in csv.DictReader(lines)
        ]
    world.deliver_sightings("real-source", seen, at=NOW)
    return world


@pytest.mark.parametrize("data", [SF311, CALGARY], ids=["sf311", "calgary"])
def test_real_data_equals_its_truth_month_by_month_and_service_by_service(engine, data: tuple[str, ...]) -> None:
    world = loaded(engine, *data)
    with (Path(SHARED) / "data" / data[0] / "truth.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    months = sorted({row["month"] for row in rows})
    year, number = (int(part) for part in months[-1].split("-"))
    service = next(name for name in rows[0] if name not in ("month", *METRICS_OF_TRUTH, "n_durations"))
    expected = {
        (row["month"], row[service], metric): float(row[name]) for row in rows for name, metric in METRICS_OF_TRUTH.items()
        if row[name] not in ("", "0") or (name.endswith("hours") and row[name] != "")
    }
    found: dict[tuple[str, str, str], float] = {}
    for by in ([], ["service"]):
        frame = figures(
            world.asked(NOW), metrics=list(METRICS_OF_TRUTH.values()), grain="month", by=by, since=date.fromisoformat(months[0] + "-01"),
            until=date(year, number, calendar.monthrange(year, number)[1]), time="elapsed",
        )
        for row in frame.to_dict("records"):
            if row["value"] == row["value"] and (row["value"] or "time" in row["metric"]):
                found[row["period"][:7], row.get("service", "ALL"), row["metric"]] = row["value"]
    wrong = [
        (key, expected.get(key), found.get(key)) for key in sorted(set(expected) | set(found))
        if not math.isclose(expected.get(key, -1), found.get(key, -1), rel_tol=0.01 if "time" in key[2] else 0, abs_tol=1e-9)
    ]
    assert wrong == []
    assert len(expected) > 1000
    assert State.NORMAL.value in set(frame["state"])
