"""Regions: ground divided by water, parks, green, main roads and railways; drawn, and by law."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import regions
from geo.regions import COLUMNS, RegionParams, Regions
from tests.geo.drawn_ground import areas, box, lines, roads

PARAMS = RegionParams.of(standards.load())
GROUND = box(0, 0, 1000, 800)
RIVER = ("river", "渭河", [(400, -50), (400, 850)])
ROAD = ("secondary", "人民路", (380.0, 400.0), (1050.0, 400.0))
STREETS = roads(ROAD)


def divided(ground: Any = GROUND, streets: Any = None, land: Any = None, along: Any = None, **more: Any) -> Regions:
    built = more.pop("buildings", None)
    land, along = (areas() if land is None else land), (lines() if along is None else along)
    return regions.divide(ground, streets, land, along, params=PARAMS.model_copy(update=more), buildings=built)


def hectares(found: Regions) -> list[float]:
    return [round(float(area) / 1e4, 2) for area in found.table["area_m2"]]


#  800 ┌────────║───────────┐
#      │        ║     2     │      ║ river, ═ main road; the road crosses the river and ends there
#  400 │   1   ═╬═══════════│
#      │        ║     3     │
#    0 └────────║───────────┘
#      0       400        1000
class TestDrawn:
    def test_a_river_and_a_main_road_make_three_regions(self) -> None:
        found = divided(streets=STREETS, along=lines(RIVER))
        assert sorted(hectares(found)) == [24, 24, 32]
        assert found.table["region_id"].tolist() == ["region_001", "region_002", "region_003"]
        assert sorted(found.table["name"]) == ["人民路与渭河之间", "人民路与渭河之间（3）", "渭河一带"]
        assert sorted(found.table["name_en"])[0] == "At 渭河"
        west = found.table[found.table["area_m2"] > 300_000].iloc[0]
        assert west["border_water_share"] == pytest.approx(800 / 2400)
        assert west["bounded_by_en"] == "the edge of the study 67%, water 33%"
        assert west["bounded_by_zh"] == "研究范围边界67%、水域33%"
        assert found.table["kind"].eq("unknown").all() and found.findings == ()
        assert repr(found) == "Regions(3: 3 unknown)"

    def test_a_side_street_a_stream_and_a_tunnel_divide_nothing(self) -> None:
        stream = ("stream", "溪", [(400, -50), (400, 850)])
        below = lines(RIVER).assign(tunnel="culvert")
        side = roads(("residential", "巷", (0, 400), (1000, 400)))
        assert hectares(divided(streets=side, along=lines(stream))) == hectares(divided(along=below)) == [80]

    def test_what_lies_between_two_carriageways_joins_a_neighbour(self) -> None:
        other = ("secondary", "人民路", (380.0, 420.0), (1050.0, 420.0))
        found = divided(streets=roads(ROAD, other), along=lines(RIVER))
        assert sorted(hectares(found)) in ([22.8, 25.2, 32], [24, 24, 32])

    def test_a_small_piece_joins_across_the_road_and_not_across_the_river(self) -> None:
        """12 ha in the corner have 300 m of river and 400 m of road: the longer border, had it not been water."""
        corner = roads(("primary", "长街", (700, -50), (700, 290)), ("primary", "短街", (690, 300), (1050, 300)))
        parted = lines(("river", "渭河", [(695, -50), (695, 850)]))
        found = divided(streets=corner, along=parted)
        assert sorted(hectares(found)) == [24.4, 55.6]

    def test_a_large_park_is_a_region_of_its_own_and_a_small_one_is_not(self) -> None:
        park = areas(("park", "人民公园", box(400, 200, 1000, 800)))
        found = divided(land=park)
        assert sorted(hectares(found)) == [36, 44]
        own = found.table[found.table["kind"] == "park"].iloc[0]
        assert own["name"] == "人民公园" and own["park_share"] == 1 and own["border_park_share"] == 1
        small = divided(land=areas(("park", "小公园", box(400, 300, 700, 600))))
        assert hectares(small) == [80] and small.table["name"].tolist() == ["小公园一带"]

    def test_a_lake_in_a_park_is_park_and_a_bridge_does_not_divide_water(self) -> None:
        park = areas(("park", "公园", box(400, 200, 1000, 800)), ("water", "湖", box(500, 300, 900, 700)))
        assert sorted(hectares(divided(land=park))) == [36, 44]
        river = areas(("water", "大河", box(300, 0, 700, 800)))
        found = divided(land=river, streets=roads(("trunk", "大桥", (-50.0, 400.0), (1050.0, 400.0))), least_hectares=5)
        assert sorted(hectares(found)) == [12, 12, 12, 12, 32]
        water = found.table[found.table["kind"] == "water"].iloc[0]
        assert water["name"] == "大河" and water["land_m2"] == pytest.approx(0, abs=1e-6)

    def test_land_joins_water_only_where_nothing_else_is_beside(self) -> None:
        island = shapely.difference(GROUND, box(100, 100, 900, 700)), box(450, 350, 550, 450)
        lake = areas(("water", "湖", shapely.difference(box(100, 100, 900, 700), island[1])))
        found = divided(land=lake)
        assert sorted(hectares(found)) == [32, 48]  # the island of 1 ha is with the lake, the shore is not

    def test_fields_of_no_known_use_are_built_up_where_buildings_stand(self) -> None:
        built = gpd.GeoDataFrame(geometry=[box(100, 100, 300, 700)], crs=areas().crs)
        found = divided(along=lines(RIVER), buildings=built)
        assert found.table.sort_values("area_m2")["kind"].tolist() == ["built_up", "unknown"]

    def test_a_river_that_ends_near_the_edge_is_carried_on_to_it(self) -> None:
        short = lines(("river", "渭河", [(400, 100), (400, 850)]))
        assert len(divided(along=short)) == 2 and len(divided(along=short, carry_m=50)) == 1

    def test_nothing_that_divides_is_one_region_for_each_part_of_the_ground(self) -> None:
        apart = shapely.MultiPolygon([GROUND, box(2000, 0, 2100, 100)])
        found = divided(ground=apart)
        assert sorted(hectares(found)) == [1, 80] and [f.code for f in found.findings] == ["regions_small"]
        assert [f.code for f in divided().findings] == ["regions_one"]
        assert divided().table["name"].tolist() == ["Region 1"] and divided().table["name_zh"].tolist() == ["区域 1"]

    def test_no_ground_no_region(self) -> None:
        found = divided(ground=shapely.Polygon(), streets=STREETS, along=lines(RIVER))
        assert len(found) == 0 and list(found.table.columns) == [*COLUMNS, "geometry"]
        assert found.table.crs == areas().crs


spots = st.tuples(st.integers(-5, 95), st.integers(-5, 75), st.integers(5, 60), st.integers(5, 60))
uses = st.sampled_from(["water", "park", "forest", "grass", "residential"])
corners = st.lists(st.tuples(st.integers(-5, 105), st.integers(-5, 85)), min_size=2, max_size=4, unique=True)
drawn_areas = st.lists(st.tuples(uses, spots), max_size=7)
drawn_lines = st.lists(st.tuples(st.sampled_from(["river", "railway"]), corners), max_size=6)


@given(drawn_areas, drawn_lines, st.sampled_from([0, 3, 20]), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=15)
def test_regions_are_the_whole_ground_whatever_order_things_come_in(land, along, least, random) -> None:  # type: ignore[no-untyped-def]
    ground = shapely.difference(GROUND, box(600, 500, 650, 560))

    def made(some: Any, more: Any) -> Regions:
        rows = [(kind, f"{kind} {x}", box(10 * x, 10 * y, 10 * (x + w), 10 * (y + h))) for kind, (x, y, w, h) in some]
        ways = [(kind, f"{kind} {len(at)}", [(10 * x, 10 * y) for x, y in at]) for kind, at in more]
        return divided(ground, STREETS, areas(*rows), lines(*ways), least_hectares=least)

    found = made(land, along)
    shapes = found.table.geometry.to_numpy()
    assert shapely.area(shapes).sum() == pytest.approx(ground.area, rel=1e-12)
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapely.coverage_union_all(shapes)) == pytest.approx(ground.area, rel=1e-12)
    assert found.table.geom_type.eq("Polygon").all() and found.table["name"].is_unique
    borders = found.table[[name for name in COLUMNS if name.startswith("border_")]].sum(axis=1)
    assert borders.to_numpy() == pytest.approx(np.ones(len(found)))
    assert len(found) == 1 or (found.table["area_m2"] >= least * 1e4 - 1e-6).all()
    again = made(random.sample(land, len(land)), random.sample(along, len(along)))
    assert shapely.to_wkb(again.table.geometry.to_numpy()).tolist() == shapely.to_wkb(shapes).tolist()
    assert again.table["name"].tolist() == found.table["name"].tolist()
