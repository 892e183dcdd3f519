"""Cities of more and more communities: a whole plan, and what its places come to community by community.

A made city is a square of communities of 300 m, a hundred places with people and a shelter in each, a station of every
kind for every fifty, streets as a lattice, and a flood in its western third.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data import standards
from geo import plan, readied, summary, tables
from geo.city import City, PlanParams, Scenario
from geo.evacuation import STATES, WalkParams
from geo.hazards import Grid, Hazard
from geo.summary import Legs, StatusParams
from geo.tables import Schema
from tests.benchmarks.bench import Prepared, case
from tests.geo import one_by_one

CRS, SIDE_M, PLACES = "EPSG:32631", 300.0, 100
ORIGIN = (600_000.0, 5_800_000.0)
KINDS = ("fire_station", "hospital", "police", "school", "supermarket", "townhall")
FLOOD = Scenario("flood", "emergency", ("flood",))


def table(schema: Schema, shapes: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    blank = {c.name: [np.nan if c.kind == "float" else None] * len(shapes) for c in schema.columns}
    ids = [f"{schema.name}{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(blank | {schema.id_column: ids} | columns, geometry=shapes, crs=CRS)


def corners(n: int) -> tuple[np.ndarray, np.ndarray]:
    """South-western corners of ``n`` communities, row by row."""
    side = int(np.ceil(np.sqrt(n)))
    return ORIGIN[0] + np.arange(n) % side * SIDE_M, ORIGIN[1] + np.arange(n) // side * SIDE_M


def city(n: int) -> City:
    random, (x, y) = np.random.default_rng(n), corners(n)
    spots = shapely.points(np.repeat(x, PLACES) + random.uniform(0, SIDE_M, n * PLACES),
                           np.repeat(y, PLACES) + random.uniform(0, SIDE_M, n * PLACES))  # fmt: skip
    stations = np.repeat(np.arange(0, n, 50), len(KINDS))
    cells, side = int(np.ceil(np.sqrt(n)) * 10), SIDE_M / 10
    depth = np.zeros((cells, cells), dtype=np.float32)
    depth[:, : cells // 3] = random.choice([0.0, 2.0], (cells, cells // 3), p=[0.8, 0.2])
    grid = Grid(depth, (side, 0, ORIGIN[0], 0, -side, ORIGIN[1] + cells * side), CRS)
    return City(
        crs=CRS,
        ways=None,
        buildings=tables.empty(tables.BUILDINGS, crs=CRS),
        facilities=table(tables.FACILITIES, shapely.points(x[stations] + 50, y[stations] + 50),
                         kind=np.resize(np.array(KINDS, dtype=object), len(stations))),
        shelters=table(tables.SHELTERS, shapely.box(x + 120, y + 120, x + 180, y + 180), kind=["park"] * n,
                       origin=["mapped"] * n, tier=["emergency"] * n, area_m2=[3600.0] * n),
        areas=tables.empty(tables.AREAS, crs=CRS),
        lines=tables.empty(tables.LINES, crs=CRS),
        boundaries=tables.empty(tables.BOUNDARIES, crs=CRS),
        communities=table(tables.COMMUNITIES, shapely.box(x, y, x + SIDE_M, y + SIDE_M), level=["community"] * n,
                          source=["made"] * n),
        people={None: table(tables.DEMAND, spots, people=random.integers(1, 200, n * PLACES))},
        hazards={"flood": Hazard("flood", "flood", "m", grid)},
    )  # fmt: skip


@case("a flood in a made city, a hundred places a community", unit="communities", sizes=(100, 400, 1600))
def run(size: int | str) -> Prepared:
    base = readied.prepare(city(int(size)), params=PlanParams.of(standards.load()))
    return int(size), lambda: plan.run(base, FLOOD)


def counted(n: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Communities, places and shelters as a plan hands them to its summary."""
    random, (x, y) = np.random.default_rng(n), corners(n)
    names = np.array([f"c{i}" for i in range(n)], dtype=object)
    units = gpd.GeoDataFrame({"community_id": names}, geometry=shapely.points(x, y), crs=CRS)
    columns = {"community_id": np.repeat(names, PLACES), "people": random.integers(0, 200, n * PLACES)}
    columns |= {"state": random.choice(np.array(STATES, dtype=object), n * PLACES)}
    columns |= {name: random.uniform(0, 4000, n * PLACES) for name in ("walk_s", "walk_s_normal", "nearest_s")}
    flags = ("in_reach", "in_reach_normal", "exposed", "lost_way")
    columns |= {name: random.random(n * PLACES) < 0.5 for name in flags}
    served = np.where(columns["state"] == "served", columns["people"], 0)
    columns |= {"people_served": served, "people_unserved": columns["people"] - served, "people_served_normal": served}
    sites = pd.DataFrame({"community_id": names, "usable": True, "capacity_people": 400.0, "area_m2": 900.0})
    return units, gpd.GeoDataFrame(columns), gpd.GeoDataFrame(sites)


@case("what places come to in communities", unit="communities", sizes=(100, 1000, 3000))
def by_community(size: int | str) -> Prepared:
    known, (units, homes, sites) = standards.load(), counted(int(size))
    params, walk = StatusParams.of(known), WalkParams.of(known)
    walks = Legs(homes["community_id"], homes["walk_s"].to_numpy(), homes["people_served"].to_numpy())
    return int(size), lambda: summary.by_community(units, homes, sites, (walks, walks), params=params, walk=walk)


@by_community.rival("pandas, one community after the other")
def one_after_the_other(size: int | str) -> Prepared:
    known, (units, homes, sites) = standards.load(), counted(int(size))
    params, walk = StatusParams.of(known), WalkParams.of(known)

    def work() -> None:
        here, there = (dict(list(each.groupby("community_id"))) for each in (homes, sites))
        rows = [one_by_one.community(here[name], there[name], params=params, walk=walk, known=True) for name in here]
        assert len(rows) == len(units)

    return int(size), work
