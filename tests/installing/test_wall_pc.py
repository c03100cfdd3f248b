"""A wall PC's watch over a real Chromium: it goes back to the wall, and a crashed or hanging page ends it within seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashboard.installing import wall_pc
from tests.servers import free_port

pytestmark = [
    pytest.mark.browser, pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="needs /usr/bin/chromium")
]
HEADLESS = ("--headless=new", "--ozone-platform=headless", "--no-sandbox", "--disable-gpu")
BACK_WITHIN_SECONDS = 30.0
RESTART_SECONDS = 2.0


class Wall:
    """A server that shows one page. ``asked``: how often; ``script``: what the page does."""

    def __init__(self, port: int, script: str = "") -> None:
        self.asked = 0
        wall = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wall.asked += self.path == "/wall/"
                body = f"<!DOCTYPE html><title>wall</title><script>{script}</script>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextmanager
def serving(port: int, script: str = "") -> Iterator[Wall]:
    wall = Wall(port, script)
    try:
        yield wall
    finally:
        wall.close()


@contextmanager
def watched(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The watch as the unit runs it, on a browser without a screen."""
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, wall_pc.__file__, f"http://127.0.0.1:{port}/wall/", *HEADLESS],
            env={**os.environ, "WALL_PROFILE": str(folder / "profile"), "WALL_BROWSER": "/usr/bin/chromium"},
            stderr=log, start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def until(what: Callable[[], Any], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.1)


def renderers(pid: int) -> list[int]:
    """The pages' processes below a process."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "cmdline").read_bytes()
                session = os.getsid(int(place.name))
            except OSError:  # it ended meanwhile
                continue
            if session == os.getsid(pid) and b"--type=renderer" in words:
                found.append(int(place.name))
    return found


def test_v27_a_crashed_page_ends_the_browser_and_the_next_start_shows_the_wall_within_thirty_seconds(tmp_path: Path) -> None:
    port = free_port()
    with serving(port) as wall:
        with watched(tmp_path, port) as first:
            until(lambda: wall.asked == 1)
            until(lambda: renderers(first.pid))
            crashed = time.monotonic()
            for pid in renderers(first.pid):
                os.kill(pid, signal.SIGKILL)
            assert first.wait(BACK_WITHIN_SECONDS) == 1
        time.sleep(RESTART_SECONDS)  # systemd's
        with watched(tmp_path, port):
            until(lambda: wall.asked == 2)
            assert time.monotonic() - crashed < BACK_WITHIN_SECONDS


@pytest.mark.long
def test_v27_a_page_that_hangs_is_left_too(tmp_path: Path) -> None:
    port = free_port()
    with serving(port, "setTimeout(() => { for (;;); }, 3000)") as wall, watched(tmp_path, port) as process:
        until(lambda: wall.asked == 1)
        assert process.wait(3 + wall_pc.HANGS_AFTER_SECONDS + wall_pc.EVERY_SECONDS + 20) == 1


def test_v27_a_browser_that_ends_ends_the_watch(tmp_path: Path) -> None:
    port = free_port()
    with serving(port) as wall, watched(tmp_path, port) as process:
        until(lambda: wall.asked == 1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        assert process.wait(BACK_WITHIN_SECONDS) == 1


@pytest.mark.long
def test_a_wall_pc_that_starts_before_the_server_shows_the_wall_when_it_is_there(tmp_path: Path) -> None:
    """After a power cut: not the browser's error page, for up to half an hour."""
    port = free_port()
    with watched(tmp_path, port) as process:
        until(lambda: renderers(process.pid))
        time.sleep(8)
        with serving(port) as wall:
            until(lambda: wall.asked >= 1, 30)
            time.sleep(2 * wall_pc.EVERY_SECONDS + 1)
            assert wall.asked == 1, "once there it stays"
            assert process.poll() is None


def test_a_page_that_leaves_the_wall_is_brought_back(tmp_path: Path) -> None:
    port, other = free_port(), free_port()
    leave = f"if (!sessionStorage.left) {{ sessionStorage.left = 1; location.href = 'http://127.0.0.1:{other}/'; }}"
    with serving(port, leave) as wall, serving(other), watched(tmp_path, port) as process:
        until(lambda: wall.asked == 2, 60)
        time.sleep(wall_pc.EVERY_SECONDS + 1)
        assert (wall.asked, process.poll()) == (2, None)


def test_a_stop_is_no_failure(tmp_path: Path) -> None:
    port = free_port()
    with serving(port) as wall, watched(tmp_path, port) as process:
        until(lambda: wall.asked == 1)
        process.terminate()
        assert process.wait(15) == 0
