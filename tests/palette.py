"""A screenshot with 256 colours: a third of its bytes, and no eye sees the difference on a wall's flat colours."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

PIXELS = """async (png) => {
  const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height), context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const bytes = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [bitmap.width, bitmap.height, btoa(text)];
}"""
COLOURS = 256


def with_palette(page: Page, png: bytes, colours: int = COLOURS) -> bytes:
    """The same picture as a PNG with a palette of so many colours. ``page``: any page of a browser, which reads the pixels."""
    width, height, text = page.evaluate(PIXELS, base64.b64encode(png).decode())
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height * width, 4)[:, :3].astype(np.uint32)
    palette, places = _nearest(pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2], colours)
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = places.reshape(height, width)
    return b"".join([
        b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", palette.tobytes()), _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)), _chunk(b"IEND", b""),
    ])


def _nearest(colours: NDArray[np.uint32], most: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The palette (colours × 3) and each pixel's place in it: the most frequent colours that are not neighbours of one
    taken before; every other colour becomes its nearest."""
    found, which, counts = np.unique(colours, return_inverse=True, return_counts=True)
    parts = np.stack([found >> 16 & 255, found >> 8 & 255, found & 255], axis=1).astype(np.int32)
    coarse = parts // 12
    _, first = np.unique((coarse[:, 0] << 16 | coarse[:, 1] << 8 | coarse[:, 2])[np.argsort(-counts)], return_index=True)
    order = np.argsort(-counts)
    taken = np.concatenate([order[:most // 4], order[np.sort(first)]])
    _, once = np.unique(taken, return_index=True)
    palette = parts[taken[np.sort(once)][:most]]
    places = np.array([int(((palette - colour) ** 2).sum(axis=1).argmin()) for colour in parts], np.uint8)
    return palette.astype(np.uint8), places[which.reshape(-1)]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
