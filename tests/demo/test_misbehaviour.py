"""Each way of misbehaving, with real processes: what the wall says of it, what it may not harm, and that it heals.

The agencies' clock stands still (but for the late burst), ours moves a minute with every run. Last good figures stay (I3),
nothing is lost or doubled once it is over (I1, I2), other sources go on (I6), and two runs heal it (I7).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from collectors.runner import RunResult, run_source
from config.declarations import Regency
from config.loading import load
from config.settings import Settings
from dashboard.__main__ import app
from dashboard.cases import Outcome
from dashboard.clock import epoch, utc
from dashboard.demo.launch import Agencies, overlay
from dashboard.demo.misbehaviour import KINDS, Switch, listed
from dashboard.queries.answers import Context, State
from dashboard.queries.ecosystem import Unit, ecosystem
from dashboard.store.engine import migrate, open_engine
from dashboard.store.tables import case
from dashboard.words import Say
from layouts.components.unit_tile import problem_words
from tests.demo.conftest import NOW, ledger, registrations

ROOT = Path(__file__).parents[2]
AT = datetime.fromisoformat(NOW + "+08:00")
DAYS = 8
SOURCE = {
    "offline": "dishub-layanan", "slow": "disnakertrans-pencaker", "login-page": "lapor", "renamed-field": "dpmptsp-izin",
    "shrunk": "dinsos-register", "rotated": "rsud-kunjungan", "wrong-zone": "dputrkp2-laporan", "future-row": "dpmd-surat",
    "late-burst": "disdukcapil-permohonan", "duplicate-pages": "satudata-sampah", "half-copied": "dinkes-puskesmas",
}
QUIET = ("rsud-farmasi", "rsud-antrean-bpjs", "dinkes-pegunungan")
"""Sources of systems that behave whatever is switched on."""
STANDING = ("offline", "slow", "login-page", "renamed-field", "shrunk", "rotated", "duplicate-pages", "half-copied")
TOLD = {
    "offline": (Outcome.UNAVAILABLE, "tidak menjawab utuh"), "slow": (Outcome.UNAVAILABLE, "tidak menjawab utuh"),
    "login-page": (Outcome.CHANGED, "bukan data"), "renamed-field": (Outcome.HELD, "ditahan: isian hilang"),
    "shrunk": (Outcome.HELD, "ditahan: jumlah turun"), "rotated": (Outcome.REJECTED, "kredensial ditolak"),
    "duplicate-pages": (Outcome.UNAVAILABLE, "tidak menjawab utuh"), "half-copied": (Outcome.UNAVAILABLE, "tidak menjawab utuh"),
}


HASTE = (
    ("agencies/disnakertrans.toml", "timeout = 8.0", "timeout = 0.4"),
    ("agencies/disnakertrans.toml", 'deadline = "40 seconds"', 'deadline = "3 seconds"'),
    ("sources/satudata.toml", "size = 500", "size = 25"),  # eight days fill several pages
)


@dataclass
class House:
    """The product's side: a store, the demo's declarations, a clock of its own."""

    agencies: Agencies
    engine: Engine
    regency: Regency
    settings: Settings
    now: Callable[[], datetime] | None = None
    minutes: int = 0
    results: dict[str, RunResult] = field(default_factory=dict)

    def moment(self) -> datetime:
        return self.now() if self.now else AT + timedelta(minutes=self.minutes)

    def collect(self, source: str, *, reconcile: bool = False) -> RunResult:
        """One run, a minute after the one before."""
        self.minutes += 1
        self.results[source] = run_source(
            self.engine, self.regency, source, settings=self.settings, now=self.moment, reconcile=reconcile
        )
        return self.results[source]

    def until(self, source: str, good: Callable[[RunResult], bool], tries: int = 8) -> RunResult:
        """Runs until one is as wanted: files and databases follow the switch within a second or two."""
        for _ in range(tries):
            result = self.collect(source)
            if good(result):
                return result
            time.sleep(0.5)
        return result

    def stored(self, source: str) -> Counter[str]:
        """What is stored of a source: cases by how they ended."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(case.c.ended_as, func.count()).where(case.c.source == source, case.c.deleted_at.is_(None))
                .group_by(case.c.ended_as)
            )
            return Counter({ended or "open": count for ended, count in rows})

    def unit(self, source: str) -> Unit:
        """The tile of a source's owner."""
        answer = ecosystem(Context(self.engine, self.regency, self.moment()))
        return next(one for one in answer.units if one.agency == self.regency.sources[source].owner)

    def words(self, source: str) -> str:
        """What the tile says is wrong with a source."""
        day = next(day for day in self.unit(source).sources if day.age.source == source)
        return problem_words(day.problem, Say(self.regency))


