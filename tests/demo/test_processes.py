"""Simulated agencies over time: they live on with the clock, survive SIGKILL, end with their parent, know nothing of
the product.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
import tomllib
from datetime import date
from pathlib import Path

from dashboard.demo.agency import SYSTEMS, first_day
from dashboard.demo.hours import day_start
from dashboard.demo.launch import DECLARED_PORTS, Agencies, overlay, secret_file
from dashboard.demo.web import instant
from tests.demo.conftest import clinic_lines, ledger, permits, registrations, reports, status_of, visits

ROOT = Path(__file__).parents[2]
STILL = ("--now", "2026-11-24T10:53:00", "--speed", "0")
FAST = ("--now", "2026-11-24T09:00:00", "--speed", "600")


def some(folder: Path, only: tuple[str, ...], options: tuple[str, ...], days: int = 4, seed: int = 7322) -> Agencies:
    return Agencies(
        folder / "agencies", folder / "drop", folder / "secrets", days=days, seed=seed, only=only, options=options
    )


def kill(agencies: Agencies, name: str) -> None:
    process = agencies.processes[name]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()


def gone(pid: int, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


def test_a_killed_agency_comes_back_on_its_port_with_the_same_cases(tmp_path: Path) -> None:
    with some(tmp_path, ("rsud", "disdukcapil"), STILL) as agencies:
        before, rows, ports = visits(agencies), registrations(agencies), dict(agencies.ports)
        for name in ("rsud", "disdukcapil"):
            kill(agencies, name)
            agencies.restart(name)
        assert (visits(agencies), registrations(agencies), agencies.ports) == (before, rows, ports)


def test_the_same_seed_tells_the_same_history_in_another_folder_and_another_seed_another(tmp_path: Path) -> None:
    told = []
    for number, seed in enumerate((1, 1, 2)):
        with some(tmp_path / str(number), ("dpmptsp",), STILL, seed=seed) as agencies:
            told.append(permits(agencies))
    assert told[0] == told[1] != told[2]


def test_history_begins_where_it_began_at_the_first_start(tmp_path: Path) -> None:
    assert first_day(tmp_path, date(2026, 11, 24), 90) == date(2026, 8, 26)
    assert first_day(tmp_path, date(2026, 12, 24), 30) == date(2026, 8, 26)


def test_new_cases_and_new_ends_appear_as_the_clock_passes(tmp_path: Path) -> None:
    with some(tmp_path, ("rsud", "disdukcapil", "dinkes"), FAST) as agencies:
        before = ledger(agencies, "rsud")
        rows, lines = len(registrations(agencies)), len(clinic_lines(agencies))
        deadline = time.monotonic() + 15
        while ledger(agencies, "rsud")["now"] < before["now"] + 1500 and time.monotonic() < deadline:
            time.sleep(0.2)
        after = ledger(agencies, "rsud")
        time.sleep(1.5)
        assert after["received"] > before["received"]
        assert after["completed"] > before["completed"]
        assert len(registrations(agencies)) > rows
        assert len(clinic_lines(agencies)) > lines


def test_switched_off_the_service_is_gone_and_afterwards_it_is_back(tmp_path: Path) -> None:
    with some(tmp_path, ("dishub",), STILL) as agencies:
        seen = []
        for kinds in ((), ("offline",), ()):
            agencies.switch.write(kinds)
            seen.append((status_of(agencies, "dishub", "/layanan"), status_of(agencies, "dishub", "/_ready")))
        assert seen == [(200, 200), (0, 200), (200, 200)]


def test_agencies_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom dashboard.demo.launch import Agencies\n"
        f"home = Path({str(tmp_path)!r})\n"
        "a = Agencies(home / 'a', home / 'drop', home / 's', days=2, only=('lapor', 'dishub'))\na.start()\n"
        "print(*[p.pid for p in a.processes.values()], flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as parent:
        assert parent.stdout is not None
        children = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert len(children) == 2
    assert all(gone(pid) for pid in children)


def test_stopping_ends_every_process(tmp_path: Path) -> None:
    agencies = some(tmp_path, ("lapor", "dpmptsp"), ())
    agencies.start()
    pids = [process.pid for process in agencies.processes.values()]
    agencies.stop()
    assert all(gone(pid) for pid in pids)


def test_secrets_are_random_kept_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "token")
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret_file(tmp_path, "token").read_text() == text != secret_file(tmp_path, "other").read_text()


def test_an_overlay_names_the_real_addresses_and_extends_the_same_folder(tmp_path: Path) -> None:
    agencies = some(tmp_path, tuple(SYSTEMS), ())
    agencies.ports = {name: 40_000 + number for number, name in enumerate(DECLARED_PORTS)}
    target = overlay(ROOT / "config" / "demo", agencies.addresses, tmp_path / "config")
    text = "\n".join(path.read_text() for path in target.rglob("*.toml"))
    assert "127.0.0.1:81" not in text
    assert "127.0.0.1:40002/api/v1/kunjungan" in text
    assert f"sqlite:///{tmp_path}/agencies/disdukcapil/siak.sqlite" in text
    assert tomllib.loads((target / "regency.toml").read_text())["extends"] == str(ROOT / "config")


def test_an_agency_knows_nothing_of_the_product() -> None:
    code = (
        "import sys, dashboard.demo.agency, dashboard.demo.launch\n"
        "ours = [m for m in sys.modules if m.split('.')[0] in ('dashboard', 'config', 'collectors', 'layouts')]\n"
        "print(*[m for m in ours if m != 'dashboard' and not m.startswith('dashboard.demo')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_stamps_are_read_in_wita_where_they_state_no_offset() -> None:
    assert (
        instant("2026-11-24T10:53:00") == instant("2026-11-24T02:53:00+00:00") == instant("2026-11-24T10:53:00 08:00")
    )
    assert instant("2026-11-24") == instant("2026-11-24 00:00:00") == day_start(date(2026, 11, 24))


def test_a_ready_line_says_how_many_cases_there_are(tmp_path: Path) -> None:
    with some(tmp_path, ("lapor",), STILL) as agencies:
        assert agencies.ready["lapor"]["cases"] == len(reports(agencies))
