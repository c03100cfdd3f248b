"""Each kind of source in good days and bad, for the inherited suite: one class per way in, real servers and files behind it."""

from __future__ import annotations

import csv
import os
import socket
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import xlsxwriter

from tests.agency_api import Agency, body, numbered, slow_body, status
from tests.collectors.portals import DATASTORE, Bpjs, GeoServer, Portal
from tests.servers import MariaDB

WANTED = {"id", "masuk"}
SECRET = "s3cret-canary"
HUGE = 200_000


def made(count: int) -> list[dict[str, Any]]:
    """Rows of an agency."""
    return [{"id": f"R{n:06d}", "masuk": "2026-11-24 08:00:00", "nama": f"Andi Canary {n}"} for n in range(count)]


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Rest:
    """JSON over HTTP with pages and a token."""

    kind = "rest"
    streams = True

    def __init__(self, agency: Agency, drop: Path) -> None:
        self.agency = agency

    def options(self, **more: Any) -> dict[str, Any]:
        return {
            "url": self.agency.url("/a?rahasia=" + SECRET), "records": "data", "auth": {"kind": "bearer", "secret": "token"},
            "pages": {"kind": "page", "param": "page", "size_param": "per_page", "size": 5000}, **more,
        }

    def good(self, count: int) -> dict[str, Any]:
        self.agency.answers["/a"] = numbered(made(count))
        return self.options()

    def unreachable(self) -> dict[str, Any]:
        return self.options(url=f"http://127.0.0.1:{free_port()}/a?rahasia={SECRET}")

    def refused(self) -> dict[str, Any]:
        self.agency.answers["/a"] = status(401)
        return self.options()

    def malformed(self) -> dict[str, Any]:
        self.agency.answers["/a"] = body(b'{"data": [{"id":')
        return self.options()

    def stuck(self) -> dict[str, Any]:
        self.agency.answers["/a"] = slow_body(self.agency)
        return self.options()


class _Portal:
    """A kind of its own over HTTP. ``paths``: where it is asked."""

    kind = ""
    streams = True
    root = ""

    def __init__(self, agency: Agency, drop: Path) -> None:
        self.agency = agency

    def paths(self) -> list[str]:
        return [DATASTORE]

    def options(self, **more: Any) -> dict[str, Any]:
        raise NotImplementedError

    def unreachable(self) -> dict[str, Any]:
        return self.options(url=f"http://127.0.0.1:{free_port()}{self.root}")

    def refused(self) -> dict[str, Any]:
        return self._with(status(403))

    def malformed(self) -> dict[str, Any]:
        return self._with(body(b'{"data": [{"id":'))

    def stuck(self) -> dict[str, Any]:
        return self._with(slow_body(self.agency))

    def _with(self, behaviour: Any) -> dict[str, Any]:
        self.agency.answers.update(dict.fromkeys(self.paths(), behaviour))
        return self.options()


class Ckan(_Portal):
    """A table in the datastore of a CKAN portal, behind a token."""

    kind = "ckan"

    def options(self, **more: Any) -> dict[str, Any]:
        auth = {"kind": "header", "name": "Authorization", "secret": "token"}
        return {"url": self.agency.url(""), "resource": "tabel", "size": 5000, "auth": auth, **more}

    def good(self, count: int) -> dict[str, Any]:
        Portal(made(count), token=SECRET).serve(self.agency)
        return self.options()


class Open311(_Portal):
    """A GeoReport server in JSON, asked by windows, with a key."""

    kind = "open311"
    huge = 100_000  # wider rows: as many bytes as the others
    form = "json"
    root = "/open311/v2"
    begins = datetime(2025, 1, 1, tzinfo=UTC)

    def paths(self) -> list[str]:
        return [f"{self.root}/requests.{self.form}"]

    def options(self, **more: Any) -> dict[str, Any]:
        return {
            "url": self.agency.url(self.root), "begins": "2025-01-01", "format": self.form, "api_key": {"secret": "token"}, **more,
        }

    def good(self, count: int) -> dict[str, Any]:
        apart = timedelta(days=600) / max(count, 1)
        rows = [
            {**row, "service_request_id": row["id"], "requested_datetime": (self.begins + apart * number).isoformat()}
            for number, row in enumerate(made(count))
        ]
        GeoServer(rows, key=SECRET).serve(self.agency)
        return self.options()


