"""The one HTTP client: a total deadline by our own clock, caps, addresses checked and pinned, no redirects, strict text.

``requests``' own ``timeout`` lets a dripping body run for ever, its ``content`` unpacks a bomb into memory, and it follows
redirects with custom headers: so the body is streamed under caps, a timer cuts the socket at the deadline, and the address
that was checked is the one that is connected to.
"""

from __future__ import annotations

import random
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from collectors.certificates import described
from collectors.clocks import skew_remark
from collectors.connector import Networks
from collectors.decoding import ENCODINGS, Unpacker, decoded, looks_like_markup, strict_json, title_of
from collectors.egress import CONNECT_SECONDS, PinnedAdapter, Sockets, checked_addresses, origin, shown
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

REQUEST_SECONDS = 60.0
MOST_WIRE = 50 * 1024 * 1024
MOST_UNPACKED = 200 * 1024 * 1024
MOST_RATIO = 200
RATIO_FROM = 1024 * 1024
RATE_SECONDS = 10.0
LEAST_BYTES = 10 * 1024
"""So much of a body must come in every ten seconds (A8): a slower source is not waited for to the end of the deadline."""
LONGEST_RETRY_AFTER = 3600.0
CUT = (requests.exceptions.ConnectionError, urllib3.exceptions.ProtocolError, ConnectionError)
TRIES = 3
FIRST_PAUSE_SECONDS = 0.4


class Answer:
    """A whole answer within its caps: status, headers, bytes, and where it came from (for messages).

    ``warning``: (English, Indonesian) of what should be mended there although the answer is good: its clock (D3).
    """

    def __init__(
        self, where: str, status: int, headers: Mapping[str, str], body: bytes, warning: tuple[str, str] | None = None
    ) -> None:
        self.where, self.status, self.headers, self.body, self.warning = where, status, headers, body, warning

    def text(self, charset: str | None = None) -> str:
        """The body in strict UTF-8, else in the declared charset. Raises ``SourceChanged``."""
        return decoded(self.body, charset, self.where)

    def json(self, charset: str | None = None) -> Any:
        """The body as strict JSON, see :func:`collectors.decoding.strict_json`. Raises ``SourceChanged``."""
        text = self.text(charset)
        if looks_like_markup(text, self.headers.get("Content-Type", "")):
            title = title_of(text)
            raise SourceChanged(
                f"{self.where}: expected JSON, got HTML or XML{title}; a login or error page?",
                f"{self.where}: diharapkan JSON, tetapi diterima HTML atau XML{title}; halaman masuk atau galat?", step="parse",
            )
        return strict_json(text, self.where)


