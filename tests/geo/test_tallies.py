"""Counted for all communities at once, beside each community looked up alone (drawn cities: ``test_coverage``)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import coverage, network, snapping, tallies
from geo.coverage import Sites
from geo.tallies import Told
from tests.geo import one_by_one
from tests.geo.drawn import CRS, positions, ways
from tests.geo.drawn_services import opened
from tests.geo.test_coverage import KINDS, at, facilities, params

# a ladder, so that a closed stretch may cost a way or only time:
#
#   a b c d e
#   f g h i j
CHAINS: dict[str, dict[str, str]] = {
    "ab": {}, "bc": {"name": "Long Street"}, "cd": {"name": "Short Street"}, "de": {"name": "Long Street"},
    "fg": {}, "gh": {}, "hi": {"name": "Short Street"}, "ij": {}, "af": {}, "ch": {}, "ej": {},
}  # fmt: skip
NET = network.build(ways(positions("abcde\nfghij"), CHAINS))
PLACES = st.tuples(st.integers(0, 400), st.sampled_from([5, -95]))
HOMES = st.lists(
    st.tuples(PLACES, st.integers(0, 30), st.sampled_from(["west", "east", "outside"])), min_size=6, max_size=24
)
SPOTS = st.lists(st.tuples(PLACES, st.sampled_from(["fire_station", *KINDS])), max_size=6)
CLOSED = st.sets(st.integers(0, len(CHAINS) - 1), min_size=1, max_size=5)
Homes = list[tuple[tuple[int, int], int, str]]
Spots = list[tuple[tuple[int, int], str]]


def told(homes: Homes, spots: Spots, closed: set[int] | None) -> Told:
    """A city on the ladder; ``closed`` are its stretches that a hazard takes, None where there is no hazard."""
    streets, there = opened(NET), at([home for home, *_ in homes])
    stations = facilities([(*spot, kind) for spot, kind in spots])
    bound = [snapping.snap(NET, shapes, usable=streets.joined, max_m=100)
             for shapes in (there, stations.geometry.to_numpy())]  # fmt: skip
    sites = Sites(stations, facilities([]).rename(columns={"facility_id": "shelter_id"}),
                  *({"car": snaps, "walk": snaps} for snaps in bound))  # fmt: skip
    open_ = {"car": streets, "walk": streets}
    found = coverage.prepare(sites, open_, barriers=coverage.barriers([], []), params=params(minutes=6))
    columns = {"people": [n for _, n, _ in homes], "community_id": [unit for *_, unit in homes]}
    people = gpd.GeoDataFrame(columns, geometry=there, crs=CRS)
    if closed is None:
        return Told(found, coverage.ordinary(found), people, False)
    now = opened(NET, closed=tuple(closed))
    return Told(found, coverage.run(found, {"car": now, "walk": now}, out_of_service={"police0"}), people, True)


def units() -> gpd.GeoDataFrame:
    names = ["west", "empty", "east"]
    return gpd.GeoDataFrame({"community_id": names}, geometry=at([(0, 0), (400, 0), (800, 0)]).tolist(), crs=CRS)


def test_the_street_that_costs_most_is_named_first_and_who_waits_is_told() -> None:
    homes = [((220, 5), 3, "east"), ((180, -95), 4, "east"), ((380, 5), 5, "east"), ((20, 5), 9, "west")]
    city = told(homes, [((0, 5), kind) for kind in KINDS], {2, 5})
    assert tallies.in_communities(city, units())["fire_reason_en"].tolist() == [
        "The fire engine can reach all 9 people within 6 minutes.",
        "Nobody lives here.",
        "The fire engine can reach none of the 12 people within 6 minutes. 7 lose it: 4 whose way is first cut at an "
        "unnamed street; 3 whose way is first cut at Short Street. 5 wait longer, half of them 4.0 minutes or more.",
    ]


@settings(max_examples=25, deadline=None)
@given(HOMES, SPOTS, st.one_of(st.none(), CLOSED, CLOSED))
def test_all_communities_at_once_are_each_alone(homes: Homes, spots: Spots, closed: set[int] | None) -> None:
    city = told(homes, spots, closed)
    found = tallies.in_communities(city, units())
    expected = pd.DataFrame([one_by_one.services(city, name) for name in units()["community_id"]], index=found.index)
    expected["circle_missing"] = expected["circle_missing"].astype(object)
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_dtype=False)


@settings(max_examples=12, deadline=None)
@given(HOMES, SPOTS, CLOSED)
def test_rings_stations_and_streets_count_who_is_there(homes: Homes, spots: Spots, closed: set[int]) -> None:
    city = told(homes, spots, closed)
    people, labels = city.demand["people"], city.demand["community_id"]
    for row in tallies.community_circles(city, units()).itertuples():
        inside = city.reaches(str(row.service))[str(row.when)].time_s <= row.minutes * 60
        here = (labels == row.community_id).to_numpy() & inside
        assert (row.people, row.buildings) == (people[here].sum(), here.sum())
    now, losses = city.coverage.now["fire"], city.coverage.losses["fire"]
    for number, row in enumerate(tallies.stations_layer(city, "fire").itertuples()):
        mine = now.station == number
        assert (row.people, row.people_in_time) == (people[mine].sum(), people[mine & now.served].sum())
    for row in tallies.losses_layer(city, "fire").itertuples():
        mine = (NET.street_ids[losses.edge] == row.street_id) & (losses.edge >= 0) & (losses.cause == row.cause)
        later = mine & np.isfinite(losses.added_s) & ~losses.lost
        assert (row.people_lost, row.people_later) == (people[mine & losses.lost].sum(), people[later].sum())
        median = one_by_one.quantile(pd.Series(losses.added_s)[later], people[later], 0.5)
        assert np.array_equal(row.added_s_median, median, equal_nan=True)
