"""The tables of the recordings store: what each panel said, when. Stamps are epoch milliseconds, periods half-open."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

from dashboard.store.tables import Key, Stamp

recordings = MetaData()

body = Table(  # what was drawn, once per hash, packed
    "body", recordings,
    Column("hash", LargeBinary(16), primary_key=True),
    Column("zstd", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
recorded = Table(  # names of panel instances, and of screens ("screen:west"): a row of a recording holds the number
    "recorded", recordings,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)
recording = Table(
    "recording", recordings,
    Column("id", Key, primary_key=True),
    Column("panel", Integer, nullable=False),
    Column("shape", LargeBinary(16), nullable=False),
    Column("props", LargeBinary(16), nullable=False),
    Column("as_of", Stamp),
    Column("limits", Text, nullable=False),  # "late,stale" as seconds after as_of, each may be empty; "!" after them: failed
    Column("from_at", Stamp, nullable=False),  # epoch milliseconds
    Column("to_at", Stamp, nullable=False),  # STILL while it goes on: a row that grew would leave its page half empty
)
STILL = 2**47 - 1
"""The end of what goes on."""
Index("recording_by_panel", recording.c.panel, recording.c.from_at)
span = Table(  # when a recorder was running: what lies between two of them was not recorded, and is never guessed
    "span", recordings,
    Column("id", Key, primary_key=True),
    Column("from_at", Stamp, nullable=False),  # epoch milliseconds
    Column("to_at", Stamp, nullable=False),  # written up to this instant; grows while it runs
    Column("build", String, nullable=False),
    Column("style", LargeBinary(16), nullable=False),  # the body that holds the style sheets of that build
    Column("ended", String),  # stopped | lost | NULL: runs, or was cut off at to_at
)
thinned = Table(  # up to which instant only the states at every so many milliseconds are kept; 0: nothing is
    "thinned", recordings,
    Column("step_ms", Stamp, primary_key=True, autoincrement=False),
    Column("until_at", Stamp, nullable=False),
    Column("last_id", Key, nullable=False),
)
recorder_lease = Table(
    "lease", recordings,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("token", Key, nullable=False),
    Column("expires_at", Float, nullable=False),
)
