"""SiCantik: a real server that answers as its templates do, in pages that it caps itself, with the dirt that it is known for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dashboard.cases import Outcome
from tests.agency_api import Agency, Request, agency_api
from tests.examples.conftest import LOOPBACK, Example

SOURCE = "dpmptsp-sicantik"
ZERO = "0000-00-00 00:00:00"
LAST, REFUSED = "Penyerahan Izin", "Penolakan"
ROWS_A_PAGE = 5


def step(
    number: int, name: str, end: str = ZERO, *, at: str, signed: str = ZERO, kind: int | str = 102, done: bool = True, **more: Any
) -> dict[str, Any]:
    """A row: one step of licence ``number``, with a citizen in it whom nobody may keep."""
    return {
        "id": f"{number}-{name}-{end}", "no_permohonan": f"DPMPTSP/{number:04d}/XI/2026", "jenis_izin_id": kind, "jenis_izin": "SIP",
        "nama_proses": name, "status": "Selesai" if done else "Proses", "start_date": at, "end_date": end,
        "tgl_pengajuan": at[:10], "tgl_pengajuan_time": at, "tgl_penetapan": "0000-00-00", "tgl_signed_report": signed,
        "default_active": 1, "del": 0, "lokasi_izin": "Masamba", "nama": "Andi Rahasia-Canary", "no_hp": "081234567890",
        "alamat": "Jl. Canary 1", **more,
    }


def licences() -> list[dict[str, Any]]:
    """Twelve licences. 1 to 3: each way to end; 5 refused, 6 sent back, 7 deleted, 9 without a date, 10 ended before it began."""
    return [
        step(1, "Pendaftaran", "2026-11-02 09:30:00", at="2026-11-02 09:00:00"),
        step(1, LAST, "2026-11-03 11:00:00", at="2026-11-02 09:00:00", signed="2026-11-03 09:00:00"),  # 24 h
        step(2, LAST, "2026-11-02 22:00:00", at="2026-11-02 10:00:00"),  # 12 h
        step(3, LAST, at="0000-00-00 00:00:00", tgl_pengajuan="2026-11-04", tgl_penetapan="2026-11-05"),  # 24 h
        step(4, "Pendaftaran", "2026-11-05 12:30:00", at="2026-11-05 12:00:00"),
        step(5, REFUSED, "2026-11-06 08:00:00", at="2026-11-05 08:00:00"),
        step(6, LAST, "2026-11-03 08:00:00", at="2026-11-02 08:00:00", default_active=0),
        step(6, LAST, at="2026-11-02 08:00:00", done=False),
        step(7, LAST, "2026-11-03 08:00:00", at="2026-11-02 08:00:00", **{"del": 1}),
        step(8, "Pendaftaran", "2026-10-20 08:00:00", at="2026-10-20 08:00:00", kind="101"),
        step(8, LAST, "2026-11-10 08:00:00", at="2026-10-20 08:00:00", kind="101"),  # 504 h
        step(9, "Pendaftaran", at="31-02-2026"),
        step(10, LAST, "2026-11-10 08:00:00", at="2026-11-10 09:00:00"),
        step(11, "Pendaftaran", at="2026-11-11 09:00:00", kind=999),
        step(12, "Pendaftaran", at="2026-11-12 09:00:00", kind=999),
    ]


def template(rows: list[dict[str, Any]]) -> Callable[[Request], None]:
    """SiCantik's envelope; a page has five rows, however many were asked for."""

    def answer(request: Request) -> None:
        start = ROWS_A_PAGE * (int(request.query["page"]) - 1)
        found = [row for row in rows if row["tgl_pengajuan"] >= request.query["date1"] or row["tgl_pengajuan"].startswith("0000")]
        request.json({"data": {"data": found[start : start + ROWS_A_PAGE], "count": [{"data": len(found)}]}})

    return answer


@pytest.fixture
def sicantik() -> Iterator[Agency]:
    """The server, with a template of twelve licences."""
    with agency_api() as server:
        server.answers["/api/TemplateData/keluaran/12345.json"] = template(licences())
        yield server


