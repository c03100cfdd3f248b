"""A past moment of a screen: what it showed, by hash; where nobody recorded, that nothing is known."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select, update

from dashboard.live import past
from dashboard.live.bodies import BodyDamaged, pack, unpack
from dashboard.store.engine import writing
from dashboard.store.tables_recordings import body, recording, span
from tests.live.recorded import Box, Clock, seen, texts


def test_a_moment_is_the_screen_as_it_was_with_its_scene_and_layout(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    first = now.ms()
    now.wait(10)
    second = box.say("a", 812)
    now.wait(10)
    box.show("agencies", 2)
    third = now.wait(10)
    box.say("b", "seven")
    box.write()
    now.wait(10)
    box.write()
    assert texts(seen(recordings, first + 9_999, now.ms())) == {"a": 1, "b": 1}
    assert texts(seen(recordings, second, now.ms())) == {"a": 812, "b": 1}
    later = seen(recordings, third + 5_000, now.ms())
    assert texts(later) == {"a": 812, "b": "seven"}
    assert (later.gap, later.scene, later.build) == (None, {"page": 2, "pages": 1, "scene": "agencies"}, "first")
    assert json.loads(later.bodies[later.page])["instances"] == ["a", "b"]
    with recordings.connect() as connection:
        assert unpack(connection, bytes.fromhex(later.style)) == b".first {}"
        assert past.screens(connection) == ["west"]


def test_bodies_that_the_asker_has_are_not_given_again(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    now.wait(6)
    box.write()
    whole = seen(recordings, now.ms() - 1000, now.ms())
    with recordings.connect() as connection:
        again = past.moment(connection, "west", now.ms() - 1000, now=now.ms(), known=set(whole.bodies))
    assert again.bodies == {}
    assert again.panels == whole.panels


def test_a_step_goes_over_all_that_came_with_one_commit_and_back_again(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    first = now.ms()
    now.wait(5)
    box.say("a", 2)
    now.wait(0.12)
    second = box.say("b", 2)
    now.wait(5)
    third = box.say("a", 3)
    now.wait(7)
    box.write()
    assert seen(recordings, first, now.ms()).next == second
    assert seen(recordings, second, now.ms()).next == third
    assert seen(recordings, third, now.ms()).next is None
    assert seen(recordings, third + 2_000, now.ms()).previous == second
    assert seen(recordings, second, now.ms()).previous == first


@pytest.mark.parametrize(("ends", "why"), [("stop", "stopped"), ("write", "lost")])
def test_between_two_recorders_nothing_is_known_never_the_state_before(recordings: Engine, ends: str, why: str) -> None:
    now = Clock()
    one = Box(recordings, now)
    one.start()
    one.say("a", 812)
    begun = now.ms()
    end = now.wait(8)
    getattr(one, ends)()
    now.wait(3600)
    two = Box(recordings, now, holder="two@elsewhere:2", build="second")
    two.start()
    again = now.ms()
    now.wait(10)
    two.write()
    assert texts(seen(recordings, end - 1, now.ms())) == {"a": 812, "b": 1}
    for at in (end, end + 1_800_000, again - 1):
        found = seen(recordings, at, now.ms())
        assert found.gap == past.Gap(why, end, again)
        assert (found.panels, found.bodies, found.previous, found.next) == ([], {}, end - 1, again)
    assert seen(recordings, begun + 5000, now.ms()).next == end
    assert seen(recordings, again + 5000, now.ms()).previous == again - 1
    assert seen(recordings, again, now.ms()).build == "second"
    assert seen(recordings, begun - 1, now.ms()).gap == past.Gap("before", None, begun)


def test_what_is_not_written_yet_is_ahead_and_after_a_crash_lost(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    written = now.wait(6)
    box.write()
    now.wait(3)
    assert seen(recordings, now.ms() - 1000, now.ms()).gap == past.Gap("ahead", written, None)
    now.wait(600)
    assert seen(recordings, written + 300_000, now.ms()).gap == past.Gap("lost", written, None)


def test_a_recorder_that_stood_still_leaves_a_gap(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    box.recorder._round = now.ms()
    assert box.recorder._went_on()
    stood = now.wait(6)
    box.write()
    assert box.recorder._went_on()
    again = now.wait(240)
    assert not box.recorder._went_on()
    box.recorder.lease.release()
    box.recorder._lose()
    box.recorder._take_over()
    now.wait(1)
    box.write()
    assert seen(recordings, stood + 100_000, now.ms()).gap == past.Gap("lost", stood, again)
    assert texts(seen(recordings, again, now.ms())) == {"a": 1, "b": 1}


def test_a_write_that_fails_keeps_what_was_shown_for_the_next_one(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    with writing(recordings).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE body RENAME TO elsewhere")
    now.wait(5)
    at = box.say("a", 812)
    with pytest.raises(Exception, match="body"):
        box.write()
    with writing(recordings).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO body")
    now.wait(5)
    box.write()
    assert texts(seen(recordings, at, now.ms()))["a"] == 812


def _damage(engine: Engine, name: str, content: bytes | None) -> None:
    with writing(engine).begin() as connection:
        if content is None:
            connection.execute(body.delete().where(body.c.hash == bytes.fromhex(name)))
        else:
            connection.execute(update(body).where(body.c.hash == bytes.fromhex(name)).values(zstd=content))


@pytest.mark.parametrize("content", [pack(b'{"a--value":{"children":813}}'), b"\x00not packed at all", b"", None])
def test_a_damaged_body_is_said_and_its_panel_is_not_shown(recordings: Engine, content: bytes | None) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    at = box.say("a", 812)
    now.wait(6)
    box.write()
    whole = seen(recordings, at, now.ms())
    name = next(shown.props for shown in whole.panels if shown.panel == "a")
    _damage(recordings, name, content)
    found = seen(recordings, at, now.ms())
    assert found.damaged == ["a"]
    assert texts(found) == {"b": 1}
    with recordings.connect() as connection, pytest.raises(BodyDamaged, match="damaged") as raised:
        unpack(connection, bytes.fromhex(name))
    assert "rusak" in raised.value.id


def test_a_damaged_screen_shows_no_panel_at_all(recordings: Engine) -> None:
    now = Clock()
    box = Box(recordings, now)
    box.start()
    now.wait(6)
    box.write()
    _damage(recordings, seen(recordings, now.ms() - 1, now.ms()).page, b"\x00x")
    found = seen(recordings, now.ms() - 1, now.ms())
    assert (found.damaged, found.panels) == (["screen:west"], [])


def test_two_builds_at_once_leave_one_recorder_and_rows_that_do_not_overlap(recordings: Engine) -> None:
    now = Clock()
    one, two = Box(recordings, now), Box(recordings, now, holder="two@elsewhere:2", build="second")
    one.start()
    two.recorder._take_over()
    assert two.recorder.lease.token is None
    for number in range(5):
        now.wait(3)
        one.say("a", number)
        two.say("a", 100 + number)
        one.write()
    with recordings.connect() as connection:
        rows = connection.execute(select(recording).where(recording.c.panel == past._number("a")).order_by(recording.c.from_at)).all()
        assert [row.build for row in connection.execute(select(span))] == ["first"]
    assert [row.to_at for row in rows[:-1]] == [row.from_at for row in rows[1:]]
