"""Which form a table's file has, told by its first bytes, and the one driver that may open it.

A name proves nothing: a file called ``a.shp`` can hold a list of addresses to fetch. GDAL is given a prefix where it
knows one (``GeoJSON:``); where it does not, the first bytes leave one driver, and it is asked which it took.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from data import archives, signatures
from geo.errors import Fault, FileMissingError, UnreadableError

EMPTY = "an empty file"
EXPECTED = "a GeoJSON, TopoJSON, GeoPackage, Shapefile (zipped), FlatGeobuf, GeoParquet, CSV or Excel (.xlsx) file"
DRIVERS = {
    "gpkg": "GPKG", "shp": "ESRI Shapefile", "fgb": "FlatGeobuf", "geojson": "GeoJSON", "geojsonl": "GeoJSONSeq",
    "topojson": "TopoJSON",
}  # fmt: skip
"""Forms that GDAL reads, each with the one driver that may."""
PREFIXED = frozenset({"geojson", "geojsonl", "topojson"})
"""Forms whose driver is named in front of the path."""
START_BYTES = 4096
_FORMS = {
    signatures.SQLITE: "gpkg", signatures.SHAPEFILE: "shp", signatures.FLATGEOBUF: "fgb",
    signatures.PARQUET: "parquet", signatures.ZIP: "zip",
}  # fmt: skip
SAVE_AS = "Save it in QGIS as GeoPackage (Layer > Save As)."
_OTHERS: dict[bytes, tuple[str, str]] = {
    **dict.fromkeys(signatures.TIFF, ("a raster (TIFF)", "")),
    signatures.OLD_EXCEL: ("an Excel file of the old form (.xls)", "Open it and save it as .xlsx."),
    signatures.RAR: ("a RAR archive", "Unpack it and zip the table's files."),
    signatures.SEVEN_ZIP: ("a 7-Zip archive", "Unpack it and zip the table's files."),
    signatures.GZIP: ("a gzip archive", "Unpack it."),
    signatures.DWG: ("a DWG drawing", SAVE_AS),
    signatures.PDF: ("a PDF", "Ask for the table itself, as a spreadsheet."),
    signatures.PNG: ("a picture", ""),
    signatures.JPEG: ("a picture", ""),
}
"""Starts of what is no table here: what it is, and what to do."""
_MARKUP: dict[bytes, tuple[str, str]] = {
    b"<kml": ("a KML file, which says nothing of columns", SAVE_AS),
    b"<html": ("a web page that may be called .xls", "Open it in a spreadsheet and save it as .xlsx."),
    b"<table": ("a web page that may be called .xls", "Open it in a spreadsheet and save it as .xlsx."),
    b"excel.sheet": ("an Excel file of an old form (XML)", "Open it and save it as .xlsx."),
    b"opengis.net/gml": ("a GML file", SAVE_AS),
}
_BROKEN: Mapping[str, str] = {
    r"\.shx|SHAPE_RESTORE_SHX": "no .shx that fits",
    r"\.dbf": "no .dbf that fits",
    r"geojson data|unterminated": "JSON that is cut off or damaged",
    r"malformed|not a database|corrupt": "a damaged file",
    r"truncat|unexpected end|premature|error reading|short read|eof|fread|TIFFFill|TIFFRead|IReadBlock|Read ?failed":
        "a file that is cut off or damaged",
    r"not recogni[sz]ed|unable to open|failed to open|cannot open|parse error|parsing":
        "a file that is cut off, damaged or of another form",
}  # fmt: skip
"""What readers in C say of a broken file (a pattern), and what that means."""
_GEOJSON = frozenset({
    "FeatureCollection", "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
    "GeometryCollection",
})  # fmt: skip
_TYPE = re.compile(rb'"type"\s*:\s*"(\w+)"')


def told(path: Path, *, where: str) -> str:
    """The form of a file: one of ``DRIVERS``, ``parquet``, ``csv``, ``xlsx`` or ``zip``.

    Raises FileMissingError, and UnreadableError with what the file is instead and what to do about it.
    """
    if not path.exists():
        raise FileMissingError(Fault(EXPECTED, "no such file", where, "Check the path."))
    if path.is_dir():
        raise UnreadableError(Fault(EXPECTED, "a folder", where, _for_folder(path)))
    if not path.is_file():
        raise UnreadableError(Fault(EXPECTED, "a pipe or a device", where, "Give a file."))
    with path.open("rb") as stream:
        start = stream.read(START_BYTES)
    form = next((form for magic, form in _FORMS.items() if start.startswith(magic)), None) or _of_text(start)
    if form == "zip":
        form = _of_zip(path)
    if form is None:
        found, cure = _instead(start)
        raise UnreadableError(Fault(EXPECTED, found, where, cure))
    return form


def broken(error: Exception) -> str:
    """What is wrong with a file, in plain words for the usual cases; else what its reader said."""
    said = str(error)
    plain = (words for pattern, words in _BROKEN.items() if re.search(pattern, said, re.IGNORECASE))
    return next(plain, f"“{said}”")


def source(path: Path, form: str) -> str:
    """The file as GDAL is to be given it."""
    return f"{DRIVERS[form]}:{path}" if form in PREFIXED else str(path)


def _for_folder(path: Path) -> str:
    return SAVE_AS if path.suffix.lower() == ".gdb" else "Give one file, or zip the table's files."


def _instead(start: bytes) -> tuple[str, str]:
    """What a file is that is no table here, and what to do."""
    if not start:
        return EMPTY, ""
    for magic, said in _OTHERS.items():
        if start.startswith(magic):
            return said
    text = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if text.startswith(b"<"):
        return next((said for mark, said in _MARKUP.items() if mark in text), ("a file of markup (XML)", SAVE_AS))
    if text.startswith((b"{", b"[")):
        return "JSON that is not GeoJSON", f"Export features as GeoJSON. {SAVE_AS}"
    return f"something else, beginning {start[:12]!r}", ""


def _of_text(start: bytes) -> str | None:
    """The form of a text file; None for what is none of ours."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "csv"
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"{", b"\x1e")):
        return _of_json(text)
    if (
        not text
        or b"\0" in start
        or text.startswith((b"<", b"[", signatures.PDF))
        or _instead(start)[0].startswith("a ")
    ):
        return None
    return "csv" if any(mark in text for mark in (b"\n", b"\r", b",")) else None


