"""A network namespace of the script's own, and a source to collect in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.declarations import Source
from config.settings import Settings
from dashboard.store.engine import migrate, open_engine
from dashboard.store.verify import verify
from tests.collectors.conftest import Site
from tests.product import ROOT

INSIDE = "COMMAND_CENTER_LAB_INSIDE"
FIELDS = {"case_id": "id", "submitted_at": {"from": "masuk", "format": "iso"}}
FOUND = [{"id": f"R{n:04d}", "masuk": "2026-11-20 09:00:00", "isi": "x" * 200} for n in range(200)]


def own_network(module: str) -> None:
    """Start this module again in namespaces of its own (network, mounts); returns inside. Ends the script where that is not permitted."""
    if os.environ.get(INSIDE):
        shell("ip link set lo up")
        return
    if os.geteuid() != 0:
        sys.exit("the lab needs root")
    done = subprocess.run(["unshare", "-n", "-m", sys.executable, "-m", module], env={**os.environ, INSIDE: "1"}, cwd=ROOT, check=False)
    sys.exit(done.returncode)


def shell(command: str) -> None:
    """One command of the system; it must succeed."""
    subprocess.run(command.split(), check=True, capture_output=True)


@contextmanager
def rules(*commands: str) -> Iterator[None]:
    """iptables rules (without ``-A``) while the block runs."""
    for command in commands:
        shell(f"iptables -A {command}")
    try:
        yield
    finally:
        for command in commands:
            shell(f"iptables -D {command}")


@contextmanager
def resolver(address: str = "127.0.0.1") -> Iterator[None]:
    """Another name server for this namespace."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(f"nameserver {address}\noptions timeout:5 attempts:2\n")
        file.flush()
        shell(f"mount --bind {file.name} {Path('/etc/resolv.conf').resolve()}")
        try:
            yield
        finally:
            shell(f"umount {Path('/etc/resolv.conf').resolve()}")


@contextmanager
def site(**source: Any) -> Iterator[Site]:
    """A store and one source, as the tests of collectors have it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = Settings(data=place / "var", drop=place / "drop", secrets=place / "secrets")
        engine = open_engine(settings.url_of("figures"))
        migrate(engine)
        declared = Source.model_validate({
            "id": "uji", "owner": "uji", "connector": "rest", "mode": "snapshot", "timezone": "Asia/Makassar",
            "network": ["127.0.0.1/32", "::1/128"], "fields": FIELDS, **source,
        })
        yield Site(settings, engine, declared)
        engine.dispose()


def said(id_: str, what: str, good: bool) -> None:
    """One line of the script's result."""
    print(f"{id_}: {'held' if good else 'FAILED'}: {what}", flush=True)
    if not good:
        sys.exit(1)


def taken(work: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and its seconds."""
    began = time.monotonic()
    return work(), time.monotonic() - began


def whole(here: Site, count: int) -> bool:
    """I1 and I2: so many cases, once, and nothing that does not add up."""
    return here.cases == here.received == count and verify(here.engine, here.regency) == []
