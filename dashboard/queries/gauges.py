"""What an instant looked like at the same time of comparable days, from the gauges kept every ten minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from dashboard.queries.answers import Context
from dashboard.queries.volumes import MARK, Versions, kept, settled
from dashboard.store.tables import gauge


@dataclass(frozen=True)
class AtMark:
    """One gauge at one ten-minute mark. ``values``: (source, agency) → value, agency "" being the source's sum.

    A missing value is zero only where the mark is known: one that the leader wrote, or that was filled for the source.
    """

    values: dict[tuple[str, str], float]
    written: bool
    filled: frozenset[str]

    def value(self, source: str, agency: str = "") -> float | None:
        """The value, or ``None`` where nobody looked."""
        if self.written or source in self.filled:
            return self.values.get((source, agency), 0.0)
        return None


def between(low: AtMark, high: AtMark, share: float, sources: Sequence[str], agency: str = "") -> float | None:
    """A gauge of some sources between two marks, linear; ``None`` where one of them is not known."""
    total = 0.0
    for source in sources:
        before, after = low.value(source, agency), high.value(source, agency)
        if before is None or after is None:
            return None
        total += before + (after - before) * share
    return total


def gauges_at(context: Context, metric: str, instants: Sequence[int], version: Versions) -> list[tuple[AtMark, AtMark, float]]:
    """For each instant: the gauge at the mark before and after it, and how far between them it lies (0…1)."""
    marks = [at // MARK * MARK for at in instants]
    wanted = sorted({mark + step for mark in marks for step in (0, MARK)})

    def read() -> dict[int, AtMark]:
        values: dict[int, dict[tuple[str, str], float]] = {mark: {} for mark in wanted}
        written: set[int] = set()
        with context.engine.connect() as connection:
            filled = {row.source: row.value for row in connection.execute(
                select(gauge.c.source, gauge.c.value).where(gauge.c.at == 0, gauge.c.metric == "filled")
            )}
            rows = connection.execute(select(gauge.c.at, gauge.c.source, gauge.c.agency, gauge.c.metric, gauge.c.value).where(
                gauge.c.at.in_(wanted), gauge.c.metric.in_((metric, "mark"))
            ))
            for at, source, agency, name, value in rows:
                if name == "mark":
                    written.add(at)
                    continue
                values[at][source, agency] = value
                values[at][source, ""] = values[at].get((source, ""), 0.0) + value
        return {
            mark: AtMark(values[mark], mark in written, frozenset(key for key, until in filled.items() if mark < until))
            for mark in wanted
        }

    by_mark = kept(context, ("gauge", metric, tuple(wanted)), settled(context, version), read)
    return [(by_mark[mark], by_mark[mark + MARK], (at - mark) / MARK) for at, mark in zip(instants, marks, strict=True)]
