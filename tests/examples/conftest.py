"""A worked declaration of ``config/examples`` on a test's own server: only the address and the network are put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collectors.runner import RunResult, run_source
from config.declarations import Regency
from config.loading import load
from config.settings import SHIPPED, Settings
from dashboard.demo.launch import overlay
from dashboard.queries.answers import Context
from dashboard.queries.figures import figures
from dashboard.store.engine import migrate, open_engine
from dashboard.store.verify import verify
from tests.servers import MariaDB, mariadb

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
"""Tuesday, 24 November 2026, 12.00 WITA."""
LOOPBACK = 'network = ["127.0.0.1/32"]'
METRICS = ("received", "completed", "cancelled", "backlog", "processing_time_median")
Figures = dict[str, float | None]


@dataclass
class Example:
    """An example's declarations, a store, and a clock that stands."""

    regency: Regency
    settings: Settings
    engine: Engine
    now: datetime = NOON

    def collect(self, source: str, *, reconcile: bool = False) -> RunResult:
        """One run of one source, five minutes after the one before."""
        self.now += timedelta(minutes=5)
        return run_source(
            self.engine, self.regency, source, settings=self.settings, reconcile=reconcile, now=lambda: self.now
        )

    def month(self, *, agency: str, service: str | None = None, month: int = 11, metrics: tuple[str, ...] = METRICS) -> Figures:
        """Metric → value in a month of 2026; durations in elapsed hours."""
        first = date(2026, month, 1)
        frame = figures(
            Context(self.engine, self.regency, self.now), metrics=metrics, grain="month", agency=agency, service=service,
            since=first, until=first.replace(day=30), time="elapsed", everything=True,
        )
        return {metric: None if value != value else round(value, 4) for metric, value in zip(frame.metric, frame.value, strict=True)}

    def received_by(self, dimension: str, *, agency: str) -> dict[str, float]:
        """Cases received in November by agency, service, channel or district."""
        frame = figures(
            Context(self.engine, self.regency, self.now), metrics=["received"], grain="month", by=[dimension], agency=agency,
            since=date(2026, 11, 1), until=date(2026, 11, 30),
        )
        return dict(zip(frame[dimension], frame.value, strict=True))

    def differences(self) -> int:
        """What ``command-center verify`` finds."""
        return len(verify(self.engine, self.regency))

    def on_disk(self) -> bytes:
        """All bytes below the data folder."""
        return b"".join(path.read_bytes() for path in sorted(self.settings.data.rglob("*")) if path.is_file())


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Example]]:
    """A maker: the example's folder, what stands in for its address and network, and its secrets."""
    engines: list[Engine] = []

    def make(name: str, addresses: Mapping[str, str], **secrets: str) -> Example:
        for key, value in secrets.items():
            monkeypatch.setenv(f"COMMAND_CENTER_SECRET_{key.upper()}", value)
        regency = load(overlay(SHIPPED / "examples" / name, addresses, tmp_path / "config"))
        settings = Settings(config=tmp_path / "config", data=tmp_path / "var", drop=tmp_path / "drop")
        engines.append(open_engine(settings.url_of("figures")))
        migrate(engines[-1])
        return Example(regency, settings, engines[-1])

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(scope="module")
def maria() -> Iterator[MariaDB]:
    """One MariaDB for a module; it lets zero dates in, as old servers do."""
    with mariadb() as server:
        yield server
