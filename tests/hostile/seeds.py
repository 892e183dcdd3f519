"""Sound small files of every form, from which hostile ones are made: six shelters, a flood, a village of streets."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import osmium
import rasterio
import shapely
from rasterio.transform import Affine

WEST, SOUTH, STEP = 118.80, 32.05, 0.002
ROWS = 6
PLACES = "shelters EPSG:4326"
"""Given as shelters, with the coordinate system that a file of cells does not say."""


def shelters() -> gpd.GeoDataFrame:
    """Six squares with a name in Chinese, a capacity and an area."""
    boxes = [shapely.box(x, SOUTH, x + STEP / 2, SOUTH + STEP / 2) for x in WEST + STEP * np.arange(ROWS)]
    columns = {
        "name": [f"避难所{i}" for i in range(ROWS)],
        "capacity": np.arange(100, 700, 100),
        "area_m2": [900.5] * ROWS,
    }
    return gpd.GeoDataFrame(columns, geometry=boxes, crs="EPSG:4326")


def _by_gdal(name: str, driver: str, **options: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        shelters().to_file(path, driver=driver, engine="pyogrio", **options)
        return path.read_bytes()


def geojson() -> bytes:
    return shelters().to_json(ensure_ascii=False).encode()


def gpkg() -> bytes:
    return _by_gdal("a.gpkg", "GPKG", layer="shelters", SPATIAL_INDEX="NO")


def fgb() -> bytes:
    return _by_gdal("a.fgb", "FlatGeobuf")


def shapefile(encoding: str = "UTF-8") -> dict[str, bytes]:
    """The parts of a Shapefile by ending."""
    with tempfile.TemporaryDirectory() as folder:
        shelters().to_file(Path(folder) / "a.shp", engine="pyogrio", encoding=encoding)
        return {part.suffix: part.read_bytes() for part in sorted(Path(folder).iterdir())}


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def shapefile_zip() -> bytes:
    return zipped({f"a{ending}": content for ending, content in shapefile().items()})


def parquet() -> bytes:
    buffer = io.BytesIO()
    shelters().to_parquet(buffer)
    return buffer.getvalue()


def csv_text() -> str:
    rows = [f"避难所{i},{WEST + STEP * i},{SOUTH},{100 * i + 100}" for i in range(ROWS)]
    return "\n".join(["name,lon,lat,capacity", *rows]) + "\n"


def csv_utf8() -> bytes:
    return csv_text().encode()


def csv_gbk() -> bytes:
    return csv_text().replace("name,lon,lat,capacity", "名称,经度,纬度,容量").encode("gbk")


def xlsx() -> bytes:
    book = openpyxl.Workbook()
    for line in csv_text().splitlines():
        name, *rest = line.split(",")
        book.active.append([name, *(float(cell) if name != "name" else cell for cell in rest)])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def tif(**options: object) -> bytes:
    depths = np.linspace(0, 3, 32 * 32, dtype=np.float32).reshape(32, 32)
    depths[0] = -9999
    place = Affine(0.0005, 0, WEST, 0, -0.0005, SOUTH + 32 * 0.0005)
    asked: dict[str, object] = {"nodata": -9999, "compress": "deflate", "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=32, height=32, count=1, transform=place, **(asked | options)) as target:
            target.write(depths.astype(str((asked | options)["dtype"])), 1)
        return memory.read()


def asc() -> bytes:
    head = f"ncols 8\nnrows 8\nxllcorner {WEST}\nyllcorner {SOUTH}\ncellsize 0.0005\nNODATA_value -9999\n"
    return (head + "\n".join(" ".join(f"{0.25 * (r + c)}" for c in range(8)) for r in range(8)) + "\n").encode()


def osm_xml() -> bytes:
    """A grid of streets with houses and a school."""
    nodes = [(i, WEST + STEP * (i % 5), SOUTH + STEP * (i // 5)) for i in range(25)]
    ways = [[1 + 5 * r + c for c in range(5)] for r in range(5)] + [[1 + 5 * r + c for r in range(5)] for c in range(5)]
    text = ["<?xml version='1.0' encoding='UTF-8'?>\n<osm version='0.6'>"]
    text += [f"<node id='{i + 1}' version='1' lat='{lat}' lon='{lon}'/>" for i, lon, lat in nodes]
    text.append(f"<node id='99' version='1' lat='{SOUTH}' lon='{WEST}'><tag k='amenity' v='school'/></node>")
    for number, refs in enumerate(ways, 1):
        inner = "".join(f"<nd ref='{ref}'/>" for ref in refs)
        text.append(f"<way id='{number}' version='1'>{inner}<tag k='highway' v='residential'/></way>")
    house = "".join(f"<nd ref='{ref}'/>" for ref in (1, 2, 7, 6, 1))
    text.append(f"<way id='50' version='1'>{house}<tag k='building' v='yes'/></way>")
    text.append("<relation id='5' version='1'><member type='way' ref='50' role='outer'/>")
    text.append("<tag k='type' v='multipolygon'/><tag k='leisure' v='park'/></relation></osm>")
    return "\n".join(text).encode()


def osm_pbf() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "a.osm", Path(folder) / "a.osm.pbf"
        source.write_bytes(osm_xml())
        with osmium.SimpleWriter(str(target)) as writer:
            for thing in osmium.FileProcessor(str(source)):
                writer.add(thing)
        return target.read_bytes()


def osm_gz() -> bytes:
    return gzip.compress(osm_xml(), mtime=0)


def osm_bz2() -> bytes:
    return bz2.compress(osm_xml())


def study_toml() -> bytes:
    return b"""format = 1
study_id = "town"
name = "Town"
crs = "EPSG:32650"

[[layers]]
layer_id = "rr25"
kind = "hazard"
file = "inputs/flood.tif"
hazard = "flood"
unit = "m"
classes = { "1" = 0.5, "2" = 3.0 }

[[scenarios]]
scenario_id = "flood"
name = "Flood"
state = "emergency"
hazards = ["rr25"]

[parameters]
"evacuation.minutes" = 15
"""


def archive(inside: dict[str, bytes] | None = None, listed: dict[str, bytes] | None = None, **said: object) -> bytes:
    """A study's archive without runs; ``listed`` are the files its manifest names, by default those inside."""
    import hashlib

    inside = {"study.toml": study_toml(), "inputs/flood.tif": tif()} if inside is None else inside
    files = {name: hashlib.sha256(content).hexdigest() for name, content in (listed or inside).items()}
    manifest = {"format": 1, "study_id": "town", "files": files, "runs": [], "attribution": []} | said
    return zipped({"renxing.json": json.dumps(manifest).encode(), **inside})


SEEDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a.geojson": ("shelters", geojson), "a.gpkg": ("shelters", gpkg), "a.zip": ("shelters", shapefile_zip),
    "a.fgb": ("shelters", fgb), "a.parquet": ("shelters", parquet), "a.csv": (PLACES, csv_utf8),
    "gbk.csv": (PLACES, csv_gbk), "a.xlsx": (PLACES, xlsx), "a.tif": ("hazard", tif),
    "a.asc": ("hazard EPSG:4326", asc), "people.tif": ("population", tif),
    "a.osm": ("osm", osm_xml), "a.osm.pbf": ("osm", osm_pbf),
    "a.osm.gz": ("osm", osm_gz), "a.osm.bz2": ("osm", osm_bz2), "study.toml": ("study", study_toml),
    "archive.zip": ("archive", archive),
}  # fmt: skip
"""By file name: what it is given as, and its bytes."""
