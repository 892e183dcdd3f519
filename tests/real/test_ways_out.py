"""Ways out of Kampen's flood: true to the search, apart where they can be, and told in both languages."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import osm, rasters, standards
from geo import network, reach, routing, territories, usable, ways_out
from geo.curves import LevelTables
from geo.evacuation import WalkParams
from geo.exposures import Faced
from geo.hazards import ExposureParams, Hazard
from geo.paths import LegParams
from geo.profiles import Rules, WheelchairParams
from geo.snapping import Snaps
from geo.tradeoffs import RouteParams
from geo.ways_out import Ground, Walker
from tests import shared_data

NEEDED = ("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif")
pytestmark = pytest.mark.skipif(bool(shared_data.why_not(*NEEDED)), reason=shared_data.why_not(*NEEDED) or "there")
SHALLOW = 0.2
"""The file holds whole metres: at this share of them streets are open that are wet."""


@lru_cache(maxsize=1)
def town() -> tuple[Ground, Snaps]:
    values = standards.load()
    rules, found = Rules.of(values), osm.read(shared_data.folder() / NEEDED[0])
    net = network.build(found.ways)
    grid, _ = rasters.read(shared_data.folder() / NEEDED[1], unit="m")
    grid = replace(grid, values=grid.values * SHALLOW)
    faced = Faced((Hazard("flood", "flood", "m", grid),), net.crs, ExposureParams.of(values), LevelTables.of(values))
    walk, chair = WalkParams.of(values), WheelchairParams.of(values)
    walkers = {
        name: Walker(usable.streets(net, who, rules=rules, island_m=walk.island_m, faced=faced.hazards), who.speed_ms)
        for name, who in (("walk", walk), ("wheelchair", chair))
    }
    spots = territories.samples(net, walkers["walk"].ways.joined, spacing_m=50)
    rng = np.random.default_rng(5)
    doors, places = (spots.where(np.isin(np.arange(len(spots)), rng.choice(len(spots), n))) for n in (30, 200))
    doors, places = (Snaps(np.arange(len(s)), s.edge, s.along_m, np.full(len(s), 5.0)) for s in (doors, places))
    at = np.asarray(shapely.points(*reach.points(net, doors)), dtype=object)
    sites = gpd.GeoDataFrame(
        {"shelter_id": [f"s{i}" for i in range(len(doors))], "name": None}, geometry=at, crs=net.crs
    )
    given = ways_out.ground(
        walkers, doors, sites, faced.streets(net, rules=rules), close_depth_m=walk.close_depth_m,
        route=RouteParams.of(values), legs=LegParams.of(values),
    )  # fmt: skip
    return given, places


def test_kampen_is_told_its_ways() -> None:
    given, places = town()
    graph, doors, speed = given.walkers["walk"].ways.graph, given.doors, given.walkers["walk"].speed_ms
    forest = routing.nearest(graph.reverse, doors, extra_s=doors.off_m / speed)
    starts = routing.join(graph, forest, places, doors, extra_s=doors.off_m / speed)
    at = np.flatnonzero(starts.cost_ms >= 0)
    names = np.array([f"c{i:03d}" for i in range(len(places))], dtype=object)
    found = ways_out.routes(given, places, at, starts.source[at], np.ones(len(at), dtype=np.int64), names)
    main = found[found["role"] == "main"].set_index("community_id")
    assert main["walk_s"].tolist() == pytest.approx((starts.cost_ms[at] / 1000 + 5 / speed).tolist())
    assert found.geometry.length.tolist() == pytest.approx(found["length_m"].tolist(), abs=0.01)
    second, safer = (found[found["role"] == role].set_index("community_id") for role in ("second", "safer"))
    assert len(second) > 0.5 * len(main) and len(safer) > 0
    apart = main.index[main["bottleneck"].isna()].intersection(second.index)
    assert (second.loc[apart, "shared_m"] < 1e-6).mean() > 0.9
    assert (safer["danger_s"] < main.loc[safer.index, "danger_s"]).all()
    assert (safer["walk_s"] >= main.loc[safer.index, "walk_s"]).all()
    assert (found["wheelchair_s"].dropna() >= found.loc[found["wheelchair_s"].notna(), "walk_s"] - 0.01).all()
    lines = [
        (en.splitlines(), zh.splitlines())
        for en, zh in zip(found["directions_en"], found["directions_zh"], strict=True)
    ]
    assert all(len(en) == len(zh) >= 1 and en[-1].endswith(".") and zh[-1].endswith("。") for en, zh in lines)
