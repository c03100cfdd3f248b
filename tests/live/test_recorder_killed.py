"""A recorder killed at any instant leaves no torn state: what a span vouches for is whole, what comes after it is not known."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from dashboard import clock
from dashboard.live import past
from dashboard.live.bodies import unpack
from dashboard.store.engine import open_engine, writing
from dashboard.store.tables_recordings import STILL, recorder_lease, recording, span
from tests.live.recorded import Box, Clock, seen, texts
from tests.live.test_snapshot import _at

ROOT = Path(__file__).parents[2]
KILLS = 4


class Real(Clock):
    """The machine's clock."""

    def __call__(self) -> datetime:
        return clock.now()

    def ms(self) -> int:
        return int(self().timestamp() * 1000)


def record_until_killed(url: str) -> None:
    """Panels a and b count up, some fifty times a second, five of them to a commit: said on standard output once committed."""
    engine = open_engine(url, "recordings")
    box = Box(engine, Real(), holder=f"one@elsewhere:{os.getpid()}")
    box.start()
    for number in range(10**6):
        box.panels["a"].value = box.panels["b"].value = f"{number} {'x' * (number % 300)}"
        box.recorder.keep(box.snapshot.refresh(_at(float(number + 1)), {"a", "b"}))
        if number % 5 == 0:
            box.write()
            print(number, box.recorder._marked, flush=True)
        time.sleep(0.01)


@pytest.mark.short("sqlite")
def test_a_killed_recorder_leaves_whole_states_and_an_honest_end(recordings: Engine) -> None:
    chance, url = random.Random(5), recordings.url.render_as_string(hide_password=False)
    for number in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import record_until_killed; record_until_killed({url!r})"], cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
        )
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3 + number)]
        time.sleep(chance.random() * 0.08)
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        told = [line for line in said if line.endswith("\n")][-1].split()
        _is_whole(recordings, int(told[1]), number)
        _expire(recordings)


def _expire(engine: Engine) -> None:
    """The killed one was of another host: its lease runs out."""
    with writing(engine).begin() as connection:
        connection.execute(recorder_lease.update().values(expires_at=0.0))


def _is_whole(engine: Engine, committed: int, number: int) -> None:
    with engine.connect() as connection:
        spans = connection.execute(select(span).order_by(span.c.id)).all()
        rows = connection.execute(select(recording).order_by(recording.c.id)).all()
        for name in {bytes(name) for row in rows for name in (row.shape, row.props)}:
            unpack(connection, name)
    assert len(spans) == number + 1
    last = spans[-1]
    assert last.to_at >= committed  # what was committed is vouched for
    now = last.to_at + 3_600_000
    before = texts(seen(engine, last.to_at - 1, now))
    assert before["a"] == before["b"]
    assert seen(engine, last.to_at, now).gap == past.Gap("lost", last.to_at, None)
    for one, other in pairwise(spans):
        assert seen(engine, one.to_at, now).gap == past.Gap("lost", one.to_at, other.from_at)
    ended = [row for row in rows if row.to_at < STILL]
    assert all(row.from_at <= row.to_at for row in ended)


def test_the_next_recorder_ends_what_the_killed_one_left_where_its_span_ends(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    written = now.wait(6)
    box.write()
    now.wait(100)
    again = Box(recordings, now, holder="two@elsewhere:2")
    again.start()
    with recordings.connect() as connection:
        left = connection.execute(select(recording.c.to_at).where(recording.c.from_at < written)).scalars().all()
    assert set(left) == {written}
