"""The ways of each community: a town read by eye, its words, and what must hold of every row."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data import standards
from geo import network, routing, usable, ways_out
from geo.evacuation import WalkParams
from geo.paths import LegParams
from geo.profiles import ElderlyParams, Rules, StrollerParams, WheelchairParams
from geo.snapping import Snaps
from geo.tradeoffs import RouteParams
from geo.ways_out import Ground, Walker
from tests.geo.drawn import CRS, ORIGIN, positions, ways
from tests.geo.test_routing import place

VALUES = standards.load()
RULES = Rules.of(VALUES)
ROUTE, LEGS = RouteParams.of(VALUES), LegParams.of(VALUES)
PROFILES = {
    "walk": WalkParams.of(VALUES), "elderly": ElderlyParams.of(VALUES), "stroller": StrollerParams.of(VALUES),
    "wheelchair": WheelchairParams.of(VALUES),
}  # fmt: skip

# each side 100 m; people live at a, x and between; the shelter S stands south of c, T south of y; b-c is wet
#
#   x a b c
#     d e f     y
#         g
SPOTS = positions("xabc\n def     y\n   g")
CHAINS: dict[str, dict[str, str]] = {
    "xa": {"name": "Only Lane"},
    "abc": {"name": "River Street", "name_zh": "滨河路"},
    "be": {"highway": "steps"},
    "ad": {"name": "Hill Street"},
    "def": {"name": "Back Street", "name_zh": "后街"},
    "cf": {"name": "Mill Lane"},
    "fy": {"name": "Far Road"},
    "fg": {},
}
NET = network.build(ways(SPOTS, CHAINS))
STREETS = [chr(NET.node_id[u]) + chr(NET.node_id[v]) for u, v in zip(NET.u, NET.v, strict=True)]
SITES = gpd.GeoDataFrame(
    {"shelter_id": ["S", "T"], "name": ["Library", None], "name_zh": ["图书馆", None]},
    geometry=[shapely.Point(ORIGIN[0] + 300, ORIGIN[1] - 20), shapely.Point(ORIGIN[0] + 900, ORIGIN[1] - 120)],
    crs=CRS,
)
PLACES = place(NET, (100, 0), (0, 0), (50, 0), (20, 0), (60, 0), (300, -200))


def exposure(wet_m: float) -> pd.DataFrame:
    wet = np.array([1.0 if street == "bc" and wet_m else 0.0 for street in STREETS])
    columns = {"depth_max_m": wet * wet_m, "share_wet": wet, "share_unknown": 0.0, "level_max": np.nan}
    return pd.DataFrame({**columns, "share_hit": np.nan})


def ground(wet_m: float = 0.25) -> Ground:
    walkers = {
        name: Walker(usable.streets(NET, who, rules=RULES, island_m=50), who.speed_ms) for name, who in PROFILES.items()
    }
    doors = place(NET, (300, 0), (900, -100))
    doors = Snaps(doors.place, doors.edge, doors.along_m, np.array([12.0, 0.0]))
    return ways_out.ground(
        walkers, doors, SITES, exposure(wet_m), close_depth_m=PROFILES["walk"].close_depth_m, route=ROUTE, legs=LEGS
    )


def routes(given: Ground, rows: list[tuple[int, int, int]], community: list[str | None]) -> gpd.GeoDataFrame:
    at, site, people = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return ways_out.routes(given, PLACES, at, site, people, np.array(community, dtype=object))


COMMUNITY = ["K", "K", "K", "M", "M", None]


def test_main_safer_and_second_read_by_eye() -> None:
    """From a: 200 m along the wet river; dry by d, e, f and c 400 m, which is the second way as well."""
    found = routes(ground(), [(0, 0, 5)], COMMUNITY)
    assert found[["community_id", "shelter_id", "role", "people"]].to_numpy().tolist() == [
        ["K", "S", "main", 5], ["K", "S", "safer", 5], ["K", "S", "second", 5],
    ]  # fmt: skip
    assert found["length_m"].tolist() == pytest.approx([200, 400, 400])
    assert found["walk_s"].tolist() == pytest.approx([212 / 1.2, 412 / 1.2, 412 / 1.2], abs=0.01)
    assert found["danger_s"].tolist() == pytest.approx([0.5 * 100 / 1.2, 0, 0], abs=0.01)
    assert found["depth_max_m"].tolist() == [0.25, 0, 0]
    assert found["share_exposed"].tolist() == [0.5, 0, 0]
    assert found["shared_m"].tolist() == [0, 0, 0] and found["bottleneck"].isna().all()
    assert found.geometry.length.tolist() == pytest.approx(found["length_m"].tolist())
    assert found.crs == CRS


def test_the_words_a_planner_reads() -> None:
    main = routes(ground(), [(0, 0, 5)], COMMUNITY).iloc[0]
    assert main["directions_en"].splitlines() == [
        "Go east along River Street, 200 m.",
        "The shelter Library is on your right.",
        "200 m in all, about 3 minutes on foot.",
    ]
    assert main["directions_zh"].splitlines() == [
        "沿滨河路向东步行200米。",
        "到达避难场所图书馆，位于右侧。",
        "全程200米，步行约3分钟。",
    ]


def test_each_group_takes_its_own_time_and_steps_stop_a_wheelchair() -> None:
    given = ground(0.0)
    rows = routes(given, [(0, 0, 5)], COMMUNITY)
    assert rows["elderly_s"].tolist() == pytest.approx(
        ((rows["length_m"] + 12) / PROFILES["elderly"].speed_ms).tolist()
    )
    assert rows["wheelchair_s"].notna().all()
    middle = ways_out.way_from(given, ways_out.enter(given, given.doors), place(NET, (200, -50)))
    assert np.isnan(middle[0]["wheelchair_s"]) and middle[0]["walk_s"] < middle[0]["elderly_s"]


def test_where_everybody_must_pass_one_street_it_is_named() -> None:
    """From x there is Only Lane alone: the second way shares it, all 100 m."""
    main, second = routes(ground(0.0), [(1, 0, 3)], COMMUNITY).to_dict("records")
    assert (main["role"], second["role"]) == ("main", "second")
    assert (main["bottleneck_en"], main["bottleneck_zh"]) == ("Only Lane", "Only Lane")
    assert main["bottleneck"] == NET.street_ids[STREETS.index("xa")] and second["bottleneck"] is None
    assert second["shared_m"] == pytest.approx(100)


def test_people_start_from_their_midst_and_most_of_them_come_first() -> None:
    """Of K, three go to S from x, two places of the lane to T; of M, all to S; who is outside all is not shown."""
    given = ground(0.0)
    rows = [(1, 0, 3), (0, 1, 2), (2, 1, 40), (3, 0, 10), (4, 0, 9), (5, 0, 50)]
    found = routes(given, rows, COMMUNITY)
    main = found[found["role"] == "main"]
    assert main[["community_id", "shelter_id", "people"]].to_numpy().tolist() == [["K", "T", 42], ["M", "S", 19]]
    assert main["length_m"].tolist() == pytest.approx([50 + 300 + 600, 80 + 200])
    all_of_them = ground(0.0)
    wide = Ground(
        all_of_them.walkers, all_of_them.doors, SITES, all_of_them.weighed,
        ROUTE.model_copy(update={"cover_share": 1.0}), LEGS,
    )  # fmt: skip
    shown = routes(wide, rows, COMMUNITY)
    assert shown[shown["role"] == "main"]["shelter_id"].tolist() == ["T", "S", "S"]


def test_one_point_is_told_as_its_community_is() -> None:
    given = ground()
    one = ways_out.table(
        ways_out.way_from(given, ways_out.enter(given, given.doors), PLACES.where(np.arange(6) == 0)), crs=CRS
    )
    row = routes(given, [(0, 0, 5)], COMMUNITY)
    same = [name for name in ways_out.COLUMNS if name not in ("community_id", "people")]
    pd.testing.assert_frame_equal(pd.DataFrame(one[same]), pd.DataFrame(row[same]))
    assert one.geometry.tolist() == row.geometry.tolist()
    assert one["community_id"].isna().all() and not one["people"].any()


def test_nobody_and_no_way_have_no_rows() -> None:
    given, none = ground(), np.zeros(0, dtype=np.int64)
    for found in (
        ways_out.routes(given, PLACES, none, none, none, np.array(COMMUNITY, dtype=object)),
        routes(given, [(5, 0, 9)], COMMUNITY),
        ways_out.table([], crs=CRS),
    ):
        assert [*found.columns] == [*ways_out.COLUMNS, "geometry"] and not len(found) and found.crs == CRS
    lost = Snaps(np.zeros(1, dtype=np.int64), np.full(1, -1), np.full(1, np.nan), np.full(1, np.nan))
    assert ways_out.way_from(given, ways_out.enter(given, given.doors), lost) == []


def test_the_main_way_takes_as_long_as_the_search_says_and_the_second_shares_nothing() -> None:
    given = ground(0.0)
    found = routes(given, [(i, 0, 1 + i) for i in range(5)], ["A", "B", "C", "D", "E", None])
    graph = given.walkers["walk"].ways.graph
    doors = given.doors.where(given.doors.place == 0)
    forest = routing.nearest(graph.reverse, doors, extra_s=doors.off_m / 1.2)
    starts = routing.join(graph, forest, PLACES, doors, extra_s=doors.off_m / 1.2)
    main = found[found["role"] == "main"]
    assert main["walk_s"].tolist() == pytest.approx(routing.seconds(starts.cost_ms)[:5].tolist())
    assert "2 doors" in repr(given)
    second = found[found["role"] == "second"].set_index("community_id")
    assert (second["walk_s"] >= main.set_index("community_id")["walk_s"]).all()
    free = main[main["bottleneck"].isna()]["community_id"]
    assert (second.loc[free, "shared_m"] == 0).all() and (second.drop(free)["shared_m"] > 0).all()
