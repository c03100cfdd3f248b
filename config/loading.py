"""Reads a declarations folder into one :class:`Regency`: files, ``extends``, defaults, hash. Touches no network."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config.declarations import Agency, CalendarRules, DeclarationError, District, Regency, Scene, Screen, Source
from config.settings import SHIPPED

Table = dict[str, Any]


class Folder:
    """The raw tables of one declarations folder and of those it extends, nearest first wins; collects every error."""

    def __init__(self, folder: Path) -> None:
        self.errors: list[DeclarationError] = []
        self.regency: Table = {}
        self.agencies: dict[str, tuple[str, Table]] = {}
        self.sources: list[tuple[str, str, Table]] = []  # (file, key prefix, table)
        self.single: dict[str, tuple[str, Table]] = {}  # calendars, districts, screens
        self.words: dict[str, Table] = {"id": {}, "en": {}}
        self._words_from(SHIPPED)
        self._read(folder, seen=())

    def _read(self, folder: Path, seen: tuple[Path, ...]) -> None:
        folder = folder.resolve()
        main = folder / "regency.toml"
        if not main.is_file():
            raise DeclarationError(
                "a declarations folder needs regency.toml", file=str(folder),
                id="folder deklarasi memerlukan regency.toml",
            )
        table = self._parse(main)
        extends = table.pop("extends", None)
        if extends is not None:
            parent = (folder / str(extends)).resolve()
            if parent in (*seen, folder):
                raise DeclarationError("extends goes in a circle", file=str(main), key="extends", id="extends berputar")
            self._read(parent, (*seen, folder))
        self.regency = {**self.regency, **table}
        for path in sorted((folder / "agencies").glob("*.toml")):
            self._agency(path)
        for path in sorted((folder / "sources").glob("*.toml")):
            for number, source in enumerate(self._parse(path).get("sources", [])):
                self._source(str(path), f"sources.{number}", source)
        for name in ("calendars", "districts", "screens"):
            path = folder / f"{name}.toml"
            if path.is_file():
                before = self.single.get(name, ("", {}))[1]
                self.single[name] = (str(path), _merged(before, self._parse(path)))
        self._words_from(folder)

    def _agency(self, path: Path) -> None:
        table = self._parse(path)
        sources = table.pop("sources", [])
        _, before = self.agencies.get(path.stem, ("", {}))
        self.agencies[path.stem] = (str(path), _merged(before, table))
        for number, source in enumerate(sources):
            if isinstance(source, dict):
                source.setdefault("owner", path.stem)
            self._source(str(path), f"sources.{number}", source)

    def _source(self, file: str, key: str, table: Any) -> None:
        if not isinstance(table, dict):
            self.errors.append(DeclarationError("a source is a table", file=file, key=key, id="sumber harus berupa tabel"))
            return
        known = {known_table.get("id"): known_file for known_file, _, known_table in self.sources}
        if table.get("id") in known:
            self.errors.append(DeclarationError(
                f"source id {table['id']!r} is declared twice, first in {known[table['id']]}", file=file, key=f"{key}.id",
                id=f"id sumber {table['id']!r} dinyatakan dua kali, pertama di {known[table['id']]}",
            ))
            return
        self.sources.append((file, key, table))

    def _words_from(self, folder: Path) -> None:
        for language in ("id", "en"):
            path = folder / "words" / f"{language}.toml"
            if path.is_file():
                self.words[language] = _merged(self.words[language], self._parse(path))

    def _parse(self, path: Path) -> Table:
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as err:
            self.errors.append(DeclarationError(f"not TOML: {err}", file=str(path), id=f"bukan TOML: {err}"))
            return {}
        except (OSError, UnicodeDecodeError) as err:
            self.errors.append(DeclarationError(f"cannot be read: {err}", file=str(path), id=f"tidak dapat dibaca: {err}"))
            return {}

    def build(self, model: Any, table: Any, file: str, prefix: str = "") -> Any:
        """A validated declaration, or ``None`` with its errors kept (file, dotted key, what is wrong)."""
        try:
            return model.model_validate(table)
        except ValidationError as err:
            for problem in err.errors():
                key = ".".join(str(part) for part in ([prefix] if prefix else []) + list(problem["loc"]))
                message, indonesian = _plain(problem)
                self.errors.append(DeclarationError(message, file=file, key=key, id=indonesian))
            return None

    def regency_of(self) -> Regency | None:
        """Everything validated and put together; ``None`` when there are errors."""
        tables: Table = {"agencies": {}, "sources": {}, "calendars": {}, "districts": {}, "scenes": {}, "screens": {}}
        for slug, (file, table) in self.agencies.items():
            if agency := self.build(Agency, {**table, "id": slug}, file):
                tables["agencies"][slug] = agency
        for file, key, table in self.sources:
            if source := self.build(Source, table, file, key):
                tables["sources"][source.id] = source
        self._named(CalendarRules, self.single.get("calendars", ("", {})), tables["calendars"])
        self._named(District, self.single.get("districts", ("", {})), tables["districts"])
        file, table = self.single.get("screens", ("", {}))
        self._named(Scene, (file, table.get("scenes", {})), tables["scenes"], "scenes.")
        self._named(Screen, (file, table.get("screens", {})), tables["screens"], "screens.")
        for key in sorted(set(table) - {"scenes", "screens"}):
            self.errors.append(DeclarationError("unknown key", file=file, key=key, id="kunci tidak dikenal"))
        if not self.agencies:
            self.errors.append(DeclarationError(
                "a declarations folder needs at least one agency", file="agencies/", id="perlu sedikitnya satu perangkat daerah"
            ))
        head = self.build(Regency, {**self.regency, "words": self.words}, "regency.toml")
        if head is None or self.errors:
            return None
        whole: Regency = head.model_copy(update=tables)
        return whole.model_copy(update={"hash": derivation_hash(whole)})

    def _named(self, model: type[BaseModel], found: tuple[str, Table], into: Table, prefix: str = "") -> None:
        """Validate each table of a file of named ones."""
        file, table = found
        for key, value in table.items():
            if built := self.build(model, value, file, f"{prefix}{key}"):
                into[key] = built


def _merged(below: Table, above: Table) -> Table:
    """``above`` over ``below``, table by table."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _plain(problem: Any) -> tuple[str, str]:
    """A validation problem in plain English and Indonesian."""
    given = problem.get("input")
    shown = f" (given: {str(given)[:80]!r})" if isinstance(given, str | int | float) else ""
    texts = {
        "extra_forbidden": ("unknown key", "kunci tidak dikenal"),
        "missing": ("is required", "wajib ada"),
    }
    if problem["type"] in texts:
        return texts[problem["type"]]
    message = problem["msg"].removeprefix("Value error, ")
    return f"{message}{shown}", f"tidak sah: {message}{shown}"


