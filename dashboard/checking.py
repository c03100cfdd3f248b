"""``command-center check``: everything wrong with a declarations folder at once, with file and key. Touches no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from config.declarations import STAMPS, DeclarationError
from config.loading import Folder
from dashboard.cases import CHANNELS
from dashboard.checking_groups import groups
from dashboard.derive import DISCOVER, REJECT, STATUSES
from dashboard.geography import problems as map_problems
from dashboard.metrics import METRICS, metrics_of
from dashboard.worktime import calendars

if TYPE_CHECKING:
    from config.declarations import Agency, FieldMap, Regency, Source
    from dashboard.store.standing import Changed

REQUIRED = {"cases": ("case_id", "submitted_at"), "readings": ("metric", "period", "value")}
MEANINGS = {"status": STATUSES, "channel": CHANNELS, "closed_by": ("follow-up", "silence")}
"""What the codes of a field may mean."""


def check(
    folder: Path, *, options_of: Mapping[str, type[BaseModel]], panels: Collection[str],
    secret_of: Callable[[str], str | None] | None = None,
) -> list[DeclarationError]:
    """Every error of the folder, in its files' order.

    ``options_of``: the options model of each connector; ``panels``: those that exist; ``secret_of``: the value of a secret
    or ``None``, to add a ``warning`` for each one that is named and not there. Only scenes that the folder (or one that it
    extends) declares are judged: the shipped ones are the product's.
    """
    try:
        read = Folder(folder)
    except DeclarationError as err:
        return [err]
    regency = read.regency_of()
    if regency is None:
        return read.errors
    found = list(read.errors)
    for agency in regency.agencies.values():
        found += _agency(regency, agency, read.agencies[agency.id][0])
    for source in regency.sources.values():
        file, key, _ = read.sources[source.id]
        found += _source(regency, source, file, key, options_of)
        if secret_of is not None:
            found += _secrets(source.options, secret_of, file, f"{key}.options")
    found += map_problems(regency, read.main)
    if "screens" in read.single:
        found += _screens(regency, panels, *read.single["screens"])
        found += groups(regency, *read.single["screens"])
    found += [
        _wrong(read.main, f"metrics.{key}", "is a metric of the product; choose another name", "metrik produk; pilih nama lain")
        for key in regency.metrics if key in METRICS
    ]
    found += _words(regency.words["id"], regency.words["en"])
    return found


def _wrong(file: str, key: str, en: str, id: str) -> DeclarationError:
    return DeclarationError(en, file=file, key=key, id=id)


def _missing(file: str, key: str, what: tuple[str, str], name: str, known: Collection[str] = ()) -> DeclarationError:
    """``what``: the kind of thing, English and Indonesian, that has no such name."""
    others = ", ".join(sorted(known))
    en, id = (f"; known: {others}", f"; yang ada: {others}") if others else ("", "")
    return _wrong(file, key, f"no {what[0]} {name!r}{en}", f"tidak ada {what[1]} {name!r}{id}")


CALENDAR, SERVICE, AGENCY = ("calendar", "kalender"), ("service", "layanan"), ("agency", "perangkat daerah")


def _agency(regency: Regency, agency: Agency, file: str) -> Iterator[DeclarationError]:
    known = calendars(regency)
    if agency.calendar not in known:
        yield _missing(file, "calendar", CALENDAR, agency.calendar, known)
    if agency.headline and agency.headline not in agency.services:
        yield _missing(file, "headline", SERVICE, agency.headline, agency.services)
    for key, other in (("reports_to", agency.reports_to), ("successor", agency.successor)):
        if other and other not in regency.agencies:
            yield _missing(file, key, AGENCY, other)
    if _goes_in_a_circle(regency, agency):
        yield _wrong(file, "reports_to", "the chain of command goes in a circle", "rantai komando berputar")
    for slug, service in agency.services.items():
        if service.calendar and service.calendar not in known:
            yield _missing(file, f"services.{slug}.calendar", CALENDAR, service.calendar, known)
        for day, times in Counter(standard.from_ for standard in service.standards).items():
            if times > 1:
                yield _wrong(
                    file, f"services.{slug}.standards", f"{times} standards from {day}", f"{times} standar sejak {day}"
                )


def _goes_in_a_circle(regency: Regency, agency: Agency) -> bool:
    seen, above = {agency.id}, agency.reports_to
    while above in regency.agencies and above not in seen:
        seen.add(above)
        above = regency.agencies[above].reports_to
    return above == agency.id


def _source(
    regency: Regency, source: Source, file: str, key: str, options_of: Mapping[str, type[BaseModel]]
) -> Iterator[DeclarationError]:
    if source.owner not in regency.agencies:
        yield _missing(file, f"{key}.owner", AGENCY, source.owner)
    if source.stale_after < source.every:
        yield _wrong(
            file, f"{key}.stale_after", f"is shorter than its rhythm, every = {source.every}",
            f"lebih pendek daripada iramanya, every = {source.every}",
        )
    model = options_of.get(source.connector)
    if model is None:
        yield _missing(file, f"{key}.connector", ("connector", "konektor"), source.connector, options_of)
    else:
        yield from _options(source, model, file, key)
    for field in REQUIRED[source.feeds]:
        if field not in source.fields:
            yield _wrong(file, f"{key}.fields.{field}", "is required", "wajib ada")
    for name, declared in source.fields.items():
        yield from _field(source, name, declared, file, f"{key}.fields.{name}")
    yield from _targets(regency, source, file, f"{key}.fields")


def _options(source: Source, model: type[BaseModel], file: str, key: str) -> Iterator[DeclarationError]:
    try:
        model.model_validate(source.options)
    except ValidationError as err:
        for problem in err.errors():
            where = ".".join(str(part) for part in (key, "options", *problem["loc"]))
            message = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
            yield _wrong(file, where, message, f"tidak sah: {message}")


def _field(source: Source, name: str, field: FieldMap, file: str, key: str) -> Iterator[DeclarationError]:
    """One field by itself: where its value comes from, and what its codes mean."""
    if field.from_ is None and field.value is None and field.after is None:
        yield _wrong(file, key, "needs from, value or after", "memerlukan from, value atau after")
    if field.otherwise == REJECT and not field.map:
        yield _wrong(file, key, 'otherwise = "reject" needs a map', 'otherwise = "reject" memerlukan map')
    if field.after is not None and (field.after == name or field.after not in source.fields):
        yield _missing(file, f"{key}.after", ("other field", "kolom lain"), field.after, set(source.fields) - {name})
    if field.after is not None and (field.minutes is None) == (field.time is None):
        yield _wrong(file, key, "after needs minutes or time, one of them", "after memerlukan minutes atau time, salah satu")
    if field.fallback and (name not in STAMPS or field.from_ is None):
        yield _wrong(file, f"{key}.fallback", "belongs to a time that is read from a column",
                     "hanya untuk waktu yang dibaca dari sebuah kolom")
    named = _named_by(field) + [DISCOVER] * (field.otherwise == DISCOVER)
    for value in named if name in MEANINGS else ():
        if value not in MEANINGS[name]:
            words = ", ".join(MEANINGS[name])
            yield _wrong(file, key, f"{value!r} is not one of {words}", f"{value!r} bukan salah satu dari {words}")


def _named_by(field: FieldMap | None) -> list[str]:
    """What a field's values can become by its declaration, without what is discovered."""
    if field is None:
        return []
    named = [field.value, *(field.map or {}).values(), field.otherwise]
    return sorted({value for value in named if value and value not in (DISCOVER, REJECT)})


