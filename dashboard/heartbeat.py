"""Signs of life for systemd (``man sd_notify``): ready once, then alive. Without systemd nothing happens."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell(text: str) -> None:
    """Send a state such as ``READY=1`` to the supervisor that started this process; silent where there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:  # its restart is no error of ours
        supervisor.sendto(text.encode(), "\0" + address[1:] if address.startswith("@") else address)


def beat() -> None:
    """Ready, and alive now. Telling ready again changes nothing."""
    tell("READY=1\nWATCHDOG=1")
