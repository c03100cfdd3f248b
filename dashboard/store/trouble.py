"""What an error of the database means and what to do about it, in words (F4-F10, F21), and the retry of whole transactions."""

from __future__ import annotations

import errno
import functools
import getpass
import resource
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dashboard.errors import StoreCorrupt, StoreError, StoreUnwritable
from dashboard.store.files import MEGABYTE, file_of, full, room

RETRY_SECONDS = 60.0
"""How long a whole transaction is tried again while another program holds the lock or the server restarts."""


class Trouble(StrEnum):
    """Kinds of trouble with a store, by what is to be done."""

    FULL = "full"
    LIMIT = "limit"  # of the size of files
    READ_ONLY = "read only"
    IO = "io"
    CORRUPT = "corrupt"
    BUSY = "busy"  # locked, or a conflict between transactions: try again
    GONE = "gone"  # no connection: try again


AGAIN = frozenset({Trouble.BUSY, Trouble.GONE})
_SQLITE = {
    5: Trouble.BUSY, 6: Trouble.BUSY, 8: Trouble.READ_ONLY, 10: Trouble.IO, 11: Trouble.CORRUPT, 13: Trouble.FULL,
    14: Trouble.READ_ONLY, 26: Trouble.CORRUPT,
}
_STATES = {
    "53100": Trouble.FULL, "53300": Trouble.BUSY, "55P03": Trouble.BUSY, "40001": Trouble.BUSY, "40P01": Trouble.BUSY,
    "25006": Trouble.READ_ONLY, "58030": Trouble.IO, "XX001": Trouble.CORRUPT, "XX002": Trouble.CORRUPT,
    "57P01": Trouble.GONE, "57P02": Trouble.GONE, "57P03": Trouble.GONE,
    "42P01": Trouble.GONE, "3F000": Trouble.GONE,  # a restore is putting the schemas in place
}
_ERRNO = {
    errno.ENOSPC: Trouble.FULL, errno.EDQUOT: Trouble.FULL, errno.EFBIG: Trouble.LIMIT, errno.EROFS: Trouble.READ_ONLY,
    errno.EIO: Trouble.IO,
}


def trouble_of(err: BaseException) -> Trouble | None:
    """The kind of trouble that an error means; ``None`` when it is none of the store's."""
    if isinstance(err, PoolTimeout):
        return Trouble.BUSY
    found: Any = err.orig if isinstance(err, DBAPIError) else err
    if isinstance(found, sqlite3.Error):
        code = getattr(found, "sqlite_errorcode", None)
        known = _SQLITE.get(code & 0xFF) if code is not None else None
        return Trouble.LIMIT if known is Trouble.IO and _size_limit() is not None else known
    if isinstance(found, OSError):
        return _ERRNO.get(found.errno or 0)
    if type(found).__module__.startswith("psycopg"):
        state = getattr(found, "sqlstate", None)
        if state is None:
            return Trouble.GONE if (isinstance(err, DBAPIError) and err.connection_invalidated) or _no_server(found) else None
        return Trouble.GONE if state.startswith("08") else _STATES.get(state)
    return None


def _no_server(err: Any) -> bool:
    return type(err).__name__ in ("OperationalError", "ConnectionTimeout", "ConnectionFailure", "InterfaceError")


def _size_limit() -> int | None:
    """The largest file, in bytes, that this process may write; ``None`` without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft


def store_error(err: BaseException, engine: Engine) -> StoreError | None:
    """The error of ours for an error of the database or its disk; ``None`` when it is none of the store's."""
    if isinstance(err, StoreError):
        return err
    trouble = trouble_of(err)
    return None if trouble is None else explained(trouble, file_of(engine), str(getattr(err, "orig", err)))


