"""The one HTTP client: a total deadline by our own clock, caps, addresses checked and pinned, no redirects, strict text.

``requests``' own ``timeout`` lets a dripping body run for ever, its ``content`` unpacks a bomb into memory, and it follows
redirects with custom headers: so the body is streamed under caps, a timer cuts the socket at the deadline, and the address
that was checked is the one that is connected to.
"""

from __future__ import annotations

import ipaddress
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from collectors.connector import Networks
from dashboard.errors import CollectError, SourceChanged, SourceRejected, SourceUnavailable

CONNECT_SECONDS = 5.0
MOST_WIRE = 50 * 1024 * 1024
MOST_UNPACKED = 200 * 1024 * 1024
MOST_RATIO = 200
RATIO_FROM = 1024 * 1024
LONGEST_RETRY_AFTER = 3600.0
TRIES = 3
FIRST_PAUSE_SECONDS = 0.4
SHOWN_CHARACTERS = 200


def shown(url: str) -> str:
    """An address for messages: without credentials, query or fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def origin(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of an address."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def checked_addresses(host: str, port: int, networks: Networks, where: str) -> list[str]:
    """The addresses of a host that may be reached: public ones, and private ones inside ``networks``.

    Raises ``SourceUnavailable`` when the name cannot be resolved, ``SourceChanged`` when an address is not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as err:
        raise SourceUnavailable(
            f"{where}: the name {host!r} cannot be resolved; check the address or the name server",
            f"{where}: nama {host!r} tidak ditemukan; periksa alamat atau server nama", step="connect",
        ) from err
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        if not mapped.is_global and not any(mapped in network for network in networks if network.version == mapped.version):
            raise SourceChanged(
                f"{where}: the address {text} is private and not in this source's network; add it if it is right",
                f"{where}: alamat {text} bersifat privat dan tidak ada dalam network sumber ini; tambahkan bila benar",
                step="connect",
            )
    return addresses


class _Sockets:
    """The sockets that one request opened, so that the deadline can cut them."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.open: list[socket.socket] = []
        self.cut_off = False

    def connect(self, port: int, timeout: float) -> socket.socket:
        error: OSError | None = None
        for address in self.addresses:
            try:
                made = socket.create_connection((address, port), timeout=timeout)
            except OSError as err:
                error = err
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open.append(made)
            return made
        raise error or OSError("no address")

    def cut(self) -> None:
        self.cut_off = True
        for made in self.open:
            try:
                made.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _pinned(sockets: _Sockets, base: type[Any]) -> type[Any]:
    class Pinned(base):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            try:
                return sockets.connect(self.port, CONNECT_SECONDS)
            except TimeoutError as err:
                raise urllib3.exceptions.ConnectTimeoutError(self, "connect timed out") from err
            except OSError as err:
                raise urllib3.exceptions.NewConnectionError(self, str(err.strerror or err)) from err

    return Pinned


class _PinnedAdapter(HTTPAdapter):
    """Connects to checked addresses only, keeping the host's name for Host and TLS."""

    def __init__(self, sockets: _Sockets) -> None:
        self._sockets = sockets
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        http = type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _pinned(self._sockets, HTTPConnection)})
        https = type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": _pinned(self._sockets, HTTPSConnection)})
        self.poolmanager.pool_classes_by_scheme = {"http": http, "https": https}


