"""From a sighting to a case: raw codes to meanings, standards to due times. The hot path of every collection.

Kept apart from reading so that ``recompute`` derives stored cases again under other declarations, from their raw codes.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from config.declarations import FieldMap, StandardUnit
from dashboard.cases import (
    BLANK,
    CHANNELS,
    NO_DISTRICT,
    OUTSIDE_DISTRICT,
    UNKNOWN_DISTRICT,
    Case,
    Codes,
    EndedAs,
    Flags,
    Kind,
    Sighting,
    codes_with_end,
)
from dashboard.clock import DAY, day_start, local_day
from dashboard.worktime import Calendar, calendar_of

if TYPE_CHECKING:
    from config.declarations import Regency, Source, Standard

DISCOVER = "discover"
REJECT = "reject"
"""``otherwise`` of a field whose unmapped values put their row aside; a blank one too, unless ``map`` names "" """
COMPLAINT, VISIT = Kind.COMPLAINT.value, Kind.VISIT.value
COMPLETED, CANCELLED, OPEN = EndedAs.COMPLETED.value, EndedAs.CANCELLED.value, "open"
STATUSES = (COMPLETED, CANCELLED, OPEN)
DISTRICT_DIGITS, VILLAGE_DIGITS = 6, 10
SLOT = 900
"""Seconds that lie within one local day: every offset in use is a multiple of it."""
_CACHE_LIMIT = 200_000
_UNIT_SECONDS = {"minutes": 60, "hours": 3600, "days": DAY, "working minutes": 60, "working hours": 3600}


def coded(field: FieldMap | None, code: str | None, default: str) -> tuple[str, bool]:
    """What a raw code means by its field's map, and whether the map (or a fixed value) knew it.

    ``otherwise = "discover"`` makes the value its own key and a blank one "(kosong)".
    """
    if field is None:
        return default, True
    if field.value is not None:
        return field.value, True
    text = (code or "").strip()
    if field.map is not None and text in field.map:
        return field.map[text], True
    if field.otherwise == DISCOVER:
        return text or BLANK, True
    if field.otherwise == REJECT:  # of a case that was stored when the map still knew its code
        return text or default, False
    if field.map is None and field.otherwise is None:
        return text or default, bool(text)
    return field.otherwise if field.otherwise is not None else default, False


def standard_value(unit: StandardUnit, elapsed: int, worked: int, calendar: Calendar) -> float:
    """A duration in the unit of a standard. A working day counts as the calendar's mean open hours (7.5 h in an office)."""
    if unit is StandardUnit.WORKING_DAYS:
        return worked / calendar.working_day_seconds
    return (worked if unit.value.startswith("working") else elapsed) / _UNIT_SECONDS[unit.value]


class Districts:
    """From what a source says of a place to the Kemendagri code of its kecamatan: codes, BPS codes, names, spellings.

    Case, spaces, dots and hyphens do not matter. By their length: 6 digits are a Kemendagri kecamatan, 7 a BPS one, 10 a
    village of either. A village's Kemendagri code goes on with 1 (kelurahan) or 2 (desa) after the kecamatan's six digits,
    which decides between the two (73.22.03.2001 against BPS 7322030001); the few BPS codes that look alike need a ``map``.
    """

    def __init__(self, regency: Regency) -> None:
        self.named: dict[str, str] = {}
        self.by_code: dict[str, str] = {}
        self.ours = {regency.code.replace(".", "")} - {""}
        for code, district in regency.districts.items():
            for spelling in (district.name, *district.spellings):
                self.named[self._plain(spelling)] = code
            self.by_code[code.replace(".", "")] = code
            if district.bps:
                self.by_code[district.bps] = code
                self.ours.add(district.bps[:4])

    @staticmethod
    def _plain(text: str) -> str:
        letters = "".join(letter for letter in text.casefold() if letter.isalnum())
        return letters.removeprefix("kecamatan").removeprefix("kec")

    def find(self, text: str) -> str:
        """The code; "?" for an unknown one, "outside" for another regency's, "" for none given."""
        plain = self._plain(text)
        if not plain:
            return NO_DISTRICT
        if not (plain.isascii() and plain.isdigit()):
            return self.named.get(plain, UNKNOWN_DISTRICT)
        if len(plain) == VILLAGE_DIGITS:
            found = self.by_code.get(plain[:6]) if plain[6] in "12" else None
            found = found or self.by_code.get(plain[:7])
        else:
            found = self.by_code.get(plain)
        if found is not None:
            return found
        elsewhere = self.ours and len(plain) >= DISTRICT_DIGITS and plain[:4] not in self.ours
        return OUTSIDE_DISTRICT if elsewhere else UNKNOWN_DISTRICT


class _Terms:
    """What holds for one (agency, service, judged at all) on one day of submission: the standard, its calendar."""

    __slots__ = ("due", "promise", "worked")

    def __init__(self, calendar: Calendar, standard: Standard | None, day: date) -> None:
        self.promise = standard.promise if standard else None
        self.due = calendar.promise_on(day, standard) if standard else None
        self.worked = calendar.worked_seconds


_Meaning = tuple[str, str, str, str, str, str, str | None, str | None, bool, int, str, dict[int, _Terms]]
"""Of codes: agency, service, kind, channel, district, status, class, closed_by, judged, flags, the codes' text; terms by slot."""


