"""0 unmarked stale seconds: two walls sampled each second against the sources' ledger, through a day that goes wrong."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.screens.day import Day, day
from tests.screens.sampler import Found, Sampler
from tests.screens.tellers import Teller

pytestmark = pytest.mark.browser
LIMITS = {"Alfa": 6, "Beta": 8, "Citra": 10, "Delta": 8}
VOLUMES = {"Alfa": 400, "Beta": 12, "Citra": 60, "Delta": 300}
"""Beta is under 5 % of the whole, Citra under 20 %: without them the total is plain and names them, or is *sebagian*."""


def _judged(here: Day, folder: Path) -> Found:
    """All that was sampled of both walls, printed."""
    whole = Found()
    for name, wall in zip(("wall", "wall with a wrong clock"), here.walls, strict=True):
        print(f"{name}: {wall.found}")
        whole.seconds += wall.found.seconds
        whole.blank += wall.found.blank
        whole.figures += wall.found.figures
        whole.unmarked += [f"{line} ({name})" for line in wall.found.unmarked]
    print("\n".join(whole.unmarked))
    (folder / "sampled.txt").write_text(str(whole), encoding="utf-8")
    return whole


def test_no_second_of_a_short_day_shows_a_stale_figure_without_a_mark(tmp_path: Path, browser: Browser) -> None:
    with day(tmp_path, browser, LIMITS, VOLUMES) as here:
        alfa, beta, citra, delta = here.tellers.values()
        here.run(46, {
            2: lambda: setattr(beta, "way", "gone"), 4: lambda: citra.add(40, ago=timedelta(hours=1)),
            5: lambda: alfa.halve(), 6: lambda: delta.add(15, ago=timedelta(hours=-2)),
            14: lambda: (setattr(beta, "way", "well"), alfa.whole()), 15: lambda: here.kill("serve"),
            25: lambda: here.start("serve"), 32: lambda: here.cut(cut=True), 40: lambda: here.cut(cut=False),
        })
        found = _judged(here, tmp_path)
    assert found.unmarked == []
    assert found.seconds >= 60
    assert found.figures["lost"] > 0
    assert found.figures["right"] > 0
    assert found.figures["is-stale"] + found.figures["is-offline"] + found.figures["is-stale-by-clock"] > 0


@pytest.mark.long
def test_no_second_of_a_long_day_shows_a_stale_figure_without_a_mark_v5(tmp_path: Path, browser: Browser) -> None:
    with day(tmp_path, browser, LIMITS, VOLUMES) as here:
        alfa, beta, citra, delta = here.tellers.values()
        here.run(400, {
            10: lambda: setattr(alfa, "way", "gone"), 30: lambda: setattr(alfa, "way", "well"),
            40: lambda: setattr(beta, "way", "hangs"), 55: lambda: setattr(beta, "way", "well"),
            45: lambda: citra.add(60, ago=timedelta(hours=1)), 50: lambda: delta.add(20, ago=timedelta(hours=-2)),
            60: lambda: delta.halve(), 80: lambda: delta.whole(),
            65: lambda: setattr(citra, "way", "page"), 85: lambda: setattr(citra, "way", "well"),
            90: lambda: here.kill("serve"), 110: lambda: here.start("serve"),
            130: lambda: here.cut(cut=True), 145: lambda: here.cut(cut=False),
            160: lambda: here.sleep(sleeps=True), 175: lambda: here.sleep(sleeps=False),
            190: lambda: here.set_clock(timedelta(hours=5)), 195: lambda: here.set_clock(timedelta(days=-20_000)),
            200: lambda: here.kill("schedule"), 225: lambda: here.start("schedule"),
            250: lambda: here.kill("serve"), 252: lambda: setattr(alfa, "way", "gone"), 310: lambda: here.start("serve"),
            330: lambda: setattr(alfa, "way", "well"), 345: lambda: setattr(here.way, "held_seconds", 9.0),
            365: lambda: setattr(here.way, "held_seconds", 0.0), 370: lambda: [each.add(7) for each in here.tellers.values()],
        })
        found = _judged(here, tmp_path)
    assert found.unmarked == []
    assert found.seconds >= 500
    assert found.figures["right"] >= 0.2 * sum(found.figures.values())
    assert {"lost", "is-stale", "is-offline"} <= set(found.figures)


LIE = """
<body class="{lost}"><div id="live-lost">SAMBUNGAN TERPUTUS</div>
<div id="slot-received_today" class="slot {by_clock}"><section id="received_today--tile" class="tile {state}">
<span id="received_today--figure">{figure}</span><span id="received_today--age-text">data 10.53{without}</span></section></div>
</body>
"""


@pytest.mark.parametrize(("page", "unmarked"), [
    ({"figure": "7"}, 0), ({"figure": "5"}, 1), ({"figure": "5", "state": "is-stale"}, 0), ({"figure": "5", "lost": "is-lost"}, 0),
    ({"figure": "5", "by_clock": "is-stale-by-clock"}, 0), ({"figure": "3", "without": " · tanpa Beta"}, 0),
    ({"figure": "7", "without": " · tanpa Beta"}, 1), ({"figure": "belum ada data"}, 0),
], ids=["right", "old", "old-and-stale", "old-and-lost", "old-by-clock", "without-one", "without-one-but-with-it", "words"])
def test_the_sampler_counts_an_old_figure_that_nothing_marks(browser: Browser, page: dict[str, str], unmarked: int) -> None:
    now = time.time()
    alfa, beta = Teller("Alfa", 6, said=[(now - 60, 1), (now - 20, 3)]), Teller("Beta", 6, said=[(now - 60, 4)])
    words = {"lost": "", "by_clock": "", "state": "", "without": "", **page}
    context = browser.new_context()
    shown = context.new_page()
    shown.set_content(LIE.format(**words))
    sampler = Sampler(shown, [alfa, beta])
    sampler.sample()
    context.close()
    assert sampler.found.unmarked_seconds == unmarked, str(sampler.found)
