"""JSON over HTTP: a list of objects somewhere in the answer, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from requests.utils import parse_header_links

from collectors.auth import Auth, credentials
from collectors.connector import CONNECTORS, Connector, Options, Page, Reading, Row
from collectors.decoding import Unfit
from collectors.egress import origin
from collectors.http import Answer, Client
from collectors.paging import MOST_PAGES, Address, at, fingerprint, never_twice, without_end
from collectors.texts import quoted
from dashboard.errors import SourceChanged, SourceUnavailable


class Pages(Options):
    """How the list is paged. ``key``: dotted path of the next address, or the header that holds it; ``next``: of the next cursor.

    The last numbered page is the first one that is shorter than ``size`` (empty, without ``size_param``), unless ``total``
    of the answer says that more is to come.
    """

    kind: Literal["none", "page", "offset", "cursor", "link-header", "next-header", "next-url"] = "none"
    param: str = ""
    size_param: str | None = None
    size: int = Field(default=200, ge=1, le=10_000)
    first: int = 1
    key: str = "next_url"
    next: str = "next_cursor"


class Since(Options):
    """The parameter by which the source is asked for changes only (for submissions only, in mode window).

    ``format``: iso, date, epoch, epoch_ms, or a strftime pattern, which may hold more (``from %Y-%m-%d``); local time of the
    source, except iso and the epochs, which are UTC.
    """

    param: str
    format: str = "iso"

    @field_validator("format")
    @classmethod
    def _known_or_a_pattern(cls, value: str) -> str:
        if value not in ("iso", "date", "epoch", "epoch_ms") and "%" not in value:
            raise ValueError("must be iso, date, epoch, epoch_ms or a pattern such as %Y-%m-%d")
        return value


class RestOptions(Options):
    """``records``: dotted path of the list in the answer; ``columns``: that of its column names when rows are lists.

    ``total``: dotted path of the number of rows in all, to be compared with what came. ``message``: dotted path of the
    source's own error text, shown when the list is not there. ``charset``: for what is not UTF-8.
    """

    url: Address
    records: str | None = None
    columns: str | None = None
    total: str | None = None
    message: str | None = None
    auth: Auth = Auth()
    pages: Pages = Pages()
    since: Since | None = None
    params: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    charset: str | None = None
    ca_file: str | None = None
    timeout: float = Field(60.0, gt=0, le=600)  # seconds for one answer


def _since(since: Since, at_seconds: float, zone: str) -> str:
    moment = datetime.fromtimestamp(at_seconds, UTC)
    if since.format == "epoch":
        return str(int(at_seconds))
    if since.format == "epoch_ms":
        return str(int(at_seconds * 1000))
    if since.format == "iso":
        return moment.isoformat()
    return moment.astimezone(ZoneInfo(zone)).strftime({"date": "%Y-%m-%d"}.get(since.format, since.format))


def _records(options: RestOptions, answer: Answer, body: Any) -> list[Any]:
    rows = at(body, options.records)
    if not isinstance(rows, list):
        said = at(body, options.message) if options.message else None
        more = f"; it says: {quoted(said)}" if said else ""
        raise SourceChanged(
            f"{answer.where}: no list under {options.records!r}{more}; look at options.records",
            f"{answer.where}: tidak ada daftar di {options.records!r}{more}; periksa options.records", step="parse",
        )
    return rows


def _page(options: RestOptions, answer: Answer, body: Any, rows: list[Any], position: Any) -> Page:
    names = at(body, options.columns) if options.columns is not None else None
    kept: list[Row] = []
    lines: list[int] = []
    broken: list[tuple[int, str]] = []
    plain = names is None and all(type(row) is dict for row in rows)
    if plain:
        return Page(rows=rows, position=position, total=_total(options, body), warning=answer.warning)
    for line, row in enumerate(rows, start=1):
        if isinstance(names, list) and isinstance(row, list) and len(names) == len(row):
            kept.append(dict(zip(names, row, strict=True)))
        elif isinstance(row, Unfit):
            broken.append((line, row.reason))
            continue
        elif isinstance(row, dict):
            kept.append(row)
        else:
            broken.append((line, "not an object"))
            continue
        lines.append(line)
    if rows and not kept and not any(isinstance(row, Unfit) for row in rows):
        raise SourceChanged(
            f"{answer.where}: the list holds no objects; declare options.columns for rows that are lists",
            f"{answer.where}: daftar tidak berisi objek; nyatakan options.columns untuk baris berupa daftar", step="parse",
        )
    return Page(rows=kept, lines=lines, broken=broken, position=position, total=_total(options, body), warning=answer.warning)


def _total(options: RestOptions, body: Any) -> int | None:
    found = at(body, options.total) if options.total else None
    return found if type(found) is int and found >= 0 else None


def read_rest(reading: Reading) -> Iterator[Page]:
    """Pages of the list, in the source's order. Raises ``SourceUnavailable`` when a page comes twice or a link leads away."""
    options: RestOptions = reading.options
    params = dict(options.params)
    if options.since is not None and reading.since is not None:
        params[options.since.param] = _since(options.since, reading.since, reading.timezone)
    address, pages = options.url, options.pages
    numbered = pages.kind in ("page", "offset", "cursor")
    before: str | None = None
    seen: set[object] = set()
    so_far = 0
    with Client(
        address, networks=reading.networks, deadline=reading.deadline, ca_file=options.ca_file, request_seconds=options.timeout
    ) as client:
        for number in range(MOST_PAGES):
            query = dict(params) if number == 0 or numbered else {}
            _turn(pages, query, number, before)
            headers, auth = credentials(options.auth, reading.secret)
            answer = client.get(address, params=query, headers={**options.headers, **headers}, auth=auth)
            body = answer.json(options.charset)
            rows = _records(options, answer, body)
            never_twice(seen, fingerprint(rows), answer, number)
            so_far += len(rows)
            page = _page(options, answer, body, rows, {"page": number + 1})
            page = replace(page, moving=pages.kind in ("page", "offset"))
            yield page
            following = _next(pages, answer, body, len(rows), address, so_far, page.total)
            if following is None:
                return
            never_twice(seen, following if not numbered or pages.kind == "cursor" else None, answer, number)
            address, before = following
    raise without_end(answer)


