"""Faults of our own processes (part of group F of the catalogue), with the product's real processes, by id."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from dashboard.schedule import LEASE_SECONDS, STOP_SECONDS
from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product, end
from tests.servers import free_port
from tests.test_killed import AGENCY, REGENCY, told

SLOW_SOURCE = """
[[sources]]
id = "macet-{number}"
connector = "rest"
every = "1 second"
deadline = "{deadline}"
stale_after = "10 seconds"
timezone = "UTC"
network = ["127.0.0.1/32"]
mode = "snapshot"
[sources.options]
url = "http://127.0.0.1:{port}/slow"
records = "data"
[sources.fields]
case_id = "id"
submitted_at = {{ from = "submitted", format = "iso" }}
"""


@contextlib.contextmanager
def hanging() -> Iterator[int]:
    """A server that takes every request and never answers."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            over.wait(120)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """Clients that give up are what this is about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def ledgered(folder: Path, more: str = "", every: str = "1 second", count: int = 500) -> Iterator[tuple[Product, Ledger]]:
    """A product whose one source is a ledger; ``more``: further sources of the same agency."""
    product, ledger = Product(folder), Ledger(14)
    with served(ledger) as port:
        source = DECLARATION.format(port=port).replace('every = "1 second"', f'every = "{every}"')
        product.declare({"regency.toml": REGENCY, "agencies/uji.toml": AGENCY.format(source=source) + more})
        ledger.add(count)
        yield product, ledger


def asked(product: Product, question: str, *values: Any) -> list[Any]:
    """Rows of the figures store, read beside the running processes."""
    file = product.folder / "var" / "figures.sqlite"
    if not file.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as store:
        try:
            return store.execute(question, values).fetchall()
        except sqlite3.OperationalError:  # the tables are just being made
            return []


def paused_outside_a_transaction(product: Product, pid: int) -> bool:
    """Pause a process; let it go on when it holds the store's lock: with SQLite nobody could lead after it then."""
    os.kill(pid, signal.SIGSTOP)
    with contextlib.closing(sqlite3.connect(product.folder / "var" / "figures.sqlite", timeout=0.5, isolation_level=None)) as store:
        try:
            store.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
            return False
        store.execute("ROLLBACK")
        return True


def until(what: Callable[[], Any], seconds: float = 30, message: str = "") -> Any:
    """What ``what`` says once it says anything."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(message or "it did not come about")


def runs(product: Product, since: float = 0.0) -> int:
    """Good runs of the ledger's source that ended since."""
    return len(asked(product, "SELECT id FROM run WHERE source = 'ledger' AND ended_at > ? AND outcome IN ('ok', 'empty')", since))


def tokens(product: Product) -> list[int]:
    """The fencing tokens under which runs were made."""
    return [row[0] for row in asked(product, "SELECT DISTINCT token FROM run ORDER BY token")]


def matches(product: Product, ledger: Ledger) -> None:
    """I1, I2, I9: one quiet collect, and everything that was served is there, once."""
    product.run("collect", "--source", "ledger")
    assert told(product) == dict(ledger.counts())
    assert "no difference" in product.run("verify")


def test_f12_of_two_schedules_one_leads_and_the_other_takes_over_when_it_is_killed(tmp_path: Path) -> None:
    with ledgered(tmp_path) as (product, ledger):
        first = product.start("schedule", log="satu")
        until(lambda: asked(product, "SELECT 1 FROM run WHERE ended_at IS NOT NULL"))
        second = product.start("schedule", log="dua")
        try:
            time.sleep(4)
            assert tokens(product) == [1]
            assert "leading" not in product.output("dua")
            asked_for = ledger.requests
            time.sleep(4)
            assert ledger.requests - asked_for <= 2 * (4 + 2), "one collects, not two"
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            until(lambda: "leading" in product.output("dua"), LEASE_SECONDS + 10)
            until(lambda: tokens(product) == [1, 2])
        finally:
            end(second)
            end(first)
        matches(product, ledger)


