"""Fire engines in Kampen and Nanjing: a few readable numbers, and the streets walked with other tools."""

from __future__ import annotations

import itertools
from functools import lru_cache

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from data import osm, standards
from geo import access_audit, fire_lanes, network, rubble, trunk_roads, usable
from geo.fire_lanes import AccessParams, Lanes
from geo.ground import SiteParams
from geo.profiles import FireEngineParams, Rules
from geo.rubble import RubbleParams
from geo.trunk_roads import CorridorParams
from geo.widths import WidthParams, widths
from tests import shared_data

FILES = {"kampen": "kampen/kampen.osm.pbf", "nanjing": "osm/nanjing.osm.pbf"}
NEEDED = tuple(FILES.values())
pytestmark = pytest.mark.skipif(bool(shared_data.why_not(*NEEDED)), reason=shared_data.why_not(*NEEDED) or "there")
VALUES = standards.load()
PARAMS, CORRIDOR = AccessParams.of(VALUES), CorridorParams.of(VALUES)


@lru_cache(maxsize=2)
def town(name: str) -> tuple[Lanes, gpd.GeoDataFrame, pd.DataFrame, pd.DataFrame]:
    """Streets, buildings, and how fire engines reach buildings and shelters."""
    found = osm.read(shared_data.folder() / FILES[name])
    net = network.build(found.ways)
    engine = usable.streets(
        net, FireEngineParams.of(VALUES), rules=Rules.of(VALUES), island_m=VALUES.number("walk.island_m")
    )  # fmt: skip
    wide = widths(net, params=WidthParams.of(VALUES))
    fallen = rubble.clear_widths(
        net, wide, found.buildings, trunk_roads.by_class(net, params=CORRIDOR), params=RubbleParams.of(VALUES),
        storey_m=VALUES.number("population.storey_m"), unknown_height_m=SiteParams.of(VALUES).unknown_height_m,
    )  # fmt: skip
    lanes = fire_lanes.lanes(net, fallen, engine, params=PARAMS, corridor=CORRIDOR)
    hydrants = found.facilities.geometry[found.facilities["kind"].isin(PARAMS.hydrant_kinds)].to_numpy(dtype=object)
    of_buildings = access_audit.audit(lanes, found.buildings.geometry, hydrants, params=PARAMS)
    of_shelters = access_audit.audit_shelters(lanes, found.shelters, hydrants, params=PARAMS, corridor=CORRIDOR)
    return lanes, found.buildings, of_buildings, of_shelters


# The maps are files that do not change; two in a hundred leave room for another choice of a width or a class.
@pytest.mark.parametrize(("name", "lane", "two_ways", "passes", "after"), [
    ("kampen", 0.96, 0.59, 0.58, 0.49), ("nanjing", 0.89, 0.91, 0.81, 0.39),
])  # fmt: skip
def test_how_many_buildings_are_reached(name: str, lane: float, two_ways: float, passes: float, after: float) -> None:
    _, _, found, _ = town(name)
    shares = access_audit.by_community(found, pd.Series(["all"] * len(found)), params=PARAMS).loc["all"]
    assert shares["buildings_with_lane_share"] == pytest.approx(lane, abs=0.02)
    assert shares["two_ways_share"] == pytest.approx(two_ways, abs=0.02)
    assert shares["access_ok_share"] == pytest.approx(passes, abs=0.02)
    assert shares["access_after_share"] == pytest.approx(after, abs=0.02)
    # neither map has a hydrant: that is not known, and nobody fails for it
    assert np.isnan(shares["hydrant_share"])
    assert not found["failing"].str.contains("hydrant").any()


@pytest.mark.parametrize("name", FILES)
def test_every_reason_is_a_sentence_in_both_languages(name: str) -> None:
    _, _, found, shelters = town(name)
    for table in (found, shelters):
        assert table["reason_en"].str.endswith(".").all()
        assert table["reason_zh"].str.endswith("。").all()
        assert not table["reason_en"].str.contains(r"\b(?:nan|None|inf)\b").any()
        assert ((table["reason"] == "ok") == (table["failing"] == "")).all()


