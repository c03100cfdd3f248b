"""Answers built by hand: every state of the table of states; days that are empty, full, odd."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from config.declarations import Agency, Regency, Words
from dashboard.queries.answers import (
    Agencies,
    AgencyRow,
    Alarm,
    Alarms,
    Band,
    Figure,
    Level,
    Limits,
    Rolling,
    SourceAge,
    Sources,
    State,
    Tile,
)
from dashboard.queries.ecosystem import Ecosystem, SourceDay, Unit
from dashboard.queries.runs import HOURS, Hour, Last
from dashboard.words import Say
from tests.layouts import district_answers, reading_answers
from tests.layouts.topics import Topics
from tests.layouts.wall_answers import WALLS

CONFIG = Path(__file__).parents[2] / "config"
AT = int(datetime(2026, 11, 24, 2, 53, tzinfo=UTC).timestamp())
DATA = AT - 120


def regency(simulated: bool = True) -> Regency:
    """A regency with the shipped words and screens and one agency."""
    words = {
        language: tomllib.loads((CONFIG / "words" / f"{language}.toml").read_text("utf-8")) for language in ("id", "en")
    }
    screens = tomllib.loads((CONFIG / "screens.toml").read_text("utf-8"))
    agency = Agency(id="dinkes", name=Words(id="Dinas Kesehatan", en="Health Office"), short_name="Dinkes")
    return Regency.model_validate(
        {
            "name": "Kabupaten Luwu Utara",
            "short_name": "Luwu Utara",
            "timezone": "Asia/Makassar",
            "simulated": simulated,
            "words": words,
            "agencies": {"dinkes": agency},
            **screens,
        }
    )


def say(language: str = "id") -> Say:
    """Words in a language, without a declarations folder."""
    return Say(regency(), language)


def source(name: str, state: State = State.NORMAL, *, why: str = "", age: int = 120) -> SourceAge:
    """A source of ``name`` whose data are ``age`` seconds old."""
    return SourceAge(
        source=name.lower(),
        owner=name.lower(),
        short_name=name,
        state=state,
        why=why,
        data_until=None if state in (State.NONE, State.LOADING) else AT - age,
        since=AT - age + 120,
        late_at=AT + 450,
        stale_at=AT + 1800 - age,
        limit_seconds=1800,
    )


DISDUKCAPIL = source("Disdukcapil", State.STALE, age=3900)
DPMPTSP = source("DPMPTSP", State.OFFLINE, age=5880)
SILENT = source("Disdukcapil", State.STALE, why="silent", age=9000)
YESTERDAY = source("Disdukcapil", State.STALE, age=90000)


def figure(metric: str, value: float | None, band: tuple[float, float, float] | None = None, **more: Any) -> Figure:
    """A fresh figure, two minutes old, with a limit of 30 minutes."""
    built = Figure(
        metric=metric,
        value=value,
        state=State.NORMAL,
        band=Band(*band, 8) if band else None,
        data_until=DATA,
        limit_seconds=1800,
        limits=Limits(AT + 330, AT + 1680),
    )
    return replace(built, **more)


def tile(shown: Figure) -> Tile:
    """The answer of a headline tile."""
    return Tile(as_of=AT, figure=shown, limits=shown.limits)


RECEIVED = figure("received", 687, (596, 642, 691))
RATE = figure("on_time_rate", 94.2, (91.8, 93.1, 94.6))
OVERDUE = figure("overdue", 43, (27, 31, 36))

FIGURES: dict[str, Figure] = {
    "normal": RECEIVED,
    "other-value": replace(RECEIVED, value=512, band=Band(400, 480, 640, 8)),
    "attention": replace(OVERDUE, level=Level.ATTENTION),
    "warning": replace(OVERDUE, level=Level.WARNING),
    "critical": replace(OVERDUE, level=Level.CRITICAL),
    "below": replace(RATE, value=81.3, level=Level.WARNING),
    "late": replace(RECEIVED, state=State.LATE),
    "stale": replace(
        RECEIVED, value=641, state=State.STALE, worst=DISDUKCAPIL, without=("Disdukcapil",), missing_share=0.3
    ),
    "stale-many": replace(
        RECEIVED, state=State.STALE, worst=DISDUKCAPIL, without=("Disdukcapil", "Dishub", "DLH"), missing_share=0.4
    ),
    "stale-yesterday": replace(RECEIVED, state=State.STALE, worst=YESTERDAY, without=("Disdukcapil",)),
    "silent": replace(RECEIVED, state=State.STALE, worst=SILENT, without=("Disdukcapil",)),
    "offline": replace(RATE, state=State.OFFLINE, worst=DPMPTSP, without=("DPMPTSP",)),
    "partial": replace(RECEIVED, state=State.PARTIAL, without=("Dishub", "DLH"), missing_share=0.1),
    "partial-many": replace(
        RECEIVED, state=State.PARTIAL, without=("Dishub", "DLH", "DPUTRKP2", "DP3AP2KB"), missing_share=0.15
    ),
    "without": replace(RECEIVED, without=("Dishub", "DLH"), missing_share=0.02),
    "none": figure("received", None, state=State.NONE, data_until=None),
    "loading": figure("received", None, state=State.LOADING, data_until=None),
    "not-provided": figure("received", None, state=State.NOT_PROVIDED),
    "not-applicable": figure("received", None, state=State.NOT_APPLICABLE),
    "zero": figure("received", 0, (0, 0, 2)),
    "too-few": figure("on_time_rate", None, state=State.TOO_FEW, cases=11, needed=30),
    "suppressed": figure("received", None, state=State.SUPPRESSED),
    "no-band": replace(RECEIVED, band=None),
    "thousands": figure("received", 12345, (11800, 12100, 12900)),
    "large": figure("received", 123456, (118000, 121000, 129000)),
    "huge": figure("received", 1234567, (1180000, 1210000, 1290000)),
    "far-outside": figure("received", 4200, (20, 25, 30)),
    "no-data-time": replace(RECEIVED, data_until=None, without=("Dinas Pemberdayaan Perempuan dan Anak", "DLH")),
}
"""Every state of a headline figure, by name."""


def usual(minute: float) -> float:
    """A day's shape: cases in 60 minutes."""
    marks = (
        (0, 9),
        (360, 6),
        (480, 74),
        (600, 200),
        (720, 150),
        (780, 80),
        (840, 138),
        (1020, 44),
        (1200, 38),
        (1440, 10),
    )
    for (a, low), (b, high) in pairwise(marks):
        if a <= minute <= b:
            return low + (high - low) * (minute - a) / (b - a)
    raise ValueError(minute)


