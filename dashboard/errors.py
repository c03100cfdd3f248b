"""Errors, by what happens next. Every one carries what, where and what to do, in Indonesian and English.

* ``ProductError``
  - ``ConfigError``          refuse to start; names the file and the key
  - ``StoreError``           the local database: refuse to go on, nothing half written
    - ``LeaseLost``          another leader took over: stop writing at once
    - ``StoreUnwritable``    full, read-only, failing, locked or gone: stop collecting, go on by itself when it is mended
    - ``StoreCorrupt``       damaged or missing: move it aside and restore the newest verified backup, never start empty
  - ``CollectError``         a run of a source failed
    - ``SourceUnavailable``  try again (also a read that missed pages)
    - ``SourceRejected``     at most one try in 15 minutes (credentials, permission)
    - ``SourceChanged``      keep the last good data, tell the operator (fields, format)
    - ``SourceHeld``         a guard tripped: the last good figures stay until an operator releases

Messages never hold a secret, a row's content or a traceback.
"""

from __future__ import annotations


class ProductError(Exception):
    """Base of all errors that are shown to people. ``str()`` is the English text; ``.id`` the Indonesian one."""

    def __init__(self, en: str, id: str = "") -> None:
        super().__init__(en)
        self.en = en
        self.id = id or en


class ConfigError(ProductError):
    """A declaration is wrong: refuse to start. ``file`` and ``key`` say where."""

    def __init__(self, en: str, id: str = "", *, file: str = "", key: str = "") -> None:
        where = ": ".join(part for part in (file, key) if part)
        super().__init__(f"{where}: {en}" if where else en, f"{where}: {id or en}" if where else id or en)
        self.file = file
        self.key = key


class StoreError(ProductError):
    """The local database cannot be used as asked."""


class LeaseLost(StoreError):
    """Another process became the leader: this one must not write any more."""


class StoreUnwritable(StoreError):
    """The store cannot be written at present: collecting stops, reads and screens go on, and all of it comes back by itself."""


class StoreCorrupt(StoreError):
    """The store is damaged, or was there and is gone: only a backup (or an operator's word) makes it good."""


class CollectError(ProductError):
    """A run of a source failed. ``step`` is connect, read, parse, map or store; ``outcome`` the run's word."""

    outcome = "failed"

    def __init__(self, en: str, id: str = "", *, step: str = "read", retry_after_seconds: float | None = None) -> None:
        super().__init__(en, id)
        self.step = step
        self.retry_after_seconds = retry_after_seconds


class SourceUnavailable(CollectError):
    """The source did not answer, or not completely: try again."""

    outcome = "unavailable"


class SourceRejected(CollectError):
    """The source refused our credentials: at most one try in 15 minutes."""

    outcome = "rejected"


class SourceChanged(CollectError):
    """The source's fields or format are not what was declared: keep the last good data."""

    outcome = "changed"


class SourceHeld(CollectError):
    """A guard tripped before anything was committed: an operator must release or reject.

    ``guard``: count, ids, identity or fields; ``counts``: what it counted.
    """

    outcome = "held"

    def __init__(self, en: str, id: str = "", *, step: str = "validate", guard: str, counts: dict[str, int] | None = None) -> None:
        super().__init__(en, id, step=step)
        self.guard, self.counts = guard, counts or {}
