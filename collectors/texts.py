"""Source values as clean text: NFC, without control, bidi and zero characters, of bounded length; and the privacy filter."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import Any

LONGEST = 200
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_PERSONAL = (
    re.compile(r"(?<!\d)\d{16}(?!\d)"),  # NIK, KK
    re.compile(r"(?<![\d-])(?:\+?62|0)8[\d -]{7,13}\d"),  # phones
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
)
_KNOWN: dict[str, str] = {}


def clean(value: Any) -> str | None:
    """A value as one clean text; ``None`` stays ``None``. Whole numbers from spreadsheets lose their ".0"."""
    if value is None:
        return None
    if isinstance(value, str):
        found = _KNOWN.get(value)
        return found if found is not None else _cleaned(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")[:LONGEST]
    return _cleaned(str(value))


def _cleaned(text: str) -> str:
    made = _UNWANTED.sub("", unicodedata.normalize("NFC", text)).strip()[:LONGEST]
    if len(text) <= LONGEST:
        if len(_KNOWN) > 50_000:
            _KNOWN.clear()
        _KNOWN[text] = made
    return made


def without_persons(text: str) -> str:
    """A text in which NIK, phone numbers and e-mail addresses are blotted out."""
    for pattern in _PERSONAL:
        text = pattern.sub("[…]", text)
    return text


def seconds_of(value: Any) -> float:
    """A clock time or a duration (``time``, ``timedelta``, "H:MM[:SS]") in seconds. Raises ``ValueError``."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second
    parts = [int(part) for part in re.split("[:.]", str(value).strip())]
    if not 2 <= len(parts) <= 3 or not (0 <= parts[0] < 48 and all(0 <= part < 60 for part in parts[1:])):
        raise ValueError("not a clock time")
    return sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
