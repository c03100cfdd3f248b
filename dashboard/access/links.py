"""Single-use codes and tokens: made at random, spoken by people, stored as SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
CODE_LETTERS = 10
_SPOKEN = str.maketrans("ILO", "110", " -")


def hashed(secret: str) -> bytes:
    """What is stored of a code or a token."""
    return hashlib.sha256(secret.encode()).digest()


def letters() -> str:
    """A new code of 50 bits, for people: ``ABCDE-FGHJK``."""
    whole = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    return f"{whole[:5]}-{whole[5:]}"


def normal(code: str) -> str:
    """A code as typed by people: capitals, no spaces and dashes, I and L are 1, O is 0."""
    return code.upper().translate(_SPOKEN)[:64]
