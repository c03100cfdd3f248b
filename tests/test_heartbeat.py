"""What systemd hears of the processes: ready when they are, alive while they are, nothing when they hang."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboard import heartbeat
from tests.product import Product
from tests.servers import free_port

SHIPPED = Path(__file__).parents[1] / "config"


@contextmanager
def systemd(folder: Path) -> Iterator[socket.socket]:
    """The socket that a supervisor listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(folder / "notify"))
        listening.settimeout(90)
        yield listening


@pytest.mark.parametrize("words", [["serve", "--port", "0"], ["schedule"]], ids=["serve", "schedule"])
@pytest.mark.short("schedule")
def test_a_process_tells_that_it_is_ready_and_alive_and_nothing_while_it_hangs(tmp_path: Path, words: list[str]) -> None:
    product = Product(tmp_path)
    product.declare({"regency.toml": f'extends = "{SHIPPED}"\n'})
    words = [str(free_port()) if word == "0" else word for word in words]
    with systemd(tmp_path) as listening:
        product.extra["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with product.running(*words) as process:
            assert listening.recv(200) == b"READY=1\nWATCHDOG=1"
            assert b"WATCHDOG=1" in listening.recv(200)
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.5)
            listening.settimeout(0.1)
            while heard(listening):
                pass
            listening.settimeout(12)
            assert heard(listening) == b""
            os.kill(process.pid, signal.SIGCONT)
            listening.settimeout(60)
            assert b"WATCHDOG=1" in listening.recv(200)


def heard(listening: socket.socket) -> bytes:
    try:
        return listening.recv(200)
    except TimeoutError:
        return b""


def test_without_a_supervisor_and_with_one_that_is_gone_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    heartbeat.beat()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    heartbeat.beat()
