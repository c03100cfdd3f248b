"""Declarations that read the shared real data: one agency, one source, from config alone."""

from __future__ import annotations

REGENCY = 'name = "Real data"\ntimezone = "UTC"\nlocale = "id_ID"\n'


def agency(short_name: str, source: str) -> str:
    """An agency file without declared services (they are discovered), with one source."""
    return (
        f'name = {{ id = "{short_name}", en = "{short_name}" }}\nshort_name = "{short_name}"\n\n[[sources]]\n{source}'
    )


SF311_FIELDS = """
[sources.fields]
case_id = "unique_key"
service = { from = "category", otherwise = "discover" }
submitted_at = { from = "created_date", format = "iso", offset = "ignore" }
ended_at = { from = "closed_date", format = "iso", offset = "ignore", missing = [""] }
status = { from = "status", map = { Closed = "completed" }, otherwise = "open" }
"""

CALGARY_FIELDS = """
[sources.fields]
case_id = "permitnum"
service = { from = "permitclassgroup", otherwise = "discover" }
submitted_at = { from = "applieddate", format = "iso", offset = "ignore" }
ended_at = { from = "issueddate", format = "iso", offset = "ignore", missing = [""] }
[sources.fields.status]
from = "statuscurrent"
map = { Cancelled = "cancelled", Refused = "cancelled", Expired = "cancelled", "File Closed" = "cancelled", Completed = "completed" }
otherwise = "open"
"""


LA311_FIELDS = """
[sources.fields]
case_id = "SRNumber"
agency = { from = "Owner", otherwise = "discover" }
service = { from = "RequestType", otherwise = "discover" }
submitted_at = { from = "CreatedDate", format = "%m/%d/%Y %I:%M:%S %p" }
ended_at = { from = "ClosedDate", format = "%m/%d/%Y %I:%M:%S %p", missing = [""] }
status = { from = "Status", map = { Closed = "completed", Cancelled = "cancelled" }, otherwise = "open" }
"""

JAKARTA_FIELDS = """
[sources.fields]
case_id = "no"
service = { from = "keterangan_jkb", otherwise = "discover" }
submitted_at = { from = ["tanggal", "waktu_informasi"], format = "%m/%d/%Y %H:%M" }
ended_at = { after = "submitted_at", minutes = "menit_respon", missing = ["NA", "-", ""] }
channel = { from = "sumber_informasi", map = { Masyarakat = "phone" }, otherwise = "system" }
"""


def csv_drop(path: str) -> str:
    """A CSV file below the drop root."""
    return f'id = "real"\nconnector = "tabular"\ntimezone = "UTC"\n%s[sources.options]\npath = "{path}"\nformat = "csv"\n'


def xlsx_drop(path: str) -> str:
    """An XLSX file below the drop root."""
    return f'id = "real"\nconnector = "tabular"\ntimezone = "UTC"\n%s[sources.options]\npath = "{path}"\nformat = "xlsx"\n'


def datasette(url: str) -> str:
    """A Datasette table: a list of objects, paged by the address of the next page."""
    return (
        'id = "real"\nconnector = "rest"\ntimezone = "UTC"\nnetwork = ["127.0.0.1/32"]\nmode = "snapshot"\n%s'
        f'[sources.options]\nurl = "{url}"\nrecords = "rows"\npages = {{ kind = "next-url", key = "next_url" }}\n'
    )


def sql(url: str, query: str) -> str:
    """A table of an agency's database, read by one SELECT."""
    return (
        'id = "real"\nconnector = "sql"\ntimezone = "UTC"\nnetwork = ["127.0.0.1/32"]\nmode = "snapshot"\n%s'
        f'[sources.options]\nurl = "{url}"\nsecret = "agency_database"\nquery = "{query}"\n'
    )
