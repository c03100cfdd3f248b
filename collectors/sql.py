"""One SELECT on an agency's database: MariaDB/MySQL, PostgreSQL or SQLite. Reads only, bounded in time, rows streamed."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pymysql
import pymysql.cursors
from psycopg.rows import tuple_row
from pydantic import field_validator
from sqlalchemy.engine import URL, make_url

from collectors.connector import CONNECTORS, Connector, Options, Page, Reading
from collectors.http import checked_addresses
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

ROWS_A_PAGE = 2_000
CONNECT_SECONDS = 5
LOCK_WAIT_SECONDS = 5
PORTS = {"mysql": 3306, "postgresql": 5432}
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_REFUSED_MYSQL = {1044, 1045, 1142, 1143, 1227, 1698}
_CHANGED_MYSQL = {1049, 1054, 1064, 1146}


class SqlOptions(Options):
    """``url`` without its password (``mysql://user@host/db``, ``postgresql://…``, ``sqlite:///file``); ``secret``: its name.

    ``query``: one SELECT; ``:since`` is bound to the instant from which changes are wanted (1970 on a full read), as naive
    local time of the source. ``updated_at`` names the column by which the source tells its last change.
    """

    url: str
    secret: str | None = None
    query: str
    updated_at: str | None = None

    @field_validator("query")
    @classmethod
    def _one_select(cls, value: str) -> str:
        text = value.strip().rstrip(";")
        if not re.match(r"(?is)^(select|with)\b", text) or ";" in text:
            raise ValueError("the query must be one SELECT")
        if re.search(r"(?is)\binto\s+(outfile|dumpfile)\b", text):
            raise ValueError("the query must not write")
        return text

    @field_validator("url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        url = make_url(value)
        if url.get_backend_name() not in ("mysql", "mariadb", "postgresql", "sqlite"):
            raise ValueError("the address must begin with mysql://, postgresql:// or sqlite:///")
        if url.password:
            raise ValueError("the address must not hold the password; name it by secret")
        return value


def _since(reading: Reading) -> datetime:
    at = max(reading.since or 0.0, 0.0)
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(reading.timezone)).replace(tzinfo=None, microsecond=0)


def _where(url: URL) -> str:
    return url.render_as_string(hide_password=True).partition("?")[0]


def read_sql(reading: Reading) -> Iterator[Page]:
    """Pages of rows by column name, in the query's order. Values keep their types (dates, numbers)."""
    options: SqlOptions = reading.options
    url = make_url(options.url)
    backend = {"mariadb": "mysql"}.get(url.get_backend_name(), url.get_backend_name())
    where = _where(url)
    left = reading.deadline - time.monotonic()
    if left <= 0:
        raise SourceUnavailable(f"{where}: the run's deadline has passed", f"{where}: batas waktu telah lewat")
    if backend == "sqlite":
        yield from _sqlite(reading, options, url, where)
        return
    host, port = url.host or "localhost", url.port or PORTS[backend]
    address = checked_addresses(host, port, reading.networks, where)[0]
    password = reading.secret(options.secret) if options.secret else None
    reader = _mysql if backend == "mysql" else _postgresql
    yield from reader(reading, options, url, where, address, port, password, left)


def _pages(cursor: Any, names: list[str], wanted: frozenset[str], deadline: float, where: str) -> Iterator[Page]:
    keep = [(number, name) for number, name in enumerate(names) if name in wanted]
    total = 0
    while rows := cursor.fetchmany(ROWS_A_PAGE):
        if time.monotonic() > deadline:
            raise SourceUnavailable(
                f"{where}: the rows did not end before the run's deadline", f"{where}: baris belum habis sampai batas waktu"
            )
        total += len(rows)
        yield Page(rows=[{name: row[number] for number, name in keep} for row in rows], position={"rows": total})
    if total == 0:
        yield Page(rows=[], position={"rows": 0})


def _bound(query: str, mark: str) -> tuple[str, int]:
    """The query with the driver's parameter for each ``:since``, and how many there are (percent signs escaped)."""
    escaped = query.replace("%", "%%") if mark == "%s" else query
    return re.subn(r"(?<![:\w]):since\b", mark, escaped)


def _mysql(
    reading: Reading, options: SqlOptions, url: URL, where: str, address: str, port: int, password: str | None, left: float
) -> Iterator[Page]:
    query, uses = _bound(options.query, "%s")
    try:
        connection = pymysql.connect(
            host=address, port=port, user=url.username, password=password or "", database=url.database, charset="utf8mb4",
            connect_timeout=CONNECT_SECONDS, read_timeout=max(1, int(left)), write_timeout=CONNECT_SECONDS, local_infile=False,
            cursorclass=pymysql.cursors.SSCursor, autocommit=False,
        )
        try:
            with connection.cursor() as cursor:
                _mysql_limits(cursor, left)
                cursor.execute(query, (_since(reading),) * uses if uses else None)
                names = [column[0] for column in cursor.description or ()]
                yield from _pages(cursor, names, reading.wanted, reading.deadline, where)
        finally:
            connection.close()
    except pymysql.err.MySQLError as err:
        raise _mysql_error(where, err) from err


def _mysql_limits(cursor: Any, left: float) -> None:
    for statement in (
        f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}", f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}",
        f"SET SESSION max_statement_time = {max(1, int(left))}", f"SET SESSION MAX_EXECUTION_TIME = {max(1, int(left)) * 1000}",
    ):
        try:
            cursor.execute(statement)
        except pymysql.err.MySQLError as err:
            if err.args and err.args[0] != 1193:  # MariaDB and MySQL each lack one of these variables
                raise
    cursor.execute("START TRANSACTION READ ONLY")


