"""Keeps a wall PC's browser at the wall: ``python3 wall_pc.py ADDRESS [CHROMIUM FLAG ...]``. Python's own library only.

It starts Chromium and asks the page every few seconds, through a pipe that no other program can reach, where it is. A page that
crashed or hangs ends the browser, and systemd starts both again (V27). A browser's error page (the server was off when this PC
started) or any other address goes back to the wall: Chromium itself would try again only after half an hour at last.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EVERY_SECONDS = 5.0
HANGS_AFTER_SECONDS = 15.0
STARTS_WITHIN_SECONDS = 30.0
FLAGS = (
    "--kiosk", "--start-fullscreen", "--window-position=0,0", "--ozone-platform=x11", "--lang=id", "--noerrdialogs",
    "--no-first-run", "--no-default-browser-check", "--hide-crash-restore-bubble", "--disable-session-crashed-bubble",
    "--disable-infobars", "--overscroll-history-navigation=0", "--disable-pinch", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--check-for-update-interval=31536000",
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
    "--password-store=basic", "--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication",
)
"""No question, bubble, translation or swipe comes over the wall, nothing slows it down, and the browser calls nobody."""


class Gone(Exception):
    """The page or the browser is not there any more."""


class Browser:
    """Chromium, and the pipe by which it is asked (DevTools protocol: JSON messages that end with a zero byte)."""

    def __init__(self, words: list[str]) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        self.process = subprocess.Popen(words, preexec_fn=lambda: _as_3_and_4(to_read, to_write), close_fds=False)
        for number in (to_read, to_write):
            os.close(number)
        for number in (self._read, self._write):
            os.set_inheritable(number, False)
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._read, selectors.EVENT_READ)
        self._kept, self._number, self._session = b"", 0, ""

    def ask(self, method: str, seconds: float = HANGS_AFTER_SECONDS, /, **params: Any) -> dict[str, Any]:
        """The answer of the page, or of the browser while no page is attached. Raises ``Gone`` without one in time."""
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._number, "method": method, "params": params, **session}
        try:
            os.write(self._write, json.dumps(message).encode() + b"\0")
        except OSError as err:
            raise Gone("the browser ended") from err
        for answer in self._messages(time.monotonic() + seconds):
            if answer.get("id") == self._number:
                found: dict[str, Any] = answer.get("result", {})
                return found
        raise Gone("the page does not answer")

    def attach(self) -> None:
        """Find the page and speak to it from now on."""
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < until:
            pages = [each for each in self.ask("Target.getTargets").get("targetInfos", ()) if each["type"] == "page"]
            if pages:
                found = self.ask("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
                self._session = found["sessionId"]
                self.ask("Inspector.enable")
                return
            time.sleep(0.2)
        raise Gone("no page")

    def _messages(self, until: float) -> Iterator[dict[str, Any]]:
        while (left := until - time.monotonic()) > 0:
            *whole, self._kept = self._kept.split(b"\0")
            for each in whole:
                message: dict[str, Any] = json.loads(each)
                if message.get("method") in ("Inspector.targetCrashed", "Target.targetCrashed", "Target.detachedFromTarget"):
                    raise Gone("the page crashed")
                yield message
            if self._ready.select(min(left, 1.0)):
                got = os.read(self._read, 1 << 16)
                if not got:
                    raise Gone("the browser ended")
                self._kept += got

    def end(self) -> None:
        """SIGTERM, so that cookies are written, then SIGKILL."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _as_3_and_4(to_read: int, to_write: int) -> None:
    """In the child: the pipe's ends where Chromium expects them."""
    first, second = os.dup(to_read), os.dup(to_write)
    os.dup2(first, 3)
    os.dup2(second, 4)


def say(text: str) -> None:
    """To systemd, when it started us."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.sendto(text.encode(), "\0" + address[1:] if address.startswith("@") else address)


def watch(browser: Browser, address: str) -> None:
    """Keep the page at ``address`` until it is gone. Raises ``Gone``."""
    home = urlsplit(address)
    browser.attach()
    say("READY=1")
    while browser.process.poll() is None:
        time.sleep(EVERY_SECONDS)  # first of all: a page that is only being loaded is at no address yet
        found = browser.ask("Runtime.evaluate", expression="location.href").get("result", {}).get("value", "")
        here = urlsplit(str(found))
        if (here.scheme, here.netloc) != (home.scheme, home.netloc):
            with suppress(Gone):  # a server that does not answer is asked again
                browser.ask("Page.navigate", HANGS_AFTER_SECONDS, url=address)
        say("WATCHDOG=1")
    raise Gone("the browser ended")


def main(address: str, *more: str) -> int:
    """1 when the page was lost (systemd starts us again), 0 when told to stop."""
    folder = Path(os.environ.get("WALL_PROFILE", Path.home() / "chromium"))
    words = [os.environ.get("WALL_BROWSER", "chromium"), *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={folder}", *more]
    for name in ("SingletonLock", "SingletonSocket", "SingletonCookie"):  # a power cut leaves them behind
        (folder / name).unlink(missing_ok=True)
    browser = Browser([*words, address])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        watch(browser, address)
    except Gone as err:
        sys.stderr.write(f"{err}; starting again\n")
        return 1
    finally:
        browser.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
