"""Vector tiles: drawn by hand, laws of cutting, and read back by two decoders that are not ours.

Drawn, in tile 1/1/0 (the world's north-east quarter), 4096 units a side::

    (0,0) ┌──────────────┐
          │    ┌────┐    │   a square over the middle half of the tile
          │    │    │    │
          │    └────┘    │
          └──────────────┘ (4096,4096)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tiles.grid import MAX_LAT, Tile, to_degrees
from tiles.mvt import TileParams, encode
from tiles.source import prepare, zoom_for

QUARTER = Tile(1, 1, 0)
HOSTILE = [
    "{{7*7}}",
    "</script><script>alert(1)</script>",
    "{% raw %}",
    '"><img src=x onerror=alert(1)>',
    "坎彭",
    "\u202e",
]


def degrees(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape drawn in world units, in degrees."""
    return shapely.transform(shape, lambda xy: np.column_stack(to_degrees(xy[:, 0], xy[:, 1])))


def table(shapes: list[shapely.Geometry], crs: str = "EPSG:4326", **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[degrees(s) for s in shapes], crs="EPSG:4326").to_crs(crs)


def features(body: bytes, layer: str = "l") -> list[dict[str, Any]]:
    """The features of a tile in its own units, y downwards as in the file."""
    decoded = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True}) if body else {}
    return list(decoded.get(layer, {}).get("features", []))


def area(body: bytes) -> float:
    return float(sum(shapely.geometry.shape(f["geometry"]).area for f in features(body)))


def test_a_square_lies_where_it_was_drawn() -> None:
    body = encode(QUARTER, [prepare("l", table([shapely.box(0.625, 0.125, 0.875, 0.375)]))]).body
    (found,) = features(body)
    ring = found["geometry"]["coordinates"][0]
    assert sorted(map(tuple, ring[:-1])) == [(1024, 1024), (1024, 3072), (3072, 1024), (3072, 3072)]


def test_the_outer_ring_turns_as_the_format_wants() -> None:
    """Clockwise on the screen, where y points down: the area by the surveyor's formula is positive; holes negative."""
    holed = shapely.box(0.6, 0.1, 0.9, 0.4).difference(shapely.box(0.7, 0.2, 0.8, 0.3))
    for shape in (holed, shapely.reverse(holed)):
        (whole,) = features(encode(QUARTER, [prepare("l", table([shape]))]).body)
        outer, hole = (shapely.LinearRing(ring) for ring in whole["geometry"]["coordinates"])
        assert shapely.is_ccw(outer)
        assert not shapely.is_ccw(hole)


def test_it_is_clipped_a_little_beyond_the_edge() -> None:
    params = TileParams(buffer=96)
    source = prepare("l", table([shapely.box(0.2, 0.1, 0.9, 0.4)]))
    ring = np.array(features(encode(QUARTER, [source], params=params).body)[0]["geometry"]["coordinates"][0])
    assert ring[:, 0].min() == -96


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32631"])
def test_any_crs_gives_the_same_tile(crs: str) -> None:
    small = shapely.box(0.5160, 0.3240, 0.5164, 0.3244)
    tile = Tile(10, 528, 331)
    assert (
        encode(tile, [prepare("l", table([small], crs))]).body
        == encode(tile, [prepare("l", table([small]))]).body
        != b""
    )