def _mysql_error(where: str, err: pymysql.err.MySQLError) -> CollectError:
    code = err.args[0] if err.args and isinstance(err.args[0], int) else 0
    if code in _REFUSED_MYSQL:
        return _refused(where, str(code))
    if code in _CHANGED_MYSQL:
        return _changed(where, str(code))
    return _unavailable(where, str(code or type(err).__name__))


def _postgresql(
    reading: Reading, options: SqlOptions, url: URL, where: str, address: str, port: int, password: str | None, left: float
) -> Iterator[Page]:
    query, uses = _bound(options.query, "%s")
    limits = (f"-cdefault_transaction_read_only=on -cstatement_timeout={int(left * 1000)} "
              f"-clock_timeout={LOCK_WAIT_SECONDS * 1000}")
    try:
        with psycopg.connect(
            host=url.host, hostaddr=address, port=port, user=url.username, password=password, dbname=url.database,
            connect_timeout=CONNECT_SECONDS, options=limits,
        ) as connection:
            connection.read_only = True
            with connection.cursor(name="command_center", row_factory=tuple_row) as cursor:
                cursor.itersize = ROWS_A_PAGE
                cursor.execute(query, (_since(reading),) * uses if uses else None)
                names = [column.name for column in cursor.description or ()]
                yield from _pages(cursor, names, reading.wanted, reading.deadline, where)
    except psycopg.errors.InsufficientPrivilege as err:
        raise _refused(where, str(err.sqlstate)) from err
    except psycopg.OperationalError as err:
        refused = "password authentication failed" in str(err) or "no password supplied" in str(err)
        raise (_refused if refused else _unavailable)(where, str(err.sqlstate or type(err).__name__)) from err
    except psycopg.Error as err:
        state = str(err.sqlstate or "")
        kind = _changed if state.startswith(("42", "25", "22")) else _unavailable
        raise kind(where, state or type(err).__name__) from err


def _sqlite(reading: Reading, options: SqlOptions, url: URL, where: str) -> Iterator[Page]:
    """A database file of the agency, opened read-only, with an authorizer (``mode=ro`` alone lets ATTACH write elsewhere)."""
    file = Path(url.database or "")
    if not file.is_absolute():
        file = reading.drop / file
    if not file.is_file():
        raise SourceUnavailable(f"{where}: there is no such file", f"{where}: berkas tidak ada", step="connect")
    query, uses = _bound(options.query, "?")
    try:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=LOCK_WAIT_SECONDS)
        try:
            connection.set_authorizer(
                lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY
            )
            connection.set_progress_handler(lambda: int(time.monotonic() > reading.deadline), 100_000)
            cursor = connection.execute(query, (_since(reading).isoformat(sep=" "),) * uses)
            names = [column[0] for column in cursor.description]
            yield from _pages(cursor, names, reading.wanted, reading.deadline, where)
        finally:
            connection.close()
    except sqlite3.OperationalError as err:
        gone = "no such" in str(err)
        raise (_changed if gone else _unavailable)(where, str(err).partition(":")[0]) from err
    except sqlite3.DatabaseError as err:
        raise _changed(where, str(err).partition(":")[0]) from err


def _refused(where: str, code: str) -> SourceRejected:
    return SourceRejected(
        f"{where}: the database refuses the account ({code}); check its password and SELECT right (again in 15 minutes)",
        f"{where}: basis data menolak akun ({code}); periksa sandi dan hak SELECT (dicoba lagi dalam 15 menit)", step="connect",
    )


def _changed(where: str, code: str) -> SourceChanged:
    return SourceChanged(
        f"{where}: the query does not fit the database any more ({code}); was a table or column renamed?",
        f"{where}: kueri tidak cocok lagi dengan basis data ({code}); apakah tabel atau kolom berganti nama?", step="read",
    )


def _unavailable(where: str, code: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{where}: the database did not answer completely ({code}); it is tried again",
        f"{where}: basis data tidak menjawab lengkap ({code}); akan dicoba lagi", step="read",
    )


CONNECTORS.register("sql")(Connector(SqlOptions, read_sql))
