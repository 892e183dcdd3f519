"""A run as files: GeoJSON, GeoPackage with styles, CSV, FlatGeobuf, GeoParquet; rasters as GeoTIFF beside."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from app.export.flatgeobuf import as_flatgeobuf
from app.export.geojson import as_geojson
from app.export.geopackage import write_geopackage
from app.export.readme import readme
from app.export.sheets import as_csv
from app.export.values import records
from app.store import Run, files
from geo.errors import ConflictError, Fault, refuse

__all__ = ["Format", "as_csv", "as_flatgeobuf", "as_geojson", "as_geopackage", "as_parquet", "export", "records"]
OVERWRITE = "Choose another --out, or allow it with --overwrite."


class Format(StrEnum):
    """Formats a whole run can be exported to."""

    geojson = "geojson"
    gpkg = "gpkg"
    csv = "csv"
    fgb = "fgb"
    parquet = "parquet"


def as_geopackage(run: Run, *layers: str) -> bytes:
    """Table layers as one GeoPackage with their styles."""
    with tempfile.TemporaryDirectory(prefix="renxing-") as folder:
        path = Path(folder, "run.gpkg")
        write_geopackage(run, layers, path)
        return path.read_bytes()


def as_parquet(run: Run, layer: str) -> bytes:
    """One table layer as GeoParquet, as the run keeps it."""
    return run.file(layer, "table").read_bytes()


def export(run: Run, format: Format, out: Path, *, overwrite: bool = False) -> list[Path]:
    """Write a whole run: a folder with a file for each layer, or one GeoPackage; rasters as GeoTIFF beside.

    A README with sources, licences and notes goes along (inside the GeoPackage: its metadata). The files written, in
    order. ConflictError, before anything is written, when one is there and ``overwrite`` is not set.
    """
    targets = _targets(run, format, out)
    if not overwrite:
        refuse(
            ConflictError, [Fault("a new file", "one that is there", str(p), OVERWRITE) for p in targets if p.exists()]
        )
    with files.storing(out):
        for path, build in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, build())
    return list(targets)


def _targets(run: Run, format: Format, out: Path) -> dict[Path, Callable[[], bytes]]:
    tables = [layer.layer for layer in run.record.layers if layer.kind == "table"]
    rasters = {layer.layer: run.file(layer.layer, "raster") for layer in run.record.layers if layer.kind == "raster"}
    if format is Format.gpkg:
        beside = {out.with_name(f"{out.stem}_{name}.tif"): path.read_bytes for name, path in rasters.items()}
        return {out: lambda: as_geopackage(run, *tables), **beside}
    write = {
        Format.geojson: as_geojson, Format.csv: as_csv, Format.fgb: as_flatgeobuf, Format.parquet: as_parquet,
    }[format]  # fmt: skip
    built = {out / f"{name}.{format}": _later(write, run, name) for name in tables}
    beside = {out / f"{name}.tif": path.read_bytes for name, path in rasters.items()}
    return {out / "README.txt": lambda: readme(run).encode(), **built, **beside}


def _later(write: Callable[[Run, str], bytes], run: Run, name: str) -> Callable[[], bytes]:
    return lambda: write(run, name)
