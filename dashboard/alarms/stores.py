"""Is the Command Center itself well: room on the disk, stores that were rebuilt, errors of the disk, backups that are due?

What the leader knows it left in the figures store's ``meta`` (since when the disk is low, say); the disk itself is looked at
here, for a full one takes no note of itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from dashboard.clock import DAY, HOUR, MINUTE, epoch
from dashboard.queries.answers import Alarm, Context, Level
from dashboard.store import files
from dashboard.store.state import states
from dashboard.store.tables import meta

REBUILT_SHOWN_SECONDS = DAY
TROUBLE_SHOWN_SECONDS = 6 * HOUR
BACKUP_LATE_SECONDS = 12 * HOUR
NOTES = ("backup", "care", "declarations", "trouble")


def store_alarms(context: Context) -> tuple[list[Alarm], int]:
    """The alarms of the stores, and when to look again (epoch seconds)."""
    now = epoch(context.now)
    notes = _notes(context)
    subject = context.regency.title.id
    disk = list(_disk(context, subject, notes.get("care", {}), now))
    found = [*disk, *_rebuilt(context, subject, notes, now), *_noted(context, subject, notes, now)]
    pause = MINUTE if disk else 5 * MINUTE  # the leader announces that the disk is low, long before it is full
    return found, now // pause * pause + pause


def _notes(context: Context) -> dict[str, dict[str, Any]]:
    """What the leader left: key → its parts."""
    with context.engine.connect() as connection:
        rows = connection.execute(
            select(meta.c.key, meta.c.value).where(meta.c.key.in_(NOTES) | meta.c.key.like("rebuilt.%"))
        ).all()
    return {key: json.loads(value) for key, value in rows}


def _disk(context: Context, subject: str, since: dict[str, Any], now: int) -> Iterator[Alarm]:
    """Full, nearly full or read-only; and a log that grows because somebody keeps an old read open (F9)."""
    file = files.file_of(context.engine)
    if file is None:
        return
    try:
        free, total = files.room(file.parent)
        fixed = files.is_read_only(file.parent) or not os.access(file.parent, os.W_OK)
    except OSError:
        return
    megabytes = free // files.MEGABYTE
    if fixed:
        yield Alarm(
            key="store:disk", rule="disk_read_only", level=Level.CRITICAL, subject=subject, since=_written_at(file, now)
        )
    elif free < files.LOW_SHARE * total:
        is_full = free < files.reserve(total)
        yield Alarm(
            key="store:disk", rule="disk_full" if is_full else "disk_low",
            level=Level.CRITICAL if is_full else Level.WARNING, subject=subject,
            since=_written_at(file, now) if is_full else since.get("disk_low", now // MINUTE * MINUTE),
            params={"megabytes": megabytes, "percent": int(100 * free / total)}, value=float(megabytes),
        )
    log = files.wal_bytes(file)
    if log > files.WAL_ALARM_BYTES:
        yield Alarm(
            key="store:log", rule="store_log", level=Level.ATTENTION, subject=subject,
            since=since.get("log", now // MINUTE * MINUTE),
            params={"megabytes": log // files.MEGABYTE}, value=float(log // files.MEGABYTE),
        )


def _written_at(file: Path, now: int) -> int:
    """When the store was last written: since then the disk takes nothing. Now, where that cannot be told."""
    try:
        return min(now, int(file.stat().st_mtime))
    except OSError:
        return now


def _rebuilt(context: Context, subject: str, notes: dict[str, dict[str, Any]], now: int) -> Iterator[Alarm]:
    """A store came from a backup: said until every source was read again, and for a day at least (F10)."""
    for key, note in sorted(notes.items()):
        if not key.startswith("rebuilt."):
            continue
        store, at = key.removeprefix("rebuilt."), int(note["at"])
        with context.engine.connect() as connection:
            known = states(connection)
        waiting = [
            source for source in note.get("sources", {})
            if source in context.regency.sources and (source not in known or (known[source].last_good_at or 0) < at)
        ]
        if waiting or now - at < REBUILT_SHOWN_SECONDS:
            yield Alarm(
                key=f"store:rebuilt:{store}", rule="rebuilt_waiting" if waiting else "rebuilt",
                level=Level.WARNING if waiting else Level.ATTENTION, subject=subject, since=at,
                params={"taken_at": note["taken_at"], "count": len(waiting)}, value=float(len(waiting)) if waiting else None,
            )


def _noted(context: Context, subject: str, notes: dict[str, dict[str, Any]], now: int) -> Iterator[Alarm]:
    """An error of the disk not long ago (F4), and no verified backup for longer than the rhythm allows (F22)."""
    trouble, backup = notes.get("trouble"), notes.get("backup")
    if trouble is not None and now - int(trouble["at"]) < TROUBLE_SHOWN_SECONDS:
        yield Alarm(
            key="store:trouble", rule="store_trouble", level=Level.ATTENTION, subject=subject, since=int(trouble["at"]),
        )
    if (wrong := notes.get("declarations")) is not None:  # the last good ones are in force meanwhile (F19)
        yield Alarm(
            key="store:declarations", rule="declarations_wrong", level=Level.WARNING, subject=subject, since=int(wrong["at"]),
            params={"file": wrong["file"]},
        )
    if backup is None:
        return
    last, limit = int(backup.get("at", 0)), context.regency.backup.every.total_seconds() + BACKUP_LATE_SECONDS
    if backup.get("failed_at") is not None or now - last > limit:
        yield Alarm(
            key="store:backup", rule="no_backup", level=Level.ATTENTION, subject=subject,
            since=int(backup.get("failed_at", last + limit)),
        )
