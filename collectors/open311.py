"""Requests of a GeoReport v2 server (Open311), JSON or XML, by windows of time.

The standard knows no pages: an answer holds the first 1,000 requests of at most 90 days. So an answer that is full is asked
again in halves until none is, and nothing is lost. Windows meet in a second that both ask for, for servers differ in whether
an end is included; what comes twice is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from collectors.auth import Auth, Named, credentials, secrets_in
from collectors.connector import CONNECTORS, Connector, Options, Page, Reading, Row
from collectors.georeport import requests_of, said_in
from collectors.http import Answer, Client
from collectors.paging import MOST_PAGES, Root, digest, fingerprint, never_twice, objects, without_end
from dashboard.clock import DAY, HOUR, epoch
from dashboard.errors import SourceUnavailable

USUAL_CAPS = (50, 100, 200, 250, 500, 1000)
"""Servers that give fewer than 1,000 do not say so: exactly so many rows are taken for a full answer."""
ROWS_REMEMBERED = 20_000
GROW_BELOW = 0.4
"""An answer less full than this lets the next window be twice as long."""


class ApiKey(Named):
    """The key that goes as a parameter."""

    param: str = "api_key"


class Between(Options):
    """The parameters that bound a window."""

    first: str = "updated_after"
    last: str = "updated_before"


class Turned(Options):
    """Paging, where a server has it besides the standard. ``first``: the number of the first page."""

    param: str = "page"
    size_param: str | None = "per_page"
    size: int = Field(100, ge=1, le=10_000)
    first: int = Field(1, ge=0, le=1)


class Open311Options(Options):
    """``url``: up to the version, as in ``https://…/open311/v2``. ``begins``: the day from which a whole read asks.

    ``since``: the parameters by which the server is asked for what changed (an extension that many have); without them ask in
    mode window or snapshot. ``most``: rows of a full answer; ``span_days``: the longest window.
    """

    url: Root
    begins: date
    format: Literal["json", "xml"] = "json"
    jurisdiction_id: str | None = None
    service_code: tuple[str, ...] = ()
    status: tuple[Literal["open", "closed"], ...] = ()
    since: Between | None = None
    pages: Turned | None = None
    span_days: int = Field(90, ge=1, le=90)
    most: int = Field(1000, ge=2, le=10_000)
    api_key: ApiKey | None = None
    auth: Auth = Auth()
    params: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    charset: str | None = None
    ca_file: str | None = None
    timeout: float = Field(60.0, gt=0, le=600)  # seconds for one answer


def read_open311(reading: Reading) -> Iterator[Page]:
    """Pages of requests, oldest window first; one without rows when there are none at all. Raises ``CollectError`` kinds."""
    came = False
    for page in _windows(reading):
        if page.rows or page.broken:
            came = True
            yield page
    if not came:
        yield Page(rows=[])


def _windows(reading: Reading) -> Iterator[Page]:
    """A page for each answer. Raises ``SourceUnavailable`` when a second holds more than an answer can."""
    options: Open311Options = reading.options
    with _Server(reading) as server:
        start, until, between = _span(options, reading)
        width = options.span_days * DAY
        before: set[bytes] = set()
        while start < until:
            end = min(start + width, until)
            if options.pages is not None:
                seen: set[bytes] = set()
                for number, (answer, rows) in enumerate(server.turned(options.pages, between, start, end)):
                    page = _page(rows, before, seen, {"from": start, "page": number + 1})
                    yield replace(page, warning=answer.warning, moving=True)
            else:
                answer, rows = server.asked(between, start, end)
                if _is_full(options, len(rows), end - start):
                    if end - start <= 1:
                        raise _too_many(answer, len(rows))
                    width = (end - start + 1) // 2
                    continue
                seen = set()
                yield replace(_page(rows, before, seen, {"from": start}), warning=answer.warning)
                if len(rows) < GROW_BELOW * options.most:
                    width = min(2 * width, options.span_days * DAY)
            before, start = seen, end


def _span(options: Open311Options, reading: Reading) -> tuple[int, int, Between]:
    """(from, until, parameters): an hour beyond now, for the source's clock may be ahead of ours."""
    by_submission = Between(first="start_date", last="end_date")
    until = int(reading.now) + HOUR
    if reading.since is not None and reading.since_kind == "changed" and options.since is not None:
        return int(reading.since), until, options.since
    begins = epoch(datetime.combine(options.begins, time(), ZoneInfo(reading.timezone)))
    if reading.since is not None and reading.since_kind == "submitted":
        begins = max(begins, int(reading.since))
    return begins, until, by_submission


