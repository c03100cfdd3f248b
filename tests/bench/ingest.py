"""Ingest: 100,000 rows in order of time through real loopback HTTP into a SQLite store by ``run_source``, first load and again
with a tenth changed; against a raw ``sqlite3`` upsert of the very tuples that the store then holds.
"""

from __future__ import annotations

import cProfile
import pstats
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from collectors.runner import RunResult, run_source
from config.declarations import Regency
from config.loading import load
from config.settings import Settings
from dashboard.cases import Outcome
from dashboard.store.engine import migrate, open_engine
from dashboard.store.read import INSERTED
from dashboard.store.staging import PAGE
from dashboard.store.tables import case
from dashboard.store.verify import verify
from tests.bench.lines import Line, Options, at_least, at_most, median, number, told
from tests.bench.processes import ROOT, heard, python

ROWS = 100_000
ROUNDS = 3
PAGE_OF_SOURCE = 1_000
SOURCE = """
[[sources]]
id = "bench"
owner = "disdukcapil"
connector = "rest"
timezone = "UTC"
network = ["127.0.0.1/32"]
mode = "snapshot"
deadline = "10 minutes"
[sources.options]
url = "http://127.0.0.1:{port}/permohonan"
records = "data"
total = "total"
pages = {{ kind = "page", param = "page", size_param = "per_page", size = {size} }}
[sources.fields]
case_id = "nomor"
submitted_at = {{ from = "masuk", format = "iso" }}
ended_at = {{ from = "selesai", format = "iso" }}
updated_at = {{ from = "diubah", format = "iso" }}
district = {{ from = "kecamatan", level = "district" }}
status = {{ from = "status", map = {{ Proses = "open", Selesai = "completed", Batal = "cancelled" }} }}
channel = {{ from = "kanal", map = {{ Loket = "counter", Online = "online", WhatsApp = "message", Telepon = "phone" }} }}
[sources.fields.service]
from = "layanan"
[sources.fields.service.map]
KTP = "ktp-el"
KK = "kk"
"Akta Kelahiran" = "akta-kelahiran"
"Akta Kematian" = "akta-kematian"
KIA = "kia"
Pindah = "surat-pindah"
"""


class Seconds(NamedTuple):
    """Seconds by the clock, and of this process's CPU: on a busy machine the second says more."""

    clock: float
    cpu: float


class Collected:
    """One fresh store, loaded once and then again; seconds of both (by the clock, of CPU), and the case tuples after each."""

    def __init__(self, folder: Path, regency: Regency, agency: subprocess.Popen[str], log: Path, profile: bool) -> None:
        self.folder, self.regency, self.agency, self.log = folder, regency, agency, log
        self.engine = open_engine(f"sqlite:///{folder / 'figures.sqlite'}")
        migrate(self.engine)
        self.profile = profile
        self.first, self.first_tuples = self._collect(0)
        self.again, self.again_tuples = self._collect(1)
        differences = verify(self.engine, regency)
        if differences:
            raise RuntimeError(f"the store is not right: {differences[:3]}")
        self.engine.dispose()

    def _collect(self, state: int) -> tuple[Seconds, list[tuple[Any, ...]]]:
        assert self.agency.stdin is not None
        self.agency.stdin.write(f"{state}\n")
        self.agency.stdin.flush()
        heard(self.agency, "turned", self.log)
        settings = Settings(data=self.folder, drop=self.folder / "drop", secrets=self.folder / "secrets")
        profiler = cProfile.Profile() if self.profile else None
        began, worked = time.perf_counter(), time.process_time()
        if profiler:
            profiler.enable()
        result = run_source(self.engine, self.regency, "bench", settings=settings)
        if profiler:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
            pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)
        took = Seconds(time.perf_counter() - began, time.process_time() - worked)
        _right(result, state)
        with self.engine.connect() as connection:
            rows = connection.execute(select(*(case.c[name] for name in INSERTED)).order_by(case.c.id))
            return took, [tuple(row) for row in rows]


