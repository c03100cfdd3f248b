"""SIMRS Khanza: a real MariaDB with its tables, zero dates and deleted rows, read by a SELECT-only account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dashboard.cases import Outcome
from tests.examples.conftest import LOOPBACK, Example
from tests.servers import MariaDB

VISITS, LAB, PHARMACY = "rsud-khanza-kunjungan", "rsud-khanza-lab", "rsud-khanza-resep"
PASSWORD = "a reader's password"
TABLES = """
CREATE TABLE reg_periksa (no_rawat varchar(17) PRIMARY KEY, tgl_registrasi date, jam_reg time, kd_poli char(5),
  no_rkm_medis varchar(15), p_jawab varchar(100), stts enum('Belum','Sudah','Batal','Berkas Diterima','Dirujuk','Meninggal','Dirawat',
  'Pulang Paksa')) ENGINE=MyISAM DEFAULT CHARSET=latin1;
CREATE TABLE referensi_mobilejkn_bpjs_taskid (no_rawat varchar(17), taskid enum('1','2','3','4','5','6','7','99'), waktu datetime,
  PRIMARY KEY (no_rawat, taskid)) DEFAULT CHARSET=latin1;
CREATE TABLE pemeriksaan_ralan (no_rawat varchar(17), tgl_perawatan date, jam_rawat time, keluhan text,
  PRIMARY KEY (no_rawat, tgl_perawatan, jam_rawat)) DEFAULT CHARSET=latin1;
CREATE TABLE permintaan_lab (noorder varchar(15) PRIMARY KEY, no_rawat varchar(17), tgl_permintaan date, jam_permintaan time,
  tgl_sampel date, jam_sampel time, tgl_hasil date, jam_hasil time) DEFAULT CHARSET=latin1;
CREATE TABLE resep_obat (no_resep varchar(14) PRIMARY KEY, no_rawat varchar(17), tgl_peresepan date, jam_peresepan time,
  tgl_penyerahan date, jam_penyerahan time, status enum('ralan','ranap')) DEFAULT CHARSET=latin1
"""
VISITORS = [  # day and time of registration, clinic, status. What becomes of them stands in the rows below
    (1, "2026-11-20", "08:00:00", "INT", "Sudah"), (2, "2026-11-20", "08:10:00", "INT", "Sudah"),
    (3, "2026-11-20", "09:00:00", "ANA", "Batal"), (4, "2026-11-21", "23:30:00", "IGDK", "Dirawat"),
    (5, "2026-11-23", "08:00:00", "INT", "Belum"), (6, "2026-11-24", "08:00:00", "INT", "Belum"),
    (7, "2026-11-24", "08:20:00", "ANA", "Sudah"), (8, "0000-00-00", "00:00:00", "INT", "Belum"),
    (9, "2026-11-22", "10:00:00", "INT", "Sudah"), (10, "2026-11-20", "10:00:00", "INT", "Sudah"),
    (11, "2026-11-20", "10:30:00", "INT", "Berkas Diterima"),
]
TASKS = [
    (1, 3, "2026-11-20 08:05:00"), (1, 4, "2026-11-20 08:30:00"), (1, 5, "2026-11-20 09:00:00"), (1, 6, "2026-11-20 09:10:00"),
    (1, 7, "2026-11-20 09:25:00"),  # waited 30 min, 1 h in all: the pharmacy has a clock of its own
    (3, 99, "2026-11-20 12:00:01"),  # the instant of the poll
    (4, 4, "2026-11-21 23:40:00"), (4, 5, "2026-11-22 01:30:00"),  # 2 h, over midnight
    (6, 3, "2026-11-24 08:05:00"), (6, 4, "2026-11-24 09:00:00"),  # waited 60 min, is with the doctor
    (7, 5, "0000-00-00 00:00:00"),  # done, nobody knows when
    (9, 5, "2026-11-22 09:00:00"),  # before the registration
    (10, 5, "2026-11-20 10:30:00"), (11, 5, "2026-11-20 12:30:00"),  # 0.5 h and 2 h
]
EXAMINED = [(1, "2026-11-20", "09:00:00"), (2, "2026-11-20", "10:00:00"), (2, "2026-11-20", "09:10:00")]  # 2 has no tasks: 1 h
ORDERS = [
    ("PL1", "2026-11-20", "08:00:00", "2026-11-20", "08:10:00", "2026-11-20", "09:00:00"),  # 1 h
    ("PL2", "2026-11-20", "08:30:00", "2026-11-20", "08:40:00", "0000-00-00", "00:00:00"),
    ("PL3", "2026-11-22", "23:00:00", "0000-00-00", "00:00:00", "2026-11-23", "01:00:00"),  # 2 h
]
RECIPES = [
    ("R1", "2026-11-20", "09:10:00", "2026-11-20", "09:40:00", "ralan"),  # half an hour
    ("R2", "2026-11-20", "09:10:00", "2026-11-20", "09:20:00", "ranap"),
    ("R3", "2026-11-24", "09:10:00", "0000-00-00", "00:00:00", "ralan"),
]


def visit(number: int) -> str:
    """Khanza's number of a visit."""
    return f"2026/11/20/{number:06d}"


class Hospital:
    """The hospital's database, changed as its own program would."""

    def __init__(self, server: MariaDB) -> None:
        self.server = server

    def write(self, statement: str, *rows: tuple[Any, ...]) -> None:
        """One statement, once or for each row."""
        with self.server.connect(database="sik") as connection, connection.cursor() as cursor:
            cursor.executemany(statement, rows) if rows else cursor.execute(statement)
            connection.commit()


