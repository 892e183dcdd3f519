"""The bytes of a tile: written out by hand, against mapbox-vector-tile, which wrote them before, and against GDAL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiles.test_mvt import QUARTER, degrees, features, table
from tiles import laid, mvt, wire
from tiles.carried import carried
from tiles.forms import Forms, Open, from_bytes
from tiles.grid import MAX_ZOOM, Tile, is_tile
from tiles.mvt import TileParams, encode
from tiles.ragged import Ragged, column, joined
from tiles.source import Source, prepare

EXACT = TileParams(simplify=0, max_bytes=10**8)


def commands(shape: shapely.Geometry) -> list[int]:
    return [int(number) for number in wire.drawn(np.array([shape]), wire.Grid()).commands.flat]


# drawn: the examples of the specification, 4.3.5


@pytest.mark.parametrize(("shape", "wanted"), [
    (shapely.Point(25, 17), [9, 50, 34]),
    (shapely.MultiPoint([(5, 7), (3, 2)]), [17, 10, 14, 3, 9]),
    (shapely.LineString([(2, 2), (2, 10), (10, 10)]), [9, 4, 4, 18, 0, 16, 16, 0]),
    (shapely.MultiLineString([[(2, 2), (2, 10), (10, 10)], [(1, 1), (3, 5)]]),
     [9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8]),
    (shapely.Polygon([(3, 6), (8, 12), (20, 34)]), [9, 6, 12, 18, 10, 12, 24, 44, 15]),
    (shapely.MultiPolygon([
        ([(0, 0), (10, 0), (10, 10), (0, 10)], []),
        ([(11, 11), (20, 11), (20, 20), (11, 20)], [[(13, 13), (13, 17), (17, 17), (17, 13)]]),
    ]), [9, 0, 0, 26, 20, 0, 0, 20, 19, 0, 15, 9, 22, 2, 26, 18, 0, 0, 18, 17, 0, 15, 9, 4, 13, 26, 0, 8, 8, 0, 0, 7,
         15]),
])  # fmt: skip
def test_the_examples_of_the_specification(shape: shapely.Geometry, wanted: list[int]) -> None:
    assert commands(shape) == wanted


def test_vertices_that_repeat_and_rings_without_area_are_not_drawn() -> None:
    assert commands(shapely.LineString([(2, 2), (2, 2), (2, 10), (2, 10), (10, 10)])) == [9, 4, 4, 18, 0, 16, 16, 0]
    assert commands(shapely.LineString([(2, 2), (2, 2)])) == []
    flat = shapely.Polygon([(0, 0), (9, 9), (0, 0), (9, 9)], [[(1, 1), (2, 1), (2, 2)]])
    assert commands(flat) == []
    assert commands(shapely.Polygon([(0, 0), (0, 0), (4, 0), (4, 4)])) == commands(
        shapely.Polygon([(0, 0), (4, 0), (4, 4)])
    )


def test_rings_turn_as_the_format_wants() -> None:
    square = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(2, 2), (4, 2), (4, 4)]])
    for shape in (square, shapely.reverse(square)):
        drawn = _rings(commands(shape))
        assert [shapely.is_ccw(shapely.LinearRing(ring)) for ring in drawn] == [True, False]


def _rings(numbers: list[int]) -> list[list[tuple[int, int]]]:
    """The rings that commands draw, by a reader as the specification describes it."""
    rings: list[list[tuple[int, int]]] = []
    x = y = at = 0
    while at < len(numbers):
        command, times = numbers[at] & 7, numbers[at] >> 3
        at += 1
        for _ in range(times if command != 7 else 0):
            dx, dy = ((n >> 1) ^ -(n & 1) for n in numbers[at : at + 2])
            x, y, at = x + dx, y + dy, at + 2
            rings.append([(x, y)]) if command == 1 else rings[-1].append((x, y))
    return rings


# laws


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30))
def test_numbers_as_protobuf_writes_them(numbers: list[int]) -> None:
    def one(number: int) -> bytes:
        low, rest = number & 0x7F, number >> 7
        return bytes([low | 0x80]) + one(rest) if rest else bytes([low])

    written = wire.varints(column(np.array(numbers, dtype=np.uint64)))
    assert written.flat.tobytes() == b"".join(map(one, numbers))
    assert written.count.tolist() == [len(one(number)) for number in numbers]


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 9), max_size=4), st.lists(st.integers(0, 9), max_size=4)), max_size=8)
)
def test_ragged_rows_are_joined_taken_and_summed_as_lists(rows: list[tuple[list[int], list[int]]]) -> None:
    def ragged(lists: list[list[int]]) -> Ragged:
        flat = np.array([value for one in lists for value in one], dtype=np.int64)
        return Ragged.of(flat, np.array([len(one) for one in lists], dtype=np.int64))

    def lists(found: Ragged) -> list[list[int]]:
        return [found.flat[a:b].tolist() for a, b in zip(found.start[:-1], found.start[1:], strict=True)]

    whole = joined([ragged([a for a, _ in rows]), ragged([b for _, b in rows])])
    assert lists(whole) == [a + b for a, b in rows]
    back = np.arange(len(rows))[::-1]
    assert lists(whole.take(back)) == [a + b for a, b in rows][::-1]
    assert whole.summed(whole.flat).tolist() == [sum(a + b) for a, b in rows]
    assert lists(whole.kept(whole.flat > 4)) == [[v for v in a + b if v > 4] for a, b in rows]


CORNERS = st.tuples(st.floats(0.51, 0.99), st.floats(0.01, 0.49))
SHAPES = st.one_of(
    CORNERS.map(shapely.Point),
    st.lists(CORNERS, min_size=2, max_size=6, unique=True).map(shapely.LineString),
    st.tuples(CORNERS, st.floats(0.001, 0.2)).map(lambda each: shapely.Point(each[0]).buffer(each[1], quad_segs=4)),
    st.lists(CORNERS, min_size=2, max_size=4, unique=True).map(shapely.MultiPoint),
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(max_size=5)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(SHAPES, VALUES, VALUES), min_size=1, max_size=8))
def test_decoded_it_is_what_was_given(rows: list[tuple[shapely.Geometry, Any, Any]]) -> None:
    """Within a unit of the tile's grid, with its properties; mapbox-vector-tile writes the same features."""
    values = {name: pd.Series([row[i] for row in rows], dtype=object) for i, name in ((1, "a"), (2, "b"))}
    source = prepare("l", table([shape for shape, _, _ in rows], **values), columns=["a", "b"])
    found = features(encode(QUARTER, [source], params=EXACT).body)
    box = mvt.widened(QUARTER, EXACT)
    grid = shapely.transform(
        shapely.clip_by_rect(source.opened(np.arange(len(source))), *box),
        lambda xy: np.rint((xy - QUARTER.world[:2]) / QUARTER.size * EXACT.extent),
    )
    told = [{k: v for k, v in (("a", a), ("b", b)) if v is not None} for _, a, b in rows]
    theirs = mapbox_vector_tile.encode(
        [{"name": "l", "features": [{"geometry": s, "properties": p} for s, p in zip(grid, told, strict=True)]}],
        default_options={"y_coord_down": True},
    )
    assert _said(found) == _said(features(theirs))
    for feature, shape in zip(found, grid, strict=False):
        assert shapely.hausdorff_distance(shapely.geometry.shape(feature["geometry"]), shape) <= 1.5