def test_f13_a_leader_that_was_paused_past_its_lease_writes_nothing_any_more(tmp_path: Path) -> None:
    with ledgered(tmp_path) as (product, ledger):
        first = product.start("schedule", log="satu")
        until(lambda: asked(product, "SELECT 1 FROM run WHERE ended_at IS NOT NULL"))
        second = product.start("schedule", log="dua")
        try:
            until(lambda: paused_outside_a_transaction(product, first.pid))
            ledger.add(300)
            ledger.change(200)
            until(lambda: "leading" in product.output("dua"), LEASE_SECONDS + 30)
            until(lambda: asked(product, "SELECT 1 FROM run WHERE token = 2 AND ended_at IS NOT NULL"))
            os.kill(first.pid, signal.SIGCONT)
            at = time.time()
            ledger.add(100)
            until(lambda: "lease lost" in product.output("satu"), 20)
            time.sleep(2)
            late = asked(product, "SELECT count(*) FROM run WHERE token = 1 AND ended_at > ?", at)[0][0]
            assert late == 0, "its late writes are fenced off"
        finally:
            for process in (first, second):
                os.kill(process.pid, signal.SIGCONT)
                end(process)
        matches(product, ledger)


@pytest.mark.long
def test_f14_twenty_sources_that_hang_hold_nobody_up_and_leak_no_threads(tmp_path: Path) -> None:
    with hanging() as port:
        more = "".join(SLOW_SOURCE.format(number=number, port=port, deadline="3 seconds") for number in range(20))
        with ledgered(tmp_path, more) as (product, ledger):
            with product.running("schedule") as process:
                until(lambda: asked(product, "SELECT 1 FROM run WHERE source LIKE 'macet-%' AND outcome = 'unavailable'"), 40)
                before, at = threads(process.pid), time.time()
                time.sleep(10)
                starts = [row[0] for row in asked(product, STARTS, at)]
                assert len(starts) >= 5, "a run a second, whoever hangs"
                assert max(later - one for one, later in pairwise(starts)) < 4, "I6"
                assert threads(process.pid) <= before + 8
                most = asked(product, "SELECT max(ended_at - started_at) FROM run WHERE source LIKE 'macet-%'")[0][0]
                assert most < 3 + 5, "the run's own deadline ends it"
                assert asked(product, MOST_AT_ONCE)[0][0] in (None, 1), "one run of a source at a time"
            matches(product, ledger)


STARTS = "SELECT started_at FROM run WHERE source = 'ledger' AND started_at > ? ORDER BY 1"
MOST_AT_ONCE = (
    "SELECT max(n) FROM (SELECT count(*) AS n FROM run WHERE source LIKE 'macet-%' AND ended_at IS NULL GROUP BY source)"
)


