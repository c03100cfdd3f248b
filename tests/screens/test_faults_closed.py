"""What a screen, or anybody near it, may not reach: V25. The tour's own roles come with the tour; what is closed is closed today."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page

from dashboard import clock
from dashboard.access.devices import add_device
from tests.live import toy
from tests.live.conftest import Served

pytestmark = pytest.mark.browser
CANARY = "kenari-operator-7731"
CLOSED = (
    "/", "/ops", "/ops/", "/desk/", "/review/", "/tour/", "/public/", "/docs", "/openapi.json", "/redoc", "/_dash-layout",
    "/_dash-dependencies", "/wall/_dash-ws-callback", "/wall/_reload-hash", "/wall/_alive_", "/wall/panel/alarm_list",
    "/wall/assets/fetch.py", "/wall/assets/%2e%2e/serve.py", "/api/v1/figures/../devices", "/config/", "/var/people.sqlite",
)
OWN = ("/wall/_dash-layout", "/wall/_dash-dependencies", "/wall/panel/figure", "/wall/assets/live.js", "/wall/live")


def test_v25_a_paired_wall_reaches_no_other_zone_and_no_text_of_the_operators(wall: Page, served: Served) -> None:
    add_device(served.engines["people"], place=CANARY, screen="west", zone="wall", now=clock.now())
    answers = {path: wall.request.get(served.base + path) for path in CLOSED}
    assert {path: answer.status for path, answer in answers.items() if answer.status not in (403, 404)} == {}
    assert [path for path, answer in answers.items() if CANARY in answer.text()] == []


def test_v25_without_a_cookie_the_walls_own_addresses_tell_nothing(context: BrowserContext, served: Served) -> None:
    toy.put(served.engines["figures"], "figure", "7731")
    answers = {path: context.request.get(served.base + path) for path in OWN}
    assert {answer.status for answer in answers.values()} == {401}
    assert [path for path, answer in answers.items() if "7731" in answer.text()] == []


def test_v25_what_a_paired_wall_is_told_names_no_other_device(wall: Page, served: Served) -> None:
    add_device(served.engines["people"], place=CANARY, screen="west", zone="wall", now=clock.now())
    told = [wall.request.get(served.base + path).text() for path in OWN[:-1]] + [wall.content()]
    assert [text for text in told if CANARY in text] == []
