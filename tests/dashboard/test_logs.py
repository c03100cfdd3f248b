"""A log that cannot be written never stops the work; what was lost is counted and said (F20)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from dashboard.logs import Lines
from tests.backup.house import house, until
from tests.disks import fill, small_disk
from tests.product import Product


def test_a_full_log_disk_drops_lines_counts_them_and_says_so_later_f20(tmp_path: Path) -> None:
    """F20: a real full disk under the log: nothing raises, and the first line with room says how many are missing."""
    with small_disk(tmp_path / "log", 1) as disk:
        number = os.open(disk / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        lines = Lines(number)
        lines.put("first")
        lines.last_words()
        ballast = fill(disk)
        (disk / "log.txt").write_bytes((disk / "log.txt").read_bytes()[:0] + b"x" * 4096)  # its last page is full
        for turn in range(20):
            lines.put(f"lost {turn} " + "y" * 5000)
        until(lambda: lines.dropped == 20, 10)
        ballast.unlink()
        lines.put("back")
        lines.last_words()
        said = (disk / "log.txt").read_text(encoding="utf-8").splitlines()
        assert said[-1] == "back"
        assert json.loads(said[-2][said[-2].index("{") :])["lines"] == 20
        os.close(number)


def test_a_pipe_that_nobody_reads_holds_nobody_up_f20() -> None:
    """F20: the pipe is full, the queue is full, and whoever logs still does not wait."""
    reading, writing = os.pipe()
    lines = Lines(writing, most=100)
    began = time.monotonic()
    for _ in range(2000):
        lines.put("z" * 1000)
    assert time.monotonic() - began < 5
    assert lines.dropped > 1000
    os.set_blocking(reading, False)
    until(lambda: b"log lines were dropped" in drained(reading) or lines.put("more"), 10)
    os.close(reading)


def stuff(writing: int) -> None:
    """Fill a pipe to its last byte."""
    os.set_blocking(writing, False)
    for size in (65536, 1):
        try:
            while True:
                os.write(writing, b"f" * size)
        except BlockingIOError:
            continue
    os.set_blocking(writing, True)


def drained(reading: int) -> bytes:
    """What a pipe holds now."""
    found = b""
    try:
        while part := os.read(reading, 65536):
            found += part
    except BlockingIOError:
        pass
    return found


def test_collecting_goes_on_while_nobody_reads_the_log_f20(tmp_path: Path) -> None:
    """F20: the schedule's log goes into a pipe that is full from the beginning."""
    with house(tmp_path) as home:
        reading, writing = os.pipe()
        stuff(writing)
        running = start_into(home.product, writing)
        try:
            home.ledger.fail_with = 503
            time.sleep(4)
            home.ledger.fail_with = None
            until(lambda: (home.data / "figures.sqlite").exists() and home.told() == dict(home.ledger.counts()), 60)
        finally:
            running.terminate()
            running.wait(20)
            os.close(reading)
            os.close(writing)
        assert running.returncode == 0
        assert home.is_true()


def start_into(product: Product, descriptor: int) -> subprocess.Popen[bytes]:
    """The schedule with its log in a descriptor."""
    return subprocess.Popen(
        [sys.executable, "-m", "dashboard", "schedule"], env=product.environment, cwd=product.folder, stdout=descriptor,
        stderr=descriptor,
    )
