"""Packed files of one content (.gz, .bz2): refused before they are read when they unpack to more than a map does.

A gigabyte of zeros packs into a megabyte. Readers unpack as they read, so without looking first nobody would know.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from data import signatures
from data.limits import RATIO_FROM, ZIP_RATIO, ZIP_SIZE
from geo.errors import Fault, UnreadableError

OPENS: Mapping[bytes, Callable[[Path], gzip.GzipFile | bz2.BZ2File]] = {
    signatures.GZIP: gzip.GzipFile, signatures.BZIP2: bz2.BZ2File,
}  # fmt: skip
PIECE = 1 << 20
AGAIN = "Download or export it again; it may be cut off."


def require_modest(path: Path) -> None:
    """LimitError when a .gz or .bz2 unpacks to more than ``ZIP_RATIO`` or ``ZIP_SIZE`` allow; other files pass.

    It is unpacked to be sure, kept nowhere, up to the limit alone. Raises UnreadableError when it cannot be unpacked.
    """
    if not path.is_file():
        return
    with path.open("rb") as stream:
        start = stream.read(3)
    unpack = next((found for magic, found in OPENS.items() if start.startswith(magic)), None)
    if unpack is None:
        return
    most, unpacked = RATIO_FROM + ZIP_RATIO.most * path.stat().st_size, 0
    try:
        with unpack(path) as content:
            while piece := content.read(PIECE):
                unpacked += len(piece)
                ZIP_SIZE.require(unpacked, str(path))
                if unpacked > most:
                    raise ZIP_RATIO.exceeded(f"more than {ZIP_RATIO.most}", str(path))
    except (zlib.error, OSError, EOFError) as error:
        raise UnreadableError(Fault("a whole packed file", f"“{error}”", str(path), AGAIN)) from error
