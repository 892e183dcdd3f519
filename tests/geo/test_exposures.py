"""What hazards in force do to streets and grounds, as columns."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import standards
from geo import exposures, network
from geo.errors import InputError
from geo.exposures import COLUMNS, Faced
from geo.hazards import ExposureParams, Grid, Hazard
from geo.profiles import Rules
from tests.geo.drawn import CRS, ORIGIN, positions, ways

RULES = Rules.of(standards.load())
PARAMS = ExposureParams.of(standards.load())
# two cells of 100 m side by side under the street a-b-c: what is in the west, what is in the east
STREETS = network.build(ways(positions("abc"), {"ab": {}, "bc": {"bridge": "yes"}}))
HOMES = np.asarray(shapely.box([0, 100], [-10, -10], [100, 200], [10, 10]))
GROUNDS = shapely.transform(HOMES, lambda xy: xy + ORIGIN)


def hazard(kind: str, west: float, east: float, *, unit: str = "level") -> Hazard:
    values = np.array([[west, east]], dtype=np.float32)
    return Hazard(kind, kind, unit, Grid(values, (100, 0, ORIGIN[0], 0, -100, ORIGIN[1] + 50), CRS))


def faced(*found: Hazard) -> Faced:
    return Faced(found, CRS, PARAMS)


def test_without_a_hazard_nothing_is_known() -> None:
    assert not faced()
    table = faced().grounds(GROUNDS)
    assert list(table.columns) == list(COLUMNS) and len(table) == 2 and table.isna().all(axis=None)
    assert not exposures.hit(table, above=0).any()


def test_water_is_told_by_depth_and_the_rest_by_level() -> None:
    both = faced(hazard("flood", 0.4, 0.0, unit="m"), hazard("fire", 0, 3), hazard("landslide", 1, 2))
    assert both.kinds == {"flood", "fire", "landslide"}
    table = both.grounds(GROUNDS)
    assert table["depth_max_m"].tolist() == pytest.approx([0.4, 0])
    assert table["share_wet"].tolist() == [1, 0]
    assert table["level_max"].tolist() == [1, 3]
    assert table["share_hit"].tolist() == [1, 1]
    assert exposures.hit(table, above=0.5).tolist() == [True, True]


def test_a_velocity_is_no_hazard_by_itself() -> None:
    both = faced(hazard("flood", 0.4, 0.0, unit="m"), hazard("flood_velocity", 2, 2, unit="m/s"))
    assert both.kinds == {"flood"}
    assert both.grounds(GROUNDS)["level_max"].isna().all()


def test_what_any_hazard_does_not_know_is_unknown() -> None:
    table = faced(hazard("flood", 0.4, 0.0, unit="m"), hazard("fire", np.nan, 3)).grounds(GROUNDS)
    assert table["share_unknown"].tolist() == [1, 0]


def test_a_bridge_stands_above_the_water_but_not_above_the_fire() -> None:
    table = faced(hazard("flood", 1, 1, unit="m"), hazard("fire", 2, 2)).streets(STREETS, rules=RULES)
    assert table["share_wet"].tolist() == [1, 0]
    assert table["share_hit"].tolist() == [1, 1]


def test_a_point_stands_for_the_ground_round_it() -> None:
    spots = gpd.GeoDataFrame(geometry=shapely.points([ORIGIN[0] + 50, ORIGIN[0] + 100], ORIGIN[1]), crs=CRS)
    found = faced(hazard("flood", 1, 0, unit="m")).sites(spots)
    assert found["share_wet"].tolist() == pytest.approx([1, 0.5], abs=1e-3)


def test_tsunami_and_storm_surge_are_water() -> None:
    both = faced(hazard("tsunami", 0.4, 0.0, unit="m"), hazard("storm_surge", 0.1, 0.2, unit="m"))
    table = both.grounds(GROUNDS)
    assert table["depth_max_m"].tolist() == pytest.approx([0.4, 0.2]) and table["share_wet"].tolist() == [1, 1]
    assert table["level_max"].isna().all()


def measured(*found: Hazard) -> Faced:
    return Faced(found, CRS, PARAMS, RULES.levels)


def test_what_is_measured_is_told_by_its_level() -> None:
    table = measured(hazard("collapse", 0.02, 0.3, unit="share")).grounds(GROUNDS)
    assert table["level_max"].tolist() == [1, 4] and table["share_hit"].tolist() == [1, 1]
    with pytest.raises(InputError, match="tables of levels"):
        faced(hazard("collapse", 0.02, 0.3, unit="share"))


@pytest.mark.parametrize(
    ("kind", "unit", "west"), [("earthquake", "degree", 8), ("wind", "m/s", 25), ("waterside", "level", 3)]
)
def test_what_is_everywhere_or_only_near_takes_no_ground_away(kind: str, unit: str, west: float) -> None:
    table = measured(hazard(kind, west, 0, unit=unit)).grounds(GROUNDS)
    assert table["level_max"].tolist() == [3, 0]
    assert table[["share_hit", "share_wet", "share_unknown"]].isna().all(axis=None)
    beside = measured(hazard(kind, np.nan, 0, unit=unit), hazard("fire", 0, 2)).grounds(GROUNDS)
    assert beside["share_hit"].tolist() == [0, 1] and beside["share_unknown"].tolist() == [0, 0]
    assert not exposures.hit(table, above=0).any()


def test_what_goes_with_a_flood_needs_one_and_adds_nothing() -> None:
    flood = hazard("flood", 0.4, 0.0, unit="m")
    for kind in ("flood_duration", "flood_arrival"):
        with pytest.raises(InputError, match="a flood beside"):
            measured(hazard(kind, 5, 5, unit="h"))
        both = measured(flood, hazard(kind, 5, 5, unit="h"))
        assert both.kinds == {"flood"}
        assert both.grounds(GROUNDS).equals(faced(flood).grounds(GROUNDS))


def test_a_shelter_is_for_earthquakes_however_they_are_measured() -> None:
    assert measured(hazard("earthquake_pga", 0.2, 0.2, unit="g"), hazard("waterside", 1, 1)).kinds == {"earthquake"}


def test_streets_under_kinds_without_a_rule_for_them() -> None:
    table = measured(hazard("earthquake", 7, 9, unit="degree")).streets(STREETS, rules=RULES)
    assert table["level_max"].tolist() == [2, 4], "bridges shake too"