class Deriver:
    """Derives the cases of one source under one regency's declarations. Caches by code and by day."""

    def __init__(self, regency: Regency, source: Source) -> None:
        self.regency, self.source = regency, source
        self.fields = source.fields
        self.zone = regency.zone
        self.districts = Districts(regency)
        self.by_dates = source.outcome == "dates"
        self._meanings: dict[Codes, _Meaning] = {}
        self._terms: dict[tuple[str, str, bool], dict[int, _Terms]] = {}

    def derive(self, seen: Sighting) -> Case:
        """The case as the declarations have it."""
        meaning = self._meanings.get(seen.codes)
        if meaning is None:
            meaning = self._meant(seen.codes)
        agency, service, kind, channel, district, status, class_, closed_by, judged, flags, text, by_slot = meaning
        submitted, ended = seen.submitted_at, seen.ended_at
        ended_as = self._ended_as(status, ended)
        if ended_as is None and ended is not None:
            text, ended = codes_with_end(text, ended), None
        elif ended_as is not None and ended is None:
            flags |= Flags.ENDED_WITHOUT_DATE
        terms = by_slot.get(submitted // SLOT)
        if terms is None:
            terms = self._terms_at(submitted, agency, service, judged, by_slot)
        due = terms.due(submitted) if terms.due is not None else None
        elapsed = worked = on_time = None
        if ended is not None:
            if ended < submitted:
                flags |= Flags.ENDED_BEFORE_SUBMITTED
            else:
                elapsed = ended - submitted
                worked = terms.worked(submitted, ended)
            if due is not None and ended_as == COMPLETED and kind != VISIT:
                on_time = ended <= due
        if kind == VISIT and due is not None and seen.accepted_at is not None:  # its standard is the wait until it is called
            on_time = seen.accepted_at <= due
        return Case(
            seen.key, agency, service, kind, channel, district, submitted, seen.accepted_at, seen.first_response_at, ended,
            ended_as, closed_by, class_, terms.promise, due, elapsed, worked, on_time, int(flags), text,
        )

    def _ended_as(self, status: str, ended: int | None) -> str | None:
        """``outcome = "dates"``: an end date completes whatever the status; a status may end a case without a date.

        ``outcome = "status"``: the status decides; where no status is mapped an end date completes. An end date beside an
        open status does not end a case (reopened ones keep the old date in most systems), but stays in its codes.
        """
        if self.by_dates:
            if ended is not None:
                return COMPLETED
            return status if status in (COMPLETED, CANCELLED) else None
        if "status" not in self.fields:
            return COMPLETED if ended is not None else None
        return status if status != OPEN else None

    def _meant(self, codes: Codes) -> _Meaning:
        if len(self._meanings) > _CACHE_LIMIT:
            self._meanings.clear()
        mean = self._mean(codes)
        by_slot = self._terms.setdefault((mean[0], mean[1], mean[8]), {})
        found = self._meanings[codes] = (*mean, codes.dumps(), by_slot)
        return found

    def _mean(self, codes: Codes) -> tuple[str, str, str, str, str, str, str | None, str | None, bool, int]:
        fields, flags = self.fields, 0
        agency, _ = coded(fields.get("agency"), codes.agency, self.source.owner)
        service, _ = coded(fields.get("service"), codes.service, BLANK)
        declared = self.regency.agencies.get(agency)
        known = declared.services.get(service) if declared else None
        status, mapped = coded(fields.get("status"), codes.status, OPEN)
        if status not in STATUSES:
            status, mapped = OPEN, False
        flags |= Flags.STATUS_UNMAPPED if codes.status and not mapped else 0
        channel, mapped = coded(fields.get("channel"), codes.channel, "counter")
        if channel not in CHANNELS:
            channel, mapped = "system", False
        flags |= Flags.CHANNEL_UNMAPPED if codes.channel and not mapped else 0
        district = self.district(codes.district)
        flags |= {UNKNOWN_DISTRICT: Flags.DISTRICT_UNKNOWN, OUTSIDE_DISTRICT: Flags.DISTRICT_OUTSIDE}.get(district, 0)
        class_ = coded(fields["class"], codes.class_, "")[0] if "class" in fields else known.class_ if known else None
        closed_by = coded(fields.get("closed_by"), codes.closed_by, "")[0] or None
        kind = known.kind if known else self.source.kind
        # A complaint's limit depends on its class; where the source says it, only the 3-day clock runs until it is known.
        judged = bool(class_) or kind != COMPLAINT or "class" not in fields
        return agency, service, kind, channel, district, status, class_ or None, closed_by, judged, int(flags)

    def district(self, code: str | None) -> str:
        """The district of a raw place; a regency without declared districts, or "discover", takes it as it is."""
        field = self.fields.get("district")
        if field is None:
            return NO_DISTRICT
        if field.otherwise == DISCOVER or not self.regency.districts:
            return (code or "").strip() or BLANK
        if field.value is not None or field.map is not None:
            text, mapped = coded(field, code, NO_DISTRICT)
            return text if mapped else self.districts.find(code or "")
        return self.districts.find(code or "")

    def _terms_at(self, submitted: int, agency: str, service: str, judged: bool, by_slot: dict[int, _Terms]) -> _Terms:
        day = local_day(submitted, self.zone)
        first = day_start(day, self.zone) // SLOT
        known = by_slot.get(first)
        if known is None:
            if len(by_slot) > _CACHE_LIMIT:
                by_slot.clear()
            declared = self.regency.agencies.get(agency)
            offered = declared.services.get(service) if declared else None
            standard = offered.standard_on(day) if offered and judged else None
            known = by_slot[first] = _Terms(calendar_of(self.regency, agency, service), standard, day)
        by_slot[submitted // SLOT] = known
        return known
