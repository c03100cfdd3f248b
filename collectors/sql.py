"""One SELECT on an agency's database: MariaDB/MySQL, PostgreSQL or SQLite. Reads only, bounded in time, rows streamed."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from collectors.egress import checked_addresses
from collectors.rights import excess_mysql, excess_postgresql, warning
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

ROWS_A_PAGE = 2_000
MOST_ROWS = 10_000_000
"""A query with more rows lacks its condition (E4)."""
CONNECT_SECONDS = 5
LOCK_WAIT_SECONDS = 5
PORTS = {"mysql": 3306, "postgresql": 5432}
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_WRITES = re.compile(
    r"(?i)\b(into\s+(outfile|dumpfile|@)|for\s+update|lock\s+in\s+share|for\s+share|load_file\s*\(|load_extension\s*\()"
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$", re.DOTALL)
_REFUSED_MYSQL = {1044, 1045, 1142, 1143, 1227, 1698}
_CHANGED_MYSQL = {1049, 1054, 1064, 1146, 1305, 1356}
_NO_SUCH_VARIABLE = 1193


class SqlOptions(Options):
    """``url`` without its password (``mysql://user@host/db``, ``postgresql://…``, ``sqlite:///file``); ``secret``: its name.

    ``query``: one SELECT; ``:since`` is bound to the instant from which changes are wanted (1970 on a full read), as naive
    local time of the source. ``updated_at`` names the column by which the source tells its last change.
    ``ca_file``: the authority of the server's certificate; with it the connection is encrypted and checked.
    A SQLite file with a relative path lies below the drop root.
    """

    url: str
    secret: str | None = None
    query: str
    updated_at: str | None = None
    ca_file: str | None = None

    @field_validator("query")
    @classmethod
    def _one_select(cls, value: str) -> str:
        text = value.strip().rstrip(";").rstrip()
        bare = _QUOTED.sub(" ", text)
        if not re.match(r"(?is)^\s*(select|with)\b", bare) or ";" in bare:
            raise ValueError("the query must be one SELECT")
        if _WRITES.search(bare):
            raise ValueError("the query must not write, lock or read files")
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


@dataclass(frozen=True)
class _Place:
    """Where and as whom to connect. ``where`` is for messages; ``left``: seconds until the run's deadline."""

    options: SqlOptions
    url: URL
    where: str
    address: str
    port: int
    password: str | None
    left: float


def _since(reading: Reading) -> str:
    at = max(reading.since or 0.0, 0.0)
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(reading.timezone)).replace(tzinfo=None, microsecond=0).isoformat(" ")


def read_sql(reading: Reading) -> Iterator[Page]:
    """Pages of rows by column name, in the query's order. Values keep their types (dates, numbers)."""
    options: SqlOptions = reading.options
    url = make_url(options.url)
    backend = {"mariadb": "mysql"}.get(url.get_backend_name(), url.get_backend_name())
    where = url.render_as_string(hide_password=True).partition("?")[0]
    left = reading.deadline - time.monotonic()
    if left <= 0:
        raise SourceUnavailable(
            f"{where}: the run's deadline has passed; it is tried again", f"{where}: batas waktu telah lewat; akan dicoba lagi"
        )
    if backend == "sqlite":
        yield from _sqlite(reading, options, url, where)
        return
    host, port = url.host or "localhost", url.port or PORTS[backend]
    address = checked_addresses(host, port, reading.networks, where)[0]
    password = reading.secret(options.secret) if options.secret else None
    place = _Place(options, url, where, address, port, password, left)
    yield from (_mysql if backend == "mysql" else _postgresql)(reading, place)


def _pages(
    cursor: Any, names: list[str], reading: Reading, where: str, warned: tuple[str, str] | None = None
) -> Iterator[Page]:
    keep = [(number, name) for number, name in enumerate(names) if name in reading.wanted]
    columns = frozenset(names)
    total = 0
    while rows := cursor.fetchmany(ROWS_A_PAGE):
        if time.monotonic() > reading.deadline:
            raise SourceUnavailable(
                f"{where}: the rows did not end before the run's deadline; narrow the query, or declare a longer deadline",
                f"{where}: baris belum habis sampai batas waktu; persempit kueri, atau nyatakan deadline yang lebih panjang",
            )
        total += len(rows)
        if total > MOST_ROWS:
            raise SourceChanged(
                f"{where}: the query has more than {MOST_ROWS} rows; narrow it by a condition",
                f"{where}: kueri menghasilkan lebih dari {MOST_ROWS} baris; persempit dengan syarat", step="read",
            )
        yield Page(
            rows=[{name: row[number] for number, name in keep} for row in rows], position={"rows": total}, columns=columns,
            warning=warned,
        )
    if total == 0:
        yield Page(rows=[], position={"rows": 0}, columns=columns, warning=warned)


