"""What connectors over HTTP have in common: an address, rows apart from what is none, pages that never come twice, quoted words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

from collectors.connector import Row
from collectors.decoding import Unfit
from collectors.http import Answer
from collectors.texts import BLOT, quoted
from dashboard.errors import SourceUnavailable

MOST_PAGES = 20_000
DIGEST_BYTES = 16


def without_credentials(value: str) -> str:
    """An http address that holds no credential. Raises ``ValueError``."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address must begin with http:// or https://")
    if parts.username or parts.password:
        raise ValueError("the address must not hold a credential; name it by auth")
    return value


def _root(value: str) -> str:
    if urlsplit(value).query or urlsplit(value).fragment:
        raise ValueError("the address is that of the whole interface: without ? and #")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(without_credentials)]
Root = Annotated[str, AfterValidator(without_credentials), AfterValidator(_root)]
"""The address under which all paths of an interface lie, without a slash at its end."""


def at(body: Any, path: str | None) -> Any:
    """What stands at a dotted path, a number being a place in a list; ``None`` when it does not."""
    for part in path.split(".") if path else []:
        if isinstance(body, list) and part.isdecimal():
            body = body[int(part)] if int(part) < len(body) else None
        else:
            body = body.get(part) if isinstance(body, dict) else None
    return body


def told(value: Any, secrets: Iterable[str] = ()) -> str:
    """A source's own words about an error, ready for messages, without a secret that it echoes."""
    text = str(value)
    for secret in secrets:
        text = text.replace(secret, BLOT) if secret else text
    return quoted(text)


def objects(rows: Sequence[Any]) -> tuple[list[Row], list[int], list[tuple[int, str]]]:
    """The rows that are objects, their numbers, and (number, reason) of the others (B8, B9)."""
    kept: list[Row] = []
    lines: list[int] = []
    broken: list[tuple[int, str]] = []
    for line, row in enumerate(rows, start=1):
        if isinstance(row, Unfit) or not isinstance(row, Mapping):
            broken.append((line, row.reason if isinstance(row, Unfit) else "not an object"))
        else:
            kept.append(row)
            lines.append(line)
    return kept, lines, broken


def digest(value: Any) -> bytes:
    """A short fingerprint of a row, or of anything that JSON can say."""
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def fingerprint(rows: Sequence[Any]) -> bytes | None:
    """What tells one page from another, whatever its envelope says: how many rows, the first and the last. ``None``: no rows."""
    return digest((len(rows), rows[0], rows[-1])) if rows else None


def never_twice(seen: set[object], mark: object, answer: Answer, number: int) -> None:
    """A page or a link that comes again would go round for ever (C1, C4). Raises ``SourceUnavailable``."""
    if mark is None:
        return
    if mark in seen:
        raise SourceUnavailable(
            f"{answer.where}: page {number + 1} repeats an earlier one; is its paging declared right?",
            f"{answer.where}: halaman {number + 1} mengulang yang sebelumnya; apakah pages dinyatakan dengan benar?",
        )
    seen.add(mark)


def without_end(answer: Answer) -> SourceUnavailable:
    """The error for paging that does not end."""
    return SourceUnavailable(
        f"{answer.where}: more than {MOST_PAGES} pages; does its paging end?",
        f"{answer.where}: lebih dari {MOST_PAGES} halaman; apakah penomorannya berakhir?",
    )