class Open311Xml(Open311):
    """The same in XML."""

    form = "xml"
    streams = False


class Antrean(_Portal):
    """BPJS Antrean: one measure, so that a clinic's row is one row."""

    kind = "antrean"
    huge = 100_000
    root = "/antreanrs"

    def paths(self) -> list[str]:
        today = date(2026, 11, 24)
        return [f"{self.root}/dashboard/waktutunggu/tanggal/{today - timedelta(days=back)}/waktu/rs" for back in range(93)]

    def options(self, **more: Any) -> dict[str, Any]:
        auth = {"kind": "hmac", "user": "4711", "secret": "token", "also": {"user_key": {"secret": "token"}}}
        return {"url": self.agency.url(self.root), "days": 93, "measures": ["task3"], "whole": False, "auth": auth, **more}

    def good(self, count: int) -> dict[str, Any]:
        server, rows, apart = Bpjs(), made(count), -(-count // 93) or 1
        for number, path in enumerate(reversed(self.paths())):
            day, part = path.split("/")[-3], rows[number * apart : (number + 1) * apart]
            server.days[day] = [{**row, "tanggal": day, "kodepoli": "BED", "avg_waktu_task3": 60, "waktu_task3": 60} for row in part]
        self.agency.answers.update(dict.fromkeys(self.paths(), server))
        return self.options()


class _Files:
    """Files in a drop folder."""

    kind = "tabular"
    streams = True
    suffix = ""

    def __init__(self, agency: Agency, drop: Path) -> None:
        self.drop = drop

    def file(self, name: str) -> Path:
        return self.drop / f"{name}{self.suffix}"

    def options(self, name: str) -> dict[str, Any]:
        return {"path": f"{name}{self.suffix}", "format": self.suffix[1:]}

    def unreachable(self) -> dict[str, Any]:
        return self.options("tidak-ada")

    def refused(self) -> dict[str, Any]:
        (self.drop.parent / "luar").write_text("id,masuk\n1,2\n")
        self.file("tautan").symlink_to(self.drop.parent / "luar")
        return self.options("tautan")

    def malformed(self) -> dict[str, Any]:
        self.file("rusak").write_bytes(b"<html><title>Masuk</title>" + b"\xff\xfe" * 50)
        return self.options("rusak")

    def stuck(self) -> dict[str, Any]:
        os.mkfifo(self.file("pipa"))
        return self.options("pipa")


class Csv(_Files):
    """A CSV drop."""

    suffix = ".csv"

    def good(self, count: int) -> dict[str, Any]:
        with self.file("baik").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["id", "masuk", "nama"])
            writer.writeheader()
            writer.writerows(made(count))
        return self.options("baik")


class Xlsx(_Files):
    """A workbook drop; a sheet is unpacked in memory, under a cap."""

    suffix = ".xlsx"
    streams = False

    def good(self, count: int) -> dict[str, Any]:
        with xlsxwriter.Workbook(self.file("baik")) as book:
            sheet = book.add_worksheet("Register")
            for number, row in enumerate([{"id": "id", "masuk": "masuk", "nama": "nama"}, *made(count)]):
                sheet.write_row(number, 0, list(row.values()))
        return self.options("baik")


class CsvByAddress:
    """A CSV behind an address."""

    kind = "tabular"
    streams = False

    def __init__(self, agency: Agency, drop: Path) -> None:
        self.agency = agency

    def options(self, **more: Any) -> dict[str, Any]:
        return {"url": self.agency.url("/a?rahasia=" + SECRET), "auth": {"kind": "bearer", "secret": "token"}, **more}

    def good(self, count: int) -> dict[str, Any]:
        lines = ["id,masuk,nama", *(",".join(row.values()) for row in made(count))]
        self.agency.answers["/a"] = body("\n".join(lines).encode(), "text/csv")
        return self.options()

    def unreachable(self) -> dict[str, Any]:
        return self.options(url=f"http://127.0.0.1:{free_port()}/a?rahasia={SECRET}")

    def refused(self) -> dict[str, Any]:
        self.agency.answers["/a"] = status(403)
        return self.options()

    def malformed(self) -> dict[str, Any]:
        self.agency.answers["/a"] = body(b"<html>\n<title>Masuk</title>", "text/html")
        return self.options()

    def stuck(self) -> dict[str, Any]:
        self.agency.answers["/a"] = slow_body(self.agency)
        return self.options()


