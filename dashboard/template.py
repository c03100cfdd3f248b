"""A workbook for an agency without a system: lists to choose from, dates that are checked, help; and the source that reads it.

What a cell may hold is said three times: by the list or check of the cell, by its hint, and by the mapping of the source,
which puts a row aside (``otherwise = "reject"``) whose cell holds something else; such a row comes back marked
(:mod:`collectors.returned`).
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import xlsxwriter

from dashboard.errors import ProductError
from dashboard.words import Say

if TYPE_CHECKING:
    from config.declarations import Agency, Regency

SHEET, HELP, EXAMPLES, LISTS = "Data", "Petunjuk", "Contoh", "Daftar"
ROWS = 5_000
FIRST_DAY = date(2010, 1, 1)
DATE_FORMAT = "dd/mm/yyyy hh:mm"
STATUSES = {"open": "open", "completed": "completed", "cancelled": "cancelled"}
CHANNELS = ("counter", "online", "phone", "message", "post", "field")
LONGEST_TITLE, LONGEST_HINT = 32, 255


@dataclass(frozen=True)
class Column:
    """One column of the sheet: the field it feeds, its heading and hint, and what may be chosen (label → code)."""

    field: str
    heading: str
    hint: str
    choices: dict[str, str] | None = None
    needed: bool = False
    stamp: bool = False


def columns(regency: Regency, agency: Agency, say: Say) -> list[Column]:
    """The columns of an agency's sheet. Raises ``ProductError`` for an agency that declares no service."""
    if not agency.services:
        raise ProductError(
            f"agencies/{agency.id}.toml: template: no service is declared, so nothing can be chosen; add [services.NAME]",
            f"agencies/{agency.id}.toml: template: belum ada layanan, jadi tidak ada yang dapat dipilih; tambahkan [services.NAMA]",
        )
    kinds = {service.kind for service in agency.services.values()}
    services: dict[str, str] = {}
    for slug, service in agency.services.items():
        label = say.name(service.name)
        services[label if label not in services else f"{label} ({slug})"] = slug
    statuses = {say(f"template.statuses.{key}"): meaning for key, meaning in STATUSES.items()}
    channels = {say(f"template.channels.{name}"): name for name in CHANNELS}
    districts = {district.name: code for code, district in sorted(regency.districts.items(), key=lambda item: item[1].name)}

    def column(field: str, words: str = "", **more: Any) -> Column:
        key = f"template.columns.{words or field}"
        return Column(field, say(f"{key}.heading"), say(f"{key}.hint"), **more)

    found = [
        column("case_id", needed=True),
        column("service", choices=services, needed=True),
        column("submitted_at", needed=True, stamp=True),
    ]
    if kinds & {"complaint", "visit"}:
        found.append(column("accepted_at", "verified_at" if "complaint" in kinds else "called_at", stamp=True))
    if "complaint" in kinds:
        found.append(column("first_response_at", stamp=True))
    found += [
        column("status", choices=statuses, needed=True), column("ended_at", stamp=True), column("channel", choices=channels),
    ]
    return [*found, column("district", choices=districts)] if districts else found


def source_of(regency: Regency, agency: Agency) -> str:
    """The declaration (TOML) of the source that reads filled workbooks from the drop folder ``<agency>``."""
    say = Say(regency, "id")
    lines = [
        "[[sources]]", f'id = "{agency.id}-berkas"', f'owner = "{agency.id}"', 'connector = "tabular"',
        f'kind = "{next(iter(agency.services.values())).kind if agency.services else "request"}"',
        'every = "15 minutes"', 'stale_after = "3 days"', f'timezone = "{regency.timezone}"', 'mode = "snapshot"', "",
        "[sources.options]", f'path = "{agency.id}"', 'format = "xlsx"', f'sheet = "{SHEET}"', "returns = true", "",
        "[sources.fields]",
    ]
    for column in columns(regency, agency, say):
        heading = json.dumps(column.heading, ensure_ascii=False)
        if column.choices is None:
            lines.append(f"{column.field} = {heading}" if not column.stamp else
                         f'{column.field} = {{ from = {heading}, format = "%d/%m/%Y %H:%M" }}')
            continue
        empty = {} if column.needed else {"": "counter" if column.field == "channel" else ""}
        pairs = ", ".join(f"{json.dumps(label, ensure_ascii=False)} = {json.dumps(code, ensure_ascii=False)}"
                          for label, code in {**empty, **column.choices}.items())
        lines.append(f'{column.field} = {{ from = {heading}, map = {{ {pairs} }}, otherwise = "reject" }}')
    return "\n".join(lines) + "\n"


def workbook(regency: Regency, agency: Agency) -> bytes:
    """The workbook to fill in, in Indonesian. Raises ``ProductError`` for an agency that declares no service."""
    say = Say(regency, "id")
    wanted = columns(regency, agency, say)
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory, {"in_memory": True}) as book:
        _Sheets(book, wanted, say, agency).write()
    return memory.getvalue()


