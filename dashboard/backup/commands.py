"""What the commands ``backup`` and ``backup list`` do and say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dashboard import clock
from dashboard.backup import manifest as manifests
from dashboard.backup import retention
from dashboard.backup.manifest import BackupError, Manifest
from dashboard.backup.taking import take
from dashboard.store.files import megabytes

if TYPE_CHECKING:
    from config.declarations import Regency
    from config.settings import Settings


def back_up(
    settings: Settings, regency: Regency, *, to: Path | None, keep: int | None, say: Callable[[str], None]
) -> Path:
    """Take a verified backup, then drop those that need not be kept; its folder. Raises ``BackupError``."""
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        tasks: dict[str, int] = {}

        def show(store: str, done: int, total: int) -> None:
            if store not in tasks:
                tasks[store] = int(progress.add_task(store, total=total))
            progress.update(tasks[store], completed=done, total=total)  # type: ignore[arg-type]

        folder, manifest = take(settings, regency, to=to, progress=show)
    say(line(folder, manifest))
    for gone in retention.clear(folder.parent, regency.backup, regency.zone, clock.now(), keep=keep):
        say(f"{gone}: no longer kept")
    return folder


def line(folder: Path, manifest: Manifest) -> str:
    """A backup in a line."""
    held = ", ".join(f"{store} {sum(copy.rows.values()):,} rows" for store, copy in manifest.stores.items())
    return f"{folder}: {manifest.taken_at:%Y-%m-%d %H:%M} UTC, {megabytes(manifest.bytes)[0]} MB: {held}"


def describe(place: Path) -> Iterator[str]:
    """Every backup at a place, newest first, in a line; what is wrong with one instead. The content is not read again."""
    found = manifests.folders(place)
    if not found:
        yield f"{place}: no backups"
    for folder in found:
        try:
            manifest = manifests.read(folder)
            missing = [copy.file for copy in manifest.stores.values() if _size(folder / copy.file) != copy.bytes]
            yield f"{folder}: DAMAGED: {missing[0]}" if missing else line(folder, manifest)
        except BackupError as err:
            yield f"{folder}: DAMAGED: {err.en}"


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1
