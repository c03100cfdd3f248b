"""From a sample to a proposed declaration: which column is what, what its codes mean, and what has to be asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collectors.columns import Column, columns_of_sample
from collectors.sample import Sample
from dashboard.cases import OUTSIDE_DISTRICT, UNKNOWN_DISTRICT
from dashboard.derive import CANCELLED, COMPLETED, OPEN, Districts

if TYPE_CHECKING:
    from config.declarations import Regency

Note = tuple[str, dict[str, Any]]
ROLES = {  # the better pattern comes first
    "updated_at": (r"updat|modif|diubah|perubahan|last_change",),
    "first_response_at": (r"respon|tanggap|jawab",),
    "accepted_at": (r"verif|disposisi|panggil|called|accepted|diteruskan|forward",),
    "ended_at": (
        r"selesai|closed|complet|resolved|finish|tutup|(^|_)end(ed)?(_|$)|berakhir", r"terbit|issued|penetapan|diambil|pulang",
    ),
    "submitted_at": (
        r"submit|ajuan|permohonan|applied|request|created|dibuat",
        r"masuk|receiv|terima|lapor|daftar|regis|(^|_)reg(_|$)|opened|informasi",
        r"^(tanggal|tgl|date|waktu)$", r"tanggal|tgl|date|waktu|time|jam",
    ),
}
CODES = {
    "status": (r"^status$|(^|_)(status|state)", r"status|state|keadaan|tahap"),
    "service": (
        r"layanan|(^|_)service", r"kategori|category", r"jenis|izin|request_?type|permit_?type",
        r"type|topik|topic|poli|class|kelompok",
    ),
    "channel": (r"kanal|channel", r"source|sumber|media|(^|_)via(_|$)|asal"),
    "agency": (r"(^|_)(opd|skpd|instansi|agency|dinas|owner|perangkat_daerah|department)(_|$)",),
    "district": (r"kecamatan|(^|_)kec(_|$)|district", r"desa|kelurahan|village|wilayah"),
}
IDS = (
    r"^id$|(ticket|tiket|case|booking|request)_?(id|no|number|code)?$|"
    r"(nomor|no|kode|num|number|id)_(permohonan|reg|regis|ajuan|pengajuan|laporan|aduan|tiket|berkas|antrian|antrean|pendaftaran|rawat)|unique_?key|uuid|srnumber|sr_number|permitnum",
    r"(^|_)(id|nomor|number|num|key|kode)$", r"^(no|id|nomor)(_|$)",
)
MEANINGS = {
    "status": (
        (OPEN, r"belum|tidak selesai|not |un(re|so)|proses|progress|pending|open|menunggu|waiting|antri|baru|\bnew\b|masuk|receiv|"
               r"assigned|"
               r"review|hold|verifi|disposisi|teruskan|refer|ditunda"),
        (CANCELLED, r"batal|cancel|tolak|reject|refus|withdraw|expired|kedaluwarsa|gugur|duplica|duplikat|dicabut|void|spam"),
        (COMPLETED, r"selesai|closed|complet|done|resolved|terbit|issued|finish|diambil|terlayani|tutup|disetujui|approved|"
                    r"dilayani|final"),
    ),
    "channel": (
        ("phone", r"phone|telp|telepon|\bcall|hotline|\b112\b"),
        ("message", r"whats|\bwa\b|sms|chat|e-?mail|voicemail|surel|twitter|facebook|instagram|pesan"),
        ("counter", r"loket|counter|walk|langsung|tatap|offline|kantor|mpp|onsite"),
        ("field", r"lapangan|field|petugas|driver|inspe|patrol|crew"),
        ("post", r"surat|letter|\bpost\b|\bmail\b"), ("system", r"system|sistem|sensor|integrat|\bapi\b|internal|radio"),
        ("online", r"web|online|daring|\bapp|mobile|portal|self|android|ios|aplikasi|internet|lapor"),
    ),
}
COMPLAINT = re.compile(r"adu|keluh|lapor|complaint|311|pengadu|bencana")
VISIT = re.compile(r"antre|antri|queue|kunjung|visit|loket")
MOST_SERVICES = 40


@dataclass
class Proposal:
    """What is proposed: ``fields`` of the source, its ``outcome`` and ``kind``, the agency's services (slug → name), what is left
    out and why, and what an administrator must know (keys of the words ``onboarding.notes``).
    """

    fields: dict[str, Any] = field(default_factory=dict)
    outcome: str = "status"
    kind: str = "request"
    services: dict[str, str] = field(default_factory=dict)
    personal: list[tuple[str, str]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def propose(sample: Sample, regency: Regency, known_services: dict[str, str] | None = None) -> Proposal:
    """A declaration for a sample. ``known_services``: slug → name of an agency that is declared already.

    Without a column of submission times ``fields`` lacks ``submitted_at``: the sample holds no cases that could be timed.
    """
    columns = columns_of_sample(sample.columns, sample.rows)
    made = Proposal(personal=[(column.name, column.personal) for column in columns if column.personal], notes=list(sample.notes))
    free = [column for column in columns if not column.personal and column.filled]
    taken: dict[str, Column] = {}
    _stamps(free, made, taken)
    for name in CODES:
        column = _best([column for column in free if column not in taken.values() and _is_code(column, name)], CODES[name])
        if column is not None:
            _code(name, column, made, taken, regency, known_services or {})
    _identity(free, made, taken)
    made.kind = _kind(sample, columns)
    used = {part for value in made.fields.values() for part in _columns_in(value)}
    made.unused = [column.name for column in columns if not column.personal and column.name not in used]
    order = ("case_id", "agency", "service", "submitted_at", "accepted_at", "first_response_at", "ended_at", "status", "channel",
             "district", "updated_at")
    made.fields = {name: made.fields[name] for name in order if name in made.fields}
    _outcome(sample, made, taken)
    return made


def _columns_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    found = value.get("from", [])
    return [*([found] if isinstance(found, str) else found), *(value[key] for key in ("time", "minutes") if key in value)]


def _best(columns: Sequence[Column], patterns: Sequence[str]) -> Column | None:
    """The column whose name fits the earliest pattern; of several, the fullest one."""
    for pattern in patterns:
        found = [column for column in columns if re.search(pattern, column.key)]
        if found:
            return max(found, key=lambda column: (column.filled, -len(column.name)))
    return None


def _stamps(free: Sequence[Column], made: Proposal, taken: dict[str, Column]) -> None:
    stamps = [column for column in free if column.stamp]
    clocks = [column for column in free if column.clock]
    for role in ("updated_at", "ended_at", "first_response_at", "accepted_at", "submitted_at"):
        left = [column for column in stamps if column not in taken.values()]
        enough = [column for column in left if column.filled >= 0.5 * column.total] if role == "submitted_at" else left
        column = _best(enough, ROLES[role]) or (enough[0] if role == "submitted_at" and enough else None)
        if column is None:
            continue
        taken[role] = column
        others = [other.name for other in left if other is not column and any(re.search(p, other.key) for p in ROLES[role])]
        if role == "ended_at" and others:
            made.notes.append(("also_ended", {"column": column.name, "others": ", ".join(others)}))
    for role, column in taken.items():
        made.fields[role] = _stamp_field(column, role, made)
    if "submitted_at" in taken and taken["submitted_at"].stamp and taken["submitted_at"].stamp.dates_only and clocks:
        _clock(taken["submitted_at"], clocks, made)
    _zone_question(taken, made)


def _stamp_field(column: Column, role: str, made: Proposal) -> Any:
    stamp = column.stamp
    assert stamp is not None
    value: dict[str, Any] = {"from": column.name}
    if stamp.format is not None:
        value["format"] = stamp.format
    odd = [text for text in column.sentinels if text and not text.startswith("00")]
    if odd:
        value["missing"] = ["", *odd]
    if stamp.other:
        made.notes.append(("day_first", {"column": column.name, "format": stamp.format, "other": stamp.other}))
    if column.natives and len(column.natives) < column.filled:
        made.notes.append(("mixed_dates", {"column": column.name, "texts": column.filled - len(column.natives)}))
    if stamp.dates_only and role == "submitted_at":
        made.notes.append(("dates_only", {"column": column.name}))
    return value if len(value) > 1 else column.name


def _clock(submitted: Column, clocks: list[Column], made: Proposal) -> None:
    """A time of day in a column of its own belongs to the date; one named after a response or an end follows it."""
    stamp = submitted.stamp
    assert stamp is not None
    named = {role: _best(clocks, ROLES[role]) for role in ("first_response_at", "ended_at")}
    rest = [column for column in clocks if column not in named.values()]
    start = _best(rest, ROLES["submitted_at"]) or (rest[0] if rest else None)
    if start is not None:
        native = bool(start.natives and submitted.natives)
        form = {} if native else {"format": (f"{stamp.format} " if stamp.format != "iso" else "%Y-%m-%d ") + _clock_format(start)}
        made.fields["submitted_at"] = {"from": [submitted.name, start.name], **form}
        made.notes.append(("two_columns", {"date": submitted.name, "time": start.name}))
        made.notes = [note for note in made.notes if note[0] != "dates_only"]
    for role, column in named.items():
        if column is not None and role not in made.fields:
            made.fields[role] = {"after": "submitted_at", "time": column.name}


def _clock_format(column: Column) -> str:
    return "%H:%M:%S" if column.texts and column.texts[0].count(":") == 2 else "%H:%M"


def _zone_question(taken: dict[str, Column], made: Proposal) -> None:
    offsets = sorted({offset for column in taken.values() if column.stamp for offset in column.stamp.offsets})
    if offsets:
        made.notes.append(("offsets", {"offsets": ", ".join(offsets)}))
    elif taken:
        made.notes.append(("zone", {}))


def _is_code(column: Column, name: str) -> bool:
    if column.stamp or column.clock or not column.distinct:
        return False
    most = {"status": 40, "channel": 40, "agency": 200, "service": 300, "district": 500}[name]
    return column.distinct <= most and (column.filled < 20 or column.distinct <= 0.5 * column.filled)


def _code(
    name: str, column: Column, made: Proposal, taken: dict[str, Column], regency: Regency, known: dict[str, str]
) -> None:
    values = [value for value, _ in Counter(column.texts).most_common()]
    if name in MEANINGS:
        meant = {value: meaning for value in values if (meaning := _meaning(name, value))}
        unknown = [value for value in values if value not in meant]
        if name == "status":
            meant |= dict.fromkeys(unknown, OPEN)
        if unknown:
            made.notes.append((f"{name}_unknown", {"column": column.name, "values": ", ".join(unknown[:12])}))
        made.fields[name] = {"from": column.name, "map": meant, "otherwise": OPEN if name == "status" else "counter"}
    elif name == "agency":
        made.notes.append(("shared", {"column": column.name, "values": column.distinct}))
        return  # whose system it is decides a person
    elif name == "district":
        if not _district(column, values, made, regency):
            return
    else:
        _service(column, values, made, known)
    taken[name] = column


def _meaning(name: str, value: str) -> str | None:
    return next((meaning for meaning, pattern in MEANINGS[name] if re.search(pattern, value.casefold().replace("_", " "))), None)


def _service(column: Column, values: list[str], made: Proposal, known: dict[str, str]) -> None:
    """Each value a service of the agency: one that is declared already, or a new one; many values are discovered."""
    field_: dict[str, Any] = {"from": column.name, "otherwise": "discover"}
    if len(values) <= MOST_SERVICES:
        slugs: dict[str, str] = {}
        for value in values:
            slug = next((slug for slug, label in known.items() if value.casefold() in (slug, label.casefold())), None)
            if slug is None and not known:
                slug = _slug(value, set(slugs.values()))
                made.services[slug] = value
            if slug is not None:
                slugs[value] = slug
        if slugs:
            field_ = {"from": column.name, "map": slugs, "otherwise": "discover"}
    left = len(values) - len(field_.get("map", {}))
    if left:
        made.notes.append(("discovered", {"column": column.name, "values": left}))
    made.fields["service"] = field_


def _slug(text: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:40].strip("-") or "layanan"
    number = 2
    whole = slug
    while whole in taken:
        whole, number = f"{slug}-{number}", number + 1
    return whole


def _district(column: Column, values: list[str], made: Proposal, regency: Regency) -> bool:
    if not regency.districts:
        made.fields["district"] = {"from": column.name}
        return True
    districts = Districts(regency)
    ours = [value for value in values if districts.find(value) not in (UNKNOWN_DISTRICT, OUTSIDE_DISTRICT)]
    if len(ours) < 0.5 * len(values):
        made.notes.append(("district_unknown", {"column": column.name, "known": len(ours), "values": len(values)}))
        return False
    villages = sum(len(re.sub(r"\D", "", value)) == 10 for value in values) > 0.5 * len(values)
    made.fields["district"] = {"from": column.name, "level": "village" if villages else "district"}
    return True


def _identity(free: Sequence[Column], made: Proposal, taken: dict[str, Column]) -> None:
    """The source's own id: a column that is full and different in each row, by its name if possible; else some together."""
    left = [column for column in free if column not in taken.values() and not column.stamp and not column.clock]
    unique = [column for column in left if column.filled == column.total and column.distinct == column.total]
    column = _best(unique, IDS) or (unique[0] if unique else None)
    if column is not None:
        made.fields["case_id"] = column.name
        if column.texts == [str(number) for number in range(1, column.total + 1)]:
            made.notes.append(("row_number", {"column": column.name}))
        return
    column = _best([column for column in left if column.filled > 0.9 * column.total], IDS[:1])
    if column is not None:
        made.fields["case_id"] = column.name
        made.notes.append(("id_repeats", {"column": column.name, "times": column.total - column.distinct}))
        return
    parts = [name for role in ("submitted_at", "service", "channel", "district") if role in made.fields
             for name in _columns_in(made.fields[role])]
    if parts:
        made.fields["case_id"] = parts[0] if len(parts) == 1 else {"from": parts}
        made.notes.append(("no_id", {"columns": ", ".join(parts)}))


def _kind(sample: Sample, columns: Sequence[Column]) -> str:
    names = " ".join([sample.where.casefold(), *(column.key for column in columns)])
    return "complaint" if COMPLAINT.search(names) else "visit" if VISIT.search(names) else "request"


def _outcome(sample: Sample, made: Proposal, taken: dict[str, Column]) -> None:
    """Whether the status or the end date decides; and whether anything says that a case ends."""
    if "ended_at" not in made.fields and "status" not in made.fields:
        made.notes.append(("no_end", {}))
    if "status" not in taken or "ended_at" not in taken:
        return
    status, ended = taken["status"], taken["ended_at"]
    meant = made.fields["status"]["map"]
    dated = [row for row in sample.rows if row.get(ended.name) not in (None, *ended.sentinels, "")]
    still = sum(meant.get(str(row.get(status.name) or "").strip(), OPEN) == OPEN for row in dated)
    if dated and still > 0.2 * len(dated):
        made.outcome = "dates"
        made.notes.append(("by_dates", {"rows": still, "column": ended.name}))