class SqliteFile:
    """A database file of the agency."""

    kind = "sql"
    streams = True

    def __init__(self, agency: Agency, drop: Path) -> None:
        self.file = drop / "agency.sqlite"

    def options(self, query: str = "SELECT * FROM permohonan", **more: Any) -> dict[str, Any]:
        return {"url": f"sqlite:///{self.file}", "query": query, **more}

    def good(self, count: int) -> dict[str, Any]:
        with sqlite3.connect(self.file) as database:
            database.execute("CREATE TABLE permohonan (id TEXT, masuk TEXT, nama TEXT)")
            database.executemany("INSERT INTO permohonan VALUES (:id, :masuk, :nama)", made(count))
        database.close()
        return self.options()

    def unreachable(self) -> dict[str, Any]:
        return self.options(url="sqlite:///tidak-ada.sqlite")

    def refused(self) -> dict[str, Any]:
        self.good(1)
        return self.options("SELECT id, masuk FROM pragma_table_list, permohonan")

    def malformed(self) -> dict[str, Any]:
        self.good(1)
        return self.options("SELECT id, tanggal_masuk FROM permohonan")

    def stuck(self) -> dict[str, Any]:
        self.good(1)
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS id, '' AS masuk FROM n"
        return self.options(endless)


class _Server:
    """A database server with a table of the agency and a reader who may only read it."""

    kind = "sql"
    streams = True
    scheme = ""
    sleep = ""

    def __init__(self, port: int) -> None:
        self.port = port

    def options(self, query: str = "SELECT * FROM permohonan", user: str = "reader", port: int = 0, **more: Any) -> dict[str, Any]:
        url = f"{self.scheme}://{user}@127.0.0.1:{port or self.port}/agency"
        return {"url": url, "secret": "token", "query": query, **more}

    def unreachable(self) -> dict[str, Any]:
        return self.options(port=free_port())

    def refused(self) -> dict[str, Any]:
        return self.options(user="stranger")

    def malformed(self) -> dict[str, Any]:
        return self.options("SELECT id, tanggal_masuk FROM permohonan")

    def stuck(self) -> dict[str, Any]:
        return self.options(self.sleep)


class Maria(_Server):
    """MariaDB."""

    scheme = "mysql"
    sleep = "SELECT SLEEP(600) AS id, '' AS masuk"

    def __init__(self, server: MariaDB) -> None:
        super().__init__(server.port)
        self.server = server

    def prepare(self) -> None:
        """Database, table, reader; once per server."""
        with self.server.connect() as connection, connection.cursor() as cursor:
            for statement in (
                "CREATE DATABASE agency CHARACTER SET utf8mb4", "CREATE TABLE agency.permohonan (id TEXT, masuk TEXT, nama TEXT)",
                f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{SECRET}'", "GRANT SELECT ON agency.* TO reader@'127.0.0.1'",
            ):
                cursor.execute(statement)

    def good(self, count: int) -> dict[str, Any]:
        with self.server.connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("TRUNCATE agency.permohonan")
            cursor.executemany("INSERT INTO agency.permohonan VALUES (%(id)s, %(masuk)s, %(nama)s)", made(count))
        return self.options()


class Postgres(_Server):
    """PostgreSQL."""

    scheme = "postgresql"
    sleep = "SELECT pg_sleep(600)::text AS id, '' AS masuk"

    def admin(self, database: str) -> psycopg.Connection[Any]:
        """A connection as the owner."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True)

    def prepare(self, data: Path) -> None:
        """Database, table, a reader who needs a password; once per server."""
        with self.admin("postgres") as connection:
            connection.execute("CREATE DATABASE agency")
            connection.execute(f"CREATE USER reader PASSWORD '{SECRET}'")
        with self.admin("agency") as connection:
            connection.execute("CREATE TABLE permohonan (id text, masuk text, nama text)")
            connection.execute("GRANT SELECT ON permohonan TO reader")
            place = connection.execute("SHOW hba_file").fetchone()
            Path(place[0] if place else data).write_text(
                "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\nlocal all all trust\n"
            )
            connection.execute("SELECT pg_reload_conf()")

    def good(self, count: int) -> dict[str, Any]:
        with self.admin("agency") as connection:
            connection.execute("TRUNCATE permohonan")
            with connection.cursor().copy("COPY permohonan FROM STDIN") as copy:
                for row in made(count):
                    copy.write_row(tuple(row.values()))
        return self.options()

