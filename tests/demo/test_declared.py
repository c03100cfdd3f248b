"""The declarations of the demo fit its agencies: every source is collected completely, and nobody's name with it."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from collectors.connector import CONNECTORS
from collectors.runner import RunResult, run_source
from config.declarations import DeclarationError, Regency
from config.loading import load
from config.settings import Settings
from dashboard.cases import Flags, Outcome
from dashboard.checking import check
from dashboard.demo.agency import SYSTEMS
from dashboard.demo.launch import Agencies, overlay
from dashboard.demo.people import NIK_PREFIX, PHONE_PREFIX, SURNAME
from dashboard.demo.places import DISTRICTS
from dashboard.store.engine import migrate, open_engine
from layouts.panels import names
from tests.demo.conftest import NOW, ledger

ROOT = Path(__file__).parents[2]
OPTIONS = {name: CONNECTORS[name].options for name in CONNECTORS}
AT = datetime.fromisoformat(NOW + "+08:00")


class Collected(NamedTuple):
    """The demo's declarations and store after every source was collected twice."""

    regency: Regency
    problems: list[DeclarationError]
    folder: Path
    first: dict[str, RunResult]
    again: dict[str, RunResult]


def parent(folder: Path) -> Path:
    """A regency of the test's own to extend: its kecamatan and the shipped screens, and nothing else."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "config" / "screens.toml", folder)
    (folder / "regency.toml").write_text('name = "Uji"\ncode = "73.22"\ntimezone = "Asia/Makassar"\n')
    (folder / "districts.toml").write_text("\n".join(
        f'["73.22.{district.code}"]\nname = "{district.name}"\nspellings = {list(district.spellings)}'
        for district in DISTRICTS
    ))
    return folder


@pytest.fixture(scope="module")
def collected(agencies: Agencies, tmp_path_factory: pytest.TempPathFactory) -> Collected:
    home = tmp_path_factory.mktemp("collected")
    declared = overlay(ROOT / "config" / "demo", agencies.addresses, home / "config")
    shipped = (ROOT / "config" / "demo" / "regency.toml").read_text("utf-8")  # with the metrics of its published figures
    (declared / "regency.toml").write_text(shipped.replace('extends = ".."', f'extends = "{parent(home / "parent")}"'))
    settings = Settings(
        config=declared, data=home / "var", drop=agencies.drop, secrets=agencies.secrets, DATABASE_URL=""
    )
    settings.data.mkdir()
    regency = load(declared)
    engine = open_engine(settings.url_of("figures"), "figures")
    migrate(engine, "figures")
    rounds = [
        {name: run_source(engine, regency, name, settings=settings, now=lambda: AT) for name in regency.sources}
        for _ in range(2)
    ]
    engine.dispose()
    return Collected(regency, check(declared, options_of=OPTIONS, panels=names()), settings.data, *rounds)


def column(collected: Collected, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(collected.folder / "figures.sqlite")) as connection:
        return list(connection.execute(statement))


@pytest.mark.long
def test_the_declarations_have_no_problem(collected: Collected) -> None:
    assert [str(problem) for problem in collected.problems] == []


@pytest.mark.skipif(not (ROOT / "config" / "regency.toml").exists(), reason="the shipped declarations are not here")
def test_the_declarations_fit_the_shipped_ones(agencies: Agencies, tmp_path: Path) -> None:
    regency = load(overlay(ROOT / "config" / "demo", agencies.addresses, tmp_path / "config"))
    assert regency.simulated
    assert set(regency.sources) == {
        "disdukcapil-permohonan", "dpmptsp-izin", "rsud-kunjungan", "dinkes-puskesmas", "dinkes-pegunungan",
        "dinsos-register", "lapor", "dishub-layanan",
        "disnakertrans-pencaker", "dpmd-surat", "dputrkp2-laporan", "rsud-farmasi", "rsud-antrean-bpjs", "satudata-sampah",
        "mpp-antrean", "mpp-loket", "darurat-112",
        "satudata-angka",
    }


def test_every_source_is_read_to_its_end_and_no_row_is_put_aside(collected: Collected) -> None:
    assert {result.outcome for result in collected.first.values()} == {Outcome.OK}
    assert {result.rows_rejected for result in collected.first.values()} == {0}


def test_what_is_stored_is_what_the_agencies_hold(collected: Collected, agencies: Agencies) -> None:
    stored = column(collected, """
        SELECT sum(ended_as IS NULL), sum(ended_as = 'completed'), sum(ended_as = 'cancelled'), count(*) FROM "case"
    """)
    ledgers = [ledger(agencies, name) for name, system in SYSTEMS.items() if not system.history]
    told = ("backlog", "completed", "cancelled", "received")
    assert stored == [tuple(sum(said[key] for said in ledgers) for key in told)]


def test_collecting_again_changes_nothing(collected: Collected) -> None:
    moved = {(result.rows_new, result.rows_changed, result.rows_deleted) for result in collected.again.values()}
    assert moved == {(0, 0, 0)}


def test_every_code_of_every_agency_is_mapped(collected: Collected) -> None:
    flags = Counter(Flags(int(str(value))) for (value,) in column(collected, 'SELECT flags FROM "case"'))
    assert set(flags) == {Flags.NONE, Flags.DISTRICT_OUTSIDE}


def test_every_service_that_is_seen_is_declared_with_a_standard(collected: Collected) -> None:
    seen = {(str(agency), str(service)) for agency, service in column(
        collected, 'SELECT DISTINCT d.agency, d.service FROM "case" c JOIN dimension d ON d.id = c.dim'
    )}
    services = {(slug, key) for slug, agency in collected.regency.agencies.items()
                for key, service in agency.services.items() if service.standards}
    assert seen - services == set()
    assert len(seen) > 40


def test_one_complaints_system_feeds_several_agencies(collected: Collected) -> None:
    fed = column(collected, """
        SELECT DISTINCT d.agency FROM "case" c JOIN dimension d ON d.id = c.dim WHERE c.source = 'lapor'
    """)
    assert len(fed) >= 7


def test_visits_are_stored_with_the_instant_of_their_call(collected: Collected) -> None:
    called = column(collected, """
        SELECT source, count(accepted_at) > 1000 FROM "case" WHERE source IN ('rsud-kunjungan', 'dinkes-puskesmas')
        GROUP BY source ORDER BY source
    """)
    assert called == [("dinkes-puskesmas", 1), ("rsud-kunjungan", 1)]


def test_no_name_no_nik_and_no_telephone_has_reached_the_disk(collected: Collected) -> None:
    files = [path for path in collected.folder.rglob("*") if path.is_file()]
    found = [(path.name, word) for path in files for word in (NIK_PREFIX, SURNAME, PHONE_PREFIX)
             if word.encode() in path.read_bytes()]
    assert files
    assert found == []
