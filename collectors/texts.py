"""Source values as clean text: NFC, without control, bidi and zero characters, of bounded length; and the privacy filter."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import Any

LONGEST = 200
LONGEST_QUOTE = 200
CUT = "…"
BLOT = "[…]"
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
_PERSONAL = (
    re.compile(r"(?<!\d)\d{16}(?!\d)"),  # NIK, KK
    re.compile(r"(?<![\d-])(?:\+?62|0)[ -]?8[\d -]{7,13}\d"),  # phones
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
)


def plain(value: Any) -> str | None:
    """A value as one clean text of any length; ``None`` stays ``None``. Whole numbers from spreadsheets lose their ".0"."""
    if type(value) is str:
        return value.strip() if value.isascii() and value.isprintable() else _cleaned(value)
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return _cleaned(value.decode("utf-8", "backslashreplace"))
    return _cleaned(str(value))


def clean(value: Any) -> str | None:
    """The same, cut with a mark after 200 characters."""
    text = plain(value)
    return text if text is None or len(text) <= LONGEST else text[: LONGEST - 1] + CUT


def _cleaned(text: str) -> str:
    return _UNWANTED.sub("", unicodedata.normalize("NFC", text)).strip()


def unwanted(text: str) -> bool:
    """Whether a text holds characters that :func:`plain` takes out, white space at its ends left alone."""
    return not (text.isascii() and text.isprintable()) and _UNWANTED.search(text.strip()) is not None


def without_persons(text: str) -> str:
    """A text in which NIK, phone numbers and e-mail addresses are blotted out."""
    for pattern in _PERSONAL:
        text = pattern.sub(BLOT, text)
    return text


def quoted(value: Any) -> str:
    """What a source says of its own error, for messages: clean, without persons, at most 200 characters, no markup."""
    text = without_persons(plain(value) or "").replace("<", "‹").replace(">", "›")
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + CUT


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