@given(st.lists(st.tuples(*[st.floats(0.51, 0.97)] * 2, st.floats(0.002, 0.02)), min_size=1, max_size=6))
def test_quarters_hold_together_what_the_whole_holds(boxes: list[tuple[float, float, float]]) -> None:
    shapes = [shapely.box(x, y - 0.5, min(x + size, 0.98), min(y - 0.5 + size, 0.48)) for x, y, size in boxes]
    source = prepare("l", table(shapes))
    params = TileParams(buffer=0, simplify=0)
    whole = area(encode(QUARTER, [source], params=params).body)
    quarters = sum(area(encode(child, [source], params=params).body) for child in QUARTER.children)
    assert quarters / 4 == pytest.approx(whole, rel=0.06, abs=600 * len(boxes))


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_areas_as_gdal_reads_them(tmp_path_factory: pytest.TempPathFactory, seed: int, child: int) -> None:
    """The tile's bytes opened by GDAL give the areas of the shapes clipped in Mercator metres."""
    centres = np.random.default_rng(seed).uniform((0.52, 0.02), (0.98, 0.48), (5, 2))
    shapes = [shapely.Point(c).buffer(0.02, quad_segs=3) for c in centres]
    tile = QUARTER.children[child]
    body = encode(tile, [prepare("l", table(shapes))], params=TileParams(simplify=0)).body
    metres = gpd.GeoSeries([degrees(s) for s in shapes], crs="EPSG:4326").to_crs("EPSG:3857")
    west, south, east, north = tile.bounds_m
    wanted = shapely.area(shapely.clip_by_rect(metres.to_numpy(), west, south, east, north))
    found = _gdal_areas(tmp_path_factory.mktemp("t") / "0.mvt", body, tile) if body else np.zeros(0)
    # A sliver at the edge, less than a pixel, may be lost on the tile's grid: it then counts as nothing.
    largest = [np.sort(np.pad(areas, (0, 5 - len(areas)))) for areas in (found, wanted)]
    assert largest[0] == pytest.approx(largest[1], rel=0.01, abs=((east - west) / 256) ** 2)


def _gdal_areas(path: Path, body: bytes, tile: Tile) -> np.ndarray:
    path.write_bytes(body)
    frame = pyogrio.read_dataframe(path, layer="l", X=tile.x, Y=tile.y, Z=tile.z, CLIP="YES")
    west, south, east, north = tile.bounds_m
    return np.asarray(shapely.area(shapely.clip_by_rect(frame.geometry.to_numpy(), west, south, east, north)))


def test_properties_travel_and_missing_ones_do_not() -> None:
    points = [shapely.Point(0.6, 0.2), shapely.Point(0.7, 0.3)]
    frame = table(
        points, name=np.array(["a", None], dtype=object), people=[3, 4], walk_s=[1.5, np.nan], usable=[True, False]
    )
    found = [
        f["properties"]
        for f in features(encode(QUARTER, [prepare("l", frame, columns=[*frame.columns[:-1], "none"])]).body)
    ]
    assert found == [{"name": "a", "people": 3, "walk_s": 1.5, "usable": True}, {"people": 4, "usable": False}]


def test_hostile_words_come_through_unchanged() -> None:
    frame = table([shapely.Point(0.6, 0.2)] * len(HOSTILE), name=HOSTILE)
    found = features(encode(QUARTER, [prepare("l", frame, columns=["name"])]).body)
    assert [f["properties"]["name"] for f in found] == HOSTILE


def test_lines_and_points_and_mixed_collections() -> None:
    line = shapely.LineString([(0.6, 0.1), (0.8, 0.1)])
    mixed = shapely.GeometryCollection([shapely.Point(0.6, 0.2), shapely.box(0.7, 0.2, 0.8, 0.3)])
    found = features(encode(QUARTER, [prepare("l", table([line, shapely.Point(0.55, 0.05), mixed]))]).body)
    assert [f["geometry"]["type"] for f in found] == ["LineString", "Point", "Polygon"]


def test_nothing_there_is_no_bytes() -> None:
    source = prepare("l", table([shapely.box(0.6, 0.1, 0.7, 0.2)]))
    assert encode(Tile(1, 0, 1), [source]).body == b""
    empty = prepare("l", table([]))
    assert encode(QUARTER, [empty, source]).drawn == 1
    assert encode(QUARTER, []).body == b""


def test_rows_without_a_shape_are_left_out() -> None:
    frame = table([shapely.Point(0.6, 0.2)] * 3, name=["a", "b", "c"])
    frame.loc[[0, 1], "geometry"] = [None, shapely.Point()]
    assert len(prepare("l", frame)) == 1


def test_what_is_smaller_than_a_unit_is_not_drawn() -> None:
    speck = shapely.box(0.6, 0.1, 0.6 + 1e-6, 0.1 + 1e-6)
    source = prepare("l", table([speck]))
    assert features(encode(QUARTER, [source]).body) == []
    assert len(features(encode(Tile(14, 9830, 1638), [source]).body)) == 1


