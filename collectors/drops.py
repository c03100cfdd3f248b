"""Files below the drop root: found, opened without following links, whole, and no longer changing."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dashboard.errors import SourceChanged, SourceUnavailable

UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".done")
SETTLED_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.25
LOOKS = 2
RETURNED = "kembali"
"""The folder of the drop root where faulty files come back, marked; nothing in it is ever read."""
MOST_REMEMBERED = 50


def delivered(root: Path, pattern: str, suffixes: Sequence[str], *, done_marker: bool = False) -> list[Path]:
    """The files that ``pattern`` means (a file, a folder, a glob below ``root``), the oldest first.

    ``done_marker``: only those beside which the sender put ``<name>.done``. Raises ``SourceUnavailable`` when there is none.
    """
    place = root / pattern
    if place.is_dir():
        found = [path for path in place.iterdir() if path.suffix.lower() in suffixes]
    elif any(mark in pattern for mark in "*?["):
        found = [path for path in root.glob(pattern) if fnmatch.fnmatchcase(path.name, Path(pattern).name)]
    else:
        found = [place] if os.path.lexists(place) else []
    found = [path for path in found if path.relative_to(root).parts[:1] != (RETURNED,)]
    found = [path for path in found if not path.name.startswith((".", "~")) and path.suffix.lower() not in UNFINISHED]
    if done_marker:
        found = [path for path in found if path.with_name(path.name + ".done").exists()]
    if not found:
        raise SourceUnavailable(
            f"no file at {pattern!r} below the drop folder; has it been delivered?",
            f"tidak ada berkas di {pattern!r} dalam folder kiriman; apakah sudah dikirim?", step="connect",
        )
    return [path for _, _, path in sorted((path.lstat().st_mtime, path.name, path) for path in found)]


def by_content(paths: Sequence[Path], root: Path, known: Mapping[str, float]) -> list[tuple[Path, str, float]]:
    """The files with their content's hash and age, the oldest first; one content once, as old as it was when it came first.

    ``known``: content → mtime of what earlier reads took. So a file that is dropped again, as a copy or under another name,
    never overwrites newer data (B28). Raises ``SourceChanged`` when nothing is left that is as new as what was taken.
    """
    found: dict[str, tuple[Path, float]] = {}
    for path in paths:
        with opened(path, root) as file:
            digest = _digest(file)
            modified = os.fstat(file.fileno()).st_mtime
        at = min([modified, *(found[digest][1:] if digest in found else ()), *([known[digest]] if digest in known else ())])
        found[digest] = (path, at)
    ordered = sorted(((path, digest, at) for digest, (path, at) in found.items()), key=lambda item: (item[2], item[0].name))
    if known and ordered and ordered[-1][2] < max(known.values()):
        name = ordered[-1][0].name
        raise SourceChanged(
            f"{name}: an older file again, which was read before; the newer figures stay. Deliver the newest",
            f"{name}: berkas lama yang sudah pernah dibaca; angka yang lebih baru tetap. Kirim yang terbaru", step="read",
        )
    return ordered


def _digest(file: BinaryIO) -> str:
    made = hashlib.blake2b(digest_size=16)
    while piece := file.read(1 << 20):
        made.update(piece)
    return made.hexdigest()


def remembered(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """The contents to remember: the newest fifty of earlier reads and this one."""
    return dict(sorted({**before, **now}.items(), key=lambda item: item[1])[-MOST_REMEMBERED:])


def wait_until_settled(paths: Sequence[Path], deadline: float) -> None:
    """Look again at files that are younger than five seconds: size and mtime must stand still over two looks (B25).

    Raises ``SourceUnavailable`` when one keeps changing.
    """
    fresh = [path for path in paths if abs(time.time() - path.lstat().st_mtime) < SETTLED_SECONDS]
    before = [_looks(path) for path in fresh]
    still = 0
    ends = min(deadline, time.monotonic() + SETTLED_SECONDS)
    while fresh and still < LOOKS:
        time.sleep(LOOK_AGAIN_SECONDS)
        after = [_looks(path) for path in fresh]
        still = still + 1 if after == before else 0
        before = after
        if time.monotonic() > ends and still < LOOKS:
            name = fresh[-1].name
            raise SourceUnavailable(
                f"{name}: is still being written; it is read once it is whole",
                f"{name}: masih ditulis; dibaca setelah utuh", step="read",
            )


def _looks(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_size, status.st_mtime_ns


@contextmanager
def opened(path: Path, root: Path) -> Iterator[BinaryIO]:
    """A regular file below the root as one open descriptor, whatever is put in its place meanwhile (B26).

    Raises ``SourceChanged`` for a link, a pipe, a device, an empty file, and for a path that leads outside.
    """
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise _refused(path, "outside")
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as err:
        raise _refused(path, err.strerror or type(err).__name__) from err
    with os.fdopen(number, "rb") as file:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise SourceChanged(
                f"{path.name}: not a regular file; deliver the file itself",
                f"{path.name}: bukan berkas biasa; kirim berkasnya sendiri", step="connect",
            )
        if status.st_size == 0:
            raise SourceChanged(
                f"{path.name}: the file is empty (0 bytes); deliver it again",
                f"{path.name}: berkas kosong (0 bita); kirim ulang", step="read",
            )
        yield file


def _refused(path: Path, reason: str) -> SourceChanged:
    return SourceChanged(
        f"{path.name}: cannot be opened ({reason}); put the file itself into the drop folder, not a link",
        f"{path.name}: tidak dapat dibuka ({reason}); letakkan berkasnya sendiri di folder kiriman, bukan tautan", step="connect",
    )
