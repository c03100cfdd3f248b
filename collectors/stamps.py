"""Stamps of sources as epoch seconds: formats, two columns, offsets, sentinels, stamps derived from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from collectors.texts import seconds_of
from config.declarations import FieldMap
from dashboard.clock import DAY, HOUR, MINUTE

Row = Mapping[str, Any]
Read = Callable[[Row, dict[str, int | None]], int | None]
"""A stamp of a row, given the stamps read before it. ``None`` for a missing one. Raises :class:`BadStamp`."""

EARLIEST, LATEST_YEAR = 0, 2200
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_ZERO = re.compile(r"^0000-00-00|^00/00/0000|^0001-01-01|^1970-01-01[T ]00:00(:00(\.0+)?)?$|^1970-01-01$|^9999-12-31")
_ZERO_STARTS = frozenset(("0000", "00/0", "0001", "1970", "9999"))
_NUMERIC = {"%Y": "([0-9]{4})", "%m": "([0-9]{1,2})", "%d": "([0-9]{1,2})", "%H": "([0-9]{1,2})", "%M": "([0-9]{1,2})",
            "%S": "([0-9]{1,2})"}
_MONTHS = {  # Indonesian → the English name that strptime knows
    "januari": "January", "februari": "February", "maret": "March", "mei": "May", "juni": "June", "juli": "July",
    "agustus": "August", "agu": "Aug", "agt": "Aug", "agust": "Aug", "oktober": "October", "okt": "Oct", "desember": "December",
    "des": "Dec", "nop": "Nov", "nopember": "November", "peb": "Feb", "pebruari": "February",
}
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = re.compile(r"[T ][0-9]{2}[:.][0-9]{2}")
_DATE_FIRST = re.compile(r"(%[Ymd])([^%])(%[Ymd])([^%])(%[Ymd])(?:[T ]%H[:.]%M(?:[:.]%S)?)?")
_FIXED = {"%Y": "[0-9]{4}", "%m": "[0-9]{2}", "%d": "[0-9]{2}"}
_WORD = re.compile(r"[A-Za-z]+")
_CACHE = 50_000


class BadStamp(ValueError):
    """A stamp that cannot be read; the text is "field: reason"."""


class Zone:
    """Naive local moments as epoch seconds, quickly: the offset of a day is looked up once, unless clocks change on it."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._midnights: dict[int, int | None] = {}

    def seconds(self, moment: datetime) -> int:
        """Whole epoch seconds of a moment in this zone; its own offset, if any, is ignored."""
        midnight = self.midnight(moment.toordinal())
        if midnight is None:
            return int(moment.replace(tzinfo=self.zone).timestamp() // 1)
        return midnight + moment.hour * HOUR + moment.minute * MINUTE + moment.second

    def midnight(self, day: int) -> int | None:
        """Epoch seconds of the local midnight that begins a day (an ordinal); ``None`` where clocks change on it."""
        midnight = self._midnights.get(day, -1)
        if midnight == -1:
            midnight = self._midnights[day] = self._looked_up(day)
        return midnight

    def _looked_up(self, day: int) -> int | None:
        start = datetime.combine(date.fromordinal(day), time(), self.zone)
        at = int(start.timestamp())
        if int((start + timedelta(hours=23, minutes=59)).timestamp()) != at + 23 * HOUR + 59 * MINUTE:
            return None
        if len(self._midnights) > _CACHE:
            self._midnights.clear()
        return at


def parser(pattern: str | None) -> Callable[[str], datetime]:
    """A function from text to a moment by a strptime pattern, "iso", "epoch" or "epoch_ms".

    Purely numeric patterns take a fast path; month names may be Indonesian; "24:00" is the next midnight.
    """
    if pattern is None or pattern == "iso":
        return datetime.fromisoformat
    if pattern in ("epoch", "epoch_ms"):
        divide = 1000 if pattern == "epoch_ms" else 1
        return lambda text: datetime.fromtimestamp(float(text) / divide, UTC)
    pieces = re.findall(r"%.|[^%]+", pattern)
    used = [piece for piece in pieces if piece.startswith("%")]
    if all(piece in _NUMERIC for piece in used) and {"%Y", "%m", "%d"} <= set(used) and len(set(used)) == len(used):
        return _numeric(pieces, used)
    if "%b" in used or "%B" in used:
        return lambda text: datetime.strptime(_WORD.sub(_english, text), pattern)  # noqa: DTZ007 (the source's zone follows)
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007


def _english(found: re.Match[str]) -> str:
    return _MONTHS.get(found[0].lower(), found[0])


def _numeric(pieces: list[str], used: list[str]) -> Callable[[str], datetime]:
    match = re.compile("".join(_NUMERIC.get(piece, re.escape(piece)) for piece in pieces)).fullmatch
    order = [used.index(piece) + 1 for piece in ("%Y", "%m", "%d", "%H", "%M", "%S") if piece in used]
    plain = used == ["%Y", "%m", "%d", "%H", "%M", "%S"][: len(used)]

    def numeric(text: str) -> datetime:
        found = match(text)
        if found is None:
            raise ValueError(text)
        parts = list(map(int, found.groups() if plain else found.group(*order)))
        if len(parts) > 3 and parts[3] == 24 and not any(parts[4:]):
            return datetime(*parts[:3]) + timedelta(days=1)  # type: ignore[arg-type]  # noqa: DTZ001
        return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001

    return numeric


class _Text:
    """Text of one stamp field to epoch seconds.

    Date, clock (six characters) and tail (seconds, offset) are remembered apart: a year of seconds is 365 + 1440 + 60
    entries, and a stamp costs three look-ups instead of a parse. ``days``: date → (local midnight, UTC midnight); ``clocks``:
    → seconds; ``local`` and ``offset``: tail → seconds after the one midnight or the other.
    """

    def __init__(self, name: str, field: FieldMap, zone: Zone) -> None:
        self.name, self.zone = name, zone
        self.parse, self.missing, self.ignore = parser(field.format), frozenset(field.missing), field.offset == "ignore"
        self.padded = _padded_date(field.format)
        self.nothing: dict[str, None] = {}
        self.days: dict[str, tuple[int, int]] = {}
        self.clocks: dict[str, int] = {}
        self.local: dict[str, int] = {}
        self.offset: dict[str, int] = {}

    def seconds(self, moment: datetime) -> int:
        """Epoch seconds of a moment with or without an offset. Raises ``BadStamp`` for a year that cannot be right."""
        naive = moment.tzinfo is None or self.ignore
        at = self.zone.seconds(moment) if naive else int(moment.timestamp() // 1)
        if at < EARLIEST or moment.year > LATEST_YEAR:
            raise BadStamp(f"{self.name}: a year that cannot be right")
        return at

    def read(self, text: str) -> int | None:
        """Epoch seconds of a text; ``None`` for a sentinel. Raises ``BadStamp``."""
        day, clock = self.days.get(text[:10]), self.clocks.get(text[10:16])
        if day is not None and clock is not None:
            tail = text[16:]
            after = self.local.get(tail)
            if after is not None:
                return day[0] + clock + after
            after = self.offset.get(tail)
            if after is not None:
                return day[1] + clock + after
        elif text in self.nothing:
            return None
        return self._parsed(text)

    def _parsed(self, text: str) -> int | None:
        plain = text.strip()
        if not plain or plain in self.missing or (plain[:4] in _ZERO_STARTS and _ZERO.match(plain)):
            if len(self.nothing) < _CACHE:
                self.nothing[text] = None
            return None
        try:
            moment = self.parse(plain)
            at = self.seconds(moment)
        except BadStamp:
            raise
        except (ValueError, OverflowError, OSError) as err:
            raise BadStamp(f"{self.name}: not a time of the declared format") from err
        if self.padded is not None and self.padded(text[:10]) and (len(text) == 10 or _CLOCK.fullmatch(text[10:16])):
            self._remember(text, moment, at)
        return at

    def _remember(self, text: str, moment: datetime, at: int) -> None:
        """Keep the parts for the stamps to come; not of a day that a sentinel names, or on which clocks change."""
        head, clock, tail = text[:10], text[10:16], text[16:]
        day = moment.toordinal() - clock.endswith("24:00")
        local, utc = self.zone.midnight(day), (day - EPOCH_ORDINAL) * DAY
        if local is None or head[:4] in _ZERO_STARTS or any(sentinel.startswith(head) for sentinel in self.missing):
            return
        if len(self.days) + len(self.local) + len(self.offset) > _CACHE:
            for known in (self.days, self.local, self.offset):
                known.clear()
        self.days[head] = (local, utc)
        seconds = self.clocks[clock] = int(clock[1:3]) * HOUR + int(clock[4:6]) * MINUTE if clock else 0
        if moment.tzinfo is None or self.ignore:
            self.local[tail] = at - local - seconds
        else:
            self.offset[tail] = at - utc - seconds


def _padded_date(pattern: str | None) -> Callable[[str], Any] | None:
    """Whether ten characters are a whole date of a pattern that begins with one; ``None`` for other patterns."""
    if pattern is None or pattern == "iso":
        return _ISO_DATE.fullmatch
    found = _DATE_FIRST.fullmatch(pattern)
    if found is None or len({found[1], found[3], found[5]}) != 3:
        return None
    return re.compile(
        _FIXED[found[1]] + re.escape(found[2]) + _FIXED[found[3]] + re.escape(found[4]) + _FIXED[found[5]]
    ).fullmatch


def stamp(name: str, field: FieldMap, zone: ZoneInfo) -> Read:
    """The reader of one stamp field. ``zone``: of stamps without an offset."""
    if field.after is not None:
        return _after(name, field, zone)
    text = _Text(name, field, Zone(zone))
    columns = (field.from_,) if isinstance(field.from_, str) else tuple(field.from_ or ())
    first = _one(text, field, columns[0]) if len(columns) == 1 else _two(text, columns)
    return _first_of([first, *(_one(text, field, column) for column in field.fallback)]) if field.fallback else first


def _first_of(readers: list[Read]) -> Read:
    """The first column that holds a moment."""

    def read(row: Row, before: dict[str, int | None]) -> int | None:
        return next((at for reader in readers if (at := reader(row, before)) is not None), None)

    return read


def _one(text: _Text, field: FieldMap, column: str) -> Read:
    divide = {"epoch": 1, "epoch_ms": 1000}.get(field.format or "")
    days, clocks, local, offset, read_text = text.days.get, text.clocks.get, text.local.get, text.offset.get, text.read

    def read(row: Row, _: dict[str, int | None]) -> int | None:
        value = row.get(column)
        if type(value) is str:
            day, clock = days(value[:10]), clocks(value[10:16])
            if day is not None and clock is not None:
                after = local(value[16:])
                if after is not None:
                    return day[0] + clock + after
                after = offset(value[16:])
                if after is not None:
                    return day[1] + clock + after
            return read_text(value)
        if value is None:
            return None
        if isinstance(value, datetime):
            return None if _sentinel(value) else text.seconds(value)
        if isinstance(value, date):
            return None if _sentinel(value) else text.seconds(datetime.combine(value, time()))
        if divide and isinstance(value, int | float) and not isinstance(value, bool):
            return text.seconds(datetime.fromtimestamp(0, UTC) + timedelta(seconds=_amount(text.name, value) / divide))
        return read_text(str(value))

    return read


def _sentinel(value: date) -> bool:
    """What databases put for no date: the years 1 and 9999, and the first midnight of 1970."""
    if value.year in (1, 9999):
        return True
    return value.timetuple()[:6] == (1970, 1, 1, 0, 0, 0)


def _amount(name: str, value: float) -> float:
    if not abs(value) < 1e14:  # NaN too
        raise BadStamp(f"{name}: a year that cannot be right")
    return value


def _two(text: _Text, columns: tuple[str, ...]) -> Read:
    missing = text.missing

    def read(row: Row, _: dict[str, int | None]) -> int | None:
        parts = [row.get(column) for column in columns]
        if isinstance(parts[0], date) and len(parts) == 2 and isinstance(parts[1], time | timedelta):
            day = parts[0].date() if isinstance(parts[0], datetime) else parts[0]
            return text.seconds(datetime.combine(day, time()) + timedelta(seconds=seconds_of(parts[1])))
        texts = ["" if part is None else str(part).strip() for part in parts]
        if not texts[0] or any(part in missing for part in texts):
            return None
        return text.read(" ".join(filter(None, texts)))

    return read


def _after(name: str, field: FieldMap, zone: ZoneInfo) -> Read:
    """A stamp that follows another: minutes after it, or the next time the clock shows a given time."""
    base, column, missing = field.after or "", field.minutes or field.time or "", frozenset(field.missing)
    follow = _minutes_later if field.minutes else _next_time

    def read(row: Row, before: dict[str, int | None]) -> int | None:
        start = before.get(base)
        value = row.get(column)
        if start is None or value is None or str(value).strip() in missing or not str(value).strip():
            return None
        try:
            return follow(start, value, zone)
        except (ValueError, OverflowError) as err:
            raise BadStamp(f"{name}: not {'minutes' if field.minutes else 'a clock time'}") from err

    return read


def _minutes_later(start: int, value: Any, _: ZoneInfo) -> int:
    amount = float(str(value).strip().replace(",", "."))
    if not 0 <= amount <= 60 * 24 * 3660:
        raise ValueError("not a plausible number of minutes")
    return start + round(amount * 60)


def _next_time(start: int, value: Any, zone: ZoneInfo) -> int:
    midnight = datetime.fromtimestamp(start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    at = int((midnight + timedelta(seconds=seconds_of(value))).timestamp())
    return at if at >= start - 59 else at + DAY  # past midnight; the source's minutes have no seconds
