"""What the columns of a sample hold: stamps and their format, codes, clock times, and persons, who are left out by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from collectors.stamps import parser
from collectors.texts import clean, seconds_of, without_persons

MISSING = frozenset(("", "-", "--", "null", "NULL", "Null", "None", "N/A", "n/a", "NaN", "nan", "#N/A", "0", "0000-00-00",
                     "0000-00-00 00:00:00", "00/00/0000"))
LOOKED_AT = 2_000
FITS = 0.95
FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M", "%d-%m-%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H.%M", "%d-%m-%Y %H.%M", "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M", "%Y/%m/%d", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m-%d-%Y", "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p", "%d %B %Y %H:%M:%S", "%d %B %Y %H:%M", "%d %B %Y",
    "%d %b %Y %H:%M", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%m/%y %H:%M", "%d/%m/%y", "%m/%d/%y",
    "%d/%m/%Y %H:%M WITA", "%d/%m/%Y %H:%M:%S WITA", "%d %B %Y %H:%M WITA", "%d/%m/%Y %H.%M WITA",
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_DATED = re.compile(r"tgl|tanggal|date|time|waktu|stamp|_at$|created|closed|masuk|selesai")
_PERSON_WORDS = re.compile(r"^(?:[A-Z][\w'.]*|bin|binti|al)(?:,? (?:[A-Z][\w'.]*|bin|binti|al)){1,4}$")
_OF_A_THING = re.compile(r"layanan|jenis|izin|proses|opd|skpd|instansi|kecamatan|desa|kelurahan|kanal|status|kategori|produk|"
                         r"unit|dinas|poli|loket|agency|agencies|service|category|district|department|community|neighbou?rhood|file|type|nc_?name")
PERSONAL = (
    ("nik", re.compile(r"(^|_)(nik|no_?kk|no_?ktp|nomor_?(ktp|kk)|nkk|passport|paspor|npwp|bpjs|no_?peserta|noka|nip|ssn)(_|$)")),
    ("phone", re.compile(r"telp|telepon|phone|(^|_)(hp|no_?hp|wa|whatsapp|mobile_?no|kontak|contact)(_|$)")),
    ("email", re.compile(r"e_?mail|surel")),
    ("address", re.compile(r"alamat|address|jalan|street|(^|_)(rt|rw|rt_rw|zip_?code|kode_?pos|lat|lng|lon|long|latitude|longitude"
                           r"|koordinat|coordinates|geom|geometry|location|lokasi|point)(_|$)")),
    ("birth", re.compile(r"lahir|birth|(^|_)(dob|umur|usia|age|gender|jenis_kelamin|jk|sex|agama|religion|pekerjaan|occupation)"
                         r"(_|$)")),
    ("person", re.compile(r"(^|_)(nama|name|nm|pemohon|pelapor|pasien|pengadu|applicant|requester|reporter|citizen|full_?name"
                          r"|first_?name|last_?name|username|user|petugas|operator|ibu|ayah|wali|assign_?to|created_?by|updated_?by)(_|$)|^nama|nama$")),
    ("medical", re.compile(r"(^|_)(no_?rm|no_?rkm_?medis|rekam_?medis|diagnosa|diagnosis|icd)(_|$)")),
    ("image", re.compile(r"foto|photo|image|gambar|lampiran|attachment|media_?url|ttd|signature")),
)
_TEXT = re.compile(r"keterangan|uraian|isi(_|$)|deskripsi|description|pesan|catatan|komentar|comment|message|note|judul|subject|"
                   r"keluhan|aduan|laporan_?text|descriptor|alasan|reason|notes")


@dataclass
class Stamp:
    """The format of a column of stamps; ``None`` for native ones. ``other``: the format with day and month the other way round,
    when it fits every value as well. ``offsets``: those that the values state. ``dates_only``: no time of day.
    """

    format: str | None
    other: str | None = None
    offsets: tuple[str, ...] = ()
    dates_only: bool = False


@dataclass
class Column:
    """One column of a sample. ``personal``: why it is left out. ``clock``: it holds times of day or minutes like "7:05"."""

    name: str
    total: int
    texts: list[str]
    natives: list[Any] = field(default_factory=list)
    sentinels: tuple[str, ...] = ()
    stamp: Stamp | None = None
    clock: bool = False
    personal: str | None = None

    @property
    def filled(self) -> int:
        """Values that are there."""
        return len(self.texts)

    @property
    def distinct(self) -> int:
        """Different values."""
        return len(set(self.texts))

    @property
    def key(self) -> str:
        """The name in small letters with "_" between its words: "CreatedDate" → "created_date"."""
        split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^a-z0-9]+", "_", split.casefold()).strip("_")


def columns_of_sample(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[Column]:
    """Every column that can be mapped: named, and named once."""
    usable = [name for name in names if name and list(names).count(name) == 1]
    return [_looked_at(name, [row.get(name) for row in rows]) for name in usable]


def _looked_at(name: str, values: Sequence[Any]) -> Column:
    sentinels: set[str] = set()
    texts: list[str] = []
    natives: list[Any] = []
    for value in values:
        text = clean(value) or ""
        if text in MISSING and not (text == "0" and not isinstance(value, str)):
            sentinels.add(text)
            continue
        texts.append(text)
        if isinstance(value, datetime | date | time | timedelta):
            natives.append(value)
    column = Column(name, len(values), texts, natives, tuple(sorted(sentinels)))
    if texts:
        column.stamp = _stamp(column)
        column.clock = column.stamp is None and _clocks(column)
    column.personal = _personal(column)
    return column


def _clocks(column: Column) -> bool:
    few = [native for native in column.natives if isinstance(native, time | timedelta)]
    return len(few) == column.filled or _share(column.texts, lambda text: ":" in text and seconds_of(text) >= 0) >= FITS


def _share(texts: Sequence[str], fits: Callable[[str], Any]) -> float:
    """Of how many of the first texts a test is true; 0.0 as soon as too many failed."""
    looked = texts[:LOOKED_AT]
    wrong = 0
    for text in looked:
        try:
            wrong += not fits(text)
        except (ValueError, OverflowError, OSError):
            wrong += 1
        if wrong > (1 - FITS) * len(looked):
            return 0.0
    return 1 - wrong / len(looked)


def _stamp(column: Column) -> Stamp | None:
    moments = [native for native in column.natives if isinstance(native, date)]
    if moments and len(moments) == column.filled:
        return Stamp(None, dates_only=all(not isinstance(found, datetime) or found.time() == time() for found in moments))
    texts = column.texts
    if moments:  # native ones and text in one column: the format is for the text
        texts = [value for value in texts if not _ISO.match(value)] or texts
    epochs = _epoch(column, texts)
    if epochs is not None:
        return epochs
    if _share(texts, lambda value: _ISO.match(value) and datetime.fromisoformat(value)) >= FITS:
        offsets = {found[0] for value in texts[:LOOKED_AT] if len(value) > 10 and (found := _OFFSET.search(value[10:]))}
        return Stamp("iso", offsets=tuple(sorted(offsets)), dates_only=all(len(value) == 10 for value in texts))
    return _by_format(texts)


def _epoch(column: Column, texts: Sequence[str]) -> Stamp | None:
    for form, low, high in (("epoch", 9e8, 2.5e9), ("epoch_ms", 9e11, 2.5e12)):
        if _DATED.search(column.key) and _share(texts, lambda text, low=low, high=high: low < float(text) < high) >= FITS:  # type: ignore[misc]
            return Stamp(form)
    return None


def _by_format(texts: Sequence[str]) -> Stamp | None:
    shares = {form: share for form in FORMATS if (share := _share(texts, _plausible(form))) >= FITS}
    if not shares:
        return None
    best = max(shares.values())
    fitting = [form for form in FORMATS if shares.get(form) == best]
    form = fitting[0]  # day first comes first: so dates are written here
    turned = form.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")
    return Stamp(form, turned if turned in fitting and turned != form else None, dates_only="%H" not in form and "%I" not in form)


def _plausible(form: str) -> Callable[[str], bool]:
    parse = parser(form)
    return lambda text: 1990 <= parse(text).year <= 2100


def _personal(column: Column) -> str | None:
    """Why a column is left out; by its name first, then by what its values look like. Values are never told."""
    key, texts = column.key, column.texts[:LOOKED_AT]
    thing = _OF_A_THING.search(key) is not None
    counts = bool(texts) and all(text.isdecimal() and len(text) < 6 for text in texts)
    for reason, pattern in PERSONAL:
        if counts and reason == "person":
            continue
        if pattern.search(key) and not (reason == "person" and thing) and not (column.stamp and reason in ("person", "address")):
            return reason
    if not texts or column.stamp or column.clock:
        return None
    kinds = len(set(texts)) / len(texts)
    if _TEXT.search(key) and not (len(set(texts)) <= 20 and (kinds < 0.1 or not any(" " in text for text in texts))):
        return "text"
    seen = sum(without_persons(text) != text for text in texts)
    if seen and seen / len(texts) >= 0.005:
        return "values"
    words = sum(len(text.split()) for text in texts) / len(texts)
    if kinds >= 0.5 and words >= 5:
        return "text"
    if not thing and len(texts) >= 5 and kinds >= 0.6 and sum(bool(_PERSON_WORDS.match(text.title())) and not any(
            letter.isdigit() for letter in text) for text in texts) / len(texts) >= 0.6:
        return "names"
    return None
