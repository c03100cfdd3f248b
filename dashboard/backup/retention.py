"""Which backups are kept: the newest few, the newest of each of so many days, weeks and months; none beyond its longest age."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from config.declarations import BackupRules
from dashboard.backup.manifest import folders, stamp_of

NEWEST_KEPT = 3
"""Whatever the day: should the newest one turn out to be damaged, the one before it is not a day older."""
TRY_AGAIN = timedelta(minutes=30)
"""After a failed backup."""


def kept(taken: Collection[datetime], rules: BackupRules, zone: ZoneInfo, now: datetime) -> set[datetime]:
    """Of these instants of backups, those to keep. The newest always is, however old."""
    keep = set(sorted(taken)[-NEWEST_KEPT:])
    for form, most in (("%Y-%m-%d", rules.days), ("%G-%V", rules.weeks), ("%Y-%m", rules.months)):
        newest: dict[str, datetime] = {}
        for at in sorted(taken):
            newest[at.astimezone(zone).strftime(form)] = at
        keep |= {newest[period] for period in sorted(newest)[len(newest) - min(most, len(newest)) :]}
    return {at for at in keep if now - at <= rules.longest} | set(sorted(taken)[-1:])


def newest_of(taken: Collection[datetime], most: int) -> set[datetime]:
    """The newest ``most`` of these, at least one."""
    return set(sorted(taken)[-max(1, most) :])


def clear(place: Path, rules: BackupRules, zone: ZoneInfo, now: datetime, *, keep: int | None = None) -> list[Path]:
    """Remove the backups that need not be kept (``keep``: all but the newest so many). Touches no folder of another name."""
    by_stamp = {at: folder for folder in folders(place) if (at := stamp_of(folder)) is not None}
    staying = kept(by_stamp, rules, zone, now) if keep is None else newest_of(by_stamp, keep)
    gone = [by_stamp[at] for at in sorted(by_stamp) if at not in staying]
    for folder in gone:
        shutil.rmtree(folder)
    return gone


def last_due(rules: BackupRules, zone: ZoneInfo, now: datetime) -> datetime:
    """The latest instant up to now at which a backup was due: ``at`` of a local day, and every ``every`` from there."""
    hour, minute = (int(part) for part in rules.at.split(":"))
    local = now.astimezone(zone)
    first = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if first > local:
        first -= timedelta(days=1)
    if rules.every >= timedelta(days=1):
        return first - (rules.every - timedelta(days=1))
    return first + ((local - first) // rules.every) * rules.every
