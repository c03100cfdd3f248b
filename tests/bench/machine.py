"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def processor() -> str:
    """The processor's name as the kernel tells it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_gigabytes() -> float:
    """Memory of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3


def described(load_before: tuple[float, float, float]) -> list[tuple[str, str]]:
    """Name and value, for the table's foot. ``load_before``: the load average when the bench began."""
    return [
        ("cores", str(cores())),
        ("processor", processor()),
        ("memory", f"{memory_gigabytes():.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("Python", platform.python_version()),
        ("SQLite", sqlite3.sqlite_version),
        ("libraries", ", ".join(f"{name} {version(name)}" for name in ("SQLAlchemy", "uvicorn", "dash", "playwright"))),
        ("load average before (1, 5, 15 minutes)", " ".join(f"{value:.2f}" for value in load_before)),
    ]
