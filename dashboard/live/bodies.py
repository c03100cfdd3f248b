"""Bodies of the black box: what was drawn, once per hash, packed. The hash is checked whenever one is read."""

from __future__ import annotations

import zstandard
from sqlalchemy import Connection, insert, select

from dashboard.errors import StoreError
from dashboard.live.frames import digest
from dashboard.store.tables_recordings import body

PLAIN, AGAINST = b"\x00", b"\x01"
HASH_BYTES = 16
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(
    9, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=True, write_checksum=False, write_dict_id=False
)
_MOST_SHAPES = 500
TOGETHER_MS = 60_000
"""States of one minute are packed against its first one, which is packed against the first of all: two steps to any of them."""


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
        return PLAIN + zstandard.ZstdCompressor(compression_params=_PARAMETERS).compress(content)
    dictionary = zstandard.ZstdCompressionDict(against[1], dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    packed = zstandard.ZstdCompressor(compression_params=_PARAMETERS, dict_data=dictionary).compress(content)
    return AGAINST + against[0] + packed


def unpack(connection: Connection, name: bytes) -> bytes:
    """A stored body by its hash (16 bytes). Raises ``BodyDamaged`` when it is not there or not what its hash says."""
    stored = connection.execute(select(body.c.zstd).where(body.c.hash == name)).scalar()
    if stored is None:
        raise BodyDamaged(name, "gone")
    kept = bytes(stored)
    try:
        if kept[:1] == PLAIN:
            content = _unpacker().decompress(kept[1:])
        else:
            base = unpack(connection, kept[1 : 1 + HASH_BYTES])
            dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            content = _unpacker(dictionary).decompress(kept[1 + HASH_BYTES :])
    except zstandard.ZstdError as err:
        raise BodyDamaged(name, "cannot be unpacked") from err
    if digest(content) != name.hex():
        raise BodyDamaged(name, "its hash is another")
    return content


def _unpacker(dictionary: zstandard.ZstdCompressionDict | None = None) -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(dict_data=dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS)


Named = tuple[bytes, bytes]
"""A body's hash and content."""


class Writer:
    """Keeps bodies: one is packed against another of its shape, so that a second state costs some tens of bytes."""

    def __init__(self) -> None:
        self._of_shape: dict[str, tuple[Named, int, Named]] = {}  # the first of all, a minute, the first of that minute

    def keep(self, connection: Connection, name: bytes, content: bytes, *, shape: str = "", at: int = 0) -> None:
        """Keep a body of an instant (epoch milliseconds) unless it is there; ``shape``: what it may be packed against.

        Inside a transaction that holds the recorder's lease row: what is found here cannot be thinned away meanwhile.
        """
        if _there(connection, name):
            return
        first, minute, begun = self._of_shape.get(shape, (None, 0, None))
        base = begun if at // TOGETHER_MS == minute else first
        if base is not None and not _there(connection, base[0]):
            first = base = None  # thinned away, or its transaction failed: this one becomes the first
        connection.execute(insert(body).values(hash=name, zstd=pack(content, against=base)))
        if not shape:
            return
        if len(self._of_shape) >= _MOST_SHAPES:
            self._of_shape.clear()
        if first is None or base is first:
            self._of_shape[shape] = (first or (name, content), at // TOGETHER_MS, (name, content))


def _there(connection: Connection, name: bytes) -> bool:
    return connection.execute(select(body.c.hash).where(body.c.hash == name)).first() is not None
