from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import zones
from data.standards.class_tables import class_table
from geo.errors import ColumnError, InputError, ParameterError, UnreadableError
from geo.hazards import Grid
from geo.reasons import Finding

CRS = "EPSG:32631"
X, Y = 400_000, 5_800_000


def outlines(folder: Path, *shapes: shapely.Geometry | None, name: str = "zones.gpkg", **columns: object) -> Path:
    """Shapes drawn in metres from (X, Y), as a file."""
    moved = [None if s is None else shapely.transform(s, lambda xy: xy + np.array([X, Y])) for s in shapes]
    gpd.GeoDataFrame(columns, geometry=moved, crs=CRS).to_file(folder / name)
    return folder / name


def read(path: Path, **more: Any) -> tuple[Grid, tuple[Finding, ...]]:
    west, south, east, north = more.pop("extent", (0, 0, 25, 20))
    said = {"kind": "flood", "unit": "m", "into": CRS, "extent": (X + west, Y + south, X + east, Y + north)} | more
    return zones.read(path, **said)


def found(notes: tuple[Finding, ...]) -> dict[str, int]:
    return {note.code: note.count for note in notes}


SHALLOW, DEEP = shapely.box(5, 5, 20, 20), shapely.box(15, 0, 25, 15)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_worse_wins_where_outlines_lie_on_each_other(tmp_path: Path, swapped: bool) -> None:
    """
    ::

        ┌─────────┬──┐         0  .5 .5 .5  0
        │ 0.5 m ┌─┼──┼─┐       0  .5 .5  3  3
        │       │ │3 m │   →   0  .5 .5  3  3
        └───────┼─┘  │ │       0   0  0  3  3
    """
    rows = [(SHALLOW, 0.5), (DEEP, 3.0)][:: -1 if swapped else 1]
    path = outlines(tmp_path, *(shape for shape, _ in rows), depth=[value for _, value in rows])
    grid, notes = read(path)
    expected = [[0, 0.5, 0.5, 0.5, 0], [0, 0.5, 0.5, 3, 3], [0, 0.5, 0.5, 3, 3], [0, 0, 0, 3, 3]]
    assert grid.values.tolist() == expected
    assert (grid.crs, grid.bounds) == (CRS, (X, Y, X + 25, Y + 20))
    assert found(notes) == {"zones_column": 0, "zones_area": 2, "zones_outside_none": 0}
    area = next(note for note in notes if note.code == "zones_area")
    assert "0.0 ha are laid out in 13 cells of 5 m" in area.en and "0.0% off" in area.en


def test_an_outline_smaller_than_a_cell_gets_the_cell_it_lies_in(tmp_path: Path) -> None:
    """Two parts of one outline miss every middle: one lies on dry ground, the other below a worse one."""
    small = shapely.MultiPolygon([shapely.box(1, 1, 2, 2), shapely.box(16, 1, 17, 2)])
    grid, notes = read(outlines(tmp_path, small, DEEP, depth=[0.5, 3.0]))
    assert (grid.values[3, 0], grid.values[3, 3]) == (0.5, 3)
    assert found(notes)["zones_small"] == 2
    covered = shapely.box(16, 1, 24, 9)
    assert "zones_small" not in found(read(outlines(tmp_path, covered, DEEP, depth=[0.5, 3.0]))[1])


def test_words_count_as_their_upper_end_and_say_so(tmp_path: Path) -> None:
    path = outlines(tmp_path, SHALLOW, DEEP, **{"最大浸水深": ["0.3m未満の区域", "３.０m以上"]})
    grid, notes = read(path)
    assert set(np.unique(grid.values)) == {np.float32(0), np.float32(0.3), np.float32(3)}
    assert {"zones_ranges": 2, "zones_ranges_open": 1}.items() <= found(notes).items()
    assert "0.3m未満の区域 = 0.3 m" in next(note.en for note in notes if note.code == "zones_ranges")