def threads(pid: int) -> int:
    """Threads of a process."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.mark.long
def test_f15_after_six_hours_off_a_source_is_caught_up_by_one_run(tmp_path: Path) -> None:
    with ledgered(tmp_path, every="1 minute") as (product, ledger):
        product.run("collect")
        with contextlib.closing(sqlite3.connect(product.folder / "var" / "figures.sqlite")) as store:
            store.execute("UPDATE source_state SET last_run_at = last_run_at - 21600, last_good_at = last_good_at - 21600")
            store.commit()
        ledger.add(50)
        at, asked_for = time.time(), ledger.requests
        with product.running("schedule"):
            until(lambda: runs(product, at) >= 1, 40)
            time.sleep(6)
            assert runs(product, at) == 1, "one run, not 360"
        assert ledger.requests - asked_for <= 4
        matches(product, ledger)


def limited(product: Product, words: list[str], **limits: int) -> subprocess.CompletedProcess[str]:
    """A command of the product under limits of ``prlimit``."""
    given = [f"--{name}={value}" for name, value in limits.items()]
    return subprocess.run(
        ["prlimit", *given, sys.executable, "-m", "dashboard", *words], env=product.environment, cwd=product.folder, text=True,
        capture_output=True, timeout=120, check=False,
    )


@pytest.mark.parametrize(("limits", "count"), [({"as": 700_000_000}, 20_000), ({"nofile": 24}, 2_000)], ids=["memory", "open files"])
@pytest.mark.short("open files")
def test_f16_without_memory_or_descriptors_a_run_fails_and_nothing_is_corrupt(
    tmp_path: Path, limits: dict[str, int], count: int
) -> None:
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit is not installed")
    with ledgered(tmp_path, count=500) as (product, ledger):
        product.run("collect")
        ledger.add(count)
        tight = [{name: value * step // 8 for name, value in limits.items()} for step in (2, 3, 4, 6)]
        ends = [limited(product, ["collect"], **limit).returncode for limit in tight]
        assert ends[0] != 0, "the tightest one fails"
        store = product.folder / "var" / "figures.sqlite"
        with contextlib.closing(sqlite3.connect(store)) as opened:
            assert opened.execute("PRAGMA quick_check").fetchone() == ("ok",)
        matches(product, ledger)


def test_f18_a_schedule_that_is_told_to_stop_in_the_middle_of_hanging_runs_ends_in_ten_seconds_with_0(tmp_path: Path) -> None:
    with hanging() as port:
        more = "".join(SLOW_SOURCE.format(number=number, port=port, deadline="60 seconds") for number in range(5))
        with ledgered(tmp_path, more) as (product, ledger):
            process = product.start("schedule")
            until(lambda: asked(product, "SELECT 1 FROM run WHERE source LIKE 'macet-%'"))
            until(lambda: runs(product))
            began = time.monotonic()
            process.terminate()
            assert process.wait(20) == 0
            assert time.monotonic() - began < 10 + 2
            assert STOP_SECONDS < 10
            assert asked(product, "SELECT holder FROM lease WHERE name = 'leader'") == [("",)], "the next leader need not wait"
            matches(product, ledger)


@pytest.mark.long
def test_f18_a_schedule_without_runs_under_way_ends_at_once(tmp_path: Path) -> None:
    with ledgered(tmp_path, every="1 hour") as (product, _):
        process = product.start("schedule")
        until(lambda: runs(product))
        time.sleep(0.5)
        began = time.monotonic()
        process.terminate()
        assert process.wait(20) == 0
        assert time.monotonic() - began < 5


BROKEN = {
    "half written": lambda good: good[: len(good) // 2], "no TOML": lambda good: "= [[[",
    "unknown key": lambda good: good.replace('every = "', 'setiap = "x"\nevery = "'),
}


@pytest.mark.parametrize("how", list(BROKEN))
@pytest.mark.short("half written")
def test_f19_bad_declarations_are_said_and_the_old_ones_stay_until_good_ones_come(tmp_path: Path, how: str) -> None:
    with ledgered(tmp_path) as (product, _):
        port = free_port()
        file = product.config / "agencies" / "uji.toml"
        good = file.read_text()
        with product.running("run", "--port", str(port)):
            until(lambda: asked(product, "SELECT 1 FROM run WHERE ended_at IS NOT NULL"), 60)
            until(lambda: page_status(port) in ("200", "401"), 60)  # both processes have read the good ones
            file.write_text(BROKEN[how](good))
            until(lambda: "declarations are wrong" in product.output(), 20)
            assert "uji.toml" in product.output()
            product.run("check", code=1)
            at = time.time()
            until(lambda: runs(product, at) >= 2, 20)
            assert product.output().count("declarations are wrong") == 1
            file.write_text(good.replace('id = "ledger"', 'id = "buku"'))
            until(lambda: "declarations are renewed" in product.output(), 20)
            until(lambda: asked(product, "SELECT 1 FROM run WHERE source = 'buku' AND outcome = 'ok'"), 60)
        assert "Traceback" not in product.output()


@pytest.mark.long
def test_f19_a_process_that_dies_while_declarations_are_wrong_comes_back_with_the_last_good_ones(tmp_path: Path) -> None:
    """A power cut or a crash in the middle of an edit: collecting and the screens go on, and the wall says what is wrong."""
    with ledgered(tmp_path) as (product, _):
        file = product.config / "agencies" / "uji.toml"
        good = file.read_text()
        with product.running("run", "--port", str(free_port())) as process:
            until(lambda: asked(product, "SELECT 1 FROM run WHERE ended_at IS NOT NULL"), 60)
            file.write_text(BROKEN["half written"](good))
            os.killpg(process.pid, signal.SIGKILL)
        at, port = time.time(), free_port()
        with product.running("run", "--port", str(port)):
            until(lambda: runs(product, at) >= 2, 60)
            assert "the last good ones are in force" in product.output()
            until(lambda: page_status(port) == "200", 60)
            assert asked(product, "SELECT value LIKE '%uji.toml%' FROM meta WHERE key = 'declarations'") == [(1,)]
            file.write_text(good.replace('id = "ledger"', 'id = "buku"'))
            until(lambda: asked(product, "SELECT 1 FROM run WHERE source = 'buku' AND outcome = 'ok'"), 60)
            until(lambda: not asked(product, "SELECT 1 FROM meta WHERE key = 'declarations'"), 20)
        assert "Traceback" not in product.output()


def test_f19_a_missing_secret_is_named_by_the_run_and_by_check_and_other_sources_go_on(tmp_path: Path) -> None:
    more = SLOW_SOURCE.format(number=1, port=1, deadline="5 seconds").replace(
        'records = "data"', 'records = "data"\nauth = { kind = "bearer", secret = "tak_ada" }')
    with ledgered(tmp_path, more) as (product, ledger):
        assert "COMMAND_CENTER_SECRET_TAK_ADA" in product.run("collect", code=1)
        assert runs(product) == 1
        said = product.run("check")
        assert re.search("tak_ada", said)
        assert told(product) == dict(ledger.counts())


REFUSING = SLOW_SOURCE.replace("/slow", "/{path}")


@contextlib.contextmanager
def answering(status: int, headers: dict[str, str]) -> Iterator[tuple[int, list[float]]]:
    """A server with one answer; gives its port and when it was asked."""
    times: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            times.append(time.monotonic())
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], times
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def left_alone(folder: Path, status: int, headers: dict[str, str]) -> None:
    """A source that answers so is asked once in eight seconds although its rhythm is one; the other keeps its own."""
    with answering(status, headers) as (port, times):
        more = REFUSING.format(number=1, port=port, path="a", deadline="5 seconds")
        with ledgered(folder, more) as (product, _), product.running("schedule"):
            until(lambda: times, 40)
            at = time.time()
            time.sleep(8)
            assert len(times) == 1
            assert runs(product, at) >= 3
            told = asked(product, "SELECT source, next_run_at FROM source_state WHERE next_run_at > ?", 0)
            assert len(told) == 1  # said on the wall, too: tests/layouts/test_ecosystem.py
            assert told[0][1] > at + 60


def test_a20_a_source_that_asks_to_wait_is_left_alone_and_the_others_are_not(tmp_path: Path) -> None:
    left_alone(tmp_path, 429, {"Retry-After": "120"})


def test_a22_a_refused_credential_is_tried_once_in_fifteen_minutes(tmp_path: Path) -> None:
    left_alone(tmp_path, 401, {})


STRANGE = "<img src=x onerror=alert(1)> {{ 7*7 }} %s $\\\\href{javascript:alert(1)}{x}$ <a href='http://x/'>klik</a>"
SCREENS = """
[scenes.agencies]
name = { id = "Dinas", en = "Agencies" }
panels = [{ panel = "agencies", area = "agencies" }, { panel = "sources_strip", area = "sources" }]
[screens.west]
name = "Barat"
scenes = ["agencies"]
"""


@pytest.mark.browser
def test_b30_names_that_look_like_code_are_shown_literally_on_the_wall(tmp_path: Path, browser: Browser) -> None:
    with ledgered(tmp_path) as (product, _):
        file = product.config / "agencies" / "uji.toml"
        file.write_text(file.read_text().replace('id = "Dinas Uji"', f'id = "{STRANGE}"').replace(
            'short_name = "Uji"', f'short_name = "{STRANGE}"'))
        product.declare({"screens.toml": SCREENS})
        product.run("collect")
        port = free_port()
        with product.running("serve", "--port", str(port)):
            link = product.run("device", "add", "--place", "Uji", "--base", f"http://127.0.0.1:{port}").split()[-1]
            until(lambda: "401" in (said := page_status(port)) or "200" in said, 60)
            context = browser.new_context(viewport={"width": 1920, "height": 1080})
            try:
                page, alarms, foreign = context.new_page(), list[str](), list[str]()
                page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
                page.on("request", lambda asked: foreign.append(asked.url) if f":{port}/" not in asked.url else None)
                page.goto(link)
                expect(page.locator("body")).to_contain_text("<img src=x onerror=alert(1)>", timeout=60_000)
                expect(page.locator("body")).to_contain_text("{{ 7*7 }} %s $")
                assert page.locator("a[href*='http://x'], a[href*='javascript'], img[src='x']").count() == 0
                assert (alarms, foreign) == ([], [])
            finally:
                context.close()


def page_status(port: int) -> str:
    """The status of the wall's index; "" while nobody listens."""
    try:
        return str(urllib.request.urlopen(f"http://127.0.0.1:{port}/wall/").status)
    except urllib.error.HTTPError as err:
        return str(err.code)
    except OSError:
        return ""
