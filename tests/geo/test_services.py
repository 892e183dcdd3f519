"""Which facilities give a service, and the parameters of each."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from pydantic import ValidationError

from data import standards
from geo import services
from geo.services import (
    CATEGORIES,
    CircleParams,
    EverydayParams,
    FireParams,
    MedicalParams,
    PoliceParams,
    ServiceParams,
    SuppliesParams,
)

CRS = "EPSG:32631"
EVERY = (FireParams, MedicalParams, PoliceParams, SuppliesParams)


def places(kinds: list[str], *, key: str = "facility_id") -> gpd.GeoDataFrame:
    columns = {key: [f"{key[0]}{i}" for i in range(len(kinds))], "name": kinds, "name_zh": None, "name_en": None}
    points = [shapely.Point(i, 0) for i in range(len(kinds))]
    return gpd.GeoDataFrame({**columns, "kind": kinds}, geometry=points, crs=CRS)


def test_stations_are_the_facilities_of_the_kinds() -> None:
    found = services.stations(
        places(["school", "hospital", "clinic"]), places([], key="shelter_id"), ["clinic", "hospital"]
    )
    assert found["facility_id"].tolist() == ["f1", "f2"]
    assert found.crs == CRS


def test_shelters_count_where_they_are_asked_for_and_only_once() -> None:
    schools = places(["school"]).assign(facility_id=["s1"])
    refuges = places(["school", "school", "park"], key="shelter_id")
    assert services.stations(schools, refuges, ["school"])["facility_id"].tolist() == ["s1"]
    both = services.stations(schools, refuges, ["school", "shelter"])
    assert both["facility_id"].tolist() == ["s1", "s0", "s2"]


def test_no_facilities_give_no_rows_but_the_columns() -> None:
    found = services.stations(places([]), places([], key="shelter_id"), ["fire_station", "shelter"])
    assert len(found) == 0
    assert list(found.columns) == [*services.STATION_COLUMNS, "geometry"]


@pytest.mark.parametrize("params", EVERY)
def test_every_service_comes_from_the_standards(params: type[ServiceParams]) -> None:
    found = params.of(standards.load())
    assert found.kinds and found.minutes > 0


def test_the_everyday_circle_has_six_categories_and_the_rings_are_minutes() -> None:
    everyday = EverydayParams.of(standards.load())
    assert [len(getattr(everyday, c)) > 0 for c in CATEGORIES] == [True] * 6
    assert CircleParams.of(standards.load()).minutes == (5, 10, 15)


def test_a_profile_or_direction_nobody_knows_is_refused() -> None:
    good = FireParams.of(standards.load()).model_dump()
    for wrong in ({"profile": "helicopter"}, {"direction": "around"}, {"minutes": 0}, {"kinds": ()}):
        with pytest.raises(ValidationError):
            FireParams(**{**good, **wrong})


def test_ids_of_no_station_are_none() -> None:
    assert services.ids(places(["x", "y"]), [1, -1, 0]).tolist() == ["f1", None, "f0"]


def test_a_station_with_its_own_turnout_leaves_by_it() -> None:
    params = FireParams.of(standards.load())
    own = places(["fire_station", "fire_station"]).assign(turnout_s=[240.0, float("nan")])
    found = services.stations(own, places([], key="shelter_id"), ["fire_station"])
    assert services.turnouts(found, params).tolist() == [240, params.turnout_s]
    assert services.turnouts(places(["fire_station"]), params).tolist() == [params.turnout_s]
