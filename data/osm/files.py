"""OpenStreetMap files of any form, opened by what they hold rather than what they are called.

A file may be unsorted, hold an object twice, or hold objects drawn but never uploaded (negative ids): then a sorted
copy with positive ids is made in a temporary folder and read in its stead.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.io import File
from osmium.osm.types import OSMEntity

from data import signatures
from data.osm.raw import Header
from data.osm.values import day
from data.osm.wire import zero_in_text
from geo.errors import Fault, FileMissingError, RenxingError, UnreadableError

NEW_OBJECT = 1 << 40
"""Added to the number of an object that has no id of OpenStreetMap's yet; real ids are far below."""
EXPECTED = "an OpenStreetMap file (.osm.pbf, .osm, .osm.gz, .osm.bz2, .o5m)"
AGAIN = "Download or export it again; it may be cut off."
_FORMS = {
    signatures.GZIP: "osm.gz", signatures.BZIP2: "osm.bz2", b"<": "osm", b"\xef\xbb\xbf<": "osm", signatures.O5M: "o5m",
}  # fmt: skip
_UNPACK = "Unpack it, and give the .osm or .osm.pbf file that is inside."
_OTHERS = {
    signatures.ZIP: ("a zip archive", _UNPACK), signatures.XZ: ("a file packed with xz", _UNPACK),
    signatures.SEVEN_ZIP: ("a 7z archive", _UNPACK), signatures.ZSTD: ("a file packed with zstd", _UNPACK),
    signatures.RAR: ("a rar archive", _UNPACK),
    signatures.SQLITE: ("a database such as a GeoPackage", "Add its tables one by one, as streets, buildings, …"),
    **dict.fromkeys(signatures.TIFF, ("a raster (TIFF)", "")), signatures.PDF: ("a PDF", ""),
    signatures.SHAPEFILE: ("a Shapefile", "Add its zip as a layer of streets, buildings, …"),
    b"{": ("JSON", "Give the map as .osm.pbf or .osm, or add the GeoJSON as a layer of streets, buildings, …"),
}  # fmt: skip
"""What people give in the place of a map, by how it begins: what it is, and what to do."""
_UNPACKERS = {"osm.gz": cast("Opening", gzip.open), "osm.bz2": cast("Opening", bz2.open)}
Opening = Callable[[Path, str], IO[bytes]]
_PBF = b"OSMHeader"
HEAD_BYTES = 64
"""How much of a file tells its form."""
_META_DATE = re.compile(r"osm_base=\"([^\"]+)\"")


def opened(path: Path) -> File:
    """The file, with its form found from its first bytes; errors say what is wrong with it."""
    if not path.exists():
        raise FileMissingError(Fault(EXPECTED, "no such file", str(path), "Check the path."))
    if not path.is_file():
        raise UnreadableError(Fault(EXPECTED, "a folder", str(path)))
    with path.open("rb") as stream:
        form = _form(stream.read(HEAD_BYTES), path)
    if form in _UNPACKERS and (inside := _form(_unpacked_head(path, form), path)) != "osm":
        raise UnreadableError(Fault(EXPECTED, f"a packed file with {inside} inside", str(path), _UNPACK))
    return File(str(path), form)


def _form(start: bytes, path: Path) -> str:
    """The form of a file that begins like this."""
    if not start:
        raise UnreadableError(Fault(EXPECTED, "an empty file", str(path), AGAIN))
    if _PBF in start:
        return "pbf"
    if form := next((form for magic, form in _FORMS.items() if start.lstrip().startswith(magic)), None):
        return form
    what = next((said for magic, said in _OTHERS.items() if start.lstrip().startswith(magic)), None)
    found, cure = what or (f"something else, beginning {start[:16]!r}", "")
    raise UnreadableError(Fault(EXPECTED, found, str(path), cure))


