"""Commands under strace, which kills or fails them at an exact system call. Skipped, with the reason, where it cannot run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.product import Product

KILLED = 128 + 9


def strace() -> str:
    """The program; skips the test without it, or where a process may not be traced."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed (Debian package strace)")
    if subprocess.run([found, "-o", "/dev/null", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")
    return found


def traced(
    product: Product, words: Sequence[str], calls: str, *, inject: str = "", timeout: float = 120
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a command of the product to its end under strace: (how it ended, the calls that were made)."""
    log = Path(product.folder) / "strace.txt"
    log.unlink(missing_ok=True)
    done = subprocess.run(
        [strace(), "-f", "-qq", *([] if "signal" in inject else ["--seccomp-bpf"]), "-o", str(log), "-e", f"trace={calls}", *(["-e", f"inject={inject}"] if inject else []),
         sys.executable, "-m", "dashboard", *words],
        env=product.environment, cwd=product.folder, text=True, capture_output=True, timeout=timeout, check=False,
    )
    return done, log.read_text(encoding="utf-8", errors="replace")


def count(log: str, call: str) -> int:
    """How often a call was made."""
    return len(re.findall(rf"\b{call}\(", log))
