"""The black box: what a panel showed at an instant, once per body, by one process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from dashboard import clock
from dashboard.live import past
from dashboard.live.bodies import unpack
from dashboard.live.frames import assemble
from dashboard.live.recorder import Recorder
from dashboard.live.snapshot import EVERYTHING, Said, Snapshot
from dashboard.store.engine import migrate, open_engine
from dashboard.store.tables_recordings import STILL, body, recorded, recording
from tests.live.test_snapshot import Panel, _at


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 3, tzinfo=clock.UTC)

    def __call__(self) -> datetime:
        return self.at

    def ms(self) -> int:
        return int(self.at.timestamp() * 1000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'recordings.sqlite'}", "recordings")
    migrate(engine, "recordings")
    yield engine
    engine.dispose()


def shown_at(connection: Connection, panel: str, at: int) -> Any:
    """The tree that a panel showed, from the rows and bodies."""
    row = past._row(connection, panel, at)
    if row is None:
        return None
    skeleton, props = (json.loads(unpack(connection, bytes(name))) for name in (row.shape, row.props))
    return assemble(skeleton, props)


def _said(snapshot: Snapshot, panel: Panel, value: Any) -> list[Said]:
    panel.value = value
    return snapshot.refresh(_at(float(snapshot.seq)), {"cases"} if snapshot.seq else EVERYTHING)


def test_every_state_can_be_seen_again_at_its_instant(store: Engine) -> None:
    now, panel = Clock(), Panel("a", {"cases"})
    snapshot, recorder = Snapshot([panel.instance]), Recorder(store, "one", now=now)
    recorder._take_over()
    shown = {}
    for value in (1, 2, 1, 3):
        new = _said(snapshot, panel, value)
        recorder.keep(new)
        shown[now.ms()] = new[0].drawn.tree
        now.at += timedelta(seconds=5)
    recorder._write()
    assert recorder.commits == 1
    with store.connect() as connection:
        assert {at: shown_at(connection, "a", at + 2000) for at in shown} == shown
        assert connection.execute(select(func.count()).select_from(recording)).scalar() == 4
        assert connection.execute(select(func.count()).select_from(body)).scalar() == 3 + 1 + 1  # props, the shape, the build's styles


def test_a_second_state_of_a_tile_costs_tens_of_bytes(store: Engine) -> None:
    now, panel = Clock(), Panel("a", {"cases"})
    snapshot, recorder = Snapshot([panel.instance]), Recorder(store, "one", now=now)
    recorder._take_over()
    words = " ".join(f"kata{number * 7919 % 1000}" for number in range(300))
    for value in range(20):
        recorder.keep(_said(snapshot, panel, f"{words} {value}"))
    recorder._write()
    with store.connect() as connection:
        first, *rest = [len(row.zstd) for row in connection.execute(
            select(body.c.zstd).join(recording, recording.c.props == body.c.hash).order_by(recording.c.id)
        )]
    assert first > 400
    assert max(rest) < 100


def test_one_process_records_and_another_takes_over(store: Engine) -> None:
    now, panel = Clock(), Panel("a", {"cases"})
    snapshot = Snapshot([panel.instance])
    one, two = Recorder(store, "one@elsewhere:1", now=now), Recorder(store, "two@elsewhere:2", now=now)
    one._take_over()
    two._take_over()
    assert (one.lease.token, two.lease.token) == (1, None)
    new = _said(snapshot, panel, 1)
    one.keep(new)
    two.keep(new)
    one._write()
    died = now.ms()
    now.at += timedelta(seconds=60)
    two._take_over()
    two._write()
    with store.connect() as connection:
        rows = connection.execute(select(recording).order_by(recording.c.id)).all()
        assert shown_at(connection, "a", died + 30_000) is None
    assert [(row.from_at, row.to_at) for row in rows] == [(died, died), (now.ms(), STILL)]


def test_it_runs_in_a_thread_and_ends_its_rows(store: Engine) -> None:
    panel = Panel("a", {"cases"})
    snapshot, recorder = Snapshot([panel.instance]), Recorder(store, "one", now=clock.now)
    recorder.start()
    recorder.keep(_said(snapshot, panel, 1))
    deadline = time.monotonic() + 10
    while not recorder.commits and time.monotonic() < deadline:
        time.sleep(0.05)
    recorder.stop()
    with store.connect() as connection:
        rows = connection.execute(select(recording.c.to_at, recorded.c.name).join(recorded, recorded.c.id == recording.c.panel)).all()
    assert [row.name for row in rows] == ["a"]
    assert all(row.to_at < STILL for row in rows)
