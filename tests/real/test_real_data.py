"""Real open data with computed ground truth, through real paths, from config files alone: `figures` equals the truth.

The data is not part of the repository; without the shared folder these tests say that they are skipped.
"""

from __future__ import annotations

import calendar
import csv
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import xlsxwriter

from tests.product import SHARED, Product
from tests.real import declarations
from tests.servers import datasette, mariadb

DATA = SHARED / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the shared real data is not at {DATA}")

METRICS = "received,completed,backlog,processing_time_median,processing_time_p90"
COLUMNS = {
    "received": "received", "completed": "completed", "backlog": "backlog_end",
    "processing_time_median": "median_hours", "processing_time_p90": "p90_hours",
}
EXACT = ("received", "completed", "backlog")
Key = tuple[str, str, str]


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def truth(name: str) -> dict[Key, float]:
    """(month, category, metric) → value, for what is there and not zero."""
    return {
        (row["month"], row["category"], metric): float(row[column])
        for row in rows_of(f"{name}/truth.csv")
        for metric, column in COLUMNS.items()
        if row[column] not in (("", "0") if metric in EXACT else ("",))
    }


def last_day(month: str) -> str:
    """The last day of a month "YYYY-MM"."""
    year, number = int(month[:4]), int(month[5:])
    return f"{month}-{calendar.monthrange(year, number)[1]}"


def told(product: Product, months: list[str]) -> dict[Key, float]:
    """The same, from the command `figures`."""
    found: dict[Key, float] = {}
    for by in ([], ["--by", "service"]):
        text = product.run(
            "figures", "--metric", METRICS, "--grain", "month", *by, "--since", f"{months[0]}-01",
            "--until", last_day(months[-1]), "--time", "elapsed", "--format", "csv",
        )
        for row in csv.DictReader(io.StringIO(text)):
            if row["value"] not in (("", "0") if row["metric"] in EXACT else ("",)):
                found[row["period"][:7], row.get("service", "ALL") or "ALL", row["metric"]] = float(row["value"])
    return found


def differences(expected: dict[Key, float], found: dict[Key, float]) -> list[str]:
    """Counts must be equal, durations within 1 %, or 0.0001 h, to which the truth is rounded."""
    wrong = []
    for key in sorted(set(expected) | set(found)):
        want, have = expected.get(key), found.get(key)
        tolerance = 0.0 if key[2] in EXACT else 0.01
        if want is None or have is None or not math.isclose(want, have, rel_tol=tolerance, abs_tol=0.0001):
            wrong.append(f"{key}: truth {want}, figures {have}")
    return wrong


@contextmanager
def as_csv(product: Product, name: str, file: str) -> Iterator[str]:
    product.drop.mkdir(parents=True, exist_ok=True)
    (product.drop / "real.csv").write_bytes((DATA / name / file).read_bytes())
    yield declarations.csv_drop("real.csv")


@contextmanager
def as_xlsx(product: Product, name: str, file: str) -> Iterator[str]:
    product.drop.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(product.drop / "real.xlsx") as book:
        sheet = book.add_worksheet("Data")
        with (DATA / name / file).open(encoding="utf-8", newline="") as source:
            for number, row in enumerate(csv.reader(source)):
                for column, value in enumerate(row):
                    sheet.write_string(number, column, value)
    yield declarations.xlsx_drop("real.xlsx")


@contextmanager
def as_datasette(product: Product, name: str, file: str) -> Iterator[str]:
    with datasette(DATA / name / file, product.folder) as url:
        yield declarations.datasette(f"{url}?_shape=objects&_size=1000")


@contextmanager
def as_mariadb(product: Product, name: str, file: str) -> Iterator[str]:
    rows = rows_of(f"{name}/{file}")
    columns = list(rows[0])
    product.extra["COMMAND_CENTER_SECRET_AGENCY_DATABASE"] = "a-reader's password"
    with mariadb() as server:
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE agency CHARACTER SET utf8mb4")
            cursor.execute("CREATE USER reader@'127.0.0.1' IDENTIFIED BY %s", ("a-reader's password",))
            cursor.execute("GRANT SELECT ON agency.* TO reader@'127.0.0.1'")
            cursor.execute(f"CREATE TABLE agency.real_data ({', '.join(f'`{column}` TEXT' for column in columns)})")
            cursor.executemany(
                f"INSERT INTO agency.real_data VALUES ({', '.join(['%s'] * len(columns))})",
                [list(row.values()) for row in rows],
            )
            connection.commit()
        yield declarations.sql(f"mysql://reader@127.0.0.1:{server.port}/agency", "SELECT * FROM real_data")


SETS = {
    "sf311": ("sf311_requests.csv", "", declarations.SF311_FIELDS),
    "la311_week": ("la311_2017w52.csv", 'outcome = "dates"\n', declarations.LA311_FIELDS),
    "calgary_permits": ("calgary_permits.csv", 'outcome = "dates"\n', declarations.CALGARY_FIELDS),
}


@pytest.mark.servers
@pytest.mark.parametrize(("name", "path"), [
    ("sf311", as_csv), ("sf311", as_datasette), ("calgary_permits", as_xlsx), ("calgary_permits", as_mariadb),
    pytest.param("la311_week", as_datasette, marks=pytest.mark.long),
])
def test_figures_equal_the_truth_through_a_real_path(tmp_path: Path, name: str, path) -> None:
    product = Product(tmp_path)
    file, more, fields = SETS[name]
    with path(product, name, file) as source:
        product.declare({
            "regency.toml": declarations.REGENCY, "agencies/real.toml": declarations.agency("Real", source % more + fields),
        })
        product.run("check")
        product.run("collect")
        months = sorted({row["month"] for row in rows_of(f"{name}/truth.csv")})
        expected = truth(name)
        found = told(product, months)
        assert differences(expected, found) == []

        product.run("collect")
        assert told(product, months) == found, "collecting twice changed something"
    assert "no difference" in product.run("verify")


