"""What a screen showed at a past instant, from the black box: by hash of shape and props, or that nobody knows.

All instants are epoch milliseconds. Where no recorder was running nothing is known: the state before is never given for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, ScalarSelect, func, select, union_all

from dashboard.live.bodies import BodyDamaged, unpack
from dashboard.live.frames import encode
from dashboard.live.recorder import SCREEN
from dashboard.store.tables_recordings import recorded, recorder_lease, recording, span, thinned

TOGETHER_MS = 500
"""States that came within this time belong to one commit: a step goes over all of them."""


@dataclass(frozen=True)
class Gap:
    """Why nothing is known of an instant, and from when to when that is so (``None``: without an end on that side).

    ``why``: before (the first recording), stopped (in order), lost (cut off), ahead (not written yet), dropped (by age).
    """

    why: str
    from_at: int | None
    to_at: int | None


@dataclass(frozen=True)
class Shown:
    """One panel, or the screen itself, as recorded. ``limits``: late, stale (epoch seconds), failed."""

    panel: str
    shape: str
    props: str
    as_of: int | None
    limits: dict[str, Any]
    from_at: int


@dataclass
class Moment:
    """A screen at an instant. ``at``: the instant told, that of the state kept (``step_ms``: only one each so many is kept).

    ``page``: the body of the screen's shape; ``scene``: what was on; ``bodies``: hash → JSON, without those already known;
    ``damaged``: panels that must not be shown; ``previous``/``next``: where a step leads; ``until``: the next instant at
    which anything changes. ``gap`` is set when nothing is known; then there are no panels.
    """

    asked: int
    at: int
    screen: str
    step_ms: int = 0
    gap: Gap | None = None
    build: str = ""
    style: str = ""
    page: str = ""
    scene: dict[str, Any] | None = None
    panels: list[Shown] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    previous: int | None = None
    next: int | None = None
    until: int | None = None


def screens(connection: Connection) -> list[str]:
    """The names of all screens that were ever recorded."""
    names = connection.execute(select(recorded.c.name).where(recorded.c.name.startswith(SCREEN, autoescape=True))).scalars()
    return sorted(name.removeprefix(SCREEN) for name in names)


def bounds(connection: Connection) -> tuple[int, int] | None:
    """The first and the last recorded instant; ``None`` when nothing was recorded."""
    first, last = connection.execute(select(func.min(span.c.from_at), func.max(span.c.to_at))).one()
    return None if first is None else (max(int(first), _dropped(connection)), int(last))


def is_style(connection: Connection, name: bytes) -> bool:
    """Whether a hash is that of some build's style sheets."""
    return connection.execute(select(span.c.id).where(span.c.style == name).limit(1)).first() is not None


