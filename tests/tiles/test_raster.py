"""Picture tiles: a raster of eight cells whose colours are known.

::

    ┌──────┬──────┬──────┬──────┐   metres of water; NaN is not known
    │ 0.1  │ 0.2  │ 0.4  │  0   │
    ├──────┼──────┼──────┼──────┤   one cell is a quarter of tile 3/4/3's side wide and half of it high
    │  3   │  9   │ NaN  │  0   │
    └──────┴──────┴──────┴──────┘
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from tiles import raster, style
from tiles.grid import Tile
from tiles.text import Text

TILE = Tile(3, 4, 3)
DRAWN = np.array([[0.1, 0.2, 0.4, 0.0], [3.0, 9.0, np.nan, 0.0]])
DEPTH = style.depth("value")


def written(
    path: Path,
    values: np.ndarray,
    *,
    crs: str = "EPSG:3857",
    nodata: float | None = float("nan"),
    dtype: str = "float32",
) -> Path:
    """The raster over the whole of ``TILE``."""
    west, south, east, north = TILE.bounds_m
    rows, columns = values.shape
    place = Affine((east - west) / columns, 0, west, 0, (south - north) / rows, north)
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=columns, count=1, dtype=dtype, nodata=nodata, crs=crs,
        transform=place,
    ) as target:  # fmt: skip
        target.write(values.astype(dtype), 1)
    return path


def pixels(body: bytes) -> np.ndarray:
    """Red, green, blue, opacity of every pixel, (rows, columns, 4)."""
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGBA"))


def expected(value: float) -> tuple[int, ...]:
    return tuple(style.colour(DEPTH, int(DEPTH.classify([value])[0])))


def test_every_cell_has_the_colour_of_its_class(tmp_path: Path) -> None:
    found = pixels(raster.draw(written(tmp_path / "d.tif", DRAWN), TILE, DEPTH))
    for row in range(2):
        for column in range(4):
            cell = found[128 * row + 2 : 128 * row + 126, 64 * column + 2 : 64 * column + 62].reshape(-1, 4)
            assert {tuple(map(int, pixel)) for pixel in cell} == {expected(DRAWN[row, column])}


def test_dry_and_unknown_are_clear(tmp_path: Path) -> None:
    found = pixels(raster.draw(written(tmp_path / "d.tif", DRAWN), TILE, DEPTH))
    assert (found[:, 200:, 3] == 0).all()
    assert (found[140:, 140:180, 3] == 0).all()


def test_classes_are_not_mixed_at_their_edges(tmp_path: Path) -> None:
    found = pixels(raster.draw(written(tmp_path / "d.tif", DRAWN), TILE, DEPTH)).reshape(-1, 4)
    assert {tuple(map(int, p)) for p in np.unique(found, axis=0)} <= {expected(v) for v in DRAWN.ravel()}


def test_outside_is_an_empty_tile(tmp_path: Path) -> None:
    path = written(tmp_path / "d.tif", DRAWN)
    assert raster.draw(path, Tile(3, 0, 0), DEPTH) == raster.empty()
    assert pixels(raster.empty()).shape == (256, 256, 4)
    assert not pixels(raster.empty()).any()


@pytest.mark.parametrize("fill", [np.nan, 0.0])
def test_a_raster_with_nothing_to_show_is_an_empty_tile(tmp_path: Path, fill: float) -> None:
    assert raster.draw(written(tmp_path / "d.tif", np.full((2, 2), fill)), TILE, DEPTH) == raster.empty()


def test_the_ground_beside_a_raster_without_nodata_is_not_coloured(tmp_path: Path) -> None:
    path = written(tmp_path / "d.tif", np.ones((4, 4)), nodata=None, dtype="int8")
    found = pixels(raster.draw(path, TILE.parent, DEPTH))
    assert (found[..., 3] > 0).mean() == pytest.approx(0.25, abs=0.01)


def test_an_own_nodata_value_is_unknown(tmp_path: Path) -> None:
    values = np.where(np.isnan(DRAWN), -9999, DRAWN)
    path = written(tmp_path / "d.tif", values, nodata=-9999)
    assert raster.draw(path, TILE, DEPTH) == raster.draw(written(tmp_path / "e.tif", DRAWN), TILE, DEPTH)


def test_another_crs_is_warped_to_its_place(tmp_path: Path) -> None:
    """A hectare of water in RD New (EPSG:28992), found where pyproj says it is."""
    path = tmp_path / "rd.tif"
    place = Affine(5, 0, 190_000, 0, -5, 507_000)
    with rasterio.open(
        path, "w", driver="GTiff", height=20, width=20, count=1, dtype="float32", crs="EPSG:28992", transform=place
    ) as file:
        file.write(np.ones((20, 20), dtype="float32"), 1)
    west, south, east, north = rasterio.warp.transform_bounds(
        "EPSG:28992", "EPSG:3857", 190_000, 506_900, 190_100, 507_000
    )
    tile = next(t for z in (15,) for t in [_tile_at((west + east) / 2, (south + north) / 2, z)])
    found = pixels(raster.draw(path, tile, DEPTH))[..., 3] > 0
    left, bottom, right, top = tile.bounds_m
    wanted = (east - west) * (north - south) / ((right - left) * (top - bottom))
    assert found.mean() == pytest.approx(wanted, rel=0.1)


def _tile_at(x: float, y: float, z: int) -> Tile:
    edge = Tile(0, 0, 0).bounds_m[2]
    return Tile(z, int((x / edge + 1) / 2 * 2**z), int((1 - y / edge) / 2 * 2**z))


def test_small_pictures_of_a_style_with_many_classes(tmp_path: Path) -> None:
    look = style.intensity(5, Text("级", "class"))
    body = raster.draw(written(tmp_path / "d.tif", np.array([[1, 2], [4, 5]])), TILE, look, size_px=64)
    found = pixels(body)
    assert found.shape == (64, 64, 4)
    assert len({tuple(p) for p in found.reshape(-1, 4).tolist()}) == 4
    assert len(body) < 1000


def test_maximum(tmp_path: Path) -> None:
    assert raster.maximum(written(tmp_path / "d.tif", DRAWN)) == 9
    assert math.isnan(raster.maximum(written(tmp_path / "n.tif", np.full((2, 2), np.nan))))
    assert raster.maximum(written(tmp_path / "o.tif", np.array([[1, -9999]]), nodata=-9999)) == 1


def test_same_in_same_bytes_out(tmp_path: Path) -> None:
    path = written(tmp_path / "d.tif", DRAWN)
    assert raster.draw(path, TILE, DEPTH) == raster.draw(path, TILE, DEPTH)


def test_all_of_a_large_raster_is_drawn_from_few_of_its_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From afar the picture is that of all cells but for the edges of classes; near to it is the same."""
    rows, columns = np.mgrid[0:600, 0:700]
    path = written(tmp_path / "d.tif", np.where(rows < 400, columns / 200, np.nan))
    far = TILE.parent.parent
    every = [raster.draw(path, tile, DEPTH) for tile in (TILE, far)]
    monkeypatch.setattr(raster, "WHOLE_CELLS", 20_000)
    assert raster.draw(path, TILE.children[0].children[0], DEPTH) != raster.empty()
    fewer = [raster.draw(path, tile, DEPTH) for tile in (TILE, far)]
    assert "cells of" in repr(raster._whole(path, path.stat().st_mtime_ns))
    assert fewer[0] == every[0]
    assert (pixels(fewer[1]) == pixels(every[1])).all(axis=2).mean() > 0.98


def test_the_deepest_zoom_has_pixels_smaller_than_cells(tmp_path: Path) -> None:
    """256 cells along tile 3/4/3 are its pixels; one more needs the next zoom."""
    assert raster.deepest(written(tmp_path / "a.tif", np.ones((256, 256)))) == 3
    assert raster.deepest(written(tmp_path / "b.tif", np.ones((257, 257)))) == 4
    assert raster.deepest(written(tmp_path / "c.tif", np.ones((2, 2)))) == 0
