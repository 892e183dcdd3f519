"""What of a site people can use: buildings, rubble, fire gaps, slopes and water taken off it, once each."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import data.standards
from geo import ground
from geo.exposures import Faced
from geo.ground import SiteParams, Survey
from geo.hazards import ExposureParams, Grid, Hazard

CRS = "EPSG:32631"
PARAMS = SiteParams.of(data.standards.load()).model_copy(update={
    "open_usable_share": 0.5, "floor_usable_share": 0.5, "unknown_height_m": 6.0,
})  # fmt: skip
PARK = shapely.box(0, 0, 100, 50)
# Twice as long as the strip it sheds is wide: the strip's edge on the park is straight.
TOWER = shapely.box(110, -60, 130, 110)
KIOSK = shapely.box(10, 10, 20, 20)
DEPOT = shapely.box(-20, -100, -10, 150)


def sites(*shapes: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    table = {"shelter_id": [f"s{i}" for i in range(len(shapes))]}
    frame = gpd.GeoDataFrame(table, geometry=list(shapes), crs=CRS)
    area = frame.area.where(frame.area > 0)
    return frame.assign(**{"area_m2": area, "floor_m2": np.nan, **columns})


def buildings(*shapes: shapely.Geometry, height_m: object = np.nan, levels: object = np.nan) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=CRS).assign(height_m=height_m, levels=levels)
    return frame.astype({"height_m": "float64", "levels": "float64"})


def sources(kind: str, *shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"kind": [kind] * len(shapes)}, geometry=list(shapes), crs=CRS)


def surveyed(
    table: gpd.GeoDataFrame, built: gpd.GeoDataFrame, *others: gpd.GeoDataFrame, heights: Grid | None = None,
    params: SiteParams = PARAMS, rubble_factor: float = 2 / 3,
) -> Survey:  # fmt: skip
    return ground.survey(table, built, others, heights, params=params, storey_m=3.0, rubble_factor=rubble_factor)


def over(kind: str, unit: str, value: float, *, west: float = -500, east: float = 500) -> Hazard:
    """A hazard of one value between two eastings, none elsewhere."""
    x = np.arange(-500, 500, 10) + 5.0
    values = np.tile(np.where((x >= west) & (x < east), value, 0.0), (100, 1)).astype(np.float32)
    return Hazard("h", kind, unit, Grid(values, (10, 0, -500, 0, -10, 500), CRS))


def left(
    table: gpd.GeoDataFrame, of: Survey, *hazards: Hazard, params: SiteParams = PARAMS
) -> pd.DataFrame:  # fmt: skip
    faced = Faced(hazards, CRS, ExposureParams(), None)
    return ground.usable(of, faced.sites(table), faced, params=params)


def quake() -> Hazard:
    """Ground that shakes: it takes no ground by itself."""
    return Hazard("q", "earthquake", "level", over("flood", "m", 3.0).grid)


def test_a_park_with_a_tower_beside_it() -> None:
    park = sites(PARK)
    of = surveyed(park, buildings(TOWER, KIOSK, height_m=[60.0, 3.0]), sources("fuel", DEPOT))
    row = of.table.iloc[0]
    # Kiosk 10 × 10; gap up to x = 20, 20 × 50 less the kiosk in it; rubble 2/3 × 60 m from x = 110, from 70 on.
    assert row[["share_built", "share_fire_gap", "share_rubble"]].tolist() == pytest.approx([0.02, 0.18, 0.3])
    assert (row["site_m2"], row["heights_assumed"], row["near_major_hazard"]) == (5000, 0, False)
    assert np.isnan(row["share_steep"])
    assert np.isnan(row["major_hazard_m"])
    calm, shaken = left(park, of).iloc[0], left(park, of, quake()).iloc[0]
    assert (calm["clear_m2"], calm["open_m2"], calm["rubble_m2"]) == pytest.approx((4000, 2000, 0))
    assert (shaken["clear_m2"], shaken["open_m2"], shaken["rubble_m2"]) == pytest.approx((2500, 1250, 1500))


def test_what_collapses_on_any_day_and_what_stands() -> None:
    park, built = sites(PARK, floor_m2=100.0), buildings(TOWER, KIOSK, height_m=[60.0, 3.0])
    always = PARAMS.model_copy(update={"collapse_always": True})
    falls = always.model_copy(update={"own_buildings_stand": False})
    standing = left(park, surveyed(park, built, params=always), params=always).iloc[0]
    fallen = left(park, surveyed(park, built, params=falls), params=falls).iloc[0]
    assert (standing["clear_m2"], standing["usable_floor_m2"]) == pytest.approx((5000 - 100 - 1500, 50))
    # The kiosk's own strip of 2 m: four sides and the round corners.
    strip = KIOSK.buffer(2).area - 100
    assert (fallen["clear_m2"], fallen["usable_floor_m2"]) == pytest.approx((5000 - 100 - 1500 - strip, 0))


def test_heights_are_recorded_or_of_storeys_or_assumed() -> None:
    wall = shapely.box(101, -60, 102, 110)
    told = [
        surveyed(sites(PARK), buildings(wall, **how)).table.iloc[0][["share_rubble", "heights_assumed"]].tolist()
        for how in ({"height_m": 9.0}, {"levels": 3.0}, {})
    ]
    assert told == [pytest.approx([0.05, 0])] * 2 + [pytest.approx([0.03, 1])]


def test_what_is_not_known_is_not_zero_and_takes_nothing() -> None:
    table = sites(PARK, shapely.Point(300, 0), area_m2=[5000.0, 800.0])
    of = surveyed(table, buildings().iloc[:0], sources("fuel", DEPOT))
    shares = of.table[["share_built", "share_fire_gap", "share_rubble", "heights_assumed"]].to_numpy()
    assert np.isnan(shares).tolist() == [[True, False, True, True], [True] * 4]
    assert left(table, of)["clear_m2"].tolist() == pytest.approx([4000, 800])
    assert left(table, of)["usable_floor_m2"].isna().all()
    assert surveyed(sites(shapely.Point(0, 0)), buildings(KIOSK)).table["site_m2"].isna().all()


def test_what_a_list_states_as_area_shrinks_by_the_shares_of_the_outline() -> None:
    stated = sites(PARK, area_m2=1000.0)
    of = surveyed(stated, buildings(KIOSK, height_m=3.0))
    assert left(stated, of)["clear_m2"].tolist() == pytest.approx([980])


def test_a_major_hazard_is_marked_and_counts_in_a_fire_only() -> None:
    table = sites(PARK, shapely.Point(2000, 0))
    of = surveyed(table, buildings(KIOSK), sources("works", shapely.Point(900, 25)))
    assert of.table["major_hazard_m"].tolist() == pytest.approx([800, np.hypot(1100, 25)])
    assert of.table["near_major_hazard"].tolist() == [True, False]
    assert ground.near_hazard(of, {"fire"}, params=PARAMS).tolist() == [True, False]
    assert ground.near_hazard(of, {"flood"}, params=PARAMS).tolist() == [False, False]
    assert left(table, of)["clear_m2"].iloc[0] == pytest.approx(4900)


def test_steep_ground_is_taken_off_and_unknown_slopes_are_not() -> None:
    # Flat up to x = 50, then 45 degrees; heights end at x = 150.
    x = np.arange(-100, 150, 5) + 2.5
    grid = Grid(np.tile(np.maximum(x - 50, 0), (60, 1)), (5, 0, -100, 0, -5, 200), CRS)
    table = sites(PARK, shapely.box(400, 0, 500, 50))
    of = surveyed(table, buildings().iloc[:0], heights=grid)
    assert of.table["share_steep"].tolist() == pytest.approx([0.5, np.nan], abs=0.051, nan_ok=True)
    assert left(table, of)["clear_m2"].tolist() == pytest.approx([2500, 5000], abs=255)


def test_water_takes_ground_and_ground_floors() -> None:
    school = sites(PARK, floor_m2=300.0)
    of = surveyed(school, buildings(KIOSK, levels=3.0))
    none, film, deep = (left(school, of, over("flood", "m", m, east=40)).iloc[0] for m in (0.0, 0.1, 0.2))
    assert [round(row["share_lost"], 9) for row in (none, film, deep)] == [0, 0.4, 0.4]
    assert [row["clear_m2"] for row in (none, film, deep)] == pytest.approx([4900, 2940, 2940])
    assert [row["usable_floor_m2"] for row in (none, film, deep)] == pytest.approx([150, 150, 100])
    # The building stands in the dry: only the ground is lost.
    dry = left(school, of, over("flood", "m", 2.0, west=40)).iloc[0]
    assert (dry["clear_m2"], dry["usable_floor_m2"]) == pytest.approx((4900 * 0.4, 150))
    unmapped = surveyed(school, buildings(TOWER))
    assert left(school, unmapped, over("flood", "m", 2.0))["usable_floor_m2"].tolist() == [0]


def test_another_hazard_takes_ground_and_floors_alike() -> None:
    school = sites(PARK, floor_m2=300.0)
    row = left(school, surveyed(school, buildings(KIOSK)), over("landslide", "level", 3, east=40)).iloc[0]
    assert (row["clear_m2"], row["usable_floor_m2"]) == pytest.approx((4900 * 0.6, 90))


def test_a_building_on_nested_sites_belongs_to_the_inner_one() -> None:
    table = sites(shapely.box(-50, -50, 150, 150), PARK)
    of = surveyed(table, buildings(KIOSK, shapely.box(-30, -30, -20, -20), levels=2.0))
    assert of.own.site.tolist() == [1, 0]
    assert of.own.floor_m2.tolist() == [200, 200]


def test_what_is_not_known_is_said() -> None:
    table = sites(PARK, shapely.Point(5000, 0))
    of = surveyed(table, buildings(TOWER), sources("works", shapely.Point(900, 25)))
    assert {note.code: note.count for note in ground.notes(of, params=PARAMS)} == {
        "shelters_near_major_hazard": 1, "ground_not_measured": 1, "shelter_slope_unknown": 2,
    }  # fmt: skip


def test_nothing_gives_nothing() -> None:
    none = sites(PARK).iloc[:0]
    of = surveyed(none, buildings(TOWER), sources("fuel", DEPOT))
    assert (len(of.table), of.table.columns.tolist()) == (0, list(ground.SURVEYED))
    assert left(none, of, quake()).columns.tolist() == list(ground.USABLE)


# -- laws and an oracle --------------------------------------------------------------------------------------------


def random_boxes(rng: np.random.Generator, n: int, size: float) -> list[shapely.Polygon]:
    x, y, wide, high = *rng.uniform(0, 300, (2, n)), *rng.uniform(5, size, (2, n))
    return [shapely.box(*corners) for corners in zip(x, y, x + wide, y + high, strict=True)]


def drawn(seed: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Random sites, buildings (one in four of unknown height) and fire sources."""
    rng = np.random.default_rng(seed)
    built = random_boxes(rng, 30, 30)
    tall = np.where(rng.random(30) < 0.25, np.nan, rng.uniform(2, 40, 30))
    return (
        sites(*random_boxes(rng, 6, 120)),
        buildings(*built, height_m=tall),
        sources("fuel", *random_boxes(rng, 2, 8)),
    )


