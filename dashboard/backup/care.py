"""The leader's care for the stores: a gate that shuts while they cannot be written, damage found at run time, the log's size,
backups when they are due.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dashboard import clock
from dashboard.backup import manifest as manifests
from dashboard.backup import opening, retention, taking
from dashboard.errors import ProductError, StoreCorrupt, StoreError, StoreUnwritable
from dashboard.store import files
from dashboard.store.changes import announce
from dashboard.store.dialect import upsert
from dashboard.store.engine import STORES, writing
from dashboard.store.lease import fence
from dashboard.store.tables import meta
from dashboard.store.trouble import store_error

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from config.declarations import Regency
    from config.settings import Settings

log = structlog.get_logger("stores")


class Care:
    """One leader's care while it leads. ``reopen``: set when the stores must be opened anew (damage, a restore)."""

    def __init__(self, settings: Settings, regency: Regency, engine: Engine, token: int | None) -> None:
        self.settings, self.regency, self.engine, self.token = settings, regency, engine, token
        self.reopen = threading.Event()
        self.shut: StoreError | None = None
        self._next_try: datetime | None = None
        self._since: dict[str, int] = {}

    def note(self, err: BaseException) -> bool:
        """Take note of an error; whether it was the store's. One that cannot be written shuts the gate, said once."""
        broken = store_error(err, self.engine)
        if not isinstance(broken, StoreUnwritable | StoreCorrupt):
            return False
        if isinstance(broken, StoreCorrupt):
            file = files.file_of(self.engine)
            if file is not None:
                files.mark_suspect(file)
            self.reopen.set()
        elif self.shut is None:
            log.error("collecting stops", message=broken.en, pesan=broken.id)
        self.shut = broken
        return True

    def look(self) -> None:
        """Every few seconds: whether a shut gate may open, whether a store is suspect, how long its log is."""
        if self.shut is not None:
            self._try_again()
        for store in STORES:
            file = self.settings.file_of(store)
            if file is None:
                continue
            if files.suspect_marker(file).exists() or files.lost(file):
                self._look_into(store)
            if files.wal_bytes(file) > files.WAL_ALARM_BYTES // 4:
                shorten(file)
        self._note_since()

    def _note_since(self) -> None:
        """Remember since when the disk is low or the figures' log long: the screens say so."""
        file = files.file_of(self.engine)
        if file is None or self.shut is not None:
            return
        free, total = files.room(file.parent)
        holds = {"disk_low": free < files.LOW_SHARE * total, "log": files.wal_bytes(file) > files.WAL_ALARM_BYTES}
        at = clock.epoch(clock.now())
        since = {name: self._since.get(name, at) for name, now in holds.items() if now}
        if since != self._since:
            self._say("care", since)
            self._since = since

    def _try_again(self) -> None:
        """Write something small on connections of its own; when that works and the store is whole, collecting goes on."""
        before, file = self.shut, files.file_of(self.engine)
        self.engine.dispose()
        try:
            files.require_room(self.engine)
            with writing(self.engine).begin() as connection:
                fence(connection, self.token)
                connection.execute(text("UPDATE meta SET value = value WHERE key = 'seq'"))
                if before is not None:
                    self._keep(connection, "trouble", {"at": clock.epoch(clock.now()), "en": before.en, "id": before.id})
        except (DBAPIError, OSError, StoreError) as err:
            self.note(err)
            return
        if file is not None and (wrong := opening.damage(file)):
            self.note(StoreCorrupt(f"{file}: {wrong}"))
            return
        self.shut = None
        log.info("the store can be written again, collecting goes on")

    def _look_into(self, store: str) -> None:
        """A store that gave errors: mend it if it is damaged. The leader itself opens figures anew for that."""
        if store == "figures":
            self.reopen.set()
        else:
            opening.heal(self.settings, store)

    def back_up(self) -> None:
        """Take a backup when one is due, and drop those that need not be kept. Its failure is noted for the screens."""
        now = clock.now()
        newest = next(iter(manifests.folders(self.settings.backups_folder)), None)
        taken = manifests.stamp_of(newest) if newest else None
        if taken is not None and taken >= retention.last_due(self.regency.backup, self.regency.zone, now):
            return
        if self._next_try is not None and now < self._next_try:
            return
        self._next_try = now + min(self.regency.backup.every, retention.TRY_AGAIN)
        try:
            folder, manifest = taking.take(self.settings, self.regency)
            retention.clear(self.settings.backups_folder, self.regency.backup, self.regency.zone, now)
        except ProductError as err:
            log.warning("no backup", message=err.en, pesan=err.id)
            self._say("backup", {"failed_at": clock.epoch(now), "en": err.en, "id": err.id})
            return
        self._say("backup", {"at": clock.epoch(manifest.taken_at), "folder": str(folder), "bytes": manifest.bytes})
        log.info("backed up", folder=str(folder), bytes=manifest.bytes)

    def _say(self, key: str, value: dict[str, Any]) -> None:
        with writing(self.engine).begin() as connection:
            fence(connection, self.token)
            self._keep(connection, key, value)

    def _keep(self, connection: Connection, key: str, value: dict[str, Any]) -> None:
        upsert(connection, meta, ("key",), {"key": key, "value": json.dumps(value)})
        announce(connection, "", {"state"})


def shorten(file: Any) -> bool:
    """Bring the log into the file and start it anew; whether no reader kept it from that (F9)."""
    try:
        with closing(sqlite3.connect(file, timeout=1)) as connection:
            busy = int(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
    except sqlite3.Error:
        return False
    if busy and files.wal_bytes(file) > files.WAL_ALARM_BYTES:
        log.warning("the log cannot be shortened: a program keeps an old read open", file=str(file),
                    megabytes=files.wal_bytes(file) // files.MEGABYTE)
    return not busy
