"""Recordings to look back at: a store on each engine, a clock that the test moves, screens and panels that say what is told."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from dashboard import clock
from dashboard.live import past
from dashboard.live.frames import assemble, encode
from dashboard.live.recorder import Recorder, Surroundings
from dashboard.live.snapshot import EVERYTHING, Snapshot
from tests.live.test_snapshot import Panel, _at

START = datetime(2026, 11, 24, 2, 53, tzinfo=clock.UTC)
"""10.53 WITA."""


class Clock:
    """A clock that the test moves."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def ms(self) -> int:
        return int(self.at.timestamp() * 1000)

    def wait(self, seconds: float) -> int:
        """Move on; the instant reached."""
        self.at += timedelta(seconds=seconds)
        return self.ms()


PAGE = {"type": "Div", "namespace": "dash_html_components", "props": {"children": [
    {"type": "Div", "namespace": "dash_html_components", "props": {"id": f"slot-{name}", "data-panel": name}} for name in ("a", "b")
]}}


class Box:
    """A black box in this process: the screen ``west`` with the panels a and b."""

    def __init__(self, engine: Engine, now: Clock, *, holder: str = "one@elsewhere:1", build: str = "first") -> None:
        self.engine, self.now, self.build = engine, now, build
        self.panels = {name: Panel(name, {name}) for name in ("a", "b")}
        self.snapshot = Snapshot([panel.instance for panel in self.panels.values()])
        page = {"page": PAGE, "layout": build, "instances": ["a", "b"], "pixels": [1920, 1080], "language": "id"}
        around = Surroundings(build, f".{build} {{}}".encode(), {"west": encode(page)})
        self.recorder = Recorder(engine, holder, now=now, around=around)
        self.show("today")

    def start(self) -> None:
        """Record, from now on, what both panels say."""
        self.recorder._take_over()
        self.recorder.keep(self.snapshot.refresh(_at(0), EVERYTHING))
        self.write()

    def show(self, scene: str, page: int = 1) -> None:
        self.recorder.show("west", "west", {"scene": scene, "page": page, "pages": 1, "until": self.now.ms() + 20_000})

    def say(self, panel: str, value: Any) -> int:
        """A panel says something else; when."""
        self.panels[panel].value = value
        self.recorder.keep(self.snapshot.refresh(_at(float(self.snapshot.seq)), {panel}))
        return self.now.ms()

    def write(self) -> None:
        self.recorder._write()

    def stop(self) -> None:
        self.recorder._finish()


def seen(engine: Engine, at: int, now: int, screen: str = "west") -> past.Moment:
    """A moment of a screen."""
    with engine.connect() as connection:
        return past.moment(connection, screen, at, now=now)


def texts(moment: past.Moment) -> dict[str, Any]:
    """What the panels a and b said: panel → the text of its figure."""
    found = {}
    for shown in moment.panels:
        tree = assemble(json.loads(moment.bodies[shown.shape]), json.loads(moment.bodies[shown.props]))
        found[shown.panel] = tree["props"]["children"]
    return found
