"""Hazards made from the map and the heights: drawn small enough to tell by eye."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data import standards
from geo import derived
from geo.crs import reproject
from geo.derived import BUILT_YEAR, KINDS, DerivedParams
from geo.errors import InputError, LimitError
from geo.hazards import Grid, Hazard
from geo.reasons import Finding
from geo.tables import AREAS, BUILDINGS, FACILITIES, LINES, empty

CRS = "EPSG:32631"
X, Y = 600_000.0, 5_800_000.0
PARAMS = DerivedParams.of(standards.load())
EXTENT = (X, Y - 200, X + 400, Y)


def rows(schema: Any, shapes: list[shapely.Geometry], **columns: list[Any]) -> gpd.GeoDataFrame:
    ids = {schema.id_column: [str(i) for i in range(len(shapes))]}
    names = dict.fromkeys(("name", "name_zh", "name_en"))
    return gpd.GeoDataFrame({**ids, **names, **columns}, geometry=shapes, crs=CRS)


def made(kind: str, *, extent: tuple[float, ...] = EXTENT, elevation: Grid | None = None, **tables: Any) -> Any:
    given_ = {"areas": AREAS, "lines": LINES, "facilities": FACILITIES, "buildings": BUILDINGS}
    params = tables.pop("params", PARAMS)
    have = {name: tables.get(name, empty(schema, crs=CRS)) for name, schema in given_.items()}
    return derived.derive(kind, **have, elevation=elevation, extent=extent, crs=CRS, params=params)


def levels(found: tuple[Hazard, tuple[Finding, ...]]) -> np.ndarray:
    return found[0].grid.values


def codes(found: tuple[Hazard, tuple[Finding, ...]]) -> list[str]:
    return [finding.code for finding in found[1]]


def lines(kind: str, *shapes: shapely.Geometry, **columns: list[Any]) -> gpd.GeoDataFrame:
    return rows(LINES, list(shapes), **({"kind": [kind] * len(shapes), "voltage_v": [np.nan] * len(shapes)} | columns))


DOWN = shapely.LineString([(X + 200, Y + 50), (X + 200, Y - 250)])


def test_every_kind_has_labels_in_both_languages() -> None:
    assert all(label.en and label.zh and label.code == kind for kind, label in KINDS.items())
    found, _ = made("waterside", lines=lines("river", DOWN))
    assert (found.hazard_id, found.kind, found.unit, found.label_zh) == ("waterside", "waterside", "level", "临水地带")
    assert found.grid.crs == CRS and found.grid.values.shape == (20, 40)


def test_bands_along_a_river() -> None:
    """River: 4 up to 20 m, 3 up to 50, 2 up to 100; middles lie 5, 15, 25, … m off."""
    row = levels(made("waterside", lines=lines("river", DOWN)))[10]
    assert row[20:32].tolist() == [4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 0, 0]
    assert row[:20].tolist() == row[:19:-1].tolist()


def test_a_lake_and_a_stream_the_higher_counts() -> None:
    lake = rows(AREAS, [shapely.box(X, Y - 200, X + 100, Y)], kind=["water"])
    row = levels(made("waterside", areas=lake, lines=lines("stream", DOWN)))[10]
    assert row[:16].tolist() == [4] * 11 + [3, 3, 2, 2, 0]
    assert row[20:24].tolist() == [3, 2, 2, 0]


def test_water_below_ground_is_left_out_and_said() -> None:
    both = lines("river", DOWN, DOWN, tunnel=["culvert", None])
    assert codes(made("waterside", lines=both)) == ["water_below_ground"]
    hidden = made("waterside", lines=lines("river", DOWN, tunnel=["culvert"]))
    assert np.isnan(levels(hidden)).all() and codes(hidden) == ["no_source", "water_below_ground"]


@pytest.mark.parametrize("kind", ["waterside", "fuel_industry", "power_line", "old_dense"])
def test_not_mapped_is_not_none(kind: str) -> None:
    found = made(kind)
    assert np.isnan(levels(found)).all() and codes(found) == ["no_source"] and found[1][0].severity == "warning"


def test_fuel_and_industry() -> None:
    pump = rows(FACILITIES, [shapely.Point(X + 5, Y - 105)], kind=["fuel"])
    works = rows(AREAS, [shapely.box(X + 300, Y - 200, X + 400, Y)], kind=["industrial"])
    row = levels(made("fuel_industry", facilities=pump, areas=works))[10]
    assert row[:12].tolist() == [4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 0]
    assert row[25:32].tolist() == [0, 0, 2, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("voltage_v", "cells", "said"),
    [
        (400.0, 1, []),
        (10_000.0, 1, []),
        (20_000.0, 2, []),
        (110_000.0, 2, []),
        (220_000.0, 4, []),
        (1_000_000.0, 4, ["voltage_beyond"]),
        (np.nan, 2, ["voltage_unknown"]),
    ],
)
def test_strips_by_voltage(voltage_v: float, cells: int, said: list[str]) -> None:
    """Strips of 5, 10, 15 and 20 m on either side; a line down the middle of a column of cells 10 m wide."""
    middle = shapely.transform(DOWN, lambda xy: np.add(xy, (5, 0)))
    found = made("power_line", lines=lines("power_line", middle, voltage_v=[voltage_v]))
    wide = {1: 1, 2: 3, 4: {220_000.0: 3}.get(voltage_v, 5)}[cells]
    assert (levels(found)[10] == 3).sum() == wide
    assert codes(found) == said and set(np.unique(levels(found))) == {0, 3}


def test_a_lower_line_does_not_hide_a_higher() -> None:
    two = lines("power_line", DOWN, DOWN, voltage_v=[10_000.0, 500_000.0])
    assert (levels(made("power_line", lines=two))[10] == 3).sum() == 4


def plane(degrees: float, *, crs: str = CRS, cell: float = 20.0, towards: float = 0.3) -> Grid:
    """Ground that rises evenly; values at the cells' middles as told in metres."""
    (west,), (north,) = reproject(np.array([X - 300]), np.array([Y + 300]), source=CRS, target=crs)
    side = cell / 90_000 if crs == "EPSG:4326" else cell
    col, row = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    x, y = reproject((west + side * col).ravel(), (north - side * row).ravel(), source=crs, target=CRS)
    rise = np.tan(np.radians(degrees)) * ((x - X) * np.cos(towards) + (y - Y) * np.sin(towards))
    return Grid(rise.reshape(col.shape), (side, 0, west, 0, -side, north), crs)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 60), st.sampled_from([CRS, "EPSG:4326", "EPSG:3857", "EPSG:28992"]), st.floats(0, 6.3))