def _is_full(options: Open311Options, count: int, seconds: int) -> bool:
    return count >= options.most or (count in USUAL_CAPS and seconds > 1)


def _too_many(answer: Answer, count: int) -> SourceUnavailable:
    return SourceUnavailable(
        f"{answer.where}: {count} requests within a second fill an answer, others may be missing; declare pages, or a source for "
        "each service_code",
        f"{answer.where}: {count} permintaan dalam satu detik memenuhi jawaban, mungkin ada yang hilang; nyatakan pages, atau satu "
        "sumber untuk tiap service_code",
    )


def _page(rows: list[Any], before: set[bytes], seen: set[bytes], position: Any) -> Page:
    """The rows that the window before did not bring in the same words; ``seen`` gets what this one brings."""
    found, numbers, broken = objects(rows)
    kept: list[Row] = []
    lines: list[int] = []
    for row, line in zip(found, numbers, strict=True):
        mark = digest(row)
        if mark in before:
            continue
        if len(seen) < ROWS_REMEMBERED:
            seen.add(mark)
        kept.append(row)
        lines.append(line)
    return Page(rows=kept, lines=lines, broken=broken, position=position)


class _Server:
    """A GeoReport server that is asked for requests. Use it as a context."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.options: Open311Options = reading.options
        key, auth = self.options.api_key, self.options.auth
        secrets = secrets_in(auth, reading.secret) + ([reading.secret(key.secret)] if key else [])
        self.secrets = secrets
        self.zone = ZoneInfo(reading.timezone)
        self.largest = 0
        self.client = Client(
            self.options.url, networks=reading.networks, deadline=reading.deadline, ca_file=self.options.ca_file,
            request_seconds=self.options.timeout, explain=lambda answer: said_in(answer, secrets),
        )

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *problem: Any) -> None:
        self.client.__exit__(*problem)

    def asked(
        self, between: Between, start: int, end: int, more: Mapping[str, str] | None = None
    ) -> tuple[Answer, list[Any]]:
        """The requests of a window, both ends included, and a second before it."""
        options = self.options
        told = {
            "jurisdiction_id": options.jurisdiction_id, "service_code": ",".join(options.service_code),
            "status": ",".join(options.status), between.first: self._stamp(start - 1), between.last: self._stamp(end),
        }
        params = {**options.params, **{name: value for name, value in told.items() if value}, **(more or {})}
        if options.api_key is not None:
            params[options.api_key.param] = self.reading.secret(options.api_key.secret)
        headers, auth = credentials(options.auth, self.reading.secret)
        answer = self.client.get(
            f"{options.url}/requests.{options.format}", params=params, headers={**options.headers, **headers}, auth=auth
        )
        return answer, requests_of(answer, options.format, options.charset, self.secrets)

    def turned(self, pages: Turned, between: Between, start: int, end: int) -> Iterator[tuple[Answer, list[Any]]]:
        """The pages of a window, up to an empty one or one that is shorter than pages of this server are."""
        seen: set[object] = set()
        for number in range(MOST_PAGES):
            more = {pages.param: str(pages.first + number)}
            if pages.size_param:
                more[pages.size_param] = str(pages.size)
            answer, rows = self.asked(between, start, end, more)
            never_twice(seen, fingerprint(rows), answer, number)
            if rows or number == 0:
                yield answer, rows
            if len(rows) < max(self.largest, 1):
                return
            self.largest = max(self.largest, len(rows))
        raise without_end(answer)

    def _stamp(self, at_seconds: int) -> str:
        return datetime.fromtimestamp(at_seconds, self.zone).isoformat()


CONNECTORS.register("open311")(Connector(Open311Options, read_open311))