def _bound(query: str, mark: str) -> tuple[str, int]:
    """The query with the driver's parameter for each ``:since`` outside of quotes, and how many there are.

    Percent signs are escaped only where the driver reads them, that is with a parameter.
    """
    parts: list[str] = []
    at = uses = 0
    for quoted in [*_QUOTED.finditer(query), None]:
        bare, count = re.subn(r"(?<![:\w]):since\b", "\0", query[at : quoted.start() if quoted else len(query)])
        parts += [bare, quoted[0] if quoted else ""]
        uses += count
        at = quoted.end() if quoted else len(query)
    text = "".join(parts)
    return (text.replace("%", "%%") if mark == "%s" and uses else text).replace("\0", mark), uses


def _mysql(reading: Reading, place: _Place) -> Iterator[Page]:
    query, uses = _bound(place.options.query, "%s")
    try:
        connection = pymysql.connect(
            host=place.address, port=place.port, user=place.url.username, password=place.password or "",
            database=place.url.database, charset="utf8mb4", connect_timeout=CONNECT_SECONDS, read_timeout=max(1, int(place.left)),
            write_timeout=CONNECT_SECONDS, local_infile=False, cursorclass=pymysql.cursors.SSCursor, autocommit=False,
            defer_connect=True, ssl={"ca": place.options.ca_file} if place.options.ca_file else None,
        )
        try:
            made = socket.create_connection((place.address, place.port), timeout=CONNECT_SECONDS)
            made.settimeout(None)
            connection.host = place.url.host or place.address  # the name is what a certificate is checked against
            connection.connect(made)
            cursor = connection.cursor()
            try:
                warned = warning(excess_mysql(cursor))
                _mysql_limits(cursor, place.left, reading)
                cursor.execute(query, (_since(reading),) * uses if uses else None)
                names = [column[0] for column in cursor.description or ()]
                yield from _pages(cursor, names, reading, place.where, warned)
            finally:
                _let_go(cursor)
        finally:
            if connection.open:
                connection.close()
    except pymysql.err.MySQLError as err:
        raise _mysql_error(place.where, err) from err
    except OSError as err:
        raise _unavailable(place.where, type(err).__name__, step="connect") from err
    except RuntimeError as err:  # the driver's word for a server that asks for a file of ours (E10)
        raise SourceChanged(
            f"{place.where}: the server asked for a local file instead of answering; it is given none. Is it the right server?",
            f"{place.where}: server meminta berkas lokal, bukan menjawab; tidak diberikan. Apakah ini server yang benar?",
        ) from err


def _let_go(cursor: Any) -> None:
    """Leave an unread result behind: closing the cursor would first read it to its end, however long."""
    result = getattr(cursor, "_result", None)
    if result is not None:
        result.unbuffered_active = False
        result.connection = None
    cursor.connection = None


def _mysql_limits(cursor: Any, left: float, reading: Reading) -> None:
    """Bounds of this session only. MariaDB and MySQL each lack one of the two statement timeouts."""
    seconds = max(1, int(left))
    offset = datetime.now(ZoneInfo(reading.timezone)).strftime("%z")
    for statement in (
        f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}", f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}",
        f"SET SESSION max_statement_time = {seconds}", f"SET SESSION MAX_EXECUTION_TIME = {seconds * 1000}",
        f"SET SESSION time_zone = '{offset[:3]}:{offset[3:]}'",
    ):
        try:
            cursor.execute(statement)
        except pymysql.err.MySQLError as err:
            if err.args and err.args[0] != _NO_SUCH_VARIABLE:
                raise
    cursor.execute("START TRANSACTION READ ONLY")


def _mysql_error(where: str, err: pymysql.err.MySQLError) -> CollectError:
    code = err.args[0] if err.args and isinstance(err.args[0], int) else 0
    if code in _REFUSED_MYSQL:
        return _refused(where, str(code))
    if code in _CHANGED_MYSQL:
        return _changed(where, _naming(str(code), str(err.args[1]) if len(err.args) > 1 else ""))
    return _unavailable(where, str(code or type(err).__name__))


