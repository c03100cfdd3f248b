"""What the tests of collectors share: an agency's server, a store, one source in a small regency, a connector's reading."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from collectors.connector import CONNECTORS, Page, Reading
from collectors.runner import RunResult, run_source
from config.declarations import Agency as AgencyDeclaration
from config.declarations import Regency, Source, Words
from config.settings import Settings
from dashboard.store.engine import migrate, open_engine
from dashboard.store.state import SourceState, state_of
from dashboard.store.tables import case, cell, rejected
from tests.agency_api import Agency, agency_api
from tests.ledger import Ledger, served

LOOPBACK = (ip_network("127.0.0.0/8"),)
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.fixture
def agency() -> Iterator[Agency]:
    """An agency's HTTP server."""
    with agency_api() as server:
        yield server


@dataclass
class Readings:
    """Makes readings for a connector."""

    drop: Path
    secrets: dict[str, str] = field(default_factory=lambda: {"token": "s3cret-canary"})

    def __call__(self, kind: str, options: dict[str, Any], wanted: set[str], **more: Any) -> Reading:
        values: dict[str, Any] = {
            "source": "uji", "options": CONNECTORS[kind].options.model_validate(options), "since": None,
            "deadline": time.monotonic() + 20, "networks": LOOPBACK, "secret": self.secrets.__getitem__, "drop": self.drop,
            "wanted": frozenset(wanted), "timezone": "Asia/Makassar", "now": NOW.timestamp(),
        }
        return Reading(**{**values, **more})

    def rows(self, kind: str, options: dict[str, Any], wanted: set[str], **more: Any) -> list[Any]:
        """All rows that a connector gives."""
        return [row for page in self.pages(kind, options, wanted, **more) for row in page.rows]

    def pages(self, kind: str, options: dict[str, Any], wanted: set[str], **more: Any) -> list[Page]:
        """All pages that a connector gives."""
        return list(CONNECTORS[kind].read(self(kind, options, wanted, **more)))


@pytest.fixture
def reading(tmp_path: Path) -> Readings:
    """A maker of readings with a drop folder of its own."""
    drop = tmp_path / "drop"
    drop.mkdir(exist_ok=True)
    return Readings(drop)


@dataclass
class Site:
    """A store and one source: ``run`` collects it, the rest looks at what came of it."""

    settings: Settings
    engine: Engine
    source: Source
    now: datetime = NOW

    @property
    def regency(self) -> Regency:
        """A regency of one agency and this source."""
        agency = AgencyDeclaration(id="uji", name=Words(id="Uji", en="Test"), short_name="Uji")
        return Regency(name="Uji", timezone="Asia/Makassar", agencies={"uji": agency}, sources={self.source.id: self.source})

    def declare(self, **changes: Any) -> None:
        """Another declaration of the source."""
        self.source = Source.model_validate({**self.source.model_dump(by_alias=True, exclude_unset=True), **changes})

    def run(self, **more: Any) -> RunResult:
        """One run."""
        return run_source(self.engine, self.regency, self.source.id, settings=self.settings, now=lambda: self.now, **more)

    def value(self, statement: Any) -> Any:
        """One value from the store."""
        with self.engine.connect() as connection:
            return connection.execute(statement).scalar()

    @property
    def state(self) -> SourceState:
        """The source's state."""
        with self.engine.connect() as connection:
            return state_of(connection, self.source.id)

    @property
    def cases(self) -> int:
        """Cases that are there, tombstones left out."""
        return int(self.value(select(func.count()).select_from(case).where(case.c.deleted_at.is_(None))))

    @property
    def received(self) -> int:
        """Cases received by the cells of months."""
        return int(self.value(select(func.sum(cell.c.received)).where(cell.c.grain == 3)) or 0)

    @property
    def put_aside(self) -> list[Any]:
        """Rejected rows."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(rejected).order_by(rejected.c.id)))

    def everything_on_disk(self) -> bytes:
        """All bytes below the data folder."""
        return b"".join(path.read_bytes() for path in sorted(self.settings.data.rglob("*")) if path.is_file())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """A maker of sites; keywords are the source's declaration."""
    engines: list[Engine] = []

    def make(**source: Any) -> Site:
        settings = Settings(data=tmp_path / "var", drop=tmp_path / "drop", secrets=tmp_path / "secrets")
        settings.drop.mkdir(exist_ok=True)
        engine = open_engine(settings.url_of("figures"))
        engines.append(engine)
        migrate(engine)
        values = {"id": "uji", "owner": "uji", "timezone": "Asia/Makassar", "network": ["127.0.0.1/32"], **source}
        return Site(settings, engine, Source.model_validate(values))

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def book(site: Callable[..., Site]) -> Iterator[Callable[..., Any]]:
    """A maker of ledgers behind HTTP with a site that reads them; keywords are the source's declaration."""
    from tests.collectors.books import Book, declaration

    with ExitStack() as servers:

        def make(ledger: Ledger | None = None, **source: Any) -> Book:
            kept = ledger or Ledger()
            return Book(kept, site(**declaration(servers.enter_context(served(kept)), **source)))

        yield make