def test_a_blank_supervisor_district_is_a_service_of_its_own(tmp_path: Path) -> None:
    product = Product(tmp_path)
    fields = declarations.SF311_FIELDS.replace('from = "category"', 'from = "supervisor_district"')
    with as_csv(product, "sf311", "sf311_requests.csv") as source:
        product.declare({
            "regency.toml": declarations.REGENCY, "agencies/real.toml": declarations.agency("Real", source % "" + fields),
        })
        product.run("collect")
    text = product.run(
        "figures", "--metric", "received,completed", "--grain", "year", "--by", "service", "--since", "2008-07-01",
        "--until", "2018-12-31", "--format", "csv",
    )
    totals: dict[tuple[str, str], int] = {}
    for row in csv.DictReader(io.StringIO(text)):
        key = row["service"], row["metric"]
        totals[key] = totals.get(key, 0) + int(float(row["value"] or 0))
    expected = {
        (row["value"], metric): int(row[metric])
        for row in rows_of("sf311/truth_dims.csv") if row["dimension"] == "supervisor_district"
        for metric in ("received", "completed")
    }
    assert expected["(kosong)", "received"] == 4271
    assert totals == expected


def test_a_week_of_a_shared_system_is_told_by_its_owners_as_agencies_that_are_discovered(tmp_path: Path) -> None:
    product = Product(tmp_path)
    with as_csv(product, "la311_week", "la311_2017w52.csv") as source:
        product.declare({
            "regency.toml": declarations.REGENCY,
            "agencies/real.toml": declarations.agency("Real", source % 'outcome = "dates"\n' + declarations.LA311_FIELDS),
        })
        product.run("collect")
    assert differences(truth("la311_week"), told(product, sorted({row["month"] for row in rows_of("la311_week/truth.csv")}))) == []
    text = product.run(
        "figures", "--metric", "received,completed", "--grain", "year", "--by", "agency", "--since", "2017-01-01",
        "--until", "2018-12-31", "--format", "csv",
    )
    totals: dict[tuple[str, str], int] = {}
    for row in csv.DictReader(io.StringIO(text)):
        key = row["agency"], row["metric"]
        totals[key] = totals.get(key, 0) + int(float(row["value"] or 0))
    expected = {
        (row["value"], metric): int(row[metric])
        for row in rows_of("la311_week/truth_dims.csv") if row["dimension"] == "Owner" for metric in ("received", "completed")
    }
    assert len(expected) == 10
    assert totals == expected

    text = product.run(
        "figures", "--metric", "received", "--grain", "day", "--by", "service", "--since", "2017-12-27", "--until", "2017-12-31",
        "--format", "csv",
    )
    daily = {
        (row["period"], row["service"]): int(float(row["value"])) for row in csv.DictReader(io.StringIO(text))
        if row["value"] not in ("", "0")
    }
    assert daily == {(row["day"], row["cat"]): int(row["received"]) for row in rows_of("la311_week/truth_daily_received.csv")}


JAKARTA = "jakarta_damkar_2013"


def by_report() -> dict[Key, float]:
    """The truth by the month of the report. No call of the year was answered in another month, so it is the product's too."""
    found: dict[Key, float] = {}
    for row in rows_of(f"{JAKARTA}/truth.csv"):
        key = row["month"], row["category"]
        found[*key, "received"], found[*key, "completed"] = float(row["received"]), float(row["responded"])
        found[*key, "processing_time_median"] = float(row["median_response_min"]) / 60
        found[*key, "processing_time_p90"] = float(row["p90_response_min"]) / 60
    return found


@pytest.mark.servers
@pytest.mark.parametrize("path", [as_xlsx, as_mariadb])
@pytest.mark.short("as_xlsx")
def test_the_fire_brigades_minutes_to_arrival_equal_the_truth(tmp_path: Path, path) -> None:
    """Date and time in two columns; the arrival is the report plus its minutes; "NA", "-" and blanks are none."""
    product = Product(tmp_path)
    with path(product, JAKARTA, "jakarta_damkar_2013.csv") as source:
        product.declare({
            "regency.toml": declarations.REGENCY,
            "agencies/real.toml": declarations.agency("Damkar", source % "" + declarations.JAKARTA_FIELDS),
        })
        product.run("collect")
    found = told(product, [f"2013-{month:02d}" for month in range(1, 13)])
    assert differences(by_report(), {key: value for key, value in found.items() if key[2] != "backlog"}) == []
    assert found["2013-12", "ALL", "backlog"] == 2
    assert "no difference" in product.run("verify")


def test_the_calgary_permits_that_ended_unissued_are_in_no_backlog(tmp_path: Path) -> None:
    product = Product(tmp_path)
    with as_csv(product, "calgary_permits", "calgary_permits.csv") as source:
        fields = 'outcome = "dates"\n', declarations.CALGARY_FIELDS
        product.declare({
            "regency.toml": declarations.REGENCY,
            "agencies/real.toml": declarations.agency("Real", source % fields[0] + fields[1]),
        })
        product.run("collect")
    text = product.run(
        "figures", "--metric", "received,completed,backlog", "--grain", "year", "--since", "1999-01-01",
        "--until", "2026-10-31", "--format", "csv",
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    total = {metric: sum(int(float(row["value"] or 0)) for row in rows if row["metric"] == metric)
             for metric in ("received", "completed")}
    last_backlog = [int(float(row["value"] or 0)) for row in rows if row["metric"] == "backlog"][-1]
    assert total["received"] - total["completed"] - last_backlog == 151
