"""The oracle: what must hold after every fault, whatever it was (I1 to I9 of the catalogue of faults).

``Oracle`` looks at the store by itself, never through the code under test but for ``verify``; each check names its invariant
in what it says when it fails. ``whole`` checks all that can be told from the store and the source's own ledger.
"""

from __future__ import annotations

import hmac
import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, func, select

from collectors.plan import CLOCK_SKEW_SECONDS
from config.loading import load
from dashboard.cases import Outcome
from dashboard.clock import epoch
from dashboard.store.engine import open_engine
from dashboard.store.state import SourceState, state_of
from dashboard.store.tables import case, cell, dimension, rejected, run
from dashboard.store.verify import verify

if TYPE_CHECKING:
    from datetime import timedelta

    from config.declarations import Regency
    from tests.product import Product

FIGURES = ("received", "completed", "cancelled", "backlog")
CANARIES = (b"Andi Rahasia", b"7322010101900001", b"Canary")
"""Persons in what the tests' sources serve: none of it may reach a disk."""
_CREDENTIAL = re.compile(r"://[^/\s]*:[^/\s]*@")


@dataclass(frozen=True)
class Picture:
    """What is shown of a source: its figures of all time, and the stamps that its age is told from."""

    figures: Counter[str]
    data_until: int | None
    cursor: Any
    loaded_at: int | None


