"""``command-center check``: everything wrong with a declarations folder at once, with file and key. Touches no network."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from config.declarations import DeclarationError
from config.loading import problems
from dashboard.cases import CHANNELS
from dashboard.derive import DISCOVER, STATUSES
from dashboard.metrics import METRICS
from dashboard.worktime import calendars

if TYPE_CHECKING:
    from config.declarations import Agency, Regency, Source

REQUIRED = {"cases": ("case_id", "submitted_at"), "readings": ("metric", "period", "value")}


def check(
    folder: Path, *, options_of: Mapping[str, type[BaseModel]], panels: Collection[str]
) -> list[DeclarationError]:
    """Every error of the folder. ``options_of``: the options model of each connector; ``panels``: those that exist."""
    regency, errors = problems(folder)
    if regency is None:
        return errors
    found = list(errors)
    for agency in regency.agencies.values():
        found += _agency(regency, agency)
    for source in regency.sources.values():
        found += _source(regency, source, options_of)
    found += _screens(regency, panels)
    return found


def _wrong(file: str, key: str, en: str, id: str) -> DeclarationError:
    return DeclarationError(en, file=file, key=key, id=id)


def _agency(regency: Regency, agency: Agency) -> Iterator[DeclarationError]:
    file = f"agencies/{agency.id}.toml"
    if agency.calendar not in calendars(regency):
        yield _wrong(file, "calendar", f"no calendar {agency.calendar!r}", f"tidak ada kalender {agency.calendar!r}")
    if agency.headline and agency.headline not in agency.services:
        yield _wrong(file, "headline", f"no service {agency.headline!r}", f"tidak ada layanan {agency.headline!r}")
    for key in ("reports_to", "successor"):
        other = getattr(agency, key)
        if other and other not in regency.agencies:
            yield _wrong(file, key, f"no agency {other!r}", f"tidak ada perangkat daerah {other!r}")
    for slug, service in agency.services.items():
        if service.calendar and service.calendar not in calendars(regency):
            yield _wrong(
                file, f"services.{slug}.calendar", f"no calendar {service.calendar!r}", f"tidak ada kalender {service.calendar!r}"
            )


def _source(
    regency: Regency, source: Source, options_of: Mapping[str, type[BaseModel]]
) -> Iterator[DeclarationError]:
    file = f"source {source.id}"
    if source.owner not in regency.agencies:
        yield _wrong(file, "owner", f"no agency {source.owner!r}", f"tidak ada perangkat daerah {source.owner!r}")
    for field in REQUIRED[source.feeds]:
        if field not in source.fields:
            yield _wrong(file, f"fields.{field}", "is required", "wajib ada")
    if source.connector not in options_of:
        known = ", ".join(sorted(options_of))
        yield _wrong(
            file, "connector", f"no connector {source.connector!r}; known: {known}",
            f"tidak ada konektor {source.connector!r}; yang ada: {known}",
        )
    else:
        try:
            options_of[source.connector].model_validate(source.options)
        except ValidationError as err:
            for problem in err.errors():
                key = ".".join(str(part) for part in ("options", *problem["loc"]))
                message = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
                yield _wrong(file, key, message, f"tidak sah: {message}")
    yield from _fields(regency, source, file)


def _fields(regency: Regency, source: Source, file: str) -> Iterator[DeclarationError]:
    for name, allowed in (("status", STATUSES), ("channel", CHANNELS)):
        field = source.fields.get(name)
        for value in [*(field.map or {}).values(), *([field.otherwise] if field.otherwise else [])] if field else []:
            if value not in allowed:
                words = ", ".join(allowed)
                yield _wrong(file, f"fields.{name}", f"{value!r} is not one of {words}", f"{value!r} bukan salah satu dari {words}")
    agency = source.fields.get("agency")
    targets = [*(agency.map or {}).values(), agency.value, agency.otherwise] if agency else []
    for target in targets:
        if target and target != DISCOVER and target not in regency.agencies:
            yield _wrong(file, "fields.agency", f"no agency {target!r}", f"tidak ada perangkat daerah {target!r}")
    district = source.fields.get("district")
    if district and district.level and not regency.districts:
        yield _wrong(file, "fields.district.level", "no districts are declared", "belum ada kecamatan yang dinyatakan")
    if source.feeds == "readings":
        metric = source.fields.get("metric")
        for named in [*(metric.map or {}).values(), metric.value] if metric else []:
            if named and named not in METRICS:
                yield _wrong(file, "fields.metric", f"no metric {named!r}", f"tidak ada metrik {named!r}")


def _screens(regency: Regency, panels: Collection[str]) -> Iterator[DeclarationError]:
    for name, scene in regency.scenes.items():
        for number, panel in enumerate(scene.panels):
            if panel.panel not in panels:
                known = ", ".join(sorted(panels))
                yield _wrong(
                    "screens.toml", f"scenes.{name}.panels.{number}.panel", f"no panel {panel.panel!r}; known: {known}",
                    f"tidak ada panel {panel.panel!r}; yang ada: {known}",
                )
    for name, screen in regency.screens.items():
        for scene_name in screen.scenes:
            if scene_name not in regency.scenes:
                yield _wrong(
                    "screens.toml", f"screens.{name}.scenes", f"no scene {scene_name!r}", f"tidak ada adegan {scene_name!r}"
                )
