"""PMTiles: every tile of the layers in one file, read back by GDAL and by the format's own library."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pmtiles.reader import MemorySource, Reader

from tests.tiles.test_mvt import QUARTER, table
from tiles import archive
from tiles.archive import ArchiveParams
from tiles.grid import Tile
from tiles.mvt import encode
from tiles.source import Source, prepare


def layers() -> list[Source]:
    """Houses in a row, a street beside them that is shown from zoom 3 on."""
    houses = [shapely.box(0.6 + i / 100, 0.2, 0.604 + i / 100, 0.204) for i in range(9)]
    names = [f"h{i}" for i in range(9)]
    street = shapely.LineString([(0.59, 0.21), (0.71, 0.21)])
    return [
        prepare("houses", table(houses, name=names, people=list(range(9))), columns=["name", "people"]),
        prepare("streets", table([street]), min_zoom=np.array([3])),
    ]


def written(sources: list[Source], **params: int) -> tuple[bytes, archive.Archive]:
    file = io.BytesIO()
    found = archive.write(file, sources, name="Town", attribution="© Town", params=ArchiveParams(**params))
    return file.getvalue(), found


def test_its_tiles_are_those_of_the_service() -> None:
    sources = layers()
    body, made = written(sources, max_zoom=5)
    reader = Reader(MemorySource(body))
    held = [Tile(z, x, y) for z in range(6) for x in range(2**z) for y in range(2**z) if reader.get(z, x, y)]
    assert len(held) == made.tiles > 6
    assert made.left_out == 0
    for tile in held:
        assert gzip.decompress(reader.get(tile.z, tile.x, tile.y)) == encode(tile, sources).body
    assert encode(QUARTER, sources).drawn == 9
    about = reader.metadata()
    assert [(layer["id"], layer["minzoom"], layer["fields"]) for layer in about["vector_layers"]] == [
        ("houses", 0, {"name": "String", "people": "Number"}), ("streets", 3, {})
    ]  # fmt: skip
    assert (about["name"], about["attribution"]) == ("Town", "© Town")


def test_gdal_reads_it(tmp_path: Path) -> None:
    (path := tmp_path / "town.pmtiles").write_bytes(written(layers(), max_zoom=6)[0])
    assert {name for name, _ in pyogrio.list_layers(path)} == {"houses", "streets"}
    houses = pyogrio.read_dataframe(path, layer="houses")
    assert set(houses["name"]) == {f"h{i}" for i in range(9)}
    assert houses.groupby("name")["people"].first().tolist() == list(range(9))
    wanted = layers()[0].bounds
    assert houses.to_crs("EPSG:4326").total_bounds == pytest.approx(wanted, abs=0.01)


def test_with_too_many_tiles_the_deepest_zooms_are_left_out() -> None:
    whole, few = written(layers(), max_zoom=6)[1], written(layers(), max_zoom=6, max_tiles=20)[1]
    assert (whole.max_zoom, whole.tiles > 20) == (6, True)
    assert few.max_zoom < 6 and few.tiles <= 20


def test_without_a_shape_it_is_one_empty_tile(tmp_path: Path) -> None:
    body, made = written([prepare("none", table([]))])
    assert made.tiles == 0
    assert gzip.decompress(Reader(MemorySource(body)).get(0, 0, 0)) == b""


def test_same_in_same_bytes_out() -> None:
    assert written(layers(), max_zoom=4)[0] == written(layers(), max_zoom=4)[0]
