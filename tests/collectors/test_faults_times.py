"""Faults of time (D1 to D9): zones, clocks that are wrong or set, stamps that cannot be, and the turn of the day."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from dashboard.cases import Flags, Outcome
from dashboard.queries.answers import Context
from dashboard.queries.ecosystem import ecosystem
from dashboard.queries.figures import figures
from dashboard.store.tables import case, run
from layouts.components.unit_tile import problem_words
from tests.agency_api import Agency, rows
from tests.collectors.conftest import NOW, Site
from tests.collectors.test_runner import FIELDS, Sites, request, source
from tests.invariants import Oracle
from tests.layouts import answers
from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product, end
from tests.servers import MariaDB, free_port, mariadb, wait_until
from tests.small import Told, World, wita

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


PLAIN = {**FIELDS, "status": {"from": "status", "map": {"SELESAI": "completed", "PROSES": "open"}, "otherwise": "open"}}


def oracle(here: Site) -> Oracle:
    """Of a site."""
    return Oracle(here.engine, here.regency, here.source.id, here.settings.data)


def office(count: int, shift: timedelta = timedelta()) -> list[dict[str, Any]]:
    """Requests of working days between 8 and 15 o'clock WITA, most at 10, written as another clock would show them."""
    chance = random.Random(4)
    made = []
    for number in range(count):
        day = datetime(2026, 11, 2 + number % 20, tzinfo=UTC)
        at = day + timedelta(hours=min(15, max(8, chance.gauss(10, 1.5))), minutes=number % 60) + shift
        made.append(request(number, masuk=at.strftime("%Y-%m-%d %H:%M:%S")))
    return made


def test_d1_stamps_without_an_offset_are_of_the_declared_zone(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(1, masuk="2026-11-20 09:00:00"), request(2, masuk="2026-11-20T09:00:00+08:00")])
    here = site(**source(agency))
    here.run()
    with here.engine.connect() as connection:
        stamps = set(connection.execute(select(case.c.submitted_at)).scalars())
    assert stamps == {int(datetime(2026, 11, 20, 1, tzinfo=UTC).timestamp())}
    with pytest.raises(ValueError, match="timezone"):
        site(**source(agency), timezone=None)


def test_d2_utc_declared_as_wita_is_noticed_by_the_night_it_makes(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows(office(200, timedelta(hours=-8)))
    here = site(**source(agency, mode="incremental", fields=PLAIN, options={"since": {"param": "sejak"}}))
    assert here.run().outcome is Outcome.OK
    assert "zone probably wrong: most is submitted about 02:00" in here.state.message_en
    told = ecosystem(Context(here.engine, here.regency, here.now)).units[0].sources[0].problem
    assert problem_words(told, answers.say()) == "zona waktu salah?"  # what its tile on the wall says
    oracle(here).clear_text()
    agency.answers["/a"] = rows([])
    here.now += timedelta(minutes=5)
    assert here.run().outcome is Outcome.EMPTY
    here.now += timedelta(minutes=5)
    agency.answers["/a"] = rows([request(900)])
    here.run()
    assert "zone probably wrong" in here.state.message_en
    here.declare(timezone="UTC", mode="snapshot")
    agency.answers["/a"] = rows(office(200, timedelta(hours=-8)))
    assert here.run().outcome is Outcome.HELD  # every stamp moves: an operator looks
    oracle(here).verified()


def test_d2_wita_declared_as_utc_is_noticed_by_rows_of_the_future(agency: Agency, site: Sites) -> None:
    today = [request(n, masuk=(NOW + timedelta(hours=8, minutes=200 - n)).strftime("%Y-%m-%d %H:%M:%S")) for n in range(200, 210)]
    agency.answers["/a"] = rows([*office(100, timedelta(days=-20)), *today])
    here = site(**{**source(agency, fields=PLAIN), "timezone": "UTC"})
    assert here.run().outcome is Outcome.OK
    assert "of the rows were submitted in the future; look at timezone" in here.state.message_en
    oracle(here).clear_text()
    assert here.cases == here.received == 110


def test_d2_a_right_zone_says_nothing(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows(office(200))
    here = site(**source(agency, fields=PLAIN))
    here.run()
    assert here.state.message_en == ""


@contextlib.contextmanager
def clock_of(offset: str, folder: Path) -> Iterator[int]:
    """A web server of its own process whose clock is off; gives its port."""
    if not FAKETIME.exists():
        pytest.skip("libfaketime is not installed (Debian package faketime)")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)],
        env={**os.environ, "LD_PRELOAD": str(FAKETIME), "FAKETIME": offset}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/a.json").close(), process, "http.server")
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(("offset", "said"), [
    ("+10m", "10 min ahead of ours"), ("-10m", "10 min behind ours"), ("+1d", "24 h ahead of ours"), ("+0", ""),
])
def test_d3_a_clock_that_is_off_is_said_and_rows_far_in_the_future_are_put_aside(
    site: Sites, tmp_path: Path, offset: str, said: str
) -> None:
    now = datetime.now(UTC)
    found = [request(n, masuk=(now - timedelta(hours=30 + n)).isoformat()) for n in range(30)]
    (tmp_path / "a.json").write_text(json.dumps({"data": [*found, request(99, masuk=(now + timedelta(days=1)).isoformat())]}))
    with clock_of(offset, tmp_path) as port:
        here = site(
            connector="rest", mode="snapshot", fields=FIELDS,
            options={"url": f"http://127.0.0.1:{port}/a.json", "records": "data"},
        )
        here.now = now
        assert here.run().outcome is Outcome.PARTIAL
    assert said in here.state.message_en
    assert ("clock" in here.state.message_en) is bool(said)
    assert here.cases == here.received == 30
    oracle(here).put_aside(1)
    oracle(here).clear_text()


