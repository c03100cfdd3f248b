"""`/api/v1/mode` of a real server: one request with the interface's token switches the walls, and they go back by themselves."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dashboard.store.tables import audit
from tests.live.conftest import Served
from tests.live.test_room_in_chromium import MARK, MODES

TOKEN = "key-of-the-control-panel"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The toy with a group of one screen and a token for programs."""
    folder = tmp_path_factory.mktemp("switch")
    found = Served(folder)
    screens = folder / "config" / "screens.toml"
    screens.write_text(screens.read_text(encoding="utf-8") + MODES, encoding="utf-8")
    secret = folder / "secrets" / "api_token"
    secret.parent.mkdir()
    secret.write_text(TOKEN, encoding="ascii")
    secret.chmod(0o600)
    try:
        found.start()
        yield found
    finally:
        found.close()


def tap(served: Served, body: Any = None, token: str = TOKEN, **headers: str) -> tuple[int, Any]:
    """(status, answer) of a request as a control panel sends it; ``body`` ``None``: asks only."""
    data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
    own = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    request = urllib.request.Request(f"{served.base}/api/v1/mode", data, own)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as err:
        text = err.read().decode()
        return err.code, json.loads(text) if text.startswith("{") else text


@pytest.mark.browser
def test_one_request_switches_the_wall_and_another_gives_it_back(wall: Page, served: Served) -> None:
    status, told = tap(served, {"mode": "night", "for": "90 menit", "who": "Ani"})
    assert status == 200
    assert [(one["group"], one["mode"], one["by_hand"]) for one in told["groups"]] == [("room", "night", True)]
    expect(wall.locator(MARK)).to_contain_text("Manual: Malam sampai")
    assert tap(served)[1] == told
    status, told = tap(served, {"mode": ""})
    assert [(one["mode"], one["by_hand"], one["until"]) for one in told["groups"]] == [("day", False, None)]
    expect(wall.locator(MARK)).to_have_text("")
    with served.engines["people"].connect() as connection:
        done = connection.execute(select(audit.c.who, audit.c.what).where(audit.c.what.like("mode%")).order_by(audit.c.id)).all()
    assert [tuple(one) for one in done] == [("Ani", "mode switched on"), ("api", "mode cleared")]


def test_a_page_of_this_machine_without_the_token_switches_nothing(served: Served) -> None:
    for token, origin in (("", served.base), ("", "http://elsewhere.example"), ("guess", served.base)):
        assert tap(served, {"mode": "night"}, token=token, Origin=origin)[0] == 403
    assert tap(served, {"mode": "night"}, **{"Content-Type": "text/plain"})[0] == 403
    assert tap(served)[1]["groups"][0]["mode"] == "day"


@pytest.mark.parametrize(("body", "said"), [
    ({"mode": "party"}, "choose one of: day, visit, night"), ({"mode": "night", "group": "hall"}, "one of: room"),
    ({"mode": "night", "for": "a while"}, "give one such as '2 hours'"), ({}, "give one"), (b"{", "give one"),
    ([], "give one"), ({"mode": 1}, "give one"), ({"mode": "night", "since": "now"}, "give one"),
    ({"mode": "night", "who": "x" * 101}, "give one"), (b"[" * 60_000, "give one"),
])
def test_what_is_not_right_is_refused_in_both_languages(served: Served, body: Any, said: str) -> None:
    status, told = tap(served, body)
    assert status == 400
    assert said in told["en"]
    assert told["id"] != told["en"]
    assert tap(served)[1]["groups"][0]["by_hand"] is False
