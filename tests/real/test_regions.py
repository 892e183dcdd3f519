"""Regions and reserved land of real places: Kampen between its rivers, and two Chinese towns with Chinese names."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import osm, standards
from geo import heights, network, population, regions, reserve, widths
from geo.city import PlanParams
from geo.open_land import TAKERS, Land
from geo.regions import RegionParams, Regions
from geo.reserve import Reserve, ReserveParams
from tests.shared_data import why_not

PARAMS = PlanParams.of(standards.load())
REGIONS, RESERVE = RegionParams.of(standards.load()), ReserveParams.of(standards.load())
NONE = np.zeros(0, dtype=object)
STOREY_M = 3.0
VEHICLES = ("footway", "path", "steps", "cycleway", "pedestrian", "track", "bridleway", "corridor", "platform")
"""Streets that vehicles do not use."""


@cache
def place(path: Path) -> tuple[osm.Extract, network.Network, Regions]:
    """An extract, its streets, and the regions of the ground under its buildings."""
    found = osm.read(path)
    streets = network.build(found.ways)
    ground = shapely.box(*found.buildings.total_bounds)
    divided = regions.divide(ground, streets, found.areas, found.lines, params=REGIONS, buildings=found.buildings)
    return found, streets, divided


def reserved(found: osm.Extract, streets: network.Network, ground: gpd.GeoDataFrame) -> Reserve:
    wide = widths.widths(streets, params=PARAMS.widths).width_m
    clear = np.where(np.isin(streets.edge_tag("highway").astype(str), VEHICLES), 0.0, wide)
    tall_m = np.nan_to_num(heights.told(found.buildings, storey_m=STOREY_M), nan=PARAMS.site.unknown_height_m)
    land = Land(found.areas, None, NONE, NONE, found.buildings.geometry.to_numpy(), tall_m * PARAMS.rubble.open_factor,
                streets.lines, wide, clear)  # fmt: skip
    people = population.from_buildings(found.buildings, found.areas, params=PARAMS.population, time="night",
                                       assumed=PARAMS.groups).demand  # fmt: skip
    return reserve.find(ground, land, people.geometry.to_numpy(), people["people"].to_numpy(), params=RESERVE)


@pytest.fixture
def at(shared_data: Path) -> Callable[[str], tuple[osm.Extract, network.Network, Regions]]:
    def find(name: str) -> tuple[osm.Extract, network.Network, Regions]:
        if reason := why_not(name):
            pytest.skip(reason)
        return place(shared_data / name)

    return find


KAMPEN, NANJING = "kampen/kampen.osm.pbf", "osm/nanjing.osm.pbf"
HAIDIAN = "osm/beijing-haidian-tsinghua.osm"


def test_kampen_lies_between_its_rivers(at) -> None:  # type: ignore[no-untyped-def]
    """The IJssel and the lakes are one region of water; main roads and shores bound the rest."""
    found, streets, divided = at(KAMPEN)
    table = divided.table
    assert len(divided) == pytest.approx(28, abs=3)
    assert table["kind"].value_counts()["water"] == 1
    water = table[table["kind"] == "water"].iloc[0]
    assert water["area_m2"] / 1e4 == pytest.approx(500, rel=0.2) and water["name"] == "Between IJssel and Reevediep"
    assert {"Haatland", "Between IJssel and Europa-allee"} <= set(table["name"])
    assert whole(divided, shapely.box(*found.buildings.total_bounds))
    got = reserved(found, streets, table)
    assert got.regions["reserve_short_m2"].sum() < 0.01 * got.regions["reserve_required_m2"].sum()
    assert "Stadspark" in set(got.lots.loc[got.lots["chosen"], "name"].dropna())
    assert all_told(got)


@pytest.mark.parametrize(("name", "count", "short_share", "named", "taken"), [
    # Nanjing's centre has little open ground on the map; Tsinghua's sports grounds do most of what the campus needs.
    (NANJING, 13, 0.60, {"五台山体育中心", "长江路与洪武北路之间"}, {"总统府", "朝天宫"}),
    (HAIDIAN, 4, 0.19, {"清华大学", "圆明园", "万泉河与荷清路之间"}, {"东大操场", "圆明园", "情人坡"}),
])  # fmt: skip
def test_chinese_towns(  # type: ignore[no-untyped-def]
    at, name: str, count: int, short_share: float, named: set[str], taken: set[str]
) -> None:
    found, streets, divided = at(name)
    table = divided.table
    assert len(divided) == pytest.approx(count, abs=1)
    assert named <= set(table["name_zh"])
    assert whole(divided, shapely.box(*found.buildings.total_bounds))
    got = reserved(found, streets, table)
    total = got.regions[["reserve_required_m2", "reserve_short_m2"]].sum()
    assert total["reserve_short_m2"] / total["reserve_required_m2"] == pytest.approx(short_share, abs=0.05)
    assert taken <= set(got.lots.loc[got.lots["chosen"], "name"].dropna())
    assert all_told(got)


def whole(divided: Regions, ground: shapely.Polygon) -> bool:
    """Whether regions are the ground without a gap or an overlap."""
    shapes = divided.table.geometry.to_numpy()
    area = float(shapely.area(shapes).sum())
    return bool(shapely.coverage_is_valid(shapes)) and area == pytest.approx(shapely.area(ground), rel=1e-12)


def all_told(got: Reserve) -> bool:
    """Whether every square metre of open land is taken, dropped or a candidate, and every choice is the best."""
    told = got.regions
    parts = told[[f"taken_{name}_m2" for name in TAKERS]].sum(axis=1) + told["dropped_m2"] + told["candidates_m2"]
    exact = np.allclose(parts, told["open_m2"], atol=1e-3)
    return exact and float(told["gap"].fillna(0).max()) == 0
