"""Published values in words: amounts of money in whole words, never by a letter ("M" is miliar), and the name of a period."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_date

from dashboard.words import Say

SIZES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
PATTERNS = {"day": "d MMM y", "week": "d MMM y", "month": "MMMM y", "year": "y"}


def amount(value: float, unit: str, decimals: int, say: Say) -> tuple[str, str]:
    """(figure, what stands small behind it): ("71,3", "%"), ("Rp12,4", "miliar"), ("38", "menit")."""
    if unit == "rupiah":
        for size, word in SIZES:
            if abs(value) >= size:
                return say.rupiah(value / size, 2 if abs(value) < 10 * size else 1), say(f"panels.readings.{word}")
        return say.rupiah(value), ""
    if unit == "percent":
        return say.number(value, decimals), "%"
    return say.number(value, decimals), "" if unit == "score" else say(f"units.{unit}")


def period_name(period: int, grain: str, say: Say, now: int, *, short: bool = False) -> str:
    """The period that a value is of: "Oktober 2026" (short: "Okt 2026"), "triwulan 3 2026", "2025", or the moment of an instant."""
    day = datetime.fromtimestamp(period, say.zone).date()
    if grain == "quarter":
        return say("panels.readings.quarter", n=(day.month - 1) // 3 + 1, year=day.year)
    if grain in PATTERNS:
        pattern = PATTERNS[grain].replace("MMMM", "MMM") if short else PATTERNS[grain]
        named = format_date(day, pattern, locale=say.locale)
        return say("panels.readings.week", day=named) if grain == "week" else named
    return say.moment(period, now)
