"""A restart with 500 screens: the server is killed, comes back on its port, and every screen finds its way back (V22)."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from typing import Any

from tests.bench.fan_out import PATH
from tests.bench.house import House, house, served
from tests.bench.lines import Line, Options, at_most, number, percentiles, quantile, told
from tests.bench.processes import heard, python
from tests.servers import free_port

SCREENS = 500


def measure(options: Options) -> list[Line]:
    """Kill and return, once."""
    count = 10 if options.quick else SCREENS
    with house(5_000 if options.quick else 40_000) as where:
        print(f"  {count} screens …", file=sys.stderr)
        back, times = _restart(where, count)
    lost = [one for one in times if not one["fresh"]]
    if lost:
        raise RuntimeError(f"{len(lost)} of {count} screens did not come back")
    after = [one["fresh"] - back for one in times]
    late = [one for one in times if one["asked"] >= back]
    each = [(one["fresh"] - one["asked"]) * 1000 for one in late or times]
    spread = [one["asked"] - back for one in times]
    return [
        at_most(f"{count} screens reconnect: all fresh after the return", max(after), 30, "s", measured=f"{max(after):.1f} s",
                method="SIGKILL of the server with all screens connected, a new one on the same port; from when it is ready until the "
                "last screen has all its panels anew"),
        at_most(f"{count} screens reconnect: each, p95", quantile(each, 0.95) / 1000, 2, "s", measured=f"{percentiles(each)}",
                method=f"from a screen's successful request to its last panel (p50 / p95 / p99), of the {len(late)} that asked after the server "
                f"was ready; {len(times) - len(late)} asked while it was still filling its panels and got them as they came"),
        told(f"{count} screens reconnect: spread", measured=f"{number(min(spread))} to {number(max(spread))} s after the return, "
             f"{sum(one['tries'] for one in times) / count:.1f} tries each", method="pauses of live.js: from 0.5 s, doubled, half to "
             "one and a half of it at random, 15 s at most"),
    ]


def _restart(where: House, count: int) -> tuple[float, list[dict[str, Any]]]:
    """When the server was ready again, and each screen's times."""
    port = free_port()
    plan, result, log = where.folder / "plan.json", where.folder / "result.json", where.folder / "screens.log"
    tokens = where.sessions(count)
    with ExitStack() as stack:
        with served(where, port) as server:
            plan.write_text(json.dumps({
                "port": port, "path": PATH, "cookies": [f"{server.cookie}={token}" for token in tokens],
            }), encoding="utf-8")
            process = stack.enter_context(python("tests.bench.returning", str(plan), str(result), log=log))
            heard(process, "ready", log)
            server.kill()
        stack.enter_context(served(where, port))
        back = time.time()
        assert process.stdin is not None
        process.stdin.write("look\n")
        process.stdin.flush()
        heard(process, "written", log)
    return back, json.loads(result.read_text(encoding="ascii"))
