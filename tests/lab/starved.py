"""F17: eight busy processes on the machine while the product runs. ``python -m tests.lab.starved``; needs stress-ng.

Screens must answer within 2 s (p95), runs go on, and what is late is said to be late by its age.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path

from tests.lab.space import said
from tests.servers import free_port
from tests.test_faults_processes import asked, ledgered, matches, until

SECONDS = 60


def main() -> None:
    """Run the product, starve it, ask it every second."""
    if shutil.which("stress-ng") is None:
        sys.exit("needs stress-ng")
    with tempfile.TemporaryDirectory() as folder, ledgered(Path(folder)) as (product, ledger):
        port = free_port()
        with product.running("run", "--port", str(port)):
            until(lambda: asked(product, "SELECT 1 FROM run WHERE outcome = 'ok'"), 60)
            until(lambda: answered(port) is not None, 60)
            busy = subprocess.Popen(["stress-ng", "--cpu", "8", "--timeout", f"{SECONDS}s", "--quiet"])
            at, took = time.time(), []
            while busy.poll() is None:
                took.append(answered(port) or 60.0)
                time.sleep(1)
            starts = [row[0] for row in asked(product, "SELECT started_at FROM run WHERE started_at > ? ORDER BY 1", at)]
        gaps = [later - one for one, later in pairwise(starts)]
        p95 = statistics.quantiles(took, n=20)[-1]
        matches(product, ledger)
        said("F17", f"answers p95 {p95:.2f} s, at most {max(took):.2f} s; {len(starts)} runs in {SECONDS} s, at most {max(gaps):.1f} s apart "
             "where 1 s is declared (late from 1.5 s on); nothing lost", p95 < 2)


def answered(port: int) -> float | None:
    """Seconds that the pairing page took; ``None`` while nobody listens."""
    began = time.monotonic()
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/wall/", timeout=60).read()
    except urllib.error.HTTPError:
        return time.monotonic() - began
    except OSError:
        return None
    return time.monotonic() - began


if __name__ == "__main__":
    main()