def test_the_slope_of_a_plane_is_its_slope(degrees: float, crs: str, towards: float) -> None:
    found, cell_m = derived.slope(plane(degrees, crs=crs, towards=towards), crs=CRS)
    assert np.isnan(found[[0, -1]]).all() and np.isnan(found[:, [0, -1]]).all()
    assert found[1:-1, 1:-1] == pytest.approx(degrees, abs=0.1)
    assert 10 < cell_m < 30


@pytest.mark.parametrize(
    ("degrees", "level"), [(0, 0), (14.9, 0), (15.1, 1), (20.1, 2), (25.1, 3), (30.1, 4), (40.5, 5)]
)
def test_steep_slopes(degrees: float, level: float) -> None:
    found = made("steep_slope", elevation=plane(degrees))
    assert (levels(found) == level).all() and codes(found) == []


def test_heights_that_are_coarse_or_lacking() -> None:
    assert codes(made("steep_slope", elevation=plane(5, cell=90))) == ["slope_coarse"]
    half = plane(20)
    half = Grid(np.where(np.arange(60) < 30, half.values, np.nan), half.transform, CRS)
    found = made("steep_slope", elevation=half)
    assert codes(found) == ["slope_unknown"] and 0 < np.isnan(levels(found)).mean() < 1
    elsewhere = Grid(half.values, (20, 0, X + 50_000, 0, -20, Y), CRS)
    assert np.isnan(levels(made("steep_slope", elevation=elsewhere))).all()
    with pytest.raises(InputError, match="renxing add STUDY elevation"):
        made("steep_slope")


def houses(share: float, **columns: Any) -> gpd.GeoDataFrame:
    """One house on each 20 m of the western half, on a share of its ground."""
    side = 20 * np.sqrt(share)
    corners = [(X + 20 * i, Y - 200 + 20 * j) for i in range(10) for j in range(10)]
    shapes = [shapely.box(x, y, x + side, y + side) for x, y in corners]
    plain: dict[str, Any] = {"use": "yes", "levels": np.nan, "height_m": np.nan}
    return rows(BUILDINGS, shapes, **{name: [value] * 100 for name, value in (plain | columns).items()})


@pytest.mark.parametrize(
    ("share", "columns", "level", "said"),
    [
        (0.5, {BUILT_YEAR: 1970.0}, 3, []),
        (0.7, {BUILT_YEAR: 1970.0}, 5, []),
        (0.2, {BUILT_YEAR: 1970.0}, 0, []),
        (0.7, {BUILT_YEAR: 1981.0}, 0, []),
        (0.7, {"levels": 2.0}, 3, ["age_unknown"]),
        (0.3, {"levels": 2.0}, 1, ["age_unknown"]),
        (0.7, {"levels": 12.0}, 0, ["age_unknown"]),
        (0.7, {"height_m": 6.0}, 3, ["age_unknown"]),
        (0.7, {"height_m": 60.0}, 0, ["age_unknown"]),
        (0.7, {}, 3, ["age_unknown"]),
    ],
)
def test_dense_and_old(share: float, columns: dict[str, float], level: float, said: list[str]) -> None:
    found = made("old_dense", buildings=houses(share, **columns))
    assert levels(found)[10, 9] == level and levels(found)[10, 35] == 0
    assert codes(found) == said


def test_few_known_ages_do_not_stand_for_all() -> None:
    table = houses(0.7, levels=2.0)
    table[BUILT_YEAR] = np.where(np.arange(100) % 3 == 0, 1970.0, np.nan)
    found = made("old_dense", buildings=table)
    assert levels(found)[10, 9] == 3, "a third is known: judged by storeys"
    assert found[1][0].count == 66


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(InputError, match="a hazard of waterside"):
        made("volcano")
    with pytest.raises(LimitError, match=r"derived\.cell_m"):
        made("waterside", params=PARAMS.model_copy(update={"cells_max": 100.0}))


@pytest.mark.parametrize(
    ("name", "word"),
    [("waterside", "river"), ("waterside", "river:20"), ("waterside", "river:0=3"), ("waterside", "river:20=6"),
     ("fuel_industry", "fuel:9000=1"), ("power_line", "high:10=3")],
)  # fmt: skip
def test_bands_that_cannot_be_are_refused(name: str, word: str) -> None:
    with pytest.raises(ValidationError, match="should be words such as"):
        DerivedParams.model_validate(PARAMS.model_dump() | {name: (word,)})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**20))
def test_another_river_never_lowers_a_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [shapely.LineString(rng.uniform((X, Y - 200), (X + 400, Y), (3, 2))) for _ in range(3)]
    one, both = (levels(made("waterside", lines=lines("river", *shapes[:n]))) for n in (2, 3))
    assert (both >= one).all()
