"""Whether a fire engine gets there: drawn towns with the answer by eye, and laws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from data import standards
from geo import access_audit, fire_lanes, network, rubble, trunk_roads, usable
from geo.access_audit import BLOCKED_COLUMNS, COLUMNS, SHARES
from geo.fire_lanes import STREET_COLUMNS, AccessParams, Lanes
from geo.profiles import FireEngineParams, Rules
from geo.rubble import RubbleParams
from geo.trunk_roads import CorridorParams
from geo.widths import WidthParams, widths
from tests.geo.drawn import CRS, ORIGIN, positions, ways
from tests.geo.test_rubble import buildings

VALUES = standards.load()
PARAMS = AccessParams.of(VALUES)
CORRIDOR = CorridorParams.of(VALUES)
ENGINE, RULES = FireEngineParams.of(VALUES), Rules.of(VALUES)
NO_HYDRANTS = np.zeros(0, dtype=object)

# a trunk road t - u - v, a ring u b c v south of it, a cul-de-sac c - d - e east of the ring
#
#   t  u  v
#      b  c  d  e
TOWN = positions("tuv\n bcde")
TRUNK = {"tuv": {"highway": "primary", "name": "Main Road", "name_zh": "大路"}}
RING: dict[str, dict[str, str]] = {"ub": {}, "bc": {"name": "Ring"}, "cv": {}}
END: dict[str, dict[str, str]] = {"cde": {"name": "Long Lane"}}


def house(x: float, y: float, *, size: float = 10) -> shapely.Polygon:
    """A house with its south-west corner so many metres east and north of t."""
    return shapely.box(x, y, x + size, y + size)


def city(
    chains: Mapping[str, Mapping[str, str]], houses: Sequence[shapely.Geometry], heights: Sequence[float] | None = None,
    *, barriers: Mapping[str, Mapping[str, str]] | None = None, places: Mapping[str, tuple[float, float]] = TOWN,
    trunk_least_m: float = 0, **changed: object,
) -> tuple[Lanes, gpd.GeoDataFrame, AccessParams]:  # fmt: skip
    """Streets as a fire engine finds them among houses, 6 m high unless told otherwise."""
    params = PARAMS.model_copy(update=changed)
    net = network.build(ways(places, chains, barriers=barriers))
    table = buildings(houses, heights or [6.0] * len(houses))
    engine = usable.streets(net, ENGINE, rules=RULES, island_m=0)
    wide = widths(net, params=WidthParams.of(VALUES))
    corridor = CORRIDOR.model_copy(update={"trunk_least_m": trunk_least_m})
    main = trunk_roads.by_class(net, params=corridor)
    fallen = rubble.clear_widths(
        net, wide, table, main, params=RubbleParams.of(VALUES), storey_m=3.0, unknown_height_m=6.0
    )  # fmt: skip
    return fire_lanes.lanes(net, fallen, engine, params=params, corridor=corridor), table, params


def audited(
    chains: Mapping[str, Mapping[str, str]], *houses: shapely.Geometry, hydrants: np.ndarray = NO_HYDRANTS,
    heights: Sequence[float] | None = None, barriers: Mapping[str, Mapping[str, str]] | None = None, **changed: object,
) -> pd.DataFrame:  # fmt: skip
    given_, table, params = city(chains, houses, heights, barriers=barriers, **changed)
    return access_audit.audit(given_, table.geometry, hydrants, params=params)


ON_RING = house(140, -120)  # 10 m off b - c
UP_LANE = shapely.Polygon([(340, -110), (350, -120), (330, -120)])  # 10 m off, 140 m up the lane c - d - e
TALL = house(240, -97)  # beside c - d, wall 3 m off


def test_a_house_on_a_ring_has_two_ways_in() -> None:
    found = audited(TRUNK | RING | END, ON_RING).iloc[0]
    assert (found["street_id"], found["street_m"], found["ways_in"]) == ("w3-0", 10, 2)
    assert (found["dead_end_m"], found["width_m"], found["widest_m"]) == (0, 6, 6)
    assert np.isnan([found["hydrant_m"], found["height_limit_m"]]).all()
    assert (found["passes"], found["passes_after"], found["failing"], found["reason"]) == (True, True, "", "ok")
    assert found["reason_en"] == "Ring, 10 m away, is a fire lane of 6.0 m with two ways in."


def test_a_house_up_a_dead_end_has_one() -> None:
    found = audited(TRUNK | RING | END, UP_LANE).iloc[0]
    assert (found["ways_in"], found["dead_end_m"]) == (1, pytest.approx(140))
    assert (found["passes"], found["failing"]) == (False, "one_way_in;dead_end")
    assert (
        found["reason_en"]
        == "Every way of at least 4 m from the trunk network uses Long Lane: one way in, 2 are asked for."
    )
    assert found["reason_zh"] == "自干路网宽4米以上的通道都须经过Long Lane：仅1条进入通道，应有2条。"
    less = audited(TRUNK | RING | END, UP_LANE, ways_in=1).iloc[0]
    assert less["reason_en"] == "It stands 140 m up a dead end (Long Lane); at most 120 m is allowed."


def test_a_lane_of_three_and_a_half_metres_is_none() -> None:
    narrow = {"cde": {"name": "Long Lane", "width": "3.5"}}
    found = audited(TRUNK | RING | narrow, UP_LANE).iloc[0]
    assert (found["lane_ok"], found["ways_in"], found["widest_m"]) == (False, 0, 3.5)
    assert found["failing"] == "narrow_lane;dead_end"
    assert found["reason_en"] == "Its street, Long Lane, is 3.5 m wide (as mapped); a fire lane needs 4 m."
    # behind it a wide street is reached only through it
    behind = {"cd": {"name": "Long Lane", "width": "3.5"}, "de": {}}
    found = audited(TRUNK | RING | behind, UP_LANE).iloc[0]
    assert (found["lane_ok"], found["failing"]) == (True, "narrow_way;dead_end")
    assert "narrows to 3.5 m on Long Lane" in found["reason_en"]


def test_a_collapse_is_told_with_its_building_its_street_and_what_it_leaves() -> None:
    found = audited(TRUNK | RING | END, UP_LANE, TALL, heights=[6, 10], ways_in=1, dead_end_m=500).iloc[0]
    # 5 m of rubble from a wall 3 m off the middle of 6 m: 5 m of the carriageway
    assert (found["width_m"], found["clear_m"], found["widest_m"], found["widest_after_m"]) == (6, 1, 6, 1)
    assert (found["passes"], found["passes_after"], found["failing"]) == (True, False, "blocked_after")
    assert found["reason_en"] == (
        "After a collapse the rubble of building h1 (10 m high) leaves 1.0 of 6.0 m on Long Lane; 4 m are needed, and "
        "no other lane within 45 m can be reached."
    )
    assert found["reason_zh"] == (
        "建筑倒塌后，建筑h1（高10米）的瓦砾使Long Lane宽度由6.0米减至1.0米，不足4米，45米内也无其他可到达的消防车道。"
    )


def test_another_lane_in_reach_saves_a_house_from_the_collapse() -> None:
    # 10 m north of the lane and 30 m south of a street v - w, which its collapse leaves open
    between, near = shapely.box(250, -90, 270, -30), positions("tuvw\n bcde")
    for more, saved in (({}, False), ({"vw": {}}, True)):
        given_, table, params = city(TRUNK | RING | END | more, [between, TALL], [6, 10], places=near, ways_in=1)
        found = access_audit.audit(given_, table.geometry, NO_HYDRANTS, params=params).iloc[0]
        assert (found["street_id"], found["street_m"], found["ways_in_after"]) == ("w5-0", 10, 0)
        assert (found["reached_after"], found["passes_after"]) == (saved, saved)


def test_heights_gates_and_far_streets() -> None:
    low = {"cde": {"name": "Long Lane", "maxheight": "3.8"}}
    found = audited(TRUNK | RING | low, UP_LANE).iloc[0]
    assert (found["height_limit_m"], found["reason"]) == (3.8, "too_low")
    assert found["reason_en"] == "The highest way in is limited to 3.8 m; a fire lane needs 4 m."
    # a bollard parts the lane; the fire engine opens a gate
    shut = audited(TRUNK | RING | END, UP_LANE, barriers={"d": {"barrier": "bollard"}}).iloc[0]
    assert (shut["reason"], np.isnan(shut["widest_m"]), shut["ways_in"]) == ("no_way", True, 0)
    assert shut["reason_en"] == "No way for a fire engine leads from the trunk network to its street, Long Lane."
    gate = audited(TRUNK | RING | END, UP_LANE, barriers={"d": {"barrier": "gate", "locked": "yes"}}).iloc[0]
    assert gate["ways_in"] == 1
    bar = audited(TRUNK | RING | END, UP_LANE, barriers={"d": {"barrier": "height_restrictor", "maxheight": "3.6"}})
    assert bar["height_limit_m"].tolist() == [3.6]
    far = audited(TRUNK | RING, house(140, -190), search_m=100).iloc[0]
    assert (far["failing"], far["street_m"]) == ("too_far", 80)
    assert far["reason_en"] == "The nearest fire lane, Ring, is 80 m away; at most 45 m is allowed."
    none = audited(TRUNK | RING, house(140, -900), search_m=100).iloc[0]
    assert (none["street"], none["street_id"], none["failing"], none["ways_in"]) == (-1, None, "no_street", 0)
    assert none["reason_en"] == "No street that a fire engine may use lies within 100 m."


def test_hydrants_are_straight_away_and_not_mapped_is_not_none() -> None:
    at = np.array([shapely.Point(ORIGIN[0] + 310, ORIGIN[1] - 110)], dtype=object)
    found = audited(TRUNK | RING | END, ON_RING, UP_LANE, hydrants=at)
    assert found["hydrant_m"].tolist() == pytest.approx([160, np.hypot(20, 10)])
    assert found["failing"].tolist() == ["hydrant", "one_way_in;dead_end"]
    assert (
        found["reason_en"][0]
        == "The nearest mapped hydrant is 160 m away in a straight line; at most 150 m is allowed."
    )


def test_a_lane_hardly_farther_off_with_more_ways_in_counts() -> None:
    corner = house(206, -88, size=6)  # 6 m off c - v, 6 m north of c - d - ... is 12 m
    assert audited(TRUNK | RING | END, corner)["street_id"].tolist() == ["w4-0"]
    lane = house(215, -91, size=6)  # 9 m off the lane, 15 m off the ring
    assert audited(TRUNK | RING | END, lane)["street_id"].tolist() == ["w4-0"]
    assert audited(TRUNK | RING | END, lane, spread_m=5)["street_id"].tolist() == ["w5-0"]


def test_shelters_ask_for_the_corridor_of_their_tier() -> None:
    given_, table, params = city(TRUNK | RING | END, [ON_RING, TALL, UP_LANE], [6, 10, 6])
    tiers = ["short", None, "emergency"]
    sites = gpd.GeoDataFrame({"tier": tiers}, geometry=list(table.geometry), crs=CRS, index=[5, 6, 7])
    found = access_audit.audit_shelters(given_, sites, NO_HYDRANTS, params=params, corridor=CORRIDOR)
    assert found.index.tolist() == [5, 6, 7]
    assert found["corridor_asked_m"].tolist() == [7, 4, 4]
    # on the lane itself nothing more is left; from TALL the ring is in reach
    assert found["corridor_m"].tolist() == [6, 6, 1]
    assert found["corridor_ok"].tolist() == [False, True, False]
    assert found["failing"].tolist() == ["corridor", "one_way_in", "one_way_in;dead_end;blocked_after;corridor"]
    assert found["reason_en"][5] == (
        "After a collapse the widest way to it keeps 6.0 m, narrowest on Ring; a short-term shelter needs 7 m."
    )


def test_what_a_blocked_street_cuts_off() -> None:
    lane = {"cd": {"name": "Long Lane"}, "de": {}}
    given_, table, params = city(TRUNK | RING | lane, [UP_LANE, house(360, -120), TALL], [6, 6, 10])
    found = access_audit.audit(given_, table.geometry, NO_HYDRANTS, params=params)
    lost = access_audit.blocked(given_, found["street"].to_numpy(), people=np.array([3, 4, 5.0]))
    row = lost.iloc[0]
    assert (row["street_id"], row["building_id"], row["clear_m"]) == ("w5-0", "h2", 1)
    assert (row["buildings_behind"], row["buildings_on"], row["people_behind"], row["people_on"]) == (2, 1, 7, 5)
    assert len(lost) == 1
    assert row["reason_en"] == (
        "The rubble of building h2 (10 m high) can leave 1.0 of 6.0 m; 2 buildings behind it have no other way."
    )
    assert access_audit.blocked(given_, found["street"].to_numpy())["people_behind"].isna().all()


def test_by_community_nothing_known_is_nan() -> None:
    found = audited(TRUNK | RING | END, ON_RING, UP_LANE, UP_LANE)
    ids = pd.Series(["k", "m", "m"])
    table = access_audit.by_community(found, ids, people=np.array([2.0, 3, 4]), params=PARAMS)
    assert table.loc["k", ["buildings_audited", "access_ok_share", "people_without_access"]].tolist() == [1, 1, 0]
    assert table.loc["m", ["buildings_audited", "two_ways_share", "people_without_access"]].tolist() == [2, 0, 7]
    assert table["buildings_with_lane_share"].tolist() == [1, 1]
    assert table["hydrant_share"].isna().all()
    bare = access_audit.by_community(found.iloc[:0], ids.iloc[:0], params=PARAMS)
    assert len(bare) == 0
    assert set(SHARES) < set(bare.columns)


def test_without_a_trunk_road_the_largest_ring_stands_for_it() -> None:
    chains = {"tuv": {}} | RING | END
    given_, table, params = city(chains, [ON_RING, UP_LANE])
    assert not given_.by_class
    assert given_.table["trunk"].tolist() == [False, True, True, True, True, False]
    found = access_audit.audit(given_, table.geometry, NO_HYDRANTS, params=params)
    assert found["ways_in"].tolist() == [2, 1]
    tree, _, _ = city({"tuv": {}, "cde": {}, "vc": {}}, [])
    assert tree.table["trunk"].sum() == 1


def test_short_pieces_of_the_trunk_network_do_not_count_unless_all_are_short() -> None:
    apart = {"de": {"highway": "primary"}}
    given_, _, _ = city(TRUNK | apart, [], trunk_least_m=150)
    assert given_.table["trunk"].tolist() == [True, False]
    given_, _, _ = city(TRUNK | apart, [], trunk_least_m=1000)
    assert given_.table["trunk"].tolist() == [True, False]


def test_a_narrow_trunk_road_is_one_all_the_same_until_rubble_lies_on_it() -> None:
    thin = {"tuv": {"highway": "primary", "lanes": "1"}}
    for height, left in ((6.0, 2), (30.0, 0)):
        given_, _, _ = city(thin | RING, [house(140, 6), house(40, 6)], [height, height])
        assert given_.table["trunk"].tolist()[:2] == [True, True]
        assert given_.table["ways_in"].tolist() == [0, 0, 2, 2, 2]
        assert given_.table["ways_in_after"].tolist() == [0, 0, left, left, left]


def test_nothing_gives_nothing_with_its_columns_and_no_buildings_are_not_known() -> None:
    given_, table, params = city({}, [])
    assert list(given_.table.columns) == list(STREET_COLUMNS)
    found = access_audit.audit(given_, table.geometry, NO_HYDRANTS, params=params)
    assert (list(found.columns), len(found)) == (list(COLUMNS), 0)
    lost = access_audit.blocked(given_, found["street"].to_numpy())
    assert (list(lost.columns), len(lost)) == (list(BLOCKED_COLUMNS), 0)
    nowhere = access_audit.audit(given_, gpd.GeoSeries([house(0, 0)], crs=CRS), NO_HYDRANTS, params=params)
    assert nowhere["failing"].tolist() == ["no_street"]
    bare, _, params = city(TRUNK | RING, [])
    moved = gpd.GeoSeries([affinity.translate(ON_RING, *ORIGIN)], crs=CRS)
    found = access_audit.audit(bare, moved, NO_HYDRANTS, params=params).iloc[0]
    assert (found["passes"], found["passes_after"], found["reached_after"]) == (True, None, None)
    assert np.isnan([found["clear_m"], found["widest_after_m"], found["ways_in_after"]]).all()


# -- laws --------------------------------------------------------------------------------------------------------------

LETTERS = "tuvbcde"


@st.composite
def towns(draw: st.DrawFn) -> tuple[dict[str, dict[str, str]], str, list[shapely.Geometry], list[float]]:
    """A trunk road, other streets of several widths, one street more, and houses."""
    pairs = [a + b for i, a in enumerate(LETTERS) for b in LETTERS[i + 1 :]]
    drawn = draw(st.lists(st.sampled_from(pairs[1:]), min_size=2, max_size=9, unique=True))
    wide = st.sampled_from(["3", "4.5", "6", "8"])
    chains = {"tu": {"highway": "primary"}, **{pair: {"width": draw(wide)} for pair in drawn[:-1]}}
    metres = st.integers(-20, 420)
    spots = draw(st.lists(st.tuples(metres, st.integers(-130, 30)), min_size=1, max_size=5, unique=True))
    heights = [float(draw(st.integers(3, 20))) for _ in spots]
    return chains, drawn[-1], [house(*spot) for spot in spots], heights


@settings(max_examples=15, deadline=None)
@given(towns(), st.randoms(use_true_random=False))
def test_laws(town: tuple[dict[str, dict[str, str]], str, list[shapely.Geometry], list[float]], chance) -> None:  # type: ignore[no-untyped-def]
    chains, more, houses, heights = town
    given_, table, params = city(chains, houses, heights)
    streets = given_.table
    for less, whole in (("widest_after_m", "widest_m"), ("ways_in_after", "ways_in"), ("clear_m", "width_m")):
        assert (streets[less].fillna(0) <= streets[whole].fillna(0)).all()
    lanes = streets[streets["lane"]]
    assert (lanes["ways_in"].gt(0) == lanes["widest_m"].ge(params.lane_m)).all()
    after = streets[streets["lane_after"]]
    assert (after["ways_in_after"].gt(0) == after["widest_after_m"].ge(params.lane_m)).all()
    wider, _, _ = city(chains | {more: {"width": "6"}}, houses, heights)
    for name in ("ways_in", "ways_in_after", "widest_m", "widest_after_m"):
        assert (wider.table[name][: len(streets)].fillna(-1) >= streets[name].fillna(-1)).all()
    found = access_audit.audit(given_, table.geometry, NO_HYDRANTS, params=params)
    assert (found["passes"] == (found["failing"].isin(["", "blocked_after"]))).all()
    assert (found["passes_after"] == (found["failing"] == "")).all()
    lost = access_audit.blocked(given_, found["street"].to_numpy())
    assert lost["buildings_behind"].max() <= len(houses) if len(lost) else True
    order = chance.sample(range(len(houses)), len(houses))
    again, others, _ = city(chains, [houses[i] for i in order], [heights[i] for i in order])
    assert again.table.equals(streets)
    mixed = access_audit.audit(again, others.geometry, NO_HYDRANTS, params=params)
    words = ["reason_en", "reason_zh"]  # they name buildings by their row
    expected = found.iloc[order].reset_index(drop=True)
    assert mixed.drop(columns=words).equals(expected.drop(columns=words))
