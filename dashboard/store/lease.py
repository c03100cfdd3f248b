"""One leader at a time: a lease with a fencing token that grows with each take-over, so that a paused leader's late
write is refused (F12, F13)."""

from __future__ import annotations

import os
import socket
from datetime import datetime

from sqlalchemy import Connection, Engine, Table, select, update

from dashboard.errors import LeaseLost
from dashboard.store import dialect
from dashboard.store.engine import writing
from dashboard.store.tables import lease as figures_lease


def holder_name(role: str) -> str:
    """Who holds a lease: role, host and process."""
    return f"{role}@{socket.gethostname()}:{os.getpid()}"


def _gone(holder: str) -> bool:
    """Whether the holder ("role@host:pid" or "host:pid") was a process of this host that is gone: its lease may be taken."""
    where, _, pid = holder.rpartition("@")[2].rpartition(":")
    if where != socket.gethostname() or not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class Lease:
    """A named lease in a store's ``lease`` table, held by one process. ``ttl_seconds`` on the wall clock."""

    def __init__(
        self, engine: Engine, holder: str, *, ttl_seconds: float = 15, name: str = "leader", table: Table = figures_lease
    ) -> None:
        self.engine, self.holder, self.ttl, self.name, self.table = engine, holder, ttl_seconds, name, table
        self.token: int | None = None

    def acquire(self, now: datetime) -> int | None:
        """The fencing token, or ``None`` while another living holder has it."""
        at, table = now.timestamp(), self.table
        with writing(self.engine).begin() as connection:
            dialect.insert_many(  # the first of several that come at once makes the row, the others wait for it
                connection, table, ("name", "holder", "token", "expires_at"), [(self.name, "", 0, 0.0)], "ON CONFLICT DO NOTHING"
            )
            row = connection.execute(select(table).where(table.c.name == self.name).with_for_update()).one()
            if row.expires_at <= at or row.holder == "" or _gone(row.holder):
                self.token = row.token + 1
                connection.execute(update(table).where(table.c.name == self.name).values(
                    holder=self.holder, token=self.token, expires_at=at + self.ttl
                ))
            else:
                self.token = None
        return self.token

    def renew(self, now: datetime) -> bool:
        """Whether it is still ours; then it lasts ``ttl`` from now."""
        table = self.table
        with writing(self.engine).begin() as connection:
            done = connection.execute(
                update(table).where(table.c.name == self.name, table.c.token == self.token)
                .values(expires_at=now.timestamp() + self.ttl)
            )
            return done.rowcount == 1

    def release(self) -> None:
        """Give it back, if it is still ours."""
        if self.token is None:
            return
        table = self.table
        with writing(self.engine).begin() as connection:
            connection.execute(
                update(table).where(table.c.name == self.name, table.c.token == self.token).values(holder="", expires_at=0)
            )
        self.token = None


def leader(connection: Connection, now: datetime) -> int | None:
    """The fencing token of the living leader; ``None`` when there is none: released, run out, or its process gone."""
    row = connection.execute(select(figures_lease).where(figures_lease.c.name == "leader")).first()
    if row is None or row.holder == "" or row.expires_at <= now.timestamp() or _gone(row.holder):
        return None
    return int(row.token)


def fence(connection: Connection, token: int | None) -> None:
    """Inside a writing transaction: raises ``LeaseLost`` when ``token`` is no longer the leader's. ``None``: no leader."""
    if token is None:
        return
    held = connection.execute(
        select(figures_lease.c.token).where(figures_lease.c.name == "leader").with_for_update()
    ).scalar()
    if held != token:
        raise LeaseLost("another process leads now; this one stops writing", "proses lain kini memimpin; yang ini berhenti menulis")
