"""Reads a declarations folder into one :class:`Regency`: files, ``extends``, defaults, hash. Touches no network."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config.declarations import Agency, CalendarRules, DeclarationError, District, Mall, Regency, Scene, Screen, Service, Source
from config.settings import SHIPPED

Table = dict[str, Any]
OF_OTHER_FILES = {"agencies", "sources", "calendars", "districts", "mall", "scenes", "screens", "words", "hash"}
_SLUG = re.compile(r"^[a-z0-9][a-z0-9-]*$")


class Folder:
    """The raw tables of one declarations folder and of those it extends, nearest first wins; collects every error.

    ``agencies``: id → (file, table). ``sources``: id → (file, key of its table in the file, table).
    """

    def __init__(self, folder: Path) -> None:
        self.errors: list[DeclarationError] = []
        self.main = str(folder / "regency.toml")
        self.regency: Table = {}
        self.agencies: dict[str, tuple[str, Table]] = {}
        self.sources: dict[str, tuple[str, str, Table]] = {}
        self.single: dict[str, tuple[str, Table]] = {}  # calendars, districts, mall, screens
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
        self.main = str(main)
        table = self._parse(main)
        extends = table.pop("extends", None)
        if extends is not None:
            parent = (folder / str(extends)).resolve()
            if parent in (*seen, folder):
                raise DeclarationError("extends goes in a circle", file=str(main), key="extends", id="extends berputar")
            self._read(parent, (*seen, folder))
            self.main = str(main)
        for key in sorted(OF_OTHER_FILES & set(table)):
            del table[key]
            self._wrong(self.main, key, "is declared in a file of its own", "dinyatakan dalam berkas tersendiri")
        here: set[str] = set()
        self.regency = {**self.regency, **table}
        for path in sorted((folder / "agencies").glob("*.toml")):
            self._agency(path, here)
        for path in sorted((folder / "sources").glob("*.toml")):
            table = self._parse(path)
            self._sources(str(path), table.pop("sources", []), here, owner="")
            for key in sorted(table):
                self._wrong(str(path), key, "unknown key; a source is a table [[sources]]",
                            "kunci tidak dikenal; sumber adalah tabel [[sources]]")
        for name in ("calendars", "districts", "mall", "screens"):
            path = folder / f"{name}.toml"
            if path.is_file():
                before = self.single.get(name, ("", {}))[1]
                self.single[name] = (str(path), _merged(before, self._parse(path)))
        self._words_from(folder)

    def _agency(self, path: Path, here: set[str]) -> None:
        table = self._parse(path)
        self._sources(str(path), table.pop("sources", []), here, owner=path.stem)
        if not _SLUG.match(path.stem):
            self._wrong(str(path), "", "an agency's file name is small letters, digits and hyphens",
                        "nama berkas perangkat daerah: huruf kecil, angka dan tanda hubung")
        _, before = self.agencies.get(path.stem, ("", {}))
        self.agencies[path.stem] = (str(path), _merged(before, table))

    def _sources(self, file: str, tables: Any, here: set[str], *, owner: str) -> None:
        """Keep the sources of a file. ``here``: the ids of this folder so far; one of an extended folder is replaced."""
        if not isinstance(tables, list):
            self._wrong(file, "sources", "is a list of tables: [[sources]]", "berupa daftar tabel: [[sources]]")
            return
        for number, table in enumerate(tables):
            key = f"sources.{number}"
            if not isinstance(table, dict):
                self._wrong(file, key, "a source is a table", "sumber harus berupa tabel")
                continue
            if owner:
                table.setdefault("owner", owner)
            source_id = str(table.get("id", f"{file}: {key}"))
            if source_id in here:
                first = self.sources[source_id][0]
                self._wrong(file, f"{key}.id", f"source id {source_id!r} is declared twice, first in {first}",
                            f"id sumber {source_id!r} dinyatakan dua kali, pertama di {first}")
                continue
            here.add(source_id)
            self.sources[source_id] = (file, key, table)

    def _wrong(self, file: str, key: str, en: str, id: str) -> None:
        self.errors.append(DeclarationError(en, file=file, key=key, id=id))

    def _words_from(self, folder: Path) -> None:
        for language in ("id", "en"):
            path = folder / "words" / f"{language}.toml"
            if path.is_file():
                self.words[language] = _merged(self.words[language], self._parse(path))

    def _parse(self, path: Path) -> Table:
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as err:
            self._wrong(str(path), "", f"not TOML: {err}", f"bukan TOML: {err}")
            return {}
        except (OSError, UnicodeDecodeError) as err:
            self._wrong(str(path), "", f"cannot be read: {err}", f"tidak dapat dibaca: {err}")
            return {}

    def build(self, model: Any, table: Any, file: str, prefix: str = "") -> Any:
        """A validated declaration, or ``None`` with its errors kept (file, dotted key, what is wrong)."""
        try:
            return model.model_validate(table)
        except ValidationError as err:
            for problem in err.errors():
                loc = [part for part in problem["loc"] if part != "[key]"]
                self._wrong(file, ".".join(str(part) for part in [prefix, *loc] if part != ""), *_plain(problem))
            return None

    def regency_of(self) -> Regency | None:
        """Everything validated and put together; ``None`` when there are errors."""
        tables: Table = {"agencies": {}, "sources": {}, "calendars": {}, "districts": {}, "scenes": {}, "screens": {}}
        for slug, (file, table) in self.agencies.items():
            if agency := self.build(Agency, {**table, "id": slug}, file):
                tables["agencies"][slug] = agency
        for file, key, table in self.sources.values():
            if source := self.build(Source, table, file, key):
                tables["sources"][source.id] = source
        self._calendars(tables["calendars"])
        self._named(District, self.single.get("districts", ("", {})), tables["districts"])
        self._mall(tables)
        self._screens(tables)
        if not self.agencies:
            self._wrong(str(Path(self.main).with_name("agencies")), "", "a declarations folder needs at least one agency",
                        "perlu sedikitnya satu perangkat daerah")
        head = self.build(Regency, {**self.regency, "words": self.words}, self.main)
        if head is None or self.errors:
            return None
        whole: Regency = head.model_copy(update=tables)
        return whole.model_copy(update={"hash": derivation_hash(whole)})

    def _mall(self, tables: Table) -> None:
        """The service mall, when there is one: its sources and its tenants are declared."""
        if "mall" not in self.single:
            return
        file, table = self.single["mall"]
        mall = self.build(Mall, table, file)
        if mall is None:
            return
        tables["mall"] = mall
        for key, wanted in (("queue", mall.queue), ("counters", mall.counters)):
            if wanted is not None and wanted not in self.sources:
                self._wrong(file, key, f"no source {wanted!r}; declare it", f"tidak ada sumber {wanted!r}; nyatakan dahulu")
        for tenant in mall.tenants:
            if tenant not in self.agencies:
                self._wrong(file, f"tenants.{tenant}", f"no agency {tenant!r}; declare it in agencies/, with outside = true if it "
                            "is none of the regency's", f"tidak ada perangkat daerah {tenant!r}; nyatakan di agencies/, dengan "
                            "outside = true bila bukan milik kabupaten")

    def _screens(self, tables: Table) -> None:
        """The shipped scenes lie under a folder's own; the shipped screens stand where a folder names none."""
        shipped = self._parse(SHIPPED / "screens.toml")
        file, table = self.single.get("screens", (str(SHIPPED / "screens.toml"), {}))
        for key in sorted(set(table) - {"scenes", "screens"}):
            self._wrong(file, key, "unknown key", "kunci tidak dikenal")
        scenes = {**shipped.get("scenes", {}), **table.get("scenes", {})}
        self._named(Scene, (file, scenes), tables["scenes"], "scenes.")
        self._named(Screen, (file, table.get("screens") or shipped.get("screens", {})), tables["screens"], "screens.")

    def _calendars(self, into: Table) -> None:
        """The calendars, each with the keys of the one it is ``like`` where it has none of its own."""
        file, calendars = self.single.get("calendars", ("", {}))
        whole: Table = {}
        for name, table in calendars.items():
            seen, merged, like = [name], table, table.get("like") if isinstance(table, dict) else None
            while isinstance(like, str) and like not in seen and isinstance(calendars.get(like), dict):
                seen.append(like)
                merged = {**calendars[like], **merged}
                like = calendars[like].get("like")
            if like is not None:
                self._wrong(file, f"{name}.like", f"no calendar {like!r}, or one that is like this one",
                            f"tidak ada kalender {like!r}, atau kalender itu merujuk kembali")
            whole[name] = merged
        self._named(CalendarRules, (file, whole), into)

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
        "string_pattern_mismatch": (
            f"only small letters, digits and hyphens{shown}", f"hanya huruf kecil, angka dan tanda hubung{shown}"
        ),
        "string_type": (f"must be text{shown}", f"harus berupa teks{shown}"),
        "bool_parsing": (f"must be true or false{shown}", f"harus true atau false{shown}"),
        "model_type": (f"must be a table{shown}", f"harus berupa tabel{shown}"),
        "dict_type": (f"must be a table{shown}", f"harus berupa tabel{shown}"),
        "tuple_type": (f"must be a list{shown}", f"harus berupa daftar{shown}"),
    }
    if problem["type"] in texts:
        return texts[problem["type"]]
    message = problem["msg"].removeprefix("Value error, ")
    return f"{message}{shown}", f"tidak sah: {message}{shown}"


