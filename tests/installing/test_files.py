"""What `install` prints is what systemd, Chromium and a shell accept, and what the product needs to run under it."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.errors import ConfigError
from dashboard.installing import wall_pc
from dashboard.installing.kiosk import SCRIPT, kiosk
from dashboard.installing.place import File, Place
from dashboard.installing.units import server
from tests.ledger import DECLARATION, Ledger, served
from tests.product import Product
from tests.servers import free_port
from tests.test_killed import AGENCY, REGENCY

PLACE = Place("wall.example", Path(sys.executable).with_name("command-center"))


def units(files: list[File]) -> dict[str, str]:
    """Name → text of the units among them."""
    return {Path(file.path).name: file.text for file in files if file.path.startswith("/etc/systemd/system/")}


def parsed(text: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False, delimiters="=", comment_prefixes="#")
    found.read_string(text)
    return found


def analysed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze on all units of this product, written into ``folder``."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    made = units([*server(PLACE), *kiosk(PLACE)])
    for name, text in made.items():
        # Only a wall PC has X: what must exist here is the unit, not its programs.
        (folder / name).write_text(re.sub(r"/usr/bin/xinit|/etc/command-center/environment", "/bin/true", text))
    return subprocess.run(
        ["systemd-analyze", *words, *(str(folder / name) for name in made)], capture_output=True, text=True, check=False, timeout=120
    )


def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    done = analysed(tmp_path, "verify", "--recursive-errors=no", "--man=no")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_processes_are_shut_in() -> None:
    for name in ("command-center-schedule.service", "command-center-serve.service"):
        service = parsed(units(server(PLACE))[name])["Service"]
        assert service["Restart"] == "always"
        assert (service["NoNewPrivileges"], service["ProtectSystem"], service["User"]) == ("yes", "strict", "command-center")
        assert service["MemoryMax"]
        assert int(service["WatchdogSec"]) >= 30


def test_systemd_scores_the_processes_as_little_exposed(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    file = tmp_path / "command-center-serve.service"
    file.write_text(units(server(PLACE))[file.name])
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-400:]


def test_the_processes_call_nothing_that_their_units_forbid(tmp_path: Path) -> None:
    """Every system call of a collect and of serve until it is ready, against the unit's filter."""
    for program in ("systemd-analyze", "strace"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    allowed = calls("@system-service") - calls("@privileged") - calls("@resources") | calls("@chown")
    product, ledger = Product(tmp_path), Ledger()
    with served(ledger) as port:
        ledger.add(50)
        product.declare({"regency.toml": REGENCY, "agencies/uji.toml": AGENCY.format(source=DECLARATION.format(port=port))})
        used = traced(product, 60, "collect") | traced(product, 12, "serve", "--port", str(free_port()))
    assert "socket" in used
    assert used - allowed <= {"execve", "set_robust_list"} | calls("@resources"), "an error there is borne (SystemCallErrorNumber)"


def calls(group: str) -> set[str]:
    """The system calls of a group, its groups opened."""
    said = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True).stdout
    words = {line.strip() for line in said.splitlines() if line.startswith("    ") and not line.strip().startswith("#")}
    nested = {word for word in words if word.startswith("@")}
    return (words - nested).union(*(calls(each) for each in nested))


def traced(product: Product, seconds: int, *words: str) -> set[str]:
    """The names of the system calls that a command makes until it ends or is told to."""
    table = product.folder / f"calls-{words[0]}.txt"
    subprocess.run(
        ["strace", "-f", "-c", "-qq", "-o", str(table), "timeout", str(seconds), sys.executable, "-m", "dashboard", *words],
        env=product.environment, cwd=product.folder, capture_output=True, check=False, timeout=seconds * 4,
    )
    rows = [line.split() for line in table.read_text().splitlines()]
    return {row[-1] for row in rows if len(row) >= 5 and row[0].replace(".", "").isdigit()} - {"total"}


def test_a_wall_pc_starts_its_browser_again_and_never_sleeps() -> None:
    """V27, V28: what systemd and X are told on a wall PC."""
    files = {file.path: file.text for file in kiosk(PLACE)}
    service = parsed(files["/etc/systemd/system/command-center-wall.service"])["Service"]
    assert service["Restart"] == "always"
    assert int(service["RestartSec"]) + int(service["WatchdogSec"]) <= 60
    assert "-s 0 -dpms" in service["ExecStart"]
    assert "https://wall.example/wall/" in service["ExecStart"]
    assert "AllowSuspend=no" in files["/etc/systemd/sleep.conf.d/command-center.conf"]
    assert 'Option "DPMS" "Disable"' in files["/etc/X11/xorg.conf.d/10-command-center.conf"]
    assert files[SCRIPT].startswith('"""Keeps a wall PC')


def test_a_wall_pc_can_open_nothing_but_the_wall() -> None:
    """V26: the managed policy, and flags that Chromium knows."""
    policy = json.loads(next(file.text for file in kiosk(PLACE) if file.path.endswith("policies/managed/command-center.json")))
    assert (policy["URLBlocklist"], policy["URLAllowlist"]) == (["*"], ["https://wall.example", "about:blank"])
    assert policy["DeveloperToolsAvailability"] == 2
    assert {"--kiosk", "--noerrdialogs", "--overscroll-history-navigation=0"} <= set(wall_pc.FLAGS)


def test_without_nginx_serve_ends_tls_itself() -> None:
    place = Place("10.20.0.5", PLACE.program, 8443, proxied=False)
    start = parsed(units(server(place))["command-center-serve.service"])["Service"]["ExecStart"]
    assert start.endswith("serve --port 8443 --host 0.0.0.0 --tls-cert /etc/command-center/tls/server.pem "
                          "--tls-key /etc/command-center/tls/server.key")
    assert place.address == "https://10.20.0.5:8443/wall/"


@pytest.mark.parametrize("name", ["a b", "x;y", "-a", "$HOME", "a\nb"])
def test_a_name_that_would_break_a_file_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="--server"):
        Place(name, PLACE.program)


def test_the_command_prints_and_changes_nothing_and_writes_only_where_it_is_told(tmp_path: Path) -> None:
    product = Product(tmp_path)
    said = product.run("install", "--print", "--for", "server", "--server", "wall.example")
    assert "# ==> /etc/systemd/system/command-center-serve.service (mode 0644, root:root)" in said
    assert "command-center-wall" not in said
    assert list(tmp_path.iterdir()) == []
    product.run("install", "--to", "out", "--server", "wall.example")
    assert (tmp_path / "out/etc/nginx/sites-available/command-center").exists()
    (tmp_path / "out/etc/command-center/environment").write_text("mine")
    assert "is there and says something else" in product.refused("install", "--to", "out", "--server", "wall.example")
    assert "--print" in product.refused("install")


def test_the_command_by_hand_is_a_good_shell_script(tmp_path: Path) -> None:
    text = next(file.text for file in server(PLACE) if file.path == "/usr/local/bin/command-center")
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