def rolling(until: int = 653, factor: float = 1.0, shown: Figure = RECEIVED, *, band: bool = True) -> Rolling:
    """Today's line until a minute of the day."""
    minutes = [*range(0, until, 10), until]
    line = tuple((float(minute), round(usual(minute) * factor, 1)) for minute in minutes)
    around = tuple((float(m), usual(m) * 0.88, usual(m) * 1.12 + 3) for m in range(0, 1441, 10)) if band else ()
    return Rolling(as_of=AT, line=line, band=around, last=round(line[-1][1]), figure=shown, limits=shown.limits)


ROLLINGS: dict[str, Rolling] = {
    "normal": rolling(),
    "other-value": rolling(643, 0.8),
    "evening": rolling(1240, 1.1),
    "midnight": Rolling(as_of=AT, line=((0.0, 0.0),), band=rolling().band, last=0, figure=RECEIVED),
    "no-band": rolling(band=False, shown=replace(RECEIVED, band=None)),
    "stale": rolling(shown=FIGURES["stale"]),
    "offline": rolling(shown=FIGURES["offline"]),
    "partial": rolling(shown=FIGURES["partial"]),
    "none": Rolling(as_of=AT, line=(), band=(), last=None, figure=FIGURES["none"]),
    "loading": Rolling(as_of=AT, line=(), band=(), last=None, figure=FIGURES["loading"]),
    "huge": rolling(factor=12345.6),
}


def alarm(rule: str, level: Level, subject: str, value: float, state: State = State.NORMAL, **params: Any) -> Alarm:
    """An alarm since 23 minutes."""
    return Alarm(
        key=f"{rule}:{subject}",
        rule=rule,
        level=level,
        subject=subject,
        since=AT - 1380,
        params=params,
        value=value,
        source_state=state,
    )


