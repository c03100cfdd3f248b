"""A shipped example, collected from a test's server: the declaration as it stands, but for the address and the network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from collectors.runner import RunResult, run_source
from config.declarations import Regency
from config.loading import load
from config.settings import SHIPPED, Settings
from dashboard.queries.answers import Context
from dashboard.queries.figures import figures
from dashboard.store.engine import migrate, open_engine
from dashboard.store.tables import reading


@dataclass
class Example:
    """An example folder with a store of its own."""

    regency: Regency
    settings: Settings
    engine: Engine
    now: datetime

    def run(self, source: str, **more: Any) -> RunResult:
        """One run of one of its sources."""
        return run_source(self.engine, self.regency, source, settings=self.settings, now=lambda: self.now, **more)

    def figures(self, metrics: list[str], **asked: Any) -> list[tuple[Any, ...]]:
        """(period, those of ``by``, metric, value), as screens and the command line ask them."""
        frame = figures(Context(self.engine, self.regency, self.now), metrics=metrics, **asked)
        return list(frame[["period", *asked.get("by", ()), "metric", "value"]].itertuples(index=False, name=None))

    def readings(self) -> dict[tuple[str, str, int], float | None]:
        """(metric, scope, period) → value."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(reading.c.metric, reading.c.scope, reading.c.period, reading.c.value))
            return {(row.metric, row.scope, row.period): row.value for row in rows}


def example(name: str, url: str, home: Path, now: datetime, secrets: dict[str, str]) -> Example:
    """The example ``name`` with ``url`` in place of its address."""
    regency = load(SHIPPED / "examples" / name)
    here = {
        key: source.model_copy(update={"options": {**source.options, "url": url}, "network": ("127.0.0.1/32",)})
        for key, source in regency.sources.items()
    }
    settings = Settings(data=home / "var", drop=home / "drop", secrets=home / "secrets")
    settings.drop.mkdir()
    settings.secrets.mkdir()
    for secret, value in secrets.items():
        file = settings.secrets / secret
        file.write_text(value)
        file.chmod(0o600)
    engine = open_engine(settings.url_of("figures"))
    migrate(engine)
    return Example(regency.model_copy(update={"sources": here}), settings, engine, now)
