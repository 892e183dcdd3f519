"""OpenStreetMap files of any form, opened by what they hold rather than what they are called.

A file may be unsorted, hold an object twice, or hold objects drawn but never uploaded (negative ids): then a sorted
copy with positive ids is made in a temporary folder and read in its stead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import osmium
from osmium.io import File
from osmium.osm.types import OSMEntity

from data.osm.raw import Header
from data.osm.values import day
from geo.errors import Fault, FileMissingError, UnreadableError

NEW_OBJECT = 1 << 40
"""Added to the number of an object that has no id of OpenStreetMap's yet; real ids are far below."""
EXPECTED = "an OpenStreetMap file (.osm.pbf, .osm, .osm.gz, .osm.bz2)"
AGAIN = "Download or export it again; it may be cut off."
_MAGIC = {b"\x1f\x8b": "osm.gz", b"BZh": "osm.bz2", b"<": "osm", b"\xef\xbb\xbf<": "osm"}
_PBF = b"OSMHeader"
_META_DATE = re.compile(r"osm_base=\"([^\"]+)\"")


def opened(path: Path) -> File:
    """The file, with its form found from its first bytes; errors say what is wrong with it."""
    if not path.exists():
        raise FileMissingError(Fault(EXPECTED, "no such file", str(path), "Check the path."))
    if not path.is_file():
        raise UnreadableError(Fault(EXPECTED, "a folder", str(path)))
    with path.open("rb") as stream:
        start = stream.read(64)
    if not start:
        raise UnreadableError(Fault(EXPECTED, "an empty file", str(path), AGAIN))
    form = "pbf" if _PBF in start else next((f for m, f in _MAGIC.items() if start.lstrip().startswith(m)), None)
    if form is None:
        raise UnreadableError(Fault(EXPECTED, f"something else, beginning {start[:16]!r}", str(path)))
    return File(str(path), form)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What libosmium says of a broken file, as an error for the planner."""
    try:
        yield
    except RuntimeError as error:
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
def tidy_copy(path: Path) -> Iterator[Path]:
    """A sorted copy, each object once in its newest version, new objects numbered upwards; gone afterwards."""
    with TemporaryDirectory(prefix="renxing-osm-") as folder:
        positive, tidied = Path(folder) / "positive.osm.pbf", Path(folder) / "sorted.osm.pbf"
        with reading(path):
            _write_positive(path, positive)
            merged = osmium.MergeInputReader()
            merged.add_file(str(positive))
            with osmium.SimpleWriter(str(tidied)) as writer:
                merged.apply(writer, simplify=True)
        yield tidied


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
