"""Ways told in words: what a planner reads, in both languages."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from data import standards
from geo import directions, network, paths, routing
from geo.directions import Arrival
from geo.network import Network
from geo.paths import LegParams, Path
from tests.geo.drawn import ORIGIN, positions, ways
from tests.geo.test_routing import open_graph, place

LEGS = LegParams.of(standards.load())
HOSTILE = "<script>alert(1)</script>\n{street} \u202eteertS"

# each sign 100 m; s is the shelter, north of f
#
#   a     s
#   bcd ef
#     gh
SPOTS = positions("a     s\nbcd ef\n  gh")
NAMED: dict[str, dict[str, str]] = {
    "ab": {"name": "Oudestraat", "name_zh": "老街"},
    "bcd": {"name": "中山路", "name_en": "Zhongshan Road"},
    "dg": {"highway": "steps"},
    "gh": {"highway": "footway"},
    "he": {"highway": "footway"},
    "ef": {"name": HOSTILE},
}


def town() -> Network:
    return network.build(ways(SPOTS, NAMED))


def way(net: Network, start: tuple[float, float], end: tuple[float, float]) -> Path:
    graph, origin, door = open_graph(net), place(net, start), place(net, end)
    forest = routing.nearest(graph.reverse, door)
    found = paths.trace(graph, forest, routing.join(graph, forest, origin, door), origin, door, 0)
    assert found is not None
    return found


def told(net: Network, found: Path, name: str | None = "Town Hall", side: str = "left") -> tuple[str, str]:
    arrival = Arrival(name, None, None, side, found.length_m, found.length_m / 1.2)
    legs = paths.legs_of_each(net, [found], params=LEGS)
    return directions.texts(directions.tell(legs, [arrival])[0])


def test_a_way_is_told_street_by_street() -> None:
    net = town()
    en, zh = told(net, way(net, (0, -20), (450, -100)))
    assert en.splitlines()[:5] == [
        "Go south along Oudestraat, 80 m.",
        "Turn left into Zhongshan Road, 200 m.",
        "Turn right into a flight of steps, 100 m.",
        "Turn left into a footpath, 240 m.",
        "Bear right into <script>alert(1)</script> {street} teertS, 50 m.",
    ]
    assert zh.splitlines()[:5] == [
        "沿老街向南步行80米。",
        "左转进入中山路，步行200米。",
        "右转进入台阶，步行100米。",
        "左转进入步行道，步行240米。",
        "向右前方进入<script>alert(1)</script> {street} teertS，步行50米。",
    ]
    assert en.splitlines()[-2:] == ["The shelter Town Hall is on your left.", "670 m in all, about 10 minutes on foot."]
    assert zh.splitlines()[-2:] == ["到达避难场所Town Hall，位于左侧。", "全程670米，步行约10分钟。"]


def test_hostile_names_stay_one_line_of_plain_text() -> None:
    net = town()
    en, zh = told(net, way(net, (430, -100), (480, -100)), name="a\nb{0}")
    assert en.splitlines()[0] == "Go east along <script>alert(1)</script> {street} teertS, 50 m."
    assert "到达避难场所a b{0}，位于左侧。" in zh.splitlines()
    assert len(en.splitlines()) == len(zh.splitlines()) == 3


def test_a_shelter_without_a_name_and_one_where_one_stands() -> None:
    net = town()
    en, zh = told(net, way(net, (0, -20), (0, -80)), name=None, side="ahead")
    assert en.splitlines()[1] == "The shelter is straight ahead." and zh.splitlines()[1] == "到达避难场所，位于正前方。"
    assert told(net, way(net, (0, -20), (0, -20)), name=None) == ("You are at the shelter.", "您所在位置即为避难场所。")


@pytest.mark.parametrize(
    ("metres", "en", "zh"),
    [(0.4, "10 m", "10米"), (14.9, "10 m", "10米"), (15, "20 m", "20米"), (994, "990 m", "990米"),
     (995, "1.0 km", "1.0公里"), (1249, "1.2 km", "1.2公里"), (12_960, "13.0 km", "13.0公里")],
)  # fmt: skip
def test_distances_as_one_says_them(metres: float, en: str, zh: str) -> None:
    assert directions.distance(metres) == (en, zh)


@pytest.mark.parametrize(
    ("at", "side"),
    [((10, 30), "ahead"), ((-20, 10), "left"), ((20, 10), "right"), ((20, -10), "right"), ((0, 11), "reached")],
)
def test_where_the_shelter_lies(at: tuple[float, float], side: str) -> None:
    north = shapely.LineString([(5, 0), (0, 0), (0, 10)])
    assert directions.sides([north], np.array([shapely.Point(at)]), params=LEGS) == [side]


def test_no_way_has_no_side_and_nothing_is_told_of_nothing() -> None:
    spots = np.array([shapely.Point(ORIGIN)])
    assert directions.sides([shapely.LineString()], spots, params=LEGS) == ["reached"]
    assert directions.sides([], np.zeros(0, dtype=object), params=LEGS) == []
    assert directions.tell(paths.legs_of_each(town(), [], params=LEGS), []) == []


def test_every_turn_is_told() -> None:
    assert set(directions.LEGS) == set(paths.TURNS)


def test_the_legs_of_many_ways_are_those_of_each() -> None:
    net = town()
    found = [way(net, (0, -20), end) for end in ((450, -100), (0, -20), (150, -100), (0, -90))]
    many = paths.legs_of_each(net, found, params=LEGS)
    for i, one in enumerate(found):
        alone = paths.legs_of_each(net, [one], params=LEGS)
        mine = many.way == i
        assert all(
            np.array_equal(getattr(many, name)[mine], getattr(alone, name)) for name in vars(alone) if name != "way"
        )
    assert "4 ways" not in repr(many) and "3 ways" in repr(many)
