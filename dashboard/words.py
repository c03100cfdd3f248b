"""Shown words, numbers and times in one language. Missing words are an error that names the key; never SI suffixes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from dashboard.errors import ConfigError

if TYPE_CHECKING:
    from config.declarations import Regency

LOCALES = {"id": "id_ID", "en": "en_GB"}
ZONE_NAMES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}


@lru_cache(maxsize=8)
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@lru_cache(maxsize=4096)
def _number(value: float, decimals: int, locale: str) -> str:
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(value, format=pattern, locale=locale)


class Say:
    """Says a key, a number or a time in one language: ``say("wall.without", names="DLH")``."""

    def __init__(self, regency: Regency, language: str = "id") -> None:
        self.regency, self.language = regency, language
        self.locale = LOCALES[language]
        self.zone: ZoneInfo = regency.zone
        self.zone_name = ZONE_NAMES.get(regency.timezone, "UTC" if regency.timezone == "UTC" else regency.timezone)
        self._words = regency.words[language]

    def __call__(self, key: str, **params: Any) -> str:
        """The words under a dotted key, filled in. Raises ``ConfigError`` for a key that is not there."""
        found: Any = self._words
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if not isinstance(found, str):
            raise ConfigError(
                "no such word; add it to both languages", "kata tidak ada; tambahkan di kedua bahasa",
                file=f"words/{self.language}.toml", key=key,
            )
        try:
            return found.format(**params) if params else found
        except (KeyError, IndexError, ValueError) as err:
            raise ConfigError(
                f"cannot be filled in: {err}; check its {{names}}", f"tidak dapat diisi: {err}; periksa {{nama}}-nya",
                file=f"words/{self.language}.toml", key=key,
            ) from err

    def has(self, key: str) -> bool:
        """Whether there are words under a key."""
        found: Any = self._words
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return isinstance(found, str)

    def name(self, words: Any) -> str:
        """A declared name in this language."""
        return str(words.id if self.language == "id" else words.en)

    def number(self, value: float, decimals: int = 0) -> str:
        """``1.234,5`` in Indonesian; -0 is 0."""
        return _number(round(value, decimals) + 0.0, decimals, self.locale)

    def percent(self, value: float, decimals: int = 1) -> str:
        """A value already in percent: ``87,5%``."""
        return f"{self.number(value, decimals)}%"

    def rupiah(self, value: float, decimals: int = 0) -> str:
        """``Rp1.234.567``, ``-Rp5``; whole amounts, never "M" for a million (M is miliar)."""
        return f"{'-' if round(value, decimals) < 0 else ''}Rp{self.number(abs(value), decimals)}"

    def time(self, at: float) -> str:
        """``10.53`` on the regency's clock (``10:53`` in English)."""
        return datetime.fromtimestamp(at, self.zone).strftime("%H.%M" if self.language == "id" else "%H:%M")

    def clock(self, at: float) -> str:
        """``10.53 WITA``."""
        return f"{self.time(at)} {self.zone_name}"

    def moment(self, at: float, now: float) -> str:
        """The time on the same day, else the date with it: ``23 Nov 10.53``."""
        then, today = datetime.fromtimestamp(at, self.zone), datetime.fromtimestamp(now, self.zone)
        if then.date() == today.date():
            return self.time(at)
        return f"{format_date(then.date(), 'd MMM', locale=self.locale)} {self.time(at)}"

    def day(self, at: float) -> str:
        """``5 Nov 2026``."""
        return format_date(datetime.fromtimestamp(at, self.zone).date(), "d MMM y", locale=self.locale)

    def date(self, at: float) -> str:
        """``Selasa, 24 November 2026``."""
        pattern = "EEEE, d MMMM y"
        return format_date(datetime.fromtimestamp(at, self.zone).date(), pattern, locale=self.locale)

    def duration(self, seconds: float) -> str:
        """``1 jam 5 menit``: the two largest units."""
        minutes = max(0, int(seconds)) // 60
        if minutes < 1:
            return self("times.seconds", n=max(0, int(seconds)))
        days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days:
            parts = [self._plural("days", days), self._plural("hours", hours) if hours else ""]
        elif hours:
            parts = [self._plural("hours", hours), self._plural("minutes", rest) if rest else ""]
        else:
            parts = [self._plural("minutes", rest)]
        return " ".join(part for part in parts if part)

    def _plural(self, unit: str, n: int) -> str:
        return self(f"times.{unit}_one" if n == 1 else f"times.{unit}", n=n)

    def join(self, names: Sequence[str], most: int = 3) -> str:
        """``Dishub, DLH``; beyond ``most`` names, how many more."""
        shown = ", ".join(names[:most])
        return shown if len(names) <= most else f"{shown} +{len(names) - most}"
