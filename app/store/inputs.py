"""Files of others taken into a study: under a safe name, with the small files that belong to them."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from pathlib import Path

import app.store.files as files
from data.study import StudyFile
from geo.errors import Fault, FileMissingError

DOUBLE_ENDINGS = (".osm.pbf", ".osm.xml", ".osm.gz", ".osm.bz2")
SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx")
RASTER = (".tif", ".tiff", ".asc")
BESIDE_RASTER = (".prj", ".tfw", ".tifw", ".wld")
"""Files that say where a raster lies, when it does not say so itself."""


def take_in(source: Path, folder: Path, stem: str) -> tuple[str, str]:
    """Copy a file into ``folder/inputs`` as ``stem`` and its ending; its path in ``folder`` and its digest.

    A Shapefile comes as one zip of its parts, a raster with the files beside it that say where it lies.
    """
    if not source.is_file():
        raise FileMissingError(Fault("a file", "none there", str(source), "Check the path."))
    ending = _ending(source)
    if ending == ".shp":
        target = folder / f"inputs/{stem}.zip"
        files.write(target, _zipped(source, stem))
    else:
        target = folder / f"inputs/{stem}{ending}"
        for beside in companions(source):
            files.copy(beside, target.with_suffix(beside.suffix.lower()))
        files.copy(source, target)
    return str(target.relative_to(folder)), input_digest(target)


def input_digest(path: Path) -> str:
    """SHA-256 (hex) of an input; of the digests of all its files when others belong to it."""
    parts = [files.digest(path), *(files.digest(beside) for beside in companions(path))]
    return parts[0] if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()


def companions(path: Path) -> list[Path]:
    """The files beside a raster that say where it lies."""
    if path.suffix.lower() not in RASTER:
        return []
    ends = [variant for end in BESIDE_RASTER for variant in (end, end.upper())]
    return [beside for end in ends if (beside := path.with_suffix(end)).is_file()]


def input_files(file: StudyFile, folder: Path) -> list[str]:
    """The files in a study's folder that its definition names, with those that belong to them; sorted paths in it."""
    named = [layer.file for layer in file.layers if layer.file] + ([file.boundary] if file.boundary else [])
    whole = {path for name in named for path in (folder / name, *companions(folder / name))}
    return sorted(path.relative_to(folder).as_posix() for path in whole)


def _ending(source: Path) -> str:
    """``.osm.pbf``, ``.tif``: what tells the kind of file, in plain letters."""
    name = source.name.lower()
    double = next((end for end in DOUBLE_ENDINGS if name.endswith(end)), None)
    return double or (source.suffix.lower() if re.fullmatch(r"\.[a-z0-9]{1,10}", source.suffix.lower()) else "")


def _zipped(source: Path, stem: str) -> bytes:
    """The parts of a Shapefile as a zip whose bytes depend on nothing but theirs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for end in SHAPEFILE:
            part = next((p for p in (source.with_suffix(end), source.with_suffix(end.upper())) if p.is_file()), None)
            if part is not None:
                archive.writestr(zipfile.ZipInfo(f"{stem}{end}"), part.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
