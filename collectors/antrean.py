"""BPJS Antrean (hospitals): the dashboard of waiting times, a day and a clinic at a time, already aggregated, without persons.

``GET {url}/dashboard/waktutunggu/tanggal/{day}/waktu/{rs|server}`` answers ``metadata`` and ``response.list``: per clinic the
visitors of the day and, for six tasks, total and mean seconds. One row of it becomes one row for each declared measure, so
that ``feeds = "readings"`` maps it. Read from BPJS' published description; not tried against the real service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from collectors.auth import Auth, credentials, secrets_in
from collectors.connector import CONNECTORS, Connector, Options, Page, Reading, Row
from collectors.http import Answer, Client
from collectors.paging import Root, at, objects, told
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

OK_CODES = ("200", "1")
NOTHING = re.compile(r"tidak ada|tidak ditemukan|no content|not found|kosong", re.IGNORECASE)
ZONES = {"WIB": 7, "WITA": 8, "WIT": 9}
"""Hours east of UTC of Indonesia's clocks; BPJS' own are on WIB, an hour behind WITA."""
_STAMP = re.compile(r"(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d) (WIB|WITA|WIT)")
COUNT = "jumlah_antrean"
Measure = Literal["jumlah_antrean", "task1", "task2", "task3", "task4", "task5", "task6"]
MEASURES: tuple[Measure, ...] = ("jumlah_antrean", "task1", "task2", "task3", "task4", "task5", "task6")


class AntreanOptions(Options):
    """``url``: up to the service's name, as in ``https://apijkn.bpjs-kesehatan.go.id/antreanrs``.

    ``days``: how many days each run reads, today among them, for the figures of a day go on changing. ``time``: by the
    hospital's stamps (``rs``) or by their arrival (``server``). ``measures``: the visitors (``jumlah_antrean``) and the tasks:
    1 waits for admission, 2 admission, 3 waits for the clinic, 4 clinic, 5 waits for the pharmacy, 6 pharmacy. ``whole``: the
    hospital's own figure too, as a row whose scope is the measure alone.
    """

    url: Root
    auth: Auth
    days: int = Field(7, ge=1, le=93)
    time: Literal["rs", "server"] = "rs"
    measures: tuple[Measure, ...] = Field(MEASURES, min_length=1)
    whole: bool = True
    ca_file: str | None = None
    timeout: float = Field(60.0, gt=0, le=600)  # seconds for one answer


def read_antrean(reading: Reading) -> Iterator[Page]:
    """A page for each day with visitors, the oldest first. A row: BPJS' own columns, ``measure``, ``scope``, ``value``.

    ``scope`` is clinic and measure ("BED/task3"), or the measure alone for the whole hospital.
    ``value`` is in minutes for tasks, in visitors for ``jumlah_antrean``; ``insertdate`` is epoch milliseconds.
    """
    options: AntreanOptions = reading.options
    secrets = secrets_in(options.auth, reading.secret)
    came = False
    today = datetime.fromtimestamp(reading.now, ZoneInfo(reading.timezone)).date()
    with Client(
        options.url, networks=reading.networks, deadline=reading.deadline, ca_file=options.ca_file,
        request_seconds=options.timeout, explain=lambda answer: told(at(answer.json(), "metadata.message") or "", secrets),
    ) as client:
        for back in reversed(range(options.days)):
            day = today - timedelta(days=back)
            headers, auth = credentials(options.auth, reading.secret)
            path = f"/dashboard/waktutunggu/tanggal/{day.isoformat()}/waktu/{options.time}"
            answer = client.get(options.url + path, headers=headers, auth=auth)
            found = _list(answer, day, secrets)
            if found or (back == 0 and not came):
                came = True
                yield replace(_page(options, day, found), warning=answer.warning)


def _list(answer: Answer, day: date, secrets: list[str]) -> list[Any]:
    """``response.list`` of a good answer; empty for a day without visitors. Raises by ``metadata.code`` (B2)."""
    body = answer.json()
    code, message = str(at(body, "metadata.code") or ""), str(at(body, "metadata.message") or "")
    rows = at(body, "response.list")
    if code in OK_CODES:
        if at(body, "response") is None:
            return []
        if not isinstance(rows, list):
            raise SourceChanged(
                f"{answer.where}: no list under 'response.list'; is this the dashboard, and is its answer not encrypted?",
                f"{answer.where}: tidak ada daftar di 'response.list'; apakah ini dashboard, dan jawabannya tidak terenkripsi?",
                step="parse",
            )
        if rows and all(_day_of(row) not in (None, day.isoformat()) for row in rows):
            raise SourceChanged(
                f"{answer.where}: asked about {day}, answered about {_day_of(rows[0])}; check its parameters",
                f"{answer.where}: ditanya tentang {day}, dijawab tentang {_day_of(rows[0])}; periksa parameternya", step="parse",
            )
        return rows
    if code in ("201", "204", "404") and NOTHING.search(message):
        return []
    raise _refusal(answer, code, told(message, secrets))


def _day_of(row: Any) -> str | None:
    told_day = row.get("tanggal") if isinstance(row, Mapping) else None
    return told_day[:10] if isinstance(told_day, str) else None


def _refusal(answer: Answer, code: str, said: str) -> CollectError:
    where = answer.where
    if not code:
        return SourceChanged(f"{where}: no metadata.code in the answer; is this BPJS Antrean?",
                             f"{where}: tidak ada metadata.code di jawaban; apakah ini Antrean BPJS?", step="parse")
    if code in ("401", "403"):
        return SourceRejected(
            f"{where}: code {code}: {said}; check consumer id, secret, user key, and this machine's clock",
            f"{where}: kode {code}: {said}; periksa cons id, secret, user key, dan jam mesin ini", step="connect",
        )
    kind = SourceUnavailable if code.startswith("5") or code == "429" else SourceChanged
    return kind(f"{where}: code {code}: {said}", f"{where}: kode {code}: {said}")


def _page(options: AntreanOptions, day: date, raw: list[Any]) -> Page:
    found, numbers, broken = objects(raw)
    rows: list[Row] = []
    lines: list[int] = []
    clinics: list[Row] = []
    for row, line in zip(found, numbers, strict=True):
        if _day_of(row) not in (None, day.isoformat()):
            broken.append((line, "another day than asked"))
            continue
        try:
            rows += _measured(row, options.measures)
        except ValueError as err:
            broken.append((line, str(err)))
            continue
        lines += [line] * (len(rows) - len(lines))
        clinics.append(row)
    if options.whole and clinics and not broken:
        rows += [_together(day, clinics, name) for name in options.measures]
        lines += [0] * len(options.measures)
    return Page(rows=rows, lines=lines, broken=broken, position={"day": day.isoformat()})


def _measured(row: Row, measures: tuple[Measure, ...]) -> list[Row]:
    """A clinic's day as one row for each measure. Raises ``ValueError`` for what is no number, or a stamp without a known zone."""
    stamp = _epoch_ms(row.get("insertdate"))
    clinic = str(row.get("kodepoli") or "")
    return [
        {**row, "insertdate": stamp, "measure": name, "scope": f"{clinic}/{name}",
         "value": _number(row, COUNT) if name == COUNT else _minutes(row, name)} for name in measures
    ]


