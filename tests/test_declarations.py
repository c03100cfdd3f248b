"""Declarations: what a folder needs, what it inherits, and that every error names its file and key."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel

from collectors.connector import CONNECTORS
from collectors.runner import run_source
from config.declarations import CalendarRules, DeclarationError, Standard, StandardUnit
from config.loading import load, problems
from config.settings import SHIPPED
from dashboard.checking import check
from layouts.panels import names

SMALL = Path(__file__).parent / "config" / "small"
EXAMPLES = sorted(folder for folder in (SHIPPED / "examples").iterdir() if folder.is_dir())
REGENCY = 'name = "Uji"\ntimezone = "Asia/Makassar"\nlocale = "id_ID"\n'
AGENCY = 'name = { id = "Dinas", en = "Office" }\nshort_name = "D"\n'
SOURCE = """
[[sources]]
id = "satu"
connector = "tabular"
timezone = "Asia/Makassar"
options = { path = "a.csv" }
fields = { case_id = "id", submitted_at = "masuk" }
"""
assert run_source  # importing it registers the connectors


def options() -> dict[str, type[BaseModel]]:
    return {kind: CONNECTORS[kind].options for kind in CONNECTORS}


def folder(root: Path, **files: str) -> Path:
    """A least folder with some files put in: ``agencies__dinas="…"`` is agencies/dinas.toml."""
    for name, text in {"regency": REGENCY, "agencies__dinas": AGENCY, **files}.items():
        path = root / (name.replace("__", "/") + ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def found(root: Path) -> list[tuple[str, str]]:
    """(file below the folder, key) of every error of ``check``."""
    errors = check(root, options_of=options(), panels=names())
    return [(str(Path(error.file).relative_to(root)), error.key) for error in errors]


def test_a_folder_needs_only_a_regency_and_one_agency(tmp_path: Path) -> None:
    regency = load(folder(tmp_path))
    assert list(regency.agencies) == ["dinas"]
    assert regency.agencies["dinas"].calendar == "office"
    assert regency.screens["west"].scenes == (
        "today", "agencies", "complaints", "districts", "mall", "emergency", "ecosystem"
    )
    assert regency.words["id"]["metrics"]["received"] == "masuk"
    assert check(tmp_path, options_of=options(), panels=()) == []


@pytest.mark.parametrize("shipped", [SHIPPED, SHIPPED / "demo", SMALL, *EXAMPLES], ids=lambda folder: folder.name)
def test_what_is_shipped_passes_check(shipped: Path) -> None:
    assert [str(error) for error in check(shipped, options_of=options(), panels=names())] == []


def test_the_shipped_folder_declares_the_real_regency_and_connects_nobody() -> None:
    regency = load(SHIPPED)
    assert regency.sources == {}
    assert len(regency.districts) == 15
    assert sum(slug.startswith("kec-") for slug in regency.agencies) == 15
    assert {agency.id for agency in regency.agencies.values() if agency.reports_to is None} == {"bupati"}


def test_a_folder_inherits_what_it_extends_and_its_own_lies_above(tmp_path: Path) -> None:
    child = folder(
        tmp_path / "child", regency=f'extends = "{SMALL}"\nsimulated = true\n',
        agencies__sipil='short_name = "Lain"\n' + SOURCE.replace('"satu"', '"sipil-permohonan"'),
        words__id='[metrics]\nreceived = "diterima"\n',
    )
    regency = load(child)
    assert regency.name == "Kabupaten Kecil"
    assert regency.simulated
    assert regency.agencies["sipil"].short_name == "Lain"
    assert regency.agencies["sipil"].headline == "ktp"
    assert regency.sources["sipil-permohonan"].options == {"path": "a.csv"}
    assert regency.words["id"]["metrics"]["received"] == "diterima"
    assert regency.words["id"]["metrics"]["completed"] == "selesai"
    assert "room" in regency.screens


def test_sources_belong_to_the_agency_of_their_file_or_to_a_named_owner() -> None:
    regency = load(SMALL)
    assert {source.id: source.owner for source in regency.sources.values()} == {
        "sipil-permohonan": "sipil", "lapor": "pengaduan",
    }
    assert regency.agencies["sipil"].sources == ()


def test_a_calendar_takes_from_the_one_it_is_like_what_it_does_not_say() -> None:
    calendars = load(SMALL).calendars
    assert calendars["registration"].hours == calendars["office"].hours
    assert calendars["registration"].open_on_cuti_bersama
    assert not calendars["office"].open_on_cuti_bersama


@pytest.mark.parametrize(("files", "file", "key"), [
    ({"regency": 'name = "Uji"\n'}, "regency.toml", "timezone"),
    ({"regency": REGENCY.replace("Makassar", "Atlantis")}, "regency.toml", "timezone"),
    ({"regency": REGENCY + "colour = 1\n"}, "regency.toml", "colour"),
    ({"regency": REGENCY + "[agencies.x]\n"}, "regency.toml", "agencies"),
    ({"regency": "name = \n"}, "regency.toml", ""),
    ({"agencies__dinas": AGENCY + "colour = 1\n"}, "agencies/dinas.toml", "colour"),
    ({"agencies__dinas": AGENCY + 'sources = "x"\n'}, "agencies/dinas.toml", "sources"),
    ({"agencies__dinas": AGENCY + 'calendar = "none"\n'}, "agencies/dinas.toml", "calendar"),
    ({"agencies__dinas": AGENCY + 'headline = "none"\n'}, "agencies/dinas.toml", "headline"),
    ({"agencies__dinas": AGENCY + 'reports_to = "none"\n'}, "agencies/dinas.toml", "reports_to"),
    ({"agencies__dinas": AGENCY + 'reports_to = "dinas"\n'}, "agencies/dinas.toml", "reports_to"),
    ({"agencies__Dinas_Satu": AGENCY}, "agencies/Dinas_Satu.toml", ""),
    (
        {"agencies__dinas": AGENCY + '[services.a]\nname = { id = "A", en = "A" }\n'
         'standards = [{ from = 2026-01-01, promise = "2 fortnights", basis = "" }]\n'},
        "agencies/dinas.toml", "services.a.standards.0.promise",
    ),
    (
        {"agencies__dinas": AGENCY + '[services.a]\nname = { id = "A", en = "A" }\n'
         'standards = [{ from = 2026-01-01, promise = "2.5 working days", basis = "" }]\n'},
        "agencies/dinas.toml", "services.a.standards.0.promise",
    ),
    (
        {"agencies__dinas": AGENCY + '[services.a]\nname = { id = "A", en = "A" }\n'
         'standards = [{ from = 2026-01-01, promise = "1 hour", basis = "" },'
         ' { from = 2026-01-01, promise = "2 hours", basis = "" }]\n'},
        "agencies/dinas.toml", "services.a.standards",
    ),
    ({"calendars": '[x]\nhours.monday = [["07:30", "12:00"]]\n'}, "calendars.toml", "x.hours.monday"),
    ({"calendars": '[x]\nhours.mon = [["12:00", "07:30"]]\n'}, "calendars.toml", "x.hours"),
    ({"calendars": '[x]\nhours.mon = [["07:30", "25:00"]]\n'}, "calendars.toml", "x.hours"),
    ({"calendars": "[x]\n"}, "calendars.toml", "x"),
    ({"calendars": '[x]\nlike = "y"\n[y]\nlike = "x"\n'}, "calendars.toml", "x.like"),
    ({"screens": "[scenery]\n"}, "screens.toml", "scenery"),
    (
        {"screens": '[scenes.s]\nname = { id = "S", en = "S" }\npanels = [{ panel = "none", area = "a" }]\n'},
        "screens.toml", "scenes.s.panels.0.panel",
    ),
    ({"screens": '[screens.s]\nname = "S"\nscenes = ["none"]\n'}, "screens.toml", "screens.s.scenes.0"),
    ({"sources__s": 'owner = "dinas"\n'}, "sources/s.toml", "owner"),
    ({"sources__s": SOURCE}, "sources/s.toml", "sources.0.owner"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_an_error_names_file_and_key(tmp_path: Path, files: dict[str, str], file: str, key: str) -> None:
    assert (file, key) in found(folder(tmp_path, **files))


@pytest.mark.parametrize(("before", "after", "key"), [
    ('"tabular"', '"telepathy"', "connector"),
    ('path = "a.csv"', 'path = "a.csv", colour = 1', "options.colour"),
    ("Makassar", "Atlantis", "timezone"),
    ('"satu"', '"Satu!"', "id"),
    ('submitted_at = "masuk"', 'district = "desa"', "fields.submitted_at"),
    ('"masuk" }', '"masuk", colour = "x" }', ""),
    ('"masuk" }', '"masuk", status = { from = "s", map = { A = "done" } } }', "fields.status"),
    ('"masuk" }', '"masuk", status = { from = "s", otherwise = "discover" } }', "fields.status"),
    ('"masuk" }', '"masuk", channel = { from = "s", map = { A = "pigeon" } } }', "fields.channel"),
    ('"masuk" }', '"masuk", closed_by = { from = "s", map = { A = "magic" } } }', "fields.closed_by"),
    ('"masuk" }', '"masuk", service = { from = "s", map = { A = "none" }, otherwise = "lain" } }', "fields.service"),
    ('"masuk" }', '"masuk", service = { from = "s", map = { A = "none" } } }', "fields.service"),
    ('"masuk" }', '"masuk", agency = { from = "s", map = { A = "none" }, otherwise = "discover" } }', "fields.agency"),
    ('"masuk" }', '"masuk", district = { from = "desa", level = "village" } }', "fields.district.level"),
    ('"masuk" }', '"masuk", ended_at = { after = "accepted_at", minutes = "m" } }', "fields.ended_at.after"),
    ('"masuk" }', '"masuk", ended_at = { after = "submitted_at" } }', "fields.ended_at"),
    ('"masuk" }', '"masuk", ended_at = { format = "iso" } }', "fields.ended_at"),
    ('"masuk" }', '"masuk", status = { from = "s", fallback = ["t"] } }', "fields.status.fallback"),
    ('"masuk" }', '"masuk", ended_at = { after = "submitted_at", minutes = "m", fallback = ["t"] } }', "fields.ended_at.fallback"),
    ("options", "where = { aktif = 1 }\noptions", "where.aktif"),
    ("options", 'every = "2 hours"\nstale_after = "1 hour"\noptions', "stale_after"),
    ("options", 'every = "soon"\noptions', "every"),
    ("options", 'network = ["home"]\noptions', "network"),
])
def test_an_error_of_a_source_names_its_key(tmp_path: Path, before: str, after: str, key: str) -> None:
    wrong = SOURCE.replace(before, after, 1)
    root = folder(tmp_path, agencies__dinas=AGENCY + wrong)
    assert ("agencies/dinas.toml", f"sources.0.{key}".rstrip(".")) in found(root)


def test_a_source_id_is_unique_in_its_folder(tmp_path: Path) -> None:
    root = folder(tmp_path, agencies__dinas=AGENCY + SOURCE, agencies__lain=AGENCY + SOURCE)
    assert found(root) == [("agencies/lain.toml", "sources.0.id")]


def test_all_errors_come_at_once_in_both_languages(tmp_path: Path) -> None:
    root = folder(tmp_path, agencies__dinas="colour = 1\n", calendars="[x]\n")
    _, errors = problems(root)
    assert [error.key for error in errors] == ["name", "short_name", "colour", "x"]
    assert errors[0].message_id == "wajib ada"
    with pytest.raises(DeclarationError, match=r"dinas\.toml: name: is required"):
        load(root)


def test_a_folder_without_a_regency_or_without_an_agency_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"needs regency\.toml"):
        load(tmp_path)
    (tmp_path / "regency.toml").write_text(REGENCY)
    with pytest.raises(DeclarationError, match="at least one agency"):
        load(tmp_path)


def test_extends_that_goes_in_a_circle_is_refused(tmp_path: Path) -> None:
    folder(tmp_path / "a", regency='extends = "../b"\n')
    folder(tmp_path / "b", regency='extends = "../a"\n')
    with pytest.raises(DeclarationError, match="circle"):
        load(tmp_path / "a")


def test_a_secret_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    wrong = SOURCE.replace('"tabular"', '"rest"').replace(
        'path = "a.csv"', 'url = "http://contoh.go.id/a", auth = { kind = "bearer", secret = "kunci" }'
    )
    root = folder(tmp_path, agencies__dinas=AGENCY + wrong)
    errors = check(root, options_of=options(), panels=names(), secret_of=lambda name: None)
    assert [(error.key, error.warning) for error in errors] == [("sources.0.options.auth.secret", True)]
    assert check(root, options_of=options(), panels=names(), secret_of=lambda name: "x") == []


def test_words_of_one_language_only_are_an_error(tmp_path: Path) -> None:
    root = folder(tmp_path, words__id='[metrics]\npbb = "PBB"\n')
    assert [str(error) for error in check(root, options_of=options(), panels=())] == [
        "words/en.toml: metrics.pbb: these words are missing"
    ]


@pytest.mark.parametrize(("file", "before", "after", "changes"), [
    ("agencies/sipil.toml", "4 working hours", "3 working hours", True),
    ("agencies/sipil.toml", 'KTP = "ktp"', 'KTP2 = "ktp"', True),
    ("agencies/sipil.toml", 'calendar = "registration"', 'calendar = "office"', True),
    ("agencies/rsud.toml", 'calendar = "always"', 'calendar = "office"', True),
    ("districts.toml", "BONEBONE", "BONE", True),
    ("regency.toml", "Makassar", "Jakarta", True),
    ("agencies/sipil.toml", "KTP elektronik", "KTP-el", False),
    ("agencies/sipil.toml", "SK uji 1", "SK 100/2026", False),
    ("agencies/sipil.toml", "sipil.csv", "baru.csv", False),
    ("screens.toml", "Ruang", "Aula", False),
])
def test_the_hash_changes_with_what_derives_stored_figures_and_with_nothing_else(
    tmp_path: Path, file: str, before: str, after: str, changes: bool
) -> None:
    shutil.copytree(SMALL, tmp_path / "small")
    changed = tmp_path / "small" / file
    text = changed.read_text(encoding="utf-8")
    assert before in text
    changed.write_text(text.replace(before, after), encoding="utf-8")
    assert (load(tmp_path / "small").hash != load(SMALL).hash) is changes


def test_a_promise_has_an_amount_and_a_unit() -> None:
    standard = Standard.model_validate({"from": date(2026, 1, 1), "promise": "1.5 working hours", "basis": "SK"})
    assert (standard.amount, standard.unit) == (1.5, StandardUnit.WORKING_HOURS)


def test_the_standard_in_force_on_the_day_of_submission_holds() -> None:
    service = load(SMALL).agencies["sipil"].services["ktp"]
    standards = [service.standard_on(day) for day in (date(2025, 12, 31), date(2026, 6, 30), date(2026, 7, 1))]
    assert [standard and standard.promise for standard in standards] == [None, "1 working day", "4 working hours"]


def test_a_ramadan_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="not a month of fasting"):
        CalendarRules.model_validate({"always": True, "ramadan": [[date(2026, 2, 19), date(2026, 2, 25)]]})
