"""A look at the bytes of a PBF file before libosmium reads it: text with a zero byte in it makes libosmium crash.

What cannot be followed here (another packing, a broken block) is left to libosmium, which refuses it with words.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK_MAX_BYTES = 64 << 20
"""Twice what the format allows for an unpacked block."""
LAST_BYTE_MAX, LENGTH_BITS_MAX = 127, 28
"""The last byte of a number has no highest bit; no text is longer than fits these bits."""
_RAW, _ZLIB, _LZMA = 1, 3, 4
_KIND, _LENGTH, _STRINGS = 1, 3, 1
_BYTES_FOLLOW = 2


def zero_in_text(path: Path) -> bool:
    """Whether some text of a PBF file holds a zero byte."""
    with path.open("rb") as stream:
        try:
            return any(_zero_in_text(block) for block in _blocks(stream))
        except (IndexError, ValueError, zlib.error, lzma.LZMAError):
            return False


def _zero_in_text(block: bytes) -> bool:
    tables = ((start, end) for number, start, end in _fields(block, 0, len(block)) if number == _STRINGS)
    # The length of the empty text that a table begins with is a zero too.
    return any(
        block.count(b"\0", start, end) > 1 and bool(_zero_in_table(np.frombuffer(block, np.uint8)[start:end]))
        for start, end in tables
    )


@njit(cache=True)
def _zero_in_table(table: NDArray[np.uint8]) -> bool:
    """Whether a text of a string table holds a zero; every step stays within it, whatever is written there."""
    at, end = 1, len(table)
    while at < end:
        length, shift = np.int64(0), 0
        while at < end and table[at] > LAST_BYTE_MAX and shift < LENGTH_BITS_MAX:
            length |= np.int64(table[at] & LAST_BYTE_MAX) << shift
            at, shift = at + 1, shift + 7
        if at >= end:
            return False
        length |= np.int64(table[at]) << shift
        at += 1
        stop = min(at + int(length), end)
        while at < stop:
            if table[at] == 0:
                return True
            at += 1
        at += 1
    return False


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The unpacked blocks of data of a file."""
    while size := int.from_bytes(stream.read(4), "big"):
        head = stream.read(min(size, BLOCK_MAX_BYTES))
        about = {number: (start, end) for number, start, end in _fields(head, 0, len(head))}
        blob = stream.read(min(about[_LENGTH][0], BLOCK_MAX_BYTES) if _LENGTH in about else 0)
        if _KIND in about and head[slice(*about[_KIND])] == b"OSMData":
            yield from (_unpacked(number, blob[start:end]) for number, start, end in _fields(blob, 0, len(blob)))


def _unpacked(number: int, packed: bytes) -> bytes:
    if number == _ZLIB:
        return zlib.decompressobj().decompress(packed, BLOCK_MAX_BYTES)
    if number == _LZMA:
        return lzma.LZMADecompressor().decompress(packed, BLOCK_MAX_BYTES)
    return packed if number == _RAW else b""


def _fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Fields of a message: number, and where its bytes begin and end, or the value (twice) of a plain number."""
    while start < end:
        tag, start = _number(data, start)
        value, start = _number(data, start)
        if tag & 7 == _BYTES_FOLLOW:
            yield tag >> 3, start, min(start + value, end)
            start += value
        else:
            yield tag >> 3, value, value


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] > LAST_BYTE_MAX:
        value |= (data[at] & LAST_BYTE_MAX) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1
