"""OpenSID villages in OpenKab's merged database: ids that count per village, replies as rows of the complaints' own table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from dashboard.cases import Outcome
from tests.examples.conftest import LOOPBACK, Example

LETTERS, COMPLAINTS = "desa-surat", "desa-pengaduan"
PASSWORD = "sandi"
TABLES = (
    "CREATE TABLE config (id int PRIMARY KEY, nama_desa varchar(50), kode_desa varchar(10), kode_kecamatan varchar(6))",
    "CREATE TABLE tweb_surat_format (id int PRIMARY KEY, nama varchar(100), url_surat varchar(100))",
    "CREATE TABLE permohonan_surat (config_id int, id int, id_pemohon int, id_surat int, status int, created_at timestamp NULL, "
    "updated_at timestamp NULL, no_hp_aktif varchar(50), isian_form text, PRIMARY KEY (config_id, id))",
    "CREATE TABLE pengaduan (config_id int, id int, id_pengaduan int, status int, nik varchar(16), nama varchar(50), isi text, "
    "created_at timestamp NULL, updated_at timestamp NULL, PRIMARY KEY (config_id, id))",
)
VILLAGES = [(1, "Pincara", "7322032001", "732203"), (2, "Tanamakaleang", "7322072003", "732207"), (3, "Tetangga", "7317012001", "731701")]
FORMATS = [(1, "Surat Keterangan Usaha", "surat-keterangan-usaha"), (2, "Surat Pengantar", "surat-pengantar")]
REQUESTS = [  # village, id, format, status, created, updated
    (1, 1, 2, 3, "2026-11-02 08:00:00", "2026-11-02 10:00:00"),  # 2 h
    (1, 2, 2, 1, "2026-11-24 08:05:00", "2026-11-24 08:05:00"),
    (1, 3, 2, 5, "2026-11-03 08:00:00", "2026-11-03 09:00:00"),  # cancelled
    (2, 1, 1, 4, "2026-11-02 09:00:00", "2026-11-03 09:00:00"),  # 24 h; the same id in another village
    (2, 2, 9, 0, "2026-11-05 09:00:00", "2026-11-05 09:00:00"),  # a format that was deleted
    (3, 1, 2, 3, "2026-11-05 08:00:00", "2026-11-05 08:30:00"),  # 0.5 h, a village of a neighbour
    (3, 2, 2, 1, None, "2026-11-05 08:30:00"),  # no date of the request
]
REPORTS = [  # village, id, id of the complaint (none: it is one), status, created, updated
    (1, 1, None, 3, "2026-11-02 08:00:00", "2026-11-04 08:00:00"), (1, 2, 1, 3, "2026-11-02 20:00:00", "2026-11-04 08:00:00"),
    (1, 3, 1, 3, "2026-11-03 08:00:00", "2026-11-04 08:00:00"),
    (2, 1, None, 1, "2026-11-03 12:05:00", "2026-11-03 12:05:00"),
    (2, 2, 99, 1, "2026-11-10 08:00:00", "2026-11-10 08:00:00"),  # a reply whose complaint is gone
    (3, 1, None, 2, "2026-11-23 08:00:00", "2026-11-23 09:00:00"), (3, 2, 1, 2, "2026-11-23 09:00:00", "2026-11-23 09:00:00"),
]


class Villages:
    """The merged database, on either engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def write(self, statement: str, *rows: Any) -> None:
        """One statement, once or for each row."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), [dict(zip("abcdefgh", row, strict=False)) for row in rows] or None)

    @property
    def address(self) -> str:
        """As an agency's administrator would declare it."""
        url = self.engine.url
        return f"{url.get_backend_name()}://command_center@127.0.0.1:{url.port}/{url.database}"


@pytest.fixture(params=["mysql", "postgresql"])
def villages(request: pytest.FixtureRequest) -> Iterator[Villages]:
    """OpenKab's MariaDB, and the same tables on PostgreSQL; a reader of its own on each."""
    if request.param == "mysql":
        server = request.getfixturevalue("maria")
        root = f"mysql+pymysql://root@localhost/?unix_socket={server.socket}&charset=utf8mb4"
        before = [
            "CREATE DATABASE openkab", f"CREATE OR REPLACE USER command_center@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            "GRANT SELECT ON openkab.* TO command_center@'127.0.0.1'",
        ]
        mine = f"mysql+pymysql://root@127.0.0.1:{server.port}/openkab?unix_socket={server.socket}&charset=utf8mb4"
        grants: list[str] = []
        clock = {"init_command": "SET time_zone = '+08:00'"}  # a TIMESTAMP is told in the zone of who asks; the villages write WITA
    else:
        root = request.getfixturevalue("postgres_url")
        before = ["CREATE DATABASE openkab", f"CREATE USER command_center PASSWORD '{PASSWORD}'"]
        mine = root.rpartition("/")[0] + "/openkab"
        grants = ["GRANT SELECT ON ALL TABLES IN SCHEMA public TO command_center"]
        clock = {}
    admin = create_engine(root, isolation_level="AUTOCOMMIT")
    made = create_engine(mine, connect_args=clock)
    with admin.connect() as connection:
        for statement in before:
            connection.execute(text(statement))
    with made.begin() as connection:
        for statement in (*TABLES, *grants):
            connection.execute(text(statement))
    found = Villages(made)
    found.write("INSERT INTO config VALUES (:a, :b, :c, :d)", *VILLAGES)
    found.write("INSERT INTO tweb_surat_format VALUES (:a, :b, :c)", *FORMATS)
    found.write("INSERT INTO permohonan_surat VALUES (:a, :b, 7, :c, :d, :e, :f, '0812-3456-7890', 'isian Canary')", *REQUESTS)
    found.write("INSERT INTO pengaduan VALUES (:a, :b, :c, :d, '7322010101900001', 'Andi Canary', 'isi Canary', :e, :f)", *REPORTS)
    yield found
    made.dispose()
    with admin.connect() as connection:
        for statement in ("DROP DATABASE openkab", "DROP USER command_center" + "@'127.0.0.1'" * (request.param == "mysql")):
            connection.execute(text(statement))
    admin.dispose()


