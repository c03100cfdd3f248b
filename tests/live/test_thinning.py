"""Recordings thin out with age as declared: what is kept is what was shown at each mark, and replay tells the mark."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

from config.declarations import DeclarationError, RecordingRules, ThinnedFrom
from config.loading import load
from config.settings import SHIPPED
from dashboard import clock
from dashboard.live import past, thinning
from dashboard.live.thinning import MINUTE_MS, thin
from dashboard.store.tables_recordings import STILL, body, recorder_lease, recording, thinned
from tests.live import toy
from tests.live.recorded import Box, Clock, seen, texts

RULES = RecordingRules(
    stages=(
        ThinnedFrom(after=timedelta(days=14), step=timedelta(minutes=1)),
        ThinnedFrom(after=timedelta(days=90), step=timedelta(minutes=10)),
    ),
    keep=timedelta(days=730),
)
DAY = timedelta(days=1)


def _half_an_hour(engine: Engine, now: Clock) -> dict[int, dict[str, object]]:
    """Half an hour of changes some seconds apart; what was shown at each whole minute."""
    box, shown, chance = Box(engine, now), {}, random.Random(4)
    box.start()
    until = now.ms() + 30 * MINUTE_MS
    while now.ms() < until:
        before, said = now.ms(), {name: panel.value for name, panel in box.panels.items()}
        now.wait(chance.choice((0.4, 3, 9, 41, 140)))
        shown |= dict.fromkeys(range(-(-before // MINUTE_MS) * MINUTE_MS, min(now.ms(), until), MINUTE_MS), said)
        box.say(chance.choice("ab"), f"{now.ms()} {' '.join(str(now.ms() * 7919 % number) for number in range(2, 40))}")
        box.write()
    box.stop()
    return shown


def _count(engine: Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        return tuple(  # type: ignore[return-value]
            int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for table in (recording, body)
        )


def _all_whole(engine: Engine) -> None:
    """Every body that a row names is there and what its hash says."""
    with engine.connect() as connection:
        names = {bytes(name) for row in connection.execute(select(recording.c.shape, recording.c.props)) for name in row}
        for name in names:
            past.unpack(connection, name)


def test_after_two_weeks_each_minutes_state_is_left_and_told_with_its_time(recordings: Engine) -> None:
    now = Clock()
    shown = _half_an_hour(recordings, now)
    assert len(shown) == 30
    before = _count(recordings)
    later = now.at + 14 * DAY + timedelta(hours=2)
    done = thin(recordings, RULES, later, rows_a_commit=7)
    after = _count(recordings)
    assert (before[0] - after[0], before[1] - after[1]) == (done.rows, done.bodies)
    assert done.rows > 10
    assert done.bodies > 10
    _all_whole(recordings)
    for at, said in shown.items():
        for asked in (at, at + 59_999):
            found = seen(recordings, asked, int(later.timestamp() * 1000))
            assert (found.at, found.step_ms, found.gap) == (at, MINUTE_MS, None)
            assert texts(found) == said
    assert thin(recordings, RULES, later).rows == 0


def test_after_a_quarter_each_tenth_minute_is_left_and_after_two_years_nothing(recordings: Engine) -> None:
    now = Clock()
    shown = _half_an_hour(recordings, now)
    for later, step in ((now.at + 15 * DAY, 1), (now.at + 91 * DAY, 10)):
        thin(recordings, RULES, later)
        for at in shown:
            found = seen(recordings, at, int(later.timestamp() * 1000))
            assert texts(found) == shown.get(at // (step * MINUTE_MS) * step * MINUTE_MS, {})  # before the first mark: nothing
            assert bool(found.panels) != bool(found.gap)
    _all_whole(recordings)
    thin(recordings, RULES, now.at + 731 * DAY)
    assert _count(recordings) == (0, 1)  # the build's styles, which its span names
    found = seen(recordings, now.ms() - MINUTE_MS, now.ms())
    assert found.gap is not None
    assert (found.gap.why, found.panels) == ("dropped", [])


def test_steps_lead_from_mark_to_mark(recordings: Engine) -> None:
    now = Clock()
    _half_an_hour(recordings, now)
    later = now.at + 15 * DAY
    thin(recordings, RULES, later)
    present = int(later.timestamp() * 1000)
    with recordings.connect() as connection:
        first, last = past.bounds(connection) or (0, 0)
    at, marks = first // MINUTE_MS * MINUTE_MS + 2 * MINUTE_MS, []
    while (to := seen(recordings, at, present).next) is not None and to < last - 3 * MINUTE_MS:
        assert to > at
        at = to
        marks.append(at)
    assert all(mark % MINUTE_MS == 0 for mark in marks)
    for before, mark in pairwise(marks):
        assert seen(recordings, mark, present).previous in range(before, mark)


def test_what_is_younger_is_whole_and_a_state_that_goes_on_stays(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    for _ in range(40):
        now.wait(DAY.total_seconds() / 2)
        box.say("b", str(now.at))
        box.write()
    thin(recordings, RULES, now.at)
    now.wait(6)
    box.write()
    young = now.ms() - int(13 * DAY.total_seconds() * 1000)
    assert seen(recordings, young, now.ms()).step_ms == 0
    assert texts(seen(recordings, young, now.ms()))["a"] == 1
    assert texts(seen(recordings, young - int(4 * DAY.total_seconds() * 1000), now.ms()))["a"] == 1


def test_a_recorder_goes_on_after_its_first_bodies_were_thinned_away(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    for value in range(30):
        box.say("a", f"old {value}")
        box.write()
        now.wait(1)
    now.wait(20 * DAY.total_seconds())
    box.write()
    thin(recordings, RULES, now.at)
    at = box.say("a", "new")
    now.wait(6)
    box.write()
    assert texts(seen(recordings, at, now.ms()))["a"] == "new"
    _all_whole(recordings)


def test_a_body_that_is_named_again_meanwhile_is_kept(recordings: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    shown = Box.say(box, "a", "seen again")
    now.wait(1)
    box.say("a", "other")
    now.wait(20 * DAY.total_seconds())
    box.write()
    fresh = thinning._named_since

    def meanwhile(connection: object, newest: int) -> set[bytes]:
        with recordings.connect() as other:
            row = other.execute(select(recording).where(recording.c.panel == past._number("a")).order_by(recording.c.id)).first()
        if row is not None and row.from_at < shown:
            raise AssertionError("the first state must be gone")
        connection.execute(insert(recording).values(  # type: ignore[attr-defined]
            panel=past._number("a"), shape=again.shape, props=again.props, limits=",", from_at=now.ms(), to_at=STILL
        ))
        return fresh(connection, newest)  # type: ignore[arg-type]

    with recordings.connect() as connection:
        again = connection.execute(select(recording).where(recording.c.from_at == shown, recording.c.panel == past._number("a"))).all()[-1]
    monkeypatch.setattr(thinning, "_named_since", meanwhile)
    thin(recordings, RULES, now.at)
    _all_whole(recordings)


def test_thinning_waits_for_the_recorder_and_commits_little_at_a_time(recordings: Engine) -> None:
    now = Clock()
    _half_an_hour(recordings, now)
    done = thin(recordings, RULES, now.at + 20 * DAY, rows_a_commit=5)
    assert done.longest_seconds > 0
    with recordings.connect() as connection:
        assert connection.execute(select(recorder_lease.c.holder)).scalar() == ""
        assert connection.execute(select(func.count()).select_from(thinned)).scalar() == 3


def test_a_killed_thinning_goes_on_where_it_was(recordings: Engine) -> None:
    now = Clock()
    shown = _half_an_hour(recordings, now)
    later = now.at + 20 * DAY
    done = thinning.Thinned()
    batches = thinning._batches(recordings, MINUTE_MS, int(later.timestamp() * 1000) - 14 * 86_400_000, 0, 9)
    last, gone = next(batches)
    done.commit(recordings, lambda connection: thinning._remove(connection, step=MINUTE_MS, until=1, last=last, gone=gone))
    thin(recordings, RULES, later)
    for at, said in shown.items():
        assert texts(seen(recordings, at, int(later.timestamp() * 1000))) == said
    _all_whole(recordings)


def test_the_shipped_rule_is_two_weeks_a_quarter_and_two_years() -> None:
    assert load(SHIPPED).recordings == RULES


@pytest.mark.parametrize(("declared", "key"), [
    ('stages = [{ after = "14 days", step = "90 seconds" }]', "stages"),
    ('stages = [{ after = "90 days", step = "1 minute" }, { after = "14 days", step = "10 minutes" }]', "stages"),
    ('stages = [{ after = "14 days", step = "4 minutes" }, { after = "90 days", step = "10 minutes" }]', "stages"),
    ('keep = "30 days"', "keep"),
    ('every = "1 minute"', "every"),
])
def test_a_rule_that_cannot_be_kept_is_refused_with_file_and_key(tmp_path: Path, declared: str, key: str) -> None:
    toy.declare(tmp_path)
    (tmp_path / "regency.toml").write_text(toy.DECLARED["regency.toml"] + f"[recordings]\n{declared}\n", encoding="utf-8")
    with pytest.raises(DeclarationError) as raised:
        load(tmp_path)
    assert "regency.toml" in str(raised.value)
    assert key in str(raised.value)


def test_the_instant_of_the_mock_ups_is_a_whole_minute() -> None:
    assert Clock().ms() % MINUTE_MS == 0
    assert datetime(2026, 11, 24, 2, 53, tzinfo=clock.UTC) == Clock().at