def explained(trouble: Trouble, file: Path | None, cause: str) -> StoreError:
    """What to tell people: which file, what is wrong, what goes on, what to do. ``cause``: the database's own words."""
    cause = cause.splitlines()[0] if cause else ""
    if file is None:
        return _of_server(trouble, cause)
    if trouble is Trouble.FULL:
        return full(file.parent, *room(file.parent))
    if trouble is Trouble.LIMIT:
        size = (_size_limit() or 0) / MEGABYTE
        return StoreUnwritable(
            f"{file}: this process may not write files larger than {size:.0f} MB (ulimit -f). Collecting stops, the screens go "
            "on. Raise the limit and start again",
            f"{file}: proses ini tidak boleh menulis berkas lebih dari {size:.0f} MB (ulimit -f). Pengumpulan berhenti, layar "
            "tetap jalan. Naikkan batasnya dan mulai lagi",
        )
    if trouble is Trouble.READ_ONLY:
        return unwritable(file)
    if trouble is Trouble.IO:
        return StoreUnwritable(
            f"{file}: the disk reports an error ({cause}). Collecting stops, the store is checked; look at the disk "
            "(dmesg, smartctl) and at the newest backup (command-center backup list)",
            f"{file}: disk melaporkan kesalahan ({cause}). Pengumpulan berhenti, penyimpanan diperiksa; periksa disk "
            "(dmesg, smartctl) dan cadangan terbaru (command-center backup list)",
        )
    if trouble is Trouble.CORRUPT:
        return StoreCorrupt(f"{file}: the store is damaged ({cause})", f"{file}: penyimpanan rusak ({cause})")
    return StoreUnwritable(
        f"{file}: another program has held the store locked for more than {RETRY_SECONDS:.0f} s. Nothing is lost; end that "
        "program (a backup tool, an SQLite browser)",
        f"{file}: program lain mengunci penyimpanan lebih dari {RETRY_SECONDS:.0f} detik. Tidak ada yang hilang; akhiri "
        "program itu (alat cadangan, peramban SQLite)",
    )


def _of_server(trouble: Trouble, cause: str) -> StoreError:
    if trouble is Trouble.CORRUPT:
        return StoreCorrupt(
            f"PostgreSQL reports damage ({cause}): stop the server, restore a backup",
            f"PostgreSQL melaporkan kerusakan ({cause}): hentikan server, pulihkan cadangan",
        )
    what = {
        Trouble.FULL: ("the disk of the database server is full", "disk server basis data penuh"),
        Trouble.READ_ONLY: ("the database server does not take writes", "server basis data tidak menerima tulisan"),
        Trouble.IO: ("the disk of the database server reports an error", "disk server basis data melaporkan kesalahan"),
        Trouble.BUSY: ("the database is locked or has no connection left", "basis data terkunci atau koneksinya habis"),
    }.get(trouble, ("the database server does not answer", "server basis data tidak menjawab"))
    return StoreUnwritable(
        f"PostgreSQL: {what[0]}. Collecting stops, the screens keep what they show; it goes on by itself",
        f"PostgreSQL: {what[1]}. Pengumpulan berhenti, layar mempertahankan isinya; berjalan lagi dengan sendirinya",
    )


def unwritable(file: Path) -> StoreUnwritable:
    """What a store that cannot be written says: whose it is, who we are (F7)."""
    place = file if file.exists() else file.parent
    try:
        found = place.stat()
        owner = f"{_owner(place)}, mode {stat.S_IMODE(found.st_mode):04o}"
    except OSError as err:
        owner = err.strerror or "?"
    return StoreUnwritable(
        f"{place}: cannot be written (owner {owner}; this process is {_me()}). The screens go on with what they have; give the "
        "folder to this user, or mount the disk writable",
        f"{place}: tidak dapat ditulis (pemilik {owner}; proses ini {_me()}). Layar tetap jalan dengan isinya; berikan folder "
        "itu kepada pengguna ini, atau pasang disk agar dapat ditulis",
    )


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "?"


Work = TypeVar("Work", bound=Callable[..., Any])


def whole(work: Work) -> Work:
    """Mark a function or method as one whole transaction: it is done again, from its start, while the store is locked or gone
    (F8, F21), up to ``RETRY_SECONDS``. Raises ``StoreError`` in clear words for what stays.

    Its engine is its first argument of that type, or the attribute ``engine`` of its first argument.
    """

    @functools.wraps(work)
    def again(*arguments: Any, **named: Any) -> Any:
        until, pause = time.monotonic() + RETRY_SECONDS, 0.1
        while True:
            try:
                return work(*arguments, **named)
            except (DBAPIError, PoolTimeout, sqlite3.Error, OSError) as err:
                if trouble_of(err) not in AGAIN or time.monotonic() >= until:
                    broken = store_error(err, _engine(arguments))
                    if broken is None:
                        raise
                    raise broken from err
            time.sleep(pause)
            pause = min(2 * pause, 2.0)

    return again  # type: ignore[return-value]


@contextmanager
def in_words(engine: Engine) -> Iterator[None]:
    """Raises ``StoreError`` in clear words for whatever the store's database or disk does not do inside the block."""
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error, OSError) as err:
        broken = store_error(err, engine)
        if broken is None:
            raise
        raise broken from err


def _engine(arguments: tuple[Any, ...]) -> Engine:
    found = next((one for one in arguments if isinstance(one, Engine)), None)
    return found if found is not None else arguments[0].engine
