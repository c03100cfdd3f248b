"""The key behind pseudonyms: one per source, outside the stores, made once. Case ids themselves are never stored.

A pseudonym is HMAC-SHA-256 of the id, cut to 16 bytes: a plain hash of a small id space could be reversed.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from dashboard.errors import StoreError

KEY_BYTES = 32
PSEUDONYM_BYTES = 16


def key_of(data: Path, source: str) -> bytes:
    """The source's key, from ``<data>/keys/<source>`` (mode 0600), made when it is not there. Raises ``StoreError``."""
    folder = data / "keys"
    path = folder / source
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            fresh = folder / f".{source}.{os.getpid()}.{secrets.token_hex(4)}"
            number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)  # the first one wins, whoever else makes one at the same time
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = path.read_bytes()
    except OSError as err:
        raise StoreError(
            f"{path}: the key cannot be read or made ({err.strerror}); check its owner and rights",
            f"{path}: kunci tidak dapat dibaca atau dibuat ({err.strerror}); periksa pemilik dan haknya",
        ) from err
    if len(key) != KEY_BYTES:
        raise StoreError(f"{path}: not a key; restore it from a backup", f"{path}: bukan kunci; pulihkan dari cadangan")
    return key