def _unpacked_head(path: Path, form: str) -> bytes:
    try:
        with _UNPACKERS[form](path, "rb") as stream:
            return bytes(stream.read(HEAD_BYTES))
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(Fault("a complete OpenStreetMap file", f"“{error}”", str(path), AGAIN)) from error


def refuse_zero_in_text(path: Path) -> None:
    """UnreadableError for a .osm.pbf with text that would make libosmium crash."""
    with path.open("rb") as stream:
        is_pbf = _PBF in stream.read(HEAD_BYTES)
    if is_pbf and zero_in_text(path):
        found = "names or tags with a zero byte in them"
        raise UnreadableError(Fault("a complete OpenStreetMap file", found, str(path), AGAIN))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What libosmium says of a broken file, as an error for the planner."""
    try:
        yield
    except RenxingError:
        raise
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise UnreadableError(Fault("a complete OpenStreetMap file", f"“{error}”", str(path), AGAIN)) from error


def header(path: Path) -> Header:
    """The header, read without the rest."""
    with reading(path), osmium.io.Reader(opened(path), osmium.osm.NOTHING) as reader:
        found = reader.header()
        if found.has_multiple_object_versions:
            cure = "Export a plain extract of one moment."
            raise UnreadableError(Fault("the map of one moment", "a history or change file", str(path), cure))
        date = day(found.get("osmosis_replication_timestamp"))
        box = found.box()
        return Header(_bounds(box), date or _date_of_xml(path))


def _bounds(box: osmium.osm.Box) -> tuple[float, float, float, float] | None:
    if not box.valid():
        return None
    west, south, east, north = box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat
    return (west, south, east, north) if west < east and south < north else None


def _date_of_xml(path: Path) -> str | None:
    """Overpass says its date in an element that libosmium does not report."""
    with path.open("rb") as stream:
        found = _META_DATE.search(stream.read(2000).decode("utf-8", "replace"))
    return day(found[1]) if found else None


@contextmanager
def tidy_copy(path: Path, *, renumber: bool) -> Iterator[Path]:
    """A sorted copy, each object once in its newest version; gone afterwards.

    With ``renumber`` new objects are numbered upwards.
    """
    with TemporaryDirectory(prefix="renxing-osm-") as folder:
        positive, tidied = Path(folder) / "positive.osm.pbf", Path(folder) / "sorted.osm.pbf"
        with reading(path):
            (_write_positive if renumber else _write_again)(path, positive)
            merged = osmium.MergeInputReader()
            merged.add_file(str(positive))
            with osmium.SimpleWriter(str(tidied)) as writer:
                merged.apply(writer, simplify=True)
        yield tidied


def _write_again(path: Path, target: Path) -> None:
    """The same objects under a name that tells their form."""
    with osmium.io.Reader(opened(path)) as reader, osmium.SimpleWriter(str(target)) as writer:
        osmium.apply(reader, writer)


def _write_positive(path: Path, target: Path) -> None:
    with osmium.SimpleWriter(str(target)) as writer:
        for thing in osmium.FileProcessor(opened(path)):
            writer.add(_with_positive_ids(thing))


def _with_positive_ids(thing: OSMEntity) -> object:
    if isinstance(thing, osmium.osm.Way):
        return thing.replace(id=positive(thing.id), nodes=[positive(n.ref) for n in thing.nodes])
    if isinstance(thing, osmium.osm.Relation):
        members = [(m.type, positive(m.ref), m.role) for m in thing.members]
        return thing.replace(id=positive(thing.id), members=members)
    assert isinstance(thing, osmium.osm.Node)
    return thing.replace(id=positive(thing.id))


def positive(number: int) -> int:
    """A number for reading: new objects (negative) behind all others."""
    return number if number > 0 else NEW_OBJECT - number


def original(number: int) -> int:
    """The number in the file, from the one for reading."""
    return number if number < NEW_OBJECT else NEW_OBJECT - number


def originals(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers in the file, from those for reading."""
    return np.where(numbers < NEW_OBJECT, numbers, NEW_OBJECT - numbers)