def _of_json(text: bytes) -> str | None:
    """Which of the forms written in JSON: the types that are named first say."""
    if text.startswith(b"\x1e"):
        return "geojsonl"
    types = [found.decode() for found in _TYPE.findall(text)]
    if "Topology" in types:
        return "topojson"
    if types and not _GEOJSON.intersection(types) and b'"features"' not in text and len(text) < START_BYTES - 4:
        return None
    if b"esriGeometry" in text or "gdal_streamed_alg" in types:
        return None
    return (
        "geojsonl"
        if re.search(rb'\}\s*[\r\n]+\s*\{\s*"type"\s*:\s*"Feature"', text)
        and types[:1] == ["Feature"]
        and b'"FeatureCollection"' not in text
        else "geojson"
    )


def _of_zip(path: Path) -> str:
    """A zip of a table's files, or one of the forms that are zips themselves."""
    names = {entry.name for entry in archives.entries(path)}
    if "xl/workbook.xml" in names:
        return "xlsx"
    found, cure = _zipped_otherwise(path, names)
    if found:
        raise UnreadableError(Fault(EXPECTED, found, str(path), cure))
    return "zip"


def _zipped_otherwise(path: Path, names: set[str]) -> tuple[str, str]:
    if "mimetype" in names:
        with archives.unpacking(path), zipfile.ZipFile(path) as archive, archive.open("mimetype") as stream:
            kind = stream.read(100).decode("ascii", "replace")
        return f"an OpenDocument file ({kind})", "Save it as .xlsx or CSV."
    if any(name.startswith("word/") for name in names):
        return "a text document (.docx)", "Copy its table into a spreadsheet and save it as .xlsx."
    if any(".gdb/" in name for name in names):
        return "an Esri geodatabase", SAVE_AS
    tables = any(Path(name).suffix.lower() in archives.TABLES for name in names)
    if not tables and any(name.lower().endswith(".kml") for name in names):
        return "a KMZ file, which says nothing of columns", SAVE_AS
    return "", ""
