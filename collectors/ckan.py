"""A table in the datastore of a CKAN portal (Satu Data): ``datastore_search``, by limit and offset.

The API cannot be asked for changes only, so every run reads the whole table, or what ``filters`` leaves of it. What came is
compared with the total that the portal tells: a short read is no read (B31, C5).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from collectors.auth import Auth, credentials, secrets_in
from collectors.connector import CONNECTORS, Connector, Options, Page, Reading, Row
from collectors.http import Answer, Client
from collectors.paging import MOST_PAGES, Root, at, fingerprint, never_twice, objects, told, without_end
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

ACTION = "/api/3/action/datastore_search"
ROW_ID = "_id"
REFUSED = "Authorization Error"
WRONG = ("Not Found Error", "Validation Error", "Search Query Error")
"""``error.__type`` of what asking again will not mend."""


class CkanOptions(Options):
    """``url``: the portal, as people open it. ``resource``: the id of the table (a page of the portal shows it).

    ``filters``: column → value, or values of which one must stand there. ``sort``: an order that stays while pages are read.
    ``size``: rows in a page (portals allow up to 32,000). A token goes as
    ``auth = { kind = "header", name = "Authorization", secret = "…" }``.
    """

    url: Root
    resource: str = Field(min_length=1)
    filters: dict[str, str | list[str]] = Field(default_factory=dict)
    sort: str = ROW_ID
    size: int = Field(1000, ge=1, le=32_000)
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
        for number in range(MOST_PAGES):
            headers, auth = credentials(options.auth, reading.secret)
            answer = client.get(
                options.url + ACTION, params={**asked, "offset": str(so_far)}, headers={**options.headers, **headers}, auth=auth
            )
            result = _result(answer, secrets)
            rows = result["records"]
            never_twice(seen, fingerprint(rows), answer, number)
            before, total = total, _total(result)
            if before is not None and total is not None and total < before:
                raise _short(answer, f"the table shrank from {before} to {total} rows while it was read",
                             f"tabel menyusut dari {before} menjadi {total} baris selagi dibaca")
            so_far += len(rows)
            if rows or number == 0:
                yield replace(_page(reading, result, so_far, total), warning=answer.warning, moving=True)
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
    """``result`` of a good answer, with its list of records. Raises by what CKAN says in an answer with status 200 (B31)."""
    body = answer.json()
    result = at(body, "result")
    if at(body, "success") is True and isinstance(result, Mapping) and isinstance(result.get("records"), list):
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
        failed = SourceChanged
        en, id = (f"no datastore records in the answer{more}; is options.url a CKAN portal?",
                  f"tidak ada records datastore di jawaban{more}; apakah options.url portal CKAN?")
    raise failed(f"{answer.where}: {en}", f"{answer.where}: {id}", step="read" if failed is SourceUnavailable else "parse")


def _total(result: Mapping[str, Any]) -> int | None:
    """The number of rows in all; ``None`` when it is only estimated, or not told."""
    total = result.get("total")
    return total if type(total) is int and total >= 0 and not result.get("total_was_estimated") else None


def _page(reading: Reading, result: Mapping[str, Any], so_far: int, total: int | None) -> Page:
    """A page with the wanted columns only, and the names of all that the table has (without CKAN's own row number)."""
    rows, lines, broken = objects(result["records"])
    wanted = reading.wanted | {path.partition(".")[0] for path in reading.wanted}
    fields = result.get("fields")
    names = {field["id"] for field in fields if isinstance(field, Mapping) and isinstance(field.get("id"), str)} if (
        isinstance(fields, list)) else set()
    columns = frozenset(names - ({ROW_ID} - wanted)) if names else None
    kept: list[Row] = [{column: row[column] for column in wanted if column in row} for row in rows]
    return Page(rows=kept, lines=lines, broken=broken, position={"offset": so_far}, total=total, columns=columns)


CONNECTORS.register("ckan")(Connector(CkanOptions, read_ckan))