@pytest.fixture
def here(sicantik: Agency, example: Callable[..., Example]) -> Example:
    """The example on that server."""
    return example("sicantik", {
        "https://sicantik.example": sicantik.url(""), 'connector = "rest"': f'connector = "rest"\n{LOOPBACK}',
    })


def test_steps_become_licences_with_the_figures_that_a_clerk_would_count(sicantik: Agency, here: Example) -> None:
    """D7 zero dates: a later column says when a licence ended; B17: a row without a date is put aside; D5: an end before its begin."""
    result = here.collect(SOURCE)
    assert (result.outcome, result.rows_read, result.rows_new, result.rows_rejected) == (Outcome.PARTIAL, 11, 10, 1)
    assert len(sicantik.requests) == 3
    assert here.month(agency="dpmptsp", month=10) == {
        "received": 1, "completed": 0, "cancelled": 0, "backlog": 1, "processing_time_median": None,
    }
    assert here.month(agency="dpmptsp") == {
        "received": 9, "completed": 5, "cancelled": 1, "backlog": 4, "processing_time_median": 24,
    }
    assert here.month(agency="dpmptsp", metrics=("processing_time_p90",)) == {"processing_time_p90": 360}
    assert here.received_by("service", agency="dpmptsp") == {"sip": 7, "izin-lain": 2}
    assert here.received_by("district", agency="dpmptsp") == {"73.22.03": 9}

    again = here.collect(SOURCE)
    assert (again.rows_new, again.rows_changed, again.rows_deleted) == (0, 0, 0)
    assert here.differences() == 0
    assert [word for word in (b"Canary", b"0812345", b"DPMPTSP/00") if word in here.on_disk()] == []


def test_corrections_steps_sent_back_and_deleted_rows_take_their_figures_with_them(sicantik: Agency, here: Example) -> None:
    """C8 a licence reopened, C9 one deleted, C10 an end corrected."""
    here.collect(SOURCE)
    rows = {(row["no_permohonan"], row["id"]): row for row in licences()}
    number = {int(row["no_permohonan"][8:12]): row for row in rows.values()}
    number[1]["tgl_signed_report"] = "2026-11-03 21:00:00"  # the last row of licence 1: 36 h
    number[2]["default_active"] = 0  # handed over too early, and sent back
    number[9].update(tgl_pengajuan_time="2026-11-09 08:00:00", tgl_pengajuan="2026-11-09")  # mended
    number[11]["del"] = 1
    sicantik.answers["/api/TemplateData/keluaran/12345.json"] = template([
        *rows.values(), step(2, "Validasi", at="2026-11-02 10:00:00", done=False),
        step(4, LAST, "2026-11-24 12:00:00", at="2026-11-05 12:00:00"),  # 456 h
    ])
    first = here.collect(SOURCE)
    assert (first.outcome, first.rows_deleted) == (Outcome.OK, 0)
    assert here.collect(SOURCE).rows_deleted == 1  # two complete reads in a row lack licence 11
    assert here.month(agency="dpmptsp") == {
        "received": 9, "completed": 5, "cancelled": 1, "backlog": 4, "processing_time_median": 246,
    }
    assert here.month(agency="dpmptsp", month=10)["backlog"] == 1
    assert here.differences() == 0


def test_a_template_that_never_had_a_column_of_where_is_told_at_once(sicantik: Agency, here: Example) -> None:
    """Not a good read of no case at all."""
    rows = [{key: value for key, value in row.items() if key != "default_active"} for row in licences()]
    sicantik.answers["/api/TemplateData/keluaran/12345.json"] = template(rows)
    result = here.collect(SOURCE)
    assert result.outcome is Outcome.CHANGED
    assert "default_active" in result.en


def test_a_template_without_a_mapped_column_keeps_the_last_good_figures(sicantik: Agency, here: Example) -> None:
    """B14: the template's administrator renames a column of ``where``: held, not thousands of rows that are gone."""
    here.collect(SOURCE)
    renamed = [{("aktif" if key == "default_active" else key): value for key, value in row.items()} for row in licences()]
    sicantik.answers["/api/TemplateData/keluaran/12345.json"] = template(renamed)
    assert here.collect(SOURCE).outcome is Outcome.HELD
    assert here.month(agency="dpmptsp")["received"] == 9