def _targets(regency: Regency, source: Source, file: str, key: str) -> Iterator[DeclarationError]:
    """What a source's codes name must be declared: agencies, services, districts, metrics."""
    agency, service, district = (source.fields.get(name) for name in ("agency", "service", "district"))
    for name, field in (("agency", agency), ("service", service)):
        if field and field.map and field.otherwise is None:
            yield _wrong(
                file, f"{key}.{name}", 'a map needs otherwise: what an unmapped value means, or "discover"',
                'map memerlukan otherwise: arti nilai yang tidak terpetakan, atau "discover"',
            )
    agencies = _named_by(agency) or [source.owner]
    for slug in agencies:
        if agency and slug not in regency.agencies:
            yield _missing(file, f"{key}.agency", AGENCY, slug)
    if service and source.feeds == "cases" and service.otherwise != DISCOVER:
        offered = {slug for name in agencies if name in regency.agencies for slug in regency.agencies[name].services}
        for slug in sorted({value for value in (service.value, *(service.map or {}).values()) if value} - offered):
            yield _missing(file, f"{key}.service", SERVICE, slug, offered)
    if district and district.level and not regency.districts:
        yield _wrong(file, f"{key}.district.level", "no districts are declared", "belum ada kecamatan yang dinyatakan")
    for slug in _named_by(source.fields.get("metric")):
        if slug not in (known := metrics_of(regency)):
            yield _missing(file, f"{key}.metric", ("metric", "metrik"), slug, known)


