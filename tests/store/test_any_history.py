"""Whatever happens to cases, in whatever order: the store says what a naive count of them says. On both engines."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select, text

from dashboard.cases import Case
from dashboard.clock import epoch
from dashboard.store.backlog import backlog_at
from dashboard.store.derived import derive_histograms
from dashboard.store.durations import Distribution, durations
from dashboard.store.engine import writing
from dashboard.store.tables import GRAINS, cell, dimension, figures
from dashboard.store.verify import verify
from tests.conftest import NOW
from tests.store.cases import at, made
from tests.store.reading import REGENCY, ZONE, begin, collect

FIRST = at("2026-07-15T00:00")
EDGES = [at(text) + step for text in ("2026-07-31T16:00", "2026-08-31T16:00", "2026-11-23T16:00") for step in (-1, 0, 1)]
MOMENTS = st.one_of(st.integers(FIRST, epoch(NOW)), st.sampled_from(EDGES))
HOW = st.sampled_from(["open", "completed", "completed", "cancelled", "without date"])
TOLD = st.tuples(MOMENTS, MOMENTS, HOW, st.sampled_from("ab"), st.sampled_from(["73.22.03", "?", ""]), st.none() | MOMENTS)
PAGE = st.dictionaries(st.integers(0, 9), TOLD, min_size=1, max_size=8)


def case_of(number: int, told: tuple[Any, ...]) -> Case:
    """The case that is told; its end may precede its submission, or have no date."""
    submitted, ended, how, service, district, accepted = told
    return made(
        number, submitted, ended if how in ("completed", "cancelled") else None, service=service, district=district,
        ended_as={"open": None, "without date": "cancelled"}.get(how, how), accepted_at=accepted,
    )


class History(RuleBasedStateMachine):
    """Runs of one source, and a model of what they leave: the living cases by number, and the numbers missed once."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        with writing(self.engine).begin() as connection:
            for table in figures.sorted_tables:
                connection.execute(table.delete() if table.name != "meta" else text("DELETE FROM meta WHERE key <> 'seq'"))
        self.living: dict[int, Case] = {}
        self.missed: set[int] = set()
        self.now = NOW

    def _see(self, told: dict[int, tuple[Any, ...]]) -> list[Case]:
        cases = {number: case_of(number, one) for number, one in told.items()}
        self.living |= cases
        self.missed -= cases.keys()
        return list(cases.values())

    @rule(told=PAGE)
    def an_incremental_run(self, told: dict[int, tuple[Any, ...]]) -> None:
        collect(self.engine, self._see(told), now=self.now)

    @rule(told=PAGE)
    def a_run_killed_after_its_page(self, told: dict[int, tuple[Any, ...]]) -> None:
        begin(self.engine, self.now).page(self._see(told))

    @rule(told=PAGE)
    def a_page_that_fails(self, told: dict[int, tuple[Any, ...]]) -> None:
        broken = made(99, FIRST)._replace(codes=None)  # type: ignore[arg-type]
        with pytest.raises(Exception, match=r"(?i)null"):
            begin(self.engine, self.now).page([*(case_of(number, one) for number, one in told.items()), broken])

    @rule(told=PAGE, kept=st.sets(st.integers(0, 9)))
    def a_run_over_everything(self, told: dict[int, tuple[Any, ...]], kept: set[int]) -> None:
        before = set(self.living)
        same = [self.living[number] for number in kept & before - told.keys()]
        seen = kept & before | told.keys()
        gone = (before - seen) & self.missed
        cases = self._see(told)
        self.missed = (before - seen) - gone
        for number in gone:
            del self.living[number]
        collect(self.engine, [*cases, *same], now=self.now, whole=True)

    @rule()
    def histograms_are_derived(self) -> None:
        derive_histograms(self.engine, REGENCY, limit=3)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def nothing_differs(self) -> None:
        assert verify(self.engine, REGENCY) == []

    @invariant()
    def days_are_what_a_naive_count_says(self) -> None:
        expected: Counter[tuple[str, str, str]] = Counter()
        for one in self.living.values():
            expected[self._day(one.submitted_at), one.service, "received"] += 1
            expected[self._day(one.ended_at or 0), one.service, str(one.ended_as)] += one.ended_at is not None
        stored: Counter[tuple[str, str, str]] = Counter()
        with self.engine.connect() as connection:
            for row in connection.execute(select(cell, dimension.c.service).join(dimension, dimension.c.id == cell.c.dim).where(
                cell.c.grain == GRAINS["day"]
            )):
                for name in ("received", "completed", "cancelled"):
                    stored[self._day(row.period), row.service, name] += getattr(row, name)
        assert +stored == +expected

    @staticmethod
    def _day(moment: int) -> str:
        return datetime.fromtimestamp(moment, ZONE).date().isoformat()

    @invariant()
    def the_backlog_is_what_a_naive_count_says(self) -> None:
        with self.engine.connect() as connection:
            for moment in (*EDGES, FIRST + 1_234_567, epoch(NOW)):
                expected = Counter(
                    (one.service,) for one in self.living.values()
                    if (one.ended_at is not None or one.ended_as is None) and one.submitted_at <= moment < (one.left_at or 2**40)
                )
                assert backlog_at(connection, moment, ZONE, by=("service",)) == expected

    @invariant()
    def durations_are_those_of_the_cases(self) -> None:
        windows = [(EDGES[1], EDGES[4]), (FIRST, epoch(NOW)), (EDGES[1] - 86_400, EDGES[7])]
        with self.engine.connect() as connection:
            for start, end in windows:
                expected = sorted(
                    (one.ended_at - one.submitted_at) / 3600 for one in self.living.values()
                    if one.ended_as == "completed" and one.ended_at is not None and start <= one.ended_at < end
                    and one.ended_at >= one.submitted_at
                )
                found = durations(connection, REGENCY, measure="elapsed", start=start, end=end).get((), Distribution())
                assert found.n == len(expected)
                for share in (0.5, 0.9):
                    told = found.quantile(share) or 0.0
                    assert told == pytest.approx(float(np.quantile(expected or [0.0], share)), rel=0.01, abs=1e-6)


@pytest.mark.short("sqlite")
def test_any_history_of_runs_leaves_what_a_naive_count_says(engine: Engine) -> None:
    run_state_machine_as_test(
        type("HistoryOnThisEngine", (History,), {"engine": engine}),
        settings=settings(
            max_examples=15, stateful_step_count=8, deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