OVER = {"service": "pbg", "unit": "working days", "standard": 28.0, "cases": 120}
FIVE = (
    alarm("overdue", Level.WARNING, "DPMPTSP", 9, count=9, typical=3.0),
    alarm("standard", Level.WARNING, "RSUD", 74, **{**OVER, "p90": 74.0, "unit": "minutes", "standard": 60.0}),
    alarm(
        "stale", Level.ATTENTION, "Disdukcapil", 65, State.STALE, source="a", data_until=AT - 3900, limit_seconds=1800
    ),
    alarm("offline", Level.WARNING, "DPUTRKP2", 98, State.OFFLINE, source="b", data_until=None, limit_seconds=1800),
    alarm("standard", Level.WARNING, "Dinsos", 3.4, **OVER, p90=3.4),
)
CRITICAL = alarm("uncalled", Level.CRITICAL, "RSUD", 18, service="igd", waiting=4, minutes=18)
LONG = alarm(
    "standard",
    Level.WARNING,
    "Dinas Pemberdayaan Perempuan dan Perlindungan Anak",
    1234567,
    **{**OVER, "p90": 1234567.5, "unit": "working minutes", "standard": 1440.0},
)


def alarms(open_: tuple[Alarm, ...], overall: Level, **more: Any) -> Alarms:
    """The answer about open alarms among 23 agencies."""
    return Alarms(as_of=AT, alarms=open_, overall=overall, agencies_watched=23, **more)


ALARMS: dict[str, Alarms] = {
    "normal": alarms(FIVE, Level.WARNING),
    "other-value": alarms((*FIVE[:4], replace(FIVE[4], value=3.5), FIVE[0], FIVE[1]), Level.WARNING),
    "calm": alarms((), Level.NORMAL),
    "calm-after": alarms((), Level.NORMAL, last_ended=CRITICAL, last_ended_at=AT - 2460),
    "critical": alarms((CRITICAL, *FIVE), Level.CRITICAL),
    "one": alarms(FIVE[2:3], Level.ATTENTION),
    "old": alarms(
        tuple(replace(each, since=AT - 120_000, subject=name) for each, name in zip(
            FIVE, ("BPJS Kesehatan", "Disnakertrans", "Pertanahan", "Kec. Baebunta", "Dinsos"), strict=True
        )), Level.WARNING,
    ),
    "long": alarms((LONG, LONG, LONG, LONG, LONG, LONG), Level.WARNING),
}


def sources_of(*states: tuple[State, int]) -> Sources:
    """A strip with so many sources of each state."""
    return Sources(
        as_of=AT,
        sources=tuple(source(f"S{state.value}{number}", state) for state, count in states for number in range(count)),
    )


SOURCES: dict[str, Sources] = {
    "normal": sources_of((State.NORMAL, 29), (State.LATE, 1), (State.STALE, 2), (State.OFFLINE, 2)),
    "other-value": sources_of((State.NORMAL, 34)),
    "none": sources_of(),
    "one": sources_of((State.LOADING, 1)),
    "many": sources_of((State.NORMAL, 80), (State.LATE, 10), (State.STALE, 15), (State.OFFLINE, 12), (State.NONE, 3)),
}


def agency(name: str, subtitle: str = "4 layanan", **more: Any) -> AgencyRow:
    """One agency on a normal morning."""
    built = AgencyRow(
        agency=name.lower(),
        short_name=name,
        subtitle=subtitle,
        age=source(name),
        received=figure("received", 236, (210, 229, 250)),
        hours=(14, 58, 84, 80, None, None, None, None, None),
        first_hour=7,
        time_value=38,
        time_p90=56,
        time_unit="minutes",
        time_service="rawat-jalan",
        standard_amount=60,
        time_share=0.63,
        p90_share=0.93,
        time_level=Level.NORMAL,
        on_time=figure("on_time_rate", 96.1),
        complaints_open=2,
        complaints_late=0,
    )
    return replace(built, **more)


