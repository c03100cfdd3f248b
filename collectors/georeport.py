"""Answers of a GeoReport v2 server: service requests, or its errors, in JSON or XML. Entities in XML are refused (B18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from collectors.decoding import Unfit
from collectors.http import Answer
from collectors.paging import told
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

LISTS = ("service_requests", "requests")
Errors = list[tuple[str, str]]
"""(code, description) of each error."""


def requests_of(answer: Answer, form: Literal["json", "xml"], charset: str | None, secrets: Sequence[str]) -> list[Any]:
    """The service requests of an answer, as objects. Raises ``SourceChanged``, or by the code of the server's own errors.

    ``secrets`` are blotted out of what it says.
    """
    body = _parsed(answer) if form == "xml" else answer.json(charset)
    errors = errors_in(body)
    if errors:
        raise _failed(answer, errors, secrets)
    if isinstance(body, Element):
        if _name(body) in LISTS:
            return [_request(element) for element in body]
        found = f"<{_name(body)}>"
    else:
        rows = next((body[key] for key in LISTS if key in body), None) if isinstance(body, dict) else body
        if isinstance(rows, list):
            return rows
        found = type(body).__name__
    raise SourceChanged(
        f"{answer.where}: a list of service requests is expected, {told(found)} came; look at options.url and format",
        f"{answer.where}: diharapkan daftar service requests, yang datang {told(found)}; periksa options.url dan format",
        step="parse",
    )


def said_in(answer: Answer, secrets: Sequence[str]) -> str:
    """The server's own words in an answer with an error status. Raises ``CollectError`` for what is neither JSON nor XML."""
    body = _parsed(answer) if answer.body.lstrip()[:1] == b"<" else answer.json()
    return _words(errors_in(body), secrets)


def errors_in(body: Any) -> Errors:
    """The errors that an answer consists of; none when it is no error. Each has a code and a description (GeoReport v2)."""
    if isinstance(body, Element):
        one = [body] if _name(body) == "error" else list(body) if _name(body) == "errors" else []
        return [(_text(error, "code"), _text(error, "description")) for error in one]
    if isinstance(body, dict):
        body = body.get("errors", body.get("error", body))
        body = body if isinstance(body, list) else [body]
    if not isinstance(body, list) or not body or not all(isinstance(item, dict) for item in body):
        return []
    if any("service_request_id" in item or not {"code", "description"} & item.keys() for item in body):
        return []
    return [(str(item.get("code", "")), str(item.get("description", ""))) for item in body]


def _words(errors: Errors, secrets: Sequence[str]) -> str:
    return told("; ".join(f"{code} {text}".strip() for code, text in errors), secrets)


def _failed(answer: Answer, errors: Errors, secrets: Sequence[str]) -> CollectError:
    codes = {code for code, _ in errors}
    words = _words(errors, secrets)
    if codes & {"401", "403"}:
        return SourceRejected(
            f"{answer.where}: the server refuses: {words}; give another api_key",
            f"{answer.where}: server menolak: {words}; berikan api_key lain", step="connect",
        )
    passing = any(code.startswith("5") for code in codes) or "429" in codes
    kind = SourceUnavailable if passing else SourceChanged
    en, id = ("it is tried again", "akan dicoba lagi") if passing else (
        "check the address and its parameters", "periksa alamat dan parameternya")
    return kind(f"{answer.where}: the server says: {words}; {en}", f"{answer.where}: server menjawab: {words}; {id}", step="read")


def _parsed(answer: Answer) -> Element:
    """The root of an XML answer; a document type, and so every entity, is refused. Raises ``SourceChanged``."""
    try:
        root: Element = fromstring(answer.body, forbid_dtd=True)
    except DefusedXmlException as err:
        raise SourceChanged(
            f"{answer.where}: the XML declares a document type or entities, which are refused; is this the right address?",
            f"{answer.where}: XML memuat tipe dokumen atau entitas, dan itu ditolak; apakah alamatnya benar?", step="parse",
        ) from err
    except ParseError as err:
        line, column = err.position
        raise SourceChanged(
            f"{answer.where}: not XML from line {line}, column {column} on; is this the right address?",
            f"{answer.where}: bukan XML mulai baris {line}, kolom {column}; apakah alamatnya benar?", step="parse",
        ) from err
    except (LookupError, ValueError, RecursionError) as err:
        raise SourceChanged(
            f"{answer.where}: XML in an encoding that is not known; it should be UTF-8. Ask its owner to mend it",
            f"{answer.where}: pengodean XML tidak dikenal; seharusnya UTF-8. Minta pengelolanya memperbaiki", step="parse",
        ) from err
    return root


def _name(element: Element) -> str:
    """The element's name without its name space."""
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    return next((child.text or "" for child in element if _name(child) == name), "").strip()


def _request(element: Element) -> dict[str, Any]:
    """A request's elements that hold text; one that stands twice makes it unfit (B9)."""
    made: dict[str, Any] = {}
    for child in element:
        name = _name(child)
        if name in made:
            unfit = Unfit(made)
            unfit.reason = "an element stands twice"
            return unfit
        made[name] = child.text.strip() or None if child.text else None
    return made
