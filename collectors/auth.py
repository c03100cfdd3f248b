"""How a request proves who we are. Only the secret's name is declared; its value is read anew for each run."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable
from typing import Literal

from pydantic import Field, field_validator

from collectors.connector import Options


class Named(Options):
    """A secret by its name."""

    secret: str = Field(min_length=1)


class Signature(Options):
    """How ``hmac`` signs: what is hashed, how it is written, in which headers it goes. Undeclared, as BPJS wants it.

    ``text``: what is signed; ``{user}`` and ``{stamp}`` stand for the id and the present UTC second (or millisecond).
    """

    text: str = "{user}&{stamp}"
    stamp: Literal["epoch", "epoch_ms"] = "epoch"
    digest: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["base64", "hex"] = "base64"
    user_header: str = "X-cons-id"
    stamp_header: str = "X-timestamp"
    signature_header: str = "X-signature"

    @field_validator("text")
    @classmethod
    def _changes_with_time(cls, value: str) -> str:
        if "{stamp}" not in value:
            raise ValueError("what is signed must hold {stamp}; a signature that never changes is a password")
        return value

    def headers(self, user: str, secret: str, now: float) -> dict[str, str]:
        """The three headers of a request at ``now`` (epoch seconds)."""
        stamp = str(int(now * 1000) if self.stamp == "epoch_ms" else int(now))
        text = self.text.replace("{user}", user).replace("{stamp}", stamp)
        signed = hmac.digest(secret.encode(), text.encode(), self.digest)
        written = signed.hex() if self.encoding == "hex" else base64.b64encode(signed).decode()
        return {self.user_header: user, self.stamp_header: stamp, self.signature_header: written}


class Auth(Options):
    """``secret`` is the secret's name, never its value. ``user``: of basic, and the id that hmac signs; ``name``: of header.

    ``also``: further headers whose values are secrets, as in ``also = { user_key = { secret = "bpjs_user_key" } }``.
    """

    kind: Literal["none", "basic", "bearer", "header", "hmac"] = "none"
    secret: str = ""
    user: str = ""
    name: str = "X-API-Key"
    signature: Signature = Signature()
    also: dict[str, Named] = Field(default_factory=dict)


def credentials(auth: Auth, secret_of: Callable[[str], str]) -> tuple[dict[str, str], tuple[str, str] | None]:
    """(headers, user and password of basic) for one request."""
    more = {header: secret_of(named.secret) for header, named in auth.also.items()}
    if auth.kind == "none":
        return more, None
    secret = secret_of(auth.secret)
    if auth.kind == "basic":
        return more, (auth.user, secret)
    if auth.kind == "bearer":
        return {"Authorization": f"Bearer {secret}", **more}, None
    if auth.kind == "header":
        return {auth.name: secret, **more}, None
    return {**auth.signature.headers(auth.user, secret, time.time()), **more}, None


def secrets_in(auth: Auth, secret_of: Callable[[str], str]) -> list[str]:
    """The values that ``auth`` uses, to be blotted out where a source echoes them."""
    names = [auth.secret] * (auth.kind != "none") + [named.secret for named in auth.also.values()]
    return [secret_of(name) for name in names]