SIX = (
    agency("Dinkes", "puskesmas"),
    agency(
        "RSUD",
        "rawat jalan",
        time_value=74,
        time_share=1.23,
        p90_share=1.71,
        time_level=Level.WARNING,
        on_time=figure("on_time_rate", 78.4, level=Level.WARNING),
    ),
    agency(
        "Dinsos",
        "5 layanan",
        time_value=2.1,
        time_unit="working days",
        standard_amount=3,
        time_share=0.7,
        p90_share=0.96,
        complaints_late=2,
        complaints_level=Level.ATTENTION,
    ),
    agency(
        "DPUTRKP2",
        time_value=22,
        time_unit="working days",
        standard_amount=28,
        time_share=0.78,
        p90_share=1.34,
        time_level=Level.ATTENTION,
        on_time=figure("on_time_rate", 83.0, level=Level.ATTENTION),
        complaints_open=6,
        complaints_late=3,
    ),
    agency(
        "DP3AP2KB",
        "2 layanan",
        received=figure("received", 1, (0, 1, 2)),
        hours=(0, 1, 0, 0, None, None, None, None, None),
        time_value=0.9,
        time_unit="working days",
        standard_amount=2,
        time_share=0.44,
        p90_share=0.71,
        on_time=FIGURES["too-few"],
        complaints_open=0,
        complaints_late=0,
    ),
    agency("DP2KUKM", received=figure("received", 0, (0, 0, 1)), hours=(0, 0, 0, 0, None, None, None, None, None)),
)
ODD = (
    agency("Disdukcapil", age=DISDUKCAPIL, received=replace(RECEIVED, state=State.STALE, worst=DISDUKCAPIL)),
    agency("DPMPTSP", age=DPMPTSP, received=replace(RECEIVED, state=State.OFFLINE, worst=DPMPTSP)),
    agency("Dishub", age=source("Dishub", State.LATE)),
    agency(
        "DLH",
        age=source("DLH", State.LOADING),
        received=FIGURES["loading"],
        hours=(),
        time_value=None,
        time_p90=None,
        time_share=None,
        p90_share=None,
        on_time=FIGURES["none"],
        complaints_open=None,
        complaints_late=None,
    ),
    agency(
        "Dinas Pemberdayaan Perempuan dan Perlindungan Anak",
        declared=False,
        standard_amount=None,
        time_share=None,
        p90_share=None,
        time_value=1234.5,
        time_unit="hours",
        received=figure("received", 1234567),
        complaints_open=1234,
        complaints_late=567,
    ),
    agency(
        "Kecamatan Baebunta",
        time_value=480,
        time_unit="working minutes",
        standard_amount=1440,
        time_share=0.3,
        p90_share=4.2,
        on_time=figure("on_time_rate", 100),
        age=SILENT,
    ),
)
UNCONNECTED = ("Setwan", "Inspektorat", "Dispersipda", "BKPSDM", "Kesbangpol", "Dinas Tenaga Kerja dan Transmigrasi")


def agencies(rows: tuple[AgencyRow, ...], unconnected: tuple[str, ...] = UNCONNECTED) -> Agencies:
    """The answer of the scene *agencies*."""
    return Agencies(as_of=AT, rows=rows, not_connected=unconnected)


AGENCIES: dict[str, Agencies] = {
    "normal": agencies(SIX),
    "other-value": agencies(
        tuple(replace(row, received=figure("received", 99, (80, 90, 99)), time_share=0.2) for row in SIX)
    ),
    "odd": agencies(ODD),
    "one": agencies(SIX[:1]),
    "many": agencies(tuple(replace(SIX[n % 6], agency=f"a{n}", short_name=f"OPD {n + 1}") for n in range(25)), ()),
    "forty": agencies(tuple(replace(SIX[n % 6], agency=f"a{n}", short_name=f"OPD {n + 1}") for n in range(40)), UNCONNECTED),
    "nobody": agencies((), ()),
    "all-unconnected": agencies((), tuple(f"Dinas {n + 1}" for n in range(37))),
}

CALM_DAY = (*[Hour("empty")] * 7, *[Hour("ok")] * 17)
WITH_GAPS = tuple(Hour("ok") if at % 7 else Hour("ok", "unavailable") for at in range(HOURS))


def unit(name: str, state: State = State.NORMAL, problem: Last | None = None, **more: Any) -> Unit:
    """A connected agency with one source."""
    days = tuple(more.pop("days", (SourceDay(more.pop("age", source(name, state)), more.pop("hours", CALM_DAY), problem),)))
    counting = sum(day.age.state not in (State.STALE, State.OFFLINE) for day in days)
    return Unit(agency=name.lower(), short_name=name, state=state, sources=days, counting=counting, **more)


def bad_hours(outcome: str, count: int) -> tuple[Hour, ...]:
    """A day that was well but for its last hours."""
    return (*CALM_DAY[: HOURS - count], Hour("ok", outcome), *[Hour("", outcome)] * (count - 1))


