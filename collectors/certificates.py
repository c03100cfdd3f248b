"""What a certificate that was refused says of itself, for the message: its dates and its fingerprint (A17, A18).

It is fetched by a second handshake that checks nothing, over which nothing is sent and from which nothing is believed.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from datetime import UTC, datetime

SECONDS = 5.0
_SEQUENCE, _VERSION = 0x30, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18


def described(address: str, port: int, host: str, seconds: float = SECONDS) -> str:
    """"valid 2026-01-01 to 2027-01-01, SHA-256 AB:CD:…" of what a server shows; "" when it shows nothing in time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=max(0.1, min(SECONDS, seconds))) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return ""
    if not shown:
        return ""
    try:
        since, until = (f"{moment:%Y-%m-%d}" for moment in validity(shown))
        dates = f"valid {since} to {until}, "
    except (ValueError, IndexError):
        dates = ""
    digest = hashlib.sha256(shown).hexdigest().upper()
    return f"{dates}SHA-256 {':'.join(digest[at : at + 2] for at in range(0, len(digest), 2))}"


def validity(certificate: bytes) -> tuple[datetime, datetime]:
    """(not before, not after) of a DER certificate (RFC 5280 §4.1). Raises ``ValueError`` or ``IndexError`` for none.

    The standard library decodes a certificate only when it was accepted.
    """
    _, whole, _ = _element(certificate)
    _, signed, _ = _element(whole)
    tag, _, rest = _element(signed)
    if tag == _VERSION:
        _, _, rest = _element(rest)  # the serial number
    _, _, rest = _element(rest)  # the algorithm
    _, _, rest = _element(rest)  # the issuer
    tag, dates, _ = _element(rest)
    if tag != _SEQUENCE:
        raise ValueError("not a certificate")
    first, since, more = _element(dates)
    second, until, _ = _element(more)
    return _moment(first, since), _moment(second, until)


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """(tag, content, what follows) of a DER element."""
    tag, length, at = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, at = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    return tag, data[at : at + length], data[at + length :]


def _moment(tag: int, text: bytes) -> datetime:
    if tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise ValueError("not a time")
    told = text.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: 50 and more are of the last century (RFC 5280 §4.1.2.5.1)
        told = ("19" if int(told[:2]) >= 50 else "20") + told
    return datetime.strptime(told, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
