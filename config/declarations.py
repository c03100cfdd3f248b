"""The declarations: TOML files and the types that read them. No behaviour, no network.

A folder needs ``regency.toml`` and one agency; all else has defaults; ``extends`` names another folder. An unknown key, a
bad unit or a metric that does not exist is a :class:`DeclarationError` that names the file and the key.
"""
# ruff: noqa: RUF012 - pydantic copies a default for each instance

from __future__ import annotations

from datetime import date, timedelta
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, field_validator, model_validator

from config.groups import Group, Mode, Slot
from config.terms import (
    CalendarRules,
    DeclarationError,
    Declared,
    Duration,
    Hours,
    Slug,
    Standard,
    StandardUnit,
    Words,
    Zone,
)

__all__ = [
    "FIELDS_OF_CASES", "FIELDS_OF_READINGS", "STAMPS", "Agency", "BackupRules", "CalendarRules", "DeclarationError", "Declared",
    "DeclaredMetric", "District", "DistrictMap", "Duration", "FieldMap", "Group", "Hours", "Mall", "Mode", "Panel",
    "RecordingRules", "Regency", "Scene", "Screen", "Service", "Slot", "Slug", "Source", "Standard", "StandardUnit", "Tenant",
    "ThinnedFrom", "Thresholds", "Words", "Zone",
]


class Service(Declared):
    """What an agency gives. ``calendar`` overrides the agency's (an emergency ward is open always)."""

    name: Words
    kind: Literal["request", "complaint", "visit"] = "request"
    standards: tuple[Standard, ...] = ()
    calendar: str | None = None
    class_: str | None = Field(None, alias="class")

    def standard_on(self, day: date) -> Standard | None:
        """The standard in force on the day of submission."""
        valid = [standard for standard in self.standards if standard.from_ <= day]
        return max(valid, key=lambda standard: standard.from_) if valid else None


Where = dict[str, Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]]
"""Column → the value, or the values, of which it must have one; "" is also an absent one."""


class FieldMap(Declared):
    """How one field of a case or reading is found in a raw row; see design §6. A plain string means ``from``.

    ``fallback``: further columns of a stamp, each read where those before it hold nothing.
    """

    from_: str | tuple[str, ...] | None = Field(None, alias="from")
    value: str | None = None
    format: str | None = None
    missing: tuple[str, ...] = ()
    map: dict[str, str] | None = None
    otherwise: str | None = None
    level: Literal["district", "village"] | None = None
    offset: Literal["honour", "ignore"] = "honour"
    fallback: tuple[str, ...] = ()
    where: Where = {}
    take: Literal["first", "last"] = "first"
    after: str | None = None
    minutes: str | None = None
    time: str | None = None


FIELDS_OF_CASES = (
    "case_id", "agency", "service", "submitted_at", "accepted_at", "first_response_at", "ended_at", "status", "channel",
    "district", "class", "closed_by", "updated_at", "published_at", "ticket",
)
FIELDS_OF_READINGS = ("metric", "scope", "period", "grain", "value", "published_at", "agency")
STAMPS = ("submitted_at", "accepted_at", "first_response_at", "ended_at", "updated_at", "published_at")


