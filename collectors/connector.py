"""The contract of a connector: options in, pages of raw rows out. Nothing else passes between kernel and plug-in.

A connector is one function registered under its kind, and one pydantic model of its options. It yields :class:`Page`
objects as it reads, never the whole source; it raises only :class:`dashboard.errors.CollectError` kinds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from dashboard.registry import Registry

Row = Mapping[str, Any]
Networks = tuple[IPv4Network | IPv6Network, ...]
"""The private ranges that a source may reach."""


class Options(BaseModel):
    """Base of a connector's options: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Page:
    """Some raw rows, where they stood, and what the source says of itself.

    ``lines``: the number of each row for messages (file line, or index in the page). ``published_at``: the source's own
    publication stamp or a file's mtime, epoch seconds. ``position`` is JSON-able and names how far the read has come;
    ``broken`` are rows the reader itself could not read: (line, reason). ``total``: how many rows the source says it has in
    all pages together. ``columns``: all column names of the source, where it knows them, those not wanted too.
    ``files``: the content (a hash) of the delivered file that these rows are of → its mtime.
    ``warning``: what should be mended although the read is good, (English, Indonesian); it goes with the run's message.
    ``moving``: pages are counted off, so that rows slip from one to the other when the list changes between them.
    """

    rows: list[Row]
    position: Any = None
    lines: list[int] | None = None
    published_at: float | None = None
    broken: list[tuple[int, str]] = field(default_factory=list)
    total: int | None = None
    columns: frozenset[str] | None = None
    warning: tuple[str, str] | None = None
    moving: bool = False
    files: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What one read may know and use.

    ``since``: epoch seconds from which changes are wanted (incremental), or submissions (window); ``None`` for all.
    ``deadline``: a ``time.monotonic()`` instant after which the read must have ended.
    ``files``: content of delivered files that earlier good reads took → their mtime.
    ``wanted``: the raw columns that the mapping uses; a connector may leave out all others (they are dropped anyway).
    ``now``: epoch seconds of the run's start, for sources that are asked by date.
    """

    source: str
    options: Any
    since: float | None
    deadline: float
    networks: Networks
    secret: Callable[[str], str]
    drop: Path
    wanted: frozenset[str]
    timezone: str = "UTC"
    since_kind: str = "changed"  # changed | submitted
    files: Mapping[str, float] = field(default_factory=dict)
    now: float = field(default_factory=time.time)


class Read(Protocol):
    """A connector's function."""

    def __call__(self, reading: Reading) -> Iterator[Page]: ...


@dataclass(frozen=True)
class Connector:
    """A kind of source: the model of its options and the function that reads it."""

    options: type[Options]
    read: Read


CONNECTORS: Registry[Connector] = Registry("connector")
