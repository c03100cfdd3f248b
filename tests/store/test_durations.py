"""Durations: in the unit of the standard, exact in short windows, by whole months' histograms in long ones."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select

from dashboard.cases import Case
from dashboard.clock import DAY, HOUR
from dashboard.store import histograms
from dashboard.store.derived import derive_histograms
from dashboard.store.durations import durations
from dashboard.store.tables import dimension, dirty, histogram
from dashboard.store.verify import verify
from tests.store.cases import at, made
from tests.store.reading import REGENCY, collect

START, END = at("2026-05-10T00:00"), at("2026-10-20T00:00")


def many(count: int) -> list[Case]:
    """Completed cases of two agencies, two services and three districts, over half a year."""
    random = Random(3)
    cases = []
    for number in range(count):
        submitted = random.randrange(at("2026-05-01T00:00"), at("2026-10-25T00:00"))
        cases.append(made(
            number, submitted, submitted + int(random.expovariate(1 / DAY)), agency=random.choice(["satu", "dua"]),
            service=random.choice("ab"), district=random.choice(["73.22.03", "?", ""]), standard="2 days",
            accepted_at=submitted + random.randrange(-60, 3600), first_response_at=submitted + random.randrange(HOUR),
        ))
    return cases


def naive(cases: list[Case], share: float, **wanted: str) -> float:
    """The quantile of days of those ended in the window."""
    return float(np.quantile([
        (one.ended_at - one.submitted_at) / DAY for one in cases
        if one.ended_at is not None and START <= one.ended_at < END and all(getattr(one, k) == v for k, v in wanted.items())
    ], share))


@pytest.mark.parametrize("derived", [False, True])
def test_long_windows_are_within_one_percent_whether_derived_or_dirty(engine: Engine, derived: bool) -> None:
    cases = many(800)
    collect(engine, cases)
    assert derive_histograms(engine, REGENCY, limit=100 * derived) == (0, 6 * 4)[derived]
    with engine.connect() as connection:
        for by in ((), ("agency",), ("service", "district")):
            found = durations(connection, REGENCY, measure="standard", start=START, end=END, by=by)
            for key, one in found.items():
                wanted = dict(zip(by, key, strict=True))
                assert one.units == {"days"}
                assert one.quantile(0.5) == pytest.approx(naive(cases, 0.5, **wanted), rel=0.01)
                assert one.quantile(0.9) == pytest.approx(naive(cases, 0.9, **wanted), rel=0.01)
    assert verify(engine, REGENCY) == []


def test_short_windows_are_exact(engine: Engine) -> None:
    cases = many(400)
    collect(engine, cases)
    derive_histograms(engine, REGENCY, limit=100)
    start, end = at("2026-08-01T00:00"), at("2026-09-01T00:00")
    expected = [(c.ended_at - c.submitted_at) / DAY for c in cases if c.ended_at is not None and start <= c.ended_at < end]
    with engine.connect() as connection:
        found = durations(connection, REGENCY, measure="standard", start=start, end=end)[()]
        share = durations(connection, REGENCY, measure="share", start=start, end=end)[()]
    assert found.quantile(0.9) == pytest.approx(float(np.quantile(expected, 0.9)), rel=1e-12)
    assert share.quantile(0.9) == pytest.approx(float(np.quantile(expected, 0.9)) / 2, rel=1e-12)


def test_waits_and_responses_leave_negative_ones_out(engine: Engine) -> None:
    cases = many(300)
    collect(engine, cases)
    waits = [(c.accepted_at - c.submitted_at) / 60 for c in cases if c.accepted_at is not None and c.accepted_at >= c.submitted_at]
    with engine.connect() as connection:
        span = {"start": at("2026-01-01T00:00"), "end": at("2026-12-31T00:00")}
        wait = durations(connection, REGENCY, measure="wait", **span)[()]
        response = durations(connection, REGENCY, measure="response", **span)[()]
    assert (wait.n, wait.units, response.n, response.units) == (len(waits), {"minutes"}, 300, {"hours"})
    assert wait.quantile(0.5) == pytest.approx(float(np.median(waits)), rel=0.01)


def test_a_long_window_of_one_agency_reads_no_whole_month_of_cases(engine: Engine) -> None:
    cases = many(400)
    collect(engine, cases)
    derive_histograms(engine, REGENCY, limit=100)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    with engine.connect() as connection:
        found = durations(
            connection, REGENCY, measure="standard", start=START, end=END, by=("service",), where=(dimension.c.agency == "satu",))
    assert sum('FROM "case"' in text for text in asked) == 2  # the ragged ends
    assert found["a",].quantile(0.5) == pytest.approx(naive(cases, 0.5, agency="satu", service="a"), rel=0.01)


def test_a_window_with_a_condition_that_histograms_do_not_know_is_exact(engine: Engine) -> None:
    cases = many(300)
    collect(engine, cases)
    derive_histograms(engine, REGENCY, limit=100)
    with engine.connect() as connection:
        found = durations(
            connection, REGENCY, measure="standard", start=START, end=END, where=(dimension.c.district == "?",))[()]
    assert found.counts == {}
    assert found.quantile(0.5) == pytest.approx(naive(cases, 0.5, district="?"), rel=1e-9)


def test_a_month_touched_while_it_is_derived_stays_dirty(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    collect(engine, [made(1, at("2026-10-01T00:00"), at("2026-10-02T00:00"))])
    real = histograms.count

    def slow(values: histograms.Values) -> dict[int, int]:
        monkeypatch.setattr(histograms, "count", real)
        collect(engine, [made(2, at("2026-10-01T00:00"), at("2026-10-03T00:00"))])
        return real(values)

    monkeypatch.setattr(histograms, "count", slow)
    derive_histograms(engine, REGENCY, limit=10)
    with engine.connect() as connection:
        assert len(connection.execute(select(dirty)).all()) == 1
    derive_histograms(engine, REGENCY, limit=10)
    with engine.connect() as connection:
        assert connection.execute(select(dirty)).all() == []
        assert set(connection.execute(select(histogram.c.n)).scalars()) == {2}


@given(values=st.lists(st.one_of(st.just(0.0), st.floats(1e-4, 1e6)), min_size=1, max_size=60), share=st.floats(0, 1))
def test_a_histograms_quantile_is_numpys_within_one_percent(values: list[float], share: float) -> None:
    counts = histograms.unpack(histograms.pack(histograms.count(values)))
    assert histograms.quantile(counts, share) == pytest.approx(float(np.quantile(values, share)), rel=0.01, abs=1e-5)


def test_no_values_have_no_quantile() -> None:
    assert histograms.quantile({}, 0.5) is None
    assert histograms.unpack(histograms.pack({})) == {}