class Source(Declared):
    """One readable place at an agency: whose it is, how it is read, what its fields mean.

    ``where``: only rows that hold these values are the source's; others (soft-deleted, superseded) are as if not there.
    """

    id: Slug
    owner: str = ""
    name: Words | None = None
    connector: str
    feeds: Literal["cases", "readings"] = "cases"
    kind: Literal["request", "complaint", "visit"] = "request"
    every: Duration = timedelta(minutes=5)
    stale_after: Duration = timedelta(minutes=30)
    stale_clock: Literal["wall", "service hours"] = "wall"
    quiet_after: Duration | None = None
    timezone: Zone
    network: tuple[str, ...] = ()
    mode: Literal["incremental", "window", "snapshot"] | None = None
    late_rows: Duration = timedelta(days=7)
    overlap: Duration = timedelta(hours=48)
    reconcile: Duration = timedelta(days=7)
    ordered: bool = False
    covers_from: date | None = None
    outcome: Literal["status", "dates"] = "status"
    where: Where = {}
    deadline: Duration = timedelta(minutes=5)
    options: dict[str, Any] = {}
    fields: dict[str, FieldMap]

    @field_validator("fields", mode="before")
    @classmethod
    def _plain_string_is_from(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: {"from": field} if isinstance(field, str) else field for key, field in value.items()}
        return value

    @field_validator("network")
    @classmethod
    def _networks_parse(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @model_validator(mode="after")
    def _fields_are_known(self) -> Source:
        known = FIELDS_OF_CASES if self.feeds == "cases" else FIELDS_OF_READINGS
        unknown = sorted(set(self.fields) - set(known))
        if unknown:
            raise ValueError(f"fields.{unknown[0]}: not a field of {self.feeds}; known: {', '.join(known)}")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """Zone of stamps without an offset."""
        return ZoneInfo(self.timezone)

    @property
    def reading_mode(self) -> str:
        """The declared mode, or the default: window for an event log, else snapshot for files, else incremental."""
        if self.mode:
            return self.mode
        if any(field.where for field in self.fields.values()):
            return "window"
        asks = "since" in self.options or ":since" in str(self.options.get("query", ""))
        return "incremental" if asks and self.connector != "tabular" else "snapshot"


class Agency(Declared):
    """An organisation (perangkat daerah). ``id`` is its file's name; ``serves = false``: only a place in the chain of command.

    ``outside``: none of the regency's, but a tenant of its service mall (BPJS, immigration): it is on no list of agencies.
    ``sector = "health"``: small numbers of its cases by district are not shown to people in the room (design §8).
    """

    id: str = ""
    name: Words
    short_name: str
    calendar: str = "office"
    reports_to: str | None = None
    headline: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    successor: str | None = None
    serves: bool = True
    outside: bool = False
    sector: Literal["health"] | None = None
    services: dict[str, Service] = {}
    sources: tuple[Source, ...] = ()


class Tenant(Declared):
    """A tenant of the service mall: how many counters are planned while its calendar says that it is open."""

    counters: int = Field(default=1, ge=0)


class Mall(Declared):
    """The service mall (MPP), in ``mall.toml``: its tenants, by their agency, in the order in which they are shown.

    ``queue``: the source of its visits; ``counters``: the source that publishes ``counters_open`` by tenant, if any.
    """

    name: Words = Words(id="Mal Pelayanan Publik", en="Public Service Mall")
    queue: Slug
    counters: Slug | None = None
    tenants: dict[Slug, Tenant]


class District(Declared):
    """A kecamatan: its Kemendagri code is the key; ``spellings`` are those seen in the wild.

    ``tile``: its column and row (from 0, the north-west corner) on the tile map that stands where no map file is named.
    """

    name: str
    bps: str | None = None
    spellings: tuple[str, ...] = ()
    tile: tuple[Annotated[int, Field(ge=0, le=40)], Annotated[int, Field(ge=0, le=40)]] | None = None


class DistrictMap(Declared):
    """Where the districts' outlines are: a GeoJSON file (WGS84) beside the declarations, and its properties that tell the
    district's code and name."""

    file: str
    code: str = "kode"
    name: str = "nama"


class DeclaredMetric(Declared):
    """What a published value measures, where the product has no metric for it: unit, good direction, how values add up.

    ``adds``: "sum" (amounts of their period), "last" (a standing, as a share or a sum so far), "mean" (never summed here).
    """

    name: Words
    unit: Literal["cases", "percent", "score", "minutes", "seconds", "counters", "rupiah"]
    good: Literal["up", "down", "neither"] = "neither"
    adds: Literal["sum", "last", "mean"] = "last"
    decimals: int = Field(default=0, ge=0, le=3)


class Panel(Declared):
    """One panel instance in a scene: the question's file name, its parameters and its cell of the grid."""

    panel: str
    area: str
    params: dict[str, Any] = {}


class Scene(Declared):
    """Panels in a grid. ``dwell`` is how long a page of it stays; ``farthest_metres`` a viewer nearer than the screen's.

    ``grid``: rows of area names as in ``["a b", "a c"]``, and ``tall`` the same for an upright screen. Without one the
    style sheet has a grid of the scene's name, or the panels stand in order, up to three in a row.
    """

    name: Words
    dwell: Duration = timedelta(seconds=20)
    farthest_metres: float | None = Field(default=None, gt=0)
    panels: tuple[Panel, ...]
    grid: tuple[str, ...] = ()
    tall: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _every_panel_has_its_area(self) -> Scene:
        for key, rows in (("grid", self.grid), ("tall", self.tall)):
            cells = [row.split() for row in rows]
            if len({len(row) for row in cells}) > 1:
                raise ValueError(f"{key}: every row needs as many areas as the first")
            lost = sorted({panel.area for panel in self.panels} - {area for row in cells for area in row})
            if cells and lost:
                raise ValueError(f"{key}: no area {lost[0]!r}, which a panel stands in")
        return self


class Screen(Declared):
    """A wall screen: its scenes in order, its size and how far the farthest viewer sits.

    ``modes``: its own scenes while its group is in a mode.
    """

    name: str
    scenes: tuple[str, ...]
    modes: dict[str, tuple[str, ...]] = {}
    language: Literal["id", "en"] = "id"
    millimetres: tuple[PositiveFloat, PositiveFloat] = (1218.0, 685.0)
    pixels: tuple[PositiveInt, PositiveInt] = (1920, 1080)
    farthest_metres: PositiveFloat = 5.0


class Thresholds(Declared):
    """Shares and counts that decide how a figure is said."""

    named_under: float = 0.05
    stale_from: float = 0.20
    least_cases: int = 30
    comparable_weeks: int = 8
    comparable_days_needed: int = 4
    nobody_called_minutes: int = 15


class BackupRules(Declared):
    """When the leader backs the stores up and what is kept: the newest of so many days, weeks and months, none longer than
    ``longest`` (faults.md P7: the purge holds for backups as well). ``at``: the local time of day that the rhythm starts from.
    """

    every: Duration = timedelta(days=1)
    at: str = Field(default="02:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    days: int = Field(default=14, ge=1)
    weeks: int = Field(default=8, ge=0)
    months: int = Field(default=3, ge=0)
    longest: Duration = timedelta(days=90)


class ThinnedFrom(Declared):
    """Recordings older than ``after`` keep one state each ``step``."""

    after: Duration
    step: Duration


class RecordingRules(Declared):
    """How long recordings of screens are kept, and how densely with age: every change until the first stage begins.

    Steps are whole minutes, each a multiple of the one before, so that the marks of a stage are among those before it.
    """

    stages: tuple[ThinnedFrom, ...] = (
        ThinnedFrom(after=timedelta(days=14), step=timedelta(minutes=1)),
        ThinnedFrom(after=timedelta(days=90), step=timedelta(minutes=10)),
    )
    keep: Duration = timedelta(days=730)

    @model_validator(mode="after")
    def _ages_and_steps_grow(self) -> RecordingRules:
        minute, before = timedelta(minutes=1), ThinnedFrom(after=timedelta(0), step=timedelta(minutes=1))
        for number, stage in enumerate(self.stages):
            if stage.step % minute or stage.step % before.step or stage.step < minute:
                raise ValueError(f"stages.{number}.step: whole minutes, and a multiple of the step before")
            if stage.after <= before.after or (number and stage.step == before.step):
                raise ValueError(f"stages.{number}: each stage begins later than the one before, with a longer step")
            before = stage
        if self.keep <= before.after:
            raise ValueError("keep: longer than the age of the last stage")
        return self


class Regency(Declared):
    """All declarations of one folder, checked. ``hash`` changes with anything that derives stored figures."""

    name: str
    short_name: str = ""
    code: str = ""
    timezone: Zone
    locale: str = "id_ID"
    title: Words = Words(id="Command Center", en="Command Center")
    simulated: bool = False
    thresholds: Thresholds = Thresholds()
    backup: BackupRules = BackupRules()
    map: DistrictMap | None = None
    metrics: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], DeclaredMetric] = {}
    recordings: RecordingRules = RecordingRules()
    districts: dict[str, District] = {}
    calendars: dict[str, CalendarRules] = {}
    agencies: dict[str, Agency] = {}
    sources: dict[str, Source] = {}
    mall: Mall | None = None
    scenes: dict[str, Scene] = {}
    screens: dict[str, Screen] = {}
    modes: dict[str, Mode] = {}
    groups: dict[str, Group] = {}
    words: dict[str, dict[str, Any]] = {}
    hash: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The regency's own zone: days, months and clocks on screens."""
        return ZoneInfo(self.timezone)
