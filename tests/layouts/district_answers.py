"""Answers of the scene *districts*, built by hand: normal, long, empty, partly known, troubled; on tiles, for no data of others
is committed, and on the real outlines where they lie beside the checkout.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from config.declarations import District, DistrictMap, Regency
from dashboard.geography import RegencyMap, map_of
from dashboard.queries.answers import Figure, Level, Limits, State
from dashboard.queries.districts import Apart, DistrictRow, Districts
from tests.product import SHARED

CONFIG = Path(__file__).parents[2] / "config"
OUTLINES = SHARED / "data" / "luwu_utara" / "kecamatan.geojson"
DECLARED = {code: District(**table) for code, table in tomllib.loads((CONFIG / "districts.toml").read_text("utf-8")).items()}


def regency_with(file: Path | None) -> Regency:
    """The 15 districts, with a map file or without one."""
    named = DistrictMap(file=str(file)) if file else None
    return Regency(name="Luwu Utara", code="73.22", timezone="Asia/Makassar", districts=DECLARED, map=named)


def maps() -> dict[str, RegencyMap]:
    """Tiles, and the real outlines (tiles again where they are not there)."""
    return {"tiles": map_of(regency_with(None)), "real": map_of(regency_with(OUTLINES if OUTLINES.exists() else None))}


def row(code: str, value: float | None, cases: int | None, *, level: Level = Level.NORMAL, **more: object) -> DistrictRow:
    """A district with a plain figure."""
    at = 1_795_488_660
    one = Figure("late", value, State.NORMAL, cases=cases, level=level, data_until=at, limit_seconds=3600, limits=Limits(at + 300, at + 3600))
    state = more.pop("state", State.NORMAL)
    hidden = str(more.pop("hidden", ""))
    needed = more.pop("needed", None)
    return DistrictRow(f"73.22.{code}", DECLARED[f"73.22.{code}"].name, replace(one, state=state, needed=needed), hidden=hidden)  # type: ignore[arg-type]


ORDER = ("06", "08", "05", "01", "11", "04", "14", "03", "02", "10", "15", "13", "12")
SHARES = (14.8, 11.9, 10.2, 8.6, 7.4, 7.1, 6.6, 6.3, 5.9, 5.5, 5.2, 4.4, 3.9)
BASES = (318, 204, 49, 256, 387, 241, 166, 902, 371, 309, 154, 181, 283)
LEVELS = (Level.WARNING, Level.ATTENTION, *[Level.NORMAL] * 11)
RANKED = tuple(
    replace(row(code, share, base, level=level), rank=place)
    for place, (code, share, base, level) in enumerate(zip(ORDER, SHARES, BASES, LEVELS, strict=True), 1)
)
SEKO = row("07", 8.1, 62, state=State.STALE)
RAMPI = row("09", None, None, state=State.SUPPRESSED, hidden="small")
APART = (Apart("unknown", 12), Apart("outside", 34), Apart("not_provided", 211))


def answer(rows: tuple[DistrictRow, ...], at: int, **more: object) -> Districts:
    """An answer over 30 days, all of them known."""
    whole = Districts(
        as_of=at, measure="late", kind="request", days=30, agencies=(), rows=rows, apart=APART, map=maps()["tiles"], mean=7.3, k=5,
        days_known=30, data_until=at - 120, limit_seconds=3600, limits=Limits(at + 330, at + 3480),
    )
    return replace(whole, **more)  # type: ignore[arg-type]


def all_of(state: State, value: float | None = None, cases: int | None = None) -> tuple[DistrictRow, ...]:
    """Every district in one state."""
    return tuple(row(code[6:], value, cases, state=state) for code in DECLARED)


def examples(at: int) -> dict[str, Districts]:
    """Every kind of answer, by name."""
    mock = (*RANKED, SEKO, RAMPI)
    counts = tuple(
        replace(one, figure=replace(one.figure, metric="received", value=float(400 - 27 * place), cases=400 - 27 * place, level=Level.NORMAL))
        for place, one in enumerate(RANKED)
    )
    states = (
        replace(RANKED[0], figure=replace(RANKED[0].figure, state=State.PARTIAL, level=Level.NORMAL)), *RANKED[1:5], replace(RANKED[5], figure=replace(
            RANKED[5].figure, state=State.LATE)), SEKO, RAMPI,
        row("12", None, None, state=State.SUPPRESSED, hidden="further"), row("14", None, 11, state=State.TOO_FEW, needed=30),
        row("03", None, 0, state=State.NOT_APPLICABLE), row("02", 6.1, 80, state=State.OFFLINE),
        row("10", None, None, state=State.STALE, hidden="small"), row("15", None, None, state=State.NOT_PROVIDED),
        row("13", None, None, state=State.LOADING),
    )
    nowhere = {"mean": None, "k": 0, "days_known": 0, "data_until": None, "limit_seconds": 0, "limits": Limits(),
               "apart": (Apart("unknown", 0), Apart("outside", 0), Apart("not_provided", 0))}
    many = tuple(
        replace(RANKED[number % 13], district=f"73.22.{number + 20}", rank=number + 1, name=f"Distrik Sangat Panjang Namanya {number + 1}")
        for number in range(37)
    )
    return {
        "normal": answer(mock, at),
        "other-value": answer(
            (*(replace(one, figure=replace(one.figure, value=(one.figure.value or 0) / 2)) for one in RANKED), SEKO, RAMPI), at,
            mean=3.6),
        "real": answer(mock, at, map=maps()["real"]),
        "states": answer(states, at, map=maps()["real"], mean=8.9, without=("Kecamatan Seko", "DLH")),
        "calm": answer(tuple(replace(one, figure=replace(one.figure, level=Level.NORMAL)) for one in RANKED), at, map=maps()["real"]),
        "counts": answer(
            (*counts, row("07", None, None, state=State.SUPPRESSED, hidden="further"), RAMPI), at, measure="received", kind="complaint",
            mean=238.0, map=maps()["real"], apart=(Apart("unknown", None), Apart("outside", 34), Apart("not_provided", 2110))),
        "part-of-the-days": answer(mock, at, days_known=12, late=True, map=maps()["real"], agencies=("Disdukcapil", "DPMPTSP", "Dinas Sosial")),
        "all-stale": answer(all_of(State.STALE, 7.1, 120), at, mean=None, without=("Disdukcapil",), map=maps()["real"], limits=Limits()),
        "none": answer(all_of(State.NONE), at, **nowhere),
        "nobody-tells": answer(all_of(State.NOT_PROVIDED), at, **nowhere),
        "no-districts": answer((), at, **{**nowhere, "map": RegencyMap(0, 0, {}, tiles=True)}),
        "many": answer(many, at, apart=(Apart("unknown", 123456), Apart("outside", 1234567), Apart("not_provided", 1234567)),
                       map=RegencyMap(760, 632, {}, tiles=True)),
    }