@pytest.mark.parametrize("jump", [3600, -3600, 86_400, -86_400])
@pytest.mark.short("86400")
def test_d4_a_clock_that_is_set_neither_stops_the_schedule_nor_storms_the_source(tmp_path: Path, jump: int) -> None:
    if not FAKETIME.exists():
        pytest.skip("libfaketime is not installed (Debian package faketime)")
    told = tmp_path / "clock"
    told.write_text("+0")
    faked = {
        "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(told), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    }
    product, ledger = Product(tmp_path, extra=faked), Ledger()
    ledger.add(20)
    with served(ledger) as port:
        product.declare({
            "regency.toml": 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n',
            "agencies/uji.toml": f'name = {{ id = "Dinas Uji", en = "Test" }}\nshort_name = "Uji"\n\n[[sources]]\n'
                                 f'{DECLARATION.format(port=port)}',
        })
        process = product.start("schedule")
        try:
            _until(lambda: ledger.requests >= 3, product)
            told.write_text(f"{jump:+d}")
            before = ledger.requests
            time.sleep(4)
            storm = ledger.requests - before
            _until(lambda: ledger.requests >= before + storm + 3, product)
            told.write_text("+0")  # set right again
            settled = ledger.requests
            _until(lambda: ledger.requests >= settled + 3, product)
        finally:
            end(process)
    assert storm <= 15
    with Oracle.of(product, "ledger") as judged:
        judged.healed()
        judged.nothing_doubled(ledger.counts())
        judged.verified()


def _until(reached: Any, product: Product, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, product.output()
        time.sleep(0.1)


@pytest.mark.parametrize(("ended", "flagged"), [
    ("2026-11-01 08:00:00", True), ("2026-11-03 09:00:00", False), ("2036-11-03 09:00:00", None),
], ids=["before its submission", "at once", "after ten years"])
def test_d5_d6_an_impossible_duration_is_counted_in_totals_and_in_no_median(
    agency: Agency, site: Sites, ended: str, flagged: bool | None
) -> None:
    found = [request(n, masuk="2026-11-03 09:00:00", selesai="2026-11-03 11:00:00", status="SELESAI") for n in range(40)]
    agency.answers["/a"] = rows([*found, request(99, masuk="2026-11-03 09:00:00", selesai=ended, status="SELESAI")])
    here = site(**source(agency))
    outcome = here.run().outcome
    assert outcome is (Outcome.PARTIAL if flagged is None else Outcome.OK)  # an end in the future is put aside
    stored = 41 - (flagged is None)
    assert here.received == here.cases == stored
    marked = here.value(select(func.count()).where(case.c.flags.op("&")(int(Flags.ENDED_BEFORE_SUBMITTED)) != 0))
    assert marked == bool(flagged)
    told = figures(
        World(here.engine, here.regency).asked(NOW), metrics=("completed", "processing_time_median"), grain="month",
        since=datetime(2026, 11, 1, tzinfo=UTC).date(), time="elapsed",
    )
    by_metric = dict(zip(told["metric"], told["value"], strict=True))
    assert by_metric == {"completed": stored, "processing_time_median": 2.0}
    oracle(here).verified()


STRANGE = {  # what MariaDB holds → whether the end is known
    "2026-02-28 10:00:00": True, "0000-00-00 00:00:00": False, "9999-12-31 00:00:00": False, "1970-01-01 00:00:00": False,
}


@pytest.fixture(scope="module")
def maria() -> Iterator[MariaDB]:
    """One MariaDB for the module."""
    with mariadb() as server:
        yield server


def test_d7_sentinels_of_mysql_are_no_dates(maria: MariaDB, site: Sites) -> None:
    with contextlib.closing(maria.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS tanggal")
        cursor.execute("CREATE OR REPLACE TABLE tanggal.t (id INT, jenis TEXT, masuk DATETIME, selesai DATETIME, status TEXT)")
        for number, ended in enumerate(STRANGE):
            cursor.execute("INSERT INTO tanggal.t VALUES (%s, 'KTP', '2026-02-27 09:00:00', %s, 'SELESAI')", (number, ended))
        cursor.execute("CREATE USER IF NOT EXISTS baca@'%' IDENTIFIED BY 'rahasia'")
        cursor.execute("GRANT SELECT ON tanggal.* TO baca@'%'")
        connection.commit()
    here = site(
        connector="sql", fields=FIELDS, mode="snapshot",
        options={"url": f"mysql://baca@127.0.0.1:{maria.port}/tanggal", "secret": "kata", "query": "SELECT * FROM t"},
    )
    here.settings.secrets.mkdir(mode=0o700)
    secret = here.settings.secrets / "kata"
    secret.write_text("rahasia")
    secret.chmod(0o600)
    assert here.run().outcome.good, here.state.message_en
    assert [(row.field, row.reason) for row in here.put_aside] == []
    assert here.received == len(STRANGE)
    assert here.value(select(func.count()).where(case.c.ended_at.is_not(None))) == sum(STRANGE.values())
    oracle(here).verified()


@pytest.mark.parametrize(("masuk", "stamp"), [
    ("24:00", "2026-11-03 00:00"), ("29 Feb", None), ("13", None),
], ids=["24:00 is the next midnight", "29 February of no leap year", "a month 13: day and month in another order"])
def test_d7_a_stamp_is_read_in_the_declared_order_or_not_at_all(
    agency: Agency, site: Sites, masuk: str, stamp: str | None
) -> None:
    text = {"24:00": "02/11/2026 24:00", "29 Feb": "29/02/2026 08:00", "13": "11/13/2026 08:00"}[masuk]
    fields = {**FIELDS, "submitted_at": {"from": "masuk", "format": "%d/%m/%Y %H:%M"}}
    agency.answers["/a"] = rows([request(1, masuk="01/02/2026 08:00"), request(2, masuk=text)])
    here = site(**source(agency, fields=fields))
    here.run()
    with here.engine.connect() as connection:
        stamps = sorted(connection.execute(select(case.c.submitted_at)).scalars())
    expected = [wita("2026-02-01 08:00"), *([wita(stamp)] if stamp else [])]
    assert stamps == [int(at.timestamp()) for at in expected]
    oracle(here).put_aside(1 - bool(stamp))


@pytest.mark.parametrize(("text", "known"), [
    ("2026-11-20T09:00:00+07:00", True), ("2026-11-20T02:00:00Z", True), ("2026-11-20 10:00:00 WITA", False),
    ("2026-11-20T09:59:60+08:00", False),
])
def test_d8_offsets_of_another_host_are_honoured_and_what_is_no_declared_form_is_put_aside(
    agency: Agency, site: Sites, text: str, known: bool
) -> None:
    agency.answers["/a"] = rows([request(1, masuk=text)])
    here = site(**source(agency))
    here.run()
    assert here.cases == here.received == int(known)
    oracle(here).put_aside(1 - known)
    assert here.value(select(case.c.submitted_at)) == (int(wita("2026-11-20 10:00").timestamp()) if known else None)


@pytest.mark.parametrize(("before", "after", "grain"), [
    ("2026-11-23 23:59:58", "2026-11-24 00:00:00", "day"), ("2026-10-31 23:59:58", "2026-11-01 00:00:00", "month"),
    ("2025-12-31 23:59:58", "2026-01-01 00:00:00", "year"),
])
def test_d9_the_day_turns_at_midnight_wita_on_both_stores(engine: Engine, before: str, after: str, grain: str) -> None:
    world = World(engine)
    first, second = wita(before), wita(after)
    world.deliver("capil-source", [Told("a", first), Told("b", second), Told("c", second + timedelta(seconds=1))],
                  at=second + timedelta(hours=1), since=first - timedelta(days=40))
    told = figures(
        world.asked(second + timedelta(hours=2)), metrics=("received",), grain=grain,
        since=datetime.fromisoformat(before).date(), until=datetime.fromisoformat(after).date(), agency="capil",
    )
    assert told["value"].tolist() == [1, 2]


def test_a_run_knows_how_long_it_took_whatever_the_wall_clock_did(agency: Agency, site: Sites) -> None:
    agency.answers["/a"] = rows([request(1)])
    here = site(**source(agency))
    here.run()
    here.now -= timedelta(days=1)  # D4: our clock was set back
    assert here.run().outcome is Outcome.OK
    assert here.state.data_until == int(here.now.timestamp())
    assert here.value(select(func.count()).select_from(run)) == 2