def _right(result: RunResult, state: int) -> None:
    if result.outcome is not Outcome.OK or (state and (result.rows_new or result.rows_changed != result.rows_read // 10)):
        raise RuntimeError(f"the run was not right: {result}")


def raw(folder: Path, loads: list[list[tuple[Any, ...]]]) -> list[float]:
    """Seconds of plain upserts in pages of 5,000, each page a commit: all tuples, then all of them as they are later.

    One table with the columns of the product's and its unique key; no other index, no cells, nothing is compared.
    """
    file = folder / "raw.sqlite"
    for old in folder.glob("raw.sqlite*"):
        old.unlink()
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    names = [f'"{name}"' for name in INSERTED]
    connection.execute(f"CREATE TABLE raw (id INTEGER PRIMARY KEY, {', '.join(names)}, UNIQUE (source, generation, key))")
    sets = ", ".join(f"{name} = excluded.{name}" for name in names[3:])
    statement = (
        f"INSERT INTO raw ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT (source, generation, key) DO UPDATE SET {sets}"
    )
    took = []
    for tuples in loads:
        began = time.perf_counter()
        for start in range(0, len(tuples), PAGE):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, tuples[start : start + PAGE])
            connection.execute("COMMIT")
        took.append(time.perf_counter() - began)
    connection.close()
    return took


def measure(options: Options, *, profile: bool = False) -> list[Line]:
    """First load and collected again, product and raw in turn, three rounds of each."""
    count, rounds = (5_000, 1) if options.quick else (ROWS, 1 if profile else ROUNDS)
    firsts: list[Seconds] = []
    agains: list[Seconds] = []
    raws: list[list[float]] = []
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as name:
        folder = Path(name)
        log = folder / "agency.log"
        with python("tests.bench.agency", str(count), str(PAGE_OF_SOURCE), log=log) as agency:
            port = heard(agency, "port", log)
            regency = _declared(folder / "config", port)
            for turn in range(rounds):
                one = Collected(folder / str(turn), regency, agency, log, profile)
                firsts.append(one.first)
                agains.append(one.again)
                raws.append(raw(folder, [one.first_tuples, one.again_tuples]))
    return _lines(count, rounds, firsts, agains, raws)


def _declared(folder: Path, port: str) -> Regency:
    (folder / "sources").mkdir(parents=True)
    (folder / "regency.toml").write_text(f'extends = "{ROOT / "config" / "demo"}"\n', encoding="utf-8")
    (folder / "sources" / "bench.toml").write_text(SOURCE.format(port=port, size=PAGE_OF_SOURCE), encoding="utf-8")
    return load(folder)


def _lines(count: int, rounds: int, firsts: list[Seconds], agains: list[Seconds], raws: list[list[float]]) -> list[Line]:
    first, again = median(one.clock for one in firsts), median(one.clock for one in agains)
    raw_first, raw_again = median(one[0] for one in raws), median(one[1] for one in raws)

    def speed(took: float, bare: float) -> str:
        return f"{count / took:,.0f} rows/s against {count / bare:,.0f}"

    def told_of(all_of_them: list[Seconds]) -> str:
        each = ", ".join(number(one.clock) for one in all_of_them)
        middle, cpu = median(one.clock for one in all_of_them), median(one.cpu for one in all_of_them)
        return f"{number(middle)} s (of {each}); {number(cpu)} s of CPU"

    how = (
        f"median of {rounds} fresh stores, product and raw in turn; pages of {PAGE_OF_SOURCE:,} from a process of its own, "
        "stamps in whole seconds with their offset"
    )
    return [
        at_least("ingest, first load", 100 * raw_first / first, 8, "% of raw", measured=speed(first, raw_first),
                 ratio=f"{100 * raw_first / first:.1f} %",
                 method=f"run_source over loopback HTTP; {how}. Raw: the same tuples into one table with its unique key only, "
                 f"pages of {PAGE:,}, WAL, synchronous=FULL"),
        at_least("ingest again, a tenth changed", 100 * raw_again / again, 15, "% of raw", measured=speed(again, raw_again),
                 ratio=f"{100 * raw_again / again:.1f} %",
                 method="the whole source read again in mode snapshot, guards and staging included; raw: all tuples upserted again, "
                 "as they are later"),
        at_most(f"{count:,} rows, first load", first, 5, "s", measured=told_of(firsts), method=how),
        told(f"{count:,} rows, again", measured=told_of(agains), method=how),
    ]


if __name__ == "__main__":
    measure(Options(quick="--quick" in sys.argv), profile=True)