@pytest.fixture
def hospital(maria: MariaDB) -> Iterator[Hospital]:
    """A day's database."""
    with maria.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE sik DEFAULT CHARSET latin1")
        cursor.execute("CREATE OR REPLACE USER command_center@'127.0.0.1' IDENTIFIED BY %s", (PASSWORD,))
        cursor.execute("USE sik")
        for statement in TABLES.split(";\n"):
            cursor.execute(statement)
            cursor.execute(f"GRANT SELECT ON sik.{statement.split()[2]} TO command_center@'127.0.0.1'")
    made = Hospital(maria)
    made.write("INSERT INTO reg_periksa VALUES (%s, %s, %s, %s, '000123', 'Andi Rahasia-Canary', %s)",
               *((visit(number), *rest) for number, *rest in VISITORS))
    made.write("INSERT INTO referensi_mobilejkn_bpjs_taskid VALUES (%s, %s, %s)", *((visit(n), str(t), at) for n, t, at in TASKS))
    made.write("INSERT INTO pemeriksaan_ralan VALUES (%s, %s, %s, 'keluhan Canary')", *((visit(n), *rest) for n, *rest in EXAMINED))
    made.write("INSERT INTO permintaan_lab VALUES (%s, 'x', %s, %s, %s, %s, %s, %s)", *ORDERS)
    made.write("INSERT INTO resep_obat VALUES (%s, 'x', %s, %s, %s, %s, %s)", *RECIPES)
    yield made
    with maria.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP DATABASE sik")


@pytest.fixture
def here(hospital: Hospital, example: Callable[..., Example]) -> Example:
    """The example on that database."""
    addresses = {"10.20.0.5:3306": f"127.0.0.1:{hospital.server.port}", 'network = ["10.20.0.0/16"]': LOOPBACK}
    return example("khanza", addresses, rsud_khanza=PASSWORD)


COUNTS = ("received", "completed", "backlog", "processing_time_median")
WAITS = ("waiting_time_median", "waiting_time_p90")


def test_visits_are_put_together_from_registrations_tasks_and_examinations(here: Example) -> None:
    """D1 naive local times in two columns, D7 zero dates as NULL, D5 an end before its begin."""
    result = here.collect(VISITS)
    assert (result.outcome, result.rows_new, result.rows_rejected) == (Outcome.OK, 10, 0)
    assert here.month(agency="rsud", service="rawat-jalan", metrics=COUNTS) == {
        "received": 9, "completed": 5, "backlog": 2, "processing_time_median": 1,
    }
    assert here.month(agency="rsud", service="rawat-jalan", metrics=WAITS) == {"waiting_time_median": 45, "waiting_time_p90": 57}
    assert here.month(agency="rsud", service="igd", metrics=COUNTS) == {
        "received": 1, "completed": 1, "backlog": 0, "processing_time_median": 2,
    }
    again = here.collect(VISITS)
    assert (again.rows_new, again.rows_changed, again.rows_deleted) == (0, 0, 0)
    assert here.differences() == 0
    assert [word for word in (b"Canary", b"000123", b"2026/11/20") if word in here.on_disk()] == []


def test_laboratory_and_pharmacy_have_clocks_of_their_own(here: Example) -> None:
    assert [here.collect(source).outcome for source in (LAB, PHARMACY)] == [Outcome.OK, Outcome.OK]
    assert here.month(agency="rsud", service="laboratorium", metrics=COUNTS) == {
        "received": 3, "completed": 2, "backlog": 1, "processing_time_median": 1.5,
    }
    assert here.month(agency="rsud", service="resep", metrics=COUNTS) == {
        "received": 2, "completed": 1, "backlog": 1, "processing_time_median": 0.5,
    }


def test_tasks_that_bpjs_rejected_and_deleted_registrations_leave_no_trace_in_the_figures(
    hospital: Hospital, here: Example
) -> None:
    """C8 a visit's end taken back and sent again, C9 a registration deleted, C10 an older end corrected."""
    here.collect(VISITS)
    hospital.write("DELETE FROM referensi_mobilejkn_bpjs_taskid WHERE no_rawat = %s AND taskid = '5'", (visit(4),))
    hospital.write("DELETE FROM reg_periksa WHERE no_rawat = %s", (visit(5),))
    hospital.write("INSERT INTO referensi_mobilejkn_bpjs_taskid VALUES (%s, '5', '2026-11-24 11:30:00')", (visit(6),))  # 3.5 h
    hospital.write("UPDATE reg_periksa SET stts = 'Sudah' WHERE no_rawat = %s", (visit(6),))
    hospital.write(  # older than the window: seen by the reconcile only
        "UPDATE referensi_mobilejkn_bpjs_taskid SET waktu = '2026-11-20 09:30:00' WHERE no_rawat = %s AND taskid = '5'", (visit(1),)
    )
    hospital.write("UPDATE pemeriksaan_ralan SET jam_rawat = '09:30:00' WHERE no_rawat = %s", (visit(1),))

    assert here.collect(VISITS).rows_deleted == 0
    assert here.month(agency="rsud", service="igd", metrics=COUNTS) == {
        "received": 1, "completed": 0, "backlog": 0, "processing_time_median": None,
    }
    hospital.write("INSERT INTO referensi_mobilejkn_bpjs_taskid VALUES (%s, '5', '2026-11-22 02:00:00')", (visit(4),))
    assert here.collect(VISITS).rows_deleted == 1
    assert here.month(agency="rsud", service="igd", metrics=COUNTS)["processing_time_median"] == 2.5
    assert here.month(agency="rsud", service="rawat-jalan", metrics=COUNTS) == {
        "received": 8, "completed": 6, "backlog": 0, "processing_time_median": 1,
    }
    here.collect(VISITS, reconcile=True)
    assert here.month(agency="rsud", service="rawat-jalan", metrics=COUNTS)["processing_time_median"] == 1.5
    assert here.differences() == 0