def _turn(pages: Pages, query: dict[str, str], number: int, cursor: str | None) -> None:
    if pages.kind == "page":
        query[pages.param or "page"] = str(pages.first + number)
    elif pages.kind == "offset":
        query[pages.param or "offset"] = str(number * pages.size)
    elif pages.kind == "cursor" and cursor is not None:
        query[pages.param or "cursor"] = cursor
    if pages.size_param and (number == 0 or pages.kind in ("page", "offset", "cursor")):
        query[pages.size_param] = str(pages.size)


def _next(
    pages: Pages, answer: Answer, body: Mapping[str, Any] | list[Any], count: int, address: str, so_far: int, total: int | None
) -> tuple[str, str | None] | None:
    """(address, cursor) of the next page; ``None`` after the last."""
    if pages.kind in ("page", "offset"):
        more = count >= (pages.size if pages.size_param or pages.kind == "offset" else 1)
        return (address, None) if count and (more or (total is not None and so_far < total)) else None
    if pages.kind == "cursor":
        cursor = at(body, pages.next)
        return (address, str(cursor)) if cursor not in (None, "") else None
    link: Any = None
    if pages.kind == "next-url":
        link = at(body, pages.key)
    elif pages.kind == "next-header":
        link = answer.headers.get(pages.key)
    elif pages.kind == "link-header":
        link = links(answer.headers.get("Link", "")).get("next")
    if not link:
        return None
    target = urljoin(address, str(link))
    if origin(target) != origin(address):
        raise SourceUnavailable(
            f"{answer.where}: the next page lies at another host and is not followed; declare the final address",
            f"{answer.where}: halaman berikutnya ada di host lain dan tidak diikuti; nyatakan alamat akhirnya",
        )
    return target, None


def links(header: str) -> dict[str, str]:
    """``rel`` → address of a ``Link`` header."""
    return {str(link.get("rel")): str(link["url"]) for link in parse_header_links(header)} if header else {}


CONNECTORS.register("rest")(Connector(RestOptions, read_rest))
