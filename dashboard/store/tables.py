"""The tables of the figures and people stores. All stamps are UTC epoch seconds, all periods half-open.

Those of recordings: ``tables_recordings.py``.
Each store is a file of its own (SQLite) or a schema of its own (PostgreSQL, by ``search_path``), so no table names a schema.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

Key = BigInteger().with_variant(Integer, "sqlite")  # an autoincrementing key is INTEGER in SQLite
Stamp = BigInteger

figures = MetaData()
people = MetaData()

# --- figures: written by the leader only ------------------------------------------------------------------------------

meta = Table(
    "meta", figures,
    Column("key", String, primary_key=True),  # "seq" (last change), "derived_under" (hash of the declarations) ...
    Column("value", Text, nullable=False),
)
changed = Table(  # seq is taken last in its transaction, under the lock on meta's "seq" row
    "changed", figures,
    Column("seq", Key, primary_key=True, autoincrement=False),
    Column("at", Stamp, nullable=False),  # epoch milliseconds: the commit's instant, for commit-to-paint
    Column("source", String, nullable=False),  # "" for what belongs to no source
    Column("what", String, nullable=False),  # space-separated: cases state gauges readings declarations lease
)
lease = Table(
    "lease", figures,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("token", Key, nullable=False),  # fencing token: grows with each take-over
    Column("expires_at", Float, nullable=False),
)
request = Table(  # what collect, recompute, close, restore ask of a living leader
    "request", figures,
    Column("id", Key, primary_key=True),
    Column("what", String, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("asked_at", Stamp, nullable=False),
    Column("taken_at", Stamp),
    Column("done_at", Stamp),
    Column("result", Text),
)
run = Table(
    "run", figures,
    Column("id", Key, primary_key=True),
    Column("source", String, nullable=False),
    Column("what", String, nullable=False),  # collect | reconcile | recompute | purge
    Column("mode", String, nullable=False),
    Column("token", Key, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("outcome", String),  # dashboard.cases.Outcome; NULL while running or when killed
    Column("step", String),
    Column("message_en", Text),
    Column("message_id", Text),
    Column("pages", Integer, nullable=False, server_default="0"),
    Column("rows_read", Integer, nullable=False, server_default="0"),
    Column("rows_new", Integer, nullable=False, server_default="0"),
    Column("rows_changed", Integer, nullable=False, server_default="0"),
    Column("rows_deleted", Integer, nullable=False, server_default="0"),
    Column("rows_rejected", Integer, nullable=False, server_default="0"),
    Column("declarations", String, nullable=False, server_default=""),
)
Index("run_by_source", run.c.source, run.c.id)
source_state = Table(
    "source_state", figures,
    Column("source", String, primary_key=True),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("cursor", Text),  # JSON: where an incremental read goes on; never beyond the last committed row
    Column("position", Text),  # JSON: pages committed of a read under way
    Column("loaded_at", Stamp),  # end of the first complete read; NULL while loading
    Column("data_until", Stamp),
    Column("last_run_at", Stamp),
    Column("last_good_at", Stamp),
    Column("last_complete_at", Stamp),  # start of the last good complete read
    Column("last_reconcile_at", Stamp),
    Column("last_new_at", Stamp),  # last run that brought a new or changed row
    Column("outcome", String),
    Column("since", Stamp),  # since when that outcome
    Column("message_en", Text),
    Column("message_id", Text),
    Column("failures_in_row", Integer, nullable=False, server_default="0"),
    Column("goods_in_row", Integer, nullable=False, server_default="0"),
    Column("offline_since", Stamp),
    Column("next_run_at", Stamp),
    Column("durations", Text),  # JSON: last run durations, seconds
    Column("gaps", Text),  # JSON: last gaps between new rows, service-hour seconds
    Column("signature", Text),  # JSON: fields seen in the last accepted read, for the guards
)
dimension = Table(
    "dimension", figures,
    Column("id", Key, primary_key=True),
    Column("source", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("service", String, nullable=False),
    Column("channel", String, nullable=False),  # "*" in the dimension of ten-minute cells
    Column("district", String, nullable=False),  # code, "", "?" or "outside"; "*" likewise
    Column("kind", String, nullable=False),
    UniqueConstraint("source", "agency", "service", "channel", "district", "kind", name="dimension_whole"),
)
case = Table(
    "case", figures,
    Column("id", Key, primary_key=True),
    Column("source", String, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("dim", Key, nullable=False),
    Column("submitted_at", Stamp, nullable=False),
    Column("accepted_at", Stamp),
    Column("first_response_at", Stamp),
    Column("ended_at", Stamp),
    Column("ended_as", String),
    Column("closed_by", String),
    Column("class", String),
    Column("standard", String),
    Column("due_at", Stamp),
    Column("elapsed_seconds", Stamp),
    Column("worked_seconds", Stamp),
    Column("on_time", Boolean),
    Column("flags", Integer, nullable=False, server_default="0"),
    Column("codes", Text, nullable=False),
    Column("first_run", Key, nullable=False),
    Column("last_run", Key, nullable=False),  # the last run that changed it
    Column("deleted_at", Stamp),
    UniqueConstraint("source", "generation", "key", name="case_key"),
)
Index(  # durations of any window up to 31 days, without touching the table
    "case_ended", case.c.ended_at, case.c.dim, case.c.elapsed_seconds, case.c.worked_seconds, case.c.standard,
    case.c.ended_as, case.c.on_time, case.c.deleted_at,  # SQLite covers a query only if the condition's column is in it too
    sqlite_where=text("ended_at IS NOT NULL AND deleted_at IS NULL"),
    postgresql_where=text("ended_at IS NOT NULL AND deleted_at IS NULL"),
)
Index(  # the open ones: overdue, due soon, waiting, complaint clocks
    "case_open", case.c.due_at, case.c.dim, case.c.submitted_at, case.c.accepted_at, case.c.first_response_at,
    case.c.ended_as, case.c.deleted_at,
    sqlite_where=text("ended_as IS NULL AND deleted_at IS NULL"),
    postgresql_where=text("ended_as IS NULL AND deleted_at IS NULL"),
)
Index("case_due", case.c.due_at, case.c.dim, case.c.ended_at,  # kept_rate: those due in a period
      sqlite_where=text("due_at IS NOT NULL AND deleted_at IS NULL"),
      postgresql_where=text("due_at IS NOT NULL AND deleted_at IS NULL"))
Index("case_accepted", case.c.accepted_at, case.c.dim, case.c.submitted_at, case.c.deleted_at,  # waits
      sqlite_where=text("accepted_at IS NOT NULL AND deleted_at IS NULL"),
      postgresql_where=text("accepted_at IS NOT NULL AND deleted_at IS NULL"))
Index("case_submitted", case.c.source, case.c.submitted_at)
COUNTS = ("received", "completed", "completed_on_time", "completed_judged", "cancelled", "opened", "left", "worked_seconds")
"""What a cell counts. ``completed_judged``: completed with ``on_time`` known, the base of ``on_time_rate``."""
cell = Table(
    "cell", figures,
    Column("grain", SmallInteger, primary_key=True),  # GRAINS below
    Column("period", Stamp, primary_key=True),  # start of the period
    Column("dim", Key, primary_key=True),
    *(Column(count, BigInteger, nullable=False, server_default="0") for count in COUNTS),
    sqlite_with_rowid=False,
)
GRAINS = {"ten": 0, "hour": 1, "day": 2, "month": 3}
histogram = Table(
    "histogram", figures,
    Column("month", Stamp, primary_key=True),
    Column("agency", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("measure", String, primary_key=True),  # elapsed | standard | share | wait | response
    Column("slice", String, primary_key=True),  # "" for all, else a district
    Column("unit", String, primary_key=True),  # of the values: hours, working days, share ...
    Column("counts", LargeBinary, nullable=False),
    Column("n", BigInteger, nullable=False),
)
dirty = Table(  # months × services whose histograms must be derived anew
    "dirty", figures,
    Column("month", Stamp, primary_key=True),
    Column("agency", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("touched", Integer, nullable=False, server_default="1"),  # grows with each touch: deriving takes off only what it saw
)
gauge = Table(
    "gauge", figures,
    Column("at", Stamp, primary_key=True),
    Column("source", String, primary_key=True),
    Column("agency", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("value", Float, nullable=False),
    Column("derived", Boolean, nullable=False),  # filled from the cases after a load or a gap
    sqlite_with_rowid=False,
)
reading = Table(
    "reading", figures,
    Column("source", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("grain", String, primary_key=True),
    Column("period", Stamp, primary_key=True),
    Column("agency", String, nullable=False),
    Column("value", Float),
    Column("published_at", Stamp),
    Column("run", Key, nullable=False),
)
covered = Table(
    "covered", figures,
    Column("source", String, primary_key=True),
    Column("day", Stamp, primary_key=True),  # local midnight
    Column("from_at", Stamp, nullable=False),
    Column("to_at", Stamp, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("run", Key, nullable=False),
)
revision = Table(
    "revision", figures,
    Column("id", Key, primary_key=True),
    Column("case", Key, nullable=False),
    Column("run", Key, nullable=False),
    Column("at", Stamp, nullable=False),
    Column("field", String, nullable=False),
    Column("before", Text),
    Column("after", Text),
)
Index("revision_by_case", revision.c.case)
rejected = Table(
    "rejected", figures,
    Column("id", Key, primary_key=True),
    Column("source", String, nullable=False),
    Column("run", Key, nullable=False),
    Column("at", Stamp, nullable=False),
    Column("reason", String, nullable=False),
    Column("field", String, nullable=False),
    Column("page", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("key", LargeBinary(16)),
    Column("raw", Text, nullable=False),
)
Index("rejected_by_source", rejected.c.source, rejected.c.run)
missed = Table(  # cases that the last complete read of their span lacked: one more such read and they are tombstoned
    "missed", figures,
    Column("case", Key, primary_key=True),
    Column("source", String, nullable=False),
    Column("run", Key, nullable=False),
)
hold = Table(  # a read that a guard keeps back, until the source heals or somebody decides
    "hold", figures,
    Column("source", String, primary_key=True),
    Column("guard", String, nullable=False),  # count | ids | identity | fields
    Column("since", Stamp, nullable=False),
    Column("run", Key, nullable=False),  # the run that was held last
    Column("counts", Text, nullable=False),  # JSON: what the guard counted
    Column("message_en", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("decision", String),  # accept | new generation | reject; NULL: waits for one
    Column("generation", Integer),  # the one that a "new generation" starts
    Column("decided_at", Stamp),
    Column("who", String),
    Column("why", Text),
)
ticket = Table(  # numbers of visitors' tickets, kept until the end of their day
    "ticket", figures,
    Column("source", String, primary_key=True),
    Column("key", LargeBinary(16), primary_key=True),
    Column("ticket", String, nullable=False),
    Column("until", Stamp, nullable=False),
)

# --- people: written by schedule and serve in short commits -------------------------------------------------------------

people_changed = Table(
    "changed", people,
    Column("seq", Key, primary_key=True),
    Column("at", Stamp, nullable=False),
    Column("what", String, nullable=False),
)
device = Table(
    "device", people,
    Column("id", String, primary_key=True),
    Column("place", String, nullable=False),
    Column("zone", String, nullable=False),  # wall | tour
    Column("screen", String, nullable=False),
    Column("added_at", Stamp, nullable=False),
    Column("revoked_at", Stamp),
    Column("last_seen_at", Stamp),
    Column("network", Text, nullable=False, server_default=""),  # space-separated networks it may come from; "" for any
    Column("copied_at", Stamp),  # a rotated token of it was used again: its cookie was copied
)
device_session = Table(
    "device_session", people,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("device", String, nullable=False),
    Column("issued_at", Stamp, nullable=False),
    Column("expires_at", Stamp, nullable=False),
    Column("revoked_at", Stamp),
    Column("follows", LargeBinary(32)),  # the session that it takes over from
    Column("used_at", Stamp),  # first use of one that takes over; NULL until its browser has it
    Column("replaced_at", Stamp),  # when a successor was used first: it lasts 24 hours from then
)
link_code = Table(
    "link_code", people,
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("device", String, nullable=False),
    Column("issued_at", Stamp, nullable=False),
    Column("expires_at", Stamp, nullable=False),
    Column("used_at", Stamp),
)
mode_override = Table(  # a mode switched on by hand, at most one for each group of screens
    "mode_override", people,
    Column("screen_group", String, primary_key=True),
    Column("mode", String, nullable=False),
    Column("from_at", Stamp, nullable=False),  # epoch milliseconds
    Column("until_at", Stamp, nullable=False),
    Column("who", String, nullable=False),
)
pairing = Table(  # a code that an unknown wall shows, until somebody approves it and the wall fetches its token
    "pairing", people,
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("claim_hash", LargeBinary(32), nullable=False, unique=True),  # of the secret that only that page knows
    Column("zone", String, nullable=False),
    Column("asked_at", Stamp, nullable=False),
    Column("expires_at", Stamp, nullable=False),
    Column("device", String),
    Column("claimed_at", Stamp),
)
wall = Table(  # the last render receipt of each device, and whether its stream is open
    "wall", people,
    Column("device", String, primary_key=True),
    Column("at", Stamp),  # when the receipt came; NULL: none yet
    Column("receipt", Text, nullable=False, server_default="{}"),  # JSON: dashboard.queries.walls.Receipt
    Column("faults", Text, nullable=False, server_default="{}"),  # JSON: fault → since when
    Column("stream_since", Stamp),  # NULL: none is open
    Column("stream_at", Stamp),  # when a serve process last saw it open
)
wall_hour = Table(  # a short history: what the receipts of an hour said
    "wall_hour", people,
    Column("device", String, primary_key=True),
    Column("hour", Stamp, primary_key=True),
    Column("receipts", Integer, nullable=False),
    Column("troubled", Integer, nullable=False),  # of these, with a fault
    Column("behind_seconds", Integer, nullable=False),  # at most
    Column("heap_bytes", BigInteger, nullable=False),  # at most; 0 where the browser does not tell
)
viewing = Table(  # a read-only look at recordings: one screen, with an end; opened by a single-use link
    "viewing", people,
    Column("id", String, primary_key=True),
    Column("who", String, nullable=False),
    Column("screen", String, nullable=False),
    Column("at", Stamp, nullable=False),  # epoch milliseconds: the moment that it opens with
    Column("issued_at", Stamp, nullable=False),
    Column("lasts_seconds", Integer, nullable=False),
    Column("code_hash", LargeBinary(32), nullable=False, unique=True),
    Column("code_until", Stamp, nullable=False),
    Column("used_at", Stamp),
    Column("token_hash", LargeBinary(32), unique=True),
    Column("ends_at", Stamp),  # from its opening; NULL: not opened yet
    Column("revoked_at", Stamp),
)
audit = Table(  # append-only (a trigger refuses UPDATE and DELETE), each row hashed with the one before
    "audit", people,
    Column("id", Key, primary_key=True),
    Column("at", Stamp, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
