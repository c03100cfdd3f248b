"""A table in the datastore of a CKAN portal (Satu Data): ``datastore_search``, by limit and offset.

The API cannot be asked for changes only, so every run reads the whole table, or what ``filters`` leaves of it. What came is
compared with the total that the portal tells: a short read is no read (B31, C5). A table that nobody renews answers as well as
a fresh one: with ``published`` the portal's own stamp says until when it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from collectors.auth import Auth, credentials, secrets_in
from collectors.connector import CONNECTORS, Connector, Options, Page, Reading, Row
from collectors.http import Answer, Client
from collectors.paging import MOST_PAGES, Root, at, fingerprint, never_twice, objects, told, without_end
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

SEARCH, SHOW = "/api/3/action/datastore_search", "/api/3/action/resource_show"
ROW_ID = "_id"
REFUSED = "Authorization Error"
WRONG = ("Not Found Error", "Validation Error", "Search Query Error")
"""``error.__type`` of what asking again will not mend."""

Plain = str | int | float


class CkanOptions(Options):
    """``url``: the portal, as people open it. ``resource``: the id of the table (a page of the portal shows it).

    ``filters``: column → value, or values of which one must stand there. ``sort``: an order that stays while pages are read.
    ``size``: rows in a page (portals allow up to 32,000). ``published``: the stamp of the resource that says how new its table is
    (``last_modified`` where files are loaded, ``metadata_modified`` where a program writes). A token goes as
    ``auth = { kind = "header", name = "Authorization", secret = "…" }``.
    """

    url: Root
    resource: str = Field(min_length=1)
    filters: dict[str, Plain | list[Plain]] = Field(default_factory=dict)
    sort: str = ROW_ID
    size: int = Field(1000, ge=1, le=32_000)
    published: Literal["last_modified", "metadata_modified"] | None = None
    auth: Auth = Auth()
    headers: dict[str, str] = Field(default_factory=dict)
    ca_file: str | None = None
    timeout: float = Field(60.0, gt=0, le=600)  # seconds for one answer


def read_ckan(reading: Reading) -> Iterator[Page]:
    """Pages of the table. Raises ``SourceUnavailable`` when rows are missing or the table shrinks while it is read (C3)."""
    options: CkanOptions = reading.options
    secrets = secrets_in(options.auth, reading.secret)
    asked = {"resource_id": options.resource, "limit": str(options.size), "include_total": "true"}
    if options.sort:
        asked["sort"] = options.sort
    if options.filters:
        asked["filters"] = json.dumps(options.filters, ensure_ascii=False)
    seen: set[object] = set()
    so_far, total = 0, None
    with Client(
        options.url, networks=reading.networks, deadline=reading.deadline, ca_file=options.ca_file,
        request_seconds=options.timeout, explain=lambda answer: told(_said(answer.json()), secrets) if answer.body else "",
    ) as client:
        def ask(action: str, params: Mapping[str, str]) -> tuple[Answer, Mapping[str, Any]]:
            headers, auth = credentials(options.auth, reading.secret)
            answer = client.get(options.url + action, params=params, headers={**options.headers, **headers}, auth=auth)
            return answer, _result(answer, secrets)

        published = _published(*ask(SHOW, {"id": options.resource}), options.published) if options.published else None
        for number in range(MOST_PAGES):
            answer, result = ask(SEARCH, {**asked, "offset": str(so_far)})
            rows = _records(answer, result)
            never_twice(seen, fingerprint(rows), answer, number)
            before, total = total, _total(result)
            if before is not None and total is not None and total < before:
                raise _short(answer, f"the table shrank from {before} to {total} rows while it was read",
                             f"tabel menyusut dari {before} menjadi {total} baris selagi dibaca")
            so_far += len(rows)
            if rows or number == 0:
                yield replace(_page(reading, result, so_far, total, published), warning=answer.warning, moving=True)
            if not rows or (total is not None and so_far >= total):
                break
        else:
            raise without_end(answer)
    if total is not None and so_far != total:
        raise _short(answer, f"{so_far} rows came where the portal tells {total}",
                     f"{so_far} baris datang, padahal portal menyebut {total}")


def _short(answer: Answer, en: str, id: str) -> SourceUnavailable:
    return SourceUnavailable(f"{answer.where}: {en}; it is tried again", f"{answer.where}: {id}; akan dicoba lagi")


def _said(body: Any) -> str:
    """CKAN's own words: ``error.message``, or the faults that it found in single parameters."""
    error = at(body, "error")
    if not isinstance(error, Mapping):
        return "" if error is None else str(error)
    faults = "; ".join(f"{key}: {value}" for key, value in error.items() if key not in ("__type", "message"))
    return str(error.get("message") or faults or error.get("__type") or "")


