"""Bytes of an answer as strict text and strict JSON: nothing is replaced, guessed or silently overwritten.

``json`` alone lets NaN, a key that stands twice and a wrong charset pass. Here a wrong charset is an error; an object with
NaN or a key twice is marked, so that the row it belongs to is put aside and its neighbours are kept.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

from collectors.texts import quoted
from dashboard.errors import SourceChanged

ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
PIECE = 262_144
_GZIP, _ZLIB, _RAW = 31, 15, -15
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Unpacker:
    """Unpacks gzip or deflate piece by piece, each of bounded size, so that a bomb is met before it is in memory."""

    def __init__(self, encoding: str) -> None:
        self._kind = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}.get(encoding)
        self._unpack = zlib.decompressobj(self._kind) if self._kind is not None else None
        self._begun = False

    @property
    def whole(self) -> bool:
        """Whether nothing is missing at the end."""
        return self._unpack is None or self._unpack.eof or not self._begun

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What some bytes unpack to. Raises ``zlib.error`` for what is no such stream."""
        if self._unpack is None:
            yield packed
            return
        piece = b""
        while packed or (len(piece) == PIECE and not self._unpack.eof):
            if self._unpack.eof:  # gzip may have several members
                self._unpack = zlib.decompressobj(self._kind or _GZIP)
            try:
                piece = self._unpack.decompress(packed, PIECE)
            except zlib.error:
                if self._begun or self._kind != _ZLIB:
                    raise
                self._kind = _RAW  # "deflate" without its zlib head, as some servers send
                self._unpack = zlib.decompressobj(_RAW)
                continue
            self._begun = True
            packed = self._unpack.unconsumed_tail or self._unpack.unused_data
            yield piece


class Unfit(dict[str, Any]):
    """A JSON object that says two things at once, or a value that is none; ``reason`` names it."""

    reason = ""


def decoded(body: bytes, charset: str | None, where: str) -> str:
    """Strict text: UTF-8 (a mark at the start is dropped), UTF-16 with a mark, else the declared ``charset``.

    Raises ``SourceChanged`` with the byte at which it stopped; never puts U+FFFD in.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            charset = name
            break
    else:
        try:
            return body.decode("utf-8-sig")
        except UnicodeDecodeError as err:
            stopped = err.start
            if charset is None:
                raise _not_text(where, "UTF-8", stopped) from err
    try:
        return body.decode(charset)
    except (UnicodeDecodeError, LookupError) as err:
        raise _not_text(where, charset, getattr(err, "start", 0)) from err


def _not_text(where: str, charset: str, stopped: int) -> SourceChanged:
    return SourceChanged(
        f"{where}: not {charset} text at byte {stopped}; declare its charset",
        f"{where}: bukan teks {charset} pada bita ke-{stopped}; nyatakan charset-nya", step="parse",
    )


def strict_json(text: str, where: str) -> Any:
    """The JSON of a text; objects with NaN or a key twice come as :class:`Unfit`. Raises ``SourceChanged``, with where."""
    try:
        try:
            return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
        except _Twice:
            return json.loads(text, parse_constant=_NotANumber, object_pairs_hook=_marked)
    except RecursionError as err:
        raise SourceChanged(
            f"{where}: JSON is nested too deeply; is it the right address?",
            f"{where}: JSON bersarang terlalu dalam; apakah alamatnya benar?", step="parse",
        ) from err
    except json.JSONDecodeError as err:
        raise SourceChanged(
            f"{where}: not JSON from character {err.pos} on; is it the right address, and the whole answer?",
            f"{where}: bukan JSON mulai karakter ke-{err.pos}; apakah alamatnya benar dan jawabannya utuh?", step="parse",
        ) from err
    except ValueError as err:  # a number of more digits than Python reads
        raise SourceChanged(
            f"{where}: a number in the JSON is too long; ask for it as text",
            f"{where}: ada angka yang terlalu panjang dalam JSON; minta sebagai teks", step="parse",
        ) from err


class _Twice(Exception):
    """The strict pass met NaN or a key that stands twice."""


class _NotANumber:
    """In the place of NaN or Infinity."""

    def __init__(self, name: str) -> None:
        self.name = name


def _refuse(name: str) -> Any:
    raise _Twice(name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Twice
    return made


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    inner = next((value for value in made.values() if isinstance(value, Unfit | _NotANumber)), None)
    if inner is None and len(made) == len(pairs):
        return made
    unfit = Unfit(made)
    if isinstance(inner, _NotANumber):
        unfit.reason = "NaN is not a number"
    else:
        unfit.reason = inner.reason if inner is not None else "a key stands twice"
    return unfit


def title_of(text: str) -> str:
    """" (title …)" of an HTML page, short and harmless, for messages; "" without one (B1)."""
    found = re.search(r"(?is)<title[^>]*>(.{1,500}?)</title>", text[:20_000])
    return f" (title {quoted(' '.join(found[1].split()))!r})" if found else ""


def looks_like_markup(text: str, content_type: str) -> bool:
    """Whether an answer that should be JSON is HTML or XML: a login page, an error page."""
    return "html" in content_type.lower() or text[:200].lstrip()[:1] == "<"
