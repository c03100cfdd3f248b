"""Declarations that stay in force (F19): the last good ones are kept beside the stores, for a start while a file is half mended.

Below ``<data>/declared`` lies a copy of the declarations folder and of those it extends, as ``0``, ``1``, …; ``refused.json``
says what is wrong with the present ones, while a process goes on with the copy.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from config.declarations import DeclarationError
from config.loading import load, places
from dashboard import clock
from dashboard.store.changes import announce
from dashboard.store.dialect import upsert
from dashboard.store.engine import writing
from dashboard.store.tables import meta

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.declarations import Regency
    from config.settings import Settings

log = structlog.get_logger("declarations")

KEPT = frozenset({".toml", ".geojson"})
"""Declarations and the maps beside them; never what else lies there (keys, certificates)."""
NOTE = "declarations"
_EXTENDS = re.compile(r"^\s*extends\s*=.*$", re.MULTILINE)


def standing(settings: Settings) -> Regency:
    """The declarations; the last good ones when those are wrong. Raises ``DeclarationError`` when there are none."""
    place = settings.data / "declared"
    try:
        regency = load(settings.config)
    except DeclarationError as err:
        try:
            regency = load(place / "0")
        except DeclarationError:
            raise err from None
        log.warning("declarations are wrong; the last good ones are in force", error=str(err), kept=str(place))
        with suppress(OSError):
            wrong = {"at": clock.epoch(clock.now()), "file": Path(err.file).name if err.file else ""}
            (place / "refused.json").write_text(json.dumps(wrong), encoding="utf-8")
        return regency
    try:
        _keep(settings.config, place, regency)
    except OSError as err:  # a full disk: the store says so
        log.warning("the last good declarations cannot be kept", error=f"{type(err).__name__}: {err}")
    return regency


def _keep(folder: Path, place: Path, regency: Regency) -> None:
    """Keep a copy that says the same, unless it is there."""
    whole = hashlib.sha256(regency.model_dump_json().encode()).hexdigest()
    stamp = place / "content.sha256"
    with _alone(place):
        (place / "refused.json").unlink(missing_ok=True)
        if stamp.is_file() and stamp.read_text(encoding="ascii") == whole:
            return
        with tempfile.TemporaryDirectory(dir=place, prefix=".making-") as name:
            made = Path(name)
            for number, one in enumerate(places(folder)):
                _copy(one, made / str(number), f"../{number + 1}")
            try:
                same = load(made / "0").model_dump_json() == regency.model_dump_json()
            except DeclarationError:
                same = False
            if not same:
                log.warning("the last good declarations cannot be kept: their copy says something else", folder=str(folder))
                return
            stamp.unlink(missing_ok=True)
            for old in place.glob("[0-9]*"):
                shutil.rmtree(old)
            for new in made.iterdir():
                new.rename(place / new.name)
        stamp.write_text(whole, encoding="ascii")


def _copy(folder: Path, to: Path, base: str) -> None:
    for path in folder.rglob("*"):
        inner = path.relative_to(folder)
        nested = any((folder / Path(*inner.parts[:depth]) / "regency.toml").exists() for depth in range(1, len(inner.parts)))
        if path.suffix not in KEPT or nested or not path.is_file():
            continue
        (to / inner).parent.mkdir(parents=True, exist_ok=True)
        (to / inner).write_bytes(path.read_bytes())
    main = to / "regency.toml"
    main.write_text(_EXTENDS.sub(lambda _: f'extends = "{base}"', main.read_text(encoding="utf-8")), encoding="utf-8")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Serve and schedule start at the same moment."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = os.open(place / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def note(settings: Settings, engine: Engine) -> None:
    """Let the screens know, as the leader, that the present declarations are refused; or that they are not any more."""
    try:
        wrong = (settings.data / "declared" / "refused.json").read_text(encoding="utf-8")
    except OSError:
        wrong = ""
    try:
        with writing(engine).begin() as connection:
            before = connection.execute(select(meta.c.value).where(meta.c.key == NOTE)).scalar() or ""
            if bool(before) == bool(wrong):
                return
            connection.execute(delete(meta).where(meta.c.key == NOTE))
            if wrong:
                upsert(connection, meta, ("key",), {"key": NOTE, "value": wrong})
            announce(connection, "", {"state"})
    except DBAPIError as err:
        log.warning("cannot note the declarations' state", error=type(err).__name__)
