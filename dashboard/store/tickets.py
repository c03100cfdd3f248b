"""Numbers of visitors' tickets: kept beside their cases until the end of the day, for the people who wait; never longer."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from dashboard.store import dialect
from dashboard.store.tables import ticket


def keep_tickets(connection: Connection, source: str, tickets: Mapping[bytes, str], *, until: int, now: int) -> None:
    """Keep a source's tickets (by case key) until the end of its day, and drop those whose day is over."""
    drop_tickets(connection, now)
    dialect.insert_many(
        connection, ticket, ("source", "key", "ticket", "until"), [(source, key, text, until) for key, text in tickets.items()],
        'ON CONFLICT ("source", "key") DO UPDATE SET "ticket" = excluded."ticket", "until" = excluded."until"',
    )


def drop_tickets(connection: Connection, now: int) -> None:
    """Drop the tickets whose day is over, of all sources."""
    connection.execute(delete(ticket).where(ticket.c.until <= now))


def tickets_of(connection: Connection, source: str, now: int) -> dict[bytes, str]:
    """Today's tickets of a source by case key."""
    rows = connection.execute(select(ticket.c.key, ticket.c.ticket).where(ticket.c.source == source, ticket.c.until > now))
    return {bytes(key): text for key, text in rows}