def _naming(code: str, said: str) -> str:
    """The code with the column or table that the server names (E7); what else it says may hold a row's content."""
    found = re.search(r"(?i)(?:column|table|view|relation|function|procedure) ['\"`]?([\w.]{1,80})", said)
    return f"{code}: {found[1]}" if found else code


def _postgresql(reading: Reading, place: _Place) -> Iterator[Page]:
    query, uses = _bound(place.options.query, "%s")
    limits = (f"-cdefault_transaction_read_only=on -cstatement_timeout={int(place.left * 1000)} "
              f"-clock_timeout={LOCK_WAIT_SECONDS * 1000} -ctimezone={reading.timezone}")
    tls: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": place.options.ca_file} if place.options.ca_file else {}
    try:
        with psycopg.connect(
            host=place.url.host, hostaddr=place.address, port=place.port, user=place.url.username, password=place.password,
            dbname=place.url.database, connect_timeout=CONNECT_SECONDS, options=limits, **tls,
        ) as connection, _cut_at(reading.deadline, connection.fileno()):
            connection.read_only = True
            warned = warning(excess_postgresql(connection))
            with connection.cursor(name="command_center", row_factory=tuple_row) as cursor:
                cursor.itersize = ROWS_A_PAGE
                cursor.execute(query, (_since(reading),) * uses if uses else None)
                names = [column.name for column in cursor.description or ()]
                yield from _pages(cursor, names, reading, place.where, warned)
            connection.rollback()  # a function may write even in a read-only transaction (large objects, before 16)
    except psycopg.Error as err:
        raise _postgresql_error(place.where, err) from err


@contextmanager
def _cut_at(deadline: float, number: int) -> Iterator[None]:
    """Cut a connection at the deadline: the driver has no clock of its own for a server that stands still (E1)."""
    with socket.socket(fileno=os.dup(number)) as twin:

        def cut() -> None:
            try:
                twin.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

        timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _postgresql_error(where: str, err: psycopg.Error) -> CollectError:
    state = err.sqlstate or ""
    said = str(err)
    if "too many connections" in said or "connection slots are reserved" in said:  # without its code while connecting
        return _unavailable(where, "53300", step="connect")
    if state in ("42501", "28000", "28P01") or "authentication failed" in said or "no password supplied" in said:
        return _refused(where, state or "28P01")
    if state.startswith(("42", "25", "22")) or ("FATAL" in said and "does not exist" in said):
        return _changed(where, _naming(state or "3D000", err.diag.message_primary or ""))
    return _unavailable(where, state or type(err).__name__)


def _sqlite(reading: Reading, options: SqlOptions, url: URL, where: str) -> Iterator[Page]:
    """A database file of the agency, opened read-only, with an authorizer (``mode=ro`` alone lets ATTACH write elsewhere)."""
    file = reading.drop / (url.database or "")  # an absolute path stays as it is
    if not file.is_file():
        raise SourceUnavailable(
            f"{where}: there is no such file; check the path", f"{where}: berkas tidak ada; periksa jalurnya", step="connect"
        )
    query, uses = _bound(options.query, "?")
    try:
        connection = sqlite3.connect(f"{Path(file).resolve().as_uri()}?mode=ro", uri=True, timeout=LOCK_WAIT_SECONDS)
        try:
            connection.set_authorizer(
                lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY
            )
            connection.set_progress_handler(lambda: int(time.monotonic() > reading.deadline), 100_000)
            cursor = connection.execute(query, (_since(reading),) * uses)
            names = [column[0] for column in cursor.description]
            yield from _pages(cursor, names, reading, where)
        finally:
            connection.close()
    except sqlite3.OperationalError as err:
        said = str(err)
        gone = said.startswith(("no such", "near ", "not authorized", "access to "))
        raise (_changed if gone else _unavailable)(where, said if said.startswith("no such") else said.partition(":")[0]) from err
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


def _unavailable(where: str, code: str, step: str = "read") -> SourceUnavailable:
    return SourceUnavailable(
        f"{where}: the database did not answer completely ({code}); it is tried again",
        f"{where}: basis data tidak menjawab lengkap ({code}); akan dicoba lagi", step=step,
    )


CONNECTORS.register("sql")(Connector(SqlOptions, read_sql))
