"""Services of a drawn city, bound, drawn and counted: by eye and by law."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import coverage, network, snapping, tallies
from geo.coverage import CoverageParams, Covered, Sites
from geo.outline import OutlineParams
from geo.services import CATEGORIES, EVERYDAY, CircleParams, EverydayParams
from geo.tallies import Told
from tests.geo.drawn import CRS, ORIGIN, positions, ways
from tests.geo.drawn_services import opened, service

# one long street from west (0) to east (600 m), cut at 100, 200, …; a station of every kind at its western end
STREET = positions("abcdefg")
CHAINS: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "cd": {}, "de": {}, "ef": {}, "fg": {"name": "East Street"}}
NET = network.build(ways(STREET, CHAINS))
HOMES = [(20.0, 5.0), (250.0, 5.0), (390.0, 5.0), (580.0, 5.0)]
PEOPLE = [10, 20, 30, 40]
KINDS = ("fire_station", "school", "clinic", "supermarket", "police", "townhall", "assembly_point")


def at(points: list[tuple[float, float]]) -> np.ndarray:
    return np.asarray(shapely.points(np.array(points, dtype=float).reshape(-1, 2) + ORIGIN))


def facilities(spots: list[tuple[float, float, str]]) -> gpd.GeoDataFrame:
    names = [f"{kind}{i}" for i, (_, _, kind) in enumerate(spots)]
    columns = {"facility_id": names, "name": names, "name_zh": None, "name_en": None, "kind": [k for *_, k in spots]}
    return gpd.GeoDataFrame(columns, geometry=at([(x, y) for x, y, _ in spots]), crs=CRS)


def params(*, minutes: float = 5, depth: int = 2) -> CoverageParams:
    kinds = {"fire": "fire_station", "medical": "clinic", "police": "police"}
    asked = {name: service(minutes=minutes).model_copy(update={"kinds": (kind,)}) for name, kind in kinds.items()}
    circle = CircleParams.of(standards.load()).model_copy(update={"minutes": (2.0, 5.0), "depth": depth})
    return CoverageParams(asked, EverydayParams.of(standards.load()), circle, OutlineParams(), {"walk": 1.0}, 50, 0)


def covered(spots: list[tuple[float, float, str]], *, of: CoverageParams | None = None) -> Covered:
    streets = opened(NET)
    shelters = facilities([]).rename(columns={"facility_id": "shelter_id"})
    homes = snapping.snap(NET, at(HOMES), usable=streets.joined, max_m=100)
    there = snapping.snap(NET, facilities(spots).geometry.to_numpy(), usable=streets.joined, max_m=100)
    sites = Sites(facilities(spots), shelters, {"car": homes, "walk": homes}, {"car": there, "walk": there})
    nothing = coverage.barriers([], [])
    return coverage.prepare(sites, {"car": streets, "walk": streets}, barriers=nothing, params=of or params())


def told(found: Covered, *, closed: tuple[int, ...] | None = None, out: tuple[str, ...] = ()) -> Told:
    demand = {"demand_id": list("wxyz"), "people": PEOPLE, "community_id": ["west", "west", "east", "east"]}
    people = gpd.GeoDataFrame(demand, geometry=at(HOMES), crs=CRS)
    if closed is None:
        return Told(found, coverage.ordinary(found), people, False)
    now = opened(NET, closed=closed)
    return Told(found, coverage.run(found, {"car": now, "walk": now}, out_of_service=out), people, True)


def units() -> gpd.GeoDataFrame:
    west, east = (shapely.box(x, -50, x + 300, 50) for x in (0, 300))
    shapes = shapely.transform(np.array([west, east, shapely.box(700, 0, 710, 10)]), lambda xy: xy + ORIGIN)
    return gpd.GeoDataFrame({"community_id": ["west", "east", "empty"]}, geometry=shapes, crs=CRS)


ALL_WEST = [(0.0, 5.0, kind) for kind in KINDS]


def test_shares_of_communities_and_of_the_city() -> None:
    found = told(covered(ALL_WEST))
    rows = tallies.in_communities(found, units())
    # 5 minutes at a metre a second: 300 m
    assert rows["fire_share"].tolist() == pytest.approx([1, 0, np.nan], nan_ok=True)
    assert rows["fire_s_median"].tolist() == pytest.approx([250, 580, np.nan], nan_ok=True)
    assert tallies.headline(found)["fire_share"] == pytest.approx(0.3)
    assert rows["fire_reason_en"].tolist() == [
        "The fire engine can reach all 30 people within 5 minutes.",
        "The fire engine can reach none of the 70 people within 5 minutes.",
        "Nobody lives here.",
    ]


def test_the_circle_is_complete_where_all_six_are_within_and_says_what_is_missing() -> None:
    whole = tallies.in_communities(told(covered(ALL_WEST)), units())
    assert whole["circle_share"].tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
    assert whole["circle_missing"].tolist() == [None, None, None]
    lacking = told(covered([spot for spot in ALL_WEST if spot[2] != "school"]))
    places = tallies.at_places(lacking)
    assert places["circle_missing"].tolist() == ["education"] * 4
    assert tallies.in_communities(lacking, units())["circle_missing"].tolist() == ["education", "education", None]
    nothing = tallies.at_places(told(covered([])))
    assert nothing["circle_missing"].tolist() == [";".join(CATEGORIES)] * 4


def test_places_know_their_station_and_how_many_are_in_time() -> None:
    found = told(covered([*ALL_WEST, (600.0, 5.0, "fire_station")]))
    places = tallies.at_places(found)
    assert places["fire_s"].tolist() == pytest.approx([20, 250, 210, 20])
    assert places["fire_id"].tolist() == ["fire_station0", "fire_station0", "fire_station7", "fire_station7"]
    assert places["fire_depth"].tolist() == [1, 1, 1, 1]
    assert not [column for column in places if column.startswith("everyday")]


def test_rings_count_people_within_and_lie_in_each_other() -> None:
    layer = tallies.circle_layers(told(covered(ALL_WEST)))["circles_fire"]
    assert layer["minutes"].tolist() == [5, 2]
    assert layer["people"].tolist() == [30, 10]
    assert layer["buildings"].tolist() == [2, 1]
    assert layer["facilities"].tolist() == [7, 7] and layer["stations"].tolist() == [1, 1]
    assert layer["street_km"].tolist() == pytest.approx([0.3, 0.12])
    assert shapely.covers(layer.geometry[0], layer.geometry[1])
    assert shapely.covers(layer.geometry[1], at([(0.0, 0.0)])[0])


def test_a_closed_street_takes_people_from_the_engine_and_is_named() -> None:
    found = told(covered(ALL_WEST, of=params(minutes=10)), closed=(5,))
    rows = tallies.in_communities(found, units())
    assert rows["fire_people_lost"].tolist() == [0, 40, 0]
    assert rows["fire_reason_en"][1] == (
        "The fire engine can reach 30 of 70 people within 10 minutes. Lost: 40 whose way is first cut at East Street."
    )
    losses = tallies.losses_layer(found, "fire")
    assert losses[["street_id", "cause", "people_lost", "people_later"]].to_numpy().tolist() == [
        ["w6-0", "closed", 40, 0]
    ]
    layers = tallies.layers(found, units())
    assert layers["circles_fire_normal"]["people"].tolist() == [30, 10]
    assert layers["circles_fire"]["people"].tolist() == [30, 10]


def test_a_station_out_of_service_is_no_station() -> None:
    found = told(covered([*ALL_WEST, (600.0, 5.0, "fire_station")]), closed=(), out=("fire_station0",))
    assert tallies.at_places(found)["fire_id"].tolist() == ["fire_station7"] * 4
    rows = tallies.in_communities(found, units())
    assert rows["fire_people_lost"].tolist() == [30, 0, 0]
    assert "out of service" in rows["fire_reason_en"][0]


def test_every_ring_of_every_community_is_counted() -> None:
    found = tallies.community_circles(told(covered(ALL_WEST), closed=(2,)), units())
    assert list(found.columns) == [*tallies.BY_COMMUNITY, "geometry"]
    assert len(found) == 3 * (3 + len(EVERYDAY)) * 2 * 2
    one = found[(found["service"] == "fire") & (found["minutes"] == 5)]
    assert one.pivot(index="community_id", columns="when", values="people").to_dict() == {
        "normal": {"west": 30, "east": 0, "empty": 0},
        "now": {"west": 10, "east": 0, "empty": 0},
    }


def test_stations_share_the_ground_without_gap_or_overlap() -> None:
    of = params()
    fire = of.services["fire"].model_copy(update={"max_area_km2": 0.02})
    of = CoverageParams({**of.services, "fire": fire}, of.everyday, of.circle, of.outline, of.walking_ms, 50, 0)
    found = told(covered([*ALL_WEST, (600.0, 5.0, "fire_station")], of=of))
    ground = shapely.union_all(units().geometry.to_numpy())
    layer = tallies.responsibility_layer(found, "fire", ground=ground)
    assert layer["facility_id"].tolist() == ["fire_station0", "fire_station7"]
    assert layer["people"].tolist() == [30, 70]
    assert layer["people_in_time"].tolist() == [30, 70]
    assert layer.area.sum() == pytest.approx(shapely.area(ground))
    assert layer["area_km2"].tolist() == pytest.approx([0.03, 0.0301])
    assert layer["too_large"].tolist() == [True, True]


def test_ground_that_no_station_reaches_belongs_to_nobody() -> None:
    layer = tallies.responsibility_layer(
        told(covered(ALL_WEST), closed=(3,)), "fire", ground=shapely.union_all(units().geometry.to_numpy())
    )
    assert layer["facility_id"].isna().tolist() == [True, False]
    assert layer["people"].tolist() == [70, 30]
    assert np.isnan(layer["s_p95"][0])


def test_depth_lies_in_depth() -> None:
    found = told(covered([*ALL_WEST, (300.0, 5.0, "fire_station")]))
    layer = tallies.depth_layer(found, "fire")
    assert layer["depth"].tolist() == [1, 2]
    assert layer["people"].tolist() == [100, 30]
    assert shapely.covers(layer.geometry[0], layer.geometry[1])


def test_a_city_without_stations_says_so_and_has_empty_layers() -> None:
    found = told(covered([]))
    assert [note.code for note in tallies.station_notes(found.covered)] == [
        "no_stations_fire", "no_stations_medical", "no_stations_police", "no_everyday_facilities",
    ]  # fmt: skip
    layers = tallies.layers(found, units())
    assert layers["circles_fire"]["people"].tolist() == [0, 0]
    assert layers["circles_fire"].geometry.is_empty.all()
    assert layers["responsibility_fire"]["facility_id"].tolist() == [None]
    rows = tallies.in_communities(found, units())
    assert rows["fire_share"].isna().all(), "not mapped is not none"
    assert "no facility of kind fire station" in rows["fire_reason_en"][0]


def test_barriers_are_outlines_and_lines_of_their_kinds_but_no_tunnels() -> None:
    water = gpd.GeoDataFrame({"kind": ["water", "park"]}, geometry=[shapely.box(0, 0, 1, 1)] * 2, crs=CRS)
    rails = [shapely.LineString([(0, 0), (1, 1)])] * 3
    lines = gpd.GeoDataFrame(
        {"kind": ["railway", "railway", "fence"], "tunnel": [None, "yes", None]}, geometry=rails, crs=CRS
    )
    found = coverage.barriers([water, lines], ["water", "railway"])
    assert np.diff(found.start).tolist() == [5, 2]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 600), st.sampled_from(KINDS)), max_size=6),
    st.sets(st.integers(0, 5), max_size=4),
)
def test_laws_of_before_and_after(spots: list[tuple[int, str]], closed: set[int]) -> None:
    found = told(covered([(float(x), 5.0, kind) for x, kind in spots]), closed=tuple(closed))
    rows = tallies.in_communities(found, units())
    for name in ("fire", "medical", "police"):
        assert (rows[f"{name}_share"].fillna(0) <= rows[f"{name}_share_normal"].fillna(0)).all()
    assert (rows["circle_share"].fillna(0) <= rows["circle_share_normal"].fillna(0)).all()
    counts = tallies.community_circles(found, units())
    city = counts.groupby(["service", "when", "minutes"])["people"].sum()
    layers = tallies.circle_layers(found)
    for name in ("fire", "medical", "police"):
        for when, layer in (("now", f"circles_{name}"), ("normal", f"circles_{name}_normal")):
            table = layers[layer].set_index("minutes")["people"]
            assert table.to_dict() == {m: city[name, when, m] for m in table.index}
    for name in ("fire", "medical", "police"):
        lost = rows[f"{name}_people_lost"].sum()
        blamed = tallies.losses_layer(found, name)["people_lost"].sum()
        assert blamed <= lost <= sum(PEOPLE)
    areas = tallies.layers(found, units())["responsibility_fire"]
    assert areas["people"].sum() == sum(PEOPLE)
    assert (areas["people_in_time"] <= areas["people"]).all()


def test_stations_say_whether_they_turn_out() -> None:
    spots = [(0.0, 5.0, "fire_station"), (600.0, 5.0, "fire_station"), (550.0, 900.0, "fire_station")]
    found = told(covered([*spots, (150.0, 5.0, "fire_station")]), closed=(1,), out=("fire_station1",))
    layer = tallies.stations_layer(found, "fire")
    assert layer["state"].tolist() == ["in_service", "hit", "no_street", "street_closed"]
    assert layer["people"].tolist() == [10, 0, 0, 0]
    assert layer["people_normal"].tolist() == [10, 70, 0, 20]


def test_a_circle_round_one_point_is_the_one_a_station_there_would_have() -> None:
    streets, point = (
        opened(NET, one_way=(2,)),
        snapping.snap(NET, at([(250.0, 5.0)]), usable=np.ones(6, bool), max_m=50),
    )
    nothing = coverage.barriers([], [])
    out = coverage.around(streets, point, nothing, minutes=(1, 2), params=OutlineParams())
    home = coverage.around(streets, point, nothing, minutes=(1, 2), towards=True, params=OutlineParams())
    assert shapely.covers(out[2], out[1]) and shapely.covers(home[2], home[1])
    east, west = at([(300.0, 0.0)])[0], at([(195.0, 0.0)])[0]
    assert shapely.covers(out[1], east) and not shapely.intersects(out[2], west)
    assert shapely.covers(home[1], west) and not shapely.intersects(home[2], east)


def test_a_circle_round_no_point_is_empty() -> None:
    nowhere = snapping.snap(NET, at([(250.0, 500.0)]), usable=np.ones(6, bool), max_m=50)
    found = coverage.around(opened(NET), nowhere, coverage.barriers([], []), minutes=(5,), params=OutlineParams())
    assert shapely.is_empty(found[5])
