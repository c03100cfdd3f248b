"""``command-center new connector|panel``: a module that works, its test that passes, and what is left to a person."""

from __future__ import annotations

import re
from pathlib import Path

from dashboard.errors import ConfigError

HOME = Path(__file__).parents[1]
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")

CONNECTOR = '''"""{Name}: say here what kind of source it reads, and by which document of its makers."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.auth import Auth, credentials
from collectors.connector import CONNECTORS, Connector, Options, Page, Reading
from collectors.http import Client
from dashboard.errors import SourceChanged


class {Class}Options(Options):
    """``url``: where the list is. ``auth``: how we prove who we are."""

    url: str
    auth: Auth = Auth()


def read_{name}(reading: Reading) -> Iterator[Page]:
    """One page: the list that the address answers with. Raises ``SourceUnavailable``, ``SourceRejected``, ``SourceChanged``."""
    options: {Class}Options = reading.options
    headers, auth = credentials(options.auth, reading.secret)
    with Client(options.url, networks=reading.networks, deadline=reading.deadline) as client:
        answer = client.get(options.url, headers=headers, auth=auth)
    rows = answer.json()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceChanged(
            f"{{answer.where}}: not a list of objects; check the address",
            f"{{answer.where}}: bukan daftar objek; periksa alamatnya", step="parse",
        )
    yield Page(rows=rows, position={{"page": 1}})


CONNECTORS.register("{name}")(Connector({Class}Options, read_{name}))
'''

CONNECTOR_TEST = '''"""{Name} against a real server: its rows, and what it says when things are not as declared."""

from __future__ import annotations

import pytest

import collectors.{name}  # noqa: F401  (registers it)
from dashboard.errors import SourceChanged, SourceRejected
from tests.agency_api import Agency, body, status
from tests.collectors.conftest import Readings


def test_every_row_of_the_list_comes(agency: Agency, reading: Readings) -> None:
    agency.answers["/a"] = body(b'[{{"id": 1, "masuk": "2026-11-24"}}, {{"id": 2, "masuk": "2026-11-25"}}]')
    assert [row["id"] for row in reading.rows("{name}", {{"url": agency.url("/a")}}, {{"id", "masuk"}})] == [1, 2]


def test_a_refused_credential_is_told_as_one(agency: Agency, reading: Readings) -> None:
    agency.answers["/a"] = status(401)
    with pytest.raises(SourceRejected):
        reading.rows("{name}", {{"url": agency.url("/a")}}, {{"id"}})


def test_another_answer_is_a_change(agency: Agency, reading: Readings) -> None:
    agency.answers["/a"] = body(b'{{"galat": 1}}')
    with pytest.raises(SourceChanged, match="list of objects"):
        reading.rows("{name}", {{"url": agency.url("/a")}}, {{"id"}})
'''

PANEL = '''"""Which question does this panel answer, in one sentence?"""

from __future__ import annotations

from dash.development.base_component import Component

from dashboard.queries.answers import Tile
from dashboard.queries.today import received_today
from dashboard.words import Say
from layouts.components.tile import headline

query = received_today


def draw(answer: Tile, say: Say) -> Component:
    """The tile of this figure."""
    return headline(answer, say("panels.{name}.title"), say)
'''

PANEL_TEST = '''"""The panel {name}: it is drawn in both languages from the same kind of answer, with the same ids."""

from __future__ import annotations

import json

import pytest

from layouts.panels import {name}
from tests.layouts import answers
from tests.layouts.static_page import as_json


@pytest.mark.parametrize("language", ["id", "en"])
def test_it_is_drawn_with_its_title(language: str) -> None:
    say = answers.say(language)
    tree = as_json({name}.draw(answers.EXAMPLES["received_today"]["normal"], say))
    assert say("panels.{name}.title") in json.dumps(tree, ensure_ascii=False)
'''


def _fresh(kind: str, name: str, path: Path) -> None:
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"new {kind}: {name!r} is no name; use small letters, digits and _",
            f"new {kind}: {name!r} bukan nama; pakai huruf kecil, angka dan _",
        )
    if path.exists():
        raise ConfigError(
            f"new {kind}: it is there already; choose another name", f"new {kind}: sudah ada; pilih nama lain", file=str(path)
        )


def new_connector(name: str, root: Path = HOME) -> list[Path]:
    """Write a connector and its test below a checkout. Raises ``ConfigError`` for a bad name or one that is taken."""
    _fresh("connector", name, root / "collectors" / f"{name}.py")
    words = {"name": name, "Name": name.replace("_", " ").capitalize(), "Class": "".join(map(str.capitalize, name.split("_")))}
    return [
        _written(root / "collectors" / f"{name}.py", CONNECTOR.format(**words)),
        _written(root / "tests" / "collectors" / f"test_{name}.py", CONNECTOR_TEST.format(**words)),
    ]


def new_panel(name: str, root: Path = HOME) -> list[Path]:
    """Write a panel, its words and its test below a checkout. Raises ``ConfigError`` for a bad name or one that is taken."""
    _fresh("panel", name, root / "layouts" / "panels" / f"{name}.py")
    made = [
        _written(root / "layouts" / "panels" / f"{name}.py", PANEL.format(name=name)),
        _written(root / "tests" / "layouts" / f"test_{name}.py", PANEL_TEST.format(name=name)),
    ]
    for language in ("id", "en"):
        path = root / "config" / "words" / f"{language}.toml"
        before = path.read_text(encoding="utf-8").rstrip("\n")
        made.append(_written(path, f'{before}\n\n[panels.{name}]\ntitle = "{name.replace("_", " ").capitalize()}"\n'))
    return made


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
