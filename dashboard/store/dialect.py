"""What differs between SQLite and PostgreSQL, and the fast paths: many rows at once, keys in bulk. Nothing else does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[tuple[Any, ...]]


@lru_cache(maxsize=256)
def _columns(table: Table, columns: tuple[str, ...]) -> tuple[str, str]:
    """PostgreSQL: the columns' names, and one array parameter for each, of its type."""
    types = [table.c[name].type.compile(postgresql.dialect()) for name in columns]  # type: ignore[no-untyped-call]
    return ", ".join(f'"{name}"' for name in columns), ", ".join(f"%s::{type_}[]" for type_ in types)


def insert_many(connection: Connection, table: Table, columns: Sequence[str], rows: Rows, conflict: str = "") -> None:
    """Insert tuples; ``conflict`` is what follows (``ON CONFLICT …``), the same words in both dialects.

    PostgreSQL takes all rows in one statement (a third less time for cells than one each): no two rows may have the same key
    where ``conflict`` updates.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        names, marked = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marked}) {conflict}', list(rows))
        return
    names, arrays = _columns(table, tuple(columns))
    statement = f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({arrays}) {conflict}'
    connection.exec_driver_sql(statement, tuple(map(list, zip(*rows, strict=True))))


def update_many(connection: Connection, table: Table, columns: Sequence[str], rows: Rows, where: str = "id") -> None:
    """Update by key: tuples of the columns' values and, last, the key's. No key twice."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        sets = ", ".join(f'"{name}" = ?' for name in columns)
        connection.exec_driver_sql(f'UPDATE "{table.name}" SET {sets} WHERE "{where}" = ?', list(rows))
        return
    names, arrays = _columns(table, (*columns, where))
    sets = ", ".join(f'"{name}" = given."{name}"' for name in columns)
    connection.exec_driver_sql(
        f'UPDATE "{table.name}" SET {sets} FROM unnest({arrays}) AS given ({names}) '
        f'WHERE "{table.name}"."{where}" = given."{where}"',
        tuple(map(list, zip(*rows, strict=True))),
    )


def delete_many(connection: Connection, table: Table, column: str, values: Sequence[Any]) -> None:
    """Delete the rows whose ``column`` is one of ``values``."""
    if not values:
        return
    head = f'DELETE FROM "{table.name}" WHERE "{column}"'
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"{head} = ?", [(value,) for value in values])
    else:
        connection.exec_driver_sql(f"{head} = ANY(%s)", (list(values),))


def add_to_cells(connection: Connection, table: Table, keys: Sequence[str], counts: Sequence[str], rows: Rows) -> None:
    """Add differences: a new row, or each count plus the difference."""
    sums = ", ".join(f'"{name}" = "{table.name}"."{name}" + excluded."{name}"' for name in counts)
    on = ", ".join(f'"{name}"' for name in keys)
    insert_many(connection, table, (*keys, *counts), rows, f"ON CONFLICT ({on}) DO UPDATE SET {sums}")


def by_keys(
    connection: Connection, table: Table, columns: Sequence[str], source: str, generation: int, keys: Iterable[bytes]
) -> Sequence[Any]:
    """Rows of a source's generation whose ``key`` is among ``keys``."""
    wanted = list(keys)
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "sqlite":
        where = f"key IN ({', '.join('?' * len(wanted))})"
        values: tuple[Any, ...] = (source, generation, *wanted)
        head = f'SELECT {names} FROM "{table.name}" WHERE source = ? AND generation = ? AND {where}'
    else:
        # One look into the unique index per key, whatever the planner believes: a first load has no statistics yet, and with
        # "key = ANY" each page scanned all that its source had brought before.
        head = (
            f'SELECT found.* FROM unnest(%s::bytea[]) AS wanted (key) CROSS JOIN LATERAL (SELECT {names} FROM "{table.name}" '
            'WHERE source = %s AND generation = %s AND key = wanted.key LIMIT 1) AS found'
        )
        values = (wanted, source, generation)
    return connection.exec_driver_sql(head, values).fetchall()


def upsert(connection: Connection, table: Table, keys: Sequence[str], row: dict[str, Any]) -> None:
    """Insert one row, or set its other columns where the key is there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(**row)
    others = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(keys), set_=others) if others
        else statement.on_conflict_do_nothing(index_elements=list(keys))
    )


def one_at_a_time(connection: Connection, what: str) -> None:
    """Hold a named lock until the transaction ends. SQLite: a writing transaction is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7322, hashtext(%s))", (what,))


def notify(connection: Connection, store: str) -> None:
    """PostgreSQL: wake those who listen, at commit. SQLite: they watch the file's data_version."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {store}_changed")