def test_the_poles_are_cut_away_before_they_are_projected() -> None:
    cap = gpd.GeoDataFrame(geometry=[shapely.box(-180, 60, 180, 90), shapely.Point(0, 89)], crs="EPSG:4326")
    source = prepare("l", cap)
    assert len(source) == 1
    assert source.box[0, 1] == pytest.approx(0, abs=1e-9)
    assert np.isfinite(shapely.get_coordinates(source.opened(np.arange(1)))).all()


def test_first_zooms_hold() -> None:
    source = prepare("l", table([shapely.box(0.5001, 0.0001, 0.9, 0.4)] * 3), min_zoom=np.array([0, 1, 2]))
    assert [encode(t, [source]).drawn for t in (Tile(0, 0, 0), QUARTER, QUARTER.children[0])] == [1, 2, 3]


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 30))
def test_too_many_features_are_counted_and_the_largest_stay(most: int, big: int, small: int) -> None:
    large = [shapely.box(0.6, 0.1, 0.7 + 0.001 * i, 0.2) for i in range(big)]
    tiny = [shapely.box(0.8, 0.3, 0.81, 0.31)] * small
    tile = encode(
        QUARTER, [prepare("l", table(large)), prepare("few", table(tiny))], params=TileParams(max_features=most)
    )
    assert tile.drawn + tile.left_out == big + small
    assert tile.drawn <= most
    assert tile.left_out == 0 or tile.drawn >= most - 1
    widths = [shapely.geometry.shape(f["geometry"]).area for f in features(tile.body)]
    assert len(widths) == 0 or max(widths) == pytest.approx(
        shapely.box(0.6, 0.1, 0.7 + 0.001 * (big - 1), 0.2).area * 4 * 4096**2, rel=0.02
    )


def test_small_layers_stay_whole_beside_a_full_one() -> None:
    full = prepare("full", table([shapely.box(0.6, 0.1, 0.7, 0.2)] * 500))
    names = prepare("names", table([shapely.Point(0.6, 0.1)] * 5))
    tile = encode(QUARTER, [full, names], params=TileParams(max_features=100))
    assert len(features(tile.body, "names")) == 5
    assert len(features(tile.body, "full")) == 95


def test_too_many_bytes_are_halved_until_they_fit() -> None:
    frame = table([shapely.box(0.6, 0.1, 0.7, 0.2)] * 300, name=[f"{i:0200}" for i in range(300)])
    tile = encode(QUARTER, [prepare("l", frame, columns=["name"])], params=TileParams(max_bytes=10_000))
    assert 2_000 < len(tile.body) <= 10_000
    assert tile.drawn + tile.left_out == 300


def test_same_in_same_bytes_out() -> None:
    frame = table([shapely.box(0.6, 0.1, 0.7, 0.2), shapely.box(0.61, 0.1, 0.7, 0.2)], name=["a", "b"])
    assert encode(QUARTER, [prepare("l", frame, columns=["name"])]) == encode(
        QUARTER, [prepare("l", frame, columns=["name"])]
    )


def test_the_world_ends_where_the_map_ends() -> None:
    frame = gpd.GeoDataFrame(geometry=[shapely.box(-180, -MAX_LAT, 180, MAX_LAT)], crs="EPSG:4326")
    ring = np.array(features(encode(Tile(0, 0, 0), [prepare("l", frame)]).body)[0]["geometry"]["coordinates"][0])
    assert (ring.min(), ring.max()) == (0, 4096)


def test_zoom_for_a_size() -> None:
    """A square of 2^-10 of the world is half a pixel wide at zoom 0, and at least one from zoom 1 on."""
    assert zoom_for(np.array([2.0**-20]), at_least=1, dimension=2).tolist() == [1]
    assert zoom_for(np.array([2.0**-10]), at_least=1, dimension=1).tolist() == [1]
    assert zoom_for(np.array([0.0]), at_least=1, dimension=2).tolist() == [23]