def _said(found: list[dict[str, Any]]) -> list[Any]:
    """Each feature's kind, area and properties."""
    shapes = [shapely.geometry.shape(f["geometry"]) for f in found]
    told = [sorted(map(str, f["properties"].items())) for f in found]
    return [(shape.geom_type, round(shape.area), said) for shape, said in zip(shapes, told, strict=True)]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, MAX_ZOOM), st.integers(0, 2**22), st.integers(0, 2**22))
def test_any_tile_there_is_is_drawn(z: int, x: int, y: int) -> None:
    x, y = x % 2**z, y % 2**z
    assert is_tile(z, x, y)
    drawn = encode(Tile(z, x, y), [SPREAD])
    assert drawn.drawn == len(features(drawn.body)) or drawn.drawn >= len(features(drawn.body))


SPREAD = prepare(
    "l", table([shapely.Point(x, y).buffer(0.01) for x in np.linspace(0.1, 0.9, 9) for y in np.linspace(0.1, 0.9, 9)])
)


# oracle: GDAL


def test_gdal_reads_every_kind_of_value_and_shape(tmp_path: Path) -> None:
    shapes = [shapely.Point(0.6, 0.2), shapely.LineString([(0.6, 0.1), (0.8, 0.1)]), shapely.box(0.7, 0.2, 0.8, 0.3)]
    frame = table(
        shapes, name=["坎彭", None, '"\\'], people=[1, -2, 2**40], share=[0.1, 0.5, np.nan], dry=[True, False, True]
    )
    body = encode(QUARTER, [prepare("l", frame, columns=["name", "people", "share", "dry"])]).body
    (path := tmp_path / "0.mvt").write_bytes(body)
    found = pyogrio.read_dataframe(path, layer="l", X=1, Y=0, Z=1)
    assert found.geom_type.tolist() == ["Point", "LineString", "Polygon"]
    assert found["name"].tolist() == ["坎彭", None, '"\\'] or found["name"].isna().tolist() == [False, True, False]
    assert found["people"].tolist() == [1, -2, 2**40]
    assert found["share"].tolist()[:2] == [0.1, 0.5] and np.isnan(found["share"].iloc[2])
    assert found["dry"].tolist() == [True, False, True]