def derivation_hash(regency: Regency) -> str:
    """A short hash of what derives stored figures: zone, calendars, districts, services with standards, fields of sources."""
    parts = {
        "timezone": regency.timezone,
        "calendars": {key: value.model_dump(mode="json") for key, value in regency.calendars.items()},
        "districts": {key: value.model_dump(mode="json") for key, value in regency.districts.items()},
        "agencies": {
            key: (value.calendar, {slug: service.model_dump(mode="json") for slug, service in value.services.items()})
            for key, value in regency.agencies.items()
        },
        "sources": {
            key: (value.owner, value.kind, value.outcome, value.timezone,
                  {name: field.model_dump(mode="json") for name, field in value.fields.items()})
            for key, value in regency.sources.items()
        },
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def load(folder: Path) -> Regency:
    """The declarations of a folder. Raises :class:`DeclarationError` (the first of them, with file and key)."""
    read = Folder(folder)
    regency = read.regency_of()
    if regency is None:
        raise read.errors[0]
    return regency


def problems(folder: Path) -> tuple[Regency | None, list[DeclarationError]]:
    """The regency, if it can be built, and every error found on the way."""
    try:
        read = Folder(folder)
    except DeclarationError as err:
        return None, [err]
    regency = read.regency_of()
    return regency, read.errors
