"""Service circles of real cities: honest by measure, nested, conserved, and a few numbers of Kampen."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import shapely

from data import osm, rasters, standards
from geo import circles, coverage, plan, reach, readied, situation
from geo.city import City, PlanParams, Scenario
from geo.exposures import Faced
from geo.hazards import Hazard
from geo.plan import Plan
from geo.readied import Base
from geo.services import EVERYDAY
from geo.tallies import ENGINES
from tests import shared_data
from tests.geo.held import inside_m

EXTRACTS = {
    "kampen": "kampen/kampen.osm.pbf",
    "liechtenstein": "osm/valhalla-liechtenstein-latest.osm.pbf",
    "monaco": "osm/planetiler-monaco-latest.osm.pbf",
    "nanjing": "osm/nanjing-hongtao45_bbox.osm.xml",
}
STACKED = {"monaco": 0.01}
"""Where streets lie above one another, up to four deep, their outlines share the ground: seen 0.0077."""
FLOOD = "kampen/1in100_inundation_map.tif"
pytestmark = pytest.mark.skipif(bool(shared_data.why_not()), reason=shared_data.why_not() or "there")


@lru_cache(maxsize=4)
def base(name: str) -> Base:
    found = osm.read(shared_data.folder() / EXTRACTS[name])
    hazards = {}
    if name == "kampen":
        grid, _ = rasters.read(shared_data.folder() / FLOOD, unit="m")
        hazards["flood"] = Hazard("flood", "flood", "m", grid)
    city = City(
        found.crs, found.ways, found.buildings, found.facilities, found.shelters, found.areas, found.lines,
        found.boundaries, hazards=hazards,
    )  # fmt: skip
    return readied.prepare(city, params=PlanParams.of(standards.load()))


@lru_cache(maxsize=8)
def result(name: str, hazard: str = "") -> Plan:
    return plan.run(base(name), Scenario("now", hazards=(hazard,) if hazard else ()))


@pytest.mark.parametrize("name", EXTRACTS)
def test_no_circle_claims_a_street_that_cannot_be_reached_or_misses_one_that_can(name: str) -> None:
    for one in base(name).covered.asked.values():
        network = one.streets.network
        for minutes, polygon in one.rings.items():
            pieces = circles.within(one.normal, minutes)
            if not len(pieces):
                assert polygon.is_empty
                continue
            others = reach.rest(pieces, np.flatnonzero(one.streets.usable), network.length_m)
            held = inside_m(polygon, reach.drawn(network, pieces)).sum()
            wrong = inside_m(polygon, reach.drawn(network, others)).sum()
            assert held >= 0.999 * pieces.length_m.sum(), (one.name, minutes)
            assert wrong <= STACKED.get(name, 0.005) * held, (one.name, minutes)
            x, y = reach.points(network, one.normal.bound.doors)
            assert shapely.intersects_xy(polygon, x, y).all(), (one.name, minutes)
            stations = one.bound.stations.iloc[np.unique(one.normal.bound.doors.place)]
            assert shapely.intersects(polygon, stations.geometry.representative_point().to_numpy()).all()


@pytest.mark.parametrize("name", EXTRACTS)
def test_rings_lie_in_each_other_and_count_everybody_once(name: str) -> None:
    found = result(name)
    people = found.headline["people"]
    for service in (*ENGINES, "supplies", "shelter"):
        layer = found.layers[f"circles_{service}"]
        assert layer["minutes"].is_monotonic_decreasing
        assert layer["people"].is_monotonic_decreasing and layer["people"].max() <= people
        for large, small in zip(layer.geometry[:-1], layer.geometry[1:], strict=True):
            assert shapely.area(shapely.difference(small, large)) < 1
    every = found.layers["community_circles"].groupby(["service", "minutes"])["people"].sum()
    for service in ENGINES:
        table = found.layers[f"circles_{service}"].set_index("minutes")["people"]
        assert table.to_dict() == {m: every[service, m] for m in table.index}
    assert set(found.layers["circles_everyday"]["category"]) == set(EVERYDAY.values())


@pytest.mark.parametrize("name", EXTRACTS)
def test_stations_share_the_ground_without_gap_or_overlap(name: str) -> None:
    found = result(name)
    ground = shapely.union_all(found.layers["communities"].geometry.to_numpy())
    for service in ENGINES:
        parts = found.layers[f"responsibility_{service}"]
        assert parts.area.sum() == pytest.approx(shapely.area(ground), rel=1e-6)
        assert shapely.area(shapely.union_all(parts.geometry.to_numpy())) == pytest.approx(
            shapely.area(ground), rel=1e-6
        )
        assert parts["people"].sum() == found.headline["people"]


def test_kampen_on_an_ordinary_day() -> None:
    # Two fire stations and some ten clinics for a compact town: most of it lies within the limits.
    found = result("kampen").headline
    assert found["fire_share"] == pytest.approx(0.62, abs=0.03)
    assert found["medical_share"] == pytest.approx(0.96, abs=0.02)
    assert found["supplies_share"] == pytest.approx(0.82, abs=0.03)
    assert found["circle_share"] == pytest.approx(0.30, abs=0.05)


def test_kampens_flood_takes_the_engines_and_says_because_of_what() -> None:
    found = result("kampen", "flood")
    assert found.headline["fire_share"] == 0
    assert found.headline["medical_share"] == pytest.approx(0.20, abs=0.03)
    losses = found.layers["losses_medical"]
    assert losses["cause"].isin(["closed", "slowed"]).all()
    assert losses["people_lost"].iloc[0] == losses["people_lost"].max() > 0
    streets = found.layers["streets"].set_index("street_id")
    closed = losses.loc[losses["cause"] == "closed", "street_id"]
    assert (streets.loc[closed, "ambulance_reason"] == "flooded").all()


def test_a_flood_brings_no_engine_sooner_and_no_station_back() -> None:
    covered = base("kampen").covered
    now = coverage.run(covered, situation.under(base("kampen"), faced()), out_of_service=())
    for name, one in covered.asked.items():
        sooner = now.now[name].time_s < one.normal.time_s - 1e-9
        assert not sooner.any(), name
        assert not (np.isnan(one.normal.time_s) & ~np.isnan(now.now[name].time_s)).any(), name


def faced() -> Faced:
    found = base("kampen")
    return Faced((found.city.hazards["flood"],), found.city.crs, found.params.exposure)