@pytest.mark.parametrize("name", FILES)
def test_a_rod_along_fifty_streets_finds_no_narrower_place(name: str) -> None:
    lanes, buildings, _, _ = town(name)
    table, used = lanes.rubble.table, lanes.rubble.buildings
    throws = buildings[~used["light"].to_numpy()].reset_index(drop=True)
    reach = used["height_m"].to_numpy()[~used["light"]]
    rows = np.random.default_rng(4).choice(np.flatnonzero(table["blocked_by"] >= 0), 50, replace=False)
    tree = shapely.STRtree(throws.geometry.to_numpy())
    for row in rows:
        line, factor = lanes.network.lines[row], 0.667 if lanes.rubble.trunk[row] else 0.5
        worst = _by_rod(line, tree, throws.geometry.to_numpy(), factor * reach, table["width_m"][row])
        assert table["clear_m"][row] <= worst + 1e-6
        at = line.interpolate(table["narrowed_at_m"][row])
        house = buildings.geometry[table["blocked_by"][row]]
        taken = max(table["rubble_left_m"][row], table["rubble_right_m"][row])
        nearest = factor * used["height_m"][table["blocked_by"][row]] - house.distance(at) + table["width_m"][row] / 2
        assert taken <= nearest + 1e-6  # no wall is nearer across than it is at all


def _by_rod(
    line: shapely.LineString, tree: shapely.STRtree, shapes: np.ndarray, throw_m: np.ndarray, width_m: float
) -> float:
    """The narrowest place that one finds who looks square to each straight stretch every half a metre."""
    xy = shapely.get_coordinates(line)
    worst = 0.0
    for start, end in itertools.pairwise(xy):
        long = float(np.hypot(*(end - start)))
        if not long:
            continue
        square = np.array([start[1] - end[1], end[0] - start[0]]) / long
        at = start + np.linspace(0, 1, int(long / 0.5) + 2)[:, None] * (end - start)
        sides = [_taken(at, out, tree, shapes, throw_m, width_m) for out in (square, -square)]
        worst = max(worst, float((sides[0] + sides[1]).max()))
    return max(width_m - worst, 0.0)


def _taken(
    at: np.ndarray, out: np.ndarray, tree: shapely.STRtree, shapes: np.ndarray, throw_m: np.ndarray, width_m: float
) -> np.ndarray:
    """What buildings take of the carriageway on the side to which one looks."""
    rays = shapely.linestrings(np.stack([at, at + out * 150], axis=1))
    ray, house = tree.query(rays, predicate="intersects")
    away = shapely.distance(shapely.points(at[ray]), shapely.intersection(rays[ray], shapes[house]))
    found = np.zeros(len(at))
    np.maximum.at(found, ray, throw_m[house] - (away - width_m / 2))
    return found


@pytest.mark.parametrize("name", FILES)
def test_networkx_counts_the_same_ways_into_every_street(name: str) -> None:
    lanes, _, _, _ = town(name)
    net, graph = lanes.ways.net, nx.MultiGraph()
    graph.add_node(net.root)
    graph.add_edges_from(zip(net.u.tolist(), net.v.tolist(), strict=True))
    plain = nx.Graph(graph)
    joined = nx.node_connected_component(plain, net.root)
    twice = {(u, v) for u, v in plain.edges if graph.number_of_edges(u, v) > 1}
    cut = [(u, v) for u, v in nx.bridges(plain) if (u, v) not in twice and (v, u) not in twice]
    plain.remove_edges_from(cut)
    core = nx.node_connected_component(plain, net.root)
    parted = {frozenset(pair) for pair in cut}
    pairs = list(zip(net.u.tolist(), net.v.tolist(), strict=True))
    expected = [0 if u not in joined else 2 if u in core and frozenset((u, v)) not in parted else 1 for u, v in pairs]
    assert lanes.ways.count.tolist() == expected


def test_what_a_collapse_cuts_off_in_kampen() -> None:
    lanes, _, found, _ = town("kampen")
    lost = access_audit.blocked(lanes, found["street"].to_numpy())
    first = lost.iloc[0]
    # the dyke road to a row of farms and houses in the polder, with no other way out
    assert (first["street_id"], first["name"]) == ("w6523243-0", "Sint Nicolaasdijk")
    assert (first["buildings_behind"], first["building_id"]) == (74, "w267858568")
    assert first["clear_m"] == pytest.approx(3.83, abs=0.01)
    assert (lost["clear_m"] < PARAMS.lane_m).all()
    order = lost["buildings_behind"].tolist()
    assert order == sorted(order, reverse=True)


def test_the_tower_of_nanjing_and_shelters() -> None:
    lanes, _, found, shelters = town("nanjing")
    told = (
        found["reason_zh"].str.contains("德基|金融中心|大厦").sum()
        + shelters["reason_zh"].str.contains("金融中心").sum()
    )
    assert told > 0
    assert shelters["corridor_asked_m"].isin([4, 7]).all()
    assert 0.6 < shelters["corridor_ok"].astype(float).mean() < 0.9
    assert lanes.by_class
