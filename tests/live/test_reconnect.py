"""V22: many screens come back at once after a restart: each is fresh again, and the stores are asked once for all of them."""

from __future__ import annotations

import json
from pathlib import Path

from dashboard import clock
from dashboard.access.devices import add_device, redeem
from tests.bench.processes import heard, python
from tests.live.conftest import Served

SCREENS = 60
"""``make bench`` does it with 500 and measures; here it is what every one of them gets, and what the stores are asked."""


def tokens(served: Served, count: int) -> list[str]:
    """So many paired walls."""
    people = served.engines["people"]
    codes = [add_device(people, place=f"Dinding {n}", screen="west", zone="wall", now=clock.now())[1] for n in range(count)]
    return [redeem(people, code, zone="wall", now=clock.now()) for code in codes]


def test_v22_screens_that_return_at_once_are_all_fresh_and_the_stores_are_asked_once_for_all(served: Served, tmp_path: Path) -> None:
    asks, plan, result, log = (tmp_path / name for name in ("asks.txt", "plan.json", "result.json", "screens.log"))
    served.kill()
    served.start(asks=str(asks))
    cookies = [f"__Host-cc-wall={token}" for token in tokens(served, SCREENS)]
    plan.write_text(json.dumps({"port": served.port, "path": "/wall/live", "cookies": cookies}), encoding="utf-8")
    with python("tests.bench.returning", str(plan), str(result), log=log) as screens:
        heard(screens, "ready", log)
        served.kill()
        served.start(asks=str(asks))
        assert served.process is not None
        assert screens.stdin is not None
        screens.stdin.write("look\n")
        screens.stdin.flush()
        heard(screens, "written", log)
    times = json.loads(result.read_text(encoding="ascii"))
    assert len(times) == SCREENS
    assert all(one["fresh"] and one["panels"] == 3 for one in times)
    knocked = [one["asked"] for one in times]
    assert max(knocked) - min(knocked) > 0.2  # live.js spreads its tries: half to one and a half of each pause
    asked = asks.read_text(encoding="ascii").split()
    assert 1 <= asked.count(str(served.process.pid)) < 5  # O(1): a snapshot for all, never once for each screen