@pytest.fixture
def here(villages: Villages, example: Callable[..., Example]) -> Example:
    """The example on that database."""
    addresses = {
        "mysql://command_center@10.30.0.8:3306/openkab": villages.address, 'network = ["10.30.0.0/16"]': LOOPBACK,
    }
    return example("opensid", addresses, openkab=PASSWORD)


def test_letters_of_all_villages_are_counted_once_and_by_their_district(here: Example) -> None:
    """The same id in two villages is two letters; the village's code decides the kecamatan, a neighbour's is outside."""
    result = here.collect(LETTERS)
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 6, 1)
    assert here.month(agency="dpmd") == {
        "received": 6, "completed": 3, "cancelled": 1, "backlog": 2, "processing_time_median": 2,
    }
    assert here.received_by("district", agency="dpmd") == {"73.22.03": 3, "73.22.07": 2, "outside": 1}
    assert here.received_by("service", agency="dpmd") == {"surat-desa": 5, "surat-usaha": 1}
    again = here.collect(LETTERS)
    assert (again.rows_new, again.rows_changed, again.rows_deleted) == (0, 0, 0)
    assert [word for word in (b"Canary", b"0812-3456", b"7322010101900001") if word in here.on_disk()] == []


def test_a_letter_that_changes_is_seen_at_once_and_one_that_is_deleted_by_the_reconcile(villages: Villages, here: Example) -> None:
    """C8 a letter reopened, C9 one deleted."""
    here.collect(LETTERS)
    villages.write("UPDATE permohonan_surat SET status = 3, updated_at = '2026-11-24 12:05:00' WHERE config_id = 1 AND id = 2")  # 4 h
    villages.write("UPDATE permohonan_surat SET status = 1, updated_at = '2026-11-24 12:06:00' WHERE config_id = 1 AND id = 1")
    villages.write("DELETE FROM permohonan_surat WHERE config_id = 2 AND id = 2")
    result = here.collect(LETTERS)
    assert (result.rows_changed, result.rows_deleted) == (2, 0)
    assert here.month(agency="dpmd") == {
        "received": 6, "completed": 3, "cancelled": 1, "backlog": 2, "processing_time_median": 4,
    }
    assert [here.collect(LETTERS, reconcile=True).rows_deleted for _ in range(2)] == [0, 1]
    assert here.month(agency="dpmd") == {
        "received": 5, "completed": 3, "cancelled": 1, "backlog": 1, "processing_time_median": 4,
    }
    assert here.differences() == 0


MORE = ("received", "completed", "backlog", "processing_time_median", "complaints_unanswered", "complaints_closed_followed")


def test_complaints_are_told_from_their_replies_and_answered_by_the_first(villages: Villages, here: Example) -> None:
    """A reply whose complaint is gone is put aside (B17); a complaint that is deleted takes its replies along (C9)."""
    result = here.collect(COMPLAINTS)
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 3, 1)
    assert here.month(agency="dpmd", service="pengaduan-desa", metrics=MORE) == {
        "received": 3, "completed": 1, "backlog": 2, "processing_time_median": 48, "complaints_unanswered": 1,
        "complaints_closed_followed": 1,
    }
    villages.write("UPDATE pengaduan SET status = 3, updated_at = '2026-11-24 12:05:00' WHERE config_id = 2 AND id = 1")  # 504 h
    villages.write("INSERT INTO pengaduan VALUES (2, 3, 1, 3, '', '', '', '2026-11-24 12:05:00', '2026-11-24 12:05:00')")
    villages.write("DELETE FROM pengaduan WHERE config_id = 3")
    assert [here.collect(COMPLAINTS).rows_deleted for _ in range(2)] == [0, 1]
    assert here.month(agency="dpmd", service="pengaduan-desa", metrics=MORE) == {
        "received": 2, "completed": 2, "backlog": 0, "processing_time_median": 276, "complaints_unanswered": 0,
        "complaints_closed_followed": 2,
    }
    assert here.differences() == 0
