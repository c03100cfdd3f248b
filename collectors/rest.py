"""JSON over HTTP: a list of objects somewhere in the answer, page by page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from pydantic import Field
from requests.utils import parse_header_links

from collectors.connector import CONNECTORS, Connector, Options, Page, Reading, Row
from collectors.http import SHOWN_CHARACTERS, Answer, Client, origin
from dashboard.errors import SourceChanged, SourceUnavailable

MOST_PAGES = 20_000


class Auth(Options):
    """``secret`` is the secret's name, never its value. ``hmac``: SHA-256 over id, "&" and the time, as BPJS signs."""

    kind: Literal["none", "basic", "bearer", "header", "hmac"] = "none"
    secret: str = ""
    user: str = ""
    name: str = "X-API-Key"


class Pages(Options):
    """How the list is paged."""

    kind: Literal["none", "page", "offset", "cursor", "link-header", "next-url"] = "none"
    param: str = ""
    size_param: str | None = None
    size: int = Field(200, ge=1, le=10_000)
    first: int = 1
    key: str = "next_url"
    next: str = "next_cursor"


class Since(Options):
    """The parameter by which the source is asked for changes only."""

    param: str
    format: Literal["iso", "date", "epoch", "epoch_ms"] = "iso"


class RestOptions(Options):
    """``records``: dotted path of the list in the answer; ``columns``: that of its column names when rows are lists.

    ``message``: dotted path of the source's own error text, shown when the list is not there.
    """

    url: str
    records: str | None = None
    columns: str | None = None
    message: str | None = None
    auth: Auth = Auth()
    pages: Pages = Pages()
    since: Since | None = None
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    charset: str | None = None
    ca_file: str | None = None


def at(body: Any, path: str | None) -> Any:
    """What stands at a dotted path; ``None`` when it does not."""
    for part in path.split(".") if path else []:
        body = body.get(part) if isinstance(body, dict) else None
    return body


def _credentials(auth: Auth, reading: Reading) -> tuple[dict[str, str], tuple[str, str] | None]:
    if auth.kind == "none":
        return {}, None
    secret = reading.secret(auth.secret)
    if auth.kind == "basic":
        return {}, (auth.user, secret)
    if auth.kind == "bearer":
        return {"Authorization": f"Bearer {secret}"}, None
    if auth.kind == "header":
        return {auth.name: secret}, None
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"{auth.user}&{stamp}".encode(), hashlib.sha256).digest()
    return {"X-cons-id": auth.user, "X-timestamp": stamp, "X-signature": base64.b64encode(digest).decode()}, None


def _since(since: Since, at_seconds: float, zone: str) -> str:
    moment = datetime.fromtimestamp(at_seconds, UTC)
    if since.format == "epoch":
        return str(int(at_seconds))
    if since.format == "epoch_ms":
        return str(int(at_seconds * 1000))
    return moment.astimezone(ZoneInfo(zone)).date().isoformat() if since.format == "date" else moment.isoformat()


def _rows(options: RestOptions, answer: Answer, body: Any) -> list[Row]:
    rows = at(body, options.records)
    if options.columns is not None and isinstance(rows, list):
        names = at(body, options.columns)
        rows = [dict(zip(names, row, strict=True)) for row in rows]
    if not isinstance(rows, list):
        said = at(body, options.message) if options.message else None
        more = f"; it says: {str(said)[:SHOWN_CHARACTERS]}" if said else ""
        raise SourceChanged(
            f"{answer.where}: no list under {options.records!r}{more}; look at options.records",
            f"{answer.where}: tidak ada daftar di {options.records!r}{more}; periksa options.records", step="parse",
        )
    return rows


def read_rest(reading: Reading) -> Iterator[Page]:
    """Pages of the list, in the source's order. Raises ``SourceUnavailable`` when a page comes twice or a link leads away."""
    options: RestOptions = reading.options
    client = Client(networks=reading.networks, deadline=reading.deadline, ca_file=options.ca_file)
    headers, auth = _credentials(options.auth, reading)
    params = dict(options.params)
    if options.since is not None and reading.since is not None:
        params[options.since.param] = _since(options.since, reading.since, reading.timezone)
    address, pages = options.url, options.pages
    before: str | None = None
    last = b""
    for number in range(MOST_PAGES):
        query = {**(params if number == 0 or pages.kind in ("page", "offset", "cursor") else {})}
        _turn(pages, query, number, before)
        answer = client.get(address, params=query, headers={**options.headers, **headers}, auth=auth)
        body = answer.json(options.charset)
        rows = _rows(options, answer, body)
        fingerprint = hashlib.sha256(answer.body).digest()
        if rows and fingerprint == last:
            raise _repeated(answer.where, number + 1)
        last = fingerprint
        following = _next(pages, answer, body, rows, address)
        yield Page(rows=rows, position={"page": number + 1}, total=None)
        if following is None:
            break
        address, before = following


def _repeated(where: str, number: int) -> SourceUnavailable:
    return SourceUnavailable(
        f"{where}: page {number} repeats the page before; is the paging declared right?",
        f"{where}: halaman {number} sama dengan halaman sebelumnya; apakah pages dinyatakan dengan benar?",
    )


def _turn(pages: Pages, query: dict[str, str], number: int, cursor: str | None) -> None:
    if pages.kind == "page":
        query[pages.param or "page"] = str(pages.first + number)
    elif pages.kind == "offset":
        query[pages.param or "offset"] = str(number * pages.size)
    elif pages.kind == "cursor" and cursor is not None:
        query[pages.param or "cursor"] = cursor
    if pages.size_param and pages.kind in ("page", "offset", "cursor"):
        query[pages.size_param] = str(pages.size)


def _next(
    pages: Pages, answer: Answer, body: Mapping[str, Any] | list[Any], rows: list[Row], address: str
) -> tuple[str, str | None] | None:
    """(address, cursor) of the next page; ``None`` after the last."""
    if pages.kind in ("page", "offset"):
        return (address, None) if len(rows) >= (pages.size if pages.size_param or pages.kind == "offset" else 1) else None
    if pages.kind == "cursor":
        cursor = at(body, pages.next)
        return (address, str(cursor)) if cursor not in (None, "") else None
    link: Any = None
    if pages.kind == "next-url":
        link = at(body, pages.key)
    elif pages.kind == "link-header":
        link = links(answer.headers.get("Link", "")).get("next")
    if not link:
        return None
    target = urljoin(address, str(link))
    if origin(target) != origin(address) or target == address:
        raise SourceUnavailable(
            f"{answer.where}: the next page lies at another host or at the same address; it is not followed",
            f"{answer.where}: halaman berikutnya ada di host lain atau alamat yang sama; tidak diikuti",
        )
    return target, None


def links(header: str) -> dict[str, str]:
    """``rel`` → address of a ``Link`` header."""
    return {str(link.get("rel")): str(link["url"]) for link in parse_header_links(header)} if header else {}


CONNECTORS.register("rest")(Connector(RestOptions, read_rest))