class _Sheets:
    """The sheets of one workbook: data, help, examples, and the lists behind the choices."""

    def __init__(self, book: Any, wanted: list[Column], say: Say, agency: Agency) -> None:
        self.book, self.columns, self.say, self.agency = book, wanted, say, agency
        self.needed = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True, "valign": "top"})
        self.optional = book.add_format({"bg_color": "#F2F2F2", "border": 1, "text_wrap": True, "valign": "top"})
        self.stamp = book.add_format({"num_format": DATE_FORMAT})
        self.text = book.add_format({"num_format": "@"})
        self.example = book.add_format({"italic": True, "font_color": "#808080", "bg_color": "#FFF9E5"})
        self.loud = book.add_format({"bold": True, "font_color": "#9C5700", "bg_color": "#FFEB9C"})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.bold = book.add_format({"bold": True, "valign": "top", "text_wrap": True})

    def write(self) -> None:
        """All four sheets; the one to fill in comes first."""
        data, help_, examples, lists = (self.book.add_worksheet(name) for name in (SHEET, HELP, EXAMPLES, LISTS))
        ranges = self._lists(lists)
        self._data(data, ranges)
        self._help(help_)
        self._examples(examples)
        lists.hide()
        data.activate()

    def _lists(self, sheet: Any) -> dict[str, str]:
        """The choices, a column each; field → the range that a cell's list names."""
        ranges = {}
        for place, column in enumerate(column for column in self.columns if column.choices):
            labels = list(column.choices or ())
            sheet.write_column(0, place, labels)
            letter = chr(ord("A") + place)
            ranges[column.field] = f"={LISTS}!${letter}$1:${letter}${len(labels)}"
        return ranges

    def _headings(self, sheet: Any, row: int) -> None:
        for place, column in enumerate(self.columns):
            sheet.write_string(row, place, column.heading, self.needed if column.needed else self.optional)
            sheet.set_column(place, place, 18 if column.stamp else 26 if column.choices else 16,
                             self.stamp if column.stamp else self.text if column.field == "case_id" else None)
        sheet.set_row(row, 32)

    def _data(self, sheet: Any, ranges: dict[str, str]) -> None:
        self._headings(sheet, 0)
        sheet.freeze_panes(1, 1)
        submitted = next(place for place, column in enumerate(self.columns) if column.field == "submitted_at")
        for place, column in enumerate(self.columns):
            rule: dict[str, Any] = {
                "input_title": column.heading[:LONGEST_TITLE], "input_message": column.hint[:LONGEST_HINT],
                "error_title": self.say("template.refused")[:LONGEST_TITLE], "error_message": column.hint[:LONGEST_HINT],
            }
            if column.choices:
                rule |= {"validate": "list", "source": ranges[column.field]}
            elif column.field == "submitted_at":
                rule |= {"validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": "=NOW()+1"}
            elif column.stamp:
                start = f"=${chr(ord('A') + submitted)}2"
                rule |= {"validate": "date", "criteria": "between", "minimum": start, "maximum": "=NOW()+1"}
            else:
                rule |= {"validate": "length", "criteria": "between", "minimum": 1, "maximum": 64}
            sheet.data_validation(1, place, ROWS, place, rule)

    def _help(self, sheet: Any) -> None:
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, self.say("template.title", agency=self.say.name(self.agency.name)), self.title)
        row = 2
        for number in range(1, 8):
            sheet.write_string(row, 0, f"{number}.", self.wrapped)
            sheet.write_string(row, 1, self.say(f"template.steps.s{number}", folder=self.agency.id), self.wrapped)
            row += 1
        row += 1
        for column in self.columns:
            heading = column.heading + (f" ({self.say('template.needed')})" if column.needed else "")
            sheet.write_string(row, 0, heading, self.bold)
            choices = f" {self.say('template.choices', choices='; '.join(column.choices))}" if column.choices else ""
            sheet.write_string(row, 1, column.hint + choices, self.wrapped)
            row += 1

    def _examples(self, sheet: Any) -> None:
        """Rows as they should look, on a sheet of their own: only the sheet ``Data`` is read."""
        sheet.write_string(0, 0, self.say("template.examples"), self.loud)
        self._headings(sheet, 1)
        services = list(next(column.choices for column in self.columns if column.field == "service") or ())
        statuses = list(next(column.choices for column in self.columns if column.field == "status") or ())
        told = [
            {"case_id": "CONTOH-001", "submitted_at": "02/03/2026 08:15", "accepted_at": "02/03/2026 09:00",
             "first_response_at": "02/03/2026 10:00", "ended_at": "03/03/2026 10:30", "status": statuses[1]},
            {"case_id": "CONTOH-002", "submitted_at": "02/03/2026 09:40", "status": statuses[0]},
            {"case_id": "CONTOH-003", "submitted_at": "03/03/2026 13:05", "ended_at": "04/03/2026 08:00", "status": statuses[2]},
        ]
        for number, values in enumerate(told):
            values["service"] = services[number % len(services)]
            for place, column in enumerate(self.columns):
                default = list(column.choices)[number % len(column.choices)] if column.choices else ""
                sheet.write_string(number + 2, place, values.get(column.field, default), self.example)