class Answer:
    """A whole answer within its caps: status, headers, bytes, and where it came from (for messages)."""

    def __init__(self, where: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.where, self.status, self.headers, self.body = where, status, headers, body

    def text(self, charset: str | None = None) -> str:
        """The body in strict UTF-8 (a mark at the start is dropped) or the declared charset. Raises ``SourceChanged``."""
        try:
            return self.body.decode(charset or "utf-8-sig")
        except (UnicodeDecodeError, LookupError) as err:
            raise SourceChanged(
                f"{self.where}: not {charset or 'UTF-8'} text; declare its charset",
                f"{self.where}: bukan teks {charset or 'UTF-8'}; nyatakan charset-nya", step="parse",
            ) from err

    def json(self, charset: str | None = None) -> Any:
        """The body as strict JSON: no NaN, no key twice. Raises ``SourceChanged`` with where it stopped."""
        text = self.text(charset)
        if "html" in self.headers.get("Content-Type", "").lower() or text.lstrip()[:1] == "<":
            raise SourceChanged(
                f"{self.where}: expected JSON, got HTML or XML; a login or error page?",
                f"{self.where}: diharapkan JSON, tetapi diterima HTML atau XML; halaman masuk atau galat?", step="parse",
            )
        try:
            return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_no_key_twice)
        except RecursionError as err:
            raise SourceChanged(f"{self.where}: JSON is nested too deeply", f"{self.where}: JSON bersarang terlalu dalam", step="parse") from err
        except json.JSONDecodeError as err:
            raise SourceChanged(
                f"{self.where}: not JSON from character {err.pos} on", f"{self.where}: bukan JSON mulai karakter ke-{err.pos}", step="parse"
            ) from err
        except ValueError as err:
            raise SourceChanged(f"{self.where}: {err}", f"{self.where}: JSON tidak sah: {err}", step="parse") from err


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