def derivation_hash(regency: Regency) -> str:
    """A short hash of what derives stored figures: zone, calendars, districts, services with standards, fields of sources.

    Names, screens, words, rhythms and addresses are not in it: changing them derives nothing anew.
    """
    parts = {
        "timezone": regency.timezone,
        "code": regency.code,
        "calendars": {key: value.model_dump(mode="json") for key, value in regency.calendars.items()},
        "districts": {key: value.model_dump(mode="json") for key, value in regency.districts.items()},
        "agencies": {
            key: (value.calendar, {slug: _of_service(service) for slug, service in value.services.items()})
            for key, value in regency.agencies.items()
        },
        "sources": {
            key: (value.owner, value.kind, value.outcome, value.timezone, value.where,
                  {name: field.model_dump(mode="json") for name, field in value.fields.items()})
            for key, value in regency.sources.items()
        },
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _of_service(service: Service) -> Table:
    return {
        "kind": service.kind, "calendar": service.calendar, "class": service.class_,
        "standards": sorted((standard.from_.isoformat(), standard.promise) for standard in service.standards),
    }


def places(folder: Path) -> list[Path]:
    """The folder and those it extends, as far as they can be read."""
    found: list[Path] = []
    while folder.resolve() not in found:
        found.append(folder.resolve())
        try:
            extends = tomllib.loads((found[-1] / "regency.toml").read_text(encoding="utf-8")).get("extends")
        except (OSError, ValueError):
            break
        folder = found[-1] / str(extends or "")
    return found


def load(folder: Path) -> Regency:
    """The declarations of a folder. Raises :class:`DeclarationError`: the first one, with file and key.

    ``command-center check`` lists them all.
    """
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
