"""Rasters: cells without end, offsets that lie, files that name other files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from tests.hostile import seeds
from tests.hostile.maker import SECRETS, case, hostile

SHORT, LONG, ASCII, DOUBLE = 3, 4, 2, 12
WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, STRIP_AT, SAMPLES, ROWS, STRIP_BYTES = (
    256,
    257,
    258,
    259,
    262,
    273,
    277,
    278,
    279,
)
SAMPLE_FORMAT, SCALE, TIE, GEO, METADATA, NODATA = 339, 33550, 33922, 34735, 42112, 42113
SIZES = {SHORT: "H", LONG: "I", DOUBLE: "d"}
WGS84_KEYS = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
Tag = tuple[int, int, Sequence[float] | bytes]


def tiff(
    width: int,
    height: int,
    *more: Tag,
    data: bytes = b"",
    said: int | None = None,
    at: int | None = None,
    compression: int = 1,
    next_at: int = 0,
) -> bytes:
    """A GeoTIFF of one strip written by hand; ``said`` and ``at`` are the length and place it claims for its data."""
    tags: dict[int, Tag] = {
        tag[0]: tag
        for tag in (
            (WIDTH, LONG, [width]),
            (LENGTH, LONG, [height]),
            (BITS, SHORT, [32]),
            (COMPRESSION, SHORT, [compression]),
            (PHOTOMETRIC, SHORT, [1]),
            (SAMPLES, SHORT, [1]),
            (ROWS, LONG, [height]),
            (STRIP_BYTES, LONG, [len(data) if said is None else said]),
            (STRIP_AT, LONG, [8 if at is None else at]),
            (SAMPLE_FORMAT, SHORT, [3]),
            (SCALE, DOUBLE, [0.0005, 0.0005, 0.0]),
            (TIE, DOUBLE, [0, 0, 0, 118.8, 32.07, 0]),
            (GEO, SHORT, WGS84_KEYS),
            *more,
        )
    }
    outside, entries, place = b"", b"", 8 + len(data)
    place += 2 + 12 * len(tags) + 4
    for tag, kind, values in (tags[number] for number in sorted(tags)):
        packed = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{SIZES[kind]}", *values)
        held = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", place + len(outside))
        outside += packed if len(packed) > 4 else b""
        entries += struct.pack("<HHI", tag, kind, len(values)) + held
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(data))
        + data
        + struct.pack("<H", len(tags))
        + entries
        + struct.pack("<I", next_at)
        + outside
    )


SOUND = np.linspace(0, 3, 1024, dtype="<f4").tobytes()


def with_tag(number: int, kind: int, values: Sequence[float] | bytes) -> bytes:
    return tiff(32, 32, (number, kind, values), data=SOUND)


def zeros(side: int) -> bytes:
    """So many cells of 0, packed a thousandfold."""
    return tiff(side, side, data=zlib.compress(bytes(4 * side * side), 9), compression=8)


def endless() -> bytes:
    """A directory that is followed by itself."""
    plain = tiff(32, 32, data=SOUND)
    return tiff(32, 32, data=SOUND, next_at=struct.unpack("<I", plain[4:8])[0])


def vrt() -> bytes:
    return (
        b"<VRTDataset rasterXSize='8' rasterYSize='8'><SRS>EPSG:4326</SRS><GeoTransform>118.8,.001,0,32,0,-.001"
        b"</GeoTransform><VRTRasterBand dataType='Float32' band='1'><SimpleSource><SourceFilename>/vsicurl/"
        b"http://127.0.0.1:9/a.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def asc(columns: str, rows: str, values: str, cell: str = "0.0005") -> bytes:
    head = f"ncols {columns}\nnrows {rows}\nxllcorner 118.8\nyllcorner 32.05\ncellsize {cell}\n"
    return f"{head}NODATA_value -9999\n{values}\n".encode()


def bands(count: int) -> bytes:
    place = Affine(0.001, 0, 118.8, 0, -0.001, 32.07)
    shape = {"driver": "GTiff", "width": 4, "height": 4, "count": count, "dtype": "uint8", "crs": "EPSG:4326"}
    with rasterio.MemoryFile() as memory:
        with memory.open(**shape, transform=place) as target:
            target.write(np.zeros((count, 4, 4), np.uint8))
        return memory.read()


def raster(name: str, after: str, ends: str, content: bytes, given: str = "hazard") -> None:
    placed = f"{given} EPSG:4326" if name.endswith(".asc") else given
    case(name, after, ends, lambda: content, given=placed)


raster("million.tif", "memory: a million by a million cells", "limit-cells", tiff(1_000_000, 1_000_000, data=SOUND))
raster("width.tif", "memory: four billion columns", "limit-cells", tiff(0x7FFFFFFF, 1, data=SOUND))
raster("negative.tif", "reader: a width of 2^32 - 1", "unreadable", tiff(0xFFFFFFFF, 0xFFFFFFFF, data=SOUND))
raster("nothing.tif", "reader: no columns", "unreadable", tiff(0, 0, data=SOUND))
raster("strip_at.tif", "reader: data behind the end", "unreadable", tiff(32, 32, data=SOUND, at=0x7FFFFFF0))
raster("strip_bytes.tif", "memory: data of four gigabytes", "accepted", tiff(32, 32, data=SOUND, said=0xFFFFFFF0))
raster("short.tif", "reader: less data than cells", "unreadable", tiff(2000, 2000, data=SOUND))
raster(
    "not_packed.tif",
    "reader: noise where packed data should be",
    "unreadable",
    tiff(32, 32, data=b"\xff" * 99, compression=8),
)
raster("lzw.tif", "reader: noise for LZW", "unreadable", tiff(32, 32, data=b"\xff" * 99, compression=5))
raster(
    "method.tif", "reader: packed in a way that nobody knows", "unreadable", tiff(32, 32, data=SOUND, compression=54321)
)
case("zeros.tif", "memory: 200 million cells in 800 kB", "limit-memory", lambda: zeros(14_100), given="hazard")
case("bands.tif", "memory: 10 000 bands", "unreadable", lambda: bands(10_000), given="hazard")
raster(
    "complex.tif",
    "reader: complex numbers",
    "unreadable",
    tiff(16, 32, (BITS, SHORT, [64]), (SAMPLE_FORMAT, SHORT, [6]), data=SOUND),
)
raster("endless.tif", "time: a directory that is followed by itself", "accepted", endless())
raster("far_directory.tif", "reader: a directory behind the end", "unreadable", b"II*\0\xf0\xff\xff\x7f" + SOUND)
raster("entries.tif", "memory: a directory of 65 535 entries", "unreadable", b"II*\0\x08\0\0\0\xff\xff" + SOUND)
raster("scale_zero.tif", "places: cells of no width", "unreadable", with_tag(SCALE, DOUBLE, [0, 0, 0]))
raster("scale_nan.tif", "places: cells NaN wide", "input", with_tag(SCALE, DOUBLE, [np.nan, np.nan, 0]))
raster("scale_huge.tif", "places: cells 1e300 degrees wide", "crs", with_tag(SCALE, DOUBLE, [1e300, 1e300, 0]))
raster("tie_infinite.tif", "places: a corner at infinity", "input", with_tag(TIE, DOUBLE, [0, 0, 0, np.inf, np.nan, 0]))
raster("keys.tif", "reader: a coordinate system that is noise", "crs", with_tag(GEO, SHORT, [65535] * 400))
raster(
    "nodata.tif",
    "reader: noise for the value that means unknown",
    "accepted",
    with_tag(NODATA, ASCII, b"\x1b[2J\xff" * 30),
)
raster(
    "metadata.tif",
    "files: a VRT among the texts of a file",
    "accepted",
    with_tag(METADATA, ASCII, b"<GDALMetadata>" + vrt() + b"</GDALMetadata>"),
)
raster(
    "metadata_bomb.tif",
    "memory: XML of 50 000 brackets among the texts",
    "accepted",
    with_tag(METADATA, ASCII, b"<a>" * 50_000),
)
raster(
    "offset.tif",
    "reader: a scale that is no number",
    "input",
    with_tag(METADATA, ASCII, b"<GDALMetadata><Item name='SCALE' sample='0' role='scale'>nan</Item></GDALMetadata>"),
)
raster("vrt.tif", "files: a list of other files, called .tif", "unreadable", vrt())
raster("hdf.tif", "reader: HDF5, called .tif", "unreadable", b"\x89HDF\r\n\x1a\n" + bytes(200))
raster("netcdf.tif", "reader: netCDF, called .tif", "unreadable", b"CDF\x01" + bytes(200))
raster(
    "wms.tif",
    "network: a service, called .tif",
    "unreadable",
    b"<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:9/</ServerUrl></Service></GDAL_WMS>",
)
raster("png.tif", "reader: a picture", "unreadable", b"\x89PNG\r\n\x1a\n" + bytes(100))
raster("elf.tif", "reader: a program", "unreadable", b"\x7fELF" + bytes(100))
raster("million.asc", "memory: a million by a million cells", "unreadable", asc("1000000", "1000000", "1 2 3"))
raster("negative.asc", "reader: minus four columns", "unreadable", asc("-4", "4", "1 " * 16))
raster("figures.asc", "time: 10^4000 columns", "unreadable", asc("1" + "0" * 4000, "4", "1 " * 16))
raster("huge.asc", "values: depths of 1e308", "input", asc("2", "2", "1e308 -1e308 1e999 0"))
raster("words.asc", "values: depths that are words", "unreadable", asc("2", "2", "1 2 inf wet"))
raster("cell.asc", "places: cells of no width", "input", asc("2", "2", "1 2 1 2", "0"))
raster("cell_nan.asc", "places: cells nan wide", "input", asc("2", "2", "1 2 1 2", "nan"))
raster("line.asc", "memory: a line of 20 MB", "unreadable", b"ncols 4" + b" " * (20 << 20) + b"\nnrows 4\n")
raster("N32E118.hgt", "reader: a tile of the wrong size", "unreadable", b"\x00\x10" * 500, "elevation")
raster(
    "heights.tif", "values: heights of 1e30", "input", tiff(2, 2, data=np.full(4, 1e30, "<f4").tobytes()), "elevation"
)
raster(
    "people.tif",
    "values: more people than there are numbers",
    "input",
    tiff(2, 2, data=np.full(4, 3e38, "<f4").tobytes()),
    "population",
)


@hostile("beside.tif", "files: files beside a raster that name others", "accepted", given="hazard")
def with_sides(path: Path) -> None:
    """GDAL reads .aux.xml, .ovr and .msk beside a raster on its own."""
    path.write_bytes(seeds.tif())
    path.with_name("beside.tif.ovr").write_bytes(vrt())
    path.with_name("beside.tif.msk").symlink_to(f"../{SECRETS}")
    path.with_name("beside.tfw").symlink_to(f"../{SECRETS}")
    path.with_name("beside.tif.aux.xml").write_bytes(
        b"<PAMDataset><SRS>/vsicurl/http://127.0.0.1:9/</SRS></PAMDataset>"
    )


@hostile("projected.asc", "files: a coordinate system beside a raster that is a secret", "crs", given="hazard")
def with_secret_prj(path: Path) -> None:
    path.write_bytes(seeds.asc())
    path.with_name("projected.prj").symlink_to(f"../{SECRETS}")
