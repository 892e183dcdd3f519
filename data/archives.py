"""Zip files: which table lies in one, under the name a person gave it, taken out to a folder of its own.

Bombs are refused before anything is unpacked. Names written without saying in which encoding are recognised.
"""

from __future__ import annotations

import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data import encodings, limits
from geo.errors import Fault, LimitError, UnreadableError

BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)
"""What unpacking raises when a zip is broken, locked, or packed in a way that is not known (NotImplementedError)."""
TABLES = (".shp", ".gpkg", ".geojson", ".json", ".topojson", ".geojsonl", ".fgb", ".parquet", ".csv", ".txt", ".xlsx")
"""Endings of the files in a zip that may be a table."""
SIDES = (".shx", ".dbf", ".prj", ".cpg", ".cst")
"""What belongs to a Shapefile beside its ``.shp``."""
ONE = "layer"
"""What the table's file is called when it was taken out: its own name may be in any writing."""


@dataclass(frozen=True)
class Entry:
    """A file in a zip: its name as people see it, and the archive's record of it."""

    name: str
    record: zipfile.ZipInfo

    @property
    def ending(self) -> str:
        """In small letters, with the dot."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def stem(self) -> str:
        """The file's name without folder and ending."""
        return PurePosixPath(self.name).stem


def entries(path: Path) -> tuple[Entry, ...]:
    """The files in a zip. Raises UnreadableError when it is none, and LimitError for a bomb."""
    with unpacking(path), zipfile.ZipFile(path) as archive:
        records = archive.infolist()
    _require_small(records, path)
    named = (Entry(_name(record), record) for record in records if not record.is_dir())
    return tuple(e for e in named if not e.name.startswith("__MACOSX") and not e.stem.startswith("._"))


@contextmanager
def unpacking(path: Path) -> Iterator[None]:
    """What the zip module says of a broken file, as an error for the planner."""
    try:
        yield
    except (UnreadableError, LimitError):
        raise
    except BROKEN as error:
        raise UnreadableError(Fault("a whole zip file", f"“{error}”", str(path), "Zip it again.")) from error


def _require_small(records: Sequence[zipfile.ZipInfo], path: Path) -> None:
    """LimitError when a zip holds too many files, or more than a machine should unpack."""
    size, packed = sum(record.file_size for record in records), path.stat().st_size
    limits.ZIP_ENTRIES.require(len(records), str(path))
    limits.ZIP_SIZE.require(size, str(path))
    if size > limits.RATIO_FROM:
        limits.ZIP_RATIO.require(size // max(packed, 1), str(path))


def _name(record: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the flag for UTF-8, Python takes it for the old PC's character set."""
    if record.flag_bits & 0x800 or record.filename.isascii():
        return record.filename
    raw = record.filename.encode("cp437", "replace")
    guess = encodings.guessed([raw])
    return raw.decode(guess.encoding, "replace") if guess else record.filename


def in_zip(path: Path, endings: tuple[str, ...]) -> str:
    """The one file of these endings in a zip, as GDAL names it; raises what ``entries`` raises, and UnreadableError."""
    return f"/vsizip/{path}/{_one(path, endings, None).record.filename}"


def _one(path: Path, endings: Sequence[str], table: str | None) -> Entry:
    inside = [entry for entry in entries(path) if entry.ending in endings]
    if table is not None and len(inside) > 1:
        inside = [entry for entry in inside if table in (entry.stem, entry.name)]
    if len(inside) == 1:
        return inside[0]
    there = ", ".join(entry.name for entry in inside[:5])
    found = f"{len(inside)} ({there})" if inside else "none"
    cure = f"Zip it alone, or name one: --map table={inside[0].stem}." if inside else "Zip the table's files together."
    raise UnreadableError(Fault(f"one file {', '.join(endings)} in the zip", found, str(path), cure))


@contextmanager
def taken_out(path: Path, table: str | None) -> Iterator[Path]:
    """The one table in a zip (or the one called ``table``) as a file in a folder that lasts as long as the context.

    Raises what ``entries`` raises, and UnreadableError when there is not one.
    """
    chosen = _one(path, TABLES, table)
    sides = [e for e in entries(path) if e.ending in SIDES and _beside(e, chosen)] if chosen.ending == ".shp" else []
    with tempfile.TemporaryDirectory(prefix="renxing-") as folder, zipfile.ZipFile(path) as archive:
        with unpacking(path):
            for entry in (chosen, *sides):
                _take_out(archive, entry, Path(folder) / f"{ONE}{entry.ending}")
        yield Path(folder) / f"{ONE}{chosen.ending}"


def _take_out(archive: zipfile.ZipFile, entry: Entry, target: Path) -> None:
    """One file unpacked; UnreadableError when it is not as long as the zip says."""
    with archive.open(entry.record) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
        size = copy.tell()
    if size != entry.record.file_size:
        found, where = f"{size:,} of {entry.record.file_size:,} bytes of {entry.name}", str(archive.filename)
        raise UnreadableError(Fault("a whole zip file", found, where, "Zip it again."))


def _beside(entry: Entry, chosen: Entry) -> bool:
    """Whether two files of a zip are parts of one Shapefile, in whatever case they are written."""
    one, other = PurePosixPath(entry.name.lower()), PurePosixPath(chosen.name.lower())
    return (one.parent, one.stem) == (other.parent, other.stem)
