"""How many real sites hold, by tier and rule set; Kampen from its map, Chengdu and Yaizu from their lists."""

from __future__ import annotations

import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import data.standards
from data import given, osm
from geo import ground, shelters
from geo.city import PlanParams
from geo.exposures import Faced
from geo.ground import Survey
from geo.hazards import ExposureParams, Grid, Hazard
from geo.tables import BUILDINGS, empty
from tests.real.test_tables import CHENGDU, YAIZU

PARAMS = PlanParams.of(data.standards.load())
RULES = ("china", "sphere", "fema", "japan")
OVERALL = (50_000.0, 0.0, 150_000.0, 0.0, -50_000.0, 550_000.0)


def left(sites: gpd.GeoDataFrame, of: Survey, *hazards: Hazard) -> pd.DataFrame:
    faced = Faced(hazards, sites.crs.to_string(), ExposureParams(), PARAMS.levels)
    return ground.usable(of, faced.sites(sites), faced, params=PARAMS.site)


def totals(sites: gpd.GeoDataFrame, usable: pd.DataFrame) -> list[tuple[int, int]]:
    """People for hours and for nights by each rule set."""
    of = [PARAMS.tiers.model_copy(update={"rules": rules}) for rules in RULES]
    rooms = [shelters.rooms(sites, usable, params=params) for params in of]
    return [(int(room["capacity_people"].sum()), int(room["stay_capacity_people"].sum())) for room in rooms]


def listed(path: Path, into: str, crs: str, near: tuple[float, float, float, float]) -> list[tuple[int, int]]:
    sites, _ = given.read(path, "shelters", into=into, crs=crs, near=near)
    nothing = empty(BUILDINGS, crs=into)
    of = ground.survey(sites, nothing, [], None, params=PARAMS.site, storey_m=PARAMS.population.storey_m,
                       rubble_factor=PARAMS.rubble.open_factor)  # fmt: skip
    return totals(sites, left(sites, of))


def test_kampen(shared_data: Path) -> None:
    city = osm.read(shared_data / "kampen/kampen.osm.pbf")
    around = [city.facilities, city.areas]
    began = time.perf_counter()
    of = ground.survey(city.shelters, city.buildings, around, None, params=PARAMS.site, storey_m=3.0,
                       rubble_factor=PARAMS.rubble.open_factor)  # fmt: skip
    assert time.perf_counter() - began < 5, "30 000 buildings, 65 sites; 0.3 s on an idle core"
    table = of.table
    assert (len(table), len(of.own.site), int(table["near_major_hazard"].sum())) == (65, 99, 9)
    calm = left(city.shelters, of)
    quake = Hazard("q", "earthquake", "degree", Grid(np.full((2, 2), 8, dtype=np.float32), OVERALL, "EPSG:28992"))
    shaken = left(city.shelters, of, quake)
    assert (shaken["clear_m2"].fillna(0) <= calm["clear_m2"].fillna(0)).all()
    assert int(calm["clear_m2"].sum() - shaken["clear_m2"].sum()) == pytest.approx(451, abs=10)
    # Twenty sites are points of which nothing is known.
    assert int(calm["clear_m2"].isna().sum()) == 20
    assert totals(city.shelters, calm) == [(754949, 17584), (754949, 11743), (820602, 17722), (457537, 19673)]


def test_chengdu(shared_data: Path) -> None:
    path = shared_data / "chengdu/supply_facilities_CLEAN.csv"
    assert listed(path, "EPSG:4544", "gcj02", CHENGDU) == [
        (37684360, 5264429), (37684360, 3190486), (40961310, 5396674), (22838802, 5765028),
    ]  # fmt: skip


def test_yaizu(shared_data: Path) -> None:
    path = shared_data / "yaizu/222127_hinannjo.csv"
    assert listed(path, "EPSG:6676", "EPSG:4326", YAIZU) == [
        (82111, 20510), (82111, 11706), (89248, 22053), (49756, 24868),
    ]  # fmt: skip