class Client:
    """Fetches from one origin for one source, until ``deadline`` (``time.monotonic()``)."""

    def __init__(
        self, *, networks: Networks, deadline: float, ca_file: str | None = None, most_wire: int = MOST_WIRE,
        most_unpacked: int = MOST_UNPACKED, pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.networks, self.deadline, self.ca_file = networks, deadline, ca_file
        self.most_wire, self.most_unpacked, self.pause = most_wire, most_unpacked, pause

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """One answer with status 200, tried up to three times with growing jittered pauses while the deadline allows.

        Raises ``SourceUnavailable``, ``SourceRejected`` (401, 403, 407: never tried again here), ``SourceChanged``.
        """
        for number in range(1, TRIES + 1):
            try:
                return self._once(url, params, headers, auth)
            except SourceUnavailable as err:
                pause = err.retry_after_seconds or FIRST_PAUSE_SECONDS * 2 ** (number - 1) * random.uniform(0.5, 1.5)
                if number == TRIES or time.monotonic() + pause + 1 > self.deadline or err.retry_after_seconds:
                    raise
                self.pause(pause)
        raise AssertionError("unreachable")

    def _once(
        self, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None, auth: tuple[str, str] | None
    ) -> Answer:
        where = shown(url)
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise _too_slow(where)
        scheme, host, port = origin(url)
        if scheme not in ("http", "https") or not host:
            raise SourceChanged(f"{where}: not an http address", f"{where}: bukan alamat http", step="connect")
        sockets = _Sockets(checked_addresses(host, port, self.networks, where))
        with requests.Session() as session, _alarm(left, sockets), _named(where, sockets):
            session.trust_env = False
            session.auth = auth
            session.mount(f"{scheme}://", _PinnedAdapter(sockets))
            response = session.get(
                url, params=params, headers={"Accept-Encoding": "gzip, deflate", **(headers or {})}, stream=True,
                allow_redirects=False, timeout=(min(CONNECT_SECONDS, left), left), verify=self.ca_file or True,
            )
            with response:
                _check_status(where, response)
                return Answer(where, response.status_code, response.headers, self._body(where, response))

    def _body(self, where: str, response: requests.Response) -> bytes:
        parts: list[bytes] = []
        unpacked = 0
        for part in response.iter_content(65536):
            unpacked += len(part)
            wire = response.raw.tell()
            if wire > self.most_wire or unpacked > self.most_unpacked or (
                unpacked > RATIO_FROM and unpacked > MOST_RATIO * max(wire, 1)
            ):
                limit = f"{self.most_wire // 1_000_000} MB" if wire > self.most_wire else f"{self.most_unpacked // 1_000_000} MB unpacked"
                raise SourceUnavailable(
                    f"{where}: the answer is more than {limit}, or unpacks {MOST_RATIO}-fold; ask for smaller pages",
                    f"{where}: jawaban lebih dari {limit}, atau mengembang {MOST_RATIO} kali; minta halaman lebih kecil",
                )
            parts.append(part)
        return b"".join(parts)


@contextmanager
def _alarm(seconds: float, sockets: _Sockets) -> Iterator[None]:
    timer = threading.Timer(seconds, sockets.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _too_slow(where: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{where}: no complete answer before the run's deadline; it is tried again",
        f"{where}: jawaban tidak lengkap sampai batas waktu; akan dicoba lagi",
    )


@contextmanager
def _named(where: str, sockets: _Sockets) -> Iterator[None]:
    """What requests and urllib3 raise, as errors of ours by what happens next."""
    try:
        yield
    except CollectError:
        raise
    except requests.exceptions.SSLError as err:
        if sockets.cut_off:
            raise _too_slow(where) from err
        reason = _certificate_reason(err)
        raise SourceUnavailable(
            f"{where}: the certificate is not accepted: {reason}; mend it, or declare ca_file",
            f"{where}: sertifikat tidak diterima: {reason}; perbaiki, atau nyatakan ca_file", step="connect",
        ) from err
    except requests.exceptions.ConnectTimeout as err:
        raise SourceUnavailable(
            f"{where}: no connection within {CONNECT_SECONDS:.0f} s; is it running and reachable?",
            f"{where}: tidak tersambung dalam {CONNECT_SECONDS:.0f} detik; apakah sistemnya hidup?", step="connect",
        ) from err
    except requests.exceptions.ConnectionError as err:
        if sockets.cut_off:
            raise _too_slow(where) from err
        step, en, id = ("read", "the connection was cut", "sambungan terputus") if sockets.open else (
            "connect", "the connection was refused or not possible", "sambungan ditolak atau tidak mungkin")
        raise SourceUnavailable(f"{where}: {en}; it is tried again", f"{where}: {id}; akan dicoba lagi", step=step) from err
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as err:
        if sockets.cut_off:
            raise _too_slow(where) from err
        raise SourceUnavailable(
            f"{where}: the answer broke off or is not HTTP ({type(err).__name__}); it is tried again",
            f"{where}: jawaban terputus atau bukan HTTP ({type(err).__name__}); akan dicoba lagi",
        ) from err


def _certificate_reason(err: BaseException) -> str:
    seen: BaseException | None = err
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message
        for inner in seen.args:
            if isinstance(inner, ssl.SSLCertVerificationError):
                return inner.verify_message
            reason = getattr(inner, "reason", None)
            if isinstance(reason, BaseException):
                return _certificate_reason(reason)
        seen = seen.__cause__ or seen.__context__
    return "TLS error"


def _check_status(where: str, response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (401, 403, 407):
        raise SourceRejected(
            f"{where}: HTTP {status}: the credential is refused; give a new one (tried again in 15 minutes)",
            f"{where}: HTTP {status}: kredensial ditolak; berikan yang baru (dicoba lagi dalam 15 menit)", step="connect",
        )
    if 300 <= status < 400:
        raise SourceChanged(
            f"{where}: HTTP {status}: it redirects, which is not followed; declare the final address",
            f"{where}: HTTP {status}: dialihkan, dan itu tidak diikuti; nyatakan alamat akhirnya", step="connect",
        )
    wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC)) if status in (429, 503) else None
    kind = SourceUnavailable if status >= 500 or status in (408, 425, 429) else SourceChanged
    raise kind(
        f"{where}: HTTP {status}" + (f"; asked to wait {wait:.0f} s" if wait else ""),
        f"{where}: HTTP {status}" + (f"; diminta menunggu {wait:.0f} detik" if wait else ""), retry_after_seconds=wait,
    )


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
