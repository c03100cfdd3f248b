"""Reads made by hand, for tests of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select

from config.declarations import Regency
from dashboard.cases import Case, Outcome
from dashboard.clock import epoch
from dashboard.store.read import Read
from dashboard.store.tables import GRAINS, cell
from tests.conftest import NOW
from tests.store.cases import SOURCE, at

ZONE = ZoneInfo("Asia/Makassar")
REGENCY = Regency(name="Uji", timezone="Asia/Makassar")


def begin(engine: Engine, now: datetime = NOW, **more: Any) -> Read:
    """A read under way."""
    source, token = more.pop("source", SOURCE), more.pop("token", None)
    return Read.begin(engine, source, mode="snapshot", token=token, now=now, zone=ZONE, **more)


def end(read: Read, now: datetime = NOW, **more: Any) -> None:
    """A good end of a read."""
    values: dict[str, Any] = {
        "outcome": Outcome.OK, "now": now, "data_until": epoch(now), "covered": (at("2026-11-01T00:00"), epoch(now)),
        "complete": True, "span": None,
    }
    read.finish(**(values | more))


def collect(engine: Engine, cases: Sequence[Case], *, now: datetime = NOW, whole: bool = False, **more: Any) -> Read:
    """One good read in one page; a ``whole`` one vouches for all there is."""
    read = begin(engine, now, **more)
    read.page(cases)
    end(read, now, span=(None, None) if whole else None)
    return read


def total(engine: Engine, name: str, grain: str = "month") -> int:
    """The sum of a count over all cells of a grain."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.sum(cell.c[name])).where(cell.c.grain == GRAINS[grain])).scalar() or 0)
