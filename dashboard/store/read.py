"""One read of one source, written by difference: each page one transaction, the last with cursor, coverage and outcome.

A page is at most 5,000 cases: with commits of that size people's work waits 15 to 111 ms at the most.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, func, insert, select, update

from dashboard.cases import Case, Outcome, Rejected
from dashboard.clock import DAY, epoch, floors
from dashboard.errors import SourceUnavailable
from dashboard.store import dialect
from dashboard.store.changes import announce
from dashboard.store.contributions import Differences, Dims
from dashboard.store.dimensions import Dimensions
from dashboard.store.engine import writing
from dashboard.store.files import require_room
from dashboard.store.finishing import Finish, finish_state
from dashboard.store.generations import take_over
from dashboard.store.holds import Hold, hold_of, keep_back, let_go
from dashboard.store.lease import fence
from dashboard.store.staging import PAGE, Sighted
from dashboard.store.standing import Standing, note_standing
from dashboard.store.state import SourceState, state_of
from dashboard.store.tables import case, dirty, missed, rejected, revision, run, source_state
from dashboard.store.tables import cell as cells
from dashboard.store.tickets import keep_tickets
from dashboard.store.trouble import whole

if TYPE_CHECKING:
    from config.declarations import Source

TEN_KEPT_SECONDS = 14 * 7 * DAY
DERIVED = (
    "dim", "submitted_at", "accepted_at", "first_response_at", "ended_at", "ended_as", "closed_by", "class", "standard", "due_at",
    "elapsed_seconds", "worked_seconds", "on_time", "flags", "codes",
)
STORED = ("id", "key", "deleted_at", *DERIVED)
INSERTED = ("source", "generation", "key", *DERIVED, "first_run", "last_run")
AT = {name: number for number, name in enumerate(STORED)}


class Read:
    """A read under way. Begin it, give it pages, finish or fail it. Not safe for threads."""

    def __init__(
        self, engine: Engine, source: Source, *, run_id: int, state: SourceState, token: int | None, started: datetime,
        zone: ZoneInfo, what: str, highest: int, missed_before: frozenset[int] = frozenset(), hold: Hold | None = None,
    ) -> None:
        self.engine, self.source, self.run_id, self.state, self.token = engine, source, run_id, state, token
        self.started, self.zone, self.what = started, zone, what
        self.counts = {"rows_read": 0, "rows_new": 0, "rows_changed": 0, "rows_rejected": 0, "rows_deleted": 0, "pages": 0}
        self._dimensions = Dimensions(source.id)
        self._by_number: dict[int, Dims] = {}
        self.sighted = Sighted(engine, source.id, state.generation, highest)
        self.hold = hold
        self.tickets: tuple[Mapping[bytes, str], int] | None = None  # today's, by case key, and the end of their day
        self.standing: Standing | None = None  # the declarations under which all its cases stand after a whole read
        self._carry_from: int | None = None
        self._missed_before = missed_before
        self._months: dict[int, int] = {}

    @classmethod
    @whole
    def begin(
        cls, engine: Engine, source: Source, *, mode: str, token: int | None, now: datetime, declarations: str = "",
        zone: ZoneInfo, what: str = "collect",
    ) -> Read:
        """Write the run's row and take the source's state as it is. Raises ``LeaseLost`` when another one leads,
        ``StoreUnwritable`` when the disk has no room."""
        require_room(engine)
        with writing(engine).begin() as connection:
            fence(connection, token)
            state = state_of(connection, source.id)
            run_id = int(connection.execute(insert(run).values(
                source=source.id, what=what, mode=mode, token=token or 0, started_at=now.timestamp(), declarations=declarations
            ).returning(run.c.id)).scalar_one())
            highest = connection.execute(
                select(func.max(case.c.id)) if state.loaded_at or state.last_run_at else select(func.max(case.c.id)).where(
                    case.c.source == source.id)
            ).scalar()
            return cls(
                engine, source, run_id=run_id, state=state, token=token, started=now, zone=zone,
                what=what, highest=int(highest or 0), missed_before=frozenset(
                    connection.execute(select(missed.c.case).where(missed.c.source == source.id)).scalars()),
                hold=hold_of(connection, source.id),
            )

    def begin_generation(self, generation: int) -> None:
        """From here on cases are of this generation; those of the one before that come again go over to it."""
        self._carry_from = generation - 1
        self.state = replace(self.state, generation=generation)
        self.sighted.generation = generation

    # --- pages -----------------------------------------------------------------------------------------------------------

    @whole
    def page(
        self, cases: Sequence[Case], rejects: Sequence[Rejected] = (), *, position: Any = None, data_until: int | None = None
    ) -> None:
        """Store one page in one transaction: cases, cells, revisions, rejected rows, position, change.

        ``position``: JSON-able, how far this read has come. ``data_until``: until when all is known after this page, taken
        only from a source that delivers in order of time (``ordered``).
        """
        with self._transaction() as connection:
            what = self._write(connection, cases, rejects)
            self._note_progress(connection, position, data_until)
            connection.execute(update(run).where(run.c.id == self.run_id).values(**self.counts))
            if what:
                announce(connection, self.source.id, what)

    @whole
    def page_of(self, make: Callable[[Connection], Sequence[Case]]) -> int:
        """Like ``page``, of cases that ``make`` reads and makes inside the transaction, so that no other run comes between.

        Returns how many it made; with none, nothing is written.
        """
        with self._transaction() as connection:
            cases = make(connection)
            if cases:
                what = self._write(connection, cases, ())
                connection.execute(update(run).where(run.c.id == self.run_id).values(**self.counts))
                if what:
                    announce(connection, self.source.id, what)
        return len(cases)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A fenced writing transaction, the only one of its source: differences are against what the one before it left.

        When it fails, what was counted and learnt in it is forgotten as well.
        """
        counts, state = dict(self.counts), self.state
        try:
            with writing(self.engine).begin() as connection:
                fence(connection, self.token)
                dialect.one_at_a_time(connection, f"source {self.source.id}")
                yield connection
        except BaseException:
            self.counts, self.state = counts, state
            self._dimensions.forget()
            self._by_number.clear()
            raise

    def _note_progress(self, connection: Connection, position: Any, data_until: int | None) -> None:
        values: dict[str, Any] = {} if position is None else {"position": json.dumps(position)}
        if self.source.ordered and data_until is not None:
            self.state = replace(self.state, data_until=max(data_until, self.state.data_until or data_until))
            values["data_until"] = self.state.data_until
        if values:
            dialect.upsert(connection, source_state, ("source",), {"source": self.source.id, **values})

    def _write(self, connection: Connection, cases: Sequence[Case], rejects: Sequence[Rejected]) -> set[str]:
        """Write a page's rows; returns the words of what changed."""
        at = epoch(self.started)
        differences = Differences(self.zone, at - TEN_KEPT_SECONDS)
        if self._carry_from is not None:
            take_over(connection, self.source.id, old=self._carry_from, new=self.state.generation, cases=cases)
            dialect.upsert(
                connection, source_state, ("source",), {"source": self.source.id, "generation": self.state.generation})
        elif self.what == "collect":
            self._same_generation(connection)
        new, changes, revisions = self._compare(connection, cases, differences)
        dialect.insert_many(connection, case, INSERTED, new)
        dialect.update_many(connection, case, (*DERIVED, "last_run", "deleted_at"), changes)
        dialect.insert_many(connection, revision, ("case", "run", "at", "field", "before", "after"), revisions)
        dialect.insert_many(
            connection, rejected, ("source", "run", "at", "reason", "field", "page", "line", "key", "raw"),
            [(self.source.id, self.run_id, at, row.reason, row.field, row.page, row.line, row.key,
              json.dumps(row.raw, ensure_ascii=False, default=str)) for row in rejects],
        )
        cell_rows, earliest = differences.rows()
        dialect.add_to_cells(connection, cells, ("grain", "period", "dim"), _COUNTS, cell_rows)
        for name, count in (("rows_read", len(cases) + len(rejects)), ("rows_new", len(new)),
                            ("rows_changed", len(changes)), ("rows_rejected", len(rejects)), ("pages", 1)):
            self.counts[name] += count
        if not new and not changes:
            return set()
        return {"cases"} | ({"history"} if earliest is not None and earliest < floors(at, self.zone)[2] else set())

    def _same_generation(self, connection: Connection) -> None:
        """Raises ``SourceUnavailable`` when a new generation began while this read was under way: its ids are the old ones."""
        now = connection.execute(select(source_state.c.generation).where(source_state.c.source == self.source.id)).scalar()
        if now is not None and now != self.state.generation:
            raise SourceUnavailable(
                "a new generation of its ids began meanwhile; it is tried again by itself",
                "generasi id baru dimulai sementara itu; dicoba lagi dengan sendirinya", step="store",
            )

    def _compare(
        self, connection: Connection, cases: Sequence[Case], differences: Differences
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """New rows, changed rows and revisions of a page; what they change in cells goes into ``differences``."""
        latest = {item.key: item for item in cases}  # the last row of a page wins, as it does across pages
        self._dimensions.learn(connection, {item[1:6] for item in latest.values()})
        found = {
            bytes(row[AT["key"]]): row for row in dialect.by_keys(
                connection, case, STORED, self.source.id, self.state.generation, latest)
        } if self.sighted.highest or self.counts["pages"] else {}
        new: list[tuple[Any, ...]] = []
        changes: list[tuple[Any, ...]] = []
        revisions: list[tuple[Any, ...]] = []
        marks: set[tuple[int, str, str]] = set()
        known, add = self._dimensions.known, differences.add
        source, generation, run_id = self.source.id, self.state.generation, self.run_id
        for key, item in latest.items():
            dims = known[item[1:6]]
            values = (dims[0], *item[6:])
            before = found.get(key)
            if before is not None:
                self.sighted.mark(before[0])
                if before[3:] == values and before[2] is None:
                    continue
                self._take_back(connection, before, differences, marks)
                changes.append((*values, run_id, None, before[0]))
                revisions += self._revisions(before, values)
            else:
                new.append((source, generation, key, *values, run_id, run_id))
            add(1, dims, item.submitted_at, item.ended_at, item.ended_as, item.on_time, item.worked_seconds)
            self._mark_dirty(marks, item.agency, item.service, item[7:10])
        touch(connection, sorted(marks))
        if self._missed_before:  # seen again: the next complete read that lacks it is the first one anew
            again = sorted(self._missed_before & {row[0] for row in found.values()})
            dialect.delete_many(connection, missed, "case", again)
        return new, changes, revisions

    def _take_back(
        self, connection: Connection, before: Any, differences: Differences, marks: set[tuple[int, str, str]]
    ) -> None:
        """Take a stored case's contribution out of the cells; a deleted one has none."""
        if not self._by_number or before[AT["dim"]] not in self._by_number:
            self._by_number = self._dimensions.by_number(connection)
        if before[AT["deleted_at"]] is None:
            differences.add(
                -1, self._by_number[before[AT["dim"]]], before[AT["submitted_at"]], before[AT["ended_at"]],
                before[AT["ended_as"]], before[AT["on_time"]], before[AT["worked_seconds"]],
            )
        agency, service = self._dimensions.names_of(before[AT["dim"]])[:2]
        self._mark_dirty(marks, agency, service, before[AT["accepted_at"] : AT["ended_at"] + 1])

    def _mark_dirty(self, marks: set[tuple[int, str, str]], agency: str, service: str, stamps: Sequence[int | None]) -> None:
        """``stamps``: accepted, first response, ended: the months whose durations may change."""
        for stamp in stamps:
            if stamp is not None:
                month = self._months.get(stamp // 900)
                if month is None:
                    month = self._months[stamp // 900] = floors(stamp, self.zone)[3]
                marks.add((month, agency, service))

    def _revisions(self, before: Any, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        at = epoch(self.started)
        fields = [
            (self._shown(name, old), self._shown(name, value), name)
            for name, old, value in zip(DERIVED, before[3:], values, strict=True) if old != value
        ]
        if before[AT["deleted_at"]] is not None:
            fields.append((str(before[AT["deleted_at"]]), None, "deleted_at"))
        return [(before[0], self.run_id, at, name, old, new) for old, new, name in fields]

    def _shown(self, name: str, value: Any) -> str | None:
        if value is None:
            return None
        return "/".join(self._dimensions.names_of(value)) if name == "dim" else str(value)

    # --- the end ---------------------------------------------------------------------------------------------------------

    @whole
    def finish(
        self, *, outcome: Outcome, now: datetime, cursor: Any = None, data_until: int | None, covered: tuple[int, int] | None,
        complete: bool, span: tuple[int | None, int | None] | None = None, message: tuple[str, str] = ("", ""),
        signature: dict[str, Any] | None = None, last_page: tuple[Sequence[Case], Sequence[Rejected]] | None = None,
        reconciled: bool = False, gap_seconds: float | None = None,
    ) -> None:
        """The end of a good read, in one transaction with its last page.

        ``span``: the submissions (from, until) that this read saw whole; known cases inside it that it lacks are noted,
        and tombstoned when the complete read before lacked them too. ``covered``: what it vouches for. ``message``: (en, id).
        """
        with self._transaction() as connection:
            what = self._write(connection, *last_page) if last_page else set()
            if span is not None and complete:
                what |= self._tombstones(connection, span, epoch(now))
            if reconciled:  # it read every row: what it did not put aside again is mended, or gone
                connection.execute(
                    rejected.delete().where(rejected.c.source == self.source.id, rejected.c.run < self.run_id))
            let_go(connection, self.source.id)
            if self.tickets is not None:
                keep_tickets(connection, self.source.id, self.tickets[0], until=self.tickets[1], now=epoch(now))
            if reconciled and self.standing is not None:
                note_standing(connection, self.source.id, self.standing)
            finish_state(connection, Finish(
                source=self.source, state=self.state, run_id=self.run_id, counts=self.counts, outcome=outcome, now=now,
                started=self.started, zone=self.zone, cursor=cursor, data_until=data_until, covered=covered,
                complete=complete, message=message, signature=signature, reconciled=reconciled, gap_seconds=gap_seconds,
            ))
            announce(connection, self.source.id, what | {"state"})

    @whole
    def close(self, replayed: Sequence[int], now: datetime) -> None:
        """The end of a replay: its run's row, and the rows put aside (by number) that are mapped now are gone from there.

        The source's state stays: nothing was asked of it.
        """
        with self._transaction() as connection:
            dialect.delete_many(connection, rejected, "id", replayed)
            connection.execute(update(run).where(run.c.id == self.run_id).values(
                ended_at=now.timestamp(), outcome=Outcome.OK.value, **self.counts
            ))

    @whole
    def fail(
        self, outcome: Outcome, *, now: datetime, step: str, en: str, id: str, guard: str = "",
        counts: dict[str, int] | None = None,
    ) -> None:
        """The end of a read that was not good: cursor, coverage and figures stay as they were. ``guard``: what held it."""
        with self._transaction() as connection:
            if guard:
                keep_back(
                    connection, self.source.id, guard=guard, counts=counts or {}, message=(en, id), run=self.run_id, at=epoch(now)
                )
            finish_state(connection, Finish(
                source=self.source, state=self.state, run_id=self.run_id, counts=self.counts, outcome=outcome, now=now,
                started=self.started, zone=self.zone, message=(en, id), step=step,
            ))
            announce(connection, self.source.id, {"state"})

    def _tombstones(self, connection: Connection, span: tuple[int | None, int | None], at: int) -> set[str]:
        before = set(connection.execute(
            select(missed.c.case).where(missed.c.source == self.source.id, missed.c.run != self.run_id)  # not our own, done again
        ).scalars())
        absent = [identity for identity in self.sighted.known_in(connection, span) if not self.sighted.saw(identity)]
        accepted = self.hold is not None and self.hold.accepts_missing  # somebody looked: what is missing is gone
        again = absent if accepted else [identity for identity in absent if identity in before]
        if before:
            connection.execute(missed.delete().where(missed.c.source == self.source.id))
        dialect.insert_many(
            connection, missed, ("case", "source", "run"),
            [(identity, self.source.id, self.run_id) for identity in absent if identity not in before and not accepted],
        )
        if not again:
            return set()
        differences, marks = Differences(self.zone, epoch(self.started) - TEN_KEPT_SECONDS), set[tuple[int, str, str]]()
        for start in range(0, len(again), PAGE):
            part = again[start : start + PAGE]
            for row in connection.execute(select(*(case.c[name] for name in STORED)).where(case.c.id.in_(part))):
                self._take_back(connection, row, differences, marks)
            dialect.update_many(connection, case, ("deleted_at", "last_run"), [(at, self.run_id, i) for i in part])
            dialect.insert_many(
                connection, revision, ("case", "run", "at", "field", "before", "after"),
                [(identity, self.run_id, at, "deleted_at", None, str(at)) for identity in part],
            )
        dialect.add_to_cells(connection, cells, ("grain", "period", "dim"), _COUNTS, differences.rows()[0])
        touch(connection, sorted(marks))
        self.counts["rows_deleted"] += len(again)
        return {"cases", "history"}


def touch(connection: Connection, months: Sequence[tuple[Any, ...]]) -> None:
    """Mark (month, agency, service) as dirty: their histograms must be derived anew."""
    dialect.insert_many(
        connection, dirty, ("month", "agency", "service"), months,
        'ON CONFLICT ("month", "agency", "service") DO UPDATE SET "touched" = "dirty"."touched" + 1',
    )


_COUNTS = tuple(column.name for column in cells.c)[3:]
