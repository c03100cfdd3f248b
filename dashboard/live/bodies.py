"""Bodies of the black box: what was drawn, once per hash, packed. The hash is checked whenever one is read."""

from __future__ import annotations

import zstandard
from sqlalchemy import Connection, insert, select

from dashboard.errors import StoreError
from dashboard.live.frames import digest
from dashboard.store.tables import body

PLAIN, AGAINST = b"\x00", b"\x01"
HASH_BYTES = 16
_LEVEL = 9
_MOST_SHAPES = 500


class BodyDamaged(StoreError):
    """A kept body is not there, cannot be unpacked, or is not what its hash says: it must not be shown."""

    def __init__(self, name: bytes, why: str) -> None:
        super().__init__(
            f"recording {name.hex()} is damaged ({why}); it is not shown. Restore the recordings from a backup to see it",
            f"rekaman {name.hex()} rusak ({why}); tidak ditampilkan. Pulihkan rekaman dari cadangan untuk melihatnya",
        )
        self.name = name


def pack(content: bytes, *, against: tuple[bytes, bytes] | None = None) -> bytes:
    """A body as stored. ``against``: (hash, content) of a stored body that it is likely to resemble."""
    if against is None:
        return PLAIN + zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    dictionary = zstandard.ZstdCompressionDict(against[1], dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return AGAINST + against[0] + zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary).compress(content)


def unpack(connection: Connection, name: bytes) -> bytes:
    """A stored body by its hash (16 bytes). Raises ``BodyDamaged`` when it is not there or not what its hash says."""
    stored = connection.execute(select(body.c.zstd).where(body.c.hash == name)).scalar()
    if stored is None:
        raise BodyDamaged(name, "gone")
    kept = bytes(stored)
    try:
        if kept[:1] == PLAIN:
            content = zstandard.ZstdDecompressor().decompress(kept[1:])
        else:
            base = unpack(connection, kept[1 : 1 + HASH_BYTES])
            dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            content = zstandard.ZstdDecompressor(dict_data=dictionary).decompress(kept[1 + HASH_BYTES :])
    except zstandard.ZstdError as err:
        raise BodyDamaged(name, "cannot be unpacked") from err
    if digest(content) != name.hex():
        raise BodyDamaged(name, "its hash is another")
    return content


class Writer:
    """Keeps bodies: one is packed against the first body of its shape, so that a second state costs some tens of bytes."""

    def __init__(self) -> None:
        self._first_of_shape: dict[str, tuple[bytes, bytes]] = {}

    def keep(self, connection: Connection, name: bytes, content: bytes, shape: str = "") -> None:
        """Keep a body unless it is there; ``shape``: pack it against the first body of that shape.

        Inside a transaction that holds the recorder's lease row: what is found here cannot be thinned away meanwhile.
        """
        if _there(connection, name):
            return
        first = self._first_of_shape.get(shape) if shape else None
        if first is not None and not _there(connection, first[0]):
            first = None  # thinned away: this one becomes the first
        connection.execute(insert(body).values(hash=name, zstd=pack(content, against=first)))
        if shape and first is None:
            if len(self._first_of_shape) >= _MOST_SHAPES:
                self._first_of_shape.clear()
            self._first_of_shape[shape] = (name, content)


def _there(connection: Connection, name: bytes) -> bool:
    return connection.execute(select(body.c.hash).where(body.c.hash == name)).first() is not None
