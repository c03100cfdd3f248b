"""Answers of published figures, built by hand: on target, below it, money, an edition, late, stale by its own period, missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dashboard.queries.answers import Figure, Level, Limits, SourceAge, State
from dashboard.queries.readings import Reading, Readings


def month(year: int, number: int) -> int:
    """Epoch seconds of a month's first midnight in Makassar."""
    return int((datetime(year, number, 1, tzinfo=UTC) - timedelta(hours=8)).timestamp())


def examples(at: int) -> tuple[dict[str, Readings], dict[str, Readings]]:
    """Every kind of answer for the tile, and for the list, by name."""
    age = SourceAge("satudata", "kominfo", "Diskominfo-SP", State.STALE, data_until=at - 90000, since=at - 3600, limit_seconds=3600)
    fine = Figure("online_share", 71.3, State.NORMAL, data_until=at - 120, limit_seconds=3600, limits=Limits(at + 330, at + 3480))
    budget = Reading(
        "online_share", "", "", fine, "percent", 1, target=68.0, period=month(2026, 10), grain="month", published_at=month(2026, 11) + 400000,
        due_at=month(2026, 12), series=(6.1, 12.4, 18.0, 25.2, 31.1, 39.0, 46.2, None, 58.8, 71.3),
    )
    below = replace(budget, target=85.0, figure=replace(fine, level=Level.ATTENTION))
    money = Reading(
        "received", "", "", replace(fine, value=12_345_678_901.0), "rupiah", 0, target=15_500_000_000.0, period=month(2026, 11) + 86400 * 22,
        grain="day", series=tuple(float(n * 7 % 11) for n in range(12)),
    )
    index = Reading("index_value", "", "", replace(fine, value=3.21), "score", 2, period=month(2025, 1), grain="year", due_at=month(2027, 1))

    def nothing(state: State) -> Reading:
        return Reading("satisfaction", "", "", Figure("satisfaction", None, state), "score", 1)

    stale = replace(fine, state=State.STALE, worst=age, data_until=age.data_until)
    kinds = {
        "normal": budget,
        "other-value": replace(budget, figure=replace(fine, value=69.9), period=month(2026, 8), series=(*budget.series[:9], 69.9)),
        "below": below, "money": money, "index": index,
        "zero": replace(budget, figure=replace(fine, value=0.0, level=Level.ATTENTION), series=(0.0, 0.0)),
        "late": replace(budget, figure=replace(fine, state=State.LATE), overdue=True),
        "stale": replace(budget, figure=stale),
        "overdue": replace(budget, figure=replace(stale, worst=replace(age, data_until=at - 120)), overdue=True, period=month(2026, 5),
                           due_at=month(2026, 7)),
        "offline": replace(budget, figure=replace(stale, state=State.OFFLINE, worst=replace(age, state=State.OFFLINE))),
        "partly": replace(money, figure=replace(money.figure, state=State.PARTIAL)),
        "missing": replace(budget, figure=replace(fine, value=None, state=State.NOT_PROVIDED)),
        "none": nothing(State.NONE), "loading": nothing(State.LOADING), "not-provided": nothing(State.NOT_PROVIDED),
        "long": replace(money, figure=replace(money.figure, value=123_456_789_012_345.0)),
    }
    editions = {"index": "SPBE, PermenPANRB 59/2020", "long": "APBD Perubahan 2026, laporan triwulanan"}
    titles = {"long": {"id": "Realisasi belanja modal dan barang jasa", "en": "Capital and goods expenditure realised"}}
    tiles = {
        name: Readings(at, (one,), edition=editions.get(name, ""), title=titles.get(name), limits=one.figure.limits)
        for name, one in kinds.items()
    }
    places = ("Masamba", "Bone-Bone", "Sukamaju", "Baebunta", "Malangke", "Seko", "Rampi", "Sukamaju Selatan", "Tana Lili")
    rows = tuple(
        replace(money, scope=place, name=place, target=2e9, figure=replace(fine, value=1.9e9 - 2.1e8 * number, level=Level.ATTENTION))
        for number, place in enumerate(places)
    )
    odd = (
        rows[0], replace(rows[1], figure=replace(rows[1].figure, state=State.LATE)), replace(rows[2], figure=replace(
            stale, value=1.2e9)), replace(rows[3], figure=replace(stale, state=State.OFFLINE, value=0.9e9)),
        replace(rows[4], figure=replace(fine, value=None, state=State.NOT_PROVIDED)), replace(rows[5], figure=replace(fine, value=0.0)),
        replace(rows[6], figure=replace(fine, value=4.1e8, state=State.PARTIAL)),
    )
    metrics = tuple(replace(one, name="") for one in (budget, below, money, index, kinds["late"], nothing(State.NONE)))
    listed = {
        "normal": Readings(at, rows, limits=fine.limits), "metrics": Readings(at, metrics, page=6),
        "other-value": Readings(at, tuple(replace(one, figure=replace(one.figure, value=1e9)) for one in rows)),
        "odd": Readings(at, odd, edition="tahun pajak 2026"), "nobody": Readings(at, (replace(nothing(State.NONE), name=""),)),
        "all-stale": Readings(at, page=15, rows=tuple(replace(one, figure=replace(stale, value=1e9)) for one in rows)),
        "many": Readings(at, page=15, rows=tuple(replace(rows[n % 9], name=f"Distrik Sangat Panjang Namanya {n}") for n in range(32))),
    }
    return tiles, listed
