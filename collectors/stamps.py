"""Stamps of sources as epoch seconds: formats, two columns, offsets, sentinels, stamps derived from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from collectors.texts import seconds_of
from config.declarations import FieldMap

Row = Mapping[str, Any]
Read = Callable[[Row, dict[str, int | None]], int | None]
"""A stamp of a row, given the stamps read before it. ``None`` for a missing one. Raises :class:`BadStamp`."""

EARLIEST, LATEST_YEAR = 0, 2200
_ZERO = re.compile(r"^0000-00-00|^00/00/0000|^0001-01-01|^1970-01-01[T ]00:00(:00(\.0+)?)?$|^1970-01-01$|^9999-12-31")
_NUMERIC = {"%Y": r"(?P<Y>\d{4})", "%m": r"(?P<m>\d{1,2})", "%d": r"(?P<d>\d{1,2})", "%H": r"(?P<H>\d{1,2})",
            "%M": r"(?P<M>\d{1,2})", "%S": r"(?P<S>\d{1,2})"}
_CACHE = 100_000


class BadStamp(ValueError):
    """A stamp that cannot be read; the text is the reason."""


def parser(pattern: str | None) -> Callable[[str], datetime]:
    """A function from text to a moment by a strptime pattern or "iso"; purely numeric patterns take a fast path."""
    if pattern is None or pattern == "iso":
        return datetime.fromisoformat
    if pattern in ("epoch", "epoch_ms"):
        divide = 1000 if pattern == "epoch_ms" else 1
        return lambda text: datetime.fromtimestamp(float(text) / divide, ZoneInfo("UTC"))
    pieces = re.findall(r"%.|[^%]+", pattern)
    used = [piece for piece in pieces if piece.startswith("%")]
    if all(piece in _NUMERIC for piece in used) and {"%Y", "%m", "%d"} <= set(used) and len(set(used)) == len(used):
        match = re.compile("".join(_NUMERIC.get(piece, re.escape(piece)) for piece in pieces)).fullmatch
        order = [piece[1] for piece in ("%Y", "%m", "%d", "%H", "%M", "%S") if piece in used]

        def numeric(text: str) -> datetime:
            found = match(text)
            if found is None:
                raise ValueError(text)
            return datetime(*map(int, found.group(*order)))

        return numeric
    return lambda text: datetime.strptime(text, pattern)


def stamp(name: str, field: FieldMap, zone: ZoneInfo) -> Read:
    """The reader of one stamp field. ``zone``: of stamps without an offset."""
    if field.after is not None:
        return _after(name, field, zone)
    columns = (field.from_,) if isinstance(field.from_, str) else tuple(field.from_ or ())
    parse, missing, ignore = parser(field.format), frozenset(field.missing), field.offset == "ignore"
    known: dict[str, int | None] = {}
    epoch_divide = {"epoch": 1, "epoch_ms": 1000}.get(field.format or "")

    def seconds(moment: datetime) -> int:
        if moment.tzinfo is None or ignore:
            moment = moment.replace(tzinfo=zone)
        at = int(moment.timestamp() // 1)
        if at < EARLIEST or moment.year > LATEST_YEAR:
            raise BadStamp(f"{name}: a year that cannot be right")
        return at

    def from_text(text: str) -> int | None:
        found = known.get(text, -1)
        if found != -1:
            return found
        plain = text.strip()
        if plain in missing or not plain or _ZERO.match(plain):
            value = None
        else:
            try:
                value = seconds(parse(plain))
            except BadStamp:
                raise
            except (ValueError, OverflowError, OSError) as err:
                raise BadStamp(f"{name}: not a time of the declared format") from err
        if len(known) > _CACHE:
            known.clear()
        known[text] = value
        return value

    def from_value(value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, str):
            return from_text(value)
        if isinstance(value, datetime):
            return None if value.year >= 9999 else seconds(value)
        if isinstance(value, date):
            return None if value.year >= 9999 else seconds(datetime(value.year, value.month, value.day))
        if epoch_divide and isinstance(value, int | float):
            return int(value / epoch_divide)
        return from_text(str(value))

    if len(columns) == 1:
        column = columns[0]
        return lambda row, _: from_value(row.get(column))

    def from_two(row: Row, _: dict[str, int | None]) -> int | None:
        parts = [row.get(column) for column in columns]
        if any(part is None or str(part).strip() in missing for part in parts) or not str(parts[0]).strip():
            return None
        if isinstance(parts[0], date) and isinstance(parts[1], time | timedelta):
            day = parts[0].date() if isinstance(parts[0], datetime) else parts[0]
            return seconds(datetime(day.year, day.month, day.day) + timedelta(seconds=seconds_of(parts[1])))
        return from_text(" ".join(str(part).strip() for part in parts))

    return from_two


def _after(name: str, field: FieldMap, zone: ZoneInfo) -> Read:
    """A stamp that follows another: minutes after it, or the next time the clock shows a given time."""
    base, minutes, clock, missing = field.after or "", field.minutes, field.time, frozenset(field.missing)

    def read(row: Row, before: dict[str, int | None]) -> int | None:
        start = before.get(base)
        value = row.get(minutes or clock or "")
        if start is None or value is None or str(value).strip() in missing or not str(value).strip():
            return None
        try:
            if minutes:
                amount = float(str(value).strip().replace(",", "."))
                if amount != amount or abs(amount) > 60 * 24 * 3660:
                    raise ValueError
                return start + round(amount * 60)
            local = datetime.fromtimestamp(start, zone)
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            at = int((midnight + timedelta(seconds=seconds_of(value))).timestamp())
            return at if at >= start - 59 else at + 86400  # past midnight; the source's minutes have no seconds
        except ValueError as err:
            raise BadStamp(f"{name}: not {'minutes' if minutes else 'a clock time'}") from err

    return read
