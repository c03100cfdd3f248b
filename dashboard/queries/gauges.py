"""What an instant looked like at the same time of comparable days, from the gauges kept every ten minutes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from dashboard.queries.answers import Context
from dashboard.queries.volumes import MARK, Versions, kept
from dashboard.store.tables import gauge

Values = dict[tuple[str, str], float]
"""(source, agency) → value; agency "" is the source's sum."""


def gauge_values(context: Context, metric: str, instants: Sequence[int], version: Versions) -> list[Values]:
    """A gauge at each instant, linear between its two marks, by source and by (source, agency)."""
    marks = tuple(at // MARK * MARK for at in instants)
    wanted = sorted({mark + step for mark in marks for step in (0, MARK)})

    def read() -> dict[int, Values]:
        found: dict[int, Values] = {mark: {} for mark in wanted}
        with context.engine.connect() as connection:
            rows = connection.execute(select(gauge).where(gauge.c.at.in_(wanted), gauge.c.metric == metric))
            for row in rows:
                at_mark = found[row.at]
                at_mark[row.source, row.agency] = row.value
                at_mark[row.source, ""] = at_mark.get((row.source, ""), 0.0) + row.value
        return found

    by_mark: dict[int, Values] = kept(("gauge", version.engine, version.history, metric, tuple(wanted)), read)
    made: list[Values] = []
    for at, mark in zip(instants, marks, strict=True):
        low, high, share = by_mark[mark], by_mark[mark + MARK], (at - mark) / MARK
        made.append({
            key: low.get(key, 0.0) + (high.get(key, 0.0) - low.get(key, 0.0)) * share for key in low.keys() | high.keys()
        })
    return made
