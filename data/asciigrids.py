"""ASCII grids looked at before they are read: what GDAL would take for 0 without a word.

A grid that was cut off, or one that holds ``NA`` in a cell, is read as if nothing were there: dry. So the numbers are
counted and letters are refused. Decimal commas, Windows line ends and ``xllcenter`` are read as they should be.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from geo.errors import Fault, UnreadableError, refuse

KEYS = (b"ncols", b"nrows", b"xllcorner", b"yllcorner", b"xllcenter", b"yllcenter", b"dx", b"dy", b"cellsize",
        b"nodata_value")  # fmt: skip
"""What lines of the header begin with."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HEADER_BYTES = 1024
"""The header stands within so many bytes."""
CHUNK = 1 << 24
NUMERIC = b"0123456789+-.,eE \t\r\n\f\v"
NOT_A_NUMBER = b"nan"
SPACES = np.isin(np.arange(256, dtype=np.uint8), np.frombuffer(b" \t\r\n\f\v", dtype=np.uint8))


def begins(start: bytes) -> bool:
    """Whether a file that starts like this is an ASCII grid."""
    return start.removeprefix(BYTE_ORDER_MARK).lstrip().lower().startswith(KEYS)


def require_whole(path: Path) -> None:
    """UnreadableError for a grid with a byte order mark, with other than numbers in it, or with too few or too many."""
    faults = []
    with path.open("rb") as stream:
        start = stream.read(HEADER_BYTES)
        if start.startswith(BYTE_ORDER_MARK):
            faults.append(Fault("plain text", "a byte order mark first", str(path), "Save it without one (ANSI)."))
        header, size = _header(start)
        stream.seek(size)
        numbers, letters = _counted(iter(lambda: stream.read(CHUNK), b""))
    if letters:
        cure = "Write the nodata value where nothing is known."
        faults.append(Fault("numbers only", f"“{letters[:20]}” among them", str(path), cure))
    expected = header.get(b"ncols", 0) * header.get(b"nrows", 0)
    if not letters and expected and numbers != expected:
        found = f"{numbers:,}: the rest would have been read as 0" if numbers < expected else f"{numbers:,}"
        faults.append(Fault(f"{expected:,} numbers", found, str(path), "Export it again; it may be cut off."))
    refuse(UnreadableError, faults)


def _header(start: bytes) -> tuple[dict[bytes, int], int]:
    """Whole numbers of the header by key, and how many bytes it takes."""
    text, at, found = start.removeprefix(BYTE_ORDER_MARK), 0, {}
    for line in text.splitlines(keepends=True):
        words = line.split()
        if words and not words[0].lower().startswith(KEYS):
            break
        if len(words) > 1 and words[1].isdigit():
            found[words[0].lower()] = int(words[1])
        at += len(line)
    return found, at + len(start) - len(text)


def _counted(chunks: Iterator[bytes]) -> tuple[int, str]:
    """How many numbers there are, and what else stands among them."""
    numbers, inside, letters = 0, False, b""
    for chunk in chunks:
        space = SPACES[np.frombuffer(chunk, dtype=np.uint8)]
        begun = ~space & np.concatenate([[not inside], space[:-1]])
        numbers, inside = numbers + int(begun.sum()), not bool(space[-1])
        strange = chunk.lower().replace(NOT_A_NUMBER, b"").translate(None, NUMERIC)
        letters += strange[: 20 - len(letters)]
    return numbers, letters.decode("latin-1")