def settled(connection: Connection, at: int) -> tuple[int, int]:
    """(the instant whose state is kept, the step): the asked one, or, where it was thinned, the mark before it."""
    rows = connection.execute(select(thinned.c.step_ms).where(thinned.c.step_ms > 0, thinned.c.until_at > at)).scalars()
    step = max(rows, default=0)
    return (at // step * step if step else at), step


def _dropped(connection: Connection) -> int:
    return int(connection.execute(select(thinned.c.until_at).where(thinned.c.step_ms == 0)).scalar() or 0)


def gap_at(connection: Connection, at: int, now: int) -> Gap | None:
    """Why nothing is known at an instant; ``None`` when a recorder was running and has written it. ``now``: the present."""
    dropped = _dropped(connection)
    if at < dropped:
        return Gap("dropped", None, dropped)
    before = connection.execute(
        select(span).where(span.c.from_at <= at).order_by(span.c.from_at.desc(), span.c.id.desc()).limit(1)
    ).first()
    after = connection.execute(select(func.min(span.c.from_at)).where(span.c.from_at > at)).scalar()
    if before is None:
        return Gap("before", None, after)
    if at < before.to_at:
        return None
    if after is None and before.ended is None and _recording(connection, now):
        return Gap("ahead", before.to_at, None)
    return Gap(before.ended or "lost", before.to_at, after)


def _recording(connection: Connection, now: int) -> bool:
    """Whether some recorder's lease lasts."""
    until = connection.execute(select(recorder_lease.c.expires_at).where(recorder_lease.c.name == "recorder")).scalar()
    return until is not None and until * 1000 > now


def moment(connection: Connection, screen: str, at: int, *, now: int, known: Collection[str] = ()) -> Moment:
    """What a screen showed at an instant. ``now``: the present; ``known``: hashes of bodies that the asker has."""
    told, step = settled(connection, at)
    found = Moment(at, told, screen, step, gap_at(connection, told, now))
    if found.gap is not None:
        found.previous = None if found.gap.from_at is None else found.gap.from_at - 1
        found.next = found.until = found.gap.to_at
        return found
    over = connection.execute(
        select(span).where(span.c.from_at <= told).order_by(span.c.from_at.desc(), span.c.id.desc()).limit(1)
    ).one()
    found.build, found.style = over.build, bytes(over.style).hex()
    whole = _row(connection, SCREEN + screen, told)
    instances: Sequence[str] = ()
    if whole is not None:
        try:
            page = unpack(connection, bytes(whole.shape))
            found.scene = json.loads(unpack(connection, bytes(whole.props)))
            found.page = bytes(whole.shape).hex()
            found.bodies |= {} if found.page in known else {found.page: page}
            instances = json.loads(page)["instances"]
        except BodyDamaged:
            found.damaged.append(SCREEN + screen)
    for instance in instances:
        _add(connection, found, instance, known)
    _steps(connection, found, [*instances], over)
    return found


def _number(panel: str) -> ScalarSelect[int]:
    return select(recorded.c.id).where(recorded.c.name == panel).scalar_subquery()


def _limits(text: str, as_of: int | None) -> dict[str, Any]:
    """Epoch seconds by name from what is written after ``as_of``."""
    late, _, stale = text.rstrip("!").partition(",")
    found: dict[str, Any] = {name: int(value) + (as_of or 0) for name, value in (("late", late), ("stale", stale)) if value}
    return found | ({"failed": True} if text.endswith("!") else {})


def _row(connection: Connection, panel: str, at: int) -> Row[Any] | None:
    row = connection.execute(
        select(recording).where(recording.c.panel == _number(panel), recording.c.from_at <= at)
        .order_by(recording.c.from_at.desc(), recording.c.id.desc()).limit(1)
    ).first()
    return row if row is not None and row.to_at > at else None


def _add(connection: Connection, found: Moment, instance: str, known: Collection[str]) -> None:
    row = _row(connection, instance, found.at)
    if row is None:
        return
    shown = Shown(
        instance, bytes(row.shape).hex(), bytes(row.props).hex(), row.as_of, _limits(row.limits, row.as_of), row.from_at
    )
    bodies = {}
    for name in (row.shape, row.props):
        if bytes(name).hex() in known or bytes(name).hex() in found.bodies:
            continue
        try:
            bodies[bytes(name).hex()] = unpack(connection, bytes(name))
        except BodyDamaged:
            found.damaged.append(instance)
            return
    found.panels.append(shown)
    found.bodies |= bodies


def _changes(connection: Connection, panels: Sequence[str], where: Any, how: Any) -> list[int]:
    """Per panel the first or last start of a state that meets a condition."""
    if not panels:
        return []
    each = [select(how(recording.c.from_at).label("at")).where(recording.c.panel == _number(name), where) for name in panels]
    return [row.at for row in connection.execute(union_all(*each)) if row.at is not None]


def _steps(connection: Connection, found: Moment, instances: Sequence[str], over: Row[Any]) -> None:
    """Where a step forth and back leads: over the states of one commit, and never past the end of a span."""
    at, step, start = found.at, found.step_ms, recording.c.from_at
    first = min(_changes(connection, instances, start > at, func.min), default=None)
    if first is not None:
        first = max(_changes(connection, instances, (start >= first) & (start < first + TOGETHER_MS), func.max))
        found.next = _mark_after(first, step)
    if over.ended is not None and (found.next is None or found.next >= over.to_at):
        found.next = over.to_at
    turn = min(_changes(connection, [SCREEN + found.screen], start > at, func.min), default=None)
    found.until = min((_mark_after(one, step) for one in (first, turn) if one is not None), default=None)
    if over.ended is not None:
        found.until = min(found.until or over.to_at, over.to_at)
    newest = max(_changes(connection, instances, start <= at, func.max), default=None)
    if newest is not None:
        begun = min(_changes(connection, instances, (start > newest - TOGETHER_MS) & (start <= newest), func.min))
        before = max(_changes(connection, instances, start < begun, func.max), default=None)
        if before is not None:
            found.previous = (begun - 1) // step * step if step else before
    if found.previous is None or found.previous < over.from_at:
        found.previous = over.from_at - 1 if over.from_at > (found.previous or 0) else None


def _mark_after(at: int, step: int) -> int:
    """The first instant from ``at`` on whose state is kept."""
    return -(-at // step) * step if step else at


def answer(found: Moment, more: dict[str, Any]) -> bytes:
    """The moment as JSON; bodies go in as they were kept."""
    head = {
        "asked": found.asked, "at": found.at, "screen": found.screen, "step_ms": found.step_ms, "build": found.build,
        "style": found.style, "page": found.page, "scene": found.scene, "damaged": found.damaged,
        "previous": found.previous, "next": found.next, "until": found.until,
        "gap": None if found.gap is None else {"why": found.gap.why, "from": found.gap.from_at, "to": found.gap.to_at},
        "panels": {
            each.panel: {
                "shape": each.shape, "props": each.props, "as_of": each.as_of, "from": each.from_at, "limits": each.limits,
            } for each in found.panels
        }, **more,
    }
    bodies = b",".join(b'"%s":%s' % (name.encode(), body) for name, body in found.bodies.items())
    return encode(head)[:-1] + b',"bodies":{' + bodies + b"}}"