def _secrets(
    options: Any, secret_of: Callable[[str], str | None], file: str, key: str
) -> Iterator[DeclarationError]:
    """A warning for each secret that the options name, at any depth, and that is not there or cannot be used."""
    for name, value in options.items() if isinstance(options, dict) else ():
        if name == "secret" and isinstance(value, str) and value:
            try:
                there = secret_of(value) is not None
            except OSError:  # a file that others may read
                there = False
            if not there:
                yield DeclarationError(
                    f"secret {value!r} is not there, or its file is not of mode 0600", file=file, key=f"{key}.secret",
                    id=f"rahasia {value!r} tidak ada, atau berkasnya bukan mode 0600", warning=True,
                )
        yield from _secrets(value, secret_of, file, f"{key}.{name}")


def _screens(
    regency: Regency, panels: Collection[str], file: str, declared: Mapping[str, Any]
) -> Iterator[DeclarationError]:
    for name in declared.get("scenes", {}):
        scene = regency.scenes[name]
        for number, panel in enumerate(scene.panels):
            if panel.panel not in panels:
                yield _missing(file, f"scenes.{name}.panels.{number}.panel", ("panel", "panel"), panel.panel, panels)
        for area, times in Counter(panel.area for panel in scene.panels).items():
            if times > 1:
                yield _wrong(
                    file, f"scenes.{name}.panels", f"{times} panels in area {area!r}", f"{times} panel di bidang {area!r}"
                )
    for name in declared.get("screens", {}):
        for number, scene_name in enumerate(regency.screens[name].scenes):
            if scene_name not in regency.scenes:
                yield _missing(file, f"screens.{name}.scenes.{number}", ("scene", "adegan"), scene_name, regency.scenes)


def _words(indonesian: Mapping[str, Any], english: Mapping[str, Any]) -> Iterator[DeclarationError]:
    """Words that one language has and the other lacks."""
    keys = {"id": set(_keys(indonesian)), "en": set(_keys(english))}
    for language, other in (("id", "en"), ("en", "id")):
        for key in sorted(keys[other] - keys[language]):
            yield _wrong(f"words/{language}.toml", key, "these words are missing", "kata ini belum ada")


def _keys(words: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in words.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def standing_lines(changed: Collection[Changed]) -> list[str]:
    """A line for each source whose stored cases stand under other declarations: what was changed, and the command that mends it."""
    lines = []
    for one in changed:
        if one.read:
            lines.append(
                f"{one.source}: columns, where, missing, formats or zone are others than those it was read with: "
                f"command-center collect --source {one.source} --reconcile"
            )
        if one.derived:
            lines.append(
                f"{one.source}: stored figures were derived under other maps, standards or calendars: command-center recompute"
            )
    return lines
