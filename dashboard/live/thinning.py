"""Thins recordings by age, as declared: every change, then one state a minute, then one each ten minutes, then nothing.

What is kept of a thinned stretch is what was shown at each mark (each whole step); a row that lived between two marks goes.
The ledger ``thinned`` says how far each step has come: replay tells the time of the mark, never the one asked for. Commits
are small, and take the recorder's lease row, so that a body in use is never taken for one that nobody names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine, delete, func, literal, select

from config.declarations import RecordingRules
from dashboard.live.bodies import AGAINST, HASH_BYTES
from dashboard.store.dialect import upsert
from dashboard.store.engine import writing
from dashboard.store.tables_recordings import body, recorder_lease, recording, span, thinned

ROWS_A_COMMIT = 1000
BODIES_A_ROUND = 50_000
MINUTE_MS = 60_000
DROPPED = 0
"""The step of what is not kept at all."""


@dataclass
class Thinned:
    """What was removed, and how long the longest commit took (seconds)."""

    rows: int = 0
    bodies: int = 0
    longest_seconds: float = 0.0

    def commit(self, engine: Engine, work: Callable[[Connection], int]) -> int:
        """One small commit, in turn with the recorder; how many rows it removed."""
        began = time.perf_counter()
        with writing(engine).begin() as connection:
            connection.execute(select(recorder_lease.c.token).where(recorder_lease.c.name == "recorder").with_for_update()).first()
            done = work(connection)
        self.longest_seconds = max(self.longest_seconds, time.perf_counter() - began)
        return done


def thin(engine: Engine, rules: RecordingRules, now: datetime, *, rows_a_commit: int = ROWS_A_COMMIT) -> Thinned:
    """Bring the recordings to what the rules keep at ``now``. A killed run goes on where it was."""
    at = int(now.timestamp() * 1000)
    done = Thinned()
    for stage in rules.stages:
        _stage(engine, done, int(stage.step.total_seconds() * 1000), at - int(stage.after.total_seconds() * 1000), rows_a_commit)
    _stage(engine, done, DROPPED, at - int(rules.keep.total_seconds() * 1000), rows_a_commit)
    while done.rows and _sweep(engine, done, rows_a_commit):
        pass  # what others were packed against is free after them
    return done


def _stage(engine: Engine, done: Thinned, step: int, until: int, rows_a_commit: int) -> None:
    """Remove what a step does not keep of all that ended before ``until``; the ledger goes along with each commit.

    The ledger says ``until`` first: from then on replay gives marks only, which are there before and after.
    """
    until = until // (step or MINUTE_MS) * (step or MINUTE_MS)
    with engine.connect() as connection:
        before = connection.execute(select(thinned).where(thinned.c.step_ms == step)).first()
    position = 0 if before is None else int(before.last_id)
    if until <= (0 if before is None else before.until_at):
        return
    done.commit(engine, partial(_note, step=step, until=until, position=position))
    for last, gone in _batches(engine, step, until, position, rows_a_commit):
        done.rows += done.commit(engine, partial(_remove, step=step, until=until, last=last, gone=gone))


def _note(connection: Connection, *, step: int, until: int, position: int) -> int:
    upsert(connection, thinned, ("step_ms",), {"step_ms": step, "until_at": until, "last_id": position})
    return 0


def _remove(connection: Connection, *, step: int, until: int, last: int, gone: Sequence[int]) -> int:
    if gone:
        connection.execute(delete(recording).where(recording.c.id.in_(gone)))
    _note(connection, step=step, until=until, position=last)
    return len(gone)


def _batches(engine: Engine, step: int, until: int, position: int, size: int) -> Iterator[tuple[int, list[int]]]:
    """(position reached, rows to remove), row by row in the order of their numbers, which is that of their beginning.

    A state that goes on past ``until`` is shown at that mark, so no step comes back to it; what drops everything does, and
    its position stays before the first of those.
    """
    held = False
    seen = position
    while True:
        with engine.connect() as connection:
            rows = connection.execute(
                select(recording.c.id, recording.c.from_at, recording.c.to_at)
                .where(recording.c.id > seen).order_by(recording.c.id).limit(size)
            ).all()
        gone = []
        for row in rows:
            if row.from_at >= until:
                rows = []
                break
            seen = row.id
            over = row.to_at <= until
            held = held or (step == DROPPED and not over)
            if over and not _kept(row.from_at, row.to_at, step):
                gone.append(row.id)
            position = position if held else row.id
        if rows or gone:
            yield position, gone
        if not rows:
            return


def _kept(from_at: int, to_at: int, step: int) -> bool:
    """Whether a state was shown at some mark of a step."""
    return bool(step) and -(-from_at // step) * step < to_at


def _sweep(engine: Engine, done: Thinned, bodies_a_commit: int) -> bool:
    """Remove bodies that nothing names: no row, no span's styles, no body that is packed against them; whether any were."""
    before = done.bodies
    named = (
        select(recording.c.props).union_all(
            select(recording.c.shape), select(span.c.style),
            select(func.substr(body.c.zstd, 2, HASH_BYTES)).where(func.substr(body.c.zstd, 1, 1) == literal(AGAINST)),
        )
    ).subquery()
    with engine.connect() as connection:
        newest = int(connection.execute(select(func.max(recording.c.id))).scalar() or 0)
        free = select(body.c.hash).except_(select(named.c.props)).limit(BODIES_A_ROUND)
        orphans = [bytes(row[0]) for row in connection.execute(free)]
    for start in range(0, len(orphans), bodies_a_commit):
        names = orphans[start : start + bodies_a_commit]

        def work(connection: Connection, names: Sequence[bytes] = names) -> int:
            free = set(names) - _named_since(connection, newest)
            return connection.execute(delete(body).where(body.c.hash.in_(sorted(free)))).rowcount if free else 0

        done.bodies += done.commit(engine, work)
    return done.bodies > before


def _named_since(connection: Connection, newest: int) -> set[bytes]:
    """The bodies that rows after a number name, and those that these are packed against."""
    rows = connection.execute(
        select(recording.c.shape, recording.c.props, func.substr(body.c.zstd, 2, HASH_BYTES))
        .join(body, body.c.hash == recording.c.props).where(recording.c.id > newest)
    )
    return {bytes(name) for row in rows for name in row}