@pytest.mark.parametrize(("texts", "kind", "unit", "said"), [
    (["high", "low"], "flood", "m", r"found 'high', 'low'. Say what each stands for: --map high=VALUE"),
    (["0.3m未満", "2日以上"], "flood", "m", "found '2日以上'"),
    (["高", "低"], "landslide", "level", "@china-geohazard"),
])  # fmt: skip
def test_words_that_say_nothing_are_asked_for(
    tmp_path: Path, texts: list[str], kind: str, unit: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read(outlines(tmp_path, SHALLOW, DEEP, level=texts), kind=kind, unit=unit)


def test_classes_are_explained(tmp_path: Path) -> None:
    path = outlines(tmp_path, SHALLOW, DEEP, rank=[1, 3])
    with pytest.raises(InputError, match=r"look like classes: 1, 3. Say what .* --map @japan-flood-rank"):
        read(path)
    grid, _ = read(path, classes=class_table("@japan-flood-rank"))
    assert set(np.unique(grid.values)) == {0, np.float32(0.5), 5}
    grid, _ = read(path, classes={"1": 50, "3": 200}, unit="cm")
    assert set(np.unique(grid.values)) == {0, np.float32(0.5), 2}
    with pytest.raises(InputError, match=r"that --map explains \(1\), found '1', '3'"):
        read(path, classes={"1": 50})
    with pytest.raises(ParameterError, match="a class table for flood, found @beaufort"):
        read(path, classes=class_table("beaufort"))


def test_levels_are_asked_which_way_they_run(tmp_path: Path) -> None:
    path = outlines(tmp_path, SHALLOW, DEEP, level=[1, 3])
    with pytest.raises(InputError, match=r"1 \(1 outline\), 3 \(1 outline\). If 3 is the worst: --map 3=5 --map 1=1"):
        read(path, kind="landslide", unit="level")
    assert read(path, kind="landslide", unit="level", classes=class_table("levels"))[0].values.max() == 3


def test_one_level_for_all_outlines(tmp_path: Path) -> None:
    path = outlines(tmp_path, SHALLOW, DEEP, name="特別警戒区域.geojson", no=[7, 8])
    with pytest.raises(ColumnError, match=r"--map level:=NUMBER. Its name says 特別警戒区域: level 5"):
        read(path, kind="landslide", unit="level")
    grid, notes = read(path, kind="landslide", unit="level", constants={"level": "5"})
    assert (np.unique(grid.values).tolist(), "zones_column" in found(notes)) == ([0, 5], False)
    for wrong in ({"level": "high"}, {"colour": "5"}, {"level": "5", "value": "5"}):
        with pytest.raises(ParameterError, match="one number for all outlines"):
            read(path, kind="landslide", unit="level", constants=wrong)
    with pytest.raises(InputError, match="levels up to 5"):
        read(path, kind="landslide", unit="level", constants={"level": "6"})


@pytest.mark.parametrize(("depths", "said"), [
    ([0.5, -9999.0], "-9999 in 1 outline, undeclared"), ([0.5, 250.0], "depths up to 100"),
    ([np.nan, np.nan], "no outline with a value"),
])  # fmt: skip
def test_values_that_cannot_be_are_refused(tmp_path: Path, depths: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(outlines(tmp_path, SHALLOW, DEEP, depth=depths))


def test_an_outline_without_a_value_is_unknown_unless_another_knows(tmp_path: Path) -> None:
    small = shapely.box(1, 1, 2, 2)
    path = outlines(tmp_path, SHALLOW, DEEP, small, depth=[0.5, -9999.0, -9999.0])
    grid, notes = read(path, nodata=-9999)
    unknown = np.argwhere(np.isnan(grid.values)).tolist()
    assert unknown == [[1, 4], [2, 4], [3, 0], [3, 3], [3, 4]]
    assert (grid.values[1, 3], grid.values[0, 0]) == (0.5, 0)
    said = next(note for note in notes if note.code == "zones_without_value")
    assert (said.count, said.rows, said.column) == (2, (2, 3), "depth")


def test_where_less_is_worse_the_first_to_arrive_wins_and_outside_is_unknown(tmp_path: Path) -> None:
    path = outlines(tmp_path, SHALLOW, DEEP, hours=[1.5, 6.5])
    grid, notes = read(path, kind="flood_arrival", unit="h", column="hours")
    assert (grid.values[1, 3], grid.values[3, 4]) == (1.5, 6.5)
    assert np.isnan(grid.values[0, 0])
    assert "zones_outside_unknown" in found(notes)


def test_columns_are_found_by_usual_names_or_named(tmp_path: Path) -> None:
    path = outlines(tmp_path, SHALLOW, DEEP, tief=[0.5, 3.0], Depth=[0.25, 1.5], level=["a", "b"])
    with pytest.raises(ColumnError, match=r"found columns tief, Depth, level. Name it with --map value=COLUMN"):
        read(path)
    with pytest.raises(ColumnError, match="a column 'deep'"):
        read(path, column="deep")
    assert read(path, column="tief")[0].values.max() == 3


def test_outlines_are_mended_and_counted(tmp_path: Path) -> None:
    bow = shapely.Polygon([(0, 0), (20, 20), (20, 0), (0, 20)])
    grid, notes = read(outlines(tmp_path, DEEP, bow, None, depth=[0.5, 1.25, 2.5]))
    said = {note.code: (note.count, note.rows) for note in notes}
    assert said["zones_repaired"] == (1, (2,))
    assert said["zones_not_areas"] == (1, (3,))
    assert grid.values[1, 0] == 1.25


def test_outlines_beyond_the_study_are_left_out_and_counted(tmp_path: Path) -> None:
    far = shapely.box(500, 500, 520, 520)
    grid, notes = read(outlines(tmp_path, SHALLOW, far, depth=[0.5, 3.5]))
    assert (grid.values.max(), found(notes)["zones_beyond"]) == (0.5, 1)
    with pytest.raises(InputError, match="none: all lie outside it"):
        read(outlines(tmp_path, far, depth=[3.5]))
    alone = zones.read(outlines(tmp_path, far, depth=[3.5]), kind="flood", unit="m", into=CRS)[0]
    assert alone.bounds == (X + 500, Y + 500, X + 520, Y + 520)


def test_cells_become_larger_where_there_would_be_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "CELLS_MAX", 100)
    grid, notes = read(outlines(tmp_path, SHALLOW, depth=[0.5]), cell_m=1)
    assert grid.values.size <= 100
    assert "zones_cells_larger" in found(notes)
    assert grid.values.max() == 0.5


def test_points_and_lines_are_refused(tmp_path: Path) -> None:
    points = [shapely.Point(x, y) for x in (0, 100_000) for y in (0, 100_000)]
    extent = (0, 0, 10_000, 8_000)
    with pytest.raises(
        UnreadableError, match=r"found 4 points some \d+\.\d km apart, for a study 10 km wide. Points say"
    ):
        read(outlines(tmp_path, *points, depth=[1.0] * 4), extent=extent)
    with pytest.raises(UnreadableError, match=r"found lines\. A line has no area"):
        read(outlines(tmp_path, shapely.LineString([(0, 0), (5, 5)]), depth=[1.0]))


SPOTS = st.tuples(st.floats(0, 80), st.floats(0, 80), st.floats(0.5, 40), st.integers(3, 9), st.floats(0.1, 9))


@settings(max_examples=20)
@given(st.lists(SPOTS, min_size=1, max_size=6))
def test_every_cell_has_the_worst_of_the_outlines_its_middle_lies_in(
    tmp_path_factory: pytest.TempPathFactory, spots: list[tuple[float, float, float, int, float]]
) -> None:
    """An oracle: each middle asked of each outline; a cell may be worse only where a small outline lies in it."""
    shapes = [shapely.Point(x, y).buffer(r, quad_segs=n) for x, y, r, n, _ in spots]
    value = np.float32([depth + 0.123 for *_, depth in spots])
    path = outlines(tmp_path_factory.mktemp("z"), *shapes, depth=value.astype(float))
    grid, notes = read(path, extent=(0, 0, 80, 80))
    at = np.arange(2.5, 80, 5)
    inside = [shapely.contains_xy(shape, *np.meshgrid(at, at[::-1])) for shape in shapes]
    expected = np.max([np.where(where, depth, 0) for where, depth in zip(inside, value, strict=True)], axis=0)
    other = grid.values != expected.astype(np.float32)
    assert other.sum() <= found(notes).get("zones_small", 0)
    assert (grid.values >= expected).all()


@settings(max_examples=20)
@given(st.floats(1, 60), st.floats(1, 60), st.floats(0, math.pi))
def test_the_area_in_cells_is_that_of_the_outline(
    tmp_path_factory: pytest.TempPathFactory, width: float, height: float, turn: float
) -> None:
    """At most the cells that the outline's edge crosses are too many or too few."""
    box = shapely.affinity.rotate(shapely.box(50, 50, 50 + width, 50 + height), turn, use_radians=True)
    grid, _ = read(outlines(tmp_path_factory.mktemp("z"), box, depth=[1.5]), extent=(0, 0, 200, 200), cell_m=2)
    area = (grid.values > 0).sum() * 4
    assert abs(area - box.area) <= box.length * 2 * math.sqrt(2) + 4
