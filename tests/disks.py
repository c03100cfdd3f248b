"""Small disks for tests: a tmpfs of a few megabytes, mounted where permitted; skipped, with the reason, where not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of so many megabytes at a folder, gone when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(folder)], check=False, capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip() or done.returncode}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def remount(folder: Path, option: str) -> None:
    """Mount a disk anew as ``ro`` or ``rw``."""
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True, capture_output=True)


def fill(folder: Path, *, leave: int = 0) -> Path:
    """Fill a disk up to its last ``leave`` bytes; the file to remove again."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    with ballast.open("ab", buffering=0) as file:
        try:
            file.write(b"\0" * max(0, free.f_bavail * free.f_frsize - leave))
            while leave == 0:
                file.write(b"\0" * 1024)
        except OSError:
            pass
    return ballast