TEN_UNITS = (
    unit("Disdukcapil"),
    unit("DPMPTSP", problem=Last("held", "map", 0), hours=bad_hours("held", 2)),
    unit("RSUD", State.STALE, Last("rejected", "read", 0, AT + 600), age=source("RSUD", State.STALE, age=19000),
         hours=bad_hours("rejected", 5)),
    unit("Dinkes", State.PARTIAL, days=(
        SourceDay(source("Dinkes", State.STALE, age=9000), WITH_GAPS), SourceDay(source("Dinkes"), CALM_DAY),
    )),
    unit("Dinsos", problem=Last("partial", "", 1204), hours=(*CALM_DAY[:20], *[Hour("partial")] * 4)),
    unit("Dishub", State.OFFLINE, Last("unavailable", "connect", 0), age=source("Dishub", State.OFFLINE, age=2_340_000),
         hours=(Hour("", "unavailable"),) * HOURS),
    unit("Diskominfo-SP", State.LATE, Last("changed", "parse", 0), hours=bad_hours("changed", 1)),
    unit("DPUTRKP2", days=(SourceDay(source("DPUTRKP2"), WITH_GAPS), SourceDay(source("DPUTRKP2"), CALM_DAY))),
    unit("DLH", through="Diskominfo-SP"),
    unit("BPKPD", State.LOADING, age=source("BPKPD", State.LOADING), hours=()),
    unit("Disnakertrans", State.STALE, age=replace(SILENT, short_name="Disnakertrans"), hours=(Hour("empty"),) * HOURS),
)
KECAMATAN = tuple(f"Kec. {name}" for name in ("Seko", "Rampi", "Rongkong", "Sabbang Selatan", "Malangke Barat", "Bone-Bone"))


def ecosystem(units: tuple[Unit, ...], not_connected: tuple[str, ...] = (*UNCONNECTED, *KECAMATAN)) -> Ecosystem:
    """The answer of the scene *ecosystem*."""
    return Ecosystem(
        as_of=AT, units=units, not_connected=not_connected, sources=sum(len(one.sources) for one in units),
        first_hour=AT // 3600 * 3600 - 23 * 3600,
    )


ECOSYSTEMS: dict[str, Ecosystem] = {
    "normal": ecosystem(TEN_UNITS),
    "other-value": ecosystem(tuple(
        replace(one, state=State.NORMAL, through="", sources=tuple(SourceDay(source(one.short_name), CALM_DAY) for _ in one.sources))
        for one in TEN_UNITS
    )),
    "every-problem": ecosystem(tuple(
        unit(f"OPD {number}", State.LATE, Last(outcome, step, 123456), hours=bad_hours(outcome, 3) if outcome != "partial" else CALM_DAY)
        for number, (outcome, step) in enumerate((
            ("partial", ""), ("held", "map"), ("held", "validate"), ("held", "elsewhere"), ("unavailable", "connect"),
            ("unavailable", "read"), ("unavailable", "parse"), ("rejected", "read"), ("changed", "parse"), ("changed", "map"),
            ("changed", "read"), ("failed", "read"),
        ))
    )),
    "many": ecosystem(tuple(replace(TEN_UNITS[n % 11], agency=f"a{n}", short_name=f"OPD {n + 1}") for n in range(43))),
    "long-names": ecosystem((
        unit("Dinas Pemberdayaan Perempuan dan Perlindungan Anak", State.STALE, Last("partial", "", 1234567),
             age=source("x", State.STALE, age=90_000_000), declared=False),
        unit("Kecamatan Baebunta", through="Dinas Pemberdayaan Perempuan dan Perlindungan Anak"),
        unit("RSUD", State.OFFLINE, days=[SourceDay(source("RSUD", State.OFFLINE), WITH_GAPS)] * 9),
    ), ("Dinas Pemberdayaan Perempuan dan Perlindungan Anak",)),
    "nobody": ecosystem((), ()),
    "all-unconnected": ecosystem((), tuple(f"Dinas {n + 1}" for n in range(37))),
}

TILES, LISTS = reading_answers.examples(AT)
PROPER_NAMES = {one.name for one in district_answers.DECLARED.values()} | {
    "2025 · SPBE, PermenPANRB 59/2020", "tahun pajak 2026", "23 Nov 2026 · tahun pajak 2026", "23 Nov 2026 · APBD Perubahan 2026, laporan triwulanan"}
"""The same in both languages: districts, and what a regency declares once."""
EXAMPLES: dict[str, dict[str, Any]] = {
    **{
        name: {key: tile(each) for key, each in FIGURES.items()}
        for name in ("received_today", "completed_today", "on_time_today", "overdue_now")
    },
    "received_rolling": ROLLINGS,
    "needs_attention": ALARMS,
    "sources_strip": SOURCES,
    "agencies": AGENCIES,
    "districts": district_answers.examples(AT),
    "reading": TILES,
    "readings": LISTS,
    "ecosystem": ECOSYSTEMS,
    "overall_state": ALARMS,
    "alarm_strip": ALARMS,
    **Topics(AT, figure, source).examples(),
    "walls": WALLS,
}
"""Panel → name of the example → answer."""