def _result(answer: Answer, secrets: list[str]) -> Mapping[str, Any]:
    """``result`` of a good answer. Raises by what CKAN says in an answer with status 200 (B31)."""
    body = answer.json()
    result = at(body, "result")
    if at(body, "success") is True and isinstance(result, Mapping):
        return result
    kind = str(at(body, "error.__type") or "")
    said = told(_said(body), secrets)
    more = f": {said}" if said else ""
    failed: type[CollectError] = SourceUnavailable
    en, id = f"success is false{more}; it is tried again", f"success bernilai false{more}; akan dicoba lagi"
    if kind == REFUSED:
        failed = SourceRejected
        en, id = f"the token is refused{more}; give a new one", f"token ditolak{more}; berikan yang baru"
    elif kind in WRONG:
        failed = SourceChanged
        en, id = f"{kind}{more}; look at options.resource, filters, sort", f"{kind}{more}; periksa options.resource, filters, sort"
    elif at(body, "success") is not False:
        raise _no_answer(answer)
    raise failed(f"{answer.where}: {en}", f"{answer.where}: {id}", step="read" if failed is SourceUnavailable else "parse")


def _no_answer(answer: Answer) -> SourceChanged:
    return SourceChanged(
        f"{answer.where}: no datastore records in the answer; is options.url a CKAN portal?",
        f"{answer.where}: tidak ada records datastore di jawaban; apakah options.url portal CKAN?", step="parse",
    )


def _records(answer: Answer, result: Mapping[str, Any]) -> list[Any]:
    rows = result.get("records")
    if not isinstance(rows, list):
        raise _no_answer(answer)
    return rows


def _published(answer: Answer, resource: Mapping[str, Any], stamp: str) -> float:
    """When the table was published, epoch seconds; CKAN writes UTC without saying so. Raises ``SourceChanged``."""
    text = resource.get(stamp) or resource.get("created")
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as err:
        raise SourceChanged(
            f"{answer.where}: the resource tells no {stamp}; declare another published, or none",
            f"{answer.where}: sumber daya tidak menyebut {stamp}; nyatakan published lain, atau kosongkan", step="parse",
        ) from err
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _total(result: Mapping[str, Any]) -> int | None:
    """The number of rows in all; ``None`` when it is only estimated, or not told."""
    total = result.get("total")
    return total if type(total) is int and total >= 0 and not result.get("total_was_estimated") else None


def _page(reading: Reading, result: Mapping[str, Any], so_far: int, total: int | None, published: float | None) -> Page:
    """A page with the wanted columns only, and the names of all that the table has (without CKAN's own row number)."""
    rows, lines, broken = objects(result["records"])
    wanted = reading.wanted | {path.partition(".")[0] for path in reading.wanted}
    fields = result.get("fields")
    names = {field["id"] for field in fields if isinstance(field, Mapping) and isinstance(field.get("id"), str)} if (
        isinstance(fields, list)) else set()
    columns = frozenset(names - ({ROW_ID} - wanted)) if names else None
    kept: list[Row] = [{column: row[column] for column in wanted if column in row} for row in rows]
    return Page(
        rows=kept, lines=lines, broken=broken, position={"offset": so_far}, total=total, columns=columns, published_at=published
    )


CONNECTORS.register("ckan")(Connector(CkanOptions, read_ckan))
