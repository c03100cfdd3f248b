"""How a request proves who we are. Only the secret's name is declared; its value is read anew for each run."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Literal

from collectors.connector import Options


class Auth(Options):
    """``secret`` is the secret's name, never its value. ``user``: of basic, and the id that hmac signs.

    ``hmac``: SHA-256 over id, "&" and the UTC epoch second, in ``X-cons-id``, ``X-timestamp``, ``X-signature``, as BPJS signs.
    """

    kind: Literal["none", "basic", "bearer", "header", "hmac"] = "none"
    secret: str = ""
    user: str = ""
    name: str = "X-API-Key"


def credentials(auth: Auth, secret_of: Callable[[str], str]) -> tuple[dict[str, str], tuple[str, str] | None]:
    """(headers, user and password of basic) for one request."""
    if auth.kind == "none":
        return {}, None
    secret = secret_of(auth.secret)
    if auth.kind == "basic":
        return {}, (auth.user, secret)
    if auth.kind == "bearer":
        return {"Authorization": f"Bearer {secret}"}, None
    if auth.kind == "header":
        return {auth.name: secret}, None
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"{auth.user}&{stamp}".encode(), hashlib.sha256).digest()
    return {"X-cons-id": auth.user, "X-timestamp": stamp, "X-signature": base64.b64encode(digest).decode()}, None