# what travels


def test_values_are_written_once_and_the_frequent_ones_first() -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5, 2.5, 2.5], "b": [2.5, 2.5, np.nan, 0.1]})
    known = carried(frame.__getitem__, ["a", "b"], np.arange(4))
    tags, keys, values = known.of(np.arange(4))
    assert keys == ["a", "b"]
    assert len(known.values) == 3
    assert tags.flat.tolist()[:4] == [0, 2, 1, 0]
    assert values.startswith(b"\x22\x05\x15" + np.float32(2.5).tobytes())
    assert known.kinds == ("number", "number")


def test_only_what_occurs_in_the_tile_is_written() -> None:
    frame = pd.DataFrame({"a": ["x", "y", None], "b": [None, None, "z"]})
    known = carried(frame.__getitem__, ["a", "b"], np.arange(3))
    tags, keys, values = known.of(np.array([1]))
    assert (tags.flat.tolist(), keys, values) == ([0, 0], ["a"], b"\x22\x03\x0a\x01y")
    tags, keys, values = known.of(np.array([], dtype=np.int64))
    assert (len(tags), keys, values) == (0, [], b"")


def test_other_things_travel_as_text() -> None:
    frame = pd.DataFrame(
        {"when": pd.to_datetime(["2024-01-02"]), "list": [[1, 2]], "big": pd.Series([2**70], dtype=object)}
    )
    source = prepare(
        "l", gpd.GeoDataFrame(frame, geometry=[degrees(shapely.Point(0.6, 0.2))], crs="EPSG:4326"), columns=list(frame)
    )
    (found,) = features(encode(QUARTER, [source]).body)
    assert found["properties"] == {"when": "2024-01-02 00:00:00", "list": "[1, 2]", "big": float(2**70)}
    assert source.carried.kinds == ("text", "text", "number")


# sources


def coast(n: int = 4000) -> shapely.Geometry:
    """A wrinkled round island."""
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    far = 0.15 + 0.01 * np.sin(40 * turn) + 0.0005 * np.sin(700 * turn)
    return shapely.Polygon(np.column_stack((0.75 + far * np.cos(turn), 0.25 + far * np.sin(turn))))