@dataclass(frozen=True)
class Oracle:
    """One source in one store. ``data``: the product's data folder, where the pseudonyms' keys lie."""

    engine: Engine
    regency: Regency
    source: str
    data: Path

    @classmethod
    @contextmanager
    def of(cls, product: Product, source: str) -> Iterator[Oracle]:
        """Of the product as it runs in processes of its own."""
        engine = open_engine(f"sqlite:///{product.folder / 'var' / 'figures.sqlite'}")
        try:
            yield cls(engine, load(product.config), source, product.folder / "var")
        finally:
            engine.dispose()

    @property
    def state(self) -> SourceState:
        """The source's state."""
        with self.engine.connect() as connection:
            return state_of(connection, self.source)

    def pseudonym(self, identity: str) -> bytes:
        """The key under which a case of the source is stored."""
        return hmac.digest((self.data / "keys" / self.source).read_bytes(), identity.encode(), "sha256")[:16]

    def figures(self) -> Counter[str]:
        """The source's figures of all time, from the cells of months."""
        sums = {name: func.coalesce(func.sum(cell.c[name]), 0) for name in ("received", "completed", "cancelled", "opened", "left")}
        statement = select(*sums.values()).select_from(cell.join(dimension, dimension.c.id == cell.c.dim)).where(
            cell.c.grain == 3, dimension.c.source == self.source)
        with self.engine.connect() as connection:
            found = dict(zip(sums, map(int, connection.execute(statement).one()), strict=True))
        return Counter({
            "received": found["received"], "completed": found["completed"], "cancelled": found["cancelled"],
            "backlog": found["opened"] - found["left"],
        })

    def picture(self) -> Picture:
        """What is shown of the source now."""
        state = self.state
        return Picture(self.figures(), state.data_until, state.cursor, state.loaded_at)

    def keys(self) -> list[bytes]:
        """The keys of all stored cases, tombstoned ones too, of all generations."""
        with self.engine.connect() as connection:
            return [bytes(key) for key in connection.execute(select(case.c.key).where(case.c.source == self.source)).scalars()]

    # --- the invariants ------------------------------------------------------------------------------------------------------

    def nothing_lost(self, served: Collection[str]) -> None:
        """I1: every case that the source ever served is stored."""
        lost = {self.pseudonym(identity) for identity in served} - set(self.keys())
        assert not lost, f"I1: {len(lost)} of {len(served)} served cases are not stored"

    def nothing_doubled(self, counts: Mapping[str, int]) -> None:
        """I2: no case twice in a generation, and the figures are the ledger's."""
        statement = select(case.c.generation, case.c.key).where(case.c.source == self.source).group_by(
            case.c.generation, case.c.key).having(func.count() > 1)
        with self.engine.connect() as connection:
            assert connection.execute(statement).first() is None, "I2: a case is stored twice"
        told = {name: self.figures()[name] for name in FIGURES}
        assert told == {name: counts[name] for name in FIGURES}, f"I2: stored {told}, the source's ledger says {dict(counts)}"

    def last_good_kept(self, before: Picture) -> None:
        """I3: figures, age and cursor are what they were when all was well."""
        assert self.picture() == before, "I3: the last good figures, their age or the cursor have changed"

    def clear_text(self) -> None:
        """I4: the state says source, step and cause in both languages, without a credential, a person or a traceback."""
        state = self.state
        assert state.since is not None, "I4: since when is not said"
        for text in (state.message_en, state.message_id):
            assert text.startswith(f"{self.source}: "), f"I4: does not name its source first: {text!r}"
            assert len(text) > len(self.source) + 12, f"I4: says no cause: {text!r}"
            assert "Traceback" not in text
            assert "File \"" not in text
            assert not _CREDENTIAL.search(text), f"I4: a credential: {text!r}"
            assert not [canary for canary in CANARIES if canary in text.encode()], f"I4: a person: {text!r}"
        assert state.message_en != state.message_id, "I4: said in one language only"

    def put_aside(self, rows: int) -> None:
        """I5: so many rows are kept apart, each with reason, field and place, and without a person."""
        with self.engine.connect() as connection:
            found = connection.execute(select(rejected).where(rejected.c.source == self.source)).all()
        assert len(found) == rows, f"I5: {len(found)} rows put aside, expected {rows}"
        for row in found:
            assert row.reason, "I5: no reason"
            assert row.page or row.line, "I5: no place"
            assert not [canary for canary in CANARIES if canary in row.raw.encode()], "I5: a person among the rows put aside"

    def on_time(self, source: str, every: timedelta, *, starts: int = 2) -> None:
        """I6: another source kept its rhythm: no two runs of it began more than two intervals apart."""
        with self.engine.connect() as connection:
            begun = connection.execute(select(run.c.started_at).where(run.c.source == source).order_by(run.c.id)).scalars().all()
        assert len(begun) >= starts, f"I6: {source} ran only {len(begun)} times"
        longest = max(after - before for before, after in pairwise(begun))
        assert longest < 2 * every.total_seconds(), f"I6: {source} waited {longest:.1f} s"

    def healed(self) -> None:
        """I7: the last run was good and the source is not offline."""
        state = self.state
        assert state.outcome is not None
        assert Outcome(state.outcome).good, f"I7: still {state.outcome}: {state.message_en}"
        assert state.failures_in_row == 0
        assert state.offline_since is None, "I7: still offline"

    def cursor_honest(self, changes: Mapping[str, int]) -> None:
        """I9: the cursor is not beyond the newest change among the stored cases, nor beyond our clock.

        ``changes``: when the source says that each case changed last (id → epoch seconds); none where it does not say.
        """
        state = self.state
        since = (state.cursor or {}).get("since")
        if since is None:
            return
        assert since <= (state.last_run_at or 0) + CLOCK_SKEW_SECONDS, "I9: the cursor is beyond our clock"
        keys = set(self.keys())
        stored = [at for identity, at in changes.items() if self.pseudonym(identity) in keys]
        assert not changes or (stored and since <= max(stored)), "I9: the cursor is beyond the newest stored case"

    def verified(self) -> None:
        """What is stored is what the cases say."""
        differences = verify(self.engine, self.regency)
        assert not differences, f"verify finds {len(differences)} differences, such as {differences[0]}"

    def nobody_on_disk(self) -> None:
        """No person that a source served is in any file of the data folder."""
        for path in self.data.rglob("*"):
            found = [canary for canary in CANARIES if path.is_file() and canary in path.read_bytes()]
            assert not found, f"a person reached the disk: {path.name}"

    def whole(self, served: Collection[str], counts: Mapping[str, int], changes: Mapping[str, int] | None = None) -> None:
        """After a fault has ended and the source was read again: I1, I2, I7, I9, nothing personal stored, ``verify``."""
        self.nothing_lost(served)
        self.nothing_doubled(counts)
        self.healed()
        self.cursor_honest(changes or {})
        self.nobody_on_disk()
        self.verified()


@contextmanager
def bounded(*, seconds: float, megabytes: float = 64, spool: Path | None = None) -> Iterator[None]:
    """I8: what runs in the block takes no longer than its deadline, grows by no more memory, and leaves its spool empty."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, started = _memory("VmRSS"), time.monotonic()
    yield
    took, grown = time.monotonic() - started, _memory("VmHWM") - before
    assert took <= seconds, f"I8: took {took:.1f} s, the deadline is {seconds} s"
    assert grown <= megabytes, f"I8: grew by {grown:.0f} MiB"
    assert spool is None or not list(spool.iterdir()), "I8: the spool is not empty"


def _memory(name: str) -> float:
    """MiB of this process by its name in ``/proc/self/status``."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def changes_of(rows: Mapping[str, Mapping[str, Any]], column: str = "updated") -> dict[str, int]:
    """When each case of a ledger changed last, epoch seconds, from its aware ISO stamps."""
    return {identity: epoch(datetime.fromisoformat(row[column])) for identity, row in rows.items()}