def by_hand(site: shapely.Polygon, built: gpd.GeoDataFrame, fires: Sequence[shapely.Geometry]) -> list[float]:
    """The same shares with one union after the other."""
    steps = [shapely.union_all(built.geometry.to_numpy())]
    steps.append(shapely.union_all([steps[0], *(fire.buffer(PARAMS.fire_gap_m) for fire in fires)]))
    strips = [
        shape.buffer(2 / 3 * (6.0 if np.isnan(height) else height))
        for shape, height in zip(built.geometry, built["height_m"], strict=True)
        if not site.contains(shape.representative_point())
    ]
    steps.append(shapely.union_all([steps[1], *strips]))
    covered = [site.intersection(step).area / site.area for step in steps]
    return np.diff([0, *covered]).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_as_one_union_after_the_other(seed: int) -> None:
    table, built, fires = drawn(seed)
    found = surveyed(table, built, fires).table[["share_built", "share_fire_gap", "share_rubble"]].to_numpy()
    for row, site in zip(found, table.geometry, strict=True):
        assert row.tolist() == pytest.approx(by_hand(site, built, fires.geometry.to_list()), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1.5), st.floats(0, 60))
def test_a_wider_strip_or_gap_never_adds_ground(seed: int, factor: float, gap_m: float) -> None:
    table, built, fires = drawn(seed)
    wider = PARAMS.model_copy(update={"fire_gap_m": 30 + gap_m})
    strips = surveyed(table, built, fires, params=wider, rubble_factor=2 / 3 + factor)
    less = left(table, strips, quake(), params=wider)["clear_m2"]
    more = left(table, surveyed(table, built, fires), quake())["clear_m2"]
    calm = left(table, surveyed(table, built, fires))["clear_m2"]
    assert (less <= more + 1e-6).all()
    assert (more <= calm + 1e-6).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 3), st.floats(0, 3))
def test_more_water_never_leaves_more(seed: int, depth: float, more: float) -> None:
    table, built, fires = drawn(seed)
    table = table.assign(floor_m2=500.0)
    of = surveyed(table, built, fires)
    east = float(np.random.default_rng(seed).uniform(0, 300))
    less, much = (left(table, of, over("flood", "m", d, east=e)) for d, e in ((depth, east), (depth + more, east + 50)))
    for name in ("clear_m2", "open_m2", "usable_floor_m2"):
        assert (much[name] <= less[name] + 1e-6).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_neither_order_nor_place_matters(seed: int) -> None:
    table, built, fires = drawn(seed)
    expected = surveyed(table, built, fires).table
    turned = surveyed(table.iloc[::-1], built.iloc[::-1], fires.iloc[::-1]).table
    pd.testing.assert_frame_equal(turned.sort_index(), expected, rtol=1e-9, atol=1e-9)
    moved = [frame.set_geometry(frame.translate(5e5, 5e6)) for frame in (table, built, fires)]
    pd.testing.assert_frame_equal(surveyed(*moved).table, expected, rtol=1e-6, atol=1e-6)