def _together(day: date, clinics: list[Row], measure: Measure) -> Row:
    """The hospital's day from its clinics': visitors add up; a mean is all seconds by all who took them, never a mean of means."""
    stamps = [stamp for stamp in (_epoch_ms(row.get("insertdate")) for row in clinics) if isinstance(stamp, int)]
    value: float | None
    if measure == COUNT:
        counts = [_number(row, COUNT) for row in clinics]
        value = None if None in counts else sum(count or 0 for count in counts)
    else:
        pairs = [(_number(row, f"waktu_{measure}") or 0, _number(row, f"avg_waktu_{measure}") or 0) for row in clinics]
        people = sum(whole / mean for whole, mean in pairs if mean)
        value = round(sum(whole for whole, mean in pairs if mean) / people / 60, 4) if people else None
    newest = max(stamps, default=None)
    return {"tanggal": day.isoformat(), "insertdate": newest, "measure": measure, "scope": measure, "value": value}


def _minutes(row: Row, task: str) -> float | None:
    """The mean of a task in minutes. Nobody who got there gives 0 s in all and 0 s on average, which is no time at all."""
    mean, whole = _number(row, f"avg_waktu_{task}"), _number(row, f"waktu_{task}")
    return None if mean is None or (mean == 0 and not whole) else round(mean / 60, 4)


def _number(row: Row, column: str) -> float | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{column}: not a number") from None
    if not 0 <= number < 1e9:
        raise ValueError(f"{column}: out of range")
    return number


def _epoch_ms(value: Any) -> Any:
    """A stamp as BPJS writes it elsewhere, "16-03-2021 11:32:49 WIB", in epoch milliseconds; a number stays (D8)."""
    if not isinstance(value, str) or value.strip().isdigit() or not value.strip():
        return value
    found = _STAMP.fullmatch(value.strip())
    if found is None:
        raise ValueError("insertdate: neither a number nor a time with WIB, WITA or WIT")
    day, month, year, hour, minute, second = (int(part) for part in found.groups()[:6])
    zone = timezone(timedelta(hours=ZONES[found[7]]))
    return int(datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC).timestamp()) * 1000


CONNECTORS.register("antrean")(Connector(AntreanOptions, read_antrean))
