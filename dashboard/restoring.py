"""The command ``restore``: a drill that leaves everything as it is, or the stores put into place and read again from there.

With a living leader the command hands it the request, as every command that changes figures does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from dashboard import clock
from dashboard.backup import postgres, replacing, restoring
from dashboard.backup.manifest import BackupError, Manifest
from dashboard.backup.opening import damage, open_store
from dashboard.collecting import LONGEST_WAIT_SECONDS, collect_now
from dashboard.errors import LeaseLost, ProductError, StoreError
from dashboard.store import requests
from dashboard.store.engine import migrate, open_engine
from dashboard.store.lease import leader
from dashboard.store.state import states
from dashboard.store.verify import verify

if TYPE_CHECKING:
    from config.declarations import Regency
    from config.settings import Settings

Say = Callable[[str], None]
LEADERLESS_SECONDS = 60.0


def drill(settings: Settings, regency: Regency, folder: Path | None, say: Say) -> None:
    """Restore a backup beside the stores, verify it, bring it to this version, recompute all its counts; then remove it.

    Raises ``BackupError`` or ``StoreError`` for what would keep a restore from working.
    """
    begun = time.monotonic()
    found, manifest = restoring.choose(settings, folder)
    restoring.require_keys(settings, manifest)
    say(_what(found, manifest))
    with _tried(settings, found, manifest) as engine:
        differences = verify(engine, regency)
    if differences:
        raise BackupError(
            f"{found}: {len(differences)} stored counts are not those of the cases: {differences[0]}",
            f"{found}: {len(differences)} angka tersimpan tidak sama dengan kasusnya: {differences[0]}",
        )
    say(f"drill passed in {time.monotonic() - begun:.1f} s: hashes, integrity, rows, version, counts; nothing was changed")


@contextmanager
def _tried(settings: Settings, folder: Path, manifest: Manifest) -> Iterator[Engine]:
    """The figures store of a backup, restored where it harms nobody."""
    if manifest.engine == "sqlite":
        with restoring.prepared(settings, folder, manifest, now=clock.now(), reason="drill") as ready:
            engine = open_engine(f"sqlite:///{ready['figures']}")
            try:
                yield engine
            finally:
                engine.dispose()
        return
    with postgres.scratch(settings.url_of("figures"), folder / postgres.DUMP, manifest.stores) as url:
        for store in manifest.stores:
            engine = open_engine(url, store)
            migrate(engine, store)
            engine.dispose()
        engine = open_engine(url)
        try:
            yield engine
        finally:
            engine.dispose()


def restore(settings: Settings, regency: Regency, folder: Path | None, say: Say) -> None:
    """Put a backup in place of the stores, read all sources from there on, and say which span each of them rebuilt."""
    found, manifest = restoring.choose(settings, folder)
    restoring.require_keys(settings, manifest)
    say(_what(found, manifest))
    with _living_leader(settings) as engine:
        if engine is not None:
            _hand_over(engine, found)
            say("the leader restored it")
        else:
            aside = replacing.put(settings, found, manifest, now=clock.now(), reason="command")
            say(f"restored; the stores before lie in {aside}")
    engine = open_store(settings, "figures")
    try:
        if regency.sources:
            _when_led(engine)
            collect_now(settings, regency, engine, sources=list(regency.sources), say=say)
        for line in spans(engine, regency, manifest):
            say(line)
    finally:
        engine.dispose()


@contextmanager
def _living_leader(settings: Settings) -> Iterator[Engine | None]:
    """The store of a leader that lives; ``None`` without one, also when the store is too damaged to know."""
    file = settings.file_of("figures")
    if file is not None:
        restoring.finish_interrupted(settings)
        if not file.exists() or damage(file):
            yield None
            return
    engine = open_engine(settings.url_of("figures"))
    try:
        yield engine if _leads(engine) else None
    finally:
        engine.dispose()


def _leads(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            return leader(connection, clock.now()) is not None
    except (DBAPIError, StoreError):  # a store that cannot be read has no leader
        return False


def _when_led(engine: Engine, seconds: float = 20.0) -> None:
    """Give a running schedule the time to lead again, so that it collects and not this command beside it."""
    until = time.monotonic() + seconds
    with engine.connect() as connection:
        handed = connection.execute(text("SELECT count(*) FROM request WHERE what = 'restore' AND done_at IS NOT NULL")).scalar()
    while handed and not _leads(engine) and time.monotonic() < until:
        time.sleep(0.2)


def _hand_over(engine: Engine, folder: Path) -> None:
    identity = requests.ask(engine, "restore", {"folder": str(folder.resolve())}, clock.now())
    answer = _answer(engine, identity)
    if not answer:
        raise LeaseLost(
            "the leader is gone or does not answer; try again", "pemimpin sudah tidak ada atau tidak menjawab; coba lagi"
        )
    if "error" in answer:
        raise ProductError(answer["error"], answer.get("error_id", ""))


def _answer(engine: Engine, identity: int) -> dict[str, Any] | None:
    """The leader's answer. While it restores there may be neither a store nor a leader for a moment."""
    until = heard = time.monotonic()
    until += LONGEST_WAIT_SECONDS
    while time.monotonic() < until:
        with suppress(DBAPIError, StoreError):
            found = requests.answer(engine, identity)
            if found is not None:
                return found
        if _leads(engine):
            heard = time.monotonic()
        elif time.monotonic() - heard > LEADERLESS_SECONDS:
            break
        time.sleep(requests.POLL_SECONDS)
    with suppress(DBAPIError, StoreError):
        requests.withdraw(engine, identity, clock.now())
    return None


def spans(engine: Engine, regency: Regency, manifest: Manifest) -> list[str]:
    """Per source, what was rebuilt: from where the backup knew its data until where it is known now."""
    with engine.connect() as connection:
        known = states(connection)
    lines = []
    for source in regency.sources:
        mark, state = manifest.sources.get(source), known.get(source)
        until = None if state is None else state.data_until
        begun = None if mark is None else mark.data_until
        again = state is not None and until is not None and state.outcome is not None and (begun is None or until >= begun)
        shown = f"{_at(regency, begun)} → {_at(regency, until)}" if again else "not read yet"
        lines.append(f"{source}: rebuilt {shown}" + (f" ({state.outcome})" if state is not None and state.outcome else ""))
    return lines


def _at(regency: Regency, seconds: float | None) -> str:
    return "its beginning" if seconds is None else f"{datetime.fromtimestamp(seconds, regency.zone):%Y-%m-%d %H:%M}"


def _what(folder: Path, manifest: Manifest) -> str:
    rows = {store: sum(copy.rows.values()) for store, copy in manifest.stores.items()}
    held = ", ".join(f"{store} {count:,} rows" for store, count in rows.items())
    return f"{folder}: verified, taken {manifest.taken_at:%Y-%m-%d %H:%M} UTC; {held}; {len(manifest.sources)} sources"
