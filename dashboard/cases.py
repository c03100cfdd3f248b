"""What a case is on its way from a source to the store: a sighting (mapped), then a case (derived).

A case is one request, complaint or visit of a citizen, without who they are. All stamps are UTC epoch seconds.
"""

from __future__ import annotations

import json
from enum import IntFlag, StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What a service gives."""

    REQUEST = "request"
    COMPLAINT = "complaint"
    VISIT = "visit"


class EndedAs(StrEnum):
    """How a case ended; ``None`` while it is open."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """The outcome of a run: one word in run, log and screen. The first three are good."""

    OK = "ok"
    EMPTY = "empty"
    PARTIAL = "partial"
    HELD = "held"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"
    CHANGED = "changed"
    FAILED = "failed"

    @property
    def good(self) -> bool:
        """Whether the run delivered: ok, empty or partial (some rows put aside)."""
        return self in (Outcome.OK, Outcome.EMPTY, Outcome.PARTIAL)


class Flags(IntFlag):
    """Facts about a case that explain why it is left out of something."""

    NONE = 0
    ENDED_BEFORE_SUBMITTED = 1
    ENDED_WITHOUT_DATE = 2
    DISTRICT_UNKNOWN = 4
    DISTRICT_OUTSIDE = 8
    STATUS_UNMAPPED = 16
    SUBMITTED_IN_FUTURE = 32
    CHANNEL_UNMAPPED = 64


BLANK = "(kosong)"
"""The key and label of a discovered value that is blank."""

NO_DISTRICT = ""
"""District of a case whose source gives none. ``"?"`` is unknown, ``"outside"`` lies outside the regency."""
UNKNOWN_DISTRICT = "?"
OUTSIDE_DISTRICT = "outside"

CHANNELS = ("online", "counter", "phone", "message", "post", "field", "system")


class Codes(NamedTuple):
    """The raw values behind what was derived, so that a better map needs no new read. ``None``: not mapped."""

    agency: str | None = None
    service: str | None = None
    status: str | None = None
    channel: str | None = None
    district: str | None = None
    class_: str | None = None
    closed_by: str | None = None

    def dumps(self) -> str:
        """Compact JSON list, as stored."""
        return json.dumps(self, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def loads(cls, text: str) -> Codes:
        """The codes of a stored case."""
        return cls(*json.loads(text)[: len(cls._fields)])


def codes_with_end(codes: str, ended_at: int) -> str:
    """Stored codes that also keep an end stamp which the status does not let count, for a better map later."""
    return f"{codes[:-1]},{ended_at}]"


def kept_end(codes: str) -> int | None:
    """The end stamp kept in stored codes, if any."""
    parts = json.loads(codes)
    return int(parts[-1]) if len(parts) > len(Codes._fields) else None


class Sighting(NamedTuple):
    """One case as one read saw it: stamps and codes, nothing derived. ``key`` is the 16-byte keyed hash of its id."""

    key: bytes
    submitted_at: int
    accepted_at: int | None
    first_response_at: int | None
    ended_at: int | None
    codes: Codes
    published_at: int | None = None
    updated_at: int | None = None


class Case(NamedTuple):
    """A case with all that the declarations say about it.

    ``elapsed_seconds`` (ended − submitted) and ``worked_seconds`` (the same on the agency's calendar) are ``None`` while
    it is open or where the end precedes the submission; ``on_time`` is ``None`` where there is no standard or no end; a
    visit's is judged by ``accepted_at``: its standard is the wait.
    ``standard`` is the promise in force on the day of submission, as declared ("1 working day").
    """

    key: bytes
    agency: str
    service: str
    kind: str
    channel: str
    district: str
    submitted_at: int
    accepted_at: int | None
    first_response_at: int | None
    ended_at: int | None
    ended_as: str | None
    closed_by: str | None
    class_: str | None
    standard: str | None
    due_at: int | None
    elapsed_seconds: int | None
    worked_seconds: int | None
    on_time: bool | None
    flags: int
    codes: str

    @property
    def left_at(self) -> int | None:
        """When it left the backlog: max(submitted, ended). ``None`` while it is open."""
        return None if self.ended_at is None else max(self.submitted_at, self.ended_at)


class Rejected(NamedTuple):
    """A row put aside: why, where, and the declared fields' raw strings after the privacy filter."""

    reason: str
    field: str
    page: int
    line: int
    key: bytes | None
    raw: dict[str, Any]