def test_long_outlines_are_drawn_from_coarser_forms_that_nobody_can_tell() -> None:
    source = prepare("l", table([coast(), shapely.Point(0.6, 0.2)]))
    assert source.long.tolist() == [0]
    counts = [int(shapely.get_num_coordinates(from_bytes(level))[0]) for level in source.forms.levels]
    assert counts[0] > 4000 and counts[-1] < counts[0] / 2
    exact, coarse = (
        shapely.geometry.shape(features(encode(QUARTER, [source], params=params).body)[0]["geometry"])
        for params in (TileParams(simplify=0), TileParams())
    )
    assert shapely.hausdorff_distance(exact, coarse) < 6
    assert coarse.area == pytest.approx(exact.area, rel=0.01)


def test_only_so_many_forms_are_open() -> None:
    forms, held = Forms.of(np.array([coast(), coast(500)])), Open(50_000)
    for level in [0, 1, 0, 2, 3, 0]:
        shapes = held.get((1, level), forms.levels[level])
        assert shapely.equals_exact(shapes, from_bytes(forms.levels[level])).all()
        assert len(held._kept) == 1 or sum(size for _, size in held._kept.values()) <= 50_000
    assert "2 outlines" in repr(forms) and "forms" in repr(held)


@given(st.integers(1, 400), st.integers(1, 40))
def test_of_equals_those_far_apart_stay(n: int, most: int) -> None:
    """Wherever the first rows lie, those that stay lie all over the ground."""
    x = np.linspace(0.51, 0.99, n)
    source = prepare("l", table([shapely.Point(a, 0.25) for a in x]))
    kept = source.heaviest(np.arange(n), most)
    assert len(kept) == min(n, most)
    assert (np.diff(kept) > 0).all()
    if n > most:
        gaps = np.diff(np.concatenate(([0], kept, [n])))
        assert gaps.max() <= 4 * n / most + 1


def test_a_source_whose_parts_do_not_fit_is_refused() -> None:
    fine = prepare("l", table([shapely.Point(0.6, 0.2)]))
    with pytest.raises(ValueError, match="every shape"):
        Source("l", fine.shapes, fine.box, fine.min_zoom[:0], fine.place, fine.carried, fine.long, fine.forms)


def test_columns_may_be_read_one_by_one() -> None:
    frame = table([shapely.Point(0.6, 0.2), shapely.Point()], name=["a", "b"], people=[3, 4])
    apart = prepare("l", frame[["geometry"]], columns=["name", "people"], read=frame.__getitem__)
    assert encode(QUARTER, [apart]).body == encode(QUARTER, [prepare("l", frame, columns=["name", "people"])]).body
    assert apart.nbytes > 0 and "1 shapes" in repr(apart)


def test_a_layer_laid_down_is_picked_up_as_it_was(tmp_path: Path) -> None:
    shapes = [coast(), shapely.Point(0.6, 0.2), shapely.box(0.7, 0.2, 0.8, 0.3)]
    source = prepare("l", table(shapes, name=["a", None, "b"], people=[1, 2, 3]), columns=["name", "people"])
    for i, one in enumerate([source, prepare("none", table([]))]):
        (folder := tmp_path / f"{i}").mkdir()
        laid.lay_down(one, folder)
        again = laid.pick_up(folder)
        assert again is not None and (again.name, len(again)) == (one.name, len(one))
        for tile in (Tile(0, 0, 0), QUARTER, Tile(8, 200, 60)):
            assert encode(tile, [again]) == encode(tile, [one])
    assert laid.pick_up(tmp_path / "other") is None
    (tmp_path / "0" / "layer.json").write_text('{"format": 0}')
    assert laid.pick_up(tmp_path / "0") is None
    (tmp_path / "1" / "box.npy").write_bytes(b"torn")
    assert laid.pick_up(tmp_path / "1") is None
