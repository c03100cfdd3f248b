"""Which addresses a source may reach, and the connection to exactly those: the only way out of the house.

A name is resolved once for a run; the address that was checked is the one that is connected to, so an answer that changes
to a private or metadata address in between (DNS rebinding) reaches nothing. Private ranges need an entry in the source's
``network``, for agencies often sit on 10/8.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from collectors.connector import Networks
from dashboard.errors import SourceChanged, SourceUnavailable

CONNECT_SECONDS = 5.0
RESOLVE_SECONDS = 10.0


def shown(url: str) -> str:
    """An address for messages: without credentials, query or fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def origin(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of an address."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def checked_addresses(host: str, port: int, networks: Networks, where: str, seconds: float = RESOLVE_SECONDS) -> list[str]:
    """The addresses of a host that may be reached: public ones, and private ones inside ``networks``.

    Raises ``SourceUnavailable`` when the name cannot be resolved, ``SourceChanged`` when an address is not allowed.
    """
    try:
        found = _resolved(host, port, seconds)
    except (OSError, UnicodeError) as err:
        raise SourceUnavailable(
            f"{where}: the name {host!r} cannot be resolved; check the address or the name server",
            f"{where}: nama {host!r} tidak ditemukan; periksa alamat atau server nama", step="connect",
        ) from err
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        public = mapped.is_global and not mapped.is_multicast
        if not public and not any(mapped in network for network in networks if network.version == mapped.version):
            raise SourceChanged(
                f"{where}: the address {text} is private and not in this source's network; add it if it is right",
                f"{where}: alamat {text} bersifat privat dan tidak ada dalam network sumber ini; tambahkan bila benar",
                step="connect",
            )
    return addresses


def _resolved(host: str, port: int, seconds: float) -> list[Any]:
    """``getaddrinfo`` in a thread of its own: a name server that hangs must not outlast the run (A2)."""
    answer: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as err:
            answer.set_exception(err)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(timeout=max(seconds, 0.0))


class Sockets:
    """Opens the sockets of one client, to checked addresses only, and cuts them at a deadline.

    It keeps a duplicate of each: TLS takes the original's descriptor away, and a shutdown works on any duplicate.
    """

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.until = 0.0  # time.monotonic() of the request under way
        self.cut_off = False
        self.connected = False
        self.reason = ""
        self.received = 0  # bytes of the body of the request under way
        self._open: list[socket.socket] = []

    def connect(self, port: int) -> socket.socket:
        """The first address that answers. Raises ``OSError`` of the last one that did not."""
        error: OSError | None = None
        ends = min(self.until, time.monotonic() + CONNECT_SECONDS * 2)
        for address in self.addresses:
            left = ends - time.monotonic()
            if left <= 0:
                break
            try:
                made = socket.create_connection((address, port), timeout=min(CONNECT_SECONDS, left))
            except OSError as err:
                error, self.reason = err, "timeout" if isinstance(err, TimeoutError) else str(err.strerror or err)
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.close()
            self._open.append(made.dup())
            self.connected = True
            return made
        raise error or TimeoutError("no time left to connect")

    def cut(self) -> None:
        """End whatever is under way: the reader gets an end of file or an error at once."""
        self.cut_off = True
        for made in self._open:
            try:
                made.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        """Give the duplicates back."""
        while self._open:
            self._open.pop().close()


def _pinned(sockets: Sockets, base: type[Any]) -> type[Any]:
    class Pinned(base):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            try:
                return sockets.connect(self.port)
            except TimeoutError as err:
                raise urllib3.exceptions.ConnectTimeoutError(self, "connect timed out") from err
            except OSError as err:
                raise urllib3.exceptions.NewConnectionError(self, str(err.strerror or err)) from err

    return Pinned


class PinnedAdapter(HTTPAdapter):
    """Connects to checked addresses only, keeping the host's name for Host and TLS."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools of pinned connections."""
        super().init_poolmanager(*args, **kwargs)
        http = type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _pinned(self._sockets, HTTPConnection)})
        https = type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": _pinned(self._sockets, HTTPSConnection)})
        self.poolmanager.pool_classes_by_scheme = {"http": http, "https": https}
