"""A small regency with three agencies, and deliveries into its store as a collector's runs would make them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from config.declarations import Regency
from dashboard.cases import Codes, Outcome, Sighting
from dashboard.clock import day_start, epoch
from dashboard.derive import Deriver
from dashboard.queries.answers import Context
from dashboard.store.read import Read

ALWAYS = {"office": {"always": True, "holidays": False}}
"""Calendars for tests in which every hour is a working hour."""


def service(promise: str | None = None, **more: Any) -> dict[str, Any]:
    """A service with a standard since 2000, or without one."""
    standards = [] if promise is None else [{"from": "2000-01-01", "promise": promise, "basis": "SK uji"}]
    return {"name": {"id": "Layanan", "en": "Service"}, "standards": standards, **more}


def agency(short_name: str, services: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An agency."""
    return {"name": {"id": short_name, "en": short_name}, "short_name": short_name, "services": services, **more}


def source(owner: str, **more: Any) -> dict[str, Any]:
    """A source whose fields are already named as the product names them."""
    fields = {
        "case_id": "id", "service": {"from": "service", "otherwise": "discover"},
        "submitted_at": "submitted", "accepted_at": "accepted", "ended_at": "ended",
        "status": {"from": "status", "map": {"completed": "completed", "cancelled": "cancelled"}, "otherwise": "open"},
        "channel": {"from": "channel", "map": {"online": "online"}, "otherwise": "counter"},
        "district": "district", "closed_by": "closed_by",
    }
    given = {
        "id": f"{owner}-source", "owner": owner, "connector": "rest", "timezone": "Asia/Makassar", "every": "5 minutes",
        "stale_after": "30 minutes", "quiet_after": "7 days", "mode": "incremental", **more,
    }
    return {**given, "fields": {**fields, **more.get("fields", {})}}


def regency(**more: Any) -> Regency:
    """Capil and Dishub serve requests, Lapor's complaints go to any agency."""
    shared = {"agency": {"from": "agency", "otherwise": "discover"}}
    sources = [
        source("capil"), source("dishub"), source("kominfo", id="lapor", kind="complaint", fields=shared),
    ]
    return Regency.model_validate({
        "name": "Uji", "timezone": "Asia/Makassar",
        "agencies": {
            "capil": agency("Capil", {
                "ktp": service("1 working day"), "kk": service("3 hours"), "lapor": service("3 days", kind="complaint"),
            }, id="capil", headline="ktp"),
            "dishub": agency("Dishub", {"kir": service("2 hours"), "trayek": service()}, id="dishub"),
            "kominfo": agency("Kominfo", {}, id="kominfo"),
        },
        "sources": {one["id"]: one for one in sources}, **more,
    })


def wita(text: str) -> datetime:
    """A moment of the regency's clock ("2026-11-24 10:53"), aware, UTC."""
    return (datetime.fromisoformat(text) - timedelta(hours=8)).replace(tzinfo=UTC)


@dataclass
class Told:
    """One case as a source tells it. Stamps are moments; ``ended`` with status "completed" unless it says otherwise."""

    id: str
    submitted: datetime
    ended: datetime | None = None
    service: str = "ktp"
    status: str = ""
    accepted: datetime | None = None
    agency: str | None = None
    channel: str | None = None
    district: str | None = None
    closed_by: str | None = None

    def sighting(self) -> Sighting:
        """As the mapping hands it on."""
        status = self.status or ("completed" if self.ended else "open")
        return Sighting(
            hashlib.blake2b(self.id.encode(), digest_size=16).digest(), epoch(self.submitted), _at(self.accepted), None,
            _at(self.ended), Codes(
                agency=self.agency, service=self.service, status=status, channel=self.channel, district=self.district,
                closed_by=self.closed_by,
            ),
        )


def _at(moment: datetime | None) -> int | None:
    return None if moment is None else epoch(moment)


@dataclass
class World:
    """A store and a regency, and what is done to them."""

    engine: Engine
    regency: Regency = field(default_factory=regency)

    def deliver(
        self, source: str, told: Iterable[Told], *, at: datetime, since: datetime | None = None, complete: bool = True,
        outcome: Outcome = Outcome.OK, data_until: datetime | None = None,
    ) -> None:
        """One good run at ``at``, which vouches for everything from ``since`` (default: its first submission) to then."""
        seen = [one.sighting() for one in told]
        self.deliver_sightings(source, seen, at=at, since=since, complete=complete, outcome=outcome, data_until=data_until)

    def deliver_sightings(
        self, source: str, seen: Iterable[Sighting], *, at: datetime, since: datetime | None = None, complete: bool = True,
        outcome: Outcome = Outcome.OK, data_until: datetime | None = None,
    ) -> None:
        """The same of mapped rows."""
        deriver = Deriver(self.regency, self.regency.sources[source])
        cases = [deriver.derive(one) for one in seen]
        read = Read.begin(
            self.engine, self.regency.sources[source], mode="incremental", token=None, now=at, zone=self.regency.zone,
        )
        for start in range(0, len(cases), 5000):
            read.page(cases[start : start + 5000])
        first = epoch(since) if since else min((case.submitted_at for case in cases), default=epoch(at))
        read.finish(
            outcome=outcome, now=at, data_until=epoch(data_until or at), covered=(first, epoch(data_until or at)),
            complete=complete,
        )

    def fail(
        self, source: str, *, at: datetime, times: int = 1, outcome: Outcome = Outcome.UNAVAILABLE, step: str = "read"
    ) -> None:
        """So many failed runs in a row."""
        for _ in range(times):
            read = Read.begin(
                self.engine, self.regency.sources[source], mode="incremental", token=None, now=at, zone=self.regency.zone,
            )
            read.fail(outcome, now=at, step=step, en="no answer", id="tidak menjawab")

    def asked(self, at: datetime) -> Context:
        """The context of a question at an instant."""
        return Context(self.engine, self.regency, at)

    def midnight(self, at: datetime) -> int:
        """Epoch seconds at which the local day of a moment began."""
        return day_start((at + timedelta(hours=8)).date(), self.regency.zone)