class Client:
    """Fetches from one origin for one source, until ``deadline`` (``time.monotonic()``). Use it as a context.

    The name is resolved and checked once; connections are kept open between pages; one request may take ``request_seconds``.
    ``explain`` finds the source's own words in an answer with an error status, ready for messages, or gives none.
    """

    def __init__(
        self, url: str, *, networks: Networks, deadline: float, ca_file: str | None = None,
        request_seconds: float = REQUEST_SECONDS, most_wire: int = MOST_WIRE, most_unpacked: int = MOST_UNPACKED,
        pause: Callable[[float], None] = time.sleep, rate_seconds: float = RATE_SECONDS,
        explain: Callable[[Answer], str] | None = None,
    ) -> None:
        self.origin = origin(url)
        self.where = shown(url)
        self.networks, self.deadline, self.request_seconds = networks, deadline, request_seconds
        self.most_wire, self.most_unpacked, self.pause, self.rate_seconds = most_wire, most_unpacked, pause, rate_seconds
        self.explain = explain
        if self.origin[0] not in ("http", "https") or not self.origin[1]:
            raise SourceChanged(
                f"{self.where}: not an http address; begin it with http:// or https://",
                f"{self.where}: bukan alamat http; awali dengan http:// atau https://", step="connect",
            )
        self.warning: tuple[str, str] | None = None
        self._sockets: Sockets | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies, no ~/.netrc (A23)
        self._session.verify = ca_file or True

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._session.close()
        if self._sockets is not None:
            self._sockets.close()

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """One answer with status 200, tried up to three times with growing jittered pauses while the deadline allows.

        Raises ``SourceUnavailable``, ``SourceRejected`` (401, 403, 407: never tried again here), ``SourceChanged``.
        """
        if origin(url) != self.origin:
            raise SourceChanged(
                f"{shown(url)}: another origin than the declared one; declare it as a source of its own",
                f"{shown(url)}: bukan asal yang dinyatakan; nyatakan sebagai sumber tersendiri", step="connect",
            )
        for number in range(1, TRIES + 1):
            try:
                return self._once(url, params, headers, auth)
            except SourceUnavailable as err:
                pause = FIRST_PAUSE_SECONDS * 2 ** (number - 1) * random.uniform(0.5, 1.5)
                if number == TRIES or time.monotonic() + pause + 1 > self.deadline or err.retry_after_seconds is not None:
                    raise
                self.pause(pause)
        raise AssertionError("unreachable")

    def _once(
        self, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None, auth: tuple[str, str] | None
    ) -> Answer:
        where = shown(url)
        until = min(self.deadline, time.monotonic() + self.request_seconds)
        sockets = self._pinned(until)
        left = until - time.monotonic()
        if left <= 0:
            raise _too_slow(where)
        with _alarm(left, sockets), _named(where, sockets):
            response = self._session.get(
                url, params=params, headers={"Accept-Encoding": "gzip, deflate", **(headers or {})}, auth=auth, stream=True,
                allow_redirects=False, timeout=(min(CONNECT_SECONDS, left), left), verify=self._session.verify,
            )
            with response:
                _check_status(where, response, self._told(where, response, sockets))
                self.warning = self.warning or skew_remark(response.headers)
                return Answer(
                    where, response.status_code, response.headers, self._body(where, response, sockets), self.warning
                )

    def _pinned(self, until: float) -> Sockets:
        if self._sockets is None:
            scheme, host, port = self.origin
            left = min(until - time.monotonic(), 2 * CONNECT_SECONDS)
            self._sockets = Sockets(checked_addresses(host, port, self.networks, self.where, left))
            self._session.mount(f"{scheme}://", PinnedAdapter(self._sockets))
        self._sockets.until, self._sockets.cut_off = until, False
        return self._sockets

    def _told(self, where: str, response: requests.Response, sockets: Sockets) -> str:
        """What the source says of its error, as ": text"; an answer that cannot be read never hides its status."""
        if self.explain is None or response.status_code < 400:
            return ""
        try:
            said = self.explain(Answer(where, response.status_code, response.headers, self._body(where, response, sockets)))
        except (CollectError, requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, zlib.error):
            return ""
        return f": {said}" if said else ""

    def _body(self, where: str, response: requests.Response, sockets: Sockets) -> bytes:
        """The whole body, unpacked piece by piece under the caps. Raises ``SourceChanged``, ``SourceUnavailable``."""
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise SourceChanged(
                f"{where}: an encoding that was not asked for; the server should send gzip or deflate",
                f"{where}: pengodean yang tidak diminta; server harus mengirim gzip atau deflate", step="read",
            )
        unpacker = Unpacker(encoding)
        parts: list[bytes] = []
        wire = unpacked = 0
        for packed in self._pieces(where, response, sockets):
            wire += len(packed)
            if wire > self.most_wire:
                size = f"{self.most_wire / 1_048_576:.0f} MB"
                raise _too_much(where, f"has more than {size}", f"lebih dari {size}")
            for part in unpacker.pieces(packed):
                unpacked += len(part)
                if unpacked > self.most_unpacked or (unpacked > RATIO_FROM and unpacked > MOST_RATIO * wire):
                    size = f"{self.most_unpacked / 1_048_576:.0f} MB"
                    raise _too_much(
                        where, f"unpacks to more than {size} or {MOST_RATIO}-fold",
                        f"mengembang lebih dari {size} atau {MOST_RATIO} kali",
                    )
                parts.append(part)
        if sockets.cut_off:  # an answer without a length ends quietly when its socket is cut
            raise _too_slow(where)
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and wire < int(length):  # a reader of pieces is not told of it
            raise _cut(where, wire)
        if not unpacker.whole:
            raise _cut(where, wire)
        return b"".join(parts)

    def _pieces(self, where: str, response: requests.Response, sockets: Sockets) -> Iterator[bytes]:
        """The body as it comes in. Raises ``SourceUnavailable`` when it comes in too slowly."""
        connection = getattr(response.raw, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(self.rate_seconds)  # silence in the middle of a body is a rate of zero
        since, came = time.monotonic(), 0
        while packed := response.raw.read1(65536, decode_content=False):
            came += len(packed)
            sockets.received += len(packed)
            yield packed
            if time.monotonic() - since >= self.rate_seconds:
                if came < LEAST_BYTES:
                    raise _dripping(where)
                since, came = time.monotonic(), 0


def _too_much(where: str, en: str, id: str) -> SourceChanged:
    return SourceChanged(
        f"{where}: the answer {en}; ask for smaller pages", f"{where}: jawaban {id}; minta halaman lebih kecil", step="read"
    )


@contextmanager
def _alarm(seconds: float, sockets: Sockets) -> Iterator[None]:
    timer = threading.Timer(seconds, sockets.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(where: str, received: int) -> SourceUnavailable:
    return SourceUnavailable(
        f"{where}: the connection was cut after {received} bytes, before the answer was whole; it is tried again",
        f"{where}: sambungan terputus setelah {received} bita, sebelum jawaban utuh; akan dicoba lagi",
    )


def _dripping(where: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{where}: the answer comes in at less than 1 kB a second; it is left and tried again",
        f"{where}: jawaban datang kurang dari 1 kB per detik; ditinggalkan dan akan dicoba lagi",
    )


def _too_slow(where: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{where}: no complete answer before the deadline; it is tried again",
        f"{where}: jawaban tidak lengkap sampai batas waktu; akan dicoba lagi",
    )


@contextmanager
def _named(where: str, sockets: Sockets) -> Iterator[None]:
    """What requests and urllib3 raise, as errors of ours by what happens next."""
    sockets.connected, sockets.reason, sockets.received = False, "", 0
    try:
        yield
    except CollectError:
        raise
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, zlib.error) as err:
        if sockets.cut_off:
            raise _too_slow(where) from err
        raise _failure(where, err, sockets) from err


def _failure(where: str, err: Exception, sockets: Sockets) -> SourceUnavailable:
    step = "connect"
    if isinstance(err, requests.exceptions.SSLError):
        reason = _certificate_reason(err, where, sockets)
        en, id = (f"the certificate is not accepted: {reason}; mend it, or declare ca_file",
                  f"sertifikat tidak diterima: {reason}; perbaiki, atau nyatakan ca_file")
    elif isinstance(err, requests.exceptions.ConnectTimeout):
        en, id = (f"no connection within {CONNECT_SECONDS:.0f} s; is it running and reachable?",
                  f"tidak tersambung dalam {CONNECT_SECONDS:.0f} detik; apakah sistemnya hidup?")
    elif sockets.reason and not sockets.connected:
        refused = "refused" in sockets.reason.lower()
        en, id = (f"the connection was {'refused' if refused else 'not possible'}; is the system running?",
                  f"sambungan {'ditolak' if refused else 'tidak mungkin'}; apakah sistemnya hidup?")
    elif isinstance(err, urllib3.exceptions.ReadTimeoutError | TimeoutError) and sockets.received:
        return _dripping(where)
    elif isinstance(err, CUT):
        return _cut(where, sockets.received)
    else:
        kind = type(err).__name__
        step, en, id = "read", f"the answer broke off or is not HTTP ({kind}); it is tried again", (
            f"jawaban terputus atau bukan HTTP ({kind}); akan dicoba lagi")
    return SourceUnavailable(f"{where}: {en}", f"{where}: {id}", step=step)


def _certificate_reason(err: BaseException, where: str, sockets: Sockets) -> str:
    """Why a certificate is refused, with the dates and the fingerprint of the one that was shown."""
    said = _verification(err)
    if said is None:
        return "TLS error"
    parts = urlsplit(where)
    told = described(
        sockets.addresses[0], parts.port or 443, parts.hostname or "", sockets.until - time.monotonic()
    ) if sockets.addresses else ""
    return f"{said} ({told})" if told else said


def _verification(err: BaseException | None) -> str | None:
    seen = err
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message
        for inner in (*seen.args, getattr(seen, "reason", None)):
            found = _verification(inner) if isinstance(inner, BaseException) and inner is not seen else None
            if found is not None:
                return found
        seen = seen.__cause__ or seen.__context__
    return None


def _check_status(where: str, response: requests.Response, said: str) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (401, 403, 407):
        raise SourceRejected(
            f"{where}: HTTP {status}: the credential is refused{said}; give a new one (tried again in 15 minutes)",
            f"{where}: HTTP {status}: kredensial ditolak{said}; berikan yang baru (dicoba lagi dalam 15 menit)", step="connect",
        )
    if 300 <= status < 400:
        to_en, to_id = _target(where, response.headers.get("Location", ""))
        raise SourceChanged(
            f"{where}: HTTP {status}: it redirects{to_en}, which is not followed; declare the final address",
            f"{where}: HTTP {status}: dialihkan{to_id}, dan itu tidak diikuti; nyatakan alamat akhirnya", step="connect",
        )
    wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC)) if status in (429, 503) else None
    kind = SourceUnavailable if status >= 500 or status in (408, 425, 429) else SourceChanged
    later = kind is SourceUnavailable
    en, id = ("it is tried again", "akan dicoba lagi") if later else (
        "check the address and its parameters", "periksa alamat dan parameternya")
    if wait:
        en, id = f"asked to wait {wait:.0f} s; {en}", f"diminta menunggu {wait:.0f} detik; {id}"
    raise kind(f"{where}: HTTP {status}{said}; {en}", f"{where}: HTTP {status}{said}; {id}", retry_after_seconds=wait)


def _target(where: str, location: str) -> tuple[str, str]:
    """Where a redirect leads, in words: another scheme, without TLS, another host (A14, A15, A16)."""
    here, there = urlsplit(where), urlsplit(urljoin(where, location))
    if (here.scheme, there.scheme) == ("https", "http"):
        return " to an address without TLS", " ke alamat tanpa TLS"
    if there.scheme not in ("http", "https"):
        return " to another scheme", " ke skema lain"
    if there.netloc.rpartition("@")[2] != here.netloc:
        return " to another host", " ke host lain"
    return "", ""


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header (seconds or an HTTP date), at most an hour; ``None`` for none or nonsense."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None
