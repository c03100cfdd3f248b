"""The real server for the bench: the product's own application, which also notes when its hub is given a state.

``python -m tests.bench.server FOLDER STAMPS [PORT]``: serves on that or a free loopback port (said on standard output) until
SIGTERM.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from config.loading import load
from dashboard.live.snapshot import Said
from dashboard.serve import app, listening, run_server
from tests.bench.house import settings_of


def main() -> None:
    """Serve until told to stop."""
    folder, stamps = Path(sys.argv[1]), Path(sys.argv[2])
    serving = app(settings_of(folder), load(folder / "config"))
    publish = serving.hub.publish
    notes = stamps.open("a", encoding="ascii", buffering=1)

    def noted(new: Sequence[Said]) -> None:
        at = time.time()
        publish(new)
        notes.write("".join(f"{said.seq} {at:.6f}\n" for said in new))

    serving.hub.publish = noted  # type: ignore[method-assign]
    bound = listening("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    print(f"port {bound.getsockname()[1]} {serving.guard.rules.cookie_name('wall')}", flush=True)
    run_server(serving, bound)


if __name__ == "__main__":
    main()