def house_of(
    agencies: Agencies, home: Path, sources: tuple[str, ...] = (), now: Callable[[], datetime] | None = None
) -> House:
    declared = overlay(ROOT / "config" / "demo", agencies.addresses, home / "config")
    for place, old, new in HASTE:
        (declared / place).write_text((declared / place).read_text().replace(old, new))
    settings = Settings(config=declared, data=home / "var", drop=agencies.drop, secrets=agencies.secrets, DATABASE_URL="")
    settings.data.mkdir()
    regency = load(declared)
    engine = open_engine(settings.url_of("figures"), "figures")
    migrate(engine, "figures")
    house = House(agencies, engine, regency, settings, now)
    for source in sources or regency.sources:
        house.collect(source)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("misbehaving")
    options = ("--now", NOW, "--speed", "0")
    with Agencies(home / "agencies", home / "drop", home / "secrets", days=DAYS, options=options) as agencies:
        made = house_of(agencies, home)
        assert {result.outcome.good for result in made.results.values()} == {True}
        yield made
        made.engine.dispose()


@pytest.fixture(autouse=True)
def _everybody_behaves_again(house: House) -> Iterator[None]:
    yield
    house.agencies.switch.write(())


def test_every_kind_has_a_source_that_it_strikes() -> None:
    assert set(SOURCE) == set(KINDS)
    assert len({kind.system for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", STANDING)
def test_a_misbehaving_source_is_told_apart_keeps_its_last_good_figures_and_heals(house: House, kind: str) -> None:
    """A6, A8, B1, B14, B4, A22, C1, B25."""
    source, (outcome, words) = SOURCE[kind], TOLD[kind]
    before = house.stored(source)
    house.agencies.switch.write([kind])
    result = house.until(source, lambda one: not one.outcome.good)
    assert (result.outcome, house.words(source)) == (outcome, words)
    assert house.stored(source) == before
    assert house.collect(QUIET[0]).outcome.good
    house.agencies.switch.write(())
    assert house.until(source, lambda one: one.outcome.good).outcome.good
    assert house.words(source) == ""
    assert house.stored(source) == before


def test_a_service_that_stays_away_is_offline_past_its_limit_and_back_after_two_good_runs(house: House) -> None:
    """A21."""
    source = SOURCE["offline"]
    house.agencies.switch.write(["offline"])
    for _ in range(5):
        house.collect(source)
    assert house.unit(source).state is State.OFFLINE
    house.agencies.switch.write(())
    house.collect(source)
    house.collect(source)
    assert house.unit(source).state is State.NORMAL


def test_a_row_of_the_day_after_tomorrow_is_put_aside_and_the_others_are_loaded(house: House) -> None:
    """C13."""
    source = SOURCE["future-row"]
    before = house.stored(source)
    house.agencies.switch.write(["future-row"])
    result = house.until(source, lambda one: one.outcome is Outcome.PARTIAL)
    assert (result.rows_rejected, house.words(source)) == (1, "1 baris disisihkan")
    assert house.stored(source) == before
    house.agencies.switch.write(())
    assert house.until(source, lambda one: one.rows_rejected == 0).outcome.good
    assert house.stored(source) == before


def test_stamps_in_a_wrong_zone_leave_no_trace_once_the_source_was_read_whole_again(house: House) -> None:
    """D2: what was told eight hours late is corrected by the next reconcile, whatever was made of it."""
    source = SOURCE["wrong-zone"]

    def times() -> list[tuple[int, int | None]]:
        with house.engine.connect() as connection:
            rows = connection.execute(
                select(case.c.submitted_at, case.c.ended_at).where(case.c.source == source).order_by(case.c.id)
            )
            return [(submitted, ended) for submitted, ended in rows]

    before = times()
    house.agencies.switch.write(["wrong-zone"])
    house.collect(source)
    house.agencies.switch.write(())
    assert house.collect(source, reconcile=True).outcome.good
    assert times() == before


def test_while_all_of_them_misbehave_the_others_go_on(house: House) -> None:
    """I6."""
    house.agencies.switch.write(KINDS)
    time.sleep(1.5)
    for source in SOURCE.values():
        house.collect(source)
    assert {house.collect(source).outcome.good for source in QUIET} == {True}
    answer = ecosystem(Context(house.engine, house.regency, house.moment()))
    assert len([one for one in answer.units if any(day.problem for day in one.sources)]) >= 8
    house.agencies.switch.write(())
    healed = {source: house.until(source, lambda one: one.outcome.good).outcome.good for source in SOURCE.values()}
    assert set(healed.values()) == {True}


def test_what_was_kept_back_for_hours_arrives_whole_and_counts_at_its_own_time(tmp_path: Path) -> None:
    """C6: a burst of rows with old stamps."""
    source, options = SOURCE["late-burst"], ("--now", "2026-11-24T08:30:00", "--speed", "600")
    home = ("agencies", "drop", "secrets")
    with Agencies(*(tmp_path / name for name in home), days=3, only=("disdukcapil",), options=options) as agencies:
        house = house_of(agencies, tmp_path, (source,), lambda: utc(float(ledger(agencies, "disdukcapil")["now"])))
        agencies.switch.write(["late-burst"])
        ledger(agencies, "disdukcapil")
        known, begun = len(registrations(agencies)), epoch(house.moment())
        house.collect(source)
        time.sleep(3.5)  # half an hour of theirs
        house.collect(source)
        assert sum(house.stored(source).values()) <= known
        assert house.unit(source).sources[0].age.why == "silent"
        kept_until = epoch(house.moment())
        agencies.switch.write(())
        ledger(agencies, "disdukcapil")
        arrived = len(registrations(agencies))
        house.collect(source)
        assert sum(house.stored(source).values()) >= arrived > known
        with house.engine.connect() as connection:
            within = connection.execute(
                select(func.count()).where(case.c.source == source, case.c.submitted_at.between(begun, kept_until))
            ).scalar_one()
        house.engine.dispose()
    assert within > 0


def test_the_switch_is_a_file_that_can_be_turned_while_all_runs(tmp_path: Path) -> None:
    switch = Switch(tmp_path / "misbehave")
    assert switch.kind_of("dishub") == ""
    switch.write(["offline", "slow"])
    assert (switch.kind_of("dishub"), switch.kind_of("disnakertrans"), switch.kind_of("rsud")) == ("offline", "slow", "")
    (tmp_path / "misbehave").unlink()
    assert switch.kind_of("dishub") == ""


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    assert listed("all") == tuple(KINDS)
    assert listed("none") == ()
    with pytest.raises(ValueError, match="half-copied"):
        listed("lazy")
    with pytest.raises(ValueError, match="not a way"):
        Switch(tmp_path / "misbehave").write(["lazy"])


def test_the_command_turns_the_switch_of_a_running_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMAND_CENTER_DATA", str(tmp_path))
    (tmp_path / "demo" / "agencies").mkdir(parents=True)
    done = CliRunner().invoke(app, ["misbehave", "slow,rotated"])
    assert done.exit_code == 0
    assert [line.split()[1] for line in done.output.splitlines() if line.startswith("*")] == ["slow", "rotated"]
    assert Switch(tmp_path / "demo" / "agencies" / "misbehave").read() == {"slow", "rotated"}
    assert CliRunner().invoke(app, ["misbehave", "none"]).exit_code == 0
    assert Switch(tmp_path / "demo" / "agencies" / "misbehave").read() == frozenset()
